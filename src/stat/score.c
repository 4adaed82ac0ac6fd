#include "stat/score.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

const unsigned pc_windows[PC_WINDOWS] = { 2, 4, 5 };
static const double pc_phi[PC_WINDOWS] = { .25, .15, .12 };
#define DISPERSION_START 1.3
#define GATE_SOURCES 3
#define P_LEAST 1e-12

double score_dispersion(const struct score_past *x, unsigned window, int64_t hour)
{
	return hour < DISPERSION_FROM ? 1 : fmax(1, 1.25 * x->s[window]);
}

double score_surprise(double x, double m, double f)
{
	return x > m ? (x * log(x / m) - (x - m)) / f : 0;
}

static double llr(const struct score_past *x, unsigned window, int64_t hour)
{
	return score_surprise(x->x_sum[window], fmax(x->mu_sum[window], .001), score_dispersion(x, window, hour));
}

static void past_init(struct score_past *x)
{
	for (unsigned w = 0; w < WINDOWS; w++) {
		x->s[w] = DISPERSION_START;
		for (unsigned i = 0; i < DISPERSION_LAG; i++)
			x->e2[w][i] = NAN;
	}
}

void score_init(struct score *s)
{
	*s = (struct score){ 0 };
	past_init(&s->n);
	past_init(&s->v);
}

/* Every window moves on by an hour; what is left out stands there as nothing seen and nothing expected. */
static void move_windows(struct score_past *x, int64_t hour, double seen, double expected)
{
	for (unsigned w = 0; w < WINDOWS; w++) {
		int64_t gone = hour - window_hours[w];

		x->x_sum[w] += (double)(float)seen - (gone < 0 ? 0 : (double)x->x[gone % WINDOW_HOURS_MAX]);
		x->mu_sum[w] += (double)(float)expected - (gone < 0 ? 0 : (double)x->mu[gone % WINDOW_HOURS_MAX]);
	}
	x->x[hour % WINDOW_HOURS_MAX] = (float)seen;
	x->mu[hour % WINDOW_HOURS_MAX] = (float)expected;
}

/* How much more than Poisson it spreads, by what it did three days ago: a surge of today does not excuse itself. */
static void learn_dispersion(struct score_past *x, int64_t hour, bool counts)
{
	static const double a = .0020608116431656276; /* half in 336 hours */

	for (unsigned w = 0; w < WINDOWS; w++) {
		float *place = &x->e2[w][hour % DISPERSION_LAG];
		double m = fmax(x->mu_sum[w], .001), off = x->x_sum[w] - m;

		if (!isnan(*place))
			x->s[w] += a * (fmin((double)*place, 9 * x->s[w]) - x->s[w]);
		*place = counts && hour >= DISPERSION_FROM ? (float)(off * off / fmax(m, .3)) : NAN;
	}
}

static void past_hour(struct score_past *x, const struct stream *s, bool counts, int64_t hour)
{
	move_windows(x, hour, counts ? s->now : 0, counts ? s->mu_now : 0);
	learn_dispersion(x, hour, counts);
}

/* The regularised incomplete beta function by its continued fraction (DLMF 8.17.22), after Lentz. */
static double beta_fraction(double x, double a, double b)
{
	static const double tiny = 1e-300;
	double c = 1, d = 1 / (1 - (a + b) * x / (a + 1)), f = d;

	for (unsigned m = 1; m < 100000; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));

		d = 1 / fmax(1 + even * d, tiny);
		c = fmax(1 + even / c, tiny);
		f *= c * d;
		d = 1 / fmax(1 + odd * d, tiny);
		c = fmax(1 + odd / c, tiny);
		f *= c * d;
		if (fabs(c * d - 1) < 1e-14)
			break;
	}
	return f;
}

static double beta_share(double x, double a, double b)
{
	if (x <= 0 || x >= 1)
		return x <= 0 ? 0 : 1;
	double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));

	return x < (a + 1) / (a + b + 2) ? front * beta_fraction(x, a, b) / a : 1 - front * beta_fraction(1 - x, b, a) / b;
}

/* Where the upper tail of the standard normal is q: a start (Abramowitz and Stegun 26.2.23), then Newton's steps with the second
 * derivative (Halley). */
