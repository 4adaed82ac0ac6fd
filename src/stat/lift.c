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

/* The hours from newest down to oldest. */
static double add_back(const float *ring, int64_t newest, int64_t oldest)
{
	double sum = 0;

	for (int64_t h = newest; h >= oldest && h >= 0; h--)
		sum += (double)ring[h % STREAM_HOURS];
	return sum;
}

/* Over the day before the window. */
static double before(const float *ring, int64_t hour, unsigned w)
{
	int64_t newest = hour - window_hours[w];

	return add_back(ring, newest, newest - BEFORE_HOURS + 1);
}

/* The dispersion in force: what was learned, and where that is less than what ports have that change from day to day as most do, partly that:
 * few independent weeks were seen, the fewer the longer the window. */
static double dispersion(const struct spread *d, unsigned w, double m)
{
	double hours = window_hours[w], s = (double)d->s[w], typical = 1.3 + (.03 + .05 / hours) * m;

	return fmax(SPREAD_LEAST, 1.25 * (s < typical ? s + (hours + 24) / (hours + 174) * (typical - s) : s));
}

static void learn(struct spread *d, unsigned w, unsigned at, double share, bool counts, double x, double m)
{
	float *place = &d->e2[w][at];

	if (!isnan(*place))
		d->s[w] += (float)(share * (fmin((double)*place, 9 * (double)d->s[w]) - (double)d->s[w]));
	*place = counts ? (float)((x - m) * (x - m) / fmax(m, .3)) : NAN;
}

/* What windows let expect where mu is usual: as days usually are [0], and as the day before was, where x came and mu was usual [1]. */
static void expect(const float *x, const float *mu, double mu_sum, int64_t hour, unsigned w, double out[2])
{
	double usual = before(mu, hour, w), change = BEFORE_WEIGHT * (before(x, hour, w) - usual) / (usual + BEFORE_PRIOR);

	out[0] = fmax(mu_sum, .001);
	out[1] = fmax(mu_sum * (1 + change), .001);
}

void lift_hour(struct lift *l, const struct streams *s, const struct roster *r)
{
	unsigned place = (unsigned)(r->hour % STREAM_HOURS), at = (unsigned)(r->hour / LIFT_STEP % LIFT_LAG_STEPS);
	bool learns = r->hour % LIFT_STEP == 0, counts = s->v.mu[place] > 0 && r->hour >= DISPERSION_FROM;
	int64_t next = r->hour;
	double n = 0;

	l->fresh[place] = fminf(s->n.x[place], s->v.x[place]);
	l->learned += learns && !isnan(l->v[0].e2[0][at]);
	double share = fmax(FORGET, 1. / (PRIOR_STEPS + l->learned));
	l->nv = 0;
	for (unsigned w = 0; w < WINDOWS; w++) {
		double m_n[2], m_v[2], v = s->v.x_sum[w];
		int64_t oldest = r->hour - window_hours[w] + 1;

		n += add_back(l->fresh, next, oldest);  /* a window holds the shorter ones */
		next = oldest - 1;
		expect(l->fresh, s->n.mu, s->n.mu_sum[w], r->hour, w, m_n);
		expect(s->v.x, s->v.mu, s->v.mu_sum[w], r->hour, w, m_v);
		l->both[w] = 0;
		for (unsigned b = 0; b < 2; b++) {
			if (learns) {
				learn(&l->n[b], w, at, share, counts, n, m_n[b]);
				learn(&l->v[b], w, at, share, counts, v, m_v[b]);
			}
			if (n <= m_n[b] || v <= m_v[b])
				continue;
			double both = fmin(score_surprise(v, m_v[b], dispersion(&l->v[b], w, m_v[b])),
				N_WEIGHT * score_surprise(n, m_n[b], dispersion(&l->n[b], w, m_n[b])));
			l->both[w] = fmaxf(l->both[w], (float)both);
		}
		l->nv = fmax(l->nv, (double)l->both[w]);
	}
}

double lift_r(const struct lift *l, const double pc_w[PC_WINDOWS])
{
	double best = 0;

	for (unsigned w = 0; w < WINDOWS; w++) {
		double pc = 0;

		for (unsigned i = conjunctions[w].from; i < conjunctions[w].until; i++)
			pc = fmax(pc, pc_w[i]);
		best = fmax(best, fmin((double)l->both[w], PC_WEIGHT * pc * pc / 2));
	}
	return best;
}
