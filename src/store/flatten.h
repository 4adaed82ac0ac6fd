/* flatten: ranges that overlap → ascending ranges that do not. Pure.
 *
 * A range tells a region ("ZZ" tells none), an AS number (0 tells none), or both. For each address and each of the two
 * the narrowest range that tells it wins, so a table of regions and a table of AS numbers lie over each other without
 * harm. Neighbours that say the same become one; what nobody tells is left out. */
#ifndef TEITEN_FLATTEN_H
#define TEITEN_FLATTEN_H

#include "store/regions.h"

/* Whether both ends are of one family and in order, and the region is two capital letters. */
bool range_sound(const struct range *r);
/* Every range must be sound. Sorts list in place; *out is the caller's to free. Returns how many there are in it. */
size_t ranges_flatten(struct range *list, size_t len, struct range **out);

#endif
