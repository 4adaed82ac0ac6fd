/* days: the robust value of every port and day (METHODS.md 1.1), reckoned from an engine's cells and kept by it as rows.
 *
 * A day's value is a weighing of the sensors: value = sum of weight_i times packets_i. The weights are kept for the sensors that
 * saw the port that day, so that any part of its packets (a region's, a mark's) is weighed as the whole is, and the parts add up. */
#ifndef TEITEN_DAYS_H
#define TEITEN_DAYS_H

#include "store/engine.h"

/* A port's day. day: number of the local day. */
struct robust_day { struct key key; uint32_t day; double theta, se, value, plain; uint16_t looked, accepted; uint8_t flags; };
struct robust_weight { struct key key; uint32_t day; uint16_t sensor; double weight; };
/* kind and the rest as in stat/robust; sensor 0: about the port. */
struct robust_finding { struct key key; uint32_t day; uint8_t kind, up; uint16_t sensor; double packets, expected; uint16_t n, of; double level, other; };

/* What took the place of everything that was kept of these ports before day `until`. */
struct settled {
	const struct key *ports; size_t ports_len;
	uint32_t until;
	struct robust_day *days; size_t days_len, days_cap;
	struct robust_weight *weights; size_t weights_len, weights_cap;
	struct robust_finding *findings; size_t findings_len, findings_cap;
};

/* Reckons what came since for days that are over at `now`, those of an archive to its end: each port of which anything came is gone
 * through from its first day. *until: the day (its number) before which values are known now, or 0 where nothing has changed; for the
 * book, which questions may go on reading meanwhile. False: e; what was done stays done. */
bool days_settle(const struct engine_ops *ops, void *engine, const struct book *book, minute_t now, uint32_t *until, struct err *e);

#endif
