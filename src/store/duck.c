#include "store/duck.h"

#include "base/err.h"
#include "base/mem.h"

#include <duckdb.h>

struct duck { duckdb_database database; };
struct duck_con { duckdb_connection con; };
struct duck_rows { duckdb_result result; duckdb_data_chunk chunk; };

const char *duck_version(void)
{
	return duckdb_library_version();
}

/* "v1.5.6" → 1.5 or later. */
static bool new_enough(void)
{
	const char *v = duckdb_library_version();
	char *end;
	long major = strtol(v + (*v == 'v'), &end, 10), minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;

	return major > 1 || (major == 1 && minor >= 5);
}

struct duck *duck_open(const char *path, bool read_only, struct err *e)
{
	static const char *const settings[][2] = {
		{ "checkpoint_threshold", "64MB" },     /* measured: fewer, longer pauses; replay of the rest stays quick */
		{ "memory_limit", "1GB" },
		{ "autoinstall_known_extensions", "false" },
		{ "autoload_known_extensions", "false" },
	};
	struct duck *d = mem_zero(1, sizeof *d);
	duckdb_config config;
	char *why = NULL;

	if (!new_enough()) {
		err_set(e, "DuckDB %s is too old: it can lose data on a full disk", duckdb_library_version());
		err_expected(e, "1.5 or later");
		goto failed;
	}
	if (duckdb_create_config(&config) != DuckDBSuccess)
		abort();        /* only for want of memory */
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		(void)duckdb_set_config(config, settings[i][0], settings[i][1]);
	if (read_only)
		(void)duckdb_set_config(config, "access_mode", "READ_ONLY");
	duckdb_state state = duckdb_open_ext(path, &d->database, config, &why);
	duckdb_destroy_config(&config);
	if (state == DuckDBSuccess)
		return d;
	err_set(e, "cannot open %s: %.200s", path, why ? why : "no reason given");
	duckdb_free(why);
failed:
	free(d);
	return NULL;
}

void duck_close(struct duck *d)
{
	if (!d)
		return;
	duckdb_close(&d->database);
	free(d);
}

struct duck_con *duck_connect(struct duck *d, struct err *e)
{
	struct duck_con *c = mem_zero(1, sizeof *c);

	if (duckdb_connect(d->database, &c->con) == DuckDBSuccess)
		return c;
	free(c);
	err_set(e, "cannot connect to the database");
	return NULL;
}

void duck_disconnect(struct duck_con *c)
{
	if (!c)
		return;
	duckdb_disconnect(&c->con);
	free(c);
}

bool duck_run(struct duck_con *c, const char *sql, struct err *e)
{
	duckdb_result result;
	duckdb_state state = duckdb_query(c->con, sql, &result);

	if (state != DuckDBSuccess)
		err_set(e, "database: %.240s", duckdb_result_error(&result));
	duckdb_destroy_result(&result);
	return state == DuckDBSuccess;
}

