#include "stat/lookout.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void lookout_init(struct lookout *l, const struct roster *r)
{
	streams_init(&l->streams, r);
	lift_init(&l->lift);
	tracker_init(&l->watches);
	tracker_init(&l->alarms);
}

void lookout_copy(struct lookout *l, const struct lookout *from)
{
	*l = *from;
	l->streams.reaches = mem_resize(NULL, from->streams.len, sizeof *l->streams.reaches);
	memcpy(l->streams.reaches, from->streams.reaches, from->streams.len * sizeof *l->streams.reaches);
	l->streams.recent = NULL;
	l->streams.recent_len = l->streams.recent_cap = 0;
}

void lookout_release(struct lookout *l)
{
	streams_release(&l->streams);
}

void lookout_take(struct lookout *l, const struct roster *r, const struct counted *c)
{
	struct streams *s = &l->streams;
	int64_t today = r->hour / DAY_HOURS;

	for (int64_t d = today - STREAM_DAYS + 1; r->closed_day && d < today; d++)
		if (d >= 0)
			streams_leave_out(s, d, tracker_leaves_out(&l->alarms, d, today));
	streams_hour(s, r, c);
}

bool lookout_may_alarm(const struct lookout *l, const struct roster *r)
{
	return r->hour >= COLD_HOURS && r->enrolled > 2 && !roster_unsettled(r) && score_gate(&l->streams, r);
}

void lookout_hour(struct lookout *l, const struct roster *r, const struct counted *c, double least, struct seen_hour *out)
{
	struct streams *s = &l->streams;
	double pc_w[PC_WINDOWS];

	lookout_take(l, r, c);
	lift_hour(&l->lift, s, r);
	out->nv = out->r = l->lift.nv;
	if (out->nv >= least) {
		score_conjunctions(s, r, NULL, pc_w);
		out->r = lift_r(&l->lift, pc_w);
	}
	bool over = out->r >= ALARM_R, watch = out->nv >= WATCH_NV;
	out->watch = tracker_hour(&l->watches, r->hour, s->v_now, s->v.mu_now, r->masked, watch, watch);
	out->alarm = tracker_hour(&l->alarms, r->hour, s->v_now, s->v.mu_now, r->masked, over, over && lookout_may_alarm(l, r));
}

/* One source sends at least half of the packets, or those that came were here before. */
static bool of_one_source(const struct streams *s, const struct roster *r, const struct score *score)
{
	unsigned hours = window_hours[score->window] < DAY_HOURS ? window_hours[score->window] : DAY_HOURS;
	double packets = 0, top = 0, fresh = 0;

	for (unsigned h = 0; h < hours && h <= r->hour; h++) {
		packets += s->packets[(r->hour - h) % DAY_HOURS];
		top += s->top_packets[(r->hour - h) % DAY_HOURS];
	}
	for (unsigned w = 0; w < WINDOWS; w++)
		fresh = fmax(fresh, score->llr_n[w]);
	return (packets > 0 && 2 * top >= packets) || (score_all_sources(s, r) >= 9 && fresh < 3);
}

/* Without the one sensor that is most surprised, nobody is. */
static bool of_one_sensor(const struct roster *r, const double *z)
{
	for (unsigned w = 0; w < PC_WINDOWS; w++) {
		const double *of = z + w * r->len;
		size_t most = 0;
		double sum = 0;

		for (size_t i = 0; i < r->len; i++) {
			sum += of[i];
			most = of[i] > of[most] ? i : most;
		}
		if (r->enrolled > 1 && of[most] >= 6 && (sum - of[most]) / sqrt((double)(r->enrolled - 1)) < 3)
			return true;
	}
	return false;
}

enum surge_class lookout_class(const struct lookout *l, const struct roster *r)
{
	double *z = mem_zero(PC_WINDOWS * r->len, sizeof *z);
	enum surge_class found = SURGE_BROAD;
	struct score score;

	score_hour(&l->streams, r, z, &score);
	bool gate = score_gate(&l->streams, r);
	if (r->enrolled <= 2)
		found = SURGE_LOCAL;
	else if (lift_r(&l->lift, score.pc_w) < ALARM_R || !gate)
		found = of_one_source(&l->streams, r, &score) ? SURGE_SINGLE_SOURCE : of_one_sensor(r, z) ? SURGE_SINGLE_SENSOR :
			gate ? SURGE_BROAD : SURGE_FEW_SOURCES;
	free(z);
	return found;
}

const char *surge_class_name(enum surge_class c)
{
	static const char *const names[] = { "broad", "partial", "single sensor", "single source", "few sources", "level shift", "local rise" };

	return c < SURGE_CLASSES ? names[c] : "unknown";
}
