/* lift: how far a port's last hours stand above what is usual there, and above what they could be after the day before them: the score that watches
 * and alarms go by. It stands on METHODS.md 2.2 and departs from it, all of it ours, each chosen on simulated years that judge nothing:
 *
 * - Two baselines. N and V of a window are held against what days usually are, and against that times how the day before the window was; the one that
 *   surprises more counts. Most surges end a calm day; most noise goes on for days.
 * - Dispersion is learned more slowly (half in 1000 hours, every fifth hour) and what was learned is drawn up towards what is typical at that level,
 *   the more the longer the window, and is at least SPREAD_LEAST: six weeks hold few independent weeks.
 * - New sources of an hour are no more than V: many at one sensor are one sensor's.
 * - No sensor counts for more than the second: what the sensor with the largest excess in a window has above the second largest excess is taken from
 *   both N and V (not with two sensors or fewer). A flood at one sensor in the week in which one source sweeps all of them gave N by the one and V and
 *   the sensors by the other.
 * - N, V and the sensors stand on the same hours: the conjunction is taken in each of the seven windows, and R is the best window of the least of the
 *   three, where N and the conjunction, which stand on fewer counts, are weighed up.
 * - Where N and the conjunction are surprising without being weighed up, V may be half as much: on a port whose sources touch many sensors each, V
 *   spreads so widely that it says little (5900/tcp of 24 May 2013 at nine sensors: four times as many sources, and V within its habits).
 * - A port's quiet hour after a quiet hour is not scored. */
#ifndef TEITEN_LIFT_H
#define TEITEN_LIFT_H

#include "stat/score.h"

/* Dispersion is learned in every fifth hour, from what was 75 hours before. Sums go back a day before the longest window; a power of two. */
enum { LIFT_STEP = 5, LIFT_LAG_STEPS = 15, LIFT_HOURS = 256 };

/* What goes by hours: N (no more than V) and V, and what was to be expected of both. */
enum lift_series { LIFT_N, LIFT_MU_N, LIFT_V, LIFT_MU_V, LIFT_SERIES };

/* How much wider than Poisson sums are about a baseline, by window. */
struct spread { float s[WINDOWS], e2[WINDOWS][LIFT_LAG_STEPS] /* NAN: does not count */; };

struct lift {
	float hours[LIFT_HOURS][LIFT_SERIES];                           /* ring; 0 where the hour leaves every window */
	double window[WINDOWS][LIFT_SERIES], before[WINDOWS][LIFT_SERIES];      /* sums over each window, and over the day before it */
	struct spread spread_n[2], spread_v[2]; /* about what is usual, and about what the day before lets expect */
	unsigned learned;               /* how many steps dispersion knows */
	double most;                    /* of this hour: nv is no more */
};

/* Of this hour: the best window in which N and V are surprising, and in which the sensors are, too. */
struct lifted { double nv, r; unsigned window; /* of nv */ };

void lift_init(struct lift *l);
/* After the streams' hour. quiet: nobody counted anything in it. */
void lift_hour(struct lift *l, const struct streams *s, const struct roster *r, bool quiet);
/* How far this hour lifts it. Dear: goes through the sensors. */
struct lifted lift_now(const struct lift *l, const struct streams *s, const struct roster *r);
/* How surprised each sensor is by each window: z takes WINDOWS times roster->len. */
void lift_sensors(const struct streams *s, const struct roster *r, double *z);
/* How surprising all distinct sources are in the best window, spread like V: who comes back makes them rise and N not; and new ones alone. */
double lift_all_sources(const struct lift *l, const struct streams *s, const struct roster *r);
double lift_new_sources(const struct lift *l, const struct roster *r);

#endif
