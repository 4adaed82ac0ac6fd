#include "stat/lift.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

enum { PRIOR_STEPS = 60 };
#define SPREAD_START 1.3f
#define SPREAD_LEAST 2.
#define FORGET .0034597         /* half in 1000 hours */
#define N_WEIGHT 1.5            /* N may be that much less surprising than V */
#define PC_WEIGHT 4.            /* and the sensors that much less */
#define V_HALF 2.               /* or V that much less than N and the sensors, */
#define CLEAR .8                /* which then count for so much themselves */
#define BEFORE_WEIGHT .8        /* how much of a day's deviation the next one keeps */
#define BEFORE_PRIOR 30         /* sources that speak for no deviation */
#define EXPECTED_LEAST .001
#define NEWS .5                 /* what is less counts as nothing */
#define QUIET 1.                /* a score below it does not rise in an hour without sources */

/* How much more than Poisson a sensor's sources vary, by window. */
static const double sensor_phi[WINDOWS] = { .35, .3, .25, .2, .15, .12, .1 };

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
		spread_init(&l->spread_n[i]);
		spread_init(&l->spread_v[i]);
	}
}

/* Every window moves on by an hour. Before the first hour there is nothing: the ring is empty there. */
static void move_windows(struct lift *l, int64_t hour, const float now[LIFT_SERIES])
{
	uint64_t at = (uint64_t)hour;
	float *place = l->hours[at % LIFT_HOURS];

	for (unsigned i = 0; i < LIFT_SERIES; i++)
		place[i] = now[i];
	for (unsigned w = 0; w < WINDOWS; w++) {
		const float *leaves = l->hours[(at - window_hours[w]) % LIFT_HOURS], *goes = l->hours[(at - window_hours[w] - DAY_HOURS) % LIFT_HOURS];

		for (unsigned i = 0; i < LIFT_SERIES; i++) {
			l->window[w][i] += (double)now[i] - (double)leaves[i];
			l->before[w][i] += (double)leaves[i] - (double)goes[i];
		}
	}
}

/* The dispersion in force: what was learned, and where that is less than what ports have that change from day to day as most do, partly that:
 * few independent weeks were seen, the fewer the longer the window. */
static double dispersion(const struct spread *d, unsigned w, double m)
{
	double hours = window_hours[w], s = (double)d->s[w], typical = 1.3 + (.03 + .05 / hours) * m, f = 1.25 * (s < typical ? s + (hours + 24) / (hours + 174) * (typical - s) : s);

	return f > SPREAD_LEAST ? f : SPREAD_LEAST;
}

/* What a window lets expect of N and V: as days usually are [0], and as the day before it was [1]. */
struct expected { double n[2], v[2]; };

static double after(double before, double usual, double window)
{
	return window * (1 + BEFORE_WEIGHT * (before - usual) / (usual + BEFORE_PRIOR));
}

static double floored(double m)
{
	return m > EXPECTED_LEAST ? m : EXPECTED_LEAST;
}

static struct expected expect(const struct lift *l, unsigned w)
{
	const double *now = l->window[w], *before = l->before[w];

	return (struct expected){
		.n = { floored(now[LIFT_MU_N]), floored(after(before[LIFT_N], before[LIFT_MU_N], now[LIFT_MU_N])) },
		.v = { floored(now[LIFT_MU_V]), floored(after(before[LIFT_V], before[LIFT_MU_V], now[LIFT_MU_V])) },
	};
}

static void learn_one(struct spread *d, unsigned w, unsigned at, double share, bool counts, double x, double m)
{
	float *place = &d->e2[w][at];

	if (!isnan(*place)) {
		double s = (double)d->s[w], then = (double)*place < 9 * s ? (double)*place : 9 * s;

		d->s[w] = (float)(s + share * (then - s));
	}
	*place = counts ? (float)((x - m) * (x - m) / (m > .3 ? m : .3)) : NAN;
}

static void learn(struct lift *l, int64_t hour, bool counts)
{
	unsigned at = (unsigned)(hour / LIFT_STEP % LIFT_LAG_STEPS);

	l->learned += isnan(l->spread_v[0].e2[0][at]) ? 0 : 1;
	double share = fmax(FORGET, 1. / (PRIOR_STEPS + l->learned));
	for (unsigned w = 0; w < WINDOWS; w++) {
		struct expected m = expect(l, w);

		for (unsigned b = 0; b < 2; b++) {
			learn_one(&l->spread_n[b], w, at, share, counts, l->window[w][LIFT_N], m.n[b]);
			learn_one(&l->spread_v[b], w, at, share, counts, l->window[w][LIFT_V], m.v[b]);
		}
	}
}

/* Whether it can reach NEWS, without a logarithm: x ln(x/m) - (x - m) is at most (x - m)^2 / m. */
static bool is_news(double x, double m)
{
	return x > m && (x - m) * (x - m) > NEWS * SPREAD_LEAST * m / V_HALF;
}

/* A window by one baseline, when so much is taken from V and N. */
struct surprise { double v, n; };

static struct surprise surprise(const struct lift *l, unsigned w, const struct expected *m, unsigned b, double less)
{
	double n = l->window[w][LIFT_N] - less, v = l->window[w][LIFT_V] - less;

	if (!is_news(n, m->n[b]) || !is_news(v, m->v[b]))
		return (struct surprise){ 0 };
	return (struct surprise){ .v = score_surprise(v, m->v[b], dispersion(&l->spread_v[b], w, m->v[b])),
		.n = score_surprise(n, m->n[b], dispersion(&l->spread_n[b], w, m->n[b])) };
}

/* Both N and V; or N and the sensors so much that V may be half of it: where sources touch many sensors each, V spreads widely. */
static struct lifted join(const struct surprise *s, double pc)
{
	double two = fmin(s->v, N_WEIGHT * s->n), three = fmin(V_HALF * s->v, CLEAR * fmin(s->n, pc));

