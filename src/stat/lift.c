#include "stat/lift.h"

#include <math.h>

enum { BEFORE_HOURS = 24, PRIOR_STEPS = 60 };
#define SPREAD_START 1.3f
#define SPREAD_LEAST 1.5
#define FORGET .0034597         /* half in 1000 hours */
#define N_WEIGHT 1.5            /* N may be that much less surprising than V */
#define PC_WEIGHT 1.5           /* and so may the sensors */
#define BEFORE_WEIGHT .8        /* how much of a day's deviation the next one keeps */
#define BEFORE_PRIOR 30         /* sources that speak for no deviation */

/* Which windows of the conjunction speak for a window of the streams: of about its length. */
static const struct { unsigned from, until; } conjunctions[WINDOWS] = { { 0, 1 }, { 0, 1 }, { 0, 1 }, { 0, 2 }, { 0, 2 }, { 1, 3 }, { 1, 3 } };

/* Sums over every window, and over the day before it. */
struct sums { double window[WINDOWS], before[WINDOWS]; };

static void spread_init(struct spread *d)
{
	for (unsigned w = 0; w < WINDOWS; w++) {
		d->s[w] = SPREAD_START;
		for (unsigned i = 0; i < LIFT_LAG_STEPS; i++)
			d->e2[w][i] = NAN;
	}
}

void lift_init(struct lift *l)
{
	*l = (struct lift){ 0 };
	for (unsigned i = 0; i < 2; i++) {
		spread_init(&l->n[i]);
		spread_init(&l->v[i]);
	}
}

static double add_back(const float *ring, int64_t newest, int64_t oldest)
{
	double sum = 0;

	for (int64_t h = newest; h >= oldest && h >= 0; h--)
		sum += (double)ring[h % STREAM_HOURS];
	return sum;
}

static void sum_up(const float *ring, int64_t hour, struct sums *out)
{
	double sum = 0;
	int64_t next = hour;

	for (unsigned w = 0; w < WINDOWS; w++) {
		int64_t from = hour - window_hours[w] + 1;

		sum += add_back(ring, next, from);
		next = from - 1;
		out->window[w] = sum;
		out->before[w] = add_back(ring, next, next - BEFORE_HOURS + 1);
	}
}

/* The dispersion in force: what was learned, and where that is less than what ports have that change from day to day as most do, partly that:
 * few independent weeks were seen, the fewer the longer the window. */
static double dispersion(const struct spread *d, unsigned w, double m)
{
	double hours = window_hours[w], s = (double)d->s[w], typical = 1.3 + (.03 + .05 / hours) * m;

	return fmax(SPREAD_LEAST, 1.25 * (s < typical ? s + (hours + 24) / (hours + 174) * (typical - s) : s));
}

static double surprise(double x, double m, double f)
{
	return x > m ? (x * log(x / m) - (x - m)) / f : 0;
}

static void learn(struct spread *d, unsigned w, unsigned at, double share, bool counts, double x, double m)
{
	float *place = &d->e2[w][at];

	if (!isnan(*place))
		d->s[w] += (float)(share * (fmin((double)*place, 9 * (double)d->s[w]) - (double)d->s[w]));
	*place = counts ? (float)((x - m) * (x - m) / fmax(m, .3)) : NAN;
}

/* What a window lets expect, if days were as usual (0) or as the day before it (1). */
static double expected(const struct sums *x, const struct sums *mu, unsigned w, unsigned baseline)
{
	double change = BEFORE_WEIGHT * (x->before[w] - mu->before[w]) / (mu->before[w] + BEFORE_PRIOR);

	return fmax(mu->window[w] * (baseline ? 1 + change : 1), .001);
}

void lift_hour(struct lift *l, const struct streams *s, const struct roster *r)
{
	unsigned place = (unsigned)(r->hour % STREAM_HOURS), at = (unsigned)(r->hour / LIFT_STEP % LIFT_LAG_STEPS);
	bool learns = r->hour % LIFT_STEP == 0, counts = s->v.mu[place] > 0 && r->hour >= DISPERSION_FROM;
	struct sums xn, mn, xv, mv;

	l->fresh[place] = fminf(s->n.x[place], s->v.x[place]);
	sum_up(l->fresh, r->hour, &xn);
	sum_up(s->n.mu, r->hour, &mn);
	sum_up(s->v.x, r->hour, &xv);
	sum_up(s->v.mu, r->hour, &mv);
	l->learned += learns && !isnan(l->v[0].e2[0][at]);
	double share = fmax(FORGET, 1. / (PRIOR_STEPS + l->learned));
	l->nv = 0;
	for (unsigned w = 0; w < WINDOWS; w++) {
		l->both[w] = 0;
		for (unsigned b = 0; b < 2; b++) {
			double m_n = expected(&xn, &mn, w, b), m_v = expected(&xv, &mv, w, b), n = xn.window[w], v = xv.window[w];

			if (learns) {
				learn(&l->n[b], w, at, share, counts, n, m_n);
				learn(&l->v[b], w, at, share, counts, v, m_v);
			}
			if (n <= m_n || v <= m_v)
				continue;
			double both = fmin(surprise(v, m_v, dispersion(&l->v[b], w, m_v)), N_WEIGHT * surprise(n, m_n, dispersion(&l->n[b], w, m_n)));
			l->both[w] = fmaxf(l->both[w], (float)both);
		}
		l->nv = fmax(l->nv, (double)l->both[w]);
	}
}

double lift_r(const struct lift *l, const struct score *whole)
{
	double best = 0;

	for (unsigned w = 0; w < WINDOWS; w++) {
		double pc = 0;

		for (unsigned i = conjunctions[w].from; i < conjunctions[w].until; i++)
			pc = fmax(pc, whole->pc_w[i]);
		best = fmax(best, fmin((double)l->both[w], PC_WEIGHT * pc * pc / 2));
	}
	return best;
}
