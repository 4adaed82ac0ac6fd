#include "stat/onset.h"

#include <math.h>

#define RAMP_AHEAD .95          /* a rise that grows is taken unless the constant one fits better by so much */
#define NOISE_LEAST .05
enum { BEFORE_HOURS = 48 };      /* of the time before, at least, something must be in sight */

/* Weighted sums over the hours of a shape h: its square, with what was expected m, and with V. */
struct shape { double hh, mh, vh; };

/* Those over all hours, and the best so far. */
struct search { double mm, mv, vv, least; int64_t onset; };

/* V = a m + b h with the least squares, if both are more than nothing. */
static void consider(struct search *s, const struct shape *h, int64_t hour, double ahead)
{
	double det = s->mm * h->hh - h->mh * h->mh, a = s->mv * h->hh - h->mh * h->vh, b = s->mm * h->vh - h->mh * s->mv;

	if (det <= 0 || a < 0 || b < 0)
		return;
	double residue = ahead * (s->vv - (a * s->mv + b * h->vh) / det);
	if (residue <= s->least) {
		s->least = residue;
		s->onset = hour;
	}
}

/* An hour of the past with its weight: the less the more V varies there; masked ones have none. */
struct point { double v, m, w; };

static struct point point_at(const struct past *p, int64_t hour, double mean)
{
	double v = (double)p->v[hour % ONSET_HOURS], m = (double)p->mu[hour % ONSET_HOURS];

	return isnan(v) ? (struct point){ 0 } : (struct point){ v, m, 1 / fmax(m, mean + NOISE_LEAST) };
}

static double mean_expected(const struct past *p, int64_t from, int64_t hour)
{
	double sum = 0;

	for (int64_t h = from; h <= hour; h++)
		sum += (double)p->mu[h % ONSET_HOURS];
	return sum / (double)(hour - from + 1);
}

int64_t onset_fit(const struct past *p, int64_t hour)
{
	int64_t from = hour - ONSET_HOURS + 1 < 0 ? 0 : hour - ONSET_HOURS + 1;
	struct search s = { .least = INFINITY, .onset = -1 };
	struct shape step = { 0 }, ramp = { 0 };
	double mean = mean_expected(p, from, hour), weights = 0, heights = 0;

	for (int64_t h = from; h <= hour; h++) {
		struct point x = point_at(p, h, mean);

		s.mm += x.w * x.m * x.m;
		s.mv += x.w * x.m * x.v;
		s.vv += x.w * x.v * x.v;
	}
	for (int64_t h = hour; h >= from + BEFORE_HOURS; h--) {
		struct point x = point_at(p, h, mean);

		/* the hours after this one are one hour further into the ramp */
		ramp.hh += 2 * heights + weights + x.w;
		ramp.mh += step.mh + x.w * x.m;
		ramp.vh += step.vh + x.w * x.v;
		heights += weights + x.w;
		weights += x.w;
		step = (struct shape){ weights, step.mh + x.w * x.m, step.vh + x.w * x.v };
		consider(&s, &step, h, 1);
		consider(&s, &ramp, h, RAMP_AHEAD);
	}
	return s.onset;
}
