/* origin: where invented sources come from: IPv4 addresses inside the ranges of the regions that a mix names. Pure. */
#ifndef TEITEN_ORIGIN_H
#define TEITEN_ORIGIN_H

#include "core/addr.h"

struct chance;
struct origins;
struct regions;
struct scenario;

/* regions NULL: addresses from anywhere in unicast space. A region that the table does not know has no sources. */
struct origins *origins_make(const struct scenario *s, const struct regions *regions);
void origins_free(struct origins *o);
struct addr origins_pick(const struct origins *o, unsigned mix, struct chance *c);

#endif
