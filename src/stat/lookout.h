/* lookout: one port watched hour by hour for surges: its streams, their score, and the surges found (METHODS.md 2). */
#ifndef TEITEN_LOOKOUT_H
#define TEITEN_LOOKOUT_H

#include "stat/lift.h"
#include "stat/tracker.h"

/* Fitted once on simulated years that judge nothing (METHODS.md 2.5): an alarm about once in a hundred port-years of noise, a watch once in
 * five. In the first 42 days nothing is called more than a watch. */
#define ALARM_R 14.8
#define WATCH_NV 8.35
#define SCORE_LEAST .5          /* below it a score is no news */
enum { COLD_HOURS = 42 * 24 };
/* New sources in a week without which a rise is of few sources (METHODS.md 2.2 has 3; ours): nothing about fewer is ever released (4.1), and at nine
 * sensors of 2013 empty ports were alarmed by four to six addresses of one owner. */
enum { BROAD_SOURCES = 10 };

/* Two trackers: what is worth a look, and what is broad for sure. */
struct lookout {
	struct streams streams;
	struct lift lift;
	struct past past;
	struct tracker watches, alarms;
	double watch_least, alarm_least;        /* of the score since the last one closed */
};

/* What an hour brought; r is no more than nv. */
struct seen_hour { double r, nv; enum tracked watch, alarm; };

void lookout_init(struct lookout *l, const struct roster *r);
void lookout_release(struct lookout *l);
/* What a port's lookout would be that had seen nothing so far as `from` has: a port begins as a copy of such a one. */
void lookout_copy(struct lookout *l, const struct lookout *from);
/* The roster's hour. least: below which nv how sensors agree is nobody's business, which is dear, and nv and r are given as no more than nv is without
 * them; WATCH_NV at most. */
void lookout_hour(struct lookout *l, const struct roster *r, const struct counted *c, double least, struct seen_hour *out);

/* The first half of an hour, what was counted, and whether the second half may raise an alarm: for who goes by a score of their own. */
void lookout_take(struct lookout *l, const struct roster *r, const struct counted *c);
bool lookout_may_alarm(const struct lookout *l, const struct roster *r);

/* What it seems to be (METHODS.md 2.4), by the hour at hand. */
enum surge_class { SURGE_BROAD, SURGE_PARTIAL, SURGE_SINGLE_SENSOR, SURGE_SINGLE_SOURCE, SURGE_FEW_SOURCES, SURGE_LEVEL_SHIFT, SURGE_LOCAL, SURGE_CLASSES };
enum surge_class lookout_class(const struct lookout *l, const struct roster *r);
const char *surge_class_name(enum surge_class c);

#endif
