#include "store/duck.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

#include <assert.h>
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include <duckdb.h>

/* The library is loaded when a store of it is first opened: a sensor, which has none, carries neither its pages nor the time
 * to load them. */
#define CALLS(X) X(append_data_chunk) X(appender_column_count) X(appender_column_type) X(appender_create) \
	X(appender_destroy) X(appender_error) X(appender_flush) X(bind_uint64) X(close) X(connect) X(create_config) \
	X(create_logical_type) X(create_scalar_function) X(destroy_scalar_function) X(register_scalar_function) \
	X(scalar_function_add_parameter) X(scalar_function_get_extra_info) X(scalar_function_set_extra_info) \
	X(scalar_function_set_function) X(scalar_function_set_name) X(scalar_function_set_return_type) \
	X(create_data_chunk) X(data_chunk_get_size) X(data_chunk_get_vector) X(data_chunk_reset) X(data_chunk_set_size) \
	X(destroy_config) X(destroy_data_chunk) X(destroy_logical_type) X(destroy_prepare) X(destroy_result) X(disconnect) \
	X(execute_prepared) X(fetch_chunk) X(free) X(get_type_id) X(library_version) X(open_ext) X(prepare) X(prepare_error) \
	X(query) X(result_error) X(set_config) X(string_t_data) X(string_t_length) X(vector_assign_string_element_len) X(vector_get_data)
#define POINTER(name) __typeof__(duckdb_##name) *name;
#define PLACE(name) { "duckdb_" #name, &calls.name },

static struct { CALLS(POINTER) } calls;
static struct { const char *name; void *place; } const places[] = { CALLS(PLACE) };

static pthread_once_t loading = PTHREAD_ONCE_INIT;
static struct err why_not;
static bool loaded;

/* Beside the program, as built or as installed; else wherever the system finds it. */
static void *find_library(void)
{
	static const char *const where[] = { "../deps/duckdb", "../lib/teiten" };
	char program[PATH_TEXT_MAX], folder[PATH_TEXT_MAX], path[PATH_TEXT_MAX + 64];
	ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
	void *library = NULL;

	program[len > 0 ? len : 0] = '\0';
	file_folder(folder, program);
	for (size_t i = 0; len > 0 && !library && i < sizeof where / sizeof *where; i++) {
		(void)snprintf(path, sizeof path, "%s/%s/libduckdb.so", folder, where[i]);
		library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	}
	return library ? library : dlopen("libduckdb.so", RTLD_LAZY | RTLD_LOCAL);
}

static void load(void)
{
	void *library = find_library(), *symbol;

	for (size_t i = 0; library && i < sizeof places / sizeof *places; i++) {
		if (!(symbol = dlsym(library, places[i].name))) {
			err_set(&why_not, "DuckDB's library is too old: it has no %s", places[i].name);
			err_expected(&why_not, "1.5 or later");
			return;
		}
		memcpy(places[i].place, &symbol, sizeof symbol);
	}
	loaded = library != NULL;
	if (loaded)
		return;
	err_set(&why_not, "DuckDB's library cannot be loaded: %.200s", dlerror());
	err_expected(&why_not, "libduckdb.so where `make install` puts it, ../lib/teiten beside the program, or where LD_LIBRARY_PATH says");
}

bool duck_prepare(struct err *e)
{
	(void)pthread_once(&loading, load);
	if (!loaded)
		*e = why_not;
	return loaded;
}

struct duck { duckdb_database database; };
struct duck_con { duckdb_connection con; };
struct duck_rows { duckdb_result result; duckdb_data_chunk chunk; };

/* "v1.5.6" → 1.5 or later. */
static bool new_enough(void)
{
	const char *v = calls.library_version();
	char *end;
	long major = strtol(v + (*v == 'v'), &end, 10), minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;

	return major > 1 || (major == 1 && minor >= 5);
}

struct duck *duck_open(const char *path, bool read_only, struct err *e)
{
	static const char *const settings[][2] = {
		{ "checkpoint_threshold", "64MB" },     /* measured: fewer, longer pauses; replay of the rest stays quick */
		{ "memory_limit", "180MB" },
		{ "allocator_background_threads", "true" },
		{ "allocator_flush_threshold", "16MB" },
		{ "allocator_bulk_deallocation_flush_threshold", "32MB" },
		{ "autoinstall_known_extensions", "false" },
		{ "autoload_known_extensions", "false" },
	};
	struct duck *d = mem_zero(1, sizeof *d);
	duckdb_config config;
	char *why = NULL;

