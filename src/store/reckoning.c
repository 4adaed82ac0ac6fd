#include "store/reckoning.h"

#include "base/err.h"
#include "store/duck.h"
#include "store/duckdb_sql.h"

/* So many rows are looked through at a time, those of other sources in another pass: what a pass remembers has to fit into memory. */
enum { PASS_ROWS = 3 << 20, HOUR = 60 };

static struct span whole_hours(struct span s)
{
	return (struct span){ s.from - s.from % HOUR, (s.until + HOUR - 1) / HOUR * HOUR };
}

bool reckoning_touch(struct duck_con *writer, struct span hours, struct err *e)
{
	struct span h = whole_hours(hours);
	uint64_t given[] = { h.from, h.until };

	return duck_query(writer, sql_touch, given, 2, NULL, e) && duck_query(writer, sql_touch_later, given, 2, NULL, e);
}

/* The first hours of the list that lie together. */
static bool earliest(struct duck_con *writer, minute_t until, struct span *what, struct err *e)
{
	uint64_t given[] = { until >= HOUR ? until - HOUR : 0 };
	struct duck_rows *r;

	*what = (struct span){ 0, 0 };
	if (until < HOUR || !duck_query(writer, sql_touched, given, 1, &r, e))
		return until < HOUR;
	for (size_t n = duck_next(r), go_on = 1; n && go_on; n = duck_next(r))
		for (size_t i = 0; i < n && go_on; i++) {
			minute_t hour = (minute_t)duck_numbers(r, 0)[i];

			if (what->until == 0)
				*what = (struct span){ hour, hour };
			go_on = hour == what->until && what->until - what->from < RECKON_HOURS_MAX * HOUR;
			what->until += go_on ? HOUR : 0;
		}
	duck_done(r);
	return true;
}

static bool number_of(struct duck_con *writer, const char *sql, const uint64_t *given, size_t n, uint64_t *out, struct err *e)
{
	struct duck_rows *r;

	if (!duck_query(writer, sql, given, n, &r, e))
		return false;
	*out = duck_next(r) ? *duck_numbers(r, 0) : 0;
	duck_done(r);
	return true;
}

/* seen: the hours, and a day before them. */
static bool reckon_sources(struct duck_con *writer, struct span hours, struct span seen, uint64_t passes, uint64_t pass, struct err *e)
{
	uint64_t here[] = { hours.from, hours.until, passes, pass }, around[] = { seen.from, seen.until, passes, pass, hours.from };

	return duck_run(writer, "TRUNCATE sighted", e) && duck_query(writer, sql_sighted, here, 4, NULL, e) && duck_run(writer, sql_reckon_sensors, e) &&
		duck_run(writer, sql_reckon_packets, e) && duck_query(writer, sql_reckon_new, around, 5, NULL, e);
}

static bool reckon(struct duck_con *writer, struct span hours, struct err *e)
{
	struct span seen = { hours.from > RECKON_DAY ? hours.from - RECKON_DAY : 0, hours.until };
	uint64_t rows, around[] = { seen.from, seen.until }, here[] = { hours.from, hours.until };
	bool ok = number_of(writer, sql_rows_between, around, 2, &rows, e) &&
		duck_query(writer, "DELETE FROM source_hour WHERE hour >= $1 AND hour < $2", here, 2, NULL, e) &&
		duck_query(writer, "DELETE FROM new_hour WHERE hour >= $1 AND hour < $2", here, 2, NULL, e);

	for (uint64_t pass = 0, passes = ok ? 1 + rows / PASS_ROWS : 0; ok && pass < passes; pass++)
		ok = reckon_sources(writer, hours, seen, passes, pass, e);
	return ok && duck_run(writer, "TRUNCATE sighted", e) && duck_query(writer, "DELETE FROM touched WHERE hour >= $1 AND hour < $2", here, 2, NULL, e);
}

bool reckoning_do(struct duck_con *writer, minute_t until, struct span *what, struct err *e)
{
	struct err rolling;

	if (!earliest(writer, until, what, e))
		return false;
	if (what->until == what->from)
		return true;
	if (duck_run(writer, "BEGIN", e) && reckon(writer, *what, e) && duck_run(writer, "COMMIT", e))
		return true;
	(void)duck_run(writer, "ROLLBACK", &rolling);   /* what failed is already told */
	return false;
}
