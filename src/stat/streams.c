#include "stat/streams.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HOURS_MIN = 6 };

static void stream_init(struct stream *x)
{
	*x = (struct stream){ .level = NAN };
	for (unsigned i = 0; i < ROSTER_DAYS; i++)
		x->day[i] = x->level_then[i] = NAN;
	for (unsigned h = 0; h < DAY_HOURS; h++)
		x->today[h] = NAN;
}

static void reach_init(struct reach *one)
{
	*one = (struct reach){ .level = NAN, .last = -1 };
	for (unsigned i = 0; i < ROSTER_DAYS; i++)
		one->day[i] = REACH_NONE;
}

void streams_forget(struct streams *s, size_t sensor)
{
	if (sensor < s->len)
		reach_init(&s->reaches[sensor]);
}

/* Places that the roster has got since. */
static void reach_all(struct streams *s, const struct roster *r)
{
	if (s->len == r->len)
		return;
	s->reaches = mem_resize(s->reaches, r->len, sizeof *s->reaches);
	for (; s->len < r->len; s->len++)
		reach_init(&s->reaches[s->len]);
}

void streams_init(struct streams *s, const struct roster *r)
{
	*s = (struct streams){ .all_level = NAN };
	stream_init(&s->n);
	stream_init(&s->v);
	for (unsigned i = 0; i < ROSTER_DAYS; i++)
		s->all_day[i] = NAN;
	reach_all(s, r);
}

void streams_release(struct streams *s)
{
	free(s->reaches);
	free(s->recent);
	*s = (struct streams){ 0 };
}

void streams_leave_out(struct streams *s, int64_t day, bool out)
{
	s->left_out[day % ROSTER_DAYS] = out;
}

/* The days whose sums make the level of `day`: four weeks without the last three days, and without those of surges. */
static unsigned window_of(const struct streams *s, const float *sums, int64_t day, unsigned places[LEVEL_DAYS])
{
	int64_t from = day - LEVEL_DAYS - LEVEL_GUARD_DAYS;
	unsigned n = 0;

	for (int64_t d = from > 0 ? from : 0; d < day - LEVEL_GUARD_DAYS; d++)
		if (!isnan(sums[d % ROSTER_DAYS]) && !s->left_out[d % ROSTER_DAYS])
			places[n++] = (unsigned)(d % ROSTER_DAYS);
	return n;
}

/* The mean without the largest days; NAN where too few are left. */
static double level_of(const float *sums, const unsigned *places, unsigned n)
{
	double sum = 0, top[3] = { 0 };
	unsigned out = roster_largest(n);

	for (unsigned i = 0; i < n; i++) {
		double v = sums[places[i]];

		sum += v;
		for (unsigned k = 0; k < out; k++)
			if (v > top[k]) {
				double smaller = top[k];

				top[k] = v;
				v = smaller;
			}
	}
	return roster_level(sum - top[0] - top[1] - top[2], n);
}

static double clipped(double v, double low, double high)
{
	return v < low ? low : v > high ? high : v;
}

static void learn_rhythm(struct stream *x, const unsigned *places, unsigned n, const unsigned *weekdays)
{
	double sum = 0, of_day[7] = { 0 }, hours[DAY_HOURS] = { 0 }, all = 0;
	unsigned days[7] = { 0 };

	for (unsigned i = 0; i < n; i++) {
		double w = fmin(x->day[places[i]], 2 * fmax(x->level, .01) + 3);

		sum += w;
		of_day[weekdays[i]] += w;
		days[weekdays[i]]++;
		for (unsigned h = 0; h < DAY_HOURS; h++)
			hours[h] += x->cut[places[i]][h];
	}
	double t = sum / n + 1e-9, k = 5 * t / fmax(t, 1);
	for (unsigned d = 0; d < 7; d++)
		x->dow[d] = clipped((of_day[d] + k) / (days[d] * t + k), .6, 1.6);
	for (unsigned h = 0; h < DAY_HOURS; h++)
		all += hours[h];
	for (unsigned h = 0; h < DAY_HOURS; h++)
		x->hod[h] = 24 * (hours[h] + 2.5) / (all + 60);
}

