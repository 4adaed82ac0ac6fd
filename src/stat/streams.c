#include "stat/streams.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

const unsigned window_hours[WINDOWS] = { 1, 3, 6, 12, 24, 72, 168 };
enum { WINDOW_DAYS = 28, GUARD_DAYS = 3, WINDOW_DAYS_MIN = 7, HOURS_MIN = 6 };
#define DISPERSION_START 1.3

static void stream_init(struct stream *x)
{
	*x = (struct stream){ .level = NAN };
	for (unsigned i = 0; i < STREAM_DAYS; i++)
		x->day[i] = x->level_then[i] = NAN;
	for (unsigned h = 0; h < DAY_HOURS; h++)
		x->today[h] = NAN;
	for (unsigned w = 0; w < WINDOWS; w++) {
		x->s[w] = DISPERSION_START;
		for (unsigned i = 0; i < DISPERSION_LAG; i++)
			x->e2[w][i] = NAN;
	}
}

static void reach_init(struct reach *one)
{
	*one = (struct reach){ .level = NAN, .last = -1 };
	for (unsigned i = 0; i < STREAM_DAYS; i++)
		one->day[i] = NAN;
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
	*s = (struct streams){ 0 };
	stream_init(&s->u);
	stream_init(&s->n);
	stream_init(&s->v);
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
	s->left_out[day % STREAM_DAYS] = out;
}

/* The days whose sums make the level of `day`: four weeks without the last three days, and without those of surges. */
static unsigned window_of(const struct streams *s, const float *sums, int64_t day, unsigned places[WINDOW_DAYS])
{
	int64_t from = day - WINDOW_DAYS - GUARD_DAYS;
	unsigned n = 0;

	for (int64_t d = from > 0 ? from : 0; d < day - GUARD_DAYS; d++)
		if (!isnan(sums[d % STREAM_DAYS]) && !s->left_out[d % STREAM_DAYS])
			places[n++] = (unsigned)(d % STREAM_DAYS);
	return n;
}

/* The mean without the largest days; NAN where too few are left. */
static double level_of(const float *sums, const unsigned *places, unsigned n)
{
	double sum = 0, top[3] = { 0 };
	unsigned out = n < 14 ? 1 : 3;

	if (n < WINDOW_DAYS_MIN)
		return NAN;
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
	return (sum - top[0] - top[1] - top[2] + .05) / (n - out);
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
	unsigned at = (unsigned)(day % STREAM_DAYS), n = 0;
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
	unsigned places[WINDOW_DAYS] = { 0 }, weekdays[WINDOW_DAYS] = { 0 }, n = window_of(s, x->day, day, places);
	double level = level_of(x->day, places, n);

	if (!isnan(level)) {
		for (unsigned i = 0; i < n; i++) {
			int64_t back = (day - places[i]) % STREAM_DAYS;         /* how many days before */

			weekdays[i] = (unsigned)((day - back) % 7);
		}
		x->level = level;
		learn_rhythm(x, places, n, weekdays);
	}
	x->level_then[day % STREAM_DAYS] = (float)x->level;
}

