/* oracle NAME: runs what src/stat does over plain numbers from standard input and prints what came out, a JSON object a line, so
 * that it can be compared with what others computed. What is read is told at each function. */
#include "base/bytes.h"
#include "base/json.h"
#include "base/mem.h"
#include "stat/lookout.h"
#include "stat/robust.h"

#include <math.h>
#include <stdlib.h>

static double number(void)
{
	double v;

	if (scanf("%lf", &v) != 1) {
		(void)fputs("oracle: a number was expected\n", stderr);
		exit(1);
	}
	return v;
}

static size_t whole(void)
{
	return (size_t)number();
}

static void print_numbers(struct json *j, const char *key, const struct verdict *verdicts, size_t n, double (*of)(const struct verdict *))
{
	json_array(j, key);
	for (size_t i = 0; i < n; i++)
		json_number(j, NULL, of(&verdicts[i]));
	json_end_array(j);
}

static double part_b(const struct verdict *p) { return p->b; }
static double part_residual(const struct verdict *p) { return p->residual; }

static void print_finding(struct json *j, const struct finding *f)
{
	static const char *const kinds[] = { [FINDING_ODD] = "odd", [FINDING_SHIFT] = "shift", [FINDING_SPLIT] = "split fleet" };

	json_object(j, NULL);
	json_string(j, "kind", f->kind == FINDING_PARTIAL ? (f->direction > 0 ? "partial rise" : "partial fall") : kinds[f->kind]);
	if (f->kind == FINDING_ODD || f->kind == FINDING_SHIFT)
		json_whole(j, "sensor", f->sensor);
	if (f->kind == FINDING_ODD) {
		json_string(j, "direction", f->direction > 0 ? "up" : "down");
		json_number(j, "y", f->packets);
		json_number(j, "expected", f->expected);
		json_number(j, "factor", f->packets / f->expected);
		json_whole(j, "continues", f->continues);
	}
	if (f->kind == FINDING_PARTIAL) {
		json_whole(j, "n", f->n);
		json_whole(j, "of", f->of);
	}
	if (f->kind == FINDING_PARTIAL || f->kind == FINDING_SPLIT) {
		json_number(j, "level", f->level);
		json_number(j, "level_other", f->other);
	}
	json_end_object(j);
}

static void print_day(const struct fitted *d, const struct verdict *verdicts, size_t n, const struct finding *findings, size_t findings_len)
{
	static const char *const flags[] = { "no cross-check possible", "weak cross-check", "not detectable", "unreliable" };
	struct buf out = buf_make(1 << 20);
	struct json j = json_to(&out);

	json_object(&j, NULL);
	json_number(&j, "theta", d->theta);
	json_number(&j, "se", d->se);
	json_array(&j, "accepted");
	for (size_t i = 0; i < n; i++)
		json_number(&j, NULL, verdicts[i].seated && !isnan(d->theta) ? verdicts[i].accepted : NAN);
	json_end_array(&j);
	print_numbers(&j, "residual", verdicts, n, part_residual);
	print_numbers(&j, "b", verdicts, n, part_b);
	json_number(&j, "phi", d->phi);
	json_number(&j, "L", d->level);
	json_number(&j, "plain_B", d->plain_b);
	json_number(&j, "headline_B", d->headline_b);
	json_number(&j, "M_plain", isnan(d->theta) ? d->plain : d->theta * d->plain_b);
	json_number(&j, "M_headline", d->value);
	json_number(&j, "plain_mean", d->plain);
	json_array(&j, "findings");
	for (size_t i = 0; i < findings_len; i++)
		if (findings[i].kind != FINDING_ASIDE)  /* ours: the oracle names those that are odd */
			print_finding(&j, &findings[i]);
	json_end_array(&j);
	json_array(&j, "flags");
	for (unsigned i = 0; i < 4; i++)
		if (d->flags >> i & 1)
			json_string(&j, NULL, flags[i]);
	json_end_array(&j);
	json_end_object(&j);
	puts(buf_cstr(&out));
	buf_release(&out);
}

