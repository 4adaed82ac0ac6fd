#include "stat/onset.h"

#include <math.h>

#define RAMP_AHEAD .95          /* a rise that grows is taken unless the constant one fits better by so much */
#define NOISE_LEAST .05

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

int64_t onset_fit(const struct past *p, int64_t hour)
{
	int64_t from = hour - ONSET_HOURS + 1 < 0 ? 0 : hour - ONSET_HOURS + 1;
	struct search s = { .least = INFINITY, .onset = -1 };
	struct shape step = { 0 }, ramp = { 0 };
	double mean = 0, weights = 0, heights = 0;

	for (int64_t h = from; h <= hour; h++)
		mean += (double)p->mu[h % ONSET_HOURS] / (double)(hour - from + 1);
	for (unsigned pass = 0; pass < 2; pass++)       /* all hours first, then backwards from each onset */
		for (int64_t h = hour; h >= from; h--) {
			double v = (double)p->v[h % ONSET_HOURS], m = (double)p->mu[h % ONSET_HOURS], w = isnan(v) ? 0 : 1 / fmax(m, mean + NOISE_LEAST);

			v = isnan(v) ? 0 : v;
			if (pass == 0) {
				s.mm += w * m * m;
				s.mv += w * m * v;
				s.vv += w * v * v;
				continue;
			}
			/* the hours after this one are one hour further into the ramp */
			ramp.hh += 2 * heights + weights + w;
			ramp.mh += step.mh + w * m;
			ramp.vh += step.vh + w * v;
			heights += weights + w;
			weights += w;
			step = (struct shape){ weights, step.mh + w * m, step.vh + w * v };
			consider(&s, &step, h, 1);
			consider(&s, &ramp, h, RAMP_AHEAD);
		}
	return s.onset;
}
