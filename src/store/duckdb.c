/* duckdb: the engine on a file. Rows, roll-up deltas and ledger lines go in with one transaction; questions are answered
 * from the narrowest table that holds what they filter by. */
#include "store/engine.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "core/calendar.h"
#include "store/cube.h"
#include "store/days.h"
#include "store/duck.h"
#include "store/duckdb_sql.h"
#include "store/history.h"
#include "store/reckoning.h"
#include "store/regions.h"
#include "store/scanners.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

/* A put is refused below this much free room: two checkpoints and a large group. */
#define FREE_BYTES_MIN (160ull << 20)
enum { VERSION = 3, WATCHED_SLACK = 1000, ASKED_FIRST = 2 /* a ranking reads its period and the one before */ };

struct duckdb {
	char path[PATH_TEXT_MAX];
	bool read_only;                 /* we have no right to write it */
	struct duck *duck;
	struct duck_con *writer;
	struct cube cube, freed;        /* the second is free from the scanners of a list */
	char freed_of[SCANNERS_ID_MAX];
	struct duck_function known;     /* known_scanner(hi, lo, day): the number of its organisation, or 0 */
};

static bool load_meta(struct duckdb *d, struct book *book, struct err *e)
{
	struct duck_rows *r;
	char zone[ZONE_NAME_MAX];
	bool ok = false;

	if (!duck_query(d->writer, "SELECT version::UBIGINT, made::UBIGINT, zone, first::UBIGINT, settled::UBIGINT, final::UBIGINT, passes::UBIGINT, late FROM meta", NULL, 0, &r, e))
		return false;
	if (duck_next(r) != 1) {
		err_set(e, "%s has no single line of meta", d->path);
	} else if (*duck_numbers(r, 0) != VERSION) {
		err_set(e, "%s has layout %llu", d->path, (unsigned long long)*duck_numbers(r, 0));
		err_expected(e, "layout %d: another version of teiten made it", VERSION);
	} else {
		book->made_s = (int64_t)*duck_numbers(r, 1);
		book->days = (struct known_days){ (uint32_t)*duck_numbers(r, 3), (uint32_t)*duck_numbers(r, 4), (uint32_t)*duck_numbers(r, 5),
			(uint32_t)*duck_numbers(r, 6), *duck_numbers(r, 7) };
		duck_text(r, 2, 0, zone, sizeof zone);
		ok = zone_load(&book->zone, zone, e);
	}
	duck_done(r);
	return ok;
}

static bool load_sensors(struct duckdb *d, struct book *book, struct err *e)
{
	struct duck_rows *r;
	char name[SENSOR_NAME_MAX];

	if (!duck_query(d->writer, "SELECT addresses::UBIGINT, name, grp, region FROM sensor ORDER BY number", NULL, 0, &r, e))
		return false;
	for (size_t n = duck_next(r); n; n = duck_next(r))
		for (size_t i = 0; i < n; i++) {
			duck_text(r, 1, i, name, sizeof name);
			struct sensor *s = book_enter(book, name);
			s->addresses = (uint32_t)duck_numbers(r, 0)[i];
			duck_text(r, 2, i, s->group, sizeof s->group);
			duck_text(r, 3, i, s->region, sizeof s->region);
		}
	duck_done(r);
	return true;
}

static bool load_ledger(struct duckdb *d, struct book *book, struct err *e)
{
	struct duck_rows *r;

	if (!duck_query(d->writer, "SELECT sensor::UBIGINT, epoch, serial, rows::UBIGINT, packets, lost, from_minute::UBIGINT FROM ledger "
		"ORDER BY epoch, sensor, serial", NULL, 0, &r, e))
		return false;
	for (size_t n = duck_next(r); n; n = duck_next(r))
		for (size_t i = 0; i < n; i++) {
			book_note(book, (uint16_t)duck_numbers(r, 0)[i], duck_numbers(r, 1)[i], duck_numbers(r, 2)[i]);
			book_note_mark(book, (uint16_t)duck_numbers(r, 0)[i], duck_numbers(r, 1)[i], (minute_t)duck_numbers(r, 6)[i]);
			book->batches++;
			book->rows += duck_numbers(r, 3)[i];
			book->packets += duck_numbers(r, 4)[i];
			book->lost += duck_numbers(r, 5)[i];
		}
	duck_done(r);
	return true;
}

struct watched_rows { const struct book *book; struct { uint16_t sensor; struct run run; } *list; size_t len, cap; };

static void fill_watched(const void *from_where, size_t column, size_t from, size_t count, uint64_t *out)
{
	const struct watched_rows *w = from_where;

	for (size_t i = 0; i < count; i++) {
		const struct run *r = &w->list[from + i].run;

		out[i] = column == 0 ? w->list[from + i].sensor : column == 1 ? r->from : column == 2 ? r->until : r->seconds;
	}
}

static void watched_push(struct watched_rows *w, uint16_t sensor, const struct watch *watch)
{
	for (size_t i = 0; i < watch->len; i++) {
		MEM_GROW(w->list, w->len, w->cap);
		w->list[w->len].sensor = sensor;
		w->list[w->len++].run = watch->runs[i];
	}
}

/* A line a batch adds up; written anew, joined, when it has become much longer than it need be. */
static bool shorten_watched(struct duckdb *d, const struct book *book, uint64_t lines, struct err *e)
{
	struct watched_rows w = { 0 };
	bool ok = true;

	for (size_t i = 0; i < book->len; i++)
		watched_push(&w, book->sensors[i].number, &book->watches[i]);
	if (!d->read_only && lines > 4 * w.len + WATCHED_SLACK)
		ok = duck_run(d->writer, "BEGIN; DELETE FROM watched", e) && duck_append(d->writer, "watched", w.len, fill_watched, &w, e) &&
			duck_run(d->writer, "COMMIT", e);
	free(w.list);
	return ok;
}