/* A sensor's sum is by the share of the day that it watched; a day without watching has none. */
static void close_reaches(struct streams *s, const struct roster *r, int64_t day)
{
	unsigned places[WINDOW_DAYS] = { 0 };

	for (size_t i = 0; i < s->len; i++) {
		struct reach *one = &s->reaches[i];
		double coverage = r->posts[i].coverage;

		one->day[(day - 1) % STREAM_DAYS] = coverage > 0 ? (float)(one->today / fmax(coverage, .2)) : NAN;
		one->today = 0;
		unsigned n = window_of(s, one->day, day, places);
		double level = level_of(one->day, places, n);
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

static double note_sightings(struct streams *s, const struct roster *r, const struct sighting *seen, size_t n)
{
	double v = 0;
	size_t kept = 0;

	for (size_t i = 0; i < s->recent_len; i++)
		if (s->recent[i].hour + PC_HOURS_MAX > r->hour)
			s->recent[kept++] = s->recent[i];
	s->recent_len = kept;
	for (size_t i = 0; i < n; i++) {
		struct reach *one = &s->reaches[seen[i].sensor];

		MEM_GROW(s->recent, s->recent_len, s->recent_cap);
		s->recent[s->recent_len] = seen[i];
		s->recent[s->recent_len++].hour = (uint32_t)r->hour;
		one->today += (float)seen[i].sources;
		one->last = (int32_t)r->hour;
		v += fmin(seen[i].sources, cap_of(one));
	}
	return v;
}

/* Every window moves on by an hour; what is left out stands there as nothing seen and nothing expected. */
static void move_windows(struct stream *x, int64_t hour, double seen, double expected)
{
	x->x[hour % STREAM_HOURS] = (float)seen;
	x->mu[hour % STREAM_HOURS] = (float)expected;
	for (unsigned w = 0; w < WINDOWS; w++) {
		int64_t gone = hour - window_hours[w];
		bool anew = hour % DAY_HOURS == 0;      /* so that roundings do not add up */

		if (!anew) {
			x->x_sum[w] += x->x[hour % STREAM_HOURS] - (gone < 0 ? 0 : (double)x->x[gone % STREAM_HOURS]);
			x->mu_sum[w] += x->mu[hour % STREAM_HOURS] - (gone < 0 ? 0 : (double)x->mu[gone % STREAM_HOURS]);
			continue;
		}
		x->x_sum[w] = x->mu_sum[w] = 0;
		for (int64_t h = gone < 0 ? 0 : gone + 1; h <= hour; h++) {
			x->x_sum[w] += x->x[h % STREAM_HOURS];
			x->mu_sum[w] += x->mu[h % STREAM_HOURS];
		}
	}
}

/* How much more than Poisson it spreads, by what it did three days ago: a surge of today does not excuse itself. */
static void learn_dispersion(struct stream *x, int64_t hour, bool counts)
{
	static const double a = .0020608116431656276; /* half in 336 hours */

	for (unsigned w = 0; w < WINDOWS; w++) {
		float *place = &x->e2[w][hour % DISPERSION_LAG];
		double m = fmax(x->mu_sum[w], .001), off = x->x_sum[w] - m;

		if (!isnan(*place))
			x->s[w] += a * (fmin(*place, 9 * x->s[w]) - x->s[w]);
		*place = counts && hour >= DISPERSION_FROM ? (float)(off * off / fmax(m, .3)) : NAN;
	}
}

static void stream_hour(struct stream *x, const struct roster *r, double scaled)
{
	unsigned h = (unsigned)(r->hour % DAY_HOURS);
	int64_t day = r->hour / DAY_HOURS;
	bool has_baseline = day >= BASELINE_DAYS && !isnan(x->level), counts = has_baseline && !r->masked;

	x->mu_now = has_baseline ? fmax(.0005, x->level / 24 * x->dow[day % 7] * x->hod[h]) : 0;

	x->today[h] = r->masked ? NAN : (float)scaled;
	move_windows(x, r->hour, counts ? scaled : 0, counts ? x->mu_now : 0);
	learn_dispersion(x, r->hour, counts);
}

void streams_hour(struct streams *s, const struct roster *r, const struct counted *c)
{
	struct stream *const all[] = { &s->u, &s->n, &s->v };
	int64_t day = r->hour / DAY_HOURS;
	double scale = r->up ? (double)r->enrolled / (double)r->up : 0;

	reach_all(s, r);
	if (r->closed_day)
		close_reaches(s, r, day);
	for (unsigned i = 0; r->closed_day && i < 3; i++) {
		close_day(all[i], day - 1);
		begin_day(s, all[i], day);
	}
	s->n_now = c->new_sources * scale;
	s->v_now = note_sightings(s, r, c->seen, c->n) * scale;
	s->packets[r->hour % DAY_HOURS] = (float)c->packets;
	s->top_packets[r->hour % DAY_HOURS] = (float)c->top_packets;
	float *gone = &s->unscaled[r->hour % WINDOW_HOURS_MAX];
	s->unscaled_sum += c->new_sources - (double)*gone;
	*gone = (float)c->new_sources;
	stream_hour(&s->u, r, c->sources * scale);
	stream_hour(&s->n, r, s->n_now);
	stream_hour(&s->v, r, s->v_now);
}