static double normal_upper(double q)
{
	double p = q < .5 ? q : 1 - q, t = sqrt(-2 * log(p));
	double z = t - (2.515517 + .802853 * t + .010328 * t * t) / (1 + 1.432788 * t + .189269 * t * t + .001308 * t * t * t);

	for (unsigned i = 0; i < 3; i++) {
		double off = (erfc(z * M_SQRT1_2) / 2 - p) * sqrt(2 * M_PI) * exp(z * z / 2);

		z += off / (1 + z * off / 2);
	}
	return q < .5 ? z : -z;
}

double negative_binomial_z(double x, double m, double phi)
{
	double n = 1 / phi, q = m / (n + m);
	double at = exp(lgamma(x + n) - lgamma(n) - lgamma(x + 1) + x * log(q) + n * log1p(-q));
	double p = (x > 0 ? beta_share(q, x, n) : 1) - at / 2;

	return normal_upper(fmin(fmax(p, P_LEAST), 1 - P_LEAST));
}

static int descending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x > y ? -1 : x < y;
}

void score_sensors(const struct streams *s, const struct roster *r, unsigned window, double phi, const double *x, double *z)
{
	for (size_t i = 0; i < r->len; i++) {
		double hours = r->posts[i].watched[window], b = (double)s->reaches[i].level / 24;
		bool tells = r->posts[i].up && hours > 0 && !isnan(b);

		z[i] = tells ? negative_binomial_z(x[i], (b + .02 / 24) * hours, phi) : 0;
	}
}

double score_conjunction(const struct roster *r, const double *z, double *spare)
{
	size_t n = 0, from;
	double sum = 0;

	if (r->enrolled <= 2)
		return 0;
	for (size_t i = 0; i < r->len; i++)
		if (r->posts[i].enrolled)
			spare[n++] = z[i];
	qsort(spare, n, sizeof *spare, descending);
	from = n / 4 > 2 ? n / 4 : 2;
	from = from < n - 1 ? from : n - 1;
	for (size_t i = from - 1; i < n; i++)
		sum += spare[i];
	return sum / sqrt((double)(n - from + 1));
}

static void conjunctions(struct score *s, const struct streams *streams, const struct roster *r, double *z)
{
	double *room = mem_resize(NULL, 2 * r->len, sizeof *room), *x = room, *spare = room + r->len;

	for (unsigned w = 0; w < PC_WINDOWS; w++) {
		for (size_t i = 0; i < r->len; i++)
			x[i] = 0;
		for (size_t k = 0; k < streams->recent_len; k++)
			if (sighting_age(&streams->recent[k], r) < window_hours[pc_windows[w]])
				x[streams->recent[k].sensor] += streams->recent[k].sources;
		score_sensors(streams, r, pc_windows[w], pc_phi[w], x, z + w * r->len);
		s->pc_w[w] = score_conjunction(r, z + w * r->len, spare);
	}
	free(room);
}

void score_hour(struct score *s, const struct streams *streams, const struct roster *r, double *z)
{
	double best = 0;

	past_hour(&s->n, &streams->n, streams->counts, r->hour);
	past_hour(&s->v, &streams->v, streams->counts, r->hour);
	s->nv = 0;
	for (unsigned w = 0; w < WINDOWS; w++) {
		s->llr_n[w] = llr(&s->n, w, r->hour);
		s->llr_v[w] = llr(&s->v, w, r->hour);
		s->nv = fmax(s->nv, fmin(s->llr_n[w], s->llr_v[w]));
	}
	conjunctions(s, streams, r, z);
	for (unsigned w = 0; w < PC_WINDOWS; w++)
		best = fmax(best, s->pc_w[w]);
	s->pc = best * best / 2;
	s->r = fmin(s->nv, s->pc);
}

bool score_gate(const struct streams *s, const struct roster *r)
{
	const struct post *first = NULL;

	if (s->unscaled_sum < GATE_SOURCES)
		return false;
	for (size_t i = 0; i < s->len; i++) {
		const struct post *p = &r->posts[i];

		if (s->reaches[i].last < 0 || s->reaches[i].last + WINDOW_HOURS_MAX <= r->hour)
			continue;
		if (first && (p->group == 0 || p->group != first->group))
			return true;
		first = first ? first : p;
	}
	return false;
}