	if (!duck_prepare(e))
		goto failed;
	if (!new_enough()) {
		err_set(e, "DuckDB %s is too old: it can lose data on a full disk", calls.library_version());
		err_expected(e, "1.5 or later");
		goto failed;
	}
	if (calls.create_config(&config) != DuckDBSuccess)
		abort();        /* only for want of memory */
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		(void)calls.set_config(config, settings[i][0], settings[i][1]);
	if (read_only)
		(void)calls.set_config(config, "access_mode", "READ_ONLY");
	duckdb_state state = calls.open_ext(path, &d->database, config, &why);
	calls.destroy_config(&config);
	if (state == DuckDBSuccess)
		return d;
	err_set(e, "cannot open %s: %.200s", path, why ? why : "no reason given");
	calls.free(why);
failed:
	free(d);
	return NULL;
}

void duck_close(struct duck *d)
{
	if (!d)
		return;
	calls.close(&d->database);
	free(d);
}

struct duck_con *duck_connect(struct duck *d, struct err *e)
{
	struct duck_con *c = mem_zero(1, sizeof *c);

	if (calls.connect(d->database, &c->con) == DuckDBSuccess)
		return c;
	free(c);
	err_set(e, "cannot connect to the database");
	return NULL;
}

void duck_disconnect(struct duck_con *c)
{
	if (!c)
		return;
	calls.disconnect(&c->con);
	free(c);
}

static void call_function(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
	const struct duck_function *f = calls.scalar_function_get_extra_info(info);
	const uint64_t *columns[DUCK_PARAMS_MAX];

	for (unsigned i = 0; i < f->columns; i++)
		columns[i] = calls.vector_get_data(calls.data_chunk_get_vector(input, i));
	f->fill(f->of, columns, (size_t)calls.data_chunk_get_size(input), calls.vector_get_data(output));
}

bool duck_teach(struct duck_con *c, const struct duck_function *f, struct err *e)
{
	duckdb_scalar_function function = calls.create_scalar_function();
	duckdb_logical_type number = calls.create_logical_type(DUCKDB_TYPE_UBIGINT);

	assert(f->columns <= DUCK_PARAMS_MAX);
	calls.scalar_function_set_name(function, f->name);
	for (unsigned i = 0; i < f->columns; i++)
		calls.scalar_function_add_parameter(function, number);
	calls.scalar_function_set_return_type(function, number);
	calls.scalar_function_set_extra_info(function, (void *)(uintptr_t)f, NULL);
	calls.scalar_function_set_function(function, call_function);
	bool ok = calls.register_scalar_function(c->con, function) == DuckDBSuccess;
	calls.destroy_logical_type(&number);
	calls.destroy_scalar_function(&function);
	return ok || err_set(e, "the database does not take the function %s", f->name);
}

bool duck_run(struct duck_con *c, const char *sql, struct err *e)
{
	duckdb_result result;
	duckdb_state state = calls.query(c->con, sql, &result);

	if (state != DuckDBSuccess)
		err_set(e, "database: %.240s", calls.result_error(&result));
	calls.destroy_result(&result);
	return state == DuckDBSuccess;
}

