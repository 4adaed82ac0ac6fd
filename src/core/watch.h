/* watch: when a sensor was looking: seconds watched in each minute, as runs of equal minutes. Pure.
 *
 * Unseen is not zero: every mean divides by what stands here. Where batches overlap, a minute's seconds add up to 60
 * at most (six batches of ten seconds make one whole minute; the same minute told twice stays one). */
#ifndef TEITEN_WATCH_H
#define TEITEN_WATCH_H

#include "core/span.h"

#include <stddef.h>

struct run { minute_t from, until; uint8_t seconds; };                  /* seconds 1 to 60 in each of its minutes */
struct watch { struct run *runs; size_t len, cap; };                    /* ascending, disjoint, neighbours differ or have a gap */

void watch_release(struct watch *w);
void watch_add(struct watch *w, struct run r);
uint64_t watch_seconds(const struct watch *w, struct span s);           /* seconds watched within s */
struct span watch_span(const struct watch *w);                          /* from the first to the last minute; empty if none */

#endif
