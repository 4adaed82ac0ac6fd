/* ledger: which serials of a sensor a centre has received, as runs of numbers, so that what comes once more is known. It is a
 * memory, not the truth: what it has forgotten the store still knows. Pure. */
#ifndef TEITEN_LEDGER_H
#define TEITEN_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum {
	LEDGER_EPOCHS_MAX = 16,                 /* of a sensor: the one that was used longest ago gives way */
	LEDGER_RUNS_MAX = 1024,                 /* of an epoch: the lowest is forgotten */
};

struct ledger_epoch { uint64_t epoch; size_t len, cap; struct serials { uint64_t from, until; } *runs; };
struct ledger { size_t len; struct ledger_epoch epochs[LEDGER_EPOCHS_MAX]; };   /* the one used last comes last */

void ledger_release(struct ledger *l);
bool ledger_has(const struct ledger *l, uint64_t epoch, uint64_t serial);
void ledger_add(struct ledger *l, uint64_t epoch, uint64_t serial);
/* A line for each run: "NAME EPOCH FROM UNTIL"; and the line's numbers back into a ledger. */
void ledger_text(const struct ledger *l, const char *name, struct buf *out);
void ledger_add_run(struct ledger *l, uint64_t epoch, uint64_t from, uint64_t until);

#endif