/* A port's days: SENSORS DAYS, and a day and sensor: enrolled calibrating addresses coverage group packets. */
static void days(void)
{
	size_t n = whole(), len = whole(), found;
	struct robust *r = robust_open(n);
	struct seat *seats = mem_zero(n, sizeof *seats);
	struct habit *habits = mem_zero(n, sizeof *habits);
	struct verdict *verdicts = mem_zero(n, sizeof *verdicts);
	struct finding *findings = mem_zero(FINDINGS_MAX(n), sizeof *findings);
	double *y = mem_zero(n, sizeof *y);
	struct port_habit port;
	struct fitted fitted;
	struct fleet fleet;

	port_habit_init(&port);
	for (size_t d = 0; d < len; d++) {
		for (size_t i = 0; i < n; i++) {
			seats[i].enrolled = number() != 0;
			seats[i].calibrating = number() != 0;
			seats[i].addresses = number();
			seats[i].coverage = number();
			seats[i].group = (uint32_t)number();
			y[i] = number();
		}
		fleet_init(&fleet, seats, n);
		robust_fit(r, &fleet, y, &port, habits, &fitted, verdicts);
		found = robust_findings(r, &fleet, y, habits, &fitted, verdicts, findings);
		print_day(&fitted, verdicts, n, findings, found);
		robust_learn(&fleet, y, &fitted, verdicts, &port, habits);
		fleet_release(&fleet);
	}
	free(seats);
	free(habits);
	free(verdicts);
	free(findings);
	free(y);
	robust_close(r);
}

/* One panel: SENSORS PHI LEVEL (0: not known), and a sensor: packets, exposure, its phi. What makes a sensor's exposure and phi is made up to
 * give these. */
static void location(void)
{
	size_t n = whole();
	struct robust *r = robust_open(n);
	struct seat *seats = mem_zero(n, sizeof *seats);
	struct habit *habits = mem_zero(n, sizeof *habits);
	struct verdict *verdicts = mem_zero(n, sizeof *verdicts);
	double *y = mem_zero(n, sizeof *y);
	struct port_habit port = { .phi = number(), .level = number() };
	struct fitted fitted;
	struct fleet fleet;

	port.level = port.level > 0 ? port.level : NAN;
	for (size_t i = 0; i < n; i++) {
		y[i] = number();
		double e = number(), phi = number();

		seats[i] = (struct seat){ .enrolled = true, .addresses = 1, .coverage = 1 };
		habits[i].packets = 1 / (phi - port.phi) - 3;
		habits[i].exposure = (habits[i].packets + 3) / e - 3;
	}
	fleet_init(&fleet, seats, n);
	robust_fit(r, &fleet, y, &port, habits, &fitted, verdicts);
	print_day(&fitted, verdicts, n, NULL, 0);
	fleet_release(&fleet);
	free(seats);
	free(habits);
	free(verdicts);
	free(y);
	robust_close(r);
}

static void print_each(struct json *j, const char *key, size_t n, double (*of)(const void *, size_t), const void *from)
{
	json_array(j, key);
	for (size_t i = 0; i < n; i++)
		json_number(j, NULL, of(from, i));
	json_end_array(j);
}

static double dispersion_at(const void *x, size_t w) { return score_dispersion(x, (unsigned)w, DISPERSION_FROM); }
static double number_at(const void *list, size_t i) { return ((const double *)list)[i]; }
static double usual_at(const void *s, size_t i) { return (double)((const struct streams *)s)->reaches[i].level / 24; }

static void print_surges(struct json *j, const struct tracker *t)
{
	json_array(j, "tracker");
	for (unsigned i = 0; i < t->len; i++) {
		const struct surge *s = &t->surges[i];

		json_object(j, NULL);
		json_number(j, "alarm", (double)s->alarm);
		json_number(j, "onset", (double)s->onset);
		json_number(j, "base", s->base);
		json_number(j, "k", s->k);
		json_number(j, "w", s->w);
		json_number(j, "peak", s->peak);
		json_number(j, "last_active", (double)s->last_active);
		json_number(j, "closed", s->closed < 0 ? NAN : (double)s->closed);
		json_number(j, "end", s->closed < 0 ? NAN : (double)s->end);
		json_number(j, "level_shift", s->shift < 0 ? NAN : (double)s->shift);
		json_end_object(j);
	}
	json_end_array(j);
}