static bool load_watched(struct duckdb *d, struct book *book, struct err *e)
{
	struct duck_rows *r;
	uint64_t lines = 0;

	if (!duck_query(d->writer, "SELECT sensor::UBIGINT, from_minute::UBIGINT, until_minute::UBIGINT, seconds::UBIGINT FROM watched "
		"ORDER BY sensor, from_minute", NULL, 0, &r, e))
		return false;
	for (size_t n = duck_next(r); n; n = duck_next(r), lines += n)
		for (size_t i = 0; i < n; i++) {
			uint64_t number = duck_numbers(r, 0)[i];
			struct run run = { (minute_t)duck_numbers(r, 1)[i], (minute_t)duck_numbers(r, 2)[i], (uint8_t)duck_numbers(r, 3)[i] };

			if (number >= 1 && number <= book->len && run.from < run.until && run.seconds >= 1 && run.seconds <= 60)
				watch_add(&book->watches[number - 1], run);
		}
	duck_done(r);
	return shorten_watched(d, book, lines, e);
}

static bool make_tables(struct duckdb *d, const char *zone, struct err *e)
{
	struct zone checked;
	char meta[256];

	if (!zone_load(&checked, zone, e))
		return false;
	zone_release(&checked);
	(void)snprintf(meta, sizeof meta, "INSERT INTO meta VALUES (%d, '%s', %lld, 0, 0, 0, 0, 0)", VERSION, zone, (long long)clock_wall_s());
	return duck_run(d->writer, "BEGIN", e) && duck_run(d->writer, sql_tables, e) && duck_run(d->writer, meta, e) &&
		duck_run(d->writer, "COMMIT", e);
}

/* What DuckDB opens need not be a database in that file: of a CSV file or ":memory:" it makes one that nobody sees again. */
static bool is_file(struct duckdb *d, struct err *e)
{
	struct duck_rows *r;

	if (!duck_query(d->writer, "SELECT count(*)::UBIGINT FROM duckdb_databases() WHERE database_name = current_database() "
		"AND path IS NOT NULL", NULL, 0, &r, e))
		return false;
	bool ok = duck_next(r) == 1 && *duck_numbers(r, 0) == 1;
	duck_done(r);
	if (ok)
		return true;
	err_asked(e, "not a store: %.200s", d->path);
	return err_expected(e, "a file that teiten made, or a name that is free");
}

static bool is_new(struct duckdb *d, bool *new, struct err *e)
{
	struct duck_rows *r;

	if (!duck_query(d->writer, "SELECT count(*)::UBIGINT FROM duckdb_tables() WHERE table_name = 'meta'", NULL, 0, &r, e))
		return false;
	*new = duck_next(r) == 1 && *duck_numbers(r, 0) == 0;
	duck_done(r);
	return true;
}

static void disconnect(struct duckdb *d)
{
	cube_release(&d->cube);
	cube_release(&d->freed);
	duck_disconnect(d->writer);
	duck_close(d->duck);
	d->writer = NULL;
	d->duck = NULL;
}

static bool has_room(const char *path, struct err *e)
{
	if (file_free_bytes(path) >= FREE_BYTES_MIN && !fault_here("full"))
		return true;
	err_set(e, "the store's disk is full: less than %llu MiB left", FREE_BYTES_MIN >> 20);
	e->kind = ERR_FULL;
	return err_expected(e, "make room; what is stored is safe, the rest may come again and counts once");
}

/* A new store needs room. An empty file is none: it was left behind where there was no room. */
static bool may_make(const struct duckdb *d, struct err *e)
{
	char folder[PATH_TEXT_MAX];

	if (file_size(d->path) > 0)
		return true;
	if (file_exists(d->path) && !file_remove(d->path, e))
		return false;
	file_folder(folder, d->path);
	return has_room(folder, e);
}

/* How it is asked in a statement: nothing of the list is in the file, so whatever it says now holds for every packet that there is.
 * DuckDB's threads call it, and ThreadSanitizer cannot see how they hand over what it writes. */
__attribute__((no_sanitize("thread")))
static void find_scanners(const void *of, const uint64_t *const *columns, size_t n, uint64_t *out)
{
	for (size_t i = 0; i < n; i++) {
		struct addr a = addr_of(columns[0][i], columns[1][i]);

		out[i] = scanners_find(of, &a, (uint32_t)columns[2][i]);
	}
}

static bool connect_and_load(struct duckdb *d, const char *zone, struct book *book, struct err *e)
{
	bool new = false;

	cube_init(&d->cube);
	cube_init(&d->freed);
	if (!may_make(d, e))
		return false;
	d->known = (struct duck_function){ "known_scanner", 3, find_scanners, book->scanners };
	d->read_only = file_exists(d->path) && !file_writable(d->path);
	d->duck = duck_open(d->path, d->read_only, e);
	if (!d->duck || !(d->writer = duck_connect(d->duck, e)) || !is_file(d, e) || !duck_teach(d->writer, &d->known, e) || !is_new(d, &new, e) ||
		(new && !make_tables(d, zone ? zone : "UTC", e)) || !load_meta(d, book, e) ||
		!duck_run(d->writer, sql_incoming, e) || !load_sensors(d, book, e) || !load_ledger(d, book, e) ||
		!load_watched(d, book, e)) {
		disconnect(d);
		return false;
	}
	return true;
}

static void *duckdb_engine_open(const char *path, const char *zone, struct book *book, struct err *e)
{
	struct duckdb *d = mem_zero(1, sizeof *d);

	if (strlen(path) >= sizeof d->path)
		err_set(e, "path too long: %.100s...", path);
	else if (memcpy(d->path, path, strlen(path) + 1), connect_and_load(d, zone, book, e))
		return d;
	free(d);
	return NULL;
}

static void duckdb_engine_close(void *engine)
{
	struct duckdb *d = engine;

	disconnect(d);
	free(d);
}

static bool duckdb_engine_reopen(void *engine, struct book *book, struct err *e)
{
	struct duckdb *d = engine;

	disconnect(d);
	return connect_and_load(d, NULL, book, e);
}

/* The rows of a group, with what is looked up and reckoned once for each. */
struct incoming {
	const struct group *group;
	size_t len;
	struct line { const struct tuple *t; uint32_t batch; uint16_t sensor, region; uint32_t as_number, hour, day; } *lines;
	struct span span;               /* from the first row's minute to the one after the last */
};

