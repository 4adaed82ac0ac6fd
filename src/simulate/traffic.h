/* traffic: the batches that a scenario's sensors would have sent, a day at a time. The same scenario, seed and table of
 * regions give the same bytes, whatever the order in which days are asked for. */
#ifndef TEITEN_TRAFFIC_H
#define TEITEN_TRAFFIC_H

#include "core/batch.h"

#include <stddef.h>
#include <stdint.h>

struct regions;
struct scenario;
struct traffic;

/* Borrows both while it is open; regions may be NULL: then sources come from anywhere. */
struct traffic *traffic_open(const struct scenario *s, uint64_t seed, const struct regions *regions);
void traffic_close(struct traffic *t);
uint64_t traffic_epoch(const struct traffic *t);                /* names scenario and seed */
unsigned traffic_days(const struct traffic *t);
uint64_t traffic_batches(const struct traffic *t);              /* of all days */
/* Fills at most as many batches as there are sensors, one for each that watched on that day, and returns how many; the
 * caller releases them. Their serial is the day's number, from 0. */
size_t traffic_day(const struct traffic *t, unsigned day, struct batch *out);

#endif