bool duck_query(struct duck_con *c, const char *sql, const uint64_t *params, size_t n, struct duck_rows **rows, struct err *e)
{
	struct duck_rows *r = mem_zero(1, sizeof *r);
	duckdb_prepared_statement statement = NULL;
	bool ok = false;

	if (calls.prepare(c->con, sql, &statement) != DuckDBSuccess) {
		err_set(e, "database: %.240s", calls.prepare_error(statement));
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		if (calls.bind_uint64(statement, i + 1, params[i]) != DuckDBSuccess) {
			err_set(e, "database: parameter %zu does not fit its statement", i + 1);
			goto out;
		}
	if (calls.execute_prepared(statement, &r->result) != DuckDBSuccess) {
		err_set(e, "database: %.240s", calls.result_error(&r->result));
		goto out;
	}
	ok = true;
out:
	calls.destroy_prepare(&statement);
	if (ok && rows)
		*rows = r;
	else
		duck_done(r);
	return ok;
}

size_t duck_next(struct duck_rows *r)
{
	do {
		calls.destroy_data_chunk(&r->chunk);
		r->chunk = calls.fetch_chunk(r->result);
	} while (r->chunk && calls.data_chunk_get_size(r->chunk) == 0);
	return r->chunk ? (size_t)calls.data_chunk_get_size(r->chunk) : 0;
}

const uint64_t *duck_numbers(struct duck_rows *r, size_t column)
{
	return calls.vector_get_data(calls.data_chunk_get_vector(r->chunk, column));
}

const double *duck_reals(struct duck_rows *r, size_t column)
{
	return calls.vector_get_data(calls.data_chunk_get_vector(r->chunk, column));
}

void duck_text(struct duck_rows *r, size_t column, size_t row, char *out, size_t cap)
{
	duckdb_string_t *texts = calls.vector_get_data(calls.data_chunk_get_vector(r->chunk, column));
	size_t len = calls.string_t_length(texts[row]);

	len = len < cap ? len : cap - 1;
	memcpy(out, calls.string_t_data(&texts[row]), len);
	out[len] = '\0';
}

const uint8_t *duck_bytes(struct duck_rows *r, size_t column, size_t row, size_t *len)
{
	duckdb_string_t *blobs = calls.vector_get_data(calls.data_chunk_get_vector(r->chunk, column));

	*len = calls.string_t_length(blobs[row]);
	return (const uint8_t *)calls.string_t_data(&blobs[row]);
}

void duck_done(struct duck_rows *r)
{
	if (!r)
		return;
	calls.destroy_data_chunk(&r->chunk);
	calls.destroy_result(&r->result);
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

static void put_blobs(duckdb_vector vector, const uint64_t *blobs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct duck_blob *b = (const struct duck_blob *)(uintptr_t)blobs[i];

		calls.vector_assign_string_element_len(vector, i, b->at, b->len);
	}
}

static bool append_block(duckdb_appender appender, duckdb_data_chunk chunk, const duckdb_type *types, size_t columns, size_t at,
	size_t count, duck_fill_fn *fill, const void *from_where)
{
	uint64_t block[DUCK_BLOCK];

	calls.data_chunk_reset(chunk);
	for (size_t k = 0; k < columns; k++) {
		duckdb_vector vector = calls.data_chunk_get_vector(chunk, k);

		fill(from_where, k, at, count, block);
		if (types[k] == DUCKDB_TYPE_BLOB || types[k] == DUCKDB_TYPE_VARCHAR)
			put_blobs(vector, block, count);
		else
			narrow(types[k], calls.vector_get_data(vector), block, count);
	}
	calls.data_chunk_set_size(chunk, count);
	return calls.append_data_chunk(appender, chunk) == DuckDBSuccess;
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
	if (calls.appender_create(c->con, NULL, table, &appender) != DuckDBSuccess)
		goto out;
	columns = calls.appender_column_count(appender);
	assert(columns <= COLUMNS_MAX);
	for (size_t i = 0; i < columns; i++) {
		logical[i] = calls.appender_column_type(appender, i);
		types[i] = calls.get_type_id(logical[i]);
	}
	chunk = calls.create_data_chunk(logical, columns);
	ok = true;
	for (size_t at = 0; ok && at < n; at += DUCK_BLOCK)
		ok = append_block(appender, chunk, types, columns, at, n - at < DUCK_BLOCK ? n - at : DUCK_BLOCK, fill, from_where);
	ok = ok && calls.appender_flush(appender) == DuckDBSuccess;
out:
	if (!ok)
		err_set(e, "database: %.240s", calls.appender_error(appender) ? calls.appender_error(appender) : "append failed");
	for (size_t i = 0; i < columns; i++)
		calls.destroy_logical_type(&logical[i]);
	calls.destroy_data_chunk(&chunk);
	(void)calls.appender_destroy(&appender);       /* also when it failed; what was not flushed is dropped with it */
	return ok;
}
