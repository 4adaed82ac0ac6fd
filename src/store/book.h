/* book: what an engine keeps in memory beside its rows: the sensors, when each was looking, and the ledger of batches. */
#ifndef TEITEN_BOOK_H
#define TEITEN_BOOK_H

#include "core/watch.h"
#include "store/store.h"

struct ledger_run { uint16_t sensor; uint64_t epoch, first, last; };    /* serials first to last are stored */

/* Since when a sensor marks its batches so. */
struct marked { uint16_t sensor; uint32_t mark; minute_t from; };

/* Of which days (numbers of local days) robust values are known. Final ones do not change: what comes later of them is counted as late. */
struct known_days { uint32_t first, settled, final /* those before these two */, passes /* changes with every value */; uint64_t late /* packets */; };

struct book {
	struct zone zone;
	int64_t made_s;
	struct sensor *sensors; size_t len, cap;        /* by number: sensors[i].number is i + 1 */
	struct watch *watches; size_t watches_cap;      /* beside sensors */
	struct ledger_run *ledger; size_t ledger_len, ledger_cap;       /* ascending, neighbours joined */
	struct marked *marks; size_t marks_len, marks_cap;
	struct known_days days;
	const struct scanners *scanners;                /* borrowed; set before the engine opens */
	uint64_t batches, rows, packets, lost, revision;
};

void book_release(struct book *b);
const struct sensor *book_find(const struct book *b, const char *name);         /* NULL: not met */
/* Enters a sensor under the next number. The pointer is valid until the next one is entered. */
struct sensor *book_enter(struct book *b, const char *name);
void book_forget_after(struct book *b, size_t len);                             /* takes back what was entered since */
bool book_knows(const struct book *b, uint16_t sensor, uint64_t epoch, uint64_t serial);
void book_note(struct book *b, uint16_t sensor, uint64_t epoch, uint64_t serial);
uint32_t book_group(const struct book *b, size_t place);                         /* a number for its group; 0: it has none */
uint64_t book_epoch(const struct book *b, uint64_t epoch);                      /* batches of an epoch */
void book_note_mark(struct book *b, uint16_t sensor, uint64_t epoch, minute_t from);
/* Whether the sensor began to observe other addresses within the span: what was learnt of it holds no more. */
bool book_moved(const struct book *b, uint16_t sensor, struct span s);
struct span book_held(const struct book *b);                                    /* over all sensors' watches */

#endif
