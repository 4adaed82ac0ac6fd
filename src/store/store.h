/* store: keeps batches and answers questions. One interface; the address says which engine:
 *   duckdb:PATH   a file, held by one process at a time
 *   unix:PATH     a running keep, asked through its socket
 *   memory:       plain and slow, the yardstick of the others
 *
 * A store may be asked from several threads while one of them puts. */
#ifndef TEITEN_STORE_H
#define TEITEN_STORE_H

#include "core/batch.h"
#include "core/question.h"
#include "core/series.h"
#include "base/zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct store;
struct regions;

/* What became of a batch. UNKNOWN never leaves store_put: a commit that failed is settled by reading the ledger again. */
enum stored { STORED_NOT, STORED_NOW, STORED_ALREADY };

struct sensor {
	uint16_t number;
	char name[SENSOR_NAME_MAX];
	uint32_t addresses;             /* how many it observes; 1 until told otherwise */
	char group[SENSOR_NAME_MAX];    /* operator or network: counts once where voices are counted; may be empty */
	char region[3];                 /* where it stands; "ZZ" unknown */
};

/* What the store holds, at one moment. facts_release frees. */
struct facts {
	struct zone zone;
	int64_t made_s;                 /* when the store was made, seconds since 1970 */
	struct span held;               /* from the first watched minute to the one after the last; empty when none */
	uint64_t batches, rows, packets, lost;
	uint64_t late;                  /* packets that came after their day's robust values were final: in no robust value */
	char scanners[SCANNERS_ID_MAX]; /* the list of known scanners; "none" */
	minute_t followed;              /* up to where surges were looked for since the store was opened; 0: not yet */
	uint64_t revision;              /* changes with everything that can change an answer */
	struct sensor *sensors; size_t len;
	struct span *watched;           /* of each sensor: first to last watched minute */
	uint64_t *watched_s;            /* of each sensor: seconds watched in all */
};

/* zone: for a store that does not exist yet (NULL: UTC); an existing one keeps its own. regions: resolves sources when a
 * batch is put (refreshed before), borrowed while the store is open; NULL: all "ZZ". False: e says why; nobody gets a lock error (cmd/ takes
 * the lock of the data folder first). */
struct store *store_open(const char *address, const char *zone, struct regions *regions, struct err *e);
void store_close(struct store *s);
/* From now on the list at that path (store/scanners) says who is a known scanner; it is read anew before a question when it has become
 * another one. False: what is there is no list; the store goes on without. Behind unix: the keep's own list holds. */
bool store_scanners(struct store *s, const char *path, struct err *e);
/* Whether its days are of that zone (NULL: any will do), which is fixed when a store is made: roll-ups begin by it. */
bool store_has_zone(struct store *s, const char *zone, struct err *e);
/* How long a keep behind unix: may take for what it answers at once (facts, epochs, sensors, puts; 30 s until told). For
 * questions and checks it is ten minutes. Other stores do not wait. */
void store_patience(struct store *s, unsigned seconds);

/* Puts n batches in one transaction: rows, roll-ups and ledger, all or nothing, durable on true. each[i] says what became
 * of each. Sensors not met before are entered with one address. False with ERR_FULL: no room left, nothing was changed. */
bool store_put(struct store *s, const struct batch *const *batches, size_t n, enum stored *each, struct err *e);
/* Settles q against the store and answers it. The caller releases the answer. */
bool store_ask(struct store *s, struct question *q, struct answer *a, struct err *e);
/* Every tuple that q takes, in the order of time, as rows of at most a few thousand. */
typedef bool row_fn(void *to, const char *sensor, const struct tuple *rows, size_t n);
bool store_rows(struct store *s, struct question *q, row_fn *fn, void *to, struct err *e);
bool store_facts(struct store *s, struct facts *f, struct err *e);
void facts_release(struct facts *f);
size_t facts_sensor(const struct facts *f, const char *name);            /* its place in the lists; f->len when there is none */
struct span facts_watched(const struct facts *f, const char *name);      /* empty when there is none, or it watched nothing */
/* Enters or changes a sensor by name (its number is given by the store). */
bool store_sensor(struct store *s, const struct sensor *one, struct err *e);
/* How many batches of that epoch the ledger holds. */
bool store_epoch(struct store *s, uint64_t epoch, uint64_t *batches, struct err *e);
/* Counts the sources of the earliest hours (of UTC) that were touched since and ended by `until`, a month at most; *what says which,
 * empty when nothing was to do. A keep's own affair: behind unix: nothing is ever to do. */
bool store_reckon(struct store *s, minute_t until, struct span *what, struct err *e);
/* Reckons the robust values of what came since, for days that are over at `now`; an archive's last day counts as over. Who holds the store
 * does it when there is time, or before such a question; behind unix: nothing is ever to do. */
bool store_settle(struct store *s, minute_t now, struct err *e);
/* What was odd on days [from, until) (numbers of local days), of those that were settled, of one port (proto << 16 | ranked port) or of
 * all and of the sensors (0); the caller frees. */
struct robust_finding;
bool store_findings(struct store *s, uint32_t from, uint32_t until, uint32_t port, struct robust_finding **list, size_t *n, struct err *e);
/* Looks for surges in so many hours more, of those that were reckoned; *behind: there are more to come. When there are none, what was found is
 * held against what was said, and what is new is said. As above. */
bool store_follow(struct store *s, unsigned hours, bool *behind, struct err *e);
/* id NULL: every surge as it is known now, in the order in which they became known, also those that were withdrawn. Else what was said of that
 * one, revision by revision; none: there is no such surge. The caller frees. */
struct surge_revision;
bool store_surges(struct store *s, const char *id, struct surge_revision **list, size_t *n, struct err *e);
/* How many distinct sources came to its port from its onset to its end, or as far as the store holds. */
struct surge_row;
bool store_surge_sources(struct store *s, const struct surge_row *r, uint64_t *sources, struct err *e);
/* A person's word on a surge: its next revision. */
struct surge_judgement;
bool store_judge(struct store *s, const struct surge_judgement *j, struct err *e);
/* Rebuilds every roll-up from the rows and compares; *differences counts unequal rows of all of them. */
bool store_check(struct store *s, uint64_t *differences, struct buf *report, struct err *e);

#endif
