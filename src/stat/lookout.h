/* lookout: one port watched hour by hour for surges: its streams, their score, and the surges found (METHODS.md 2). */
#ifndef TEITEN_LOOKOUT_H
#define TEITEN_LOOKOUT_H

#include "stat/score.h"
#include "stat/tracker.h"

/* Fitted once on simulated years that judge nothing (METHODS.md 2.5): an alarm about once in a hundred port-years of noise, a watch once in
 * five. In the first 42 days nothing is called more than a watch. */
#define ALARM_R 15.4
#define WATCH_NV 9.5
#define SCORE_LEAST .5          /* below it a score is no news */
enum { COLD_HOURS = 42 * 24 };

struct lookout { struct streams streams; struct tracker tracker; };

void lookout_init(struct lookout *l, const struct roster *r);
void lookout_release(struct lookout *l);
/* The roster's hour. alarm_r: the threshold, ALARM_R but where something is fitted or compared. */
enum tracked lookout_hour(struct lookout *l, const struct roster *r, const struct sighting *seen, size_t n, double new_sources, double alarm_r,
	struct score *score);

#endif
