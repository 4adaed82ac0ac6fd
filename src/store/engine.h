/* engine: what a place that keeps rows must be able to do. Engines answer only cells and exact totals; what a mean or a
 * median is, store/combine knows alone, so every engine gives the same answers.
 *
 * store/local holds the book and the lock: an engine is never asked while it commits. */
#ifndef TEITEN_ENGINE_H
#define TEITEN_ENGINE_H

#include "store/book.h"

struct regions;
struct surge_revision;
struct surge_judgement;
struct robust_finding;
struct robust_weight;
struct robust_state;
struct pending;
struct rise;

/* What a series is about, as a number: proto << 16 | ranked port; sensor number; region's two letters; kind; mark's bit
 * number; proto; an address or network as its two halves. */
struct key { uint64_t hi, lo; };

/* A source bears a tool's label on a day with so many packets of its mark, over all sensors. */
enum { LABEL_PACKETS_MIN = 2 };

enum grain { GRAIN_MINUTE, GRAIN_HOUR, GRAIN_DAY };
struct cell { struct key key; minute_t at /* start of its minute, hour or day */; uint16_t sensor; uint64_t packets; };
struct total { struct key key; uint64_t packets, bytes, sources; unsigned sensors; };

/* Which rows: the question's filters, a span of its own, one sensor's number or 0, and only some keys (only_len 0: all). */
struct want {
	const struct question *question;
	const struct zone *zone;
	struct span span;
	enum grain grain;
	uint16_t sensor;
	const struct scanners *scanners;        /* the list, where the question looks into it */
	struct by { uint16_t from, until; } by; /* only sources of these organisations of it, 0 of none; until 0: whoever they are */
	const struct key *only; size_t only_len;        /* ascending */
};

/* Batches to commit together, each with its sensor's number; sensors from new_sensors on are not saved yet. */
struct group {
	const struct book *book;
	const struct regions *regions;
	const struct batch *const *batches;
	const uint16_t *numbers;
	size_t len, new_sensors;
};

enum committed { COMMIT_DONE, COMMIT_NOT, COMMIT_UNKNOWN };

/* A day's robust value: of its whole port, or of a part; of one whole port also how sure it is (else NAN and 0). */
struct robust_cell { struct key key; minute_t at /* start of its day */; double value; struct sureness sure; };
struct settled;

/* Sources of a port in an hour of UTC that was reckoned: of one sensor, or (sensor 0) of all, with how many were new, their packets, and those of
 * the source with the most. */
struct hour_cell { uint32_t port /* proto << 16 | ranked port */; minute_t hour; uint16_t sensor; uint64_t sources, new_sources, packets, top; };
typedef bool hour_fn(void *to, const struct hour_cell *cells, size_t n);        /* false: enough */

typedef bool robust_fn(void *to, const struct robust_cell *cells, size_t n);    /* false: enough */
typedef bool cell_fn(void *to, const struct cell *cells, size_t n);             /* false: enough */