static void gather(struct incoming *in, const struct group *g)
{
	const struct zone *z = &g->book->zone;
	minute_t hour = 1, hour_end = 0, day = 1, day_end = 0;
	uint32_t day_number = 0;
	char region[3];

	*in = (struct incoming){ .group = g, .span = { MINUTE_MAX, 0 } };
	for (size_t b = 0; b < g->len; b++)
		in->len += g->batches[b]->len;
	in->lines = mem_zero(in->len, sizeof *in->lines);
	in->len = 0;
	for (size_t b = 0; b < g->len; b++)
		for (size_t i = 0; i < g->batches[b]->len; i++) {
			const struct tuple *t = &g->batches[b]->rows[i];
			struct line *l = &in->lines[in->len++];

			if (t->minute < hour || t->minute >= hour_end) {        /* neighbours share their hour and day */
				hour = calendar_floor(z, t->minute, STEP_HOUR);
				hour_end = calendar_next(z, t->minute, STEP_HOUR);
			}
			if (t->minute < day || t->minute >= day_end) {
				day = calendar_floor(z, t->minute, STEP_DAY);
				day_end = calendar_next(z, t->minute, STEP_DAY);
				day_number = calendar_day(z, t->minute);
			}
			in->span.from = t->minute < in->span.from ? t->minute : in->span.from;
			in->span.until = t->minute >= in->span.until ? t->minute + 1 : in->span.until;
			regions_find(g->regions, &t->src, region, &l->as_number);
			l->t = t;
			l->batch = (uint32_t)(g->book->batches + b);
			l->sensor = g->numbers[b];
			l->region = (uint16_t)(region[0] << 8 | region[1]);
			l->hour = hour;
			l->day = day_number;
		}
}

/* Columns in the order of sql_incoming. */
static uint64_t line_column(const struct line *l, size_t column)
{
	switch (column) {
	case 0: return l->batch;
	case 1: return l->t->minute;
	case 2: return l->hour;
	case 3: return l->day;
	case 4: return l->sensor;
	case 5: return addr_hi(&l->t->src);
	case 6: return addr_lo(&l->t->src);
	case 7: return l->region;
	case 8: return l->as_number;
	case 9: return l->t->proto;
	case 10: return l->t->port;
	case 11: return l->t->flags;
	case 12: return l->t->mark;
	case 13: return l->t->kind;
	case 14: return l->t->packets;
	case 15: return l->t->bytes;
	case 16: return l->t->sport;
	case 17: return l->t->ttl;
	case 18: return l->t->dsts;
	default: return port_ranked(l->t->proto, l->t->port);
	}
}

static void fill_incoming(const void *from_where, size_t column, size_t from, size_t count, uint64_t *out)
{
	const struct incoming *in = from_where;

	for (size_t i = 0; i < count; i++)
		out[i] = line_column(&in->lines[from + i], column);
}

static void fill_ledger(const void *from_where, size_t column, size_t from, size_t count, uint64_t *out)
{
	const struct group *g = from_where;

	for (size_t i = 0; i < count; i++) {
		const struct batch *b = g->batches[from + i];
		uint64_t packets = 0;

		for (size_t k = 0; column == 5 && k < b->len; k++)
			packets += b->rows[k].packets;
		out[i] = column == 0 ? g->book->batches + from + i : column == 1 ? g->numbers[from + i] : column == 2 ? b->epoch :
			column == 3 ? b->serial : column == 4 ? b->len : column == 5 ? packets : column == 6 ? b->seen :
			column == 7 ? b->lost : column == 8 ? b->span.from : column == 9 ? b->span.until :
			strtoull(regions_id(g->regions), NULL, 16);     /* "none" is 0 */
	}
}

static bool append_watched(struct duckdb *d, const struct group *g, struct err *e)
{
	struct watched_rows w = { 0 };

	for (size_t i = 0; i < g->len; i++)
		watched_push(&w, g->numbers[i], &g->batches[i]->watched);
	bool ok = duck_append(d->writer, "watched", w.len, fill_watched, &w, e);
	free(w.list);
	return ok;
}

/* Names are checked texts of letters, digits and . _ : - and regions two letters, so none needs quoting beyond this. */
static bool save_sensor(struct duckdb *d, const struct sensor *s, struct err *e)
{
	char sql[512];

	(void)snprintf(sql, sizeof sql, "DELETE FROM sensor WHERE number = %u; INSERT INTO sensor VALUES (%u, '%s', %u, '%s', '%s')",
		s->number, s->number, s->name, s->addresses, s->group, s->region);
	return duck_run(d->writer, sql, e);
}

/* Without those that the list knows, if there is one. */
static void tell_cube(struct cube *c, const struct incoming *in, const struct scanners *list)
{
	for (size_t i = 0; i < in->len; i++) {
		const struct line *l = &in->lines[i];

		if (tuple_reaches(l->t) && !(list && scanners_find(list, &l->t->src, l->day)))
			cube_tell(c, (struct place_of){ (uint32_t)l->t->proto << 16 | port_ranked(l->t->proto, l->t->port),
				(uint16_t)l->day, l->sensor, l->t->packets });
	}
}

static void tell_cubes(struct duckdb *d, const struct incoming *in)
{
	const struct scanners *list = d->known.of;

	if (d->cube.filled)
		tell_cube(&d->cube, in, NULL);
	if (d->freed.filled && strcmp(d->freed_of, list->id) != 0)
		cube_forget(&d->freed);         /* the list that it is free from may come back, and then it would lack these */
	else if (d->freed.filled)
		tell_cube(&d->freed, in, list);
}

static bool write_group(struct duckdb *d, const struct incoming *in, struct err *e)
{
	const struct group *g = in->group;
	bool ok = true;

	for (size_t i = g->new_sensors; ok && i < g->book->len; i++)
		ok = save_sensor(d, &g->book->sensors[i], e);
	ok = ok && duck_append(d->writer, "ledger", g->len, fill_ledger, g, e) && append_watched(d, g, e);
	return ok && (in->len == 0 || (duck_run(d->writer, "TRUNCATE incoming", e) &&
		duck_append(d->writer, "incoming", in->len, fill_incoming, in, e) && duck_run(d->writer, sql_add, e) &&
		duck_run(d->writer, sql_unsettle, e) && reckoning_touch(d->writer, in->span, e) && duck_run(d->writer, "INSERT INTO tuple SELECT * EXCLUDE (ranked) FROM incoming", e)));
}