	return (struct lifted){ .nv = fmax(two, three), .r = fmax(fmin(two, PC_WEIGHT * pc), three) };
}

static struct lifted lift_window(const struct lift *l, unsigned w, double less, double pc)
{
	struct expected m = expect(l, w);
	struct lifted best = { 0 };

	for (unsigned b = 0; b < 2; b++) {
		struct surprise s = surprise(l, w, &m, b, less);

		if (s.v > 0) {
			struct lifted one = join(&s, pc);
			best.nv = fmax(best.nv, one.nv);
			best.r = fmax(best.r, one.r);
		}
	}
	return best;
}

void lift_hour(struct lift *l, const struct streams *s, const struct roster *r, bool quiet)
{
	bool was_quiet = l->most < QUIET;
	float now[LIFT_SERIES] = { 0 };

	if (s->counts) {
		now[LIFT_N] = (float)(s->n.now < s->v.now ? s->n.now : s->v.now);
		now[LIFT_MU_N] = (float)s->n.mu_now;
		now[LIFT_V] = (float)s->v.now;
		now[LIFT_MU_V] = (float)s->v.mu_now;
	}
	move_windows(l, r->hour, now);
	if (r->hour % LIFT_STEP == 0)
		learn(l, r->hour, s->counts && r->hour >= DISPERSION_FROM);
	l->most = 0;
	for (unsigned w = 0; w < WINDOWS && !(quiet && was_quiet); w++)
		l->most = fmax(l->most, lift_window(l, w, 0, INFINITY).nv);
}

/* What sensors counted in each window: x is all of it, capped what entered V. */
struct gathered { double *x, *capped; };

static void gather(const struct streams *s, const struct roster *r, struct gathered *g)
{
	for (size_t k = 0; k < s->recent_len; k++) {
		const struct sighting *one = &s->recent[k];
		unsigned age = sighting_age(one, r), w = 0;

		while (w < WINDOWS && age >= window_hours[w])
			w++;
		if (w < WINDOWS) {
			g->x[w * r->len + one->sensor] += one->sources;
			g->capped[w * r->len + one->sensor] += one->capped;
		}
	}
	for (size_t i = r->len; i < WINDOWS * r->len; i++) {    /* a window holds the shorter ones */
		g->x[i] += g->x[i - r->len];
		g->capped[i] += g->capped[i - r->len];
	}
}

/* By how much the sensor that is furthest above its habit stands before the second one; with two sensors or fewer nothing is said of it. */
static double ahead(const struct streams *s, const struct roster *r, unsigned w, const double *capped)
{
	double first = 0, second = 0;

	if (r->enrolled <= 2)
		return 0;
	for (size_t i = 0; i < r->len; i++) {
		double b = (double)s->reaches[i].level / 24, excess = capped[i] - (isnan(b) ? 0 : b * r->posts[i].watched[w]);

		if (!r->posts[i].enrolled || excess <= second)
			continue;
		second = fmin(excess, first);
		first = fmax(excess, first);
	}
	return r->up ? (first - second) * (double)r->enrolled / (double)r->up : 0;
}

struct lifted lift_now(const struct lift *l, const struct streams *s, const struct roster *r)
{
	double *room = mem_zero((2 * WINDOWS + 2) * r->len, sizeof *room), *z = room + 2 * WINDOWS * r->len, *spare = z + r->len;
	struct gathered g = { room, room + WINDOWS * r->len };
	struct lifted best = { 0 };

	gather(s, r, &g);
	for (unsigned w = 0; w < WINDOWS; w++) {
		double less = ahead(s, r, w, g.capped + w * r->len);

		if (lift_window(l, w, less, INFINITY).nv <= best.r)
			continue;
		score_sensors(s, r, w, sensor_phi[w], g.x + w * r->len, z);
		double pc = fmax(0, score_conjunction(r, z, spare));
		struct lifted one = lift_window(l, w, less, pc * pc / 2);
		if (one.nv > best.nv)
			best.window = w;
		best.nv = fmax(best.nv, one.nv);
		best.r = fmax(best.r, one.r);
	}
	free(room);
	return best;
}

void lift_sensors(const struct streams *s, const struct roster *r, double *z)
{
	double *room = mem_zero(2 * WINDOWS * r->len, sizeof *room);
	struct gathered g = { room, room + WINDOWS * r->len };

	gather(s, r, &g);
	for (unsigned w = 0; w < WINDOWS; w++)
		score_sensors(s, r, w, sensor_phi[w], g.x + w * r->len, z + w * r->len);
	free(room);
}

double lift_all_sources(const struct lift *l, const struct streams *s, const struct roster *r)
{
	double best = 0, x = 0, share = s->all_level / s->v.level;
	unsigned h = 0;

	for (unsigned w = 0; w < WINDOWS && !isnan(share); w++) {
		for (; h < window_hours[w] && h <= r->hour; h++)
			x += (double)s->all[(r->hour - h) % WINDOW_HOURS_MAX];
		double m = fmax(l->window[w][LIFT_MU_V] * share, EXPECTED_LEAST);
		best = fmax(best, score_surprise(x, m, dispersion(&l->spread_v[0], w, m)));
	}
	return best;
}

double lift_new_sources(const struct lift *l, const struct roster *r)
{
	double best = 0;

	for (unsigned w = 0; w < WINDOWS; w++) {
		double m = floored(l->window[w][LIFT_MU_N]);

		best = fmax(best, score_surprise(l->window[w][LIFT_N], m, r->hour < DISPERSION_FROM ? 1 : dispersion(&l->spread_n[0], w, m)));
	}
	return best;
}