struct engine_ops {
	/* Makes or opens it and fills the empty book; zone only for a new one. NULL: e. */
	void *(*open)(const char *path, const char *zone, struct book *book, struct err *e);
	void (*close)(void *engine);
	enum committed (*commit)(void *engine, const struct group *g, struct err *e);
	/* After COMMIT_UNKNOWN: everything anew, the book from what is really there. */
	bool (*reopen)(void *engine, struct book *book, struct err *e);
	/* What came for days before `until` (numbers of days) since they were settled; those before `final` are final. */
	bool (*pending)(void *engine, uint32_t final, uint32_t until, struct pending *p, struct err *e);
	/* Days before *until were settled at `at` or earlier; 0: none. */
	bool (*ripe)(void *engine, minute_t at, uint32_t *until, struct err *e);
	/* Ports that were reached for on days [from, until), each with the day of its state (0: it has none); ascending, the caller frees. */
	bool (*active)(void *engine, uint32_t from, uint32_t until, struct robust_state **ports, size_t *n, struct err *e);
	/* Fills in the states of these ports, ascending; of those that have none len stays 0. */
	bool (*states)(void *engine, struct robust_state *ports, size_t n, struct buf *bytes, struct err *e);
	/* Fills in packets and top of each, ascending by port and day. */
	bool (*rises)(void *engine, struct rise *list, size_t n, struct err *e);
	/* Keeps what store/days found in place of what there was, in one transaction. */
	bool (*settle)(void *engine, const struct settled *s, struct err *e);
	/* Every day before d->settled is settled now; anew: and nothing that was known before counts. */
	bool (*close_days)(void *engine, const struct known_days *d, bool anew, minute_t now, struct err *e);
	/* Of the ports that the question is about, on its days: by port, day and sensor; the caller frees. */
	bool (*weights)(void *engine, const struct want *w, struct robust_weight **list, size_t *n, struct err *e);
	/* Robust values as cells: ascending by key and at. By days only. */
	bool (*robust)(void *engine, const struct want *w, robust_fn *fn, void *to, struct err *e);
	/* Findings of days [from, until), of one port (proto << 16 | ranked port) or of all (0), by day, port and sensor; the caller frees. */
	bool (*findings)(void *engine, uint32_t from, uint32_t until, uint32_t port, struct robust_finding **list, size_t *n, struct err *e);
	/* Hours of the span, by hour, port and sensor; and the first hour that is still to be reckoned, MINUTE_MAX when there is none. */
	bool (*hours)(void *engine, struct span span, hour_fn *fn, void *to, struct err *e);
	bool (*reckoned_until)(void *engine, minute_t *until, struct err *e);
	/* As store_reckon. */
	bool (*reckon)(void *engine, minute_t until, struct span *what, struct err *e);
	/* Everything that was said of surges, those of a surge in their order (the caller frees); and more of it, in one transaction. */
	bool (*revisions)(void *engine, struct surge_revision **list, size_t *n, struct err *e);
	bool (*revise)(void *engine, const struct surge_revision *list, size_t n, struct err *e);
	bool (*save_sensor)(void *engine, const struct sensor *s, struct err *e);
	/* Ascending by key, at, sensor; each of these once. */
	bool (*cells)(void *engine, const struct want *w, cell_fn *fn, void *to, struct err *e);
	/* Totals of w->only, in its order; keys without rows stay zero. */
	bool (*totals)(void *engine, const struct want *w, struct total *out, struct err *e);
	bool (*rows)(void *engine, const struct want *w, const struct book *book, row_fn *fn, void *to, struct err *e);
	bool (*check)(void *engine, const struct zone *z, uint64_t *differences, struct buf *report, struct err *e);
};

extern const struct engine_ops engine_memory, engine_duckdb;

int key_cmp(const struct key *a, const struct key *b);
/* Nothing but ports and protocols is asked for: a port's own value answers. */
bool want_whole_ports(const struct want *w);
bool want_one_port(const struct want *w);                                 /* each of its keys is one port */
bool want_takes(const struct want *w, const struct key *k);              /* k is one of w->only, or any will do */
/* Keys of a row under `each`: usually one, one a bit for marks; returns how many. region as two letters in one number; by: the
 * organisation of its source. */
enum { ROW_KEYS_MAX = 8 };
unsigned row_keys(enum each each, const struct tuple *t, uint16_t sensor, uint16_t region, unsigned by, struct key out[ROW_KEYS_MAX]);
void key_label(enum each each, const struct key *k, const struct book *book, char out[SERIES_LABEL_MAX]);

/* The two kinds of store behind store.h. */
struct store_ops {
	bool (*put)(struct store *s, const struct batch *const *batches, size_t n, enum stored *each, struct err *e);
	bool (*ask)(struct store *s, struct question *q, struct answer *a, struct err *e);
	bool (*rows)(struct store *s, struct question *q, row_fn *fn, void *to, struct err *e);
	bool (*facts)(struct store *s, struct facts *f, struct err *e);
	bool (*sensor)(struct store *s, const struct sensor *one, struct err *e);
	bool (*epoch)(struct store *s, uint64_t epoch, uint64_t *batches, struct err *e);
	bool (*settle)(struct store *s, minute_t now, struct err *e);                           /* NULL: the same */
	bool (*follow)(struct store *s, unsigned hours, bool *behind, struct err *e);           /* NULL: the same */
	bool (*findings)(struct store *s, uint32_t from, uint32_t until, uint32_t port, struct robust_finding **list, size_t *n, struct err *e);
	bool (*surges)(struct store *s, const char *id, struct surge_revision **list, size_t *n, struct err *e);
	bool (*judge)(struct store *s, const struct surge_judgement *j, struct err *e);
	bool (*reckon)(struct store *s, minute_t until, struct span *what, struct err *e);      /* NULL: another process does */
	bool (*check)(struct store *s, uint64_t *differences, struct buf *report, struct err *e);
	void (*close)(struct store *s);
	void (*patience)(struct store *s, unsigned seconds);            /* NULL: it never waits for others */
	bool (*scanners)(struct store *s, const char *path, struct err *e);     /* NULL: another process has the list */
};
struct store { const struct store_ops *ops; };

struct store *local_open(const struct engine_ops *ops, const char *path, const char *zone, struct regions *regions,
	struct err *e);
struct store *remote_open(const char *path, struct err *e);

#endif
