/* lift: how far a port's last hours stand above what is usual there, and above what they could be after the day before them: the score that
 * watches and alarms go by (METHODS.md 2.2). Stands on the streams; the sensors' conjunction comes from the score. */
#ifndef TEITEN_LIFT_H
#define TEITEN_LIFT_H

#include "stat/score.h"

/* Dispersion is learned in every fifth hour, from what was 75 hours before. */
enum { LIFT_STEP = 5, LIFT_LAG_STEPS = 15 };

/* How much wider than Poisson sums are about a baseline, by window. */
struct spread { float s[WINDOWS], e2[WINDOWS][LIFT_LAG_STEPS] /* NAN: does not count */; };

struct lift {
	float fresh[STREAM_HOURS];      /* ring by hour: new sources, no more of them than V */
	struct spread n[2], v[2];       /* about what is usual, and about what the day before lets expect */
	unsigned learned;               /* how many steps dispersion knows */
	float both[WINDOWS];            /* of this hour: in N as well as in V, by the baseline about which it is more */
	double nv;                      /* the greatest of them */
};

void lift_init(struct lift *l);
/* After the streams' hour. */
void lift_hour(struct lift *l, const struct streams *s, const struct roster *r);
/* The best window in which N, V and the sensors' conjunction in windows of its length are surprising; 0 where there is no conjunction. */
double lift_r(const struct lift *l, const double pc_w[PC_WINDOWS]);

#endif