static enum committed write_and_commit(struct duckdb *d, const struct incoming *in, struct err *e)
{
	struct err rolling;

	if (!duck_run(d->writer, "BEGIN", e))
		return COMMIT_UNKNOWN;
	bool faulty = fault_here("write");
	if (faulty)
		err_set(e, "fault asked for before the commit");
	if (faulty || !write_group(d, in, e))
		return duck_run(d->writer, "ROLLBACK", &rolling) ? COMMIT_NOT : COMMIT_UNKNOWN;
	if (fault_here("commit-lost")) {
		err_set(e, "fault asked for in place of the commit");
		return COMMIT_UNKNOWN;
	}
	if (!duck_run(d->writer, "COMMIT", e))
		return COMMIT_UNKNOWN;
	if (fault_here("commit-unsure")) {
		err_set(e, "fault asked for after the commit");
		return COMMIT_UNKNOWN;
	}
	tell_cubes(d, in);
	return COMMIT_DONE;
}

/* Whether there is room and right for one more group. */
static bool may_write(const struct duckdb *d, struct err *e)
{
	return d->read_only ? err_set(e, "no right to write %.200s", d->path) : has_room(d->path, e);
}

static enum committed duckdb_commit(void *engine, const struct group *g, struct err *e)
{
	struct duckdb *d = engine;
	struct incoming in;

	if (!may_write(d, e))
		return COMMIT_NOT;
	gather(&in, g);
	enum committed done = write_and_commit(d, &in, e);
	free(in.lines);
	return done;
}

/* The one row of numbers that a query gives; without a right to write nothing is ever to be settled, and out is not touched. */
static bool one_row(struct duckdb *d, const char *sql, const uint64_t *given, size_t n, uint64_t *out, size_t columns, struct err *e)
{
	struct duck_rows *r;

	if (d->read_only)
		return true;
	if (!duck_query(d->writer, sql, given, n, &r, e))
		return false;
	bool ok = duck_next(r) == 1;
	for (size_t i = 0; ok && i < columns; i++)
		out[i] = *duck_numbers(r, i);
	duck_done(r);
	return ok || err_set(e, "the database gave no answer");
}

static bool duckdb_pending(void *engine, uint32_t final, uint32_t until, struct pending *p, struct err *e)
{
	uint64_t out[] = { UINT32_MAX, 0, 0 };
	bool ok = one_row(engine, sql_pending, (uint64_t[]){ final, until }, 2, out, 3, e);

	*p = (struct pending){ (uint32_t)out[0], out[1] > 0, out[2] };
	return ok;
}

static bool duckdb_ripe(void *engine, minute_t at, uint32_t *until, struct err *e)
{
	uint64_t out[] = { 0 };
	bool ok = one_row(engine, sql_ripe, (uint64_t[]){ at }, 1, out, 1, e);

	*until = (uint32_t)out[0];
	return ok;
}

static bool duckdb_active(void *engine, uint32_t from, uint32_t until, struct robust_state **ports, size_t *len, struct err *e)
{
	struct duckdb *d = engine;
	struct duck_rows *r;
	size_t cap = 0;

	*len = 0;
	if (d->read_only)
		return true;
	if (!duck_query(d->writer, sql_active, (uint64_t[]){ from, until }, 2, &r, e))
		return false;
	for (size_t n = duck_next(r); n; n = duck_next(r))
		for (size_t i = 0; i < n; i++) {
			MEM_GROW(*ports, *len, cap);
			(*ports)[(*len)++] = (struct robust_state){ .key = { 0, duck_numbers(r, 0)[i] }, .day = (uint32_t)duck_numbers(r, 1)[i] };
		}
	duck_done(r);
	return true;
}

static bool duckdb_states(void *engine, struct robust_state *ports, size_t len, struct buf *bytes, struct err *e)
{
	struct duckdb *d = engine;
	struct buf sql = buf_make(SQL_MAX);
	struct duck_rows *r = NULL;
	size_t k = 0;

	sql_states(ports, len, &sql);
	bool ok = duck_query(d->writer, buf_cstr(&sql), NULL, 0, &r, e);
	for (size_t n = ok ? duck_next(r) : 0; n; n = duck_next(r))
		for (size_t i = 0; i < n; i++) {
			while (ports[k].key.lo != duck_numbers(r, 0)[i])        /* both ascend */
				k++;
			ports[k].day = (uint32_t)duck_numbers(r, 1)[i];
			ports[k].at = bytes->len;
			const uint8_t *state = duck_bytes(r, 2, i, &ports[k].len);
			buf_bytes(bytes, state, ports[k].len);
		}
	duck_done(r);
	buf_release(&sql);
	return ok && (bytes->ok || err_set(e, "the habits of %zu ports are too many", len));
}

static uint64_t bits_of(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof bits);
	return bits;
}

static void fill_rises(const void *from_where, size_t column, size_t from, size_t count, uint64_t *out)
{
	const struct rise *list = from_where;

	for (size_t i = 0; i < count; i++)
		out[i] = column ? list[from + i].day : list[from + i].key.lo;
}

static bool duckdb_rises(void *engine, struct rise *list, size_t len, struct err *e)
{
	struct duckdb *d = engine;
	struct duck_rows *r = NULL;
	size_t k = 0;

	if (!duck_run(d->writer, "TRUNCATE rising", e) || !duck_append(d->writer, "rising", len, fill_rises, list, e) ||
		!duck_query(d->writer, sql_rises, NULL, 0, &r, e))
		return false;
	for (size_t n = duck_next(r); n; n = duck_next(r))
		for (size_t i = 0; i < n; i++, k++) {
			while (list[k].key.lo != duck_numbers(r, 0)[i] || list[k].day != duck_numbers(r, 1)[i])
				k++;            /* both ascend */
			list[k].packets = duck_numbers(r, 2)[i];
			list[k].top = duck_numbers(r, 3)[i];
		}
	duck_done(r);
	return true;
}

static void fill_ports(const void *from_where, size_t column, size_t from, size_t count, uint64_t *out)
{
	(void)column;
	for (size_t i = 0; i < count; i++)
		out[i] = ((const struct settled *)from_where)->ports[from + i].lo;
}

