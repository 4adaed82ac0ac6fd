#include "stat/score.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

static const double pc_phi[PC_WINDOWS] = { .25, .15, .12 };
#define GATE_SOURCES 3
#define P_LEAST 1e-12

double score_dispersion(const struct stream *x, unsigned window, int64_t hour)
{
	return hour < DISPERSION_FROM ? 1 : fmax(1, 1.25 * x->s[window]);
}

double score_surprise(double x, double m, double f)
{
	return x > m ? (x * log(x / m) - (x - m)) / f : 0;
}

static double llr(const struct stream *x, unsigned window, int64_t hour)
{
	return score_surprise(x->x_sum[window], fmax(x->mu_sum[window], .001), score_dispersion(x, window, hour));
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

/* Each sensor's z in each window; x are its sources there. */
static void sensors_z(const struct streams *s, const struct roster *r, double *z)
{
	double *x = z;

	for (size_t i = 0; i < PC_WINDOWS * r->len; i++)
		x[i] = 0;
	for (size_t k = 0; k < s->recent_len; k++)
		for (unsigned w = 0; w < PC_WINDOWS; w++)
			if (s->recent[k].hour + pc_hours[w] > r->hour)
				x[w * r->len + s->recent[k].sensor] += s->recent[k].sources;
	for (unsigned w = 0; w < PC_WINDOWS; w++)
		for (size_t i = 0; i < r->len; i++) {
			double hours = r->posts[i].watched[w], b = s->reaches[i].level / 24;
			bool tells = r->posts[i].up && hours > 0 && !isnan(b);

			z[w * r->len + i] = tells ? negative_binomial_z(x[w * r->len + i], (b + .02 / 24) * hours, pc_phi[w]) : 0;
		}
}

/* Would it still be surprising without the most surprised quarter of the sensors (partial conjunction: Benjamini and Heller 2008)? */
static double conjunction(const struct roster *r, const double *z, double *spare)
{
	size_t n = 0, from;
	double sum = 0;

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

void score_conjunctions(const struct streams *s, const struct roster *r, double *z, double pc_w[PC_WINDOWS])
{
	double *own = z ? NULL : mem_resize(NULL, PC_WINDOWS * r->len, sizeof *own), *spare = mem_resize(NULL, r->len, sizeof *spare);

	z = z ? z : own;
	sensors_z(s, r, z);
	for (unsigned w = 0; w < PC_WINDOWS; w++)
		pc_w[w] = r->enrolled > 2 ? conjunction(r, z + w * r->len, spare) : 0;
	free(own);
	free(spare);
}

void score_hour(const struct streams *s, const struct roster *r, double *z, struct score *out)
{
	double best = 0;

	*out = (struct score){ 0 };
	for (unsigned w = 0; w < WINDOWS; w++) {
		out->llr_n[w] = llr(&s->n, w, r->hour);
		out->llr_v[w] = llr(&s->v, w, r->hour);
		double both = fmin(out->llr_n[w], out->llr_v[w]);

		if (both > out->nv) {
			out->nv = both;
			out->window = w;
		}
	}
	score_conjunctions(s, r, z, out->pc_w);
	for (unsigned w = 0; w < PC_WINDOWS; w++)
		best = fmax(best, out->pc_w[w]);
	out->pc = best * best / 2;
	out->r = fmin(out->nv, out->pc);
}

double score_all_sources(const struct streams *s, const struct roster *r)
{
	double best = 0;

	for (unsigned w = 0; w < WINDOWS; w++)
		best = fmax(best, llr(&s->u, w, r->hour));
	return best;
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
