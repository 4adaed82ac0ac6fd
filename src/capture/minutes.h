/* minutes: the packets of one sensor, minute by minute, as batches. A minute is counted in a tally of its own; when it is
 * closed another thread cuts, encodes and hands over the batch, so that writing never stalls counting.
 *
 * Two minutes are open, since packets may come a little late. What comes for a minute that is closed, or finds no room
 * because nothing could be written yet, is refused in the account, never dropped in silence. */
#ifndef TEITEN_MINUTES_H
#define TEITEN_MINUTES_H

#include "core/batch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account;
struct err;
struct minutes;
struct packet;

/* Hands a batch on, from the writing thread; false: it could not, and its packets become lost ones of the next batch. */
typedef bool minutes_fn(void *to, const struct batch *b);

enum { MINUTES_ROWS_MAX = 1 << 15 };    /* of one tally; a minute with more comes in several batches */

/* epoch: one that this sensor never used. patient: wait for room instead of refusing, and hand minutes on together, up to a day's, as for a file. */
struct minutes *minutes_open(const char *sensor, uint64_t epoch, bool patient, minutes_fn *fn, void *to);
/* Counts packets that are in the account already; takes those out of it that are refused. */
void minutes_add(struct minutes *m, const struct packet *list, size_t n, struct account *a);
/* Minutes that end before this one are closed: no more is expected for them. */
void minutes_close_before(struct minutes *m, minute_t first);
/* Hands on what there is of the open minutes; what comes for them later makes further batches. */
void minutes_cut(struct minutes *m);
/* The clock was set back: minutes that were closed may come again, as further parts of them. */
void minutes_reopen(struct minutes *m);
/* Notes a second in which the sensor was looking, and packets that were lost before they could be seen. */
void minutes_watched(struct minutes *m, int64_t second);
void minutes_lost(struct minutes *m, uint64_t packets);
/* Closes all, waits until they are handed on, frees; returns the packets that no batch could tell of. */
uint64_t minutes_end(struct minutes *m);

#endif