/* Day `day` is over: its sum, masked hours filled with the mean of the others. */
static void close_day(struct stream *x, int64_t day)
{
	unsigned at = (unsigned)(day % ROSTER_DAYS), n = 0;
	double sum = 0, l = isnan(x->level_then[at]) ? 0 : x->level_then[at] / 24, most = 4 * fmax(1, l + 3 * sqrt(l + .1));

	for (unsigned h = 0; h < DAY_HOURS; h++)
		if (!isnan(x->today[h])) {
			sum += x->today[h];
			n++;
		}
	x->day[at] = n >= HOURS_MIN ? (float)(sum / n * DAY_HOURS) : NAN;
	for (unsigned h = 0; h < DAY_HOURS; h++) {
		x->cut[at][h] = n ? (float)fmin(isnan(x->today[h]) ? sum / n : x->today[h], most) : 0;
		x->today[h] = NAN;
	}
}

static void begin_day(struct streams *s, struct stream *x, int64_t day)
{
	unsigned places[LEVEL_DAYS] = { 0 }, weekdays[LEVEL_DAYS] = { 0 }, n = window_of(s, x->day, day, places);
	double level = level_of(x->day, places, n);

	if (!isnan(level)) {
		for (unsigned i = 0; i < n; i++) {
			int64_t back = (day - places[i]) % ROSTER_DAYS;         /* how many days before */

			weekdays[i] = (unsigned)((day - back) % 7);
		}
		x->level = level;
		learn_rhythm(x, places, n, weekdays);
	}
	x->level_then[day % ROSTER_DAYS] = (float)x->level;
}

/* All sources follow the rhythm of V: of them only the level is known. masked: hours of the day that are not in the sum. */
static void begin_all(struct streams *s, int64_t day, unsigned masked)
{
	unsigned places[LEVEL_DAYS] = { 0 }, n;

	s->all_day[(day - 1) % ROSTER_DAYS] = DAY_HOURS - masked >= HOURS_MIN ? s->all_today / (float)(DAY_HOURS - masked) * DAY_HOURS : NAN;
	s->all_today = 0;
	n = window_of(s, s->all_day, day, places);
	double level = level_of(s->all_day, places, n);
	if (!isnan(level))
		s->all_level = level;
}

/* A sensor's sum is by the share of the day that it watched; a day without watching has none. */
static float sum_of(const struct reach *one, const struct post *p, int64_t day)
{
	uint16_t sum = one->day[day % ROSTER_DAYS];

	return sum == REACH_NONE ? NAN : (float)(sum / fmax((double)p->coverage[day % ROSTER_DAYS], .2));
}

static double reach_level(const struct streams *s, const struct reach *one, const struct post *p, int64_t day)
{
	unsigned places[LEVEL_DAYS] = { 0 };
	float sums[ROSTER_DAYS];

	for (int64_t d = day - LEVEL_DAYS - LEVEL_GUARD_DAYS; d < day - LEVEL_GUARD_DAYS; d++)
		if (d >= 0)
			sums[d % ROSTER_DAYS] = sum_of(one, p, d);
	unsigned n = window_of(s, sums, day, places);
	return level_of(sums, places, n);
}

static void close_reaches(struct streams *s, const struct roster *r, int64_t day)
{
	unsigned at = (unsigned)((day - 1) % ROSTER_DAYS);
	int64_t first = (day - LEVEL_DAYS - LEVEL_GUARD_DAYS) * DAY_HOURS;
	bool all_days = true;

	for (unsigned d = 0; d < ROSTER_DAYS; d++)
		all_days &= !s->left_out[d];
	for (size_t i = 0; i < s->len; i++) {
		const struct post *p = &r->posts[i];
		struct reach *one = &s->reaches[i];
		/* Where it saw nothing for as long as levels look back, the level is that of every such port. */
		bool calm = all_days && (one->last < 0 || one->last < first);

		one->day[at] = p->coverage[at] > 0 ? (uint16_t)fminf(one->today, REACH_NONE - 1) : REACH_NONE;
		one->today = 0;
		double level = calm ? (double)p->calm : reach_level(s, one, p, day);
		if (!isnan(level))
			one->level = (float)level;
	}
}

