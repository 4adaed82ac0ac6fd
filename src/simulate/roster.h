/* roster: when each sensor of a scenario watches: from its joining to its leaving, without its outages. Pure. */
#ifndef TEITEN_ROSTER_H
#define TEITEN_ROSTER_H

#include "core/watch.h"

#include <stdint.h>

struct scenario;

/* Fills an empty watch for that sensor; the caller releases it. */
void roster_watch(const struct scenario *s, uint64_t seed, unsigned sensor, struct watch *w);

#endif