static void fill_days(const void *from_where, size_t column, size_t from, size_t count, uint64_t *out)
{
	for (size_t i = 0; i < count; i++) {
		const struct robust_day *d = &((const struct settled *)from_where)->days[from + i];
		const uint64_t columns[] = { d->key.lo >> 16, d->key.lo & UINT16_MAX, d->day, bits_of(d->theta), bits_of(d->se), bits_of(d->value),
			bits_of(d->plain), d->looked, d->accepted, d->flags, d->revision };

		out[i] = columns[column];
	}
}

static void fill_weights(const void *from_where, size_t column, size_t from, size_t count, uint64_t *out)
{
	for (size_t i = 0; i < count; i++) {
		const struct robust_weight *w = &((const struct settled *)from_where)->weights[from + i];
		const uint64_t columns[] = { w->key.lo >> 16, w->key.lo & UINT16_MAX, w->day, w->sensor, bits_of(w->weight), bits_of(w->voice) };

		out[i] = columns[column];
	}
}

static void fill_findings(const void *from_where, size_t column, size_t from, size_t count, uint64_t *out)
{
	for (size_t i = 0; i < count; i++) {
		const struct robust_finding *f = &((const struct settled *)from_where)->findings[from + i];
		const uint64_t columns[] = { f->key.lo >> 16, f->key.lo & UINT16_MAX, f->day, f->kind, f->up, f->sensor, bits_of(f->packets), bits_of(f->expected),
			f->n, f->of, bits_of(f->level), bits_of(f->other) };

		out[i] = columns[column];
	}
}

static void fill_states(const void *from_where, size_t column, size_t from, size_t count, uint64_t *out)
{
	static _Thread_local struct duck_blob blobs[DUCK_BLOCK];
	const struct settled *s = from_where;

	for (size_t i = 0; i < count; i++) {
		const struct robust_state *state = &s->states[from + i];

		blobs[i] = (struct duck_blob){ s->bytes.at + state->at, state->len };
		out[i] = column == 0 ? state->key.lo >> 16 : column == 1 ? state->key.lo & UINT16_MAX : column == 2 ? state->day : duck_blob(&blobs[i]);
	}
}

static bool write_settled(struct duckdb *d, const void *what, struct err *e)
{
	const struct settled *s = what;
	uint64_t from[] = { s->from };
	bool ok = duck_append(d->writer, "settling", s->ports_len, fill_ports, s, e);

	for (size_t i = 0; ok && sql_settle_before[i]; i++)
		ok = duck_query(d->writer, sql_settle_before[i], from, 1, NULL, e);
	ok = ok && duck_append(d->writer, "robust_day", s->days_len, fill_days, s, e) &&
		duck_append(d->writer, "robust_weight", s->weights_len, fill_weights, s, e) && duck_append(d->writer, "finding", s->findings_len, fill_findings, s, e);
	return ok && (s->states_len == 0 || (duck_run(d->writer, sql_settle_states, e) && duck_append(d->writer, "robust_state", s->states_len, fill_states, s, e))) &&
		duck_run(d->writer, sql_settle_after, e);
}

static bool in_transaction(struct duckdb *d, bool (*write)(struct duckdb *d, const void *what, struct err *e), const void *what, struct err *e)
{
	struct err rolling;

	if (d->read_only || !may_write(d, e))
		return d->read_only;
	if (duck_run(d->writer, "BEGIN", e) && write(d, what, e) && duck_run(d->writer, "COMMIT", e))
		return true;
	(void)duck_run(d->writer, "ROLLBACK", &rolling);        /* what failed is already told */
	return false;
}

static bool duckdb_settle(void *engine, const struct settled *s, struct err *e)
{
	return in_transaction(engine, write_settled, s, e);
}

struct closing { const struct known_days *days; bool anew; minute_t now; };

static bool write_closing(struct duckdb *d, const void *what, struct err *e)
{
	const struct closing *c = what;
	char sql[512];

	(void)snprintf(sql, sizeof sql, "DELETE FROM closed WHERE %s until < %u; INSERT INTO closed SELECT %u, %u WHERE NOT EXISTS (SELECT 1 FROM closed WHERE until >= %u);"
		"DELETE FROM unsettled WHERE day < %u; UPDATE meta SET first = %u, settled = %u, final = %u, passes = %u, late = %" PRIu64, c->anew ? "true OR" : "",
		c->days->final, c->days->settled, c->now, c->days->settled, c->days->settled, c->days->first, c->days->settled, c->days->final,
		c->days->passes, c->days->late);
	return duck_run(d->writer, sql, e);
}

static bool duckdb_close_days(void *engine, const struct known_days *days, bool anew, minute_t now, struct err *e)
{
	return in_transaction(engine, write_closing, &(struct closing){ days, anew, now }, e);
}

static struct sureness sureness_of(struct duck_rows *r, size_t i)
{
	return (struct sureness){ duck_reals(r, 5)[i], (unsigned)duck_numbers(r, 6)[i], (unsigned)duck_numbers(r, 7)[i], (unsigned)duck_numbers(r, 8)[i],
		(unsigned)duck_numbers(r, 9)[i] };
}

static bool duckdb_robust(void *engine, const struct want *w, robust_fn *fn, void *to, struct err *e)
{
	struct duckdb *d = engine;
	struct duck_con *con = duck_connect(d->duck, e);
	struct buf sql = buf_make(SQL_MAX);
	struct robust_cell cells[DUCK_BLOCK];
	struct duck_rows *r = NULL;
	bool ok = con != NULL, go_on = true, whole = want_whole_ports(w), one = whole && want_one_port(w);

	sql_robust(w, &sql);
	ok = ok && (sql.ok || err_set(e, "the question is too long for the database")) && duck_query(con, buf_cstr(&sql), NULL, 0, &r, e);
	for (size_t n = ok ? duck_next(r) : 0; n && go_on; n = duck_next(r)) {
		size_t len = 0;

		for (size_t i = 0; i < n; i++) {
			struct key key = { duck_numbers(r, 0)[i], duck_numbers(r, 1)[i] };

			if (want_takes(w, &key))
				cells[len++] = (struct robust_cell){ key, calendar_day_start(w->zone, (uint32_t)duck_numbers(r, 2)[i]), duck_reals(r, 3)[i],
					one && duck_numbers(r, 4)[i] == 1 ? sureness_of(r, i) : (struct sureness){ .se = NAN } };
		}
		go_on = fn(to, cells, len);
	}
	duck_done(r);
	buf_release(&sql);
	duck_disconnect(con);
	return ok;
}

