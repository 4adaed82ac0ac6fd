/* How fast rows go in, beside DuckDB's own appender on the same rows and the same commits, and what they weigh. Ratios are
 * taken pair by pair, because machines drift. Usage: bench-store DIR */
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/duck.h"
#include "store/store.h"

#include <sys/stat.h>
#include <unistd.h>

enum { SENSORS = 20, DAYS = 60, ROWS = 600 /* a sensor and day */, PAIRS = 5, GROUP = SENSORS /* batches: 12,000 rows */ };

static uint64_t seed = 42;

static uint64_t chance(void)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Ports by a long tail, sources that come again: near to what sensors see. */
static struct batch make_batch(unsigned sensor, unsigned day)
{
	minute_t from = (13149 + day) * MINUTES_PER_DAY;
	struct batch b = { .epoch = 1, .serial = day, .span = { from, from + MINUTES_PER_DAY }, .seen = ROWS };

	(void)snprintf(b.sensor, sizeof b.sensor, "sensor-%02u", sensor);
	watch_add(&b.watched, (struct run){ from, from + MINUTES_PER_DAY, 60 });
	for (unsigned i = 0; i < ROWS; i++) {
		uint64_t r = chance();
		struct tuple t = { .minute = from + (minute_t)(i * MINUTES_PER_DAY / ROWS), .proto = PROTO_TCP, .flags = TCP_SYN,
			.port = (uint16_t)(65535u / (1 + r % 5000)), .packets = 1 + (uint32_t)(r >> 60), .bytes = 40, .ttl = (uint8_t)(r >> 20),
			.sport = (uint16_t)(r >> 30), .dsts = 1 };

		t.src = addr_v4((uint32_t)(0x01000000 + (chance() % 300000) * 7919));
		batch_add(&b, &t);
	}
	return b;
}

static void must(bool ok, const struct err *e)
{
	char text[ERR_TEXT_MAX];

	if (ok)
		return;
	(void)fprintf(stderr, "bench: %s\n", err_text(e, text));
	exit(1);
}

static double seconds_since(uint64_t start_us)
{
	return (double)(clock_steady_us() - start_us) / 1e6;
}

static double put_all(const char *path, const struct batch *batches)
{
	char address[PATH_TEXT_MAX];
	const struct batch *list[GROUP];
	enum stored each[GROUP];
	struct err e = { 0 };

	(void)snprintf(address, sizeof address, "duckdb:%s", path);
	struct store *s = store_open(address, "UTC", NULL, &e);
	must(s != NULL, &e);
	uint64_t start = clock_steady_us();
	for (unsigned day = 0; day < DAYS; day++) {
		for (unsigned i = 0; i < GROUP; i++)
			list[i] = &batches[day * SENSORS + i];
		must(store_put(s, list, GROUP, each, &e), &e);
	}
	double seconds = seconds_since(start);
	store_close(s);
	return seconds;
}

struct day_rows { const struct batch *batches; unsigned day; };

static void fill(const void *from_where, size_t column, size_t from, size_t count, uint64_t *out)
{
	const struct day_rows *d = from_where;

	for (size_t i = 0; i < count; i++) {
		size_t sensor = (from + i) / ROWS;
		const struct tuple *t = &d->batches[d->day * SENSORS + sensor].rows[(from + i) % ROWS];
		const uint64_t columns[] = { d->day, t->minute, t->minute / 60 * 60, t->minute / MINUTES_PER_DAY, sensor + 1, addr_hi(&t->src),
			addr_lo(&t->src), 0x5a5a, 0, t->proto, t->port, t->flags, t->mark, t->kind, t->packets, t->bytes, t->sport, t->ttl, t->dsts };

		out[i] = columns[column];
	}
}

/* The same rows into the same table, nothing else: what the engine alone can do. */
static double append_all(const char *path, const struct batch *batches)
{
	struct err e = { 0 };
	struct duck *d = duck_open(path, false, &e);
	must(d != NULL, &e);
	struct duck_con *c = duck_connect(d, &e);
	must(c != NULL, &e);
	must(duck_run(c, "CREATE TABLE tuple (batch UINTEGER, minute UINTEGER, hour UINTEGER, day USMALLINT, sensor USMALLINT, hi UBIGINT,"
		" lo UBIGINT, region USMALLINT, as_number UINTEGER, proto UTINYINT, port USMALLINT, flags UTINYINT, mark UTINYINT,"
		" kind UTINYINT, packets UINTEGER, bytes UBIGINT, sport USMALLINT, ttl UTINYINT, dsts UTINYINT)", &e), &e);
	uint64_t start = clock_steady_us();
	for (unsigned day = 0; day < DAYS; day++) {
		struct day_rows rows = { batches, day };

		must(duck_run(c, "BEGIN", &e) && duck_append(c, "tuple", SENSORS * ROWS, fill, &rows, &e) && duck_run(c, "COMMIT", &e), &e);
	}
	double seconds = seconds_since(start);
	duck_disconnect(c);
	duck_close(d);
	return seconds;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *list)
{
	qsort(list, PAIRS, sizeof *list, ascending);
	return list[PAIRS / 2];
}

static double file_bytes(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (double)st.st_size : 0;
}

int main(int argc, char **argv)
{
	struct batch *batches = mem_zero(SENSORS * DAYS, sizeof *batches);
	double ours[PAIRS], theirs[PAIRS], ratios[PAIRS], ours_bytes = 0, theirs_bytes = 0, rows = (double)SENSORS * DAYS * ROWS;
	char a[PATH_TEXT_MAX], b[PATH_TEXT_MAX];

	if (argc != 2)
		return 2;
	for (unsigned day = 0; day < DAYS; day++)
		for (unsigned s = 0; s < SENSORS; s++)
			batches[day * SENSORS + s] = make_batch(s, day);
	for (int i = 0; i < PAIRS; i++) {
		(void)snprintf(a, sizeof a, "%s/ours-%d.duckdb", argv[1], i);
		(void)snprintf(b, sizeof b, "%s/appender-%d.duckdb", argv[1], i);
		ours[i] = put_all(a, batches);
		theirs[i] = append_all(b, batches);
		ratios[i] = theirs[i] / ours[i];
		ours_bytes = file_bytes(a);
		theirs_bytes = file_bytes(b);
		(void)unlink(a);
		(void)unlink(b);
	}
	double ratio = median(ratios);
	printf("%-46s %12.0f rows/s\n", "into the store, with ledger and 7 roll-ups", rows / median(ours));
	printf("%-46s %12.0f rows/s\n", "DuckDB's appender alone, same rows and commits", rows / median(theirs));
	printf("%-46s %12.2f\n", "the first of the second (median of 5 pairs)", ratio);
	printf("%-46s %12.1f bytes\n", "a row with its roll-ups", ours_bytes / rows);
	printf("%-46s %12.1f bytes\n", "a row alone, appender's file", theirs_bytes / rows);
	for (unsigned i = 0; i < SENSORS * DAYS; i++)
		batch_release(&batches[i]);
	free(batches);
	return 0;
}
