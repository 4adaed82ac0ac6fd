/* days: the robust value of every port and day (METHODS.md 1.1), reckoned from an engine's cells and kept by it as rows.
 *
 * A day's value is a weighing of the sensors: value = sum of weight_i times packets_i. The weights are kept for the sensors that
 * saw the port that day, so that any part of its packets (a region's, a mark's) is weighed as the whole is, and the parts add up.
 *
 * A week after it was first reckoned a day is final. What came since for later days is reckoned from the habits of the evening before
 * the first of them, on every port that was reached for since. */
#ifndef TEITEN_DAYS_H
#define TEITEN_DAYS_H

#include "base/bytes.h"
#include "store/engine.h"

enum { FINAL_AFTER_DAYS = 7 };

/* A port's day. day: number of the local day. revision: from 1; one more whenever the value changed. */
struct robust_day { struct key key; uint32_t day; double theta, se, value, plain; uint16_t looked, accepted; uint8_t flags; uint32_t revision; };
/* voice: of a sensor that watched part of the day only: what a whole day of it has in that by which the value was divided, which is 1 in all. */
struct robust_weight { struct key key; uint32_t day; uint16_t sensor; double weight, voice; };
/* kind and the rest as in stat/robust; sensor 0: about the port; key 0: about the sensor on all ports. */
struct robust_finding { struct key key; uint32_t day; uint8_t kind, up; uint16_t sensor; double packets, expected; uint16_t n, of; double level, other; };
/* Habits (store/habits) on the evening before `day`: bytes [at, at + len) of a buf beside. Of key 0: how quiet each sensor has been. */
struct robust_state { struct key key; uint32_t day; size_t at, len; };

/* What takes the place of everything that was kept of these ports from day `from` on. */
struct settled {
	const struct key *ports; size_t ports_len;      /* ascending */
	uint32_t from;
	struct robust_day *days; size_t days_len, days_cap;
	struct robust_weight *weights; size_t weights_len, weights_cap;
	struct robust_finding *findings; size_t findings_len, findings_cap;
	struct robust_state *states; size_t states_len, states_cap;
	struct buf bytes;
};

/* A port's day far above its level: its packets, and those of the source with the most. level, before: theta and L. */
struct rise { struct key key; uint32_t day; double level, before; uint64_t packets, top; };

/* Of days before some day that were touched since they were settled. */
struct pending { uint32_t first /* the earliest; UINT32_MAX: none */; bool open /* some are not final */; uint64_t late /* packets on those that are */; };

/* Reckons what came since for days that are over at `now`, those of an archive to its end. A store that was given an earlier day than any before
 * begins anew. *known: for the book, which questions may go on reading meanwhile. False: e; what was done stays done. */
bool days_settle(const struct engine_ops *ops, void *engine, const struct book *book, minute_t now, struct known_days *known, struct err *e);

#endif