static bool duckdb_weights(void *engine, const struct want *w, struct robust_weight **list, size_t *len, struct err *e)
{
	struct duckdb *d = engine;
	struct duck_con *con = duck_connect(d->duck, e);
	struct buf sql = buf_make(SQL_MAX);
	struct duck_rows *r = NULL;
	size_t cap = 0;

	sql_weights(w, &sql);
	bool ok = con && (sql.ok || err_set(e, "the question is too long for the database")) && duck_query(con, buf_cstr(&sql), NULL, 0, &r, e);
	*len = 0;
	*list = NULL;
	for (size_t n = ok ? duck_next(r) : 0; n; n = duck_next(r))
		for (size_t i = 0; i < n; i++) {
			MEM_GROW(*list, *len, cap);
			(*list)[(*len)++] = (struct robust_weight){ { 0, duck_numbers(r, 0)[i] }, (uint32_t)duck_numbers(r, 1)[i], (uint16_t)duck_numbers(r, 2)[i],
				duck_reals(r, 3)[i], duck_reals(r, 4)[i] };
		}
	duck_done(r);
	buf_release(&sql);
	duck_disconnect(con);
	return ok;
}

static bool duckdb_findings(void *engine, uint32_t from, uint32_t until, uint32_t port, struct robust_finding **list, size_t *len, struct err *e)
{
	struct duckdb *d = engine;
	struct duck_con *con = duck_connect(d->duck, e);
	uint64_t given[] = { from, until, port };
	struct duck_rows *r = NULL;
	size_t cap = 0;
	bool ok = con && duck_query(con, sql_findings, given, 3, &r, e);

	*len = 0;
	*list = NULL;
	for (size_t n = ok ? duck_next(r) : 0; n; n = duck_next(r))
		for (size_t i = 0; i < n; i++) {
			MEM_GROW(*list, *len, cap);
			(*list)[(*len)++] = (struct robust_finding){ .key = { 0, duck_numbers(r, 0)[i] }, .day = (uint32_t)duck_numbers(r, 1)[i],
				.kind = (uint8_t)duck_numbers(r, 2)[i], .up = (uint8_t)duck_numbers(r, 3)[i], .sensor = (uint16_t)duck_numbers(r, 4)[i],
				.packets = duck_reals(r, 5)[i], .expected = duck_reals(r, 6)[i], .n = (uint16_t)duck_numbers(r, 7)[i],
				.of = (uint16_t)duck_numbers(r, 8)[i], .level = duck_reals(r, 9)[i], .other = duck_reals(r, 10)[i] };
		}
	duck_done(r);
	duck_disconnect(con);
	return ok;
}

/* What is out of range was written by nobody who could: it reads as the first of its kind. */
static struct surge_revision revision_at(struct duck_rows *r, size_t i)
{
	uint64_t n[16];

	for (size_t k = 0; k < sizeof n / sizeof *n; k++)
		n[k] = duck_numbers(r, k)[i];
	struct surge_revision s = { .row = { .port = (uint32_t)n[0], .found = (minute_t)n[1], .alarm = n[6], .class = (enum surge_class)(n[7] % SURGE_CLASSES),
		.state = (enum surge_state)(n[8] % SURGE_STATES), .known = (minute_t)n[9], .onset = (minute_t)n[10], .peak = (minute_t)n[11], .end = (minute_t)n[12],
		.value = duck_reals(r, 16)[i], .expected = duck_reals(r, 17)[i], .sensors = (unsigned)n[13], .new_sources = n[14] },
		.revision = (unsigned)n[2], .said_s = (int64_t)n[3], .hour = (minute_t)n[4], .reason = (enum surge_reason)(n[5] % SURGE_REASONS),
		.verdict = (enum surge_verdict)(n[15] % SURGE_VERDICTS) };

	duck_text(r, 18, i, s.by, sizeof s.by);
	duck_text(r, 19, i, s.judge, sizeof s.judge);
	duck_text(r, 20, i, s.note, sizeof s.note);
	return s;
}

static bool duckdb_revisions(void *engine, struct surge_revision **list, size_t *len, struct err *e)
{
	struct duckdb *d = engine;
	struct duck_con *con = duck_connect(d->duck, e);
	struct duck_rows *r = NULL;
	size_t cap = 0;
	bool ok = con && duck_query(con, sql_revisions, NULL, 0, &r, e);

	*len = 0;
	*list = NULL;
	for (size_t n = ok ? duck_next(r) : 0; n; n = duck_next(r))
		for (size_t i = 0; i < n; i++) {
			MEM_GROW(*list, *len, cap);
			(*list)[(*len)++] = revision_at(r, i);
		}
	duck_done(r);
	duck_disconnect(con);
	return ok;
}

struct said { const struct surge_revision *list; size_t len; };

/* Columns in the order of the table. */
static void fill_revisions(const void *from_where, size_t column, size_t from, size_t count, uint64_t *out)
{
	static _Thread_local struct duck_blob texts[DUCK_BLOCK];
	const struct said *said = from_where;

	for (size_t i = 0; i < count; i++) {
		const struct surge_revision *s = &said->list[from + i];
		const char *text = column == 7 ? s->by : column == 20 ? s->judge : s->note;
		const uint64_t columns[] = { s->row.port >> 16, s->row.port & UINT16_MAX, s->row.found, s->revision, (uint64_t)s->said_s, s->hour, s->reason, 0,
			s->row.alarm, s->row.class, s->row.state, s->row.known, s->row.onset, s->row.peak, s->row.end, bits_of(s->row.value), bits_of(s->row.expected),
			s->row.sensors, s->row.new_sources, s->verdict, 0, 0 };

		texts[i] = (struct duck_blob){ text, strlen(text) };
		out[i] = column == 7 || column > 19 ? duck_blob(&texts[i]) : columns[column];
	}
}

static bool write_revisions(struct duckdb *d, const void *what, struct err *e)
{
	const struct said *said = what;

	return duck_append(d->writer, "surge_revision", said->len, fill_revisions, said, e);
}

