#include "stat/lookout.h"

#include "base/mem.h"
#include "stat/onset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where the source with the most packets is looked for hour by hour, it is another one each hour if more than that many are new. */
enum { FEW_SOURCES = 5 };

void lookout_init(struct lookout *l, const struct roster *r)
{
	streams_init(&l->streams, r);
	lift_init(&l->lift);
	l->past = (struct past){ 0 };
	l->watch_least = l->alarm_least = 0;
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

	for (int64_t d = today - ROSTER_DAYS + 1; r->closed_day && d < today; d++)
		if (d >= 0)
			streams_leave_out(s, d, tracker_leaves_out(&l->alarms, d, today));
	streams_hour(s, r, c);
	past_hour(&l->past, r->hour, s->v.now, s->v.mu_now, r->masked);
}

bool lookout_may_alarm(const struct lookout *l, const struct roster *r)
{
	return r->hour >= COLD_HOURS && r->enrolled > 2 && !roster_unsettled(r) && score_gate(&l->streams, r);
}

/* A few that go round together are no broad surge, however quiet the port was. */
static bool are_many(const struct lookout *l)
{
	return l->streams.unscaled_sum >= BROAD_SOURCES;
}

/* As the tracker does, but for the onset, and for what comes after a surge: its hours stay in the windows for a week, in which the score goes down by
 * and by, and may cross the threshold more than once. A new one needs twice the least score since the last one closed. */
static enum tracked track(struct tracker *t, double *least, const struct past *p, int64_t hour, double score, bool over, bool may_alarm)
{
	if (!tracker_open(t))
		*least = fmin(*least, score);
	enum tracked what = tracker_hour(t, p, hour, over, may_alarm && score >= 2 * *least);
	int64_t onset = what == TRACKED_OPENED ? onset_fit(p, hour) : -1;

	if (onset >= 0)
		tracker_open(t)->onset = onset;
	if (what == TRACKED_CLOSED)
		*least = score;
	return what;
}

void lookout_hour(struct lookout *l, const struct roster *r, const struct counted *c, double least, struct seen_hour *out)
{
	struct streams *s = &l->streams;

	lookout_take(l, r, c);
	lift_hour(&l->lift, s, r, c->n == 0);
	struct lifted lifted = { .nv = l->lift.most, .r = l->lift.most };
	if (lifted.nv >= least)
		lifted = lift_now(&l->lift, s, r);
	out->nv = lifted.nv;
	out->r = lifted.r;
	bool over = out->r >= ALARM_R, watch = out->nv >= WATCH_NV;
	out->watch = track(&l->watches, &l->watch_least, &l->past, r->hour, out->nv, watch, watch);
	out->alarm = track(&l->alarms, &l->alarm_least, &l->past, r->hour, out->r, over, over && are_many(l) && lookout_may_alarm(l, r));
}

/* One source sends at least half of the packets and hardly anybody else is new, or those that came were here before. */
static bool of_one_source(const struct lookout *l, const struct roster *r, unsigned window)
{
	unsigned hours = window_hours[window] < DAY_HOURS ? window_hours[window] : DAY_HOURS;
	const struct streams *s = &l->streams;
	double packets = 0, top = 0;

	for (unsigned h = 0; h < hours && h <= r->hour; h++) {
		packets += (double)s->packets[(r->hour - h) % DAY_HOURS];
		top += (double)s->top_packets[(r->hour - h) % DAY_HOURS];
	}
	return (packets > 0 && 2 * top >= packets && l->lift.window[window][LIFT_N] < l->lift.window[window][LIFT_MU_N] + FEW_SOURCES) ||
		(lift_all_sources(&l->lift, s, r) >= 9 && lift_new_sources(&l->lift, r) < 3);
}

/* Without the one sensor that is most surprised, nobody is. */
static bool is_alone(const struct roster *r, const double *z)
{
	size_t most = 0;
	double sum = 0;

	for (size_t i = 0; i < r->len; i++) {
		sum += z[i];
		most = z[i] > z[most] ? i : most;
	}
	return r->enrolled > 1 && z[most] >= 6 && (sum - z[most]) / sqrt((double)(r->enrolled - 1)) < 3;
}

static bool of_one_sensor(const struct lookout *l, const struct roster *r)
{
	double *z = mem_resize(NULL, WINDOWS * r->len, sizeof *z);
	bool alone = false;

	lift_sensors(&l->streams, r, z);
	for (unsigned w = 0; w < WINDOWS; w++)
		alone |= is_alone(r, z + w * r->len);
	free(z);
	return alone;
}

enum surge_class lookout_class(const struct lookout *l, const struct roster *r)
{
	struct lifted lifted = lift_now(&l->lift, &l->streams, r);
	bool gate = score_gate(&l->streams, r);

	if (r->enrolled <= 2)
		return SURGE_LOCAL;
	if (gate && lifted.r >= ALARM_R)
		return are_many(l) ? SURGE_BROAD : SURGE_FEW_SOURCES;
	return of_one_source(l, r, lifted.window) ? SURGE_SINGLE_SOURCE : of_one_sensor(l, r) ? SURGE_SINGLE_SENSOR :
		gate ? SURGE_BROAD : SURGE_FEW_SOURCES;
}

const char *surge_class_name(enum surge_class c)
{
	static const char *const names[] = { "broad", "partial", "single sensor", "single source", "few sources", "level shift", "local rise" };

	return c < SURGE_CLASSES ? names[c] : "unknown";
}
