/* batch: what one sensor saw in one span, whole or not at all, with the seconds it watched in each minute.
 *
 * (sensor, epoch, serial) names a batch for ever: storing it twice counts once. A batch without rows still says "was
 * looking, saw nothing". The encoding is columnar, compressed and checked (doc/batch-format.md). Pure. */
#ifndef TEITEN_BATCH_H
#define TEITEN_BATCH_H

#include "core/tuple.h"
#include "core/watch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

enum {
	SENSOR_NAME_MAX = 40,                   /* with the NUL; a UUID fits */
	BATCH_ROWS_MAX = 1 << 20,
	BATCH_RUNS_MAX = 1 << 20,
	BATCH_BYTES_MAX = 96 << 20,             /* uncompressed: rows × widest row is below this */
	BATCH_MINUTES_MAX = 40 * 366 * 1440,    /* the longest span: forty years */
	BATCH_LIVE_MINUTES_MAX = 31 * 1440,     /* of a sensor's own */
	BATCH_LIVE_FROM = 15778080,             /* 2000-01-01 UTC */
};

struct batch {
	char sensor[SENSOR_NAME_MAX];           /* [A-Za-z0-9][A-Za-z0-9._:-]* */
	uint64_t epoch, serial;
	struct span span;                       /* holds every row and run */
	uint64_t seen, lost;                    /* packets that came, and those the sensor had to drop */
	struct watch watched;
	struct tuple *rows; size_t len, cap;
};

void batch_release(struct batch *b);
void batch_add(struct batch *b, const struct tuple *t);                 /* the row must lie in the span */
bool sensor_name_valid(const char *name);
bool sensor_name_check(const char *name, struct err *e);                /* the same, and says what a name is */
/* Appends the encoded batch to out. It must be sound (batch_sound). Rows of one port that lie together make it small. */
void batch_encode(const struct batch *b, struct buf *out);
/* How many of the bytes are the encoded batch that they begin with, by its own word; 0 when they are no batch, or not all of one. */
size_t batch_length(const void *bytes, size_t len);
/* How many bytes it says that it holds unpacked; SIZE_MAX when it does not say. */
size_t batch_unpacked(const void *bytes, size_t len);
/* Fills an empty b; false for any byte that is not as written: truncation, damage, a version or a value unknown. */
bool batch_decode(struct batch *b, const void *bytes, size_t len, struct err *e);
/* The upper bits of an epoch: a mark of the set of addresses that its sensor observes (link/epochs); 0: none. */
enum { BATCH_MARK_BITS = 24 };
static inline uint32_t batch_mark(uint64_t epoch)
{
	return (uint32_t)(epoch >> (64 - BATCH_MARK_BITS));
}
/* Checks limits, name, span, rows' minutes and that these ascend, kinds and protos: what decode demands, for batches made by hand. */
bool batch_sound(const struct batch *b, struct err *e);
/* Whether a sensor can have seen a sound batch's like: a month at most, not before 2000, as many packets as its rows say, and no
 * number of them that only a mistake can make. Archives (imports, simulations) may be older and longer. */
bool batch_plausible(const struct batch *b, struct err *e);

#endif
