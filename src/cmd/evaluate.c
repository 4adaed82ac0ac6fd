/* evaluate: runs the statistics over a simulator's folder, for others to judge. */
#include "cmd/cmd.h"
#include "cmd/trial.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "stat/lookout.h"
#include "stat/robust.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { OUT_MAX = 1 << 30, SCORE_DECIMALS = 4 };

/* A port on its way through the hours. */
struct walk {
	struct lookout lookout;
	size_t seen, net;               /* the next lines of it */
	struct alert { bool is_watch; enum surge_class class; struct surge surge; } *alerts; size_t alerts_len, alerts_cap;
};

/* What happened goes into the list of alerts: opened anew, or the last of its level as it is now. */
static void note(struct walk *w, const struct roster *r, bool is_watch, enum tracked what, const struct tracker *t)
{
	size_t i = w->alerts_len;

	if (what == TRACKED_OPENED) {
		MEM_GROW(w->alerts, w->alerts_len, w->alerts_cap);
		w->alerts[w->alerts_len++] = (struct alert){ .is_watch = is_watch, .class = is_watch ? lookout_class(&w->lookout, r) : SURGE_BROAD,
			.surge = t->surges[t->len - 1] };
		return;
	}
	while (what != TRACKED_NOTHING && i-- > 0)
		if (w->alerts[i].is_watch == is_watch) {
			w->alerts[i].surge = t->surges[t->len - 1];
			break;
		}
}

static void note_score(const struct trial *t, uint32_t port, int64_t hour, const struct seen_hour *s, struct buf *scores)
{
	if (s->nv > SCORE_LEAST)
		buf_printf(scores, "%s,%" PRId64 ",%.*f,%.*f\n", t->ports[port], hour, SCORE_DECIMALS, s->r, SCORE_DECIMALS, s->nv);
}

static bool is_now(const struct trial_at *at, uint32_t port, const struct roster *r)
{
	return at->port == port && at->hour == r->hour;
}

static void walk_hour(struct walk *w, const struct trial *t, uint32_t port, const struct roster *r, struct sighting *room, struct buf *scores)
{
	struct counted c = { .seen = room };
	struct seen_hour told;

	for (; w->seen < t->seen_len && is_now(&t->seen[w->seen].at, port, r); w->seen++) {
		const struct trial_seen *s = &t->seen[w->seen];

		c.packets += (double)s->packets;
		if (s->sources && c.n < r->len)
			room[c.n++] = (struct sighting){ .sensor = s->sensor, .sources = s->sources };
	}
	for (; w->net < t->net_len && is_now(&t->net[w->net].at, port, r); w->net++) {
		c.sources = t->net[w->net].sources;
		c.new_sources = t->net[w->net].new_sources;
		c.top_packets = (double)t->net[w->net].top_packets;
	}
	lookout_hour(&w->lookout, r, &c, SCORE_LEAST, &told);
	note_score(t, port, r->hour, &told, scores);
	note(w, r, true, told.watch, &w->lookout.watches);
	note(w, r, false, told.alarm, &w->lookout.alarms);
}

static struct walk *begin_walks(const struct trial *t, const struct roster *r)
{
	struct walk *walks = mem_zero(t->ports_len, sizeof *walks);
	size_t seen = 0, net = 0;

	for (uint32_t p = 0; p < t->ports_len; p++) {
		lookout_init(&walks[p].lookout, r);
		while (seen < t->seen_len && t->seen[seen].at.port < p)
			seen++;
		while (net < t->net_len && t->net[net].at.port < p)
			net++;
		walks[p].seen = seen;
		walks[p].net = net;
	}
	return walks;
}

static void print_alerts(const struct trial *t, const struct walk *walks, struct buf *out)
{
	buf_str(out, "port,level,raised_hour,onset_hour,end_hour,class\n");
	for (size_t p = 0; p < t->ports_len; p++)
		for (size_t i = 0; i < walks[p].alerts_len; i++) {
			const struct alert *a = &walks[p].alerts[i];
			char end[24] = "";

			if (a->surge.closed >= 0)
				(void)snprintf(end, sizeof end, "%" PRId64, a->surge.end);
			buf_printf(out, "%s,%s,%" PRId64 ",%" PRId64 ",%s,%s\n", t->ports[p], a->is_watch ? "watch" : "alert", a->surge.alarm, a->surge.onset, end,
				surge_class_name(a->class));
		}
}

static void say_hours(const char *dir, int64_t hour, uint32_t hours)
{
	if (isatty(STDERR_FILENO) && (hour % 240 == 0 || hour + 1 == hours))
		(void)fprintf(stderr, "\r%s: %" PRId64 " of %" PRIu32 " hours%s", dir, hour + 1, hours, hour + 1 == hours ? "\n" : "");
}

static bool write_out(const char *dir, const char *name, const struct buf *out, struct err *e)
{
	char path[PATH_TEXT_MAX];

	if (!out->ok)
		return err_set(e, "%s would be larger than %d MiB", name, OUT_MAX >> 20);
	return file_path(path, dir, name, e) && file_leave(path, out->at, out->len, e);
}