bool duck_query(struct duck_con *c, const char *sql, const uint64_t *params, size_t n, struct duck_rows **rows, struct err *e)
{
	struct duck_rows *r = mem_zero(1, sizeof *r);
	duckdb_prepared_statement statement = NULL;
	bool ok = false;

	if (duckdb_prepare(c->con, sql, &statement) != DuckDBSuccess) {
		err_set(e, "database: %.240s", duckdb_prepare_error(statement));
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		if (duckdb_bind_uint64(statement, i + 1, params[i]) != DuckDBSuccess) {
			err_set(e, "database: parameter %zu does not fit its statement", i + 1);
			goto out;
		}
	if (duckdb_execute_prepared(statement, &r->result) != DuckDBSuccess) {
		err_set(e, "database: %.240s", duckdb_result_error(&r->result));
		goto out;
	}
	ok = true;
out:
	duckdb_destroy_prepare(&statement);
	if (ok && rows)
		*rows = r;
	else
		duck_done(r);
	return ok;
}

size_t duck_next(struct duck_rows *r)
{
	do {
		duckdb_destroy_data_chunk(&r->chunk);
		r->chunk = duckdb_fetch_chunk(r->result);
	} while (r->chunk && duckdb_data_chunk_get_size(r->chunk) == 0);
	return r->chunk ? (size_t)duckdb_data_chunk_get_size(r->chunk) : 0;
}

const uint64_t *duck_numbers(struct duck_rows *r, size_t column)
{
	return duckdb_vector_get_data(duckdb_data_chunk_get_vector(r->chunk, column));
}

void duck_text(struct duck_rows *r, size_t column, size_t row, char *out, size_t cap)
{
	duckdb_string_t *texts = duckdb_vector_get_data(duckdb_data_chunk_get_vector(r->chunk, column));
	size_t len = duckdb_string_t_length(texts[row]);

	len = len < cap ? len : cap - 1;
	memcpy(out, duckdb_string_t_data(&texts[row]), len);
	out[len] = '\0';
}

void duck_done(struct duck_rows *r)
{
	if (!r)
		return;
	duckdb_destroy_data_chunk(&r->chunk);
	duckdb_destroy_result(&r->result);
	free(r);
}

static void narrow(duckdb_type type, void *to, const uint64_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		switch (type) {
		case DUCKDB_TYPE_UTINYINT: ((uint8_t *)to)[i] = (uint8_t)from[i]; break;
		case DUCKDB_TYPE_USMALLINT: ((uint16_t *)to)[i] = (uint16_t)from[i]; break;
		case DUCKDB_TYPE_UINTEGER: ((uint32_t *)to)[i] = (uint32_t)from[i]; break;
		default: ((uint64_t *)to)[i] = from[i]; break;
		}
}

static bool append_block(duckdb_appender appender, duckdb_data_chunk chunk, const duckdb_type *types, size_t columns, size_t at,
	size_t count, duck_fill_fn *fill, const void *from_where)
{
	uint64_t block[DUCK_BLOCK];

	duckdb_data_chunk_reset(chunk);
	for (size_t k = 0; k < columns; k++) {
		fill(from_where, k, at, count, block);
		narrow(types[k], duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, k)), block, count);
	}
	duckdb_data_chunk_set_size(chunk, count);
	return duckdb_append_data_chunk(appender, chunk) == DuckDBSuccess;
}

bool duck_append(struct duck_con *c, const char *table, size_t n, duck_fill_fn *fill, const void *from_where, struct err *e)
{
	enum { COLUMNS_MAX = 32 };
	duckdb_logical_type logical[COLUMNS_MAX];
	duckdb_type types[COLUMNS_MAX];
	duckdb_appender appender = NULL;
	duckdb_data_chunk chunk = NULL;
	bool ok = false;
	size_t columns = 0;

	if (n == 0)
		return true;
	if (duckdb_appender_create(c->con, NULL, table, &appender) != DuckDBSuccess)
		goto out;
	columns = duckdb_appender_column_count(appender);
	for (size_t i = 0; i < columns && i < COLUMNS_MAX; i++) {
		logical[i] = duckdb_appender_column_type(appender, i);
		types[i] = duckdb_get_type_id(logical[i]);
	}
	chunk = duckdb_create_data_chunk(logical, columns);
	ok = true;
	for (size_t at = 0; ok && at < n; at += DUCK_BLOCK)
		ok = append_block(appender, chunk, types, columns, at, n - at < DUCK_BLOCK ? n - at : DUCK_BLOCK, fill, from_where);
	ok = ok && duckdb_appender_flush(appender) == DuckDBSuccess;
out:
	if (!ok)
		err_set(e, "database: %.240s", duckdb_appender_error(appender) ? duckdb_appender_error(appender) : "append failed");
	for (size_t i = 0; i < columns; i++)
		duckdb_destroy_logical_type(&logical[i]);
	duckdb_destroy_data_chunk(&chunk);
	(void)duckdb_appender_destroy(&appender);       /* also when it failed; what was not flushed is dropped with it */
	return ok;
}
