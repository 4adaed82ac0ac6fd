/* duck: the little of DuckDB's C API that we need, and the only includer of duckdb.h.
 *
 * Results come as unsigned 64-bit numbers (queries cast to UBIGINT) or as texts; rows go in as blocks of such numbers and
 * are narrowed to the table's types. */
#ifndef TEITEN_DUCK_H
#define TEITEN_DUCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct duck;            /* a database file that this process holds */
struct duck_con;        /* one connection to it: one thread at a time */
struct duck_rows;       /* the result of a query */

enum { DUCK_BLOCK = 2048, DUCK_PARAMS_MAX = 16 };

/* Loads the library alone, for who gives up reading it before there is a file to open. */
bool duck_prepare(struct err *e);
/* Loads the library when it is the first. Refuses those older than 1.5, which lost data on a full disk. */
struct duck *duck_open(const char *path, bool read_only, struct err *e);
void duck_close(struct duck *d);
struct duck_con *duck_connect(struct duck *d, struct err *e);
void duck_disconnect(struct duck_con *c);

/* A function of ours that statements may call, of some numbers (UBIGINT) to one: fill() answers for n rows, on any of the database's
 * threads. Borrowed until the database is closed. */
typedef void duck_function_fn(const void *of, const uint64_t *const *columns, size_t n, uint64_t *out);
struct duck_function { const char *name; unsigned columns /* at most DUCK_PARAMS_MAX */; duck_function_fn *fill; const void *of; };
bool duck_teach(struct duck_con *c, const struct duck_function *f, struct err *e);

/* Runs statements without parameters and without a result. */
bool duck_run(struct duck_con *c, const char *sql, struct err *e);
/* One statement with parameters $1 to $n bound as UBIGINT; *rows may be NULL for one without result. */
bool duck_query(struct duck_con *c, const char *sql, const uint64_t *params, size_t n, struct duck_rows **rows, struct err *e);
/* The next block of rows: how many, 0 at the end. */
size_t duck_next(struct duck_rows *r);
/* Column of the block: numbers (UBIGINT), valid until the next block. */
const uint64_t *duck_numbers(struct duck_rows *r, size_t column);
const double *duck_reals(struct duck_rows *r, size_t column);           /* of a DOUBLE column */
/* A text of the block, cut to cap; VARCHAR columns only. */
void duck_text(struct duck_rows *r, size_t column, size_t row, char *out, size_t cap);
const uint8_t *duck_bytes(struct duck_rows *r, size_t column, size_t row, size_t *len);    /* of a BLOB column, valid as long */
void duck_done(struct duck_rows *r);

/* Appends n rows to a table: fill() writes rows [from, from + count) of one column as numbers, of a DOUBLE column its bits, of a BLOB or
 * VARCHAR (UTF-8) column duck_blob()s; count <= DUCK_BLOCK. */
struct duck_blob { const void *at; size_t len; };
static inline uint64_t duck_blob(const struct duck_blob *b) { return (uint64_t)(uintptr_t)b; }
typedef void duck_fill_fn(const void *from_where, size_t column, size_t from, size_t count, uint64_t *out);
bool duck_append(struct duck_con *c, const char *table, size_t n, duck_fill_fn *fill, const void *from_where, struct err *e);

#endif