static void print_hour(const struct lookout *l, const struct roster *r, const struct score *s, const double *z)
{
	const struct streams *x = &l->streams;
	struct buf out = buf_make(1 << 20);
	struct json j = json_to(&out);

	json_object(&j, NULL);
	json_number(&j, "masked", r->masked);
	json_number(&j, "V", x->v.now);
	json_number(&j, "mu_N", x->n.mu_now);
	json_number(&j, "mu_V", x->v.mu_now);
	json_number(&j, "NV", s->nv);
	json_number(&j, "PC", s->pc);
	json_number(&j, "R", s->r);
	json_number(&j, "level_N", x->n.level);
	json_number(&j, "level_V", x->v.level);
	print_each(&j, "b", r->len, usual_at, x);
	print_each(&j, "f_N", WINDOWS, dispersion_at, &s->n);
	print_each(&j, "f_V", WINDOWS, dispersion_at, &s->v);
	print_each(&j, "LLR_N", WINDOWS, number_at, s->llr_n);
	print_each(&j, "LLR_V", WINDOWS, number_at, s->llr_v);
	print_each(&j, "PC_w", PC_WINDOWS, number_at, s->pc_w);
	print_each(&j, "z", PC_WINDOWS * r->len, number_at, z);
	print_surges(&j, &l->alarms);
	json_end_object(&j);
	puts(buf_cstr(&out));
	buf_release(&out);
}

/* A port's hours: SENSORS HOURS THRESHOLD, and an hour: up of each sensor, how many counted, these as sensor and sources, new sources. */
static void hours(void)
{
	size_t n = whole(), len = whole();
	double threshold = number(), *z = mem_zero(PC_WINDOWS * n, sizeof *z);
	bool *enrolled = mem_zero(n, sizeof *enrolled), *up = mem_zero(n, sizeof *up);
	struct sighting *seen = mem_zero(n, sizeof *seen);
	struct roster r;
	struct lookout l;
	struct score score;

	roster_init(&r);
	for (size_t i = 0; i < n; i++) {
		(void)roster_add(&r, 0);
		enrolled[i] = true;
	}
	lookout_init(&l, &r);
	score_init(&score);
	for (size_t h = 0; h < len; h++) {
		for (size_t i = 0; i < n; i++)
			up[i] = number() != 0;
		size_t counted = whole();
		for (size_t i = 0; i < counted && i < n; i++) {
			seen[i].sensor = (uint16_t)number();
			seen[i].sources = (uint32_t)number();
		}
		struct counted c = { .seen = seen, .n = counted };

		c.new_sources = number();
		roster_hour(&r, enrolled, up);
		lookout_take(&l, &r, &c);
		score_hour(&score, &l.streams, &r, z);       /* as defined, the whole of it */
		(void)tracker_hour(&l.alarms, &l.past, r.hour, score.r >= threshold, score.r >= threshold && lookout_may_alarm(&l, &r));
		print_hour(&l, &r, &score, z);
	}
	lookout_release(&l);
	roster_release(&r);
	free(z);
	free(enrolled);
	free(up);
	free(seen);
}

/* The tracker alone: HOURS THRESHOLD MU_V, and an hour: V R masked. */
static void track(void)
{
	size_t len = whole();
	double threshold = number(), mu_v = number();
	struct buf out = buf_make(1 << 20);
	struct json j = json_to(&out);
	struct past past;
	struct tracker t;

	tracker_init(&t);
	for (size_t h = 0; h < len; h++) {
		double v = number(), r = number();
		bool masked = number() != 0;

		past_hour(&past, (int64_t)h, v, mu_v, masked);
		(void)tracker_hour(&t, &past, (int64_t)h, r >= threshold, h >= COLD_HOURS);
	}
	json_object(&j, NULL);
	print_surges(&j, &t);
	json_end_object(&j);
	puts(buf_cstr(&out));
	buf_release(&out);
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*run)(void); } list[] = { { "days", days }, { "location", location }, { "hours", hours }, { "track", track } };

	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (argc == 2 && !strcmp(argv[1], list[i].name)) {
			list[i].run();
			return 0;
		}
	(void)fputs("usage: oracle days | location | hours | track\n", stderr);
	return 2;
}