/* What is usual there, and not much more. */
static double cap_of(const struct reach *one)
{
	double b = one->level / 24;

	return isnan(one->level) ? INFINITY : fmax(1, ceil(b + 3 * sqrt(b * (1 + .4 * b))));
}

unsigned sighting_age(const struct sighting *s, const struct roster *r)
{
	return (uint16_t)((uint16_t)r->hour - s->hour);
}

/* What is older than the longest window goes when a day is over: nobody asks for it meanwhile. */
static void drop_old(struct streams *s, const struct roster *r)
{
	size_t old = 0;

	while (old < s->recent_len && sighting_age(&s->recent[old], r) >= WINDOW_HOURS_MAX)
		old++;
	if (!old)
		return;
	s->recent_len -= old;
	memmove(s->recent, s->recent + old, s->recent_len * sizeof *s->recent);
}

/* V of the hour, not scaled. */
static double note_sightings(struct streams *s, const struct roster *r, const struct sighting *seen, size_t n)
{
	double v = 0;

	for (size_t i = 0; i < n; i++) {
		struct reach *one = &s->reaches[seen[i].sensor];
		double capped = fmin(seen[i].sources, cap_of(one));

		MEM_GROW(s->recent, s->recent_len, s->recent_cap);
		s->recent[s->recent_len++] = (struct sighting){ .sources = seen[i].sources, .capped = (uint32_t)capped, .sensor = seen[i].sensor,
			.hour = (uint16_t)r->hour };
		one->today += (float)seen[i].sources;
		one->last = (int32_t)r->hour;
		v += capped;
	}
	return v;
}

static void stream_hour(struct stream *x, const struct roster *r, double scaled)
{
	unsigned h = (unsigned)(r->hour % DAY_HOURS);
	int64_t day = r->hour / DAY_HOURS;

	x->now = scaled;
	x->mu_now = day >= BASELINE_DAYS && !isnan(x->level) ? fmax(.0005, x->level / 24 * x->dow[day % 7] * x->hod[h]) : 0;
	x->today[h] = r->masked ? NAN : (float)scaled;
}

static void close_days(struct streams *s, const struct roster *r)
{
	struct stream *const both[] = { &s->n, &s->v };
	int64_t day = r->hour / DAY_HOURS;
	unsigned masked = 0;

	for (unsigned h = 0; h < DAY_HOURS; h++)
		masked += isnan(s->v.today[h]) != 0;
	drop_old(s, r);
	close_reaches(s, r, day);
	for (unsigned i = 0; i < 2; i++) {
		close_day(both[i], day - 1);
		begin_day(s, both[i], day);
	}
	begin_all(s, day, masked);
}

void streams_hour(struct streams *s, const struct roster *r, const struct counted *c)
{
	double scale = r->up ? (double)r->enrolled / (double)r->up : 0;

	reach_all(s, r);
	if (r->closed_day)
		close_days(s, r);
	double v = note_sightings(s, r, c->seen, c->n);
	s->packets[r->hour % DAY_HOURS] = (float)c->packets;
	s->top_packets[r->hour % DAY_HOURS] = (float)c->top_packets;
	float *gone = &s->unscaled[r->hour % WINDOW_HOURS_MAX];
	s->unscaled_sum += c->new_sources - (double)*gone;
	*gone = (float)c->new_sources;
	stream_hour(&s->n, r, c->new_sources * scale);
	stream_hour(&s->v, r, v * scale);
	s->counts = s->v.mu_now > 0 && !r->masked;
	s->all[r->hour % WINDOW_HOURS_MAX] = s->counts ? (float)(c->sources * scale) : 0;
	s->all_today += r->masked ? 0 : (float)(c->sources * scale);
}