static bool evaluate_hours(const struct trial *t, const char *dir, struct err *e)
{
	struct buf scores = buf_make(OUT_MAX), alerts = buf_make(OUT_MAX);
	bool *enrolled = mem_zero(t->sensors_len, sizeof *enrolled), *up = mem_zero(t->sensors_len, sizeof *up);
	struct sighting *room = mem_zero(t->sensors_len, sizeof *room);
	struct roster r;

	roster_init(&r);
	for (size_t i = 0; i < t->sensors_len; i++) {
		(void)roster_add(&r, 0);
		enrolled[i] = true;
	}
	struct walk *walks = begin_walks(t, &r);
	buf_str(&scores, "port,hour,R,NV\n");
	for (uint32_t h = 0; h < t->hours; h++) {
		memset(up, 0, t->sensors_len * sizeof *up);
		for (size_t i = 0; i < t->up_len; i++)
			up[t->up[i].sensor] |= h >= t->up[i].from && h < t->up[i].until;
		roster_hour(&r, enrolled, up);
		for (uint32_t p = 0; p < t->ports_len; p++)
			walk_hour(&walks[p], t, p, &r, room, &scores);
		say_hours(dir, h, t->hours);
	}
	print_alerts(t, walks, &alerts);
	bool ok = write_out(dir, "scores.csv", &scores, e) && write_out(dir, "alerts.csv", &alerts, e);
	for (size_t p = 0; p < t->ports_len; p++) {
		lookout_release(&walks[p].lookout);
		free(walks[p].alerts);
	}
	free(walks);
	free(enrolled);
	free(up);
	free(room);
	roster_release(&r);
	buf_release(&scores);
	buf_release(&alerts);
	return ok;
}

/* A sensor calibrates from the first day on which it stands in the folder. */
static void seat_day(const struct trial *t, size_t *at, uint32_t day, struct seat *seats, uint32_t *joined, double *packets)
{
	for (size_t i = 0; i < t->sensors_len; i++) {
		seats[i] = (struct seat){ .addresses = 1 };
		packets[i] = 0;
	}
	for (; *at < t->days_len && t->days[*at].day == day; ++*at) {
		const struct trial_day *d = &t->days[*at];

		joined[d->sensor] = joined[d->sensor] ? joined[d->sensor] : day + 1;
		seats[d->sensor] = (struct seat){ .enrolled = true, .calibrating = day + 1 < joined[d->sensor] + ROBUST_CALIBRATING_DAYS,
			.addresses = d->addresses, .coverage = d->coverage };
		packets[d->sensor] = d->packets;
	}
}

static void print_number(struct buf *out, double v)
{
	char text[NUM_TEXT_MAX];

	buf_printf(out, ",%s", isfinite(v) ? num_shortest(v, text) : "");
}

static bool evaluate_days(const struct trial *t, const char *dir, struct err *e)
{
	struct buf out = buf_make(OUT_MAX);
	size_t n = t->sensors_len, at = 0;
	struct robust *r = robust_open(n);
	struct seat *seats = mem_zero(n, sizeof *seats);
	uint32_t *joined = mem_zero(n, sizeof *joined);
	struct habit *habits = mem_zero(n, sizeof *habits);
	struct verdict *verdicts = mem_zero(n, sizeof *verdicts);
	double *packets = mem_zero(n, sizeof *packets);
	struct port_habit port;

	port_habit_init(&port);
	buf_str(&out, "day,port,plain_b,headline,se,plain,accepted,looked\n");
	for (uint32_t d = 0; d < t->days_n; d++) {
		struct fleet fleet;
		struct fitted day;

		seat_day(t, &at, d, seats, joined, packets);
		fleet_init(&fleet, seats, n);
		robust_fit(r, &fleet, packets, &port, habits, &day, verdicts);
		robust_learn(&fleet, packets, &day, verdicts, &port, habits);
		fleet_release(&fleet);
		buf_printf(&out, "%" PRIu32 ",all", d);
		print_number(&out, isnan(day.theta) ? day.plain : day.theta * day.plain_b);
		print_number(&out, day.value);
		print_number(&out, day.se * day.headline_b);
		print_number(&out, day.plain);
		buf_printf(&out, ",%zu,%zu\n", day.accepted, day.looked);
	}
	bool ok = write_out(dir, "values.csv", &out, e);
	buf_release(&out);
	free(seats);
	free(joined);
	free(habits);
	free(verdicts);
	free(packets);
	robust_close(r);
	return ok;
}

static int run_evaluate(const struct args *a)
{
	bool ok = a->words > 0;
	struct err e;

	if (!ok)
		err_asked(&e, "no folder to evaluate");
	for (size_t i = 0; ok && i < a->words; i++) {
		struct trial t;

		ok = trial_read(&t, a->word[i], &e);
		if (!ok)
			break;
		ok = (t.by_day ? evaluate_days : evaluate_hours)(&t, a->word[i], &e) || err_in(&e, "%s", a->word[i]);
		trial_release(&t);
	}
	if (!ok)
		log_err(&e);
	return ok ? EXIT_DONE : a->words ? EXIT_REFUSED : EXIT_WRONG_USE;
}

static const struct option options[] = { { NULL, NULL, NULL } };

const struct command command_evaluate = {
	.name = "evaluate",
	.usage = "DIR...",
	.summary = "run the statistics over folders that a simulator wrote, to be judged",
	.options = { options },
	.run = run_evaluate,
};