/* Without a right to write the machine's words hold for this process; a person's must last. */
static bool duckdb_revise(void *engine, const struct surge_revision *list, size_t n, struct err *e)
{
	struct duckdb *d = engine;

	if (d->read_only && list[0].reason == SURGE_JUDGED)
		return may_write(d, e);
	return in_transaction(d, write_revisions, &(struct said){ list, n }, e);
}

static bool duckdb_hours(void *engine, struct span span, hour_fn *fn, void *to, struct err *e)
{
	struct duckdb *d = engine;
	struct duck_con *con = duck_connect(d->duck, e);
	uint64_t given[] = { span.from, span.until };
	struct hour_cell cells[DUCK_BLOCK];
	struct duck_rows *r = NULL;
	bool ok = con && duck_query(con, sql_hours, given, 2, &r, e), go_on = true;

	for (size_t n = ok ? duck_next(r) : 0; n && go_on; n = duck_next(r)) {
		for (size_t i = 0; i < n; i++)
			cells[i] = (struct hour_cell){ (uint32_t)duck_numbers(r, 0)[i], (minute_t)duck_numbers(r, 1)[i], (uint16_t)duck_numbers(r, 2)[i],
				duck_numbers(r, 3)[i], duck_numbers(r, 4)[i], duck_numbers(r, 5)[i], duck_numbers(r, 6)[i] };
		go_on = fn(to, cells, n);
	}
	duck_done(r);
	duck_disconnect(con);
	return ok;
}

static bool duckdb_reckoned_until(void *engine, minute_t *until, struct err *e)
{
	struct duckdb *d = engine;
	struct duck_con *con = duck_connect(d->duck, e);
	struct duck_rows *r = NULL;
	bool ok = con && duck_query(con, sql_reckoned_until, NULL, 0, &r, e);

	if (ok)
		*until = duck_next(r) ? (minute_t)*duck_numbers(r, 0) : MINUTE_MAX;
	duck_done(r);
	duck_disconnect(con);
	return ok;
}

static bool duckdb_reckon(void *engine, minute_t until, struct span *what, struct err *e)
{
	struct duckdb *d = engine;

	*what = (struct span){ 0, 0 };
	return d->read_only || (may_write(d, e) && reckoning_do(d->writer, until, what, e));
}

static bool duckdb_save_sensor(void *engine, const struct sensor *s, struct err *e)
{
	struct duckdb *d = engine;
	struct err rolling;

	if (!may_write(d, e))
		return false;
	if (duck_run(d->writer, "BEGIN", e) && save_sensor(d, s, e) && duck_run(d->writer, "COMMIT", e))
		return true;
	(void)duck_run(d->writer, "ROLLBACK", &rolling);        /* what failed is already told */
	return false;
}

static bool fill_cube(struct cube *c, struct duck_con *con, const char *sql, struct err *e)
{
	struct duck_rows *r;

	if (!duck_query(con, sql, NULL, 0, &r, e))
		return false;
	for (size_t n = duck_next(r); n; n = duck_next(r))
		for (size_t i = 0; i < n; i++)
			cube_tell(c, (struct place_of){ (uint32_t)duck_numbers(r, 0)[i], (uint16_t)duck_numbers(r, 1)[i],
				(uint16_t)duck_numbers(r, 2)[i], duck_numbers(r, 3)[i] });
	duck_done(r);
	c->filled = true;
	return true;
}

/* The cube that holds what is wanted, whoever else fills it; NULL: none does. */
static struct cube *cube_for(struct duckdb *d, const struct want *w)
{
	struct want of_all = *w;
	bool freed = w->by.until == 1;

	if (freed)
		of_all.by = (struct by){ 0, 0 };
	return w->question->each != EACH_PORT || !sql_from_port_day(&of_all) ? NULL : freed ? &d->freed : &d->cube;
}

/* *answered: from memory. Filling costs as much as two questions, so the first one is left to the file: a command asks
 * once, and who asks again goes on asking. The cube's lock also keeps two questions from filling it at the same time. */
static bool try_cube(struct duckdb *d, struct duck_con *con, const struct want *w, cell_fn *fn, void *to, bool *answered,
	struct err *e)
{
	struct cube *c = cube_for(d, w);
	bool ok = true;

	*answered = false;
	if (!c)
		return true;
	(void)pthread_mutex_lock(&c->lock);
	if (c == &d->freed && strcmp(d->freed_of, w->scanners->id) != 0) {      /* nobody reads it: the list changes between questions */
		cube_forget(c);
		memcpy(d->freed_of, w->scanners->id, sizeof d->freed_of);
	}
	bool wait = c->asked++ < ASKED_FIRST;
	if (!wait && !c->filled)
		ok = fill_cube(c, con, c == &d->freed ? sql_freed : sql_cube, e);
	(void)pthread_mutex_unlock(&c->lock);
	if (ok && !wait && cube_ready(c)) {
		(void)cube_cells(c, w, fn, to);
		*answered = true;
	}
	return ok;
}

static bool duckdb_cells(void *engine, const struct want *w, cell_fn *fn, void *to, struct err *e)
{
	struct duckdb *d = engine;
	struct duck_con *con = duck_connect(d->duck, e);
	struct buf sql = buf_make(SQL_MAX);
	struct duck_rows *r = NULL;
	struct cell cells[DUCK_BLOCK];
	bool ok = false, answered = false;

	if (!con)
		return false;
	if (!try_cube(d, con, w, fn, to, &answered, e) || answered) {
		ok = answered;
		goto out;
	}
	sql_cells(w, &sql);
	if (!sql.ok || !duck_query(con, buf_cstr(&sql), NULL, 0, &r, e))
		goto out;
	for (size_t n = duck_next(r); n; n = duck_next(r)) {
		const uint64_t *hi = duck_numbers(r, 0), *lo = duck_numbers(r, 1), *at = duck_numbers(r, 2);
		const uint64_t *sensor = duck_numbers(r, 3), *packets = duck_numbers(r, 4);

		size_t len = 0;

		for (size_t i = 0; i < n; i++) {
			struct key key = { hi[i], lo[i] };

			if (want_takes(w, &key))
				cells[len++] = (struct cell){ key, w->grain == GRAIN_DAY ? calendar_day_start(w->zone, (uint32_t)at[i]) :
					(minute_t)at[i], (uint16_t)sensor[i], packets[i] };
		}
		if (!fn(to, cells, len))
			break;
	}
	ok = true;
out:
	duck_done(r);
	buf_release(&sql);
	duck_disconnect(con);
	return ok;
}

/* Reads (key, numbers...) rows into out, found by key. */
static bool totals_part(struct duck_con *con, struct buf *sql, bool sources, const struct want *w, struct total *out, struct err *e)
{
	struct duck_rows *r;

	if (!sql->ok)
		return err_set(e, "the question is too long for the database");
	if (!duck_query(con, buf_cstr(sql), NULL, 0, &r, e))
		return false;
	for (size_t n = duck_next(r), at = 0; n; n = duck_next(r))
		for (size_t i = 0; i < n; i++) {
			struct key k = { duck_numbers(r, 0)[i], duck_numbers(r, 1)[i] };

			while (at < w->only_len && key_cmp(&w->only[at], &k) < 0)       /* both ascend */
				at++;
			if (at == w->only_len || key_cmp(&w->only[at], &k) != 0)
				continue;
			if (sources) {
				out[at].sources = duck_numbers(r, 2)[i];
			} else {
				out[at].packets = duck_numbers(r, 2)[i];
				out[at].bytes = duck_numbers(r, 3)[i];
				out[at].sensors = (unsigned)duck_numbers(r, 4)[i];
			}
		}
	duck_done(r);
	return true;
}

static bool duckdb_totals(void *engine, const struct want *w, struct total *out, struct err *e)
{
	struct duckdb *d = engine;
	struct duck_con *con = duck_connect(d->duck, e);
	struct buf counts = buf_make(SQL_MAX), sources = buf_make(SQL_MAX);

	if (!con)
		return false;
	for (size_t i = 0; i < w->only_len; i++)
		out[i] = (struct total){ .key = w->only[i] };
	sql_counts(w, &counts);
	sql_sources(w, &sources);
	bool ok = totals_part(con, &counts, false, w, out, e) && totals_part(con, &sources, true, w, out, e);
	buf_release(&counts);
	buf_release(&sources);
	duck_disconnect(con);
	return ok;
}

static struct tuple row_tuple(struct duck_rows *r, size_t i)
{
	return (struct tuple){
		.minute = (minute_t)duck_numbers(r, 0)[i], .src = addr_of(duck_numbers(r, 2)[i], duck_numbers(r, 3)[i]),
		.proto = (uint8_t)duck_numbers(r, 4)[i], .port = (uint16_t)duck_numbers(r, 5)[i],
		.flags = (uint8_t)duck_numbers(r, 6)[i], .mark = (uint8_t)duck_numbers(r, 7)[i],
		.kind = (uint8_t)duck_numbers(r, 8)[i], .packets = (uint32_t)duck_numbers(r, 9)[i], .bytes = duck_numbers(r, 10)[i],
		.sport = (uint16_t)duck_numbers(r, 11)[i], .ttl = (uint8_t)duck_numbers(r, 12)[i],
		.dsts = (uint8_t)duck_numbers(r, 13)[i],
	};
}

/* Hands over runs of rows of one sensor. */
static bool duckdb_rows(void *engine, const struct want *w, const struct book *book, row_fn *fn, void *to, struct err *e)
{
	struct duckdb *d = engine;
	struct duck_con *con = duck_connect(d->duck, e);
	struct buf sql = buf_make(SQL_MAX);
	struct duck_rows *r = NULL;
	struct tuple tuples[DUCK_BLOCK];
	bool ok = false, go_on = true;

	if (!con)
		return false;
	sql_rows(w, &sql);
	if (!sql.ok || !duck_query(con, buf_cstr(&sql), NULL, 0, &r, e))
		goto out;
	for (size_t n = duck_next(r); n && go_on; n = duck_next(r))
		for (size_t i = 0, from = 0; i < n && go_on; i++) {
			const uint64_t *sensor = duck_numbers(r, 1);

			tuples[i] = row_tuple(r, i);
			if (i + 1 == n || sensor[i + 1] != sensor[i]) {
				go_on = fn(to, book->sensors[sensor[i] - 1].name, tuples + from, i + 1 - from);
				from = i + 1;
			}
		}
	ok = true;
out:
	duck_done(r);
	buf_release(&sql);
	duck_disconnect(con);
	return ok;
}

static bool duckdb_check(void *engine, const struct zone *z, uint64_t *differences, struct buf *report, struct err *e)
{
	struct duckdb *d = engine;
	struct duck_con *con = duck_connect(d->duck, e);
	bool ok = con != NULL;

	(void)z;
	*differences = 0;
	for (size_t i = 0; ok && sql_checks[i].name; i++) {
		struct duck_rows *r;

		ok = duck_query(con, sql_checks[i].sql, NULL, 0, &r, e);
		if (!ok)
			break;
		uint64_t n = duck_next(r) ? *duck_numbers(r, 0) : 1;
		duck_done(r);
		*differences += n;
		buf_printf(report, "%-16s %s\n", sql_checks[i].name, n ? "DIFFERS" : "agrees with the rows");
		if (n)
			buf_printf(report, "%-16s %llu unequal rows\n", "", (unsigned long long)n);
	}
	duck_disconnect(con);
	return ok;
}

const struct engine_ops engine_duckdb = {
	.open = duckdb_engine_open,
	.close = duckdb_engine_close,
	.commit = duckdb_commit,
	.reopen = duckdb_engine_reopen,
	.pending = duckdb_pending,
	.ripe = duckdb_ripe,
	.active = duckdb_active,
	.states = duckdb_states,
	.rises = duckdb_rises,
	.settle = duckdb_settle,
	.close_days = duckdb_close_days,
	.weights = duckdb_weights,
	.robust = duckdb_robust,
	.findings = duckdb_findings,
	.hours = duckdb_hours,
	.reckoned_until = duckdb_reckoned_until,
	.reckon = duckdb_reckon,
	.revisions = duckdb_revisions,
	.revise = duckdb_revise,
	.save_sensor = duckdb_save_sensor,
	.cells = duckdb_cells,
	.totals = duckdb_totals,
	.rows = duckdb_rows,
	.check = duckdb_check,
};
