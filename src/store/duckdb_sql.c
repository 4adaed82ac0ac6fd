#include "store/duckdb_sql.h"

#include "base/bytes.h"
#include "core/calendar.h"
#include "store/days.h"

#include <assert.h>

#define RANKED "(CASE WHEN proto IN (1, 58) THEN port & 65280 ELSE port END)"
#define REACHES "(kind <> 1 OR proto IN (1, 58))"

const char sql_tables[] =
	"CREATE TABLE meta (version UINTEGER, zone VARCHAR, made UBIGINT, first UINTEGER, settled UINTEGER, final UINTEGER, passes UINTEGER, late UBIGINT);"
	"CREATE TABLE sensor (number USMALLINT, name VARCHAR, addresses UINTEGER, grp VARCHAR, region VARCHAR);"
	"CREATE TABLE watched (sensor USMALLINT, from_minute UINTEGER, until_minute UINTEGER, seconds UTINYINT);"
	"CREATE TABLE ledger (batch UINTEGER, sensor USMALLINT, epoch UBIGINT, serial UBIGINT, rows UINTEGER, packets UBIGINT,"
	" seen UBIGINT, lost UBIGINT, from_minute UINTEGER, until_minute UINTEGER, regions UBIGINT);"
	"CREATE TABLE tuple (batch UINTEGER, minute UINTEGER, hour UINTEGER, day USMALLINT, sensor USMALLINT, hi UBIGINT, lo UBIGINT,"
	" region USMALLINT, as_number UINTEGER, proto UTINYINT, port USMALLINT, flags UTINYINT, mark UTINYINT, kind UTINYINT,"
	" packets UINTEGER, bytes UBIGINT, sport USMALLINT, ttl UTINYINT, dsts UTINYINT);"
	/* roll-ups: deltas that are summed when asked */
	"CREATE TABLE port_hour (proto UTINYINT, port USMALLINT, hour UINTEGER, sensor USMALLINT, packets UBIGINT);"
	"CREATE TABLE port_day (proto UTINYINT, port USMALLINT, day USMALLINT, sensor USMALLINT, packets UBIGINT, bytes UBIGINT);"
	"CREATE TABLE region_day (region USMALLINT, day USMALLINT, sensor USMALLINT, packets UBIGINT);"
	"CREATE TABLE port_region_day (proto UTINYINT, port USMALLINT, region USMALLINT, day USMALLINT, sensor USMALLINT,"
	" packets UBIGINT);"
	"CREATE TABLE mark_kind_day (mark UTINYINT, kind UTINYINT, proto UTINYINT, day USMALLINT, sensor USMALLINT, packets UBIGINT);"
	"CREATE TABLE source_day (hi UBIGINT, lo UBIGINT, proto UTINYINT, port USMALLINT, day USMALLINT, packets UBIGINT);"
	"CREATE TABLE mark_source_day (hi UBIGINT, lo UBIGINT, day USMALLINT, bit UTINYINT, packets UBIGINT);"
	/* counted when an hour is over (store/reckoning); a pass a line, summed as well */
	"CREATE TABLE touched (hour UINTEGER);"
	"CREATE TABLE source_hour (proto UTINYINT, port USMALLINT, hour UINTEGER, sensor USMALLINT, sources UINTEGER);"
	"CREATE TABLE new_hour (proto UTINYINT, port USMALLINT, hour UINTEGER, sources UINTEGER, new UINTEGER,"
	" packets UBIGINT, top UBIGINT);"
	/* robust values (store/days): what is to be reckoned, what was when, a port's days, what a sensor's packet weighs, what was odd, and from where
	 * the next days go on */
	"CREATE TABLE unsettled (day USMALLINT, packets UBIGINT);"
	"CREATE TABLE closed (until UINTEGER, minute UINTEGER);"
	"CREATE TABLE robust_day (proto UTINYINT, port USMALLINT, day USMALLINT, theta DOUBLE, se DOUBLE, value DOUBLE, plain DOUBLE,"
	" looked USMALLINT, accepted USMALLINT, flags UTINYINT, revision UINTEGER);"
	"CREATE TABLE robust_weight (proto UTINYINT, port USMALLINT, day USMALLINT, sensor USMALLINT, weight DOUBLE, voice DOUBLE);"
	"CREATE TABLE finding (proto UTINYINT, port USMALLINT, day USMALLINT, kind UTINYINT, up UTINYINT, sensor USMALLINT, packets DOUBLE,"
	" expected DOUBLE, n USMALLINT, of_n USMALLINT, level DOUBLE, other DOUBLE);"
	"CREATE TABLE robust_state (proto UTINYINT, port USMALLINT, day USMALLINT, state BLOB);"
	/* surges (store/history): a line a revision, never changed; proto, port and found name a surge, as it is now it is its last revision */
	"CREATE TABLE surge_revision (proto UTINYINT, port USMALLINT, found UINTEGER, revision UINTEGER, said UBIGINT, hour UINTEGER, reason UTINYINT,"
	" who VARCHAR, alarm UTINYINT, class UTINYINT, state UTINYINT, known UINTEGER, onset UINTEGER, peak UINTEGER, ended UINTEGER, value DOUBLE,"
	" expected DOUBLE, sensors UINTEGER, new_sources UBIGINT, verdict UTINYINT, judge VARCHAR, note VARCHAR);"
	"CREATE VIEW surge AS SELECT * FROM surge_revision QUALIFY row_number() OVER (PARTITION BY proto, port, found ORDER BY revision DESC) = 1";

#define BITS "(SELECT unnest([0, 1, 2, 3, 4])::UTINYINT AS bit)"
#define MARKED(from) "SELECT hi, lo, day, bit, sum(packets)::UBIGINT AS packets FROM " from ", " BITS " WHERE mark >> bit & 1 = 1 GROUP BY ALL"

const char sql_incoming[] =
	"CREATE TEMP TABLE incoming AS SELECT *, 0::USMALLINT AS ranked FROM tuple LIMIT 0;"
	"CREATE TEMP TABLE settling (port UINTEGER);"
	"CREATE TEMP TABLE rising (port UINTEGER, day USMALLINT);"
	"CREATE TEMP TABLE revised (proto UTINYINT, port USMALLINT, day USMALLINT, value DOUBLE, revision UINTEGER);"
	"CREATE TEMP TABLE sighted AS SELECT proto, port, hour, hi, lo, sensor, packets FROM tuple LIMIT 0";

/* What a group adds, and which hours of UTC it touches. */
const char sql_add[] =
	"INSERT INTO port_hour SELECT proto, ranked, hour, sensor, sum(packets) FROM incoming WHERE " REACHES " GROUP BY ALL;"
	"INSERT INTO port_day SELECT proto, ranked, day, sensor, sum(packets), sum(bytes) FROM incoming WHERE " REACHES " GROUP BY ALL;"
	"INSERT INTO region_day SELECT region, day, sensor, sum(packets) FROM incoming WHERE " REACHES " GROUP BY ALL;"
	"INSERT INTO port_region_day SELECT proto, ranked, region, day, sensor, sum(packets) FROM incoming WHERE " REACHES
	" GROUP BY ALL;"
	"INSERT INTO mark_source_day " MARKED("incoming") ";"
	"INSERT INTO mark_kind_day SELECT mark, kind, proto, day, sensor, sum(packets) FROM incoming GROUP BY ALL;"
	"INSERT INTO source_day SELECT hi, lo, proto, ranked, day, sum(packets) FROM incoming WHERE " REACHES " GROUP BY ALL";

const char sql_unsettle[] =
	"INSERT INTO unsettled SELECT day, sum(packets) FROM incoming WHERE " REACHES " GROUP BY day";
/* $1: final; $2: until. */
const char sql_pending[] =
	"SELECT coalesce(min(day), 4294967295)::UBIGINT, count(*) FILTER (WHERE day >= $1)::UBIGINT, coalesce(sum(packets) FILTER (WHERE day < $1), 0)::UBIGINT"
	" FROM unsettled WHERE day < $2";
const char sql_ripe[] = "SELECT coalesce(max(until), 0)::UBIGINT FROM closed WHERE minute <= $1";
const char sql_active[] =
	"SELECT DISTINCT (proto::UBIGINT * 65536 + port)::UBIGINT, coalesce(s.day, 0)::UBIGINT FROM port_day AS d LEFT JOIN robust_state AS s USING (proto, port)"
	" WHERE d.day >= $1 AND d.day < $2 ORDER BY 1";

const char sql_rises[] =
	"SELECT (proto::UBIGINT * 65536 + port)::UBIGINT, day::UBIGINT, sum(packets)::UBIGINT, max(packets)::UBIGINT FROM (SELECT proto, port, day, sum(packets) AS packets"
	" FROM source_day AS s WHERE (proto::UINTEGER * 65536 + port, day) IN (SELECT (port, day) FROM rising) GROUP BY proto, port, day, hi, lo) GROUP BY ALL ORDER BY 1, 2";

#define SETTLING " AND proto::UINTEGER * 65536 + port IN (SELECT port FROM settling)"
const char sql_cube[] =
	"SELECT (proto::UBIGINT * 65536 + port)::UBIGINT, day::UBIGINT, sensor::UBIGINT, sum(packets)::UBIGINT FROM port_day GROUP BY ALL";
const char sql_freed[] =
	"SELECT (proto::UBIGINT * 65536 + " RANKED ")::UBIGINT, day::UBIGINT, sensor::UBIGINT, sum(packets)::UBIGINT FROM tuple"
	" WHERE " REACHES " AND known_scanner(hi, lo, day) = 0 GROUP BY ALL";

/* In order, $1: from. What was there is remembered for its revisions, and goes. */
const char *const sql_settle_before[] = {
	"INSERT INTO revised SELECT proto, port, day, value, revision FROM robust_day WHERE day >= $1" SETTLING,
	"DELETE FROM robust_day WHERE day >= $1" SETTLING, "DELETE FROM robust_weight WHERE day >= $1" SETTLING, "DELETE FROM finding WHERE day >= $1" SETTLING, NULL,
};
/* Only of ports whose states come now. */
const char sql_settle_states[] =
	"DELETE FROM robust_state WHERE proto::UINTEGER * 65536 + port IN (SELECT port FROM settling)";
const char sql_settle_after[] =
	"UPDATE robust_day SET revision = r.revision + (CASE WHEN abs(r.value - robust_day.value) <= 1e-9 * abs(r.value) THEN 0 ELSE 1 END)"
	" FROM revised AS r WHERE robust_day.proto = r.proto AND robust_day.port = r.port AND robust_day.day = r.day;"
	"TRUNCATE revised; TRUNCATE settling";

const char sql_touch[] =
	"INSERT INTO touched SELECT DISTINCT minute - minute % 60 FROM incoming WHERE minute >= $1 AND minute < $2";
const char sql_touch_later[] =
	"INSERT INTO touched SELECT DISTINCT hour FROM new_hour WHERE hour > $1 AND hour < $2 + 1440";
const char sql_touched[] =
	"SELECT DISTINCT hour::UBIGINT FROM touched WHERE hour <= $1 ORDER BY 1";

const char sql_rows_between[] =
	"SELECT count(*)::UBIGINT FROM tuple WHERE minute >= $1 AND minute < $2";

#define SIGHTING "proto, " RANKED "::USMALLINT AS port, minute - minute % 60 AS hour, hi, lo"

/* $1, $2: from, until; $3, $4: how many passes, and which one this is. */
const char sql_sighted[] =
	"INSERT INTO sighted SELECT " SIGHTING ", sensor, sum(packets) FROM tuple"
	" WHERE minute >= $1 AND minute < $2 AND " REACHES " AND hash(hi, lo) % $3 = $4 GROUP BY ALL";
const char sql_reckon_sensors[] =
	"INSERT INTO source_hour SELECT proto, port, hour, sensor, count(*) FROM sighted GROUP BY ALL";

const char sql_reckon_packets[] =
	"INSERT INTO new_hour SELECT proto, port, hour, 0, 0, sum(packets), max(packets) FROM (SELECT proto, port, hour, hi, lo, sum(packets) AS packets"
	" FROM sighted GROUP BY ALL) GROUP BY ALL";

/* New is who was at no sensor on that port in the 24 hours before. $1, $2: from a day before, until; $5: the first of the hours. */
#define GAPS(from) "SELECT proto, port, hour, hour - lag(hour) OVER (PARTITION BY proto, port, hi, lo ORDER BY hour) AS gap FROM (" from ")"
#define COUNTED "proto, port, hour, count(*)::UINTEGER, (count(*) FILTER (WHERE gap IS NULL OR gap > 1440))::UINTEGER"
const char sql_reckon_new[] =
	"INSERT INTO new_hour SELECT " COUNTED ", 0, 0 FROM (" GAPS("SELECT DISTINCT " SIGHTING " FROM tuple"
	" SEMI JOIN (SELECT DISTINCT hi, lo FROM sighted) AS s USING (hi, lo)"
	" WHERE minute >= $1 AND minute < $2 AND " REACHES " AND hash(hi, lo) % $3 = $4") ") WHERE hour >= $5 GROUP BY ALL";

/* $1, $2: from, until. Each sensor's, and as sensor 0 what is known over all. */
const char sql_hours[] =
	"SELECT (proto::UBIGINT * 65536 + port)::UBIGINT, hour::UBIGINT, sensor::UBIGINT, sum(sources)::UBIGINT, 0::UBIGINT, 0::UBIGINT, 0::UBIGINT"
	" FROM source_hour WHERE hour >= $1 AND hour < $2 GROUP BY ALL UNION ALL"
	" SELECT (proto::UBIGINT * 65536 + port)::UBIGINT, hour::UBIGINT, 0::UBIGINT, sum(sources)::UBIGINT, sum(new)::UBIGINT, sum(packets)::UBIGINT,"
	" max(top)::UBIGINT FROM new_hour WHERE hour >= $1 AND hour < $2 GROUP BY ALL ORDER BY 2, 1, 3";
const char sql_findings[] =
	"SELECT (proto::UBIGINT * 65536 + port)::UBIGINT, day::UBIGINT, kind::UBIGINT, up::UBIGINT, sensor::UBIGINT, packets, expected, n::UBIGINT,"
	" of_n::UBIGINT, level, other FROM finding WHERE day >= $1 AND day < $2 AND ($3 = 0 OR proto::UBIGINT * 65536 + port = $3) ORDER BY 2, 1, 5, 3";
const char sql_revisions[] =
	"SELECT (proto::UBIGINT * 65536 + port)::UBIGINT, found::UBIGINT, revision::UBIGINT, said, hour::UBIGINT, reason::UBIGINT, alarm::UBIGINT, class::UBIGINT,"
	" state::UBIGINT, known::UBIGINT, onset::UBIGINT, peak::UBIGINT, ended::UBIGINT, sensors::UBIGINT, new_sources, verdict::UBIGINT, value, expected,"
	" who, judge, note FROM surge_revision ORDER BY 1, 2, 3";
const char sql_reckoned_until[] = "SELECT coalesce(min(hour), 4294967295)::UBIGINT FROM touched";

#define UNEQUAL(kept, rebuilt) \
	"SELECT count(*)::UBIGINT FROM ((" kept " EXCEPT ALL " rebuilt ") UNION ALL (" rebuilt " EXCEPT ALL " kept "))"
#define RECKONED " WHERE hour NOT IN (SELECT hour FROM touched)"
#define SUMMED(table, keys) "SELECT " keys ", sum(packets)::UBIGINT FROM " table " GROUP BY ALL"
#define REBUILT(keys) "SELECT " keys ", sum(packets)::UBIGINT FROM tuple WHERE " REACHES " GROUP BY ALL"

const struct sql_check sql_checks[] = {
	{ "ledger", UNEQUAL("SELECT batch, rows::UBIGINT, packets FROM ledger WHERE rows > 0",
		"SELECT batch, count(*)::UBIGINT, sum(packets)::UBIGINT FROM tuple GROUP BY ALL") },
	{ "port_hour", UNEQUAL(SUMMED("port_hour", "proto, port, hour, sensor"), REBUILT("proto, " RANKED "::USMALLINT AS port, hour, sensor")) },
	{ "source_hour", UNEQUAL("SELECT proto, port, hour, sensor, sum(sources)::UBIGINT FROM source_hour" RECKONED " GROUP BY ALL",
		"SELECT proto, port, hour, sensor, count(*)::UBIGINT FROM (SELECT DISTINCT " SIGHTING ", sensor FROM tuple WHERE " REACHES ")" RECKONED
		" GROUP BY ALL") },
	{ "new_hour", UNEQUAL("SELECT proto, port, hour, sum(sources)::UINTEGER, sum(new)::UINTEGER FROM new_hour" RECKONED " GROUP BY ALL",
		"SELECT " COUNTED " FROM (" GAPS("SELECT DISTINCT " SIGHTING " FROM tuple WHERE " REACHES) ")" RECKONED " GROUP BY ALL") },
	{ "port_day", UNEQUAL(SUMMED("port_day", "proto, port, day, sensor"), REBUILT("proto, " RANKED "::USMALLINT AS port, day, sensor")) },
	{ "port_day bytes", UNEQUAL("SELECT proto, port, day, sensor, sum(bytes)::UBIGINT FROM port_day GROUP BY ALL",
		"SELECT proto, " RANKED "::USMALLINT AS port, day, sensor, sum(bytes)::UBIGINT FROM tuple WHERE " REACHES " GROUP BY ALL") },
	{ "region_day", UNEQUAL(SUMMED("region_day", "region, day, sensor"), REBUILT("region, day, sensor")) },
	{ "port_region_day", UNEQUAL(SUMMED("port_region_day", "proto, port, region, day, sensor"),
		REBUILT("proto, " RANKED "::USMALLINT AS port, region, day, sensor")) },
	{ "mark_kind_day", UNEQUAL(SUMMED("mark_kind_day", "mark, kind, proto, day, sensor"),
		"SELECT mark, kind, proto, day, sensor, sum(packets)::UBIGINT FROM tuple GROUP BY ALL") },
	{ "mark_source_day", UNEQUAL("SELECT hi, lo, day, bit, sum(packets)::UBIGINT FROM mark_source_day GROUP BY ALL", MARKED("tuple")) },
	{ "source_day", UNEQUAL(SUMMED("source_day", "hi, lo, proto, port, day"),
		REBUILT("hi, lo, proto, " RANKED "::USMALLINT AS port, day")) },
	{ NULL, NULL },
};

static const char *key_hi(enum each each)
{
	return each == EACH_SOURCE ? "hi" : each == EACH_NETWORK ? "(CASE WHEN hi = 0 AND lo >> 32 = 65535 THEN 0 ELSE hi & 18446744073709486080 END)" : "0";
}

static const char *key_lo(enum each each)
{
	switch (each) {
	case EACH_NOTHING: return "0";
	case EACH_PORT: return "(proto::UBIGINT * 65536 + " RANKED ")";
	case EACH_SENSOR: return "sensor";
	case EACH_REGION: return "region";
	case EACH_SOURCE: return "lo";
	case EACH_NETWORK: return "(CASE WHEN hi = 0 AND lo >> 32 = 65535 THEN lo & 18446744073709551360 ELSE 0 END)";
	case EACH_KIND: return "kind";
	case EACH_MARK: return "bit";
	case EACH_PROTO: return "proto";
	case EACH_SCANNER: return "known_scanner(hi, lo, day)";
	}
	assert(0 && "each is one of the above");
	return "0";
}

/* What a question needs a table to hold: columns by which it filters or tells apart. */
enum { NEEDS_PORT = 1, NEEDS_REGION = 2, NEEDS_SOURCE = 4, NEEDS_KIND = 8, NEEDS_MARK = 16, NEEDS_SENSOR = 32, NEEDS_PROTO = 64 };

static unsigned needs(const struct want *w)
{
	const struct question *q = w->question;
	unsigned n = 0;

	n |= q->each == EACH_PORT || q->port >= 0 ? NEEDS_PORT : 0;
	n |= q->each == EACH_PROTO || q->proto >= 0 ? NEEDS_PROTO : 0;
	n |= q->each == EACH_REGION || q->region[0] ? NEEDS_REGION : 0;
	n |= q->each == EACH_SOURCE || q->each == EACH_NETWORK || q->each == EACH_SCANNER || q->has_src || w->by.until ? NEEDS_SOURCE : 0;
	n |= q->each == EACH_KIND || q->kinds || q->without_kinds ? NEEDS_KIND : 0;
	n |= q->each == EACH_MARK || q->marks || q->without_marks ? NEEDS_MARK : 0;
	n |= q->each == EACH_SENSOR || w->sensor ? NEEDS_SENSOR : 0;
	return n;
}

static bool aligned(const struct want *w, enum step step)
{
	return calendar_floor(w->zone, w->span.from, step) == w->span.from &&
		calendar_floor(w->zone, w->span.until, step) == w->span.until;
}

struct table { const char *name; unsigned holds; };

/* The narrowest table for cells; tuple holds everything. */
static struct table table_for(const struct want *w)
{
	static const struct table hourly = { "port_hour", NEEDS_PORT | NEEDS_PROTO | NEEDS_SENSOR };
	static const struct table daily[] = {
		{ "region_day", NEEDS_REGION | NEEDS_SENSOR },
		{ "port_day", NEEDS_PORT | NEEDS_PROTO | NEEDS_SENSOR },
		{ "mark_kind_day", NEEDS_KIND | NEEDS_PROTO | NEEDS_SENSOR },
		{ "port_region_day", NEEDS_PORT | NEEDS_PROTO | NEEDS_REGION | NEEDS_SENSOR },
	};
	unsigned need = needs(w);

	if (w->grain == GRAIN_HOUR && aligned(w, STEP_HOUR) && !(need & ~hourly.holds))
		return hourly;
	for (size_t i = 0; w->grain == GRAIN_DAY && aligned(w, STEP_DAY) && i < sizeof daily / sizeof *daily; i++)
		if (!(need & ~daily[i].holds))
			return daily[i];
	return (struct table){ "tuple", ~0u };
}

static bool by_day(const struct table *t)
{
	return strstr(t->name, "_day") != NULL || strcmp(t->name, "robust_weight") == 0;
}

static void add_span(const struct want *w, const struct table *t, struct buf *out)
{
	if (by_day(t))
		buf_printf(out, " WHERE day >= %u AND day < %u", calendar_day(w->zone, w->span.from), calendar_day(w->zone, w->span.until));
	else
		buf_printf(out, " WHERE %s >= %u AND %s < %u", strcmp(t->name, "tuple") ? "hour" : "minute", w->span.from,
			strcmp(t->name, "tuple") ? "hour" : "minute", w->span.until);
}

static void add_source(const struct prefix *p, struct buf *out)
{
	struct addr last = addr_last(p);
	unsigned long long hi = addr_hi(&p->addr), lo = addr_lo(&p->addr), hi_last = addr_hi(&last), lo_last = addr_lo(&last);

	if (p->bits >= 64)
		buf_printf(out, " AND hi = %llu AND lo BETWEEN %llu AND %llu", hi, lo, lo_last);
	else
		buf_printf(out, " AND hi BETWEEN %llu AND %llu", hi, hi_last);
}

static void add_kind_list(const char *in, unsigned kinds, struct buf *out)
{
	const char *comma = "";

	buf_printf(out, " AND kind %s (", in);
	for (unsigned k = 0; k < KINDS; k++)
		if (kinds >> k & 1) {
			buf_printf(out, "%s%u", comma, k);
			comma = ", ";
		}
	buf_str(out, ")");
}

static void add_kinds(const struct question *q, const struct table *t, struct buf *out)
{
	if (q->kinds)
		add_kind_list("IN", q->kinds, out);
	else if (t->holds & NEEDS_KIND)         /* roll-ups without the column hold only what reached for something */
		buf_str(out, " AND " REACHES);
	if (q->without_kinds)
		add_kind_list("NOT IN", q->without_kinds, out);
}

/* Only a help for the database: keys that slip through are left out by the caller. */
static void add_only(const struct want *w, struct buf *out)
{
	enum { LISTED_MAX = 1000 };

	if (w->only_len == 0 || w->only_len > LISTED_MAX || w->question->each == EACH_NOTHING || w->only[w->only_len - 1].hi)
		return;
	buf_printf(out, " AND %s IN (", key_lo(w->question->each));
	for (size_t i = 0; i < w->only_len; i++)
		buf_printf(out, "%s%llu", i ? "," : "", (unsigned long long)w->only[i].lo);
	buf_str(out, ")");
}

/* That the row bears the bit, and its source that day the label: one marked packet proves nothing, two over all sensors that
 * agree do (METHODS.md 3). */
static void add_label(const struct want *w, const char *bit, struct buf *out)
{
	buf_printf(out, "(mark >> %s & 1 = 1 AND (hi, lo, day, %s) IN (SELECT (hi, lo, day, bit) FROM mark_source_day WHERE day >= %u AND day <= %u"
		" GROUP BY hi, lo, day, bit HAVING sum(packets) >= %d))", bit, bit, calendar_day(w->zone, w->span.from),
		calendar_day(w->zone, w->span.until), LABEL_PACKETS_MIN);
}

/* In: that the row bears one of these marks with its label; not in: that it bears none. */
static void add_labels(const struct want *w, const char *in, unsigned marks, struct buf *out)
{
	const char *or = "";

	buf_printf(out, " AND %s(", in);
	for (unsigned bit = 0; bit < MARKS; bit++)
		if (marks >> bit & 1) {
			char text[24];

			(void)snprintf(text, sizeof text, "%u::UTINYINT", bit);
			buf_str(out, or);
			add_label(w, text, out);
			or = " OR ";
		}
	buf_str(out, ")");
}

static void add_from(const struct want *w, const struct table *t, struct buf *out)
{
	const struct question *q = w->question;

	buf_printf(out, " FROM %s", t->name);
	if (q->each == EACH_MARK)
		buf_str(out, ", " BITS);
	add_span(w, t, out);
	if (q->each == EACH_MARK) {
		buf_str(out, " AND ");
		add_label(w, "bit", out);
	}
	if (q->proto >= 0)
		buf_printf(out, " AND proto = %d", q->proto);
	if (q->port >= 0)
		buf_printf(out, " AND " RANKED " = %d", q->port);
	if (w->sensor)
		buf_printf(out, " AND sensor = %u", w->sensor);
	if (q->region[0])
		buf_printf(out, " AND region = %d", q->region[0] << 8 | q->region[1]);
	if (q->marks)
		add_labels(w, "", q->marks, out);
	if (q->without_marks)
		add_labels(w, "NOT ", q->without_marks, out);
	if (q->has_src)
		add_source(&q->src, out);
	if (w->by.until)
		buf_printf(out, " AND known_scanner(hi, lo, day) BETWEEN %u AND %u", w->by.from, w->by.until - 1u);
	add_kinds(q, t, out);
	add_only(w, out);
}

static void add_key(const struct want *w, struct buf *out)
{
	buf_printf(out, "%s::UBIGINT AS khi, %s::UBIGINT AS klo", key_hi(w->question->each), key_lo(w->question->each));
}

bool sql_from_port_day(const struct want *w)
{
	return strcmp(table_for(w).name, "port_day") == 0;
}

void sql_cells(const struct want *w, struct buf *out)
{
	static const char *const at[] = { "minute", "hour", "day" };
	struct table t = table_for(w);

	buf_str(out, "SELECT ");
	add_key(w, out);
	buf_printf(out, ", %s::UBIGINT, sensor::UBIGINT, sum(packets)::UBIGINT", at[w->grain]);
	add_from(w, &t, out);
	buf_str(out, " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4");
}

/* Of whole ports their own values; else each part's packets, weighed as the port's were. */
void sql_robust(const struct want *w, struct buf *out)
{
	static const struct table days = { "robust_day", NEEDS_PORT | NEEDS_PROTO };
	static const struct table parts[] = { { "port_day", NEEDS_PORT | NEEDS_PROTO | NEEDS_SENSOR },
		{ "port_region_day", NEEDS_PORT | NEEDS_PROTO | NEEDS_REGION | NEEDS_SENSOR }, { "tuple", ~0u } };
	const struct table *t = parts;

	if (want_whole_ports(w)) {
		buf_str(out, "SELECT khi, klo, day::UBIGINT, sum(value)::DOUBLE, count(*)::UBIGINT, any_value(se), any_value(looked)::UBIGINT,"
			" any_value(accepted)::UBIGINT, any_value(flags)::UBIGINT, any_value(revision)::UBIGINT FROM (SELECT *, ");
		add_key(w, out);
		add_from(w, &days, out);
		buf_str(out, " AND NOT isnan(value))");
	} else {
		while (needs(w) & ~t->holds)
			t++;
		buf_str(out, "SELECT khi, klo, day::UBIGINT, sum(value)::DOUBLE FROM (SELECT ");
		add_key(w, out);
		buf_str(out, ", day, packets * weight AS value FROM (SELECT *, " RANKED "::USMALLINT AS ranked");
		add_from(w, t, out);
		buf_str(out, ") AS part JOIN (SELECT proto, port AS ranked, day, sensor, weight FROM robust_weight) AS w USING (proto, ranked, day, sensor))");
	}
	buf_str(out, " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3");
}

void sql_weights(const struct want *w, struct buf *out)
{
	static const struct table weights = { "robust_weight", NEEDS_PORT | NEEDS_PROTO | NEEDS_SENSOR };
	struct question ports;
	struct want of_ports = *w;

	question_init(&ports);
	ports.each = w->question->each == EACH_PORT ? EACH_PORT : EACH_NOTHING;
	ports.proto = w->question->proto;
	ports.port = w->question->port;
	of_ports.question = &ports;
	of_ports.by = (struct by){ 0, 0 };
	buf_str(out, "SELECT (proto::UBIGINT * 65536 + port)::UBIGINT, day::UBIGINT, sensor::UBIGINT, weight, voice");
	add_from(&of_ports, &weights, out);
	buf_str(out, " ORDER BY 1, 2, 3");
}

/* Of those ports: (port, day, state). */
void sql_states(const struct robust_state *ports, size_t n, struct buf *out)
{
	buf_str(out, "SELECT (proto::UBIGINT * 65536 + port)::UBIGINT, day::UBIGINT, state FROM robust_state WHERE proto::UINTEGER * 65536 + port IN (");
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s%llu", i ? "," : "", (unsigned long long)ports[i].key.lo);
	buf_str(out, ") ORDER BY 1");
}

void sql_counts(const struct want *w, struct buf *out)
{
	struct want daily = *w;
	struct table t = { "tuple", ~0u };
	const struct table port_day = { "port_day", NEEDS_PORT | NEEDS_PROTO | NEEDS_SENSOR };

	daily.grain = GRAIN_DAY;
	if (aligned(w, STEP_DAY) && !(needs(w) & ~port_day.holds))
		t = port_day;
	buf_str(out, "SELECT khi, klo, sum(p)::UBIGINT, sum(b)::UBIGINT, count(*)::UBIGINT FROM (SELECT ");
	add_key(w, out);
	buf_str(out, ", sensor, sum(packets) AS p, sum(bytes) AS b");
	add_from(&daily, &t, out);
	buf_str(out, " GROUP BY khi, klo, sensor) GROUP BY 1, 2 ORDER BY 1, 2");
}

void sql_sources(const struct want *w, struct buf *out)
{
	static const struct table source_day = { "source_day", NEEDS_PORT | NEEDS_PROTO | NEEDS_SOURCE };
	struct table t = aligned(w, STEP_DAY) && !(needs(w) & ~source_day.holds) ? source_day : (struct table){ "tuple", ~0u };

	buf_str(out, "SELECT khi, klo, count(*)::UBIGINT FROM (SELECT DISTINCT ");
	add_key(w, out);
	buf_str(out, ", hi, lo");
	add_from(w, &t, out);
	buf_str(out, ") GROUP BY 1, 2 ORDER BY 1, 2");
}

void sql_rows(const struct want *w, struct buf *out)
{
	static const char *const columns[] = { "minute", "sensor", "hi", "lo", "proto", "port", "flags", "mark", "kind", "packets",
		"bytes", "sport", "ttl", "dsts" };
	struct table t = { "tuple", ~0u };
	struct question plain = *w->question;
	struct want rows = *w;

	plain.each = EACH_NOTHING;
	rows.question = &plain;
	buf_str(out, "SELECT ");
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		buf_printf(out, "%s%s::UBIGINT", i ? ", " : "", columns[i]);
	add_from(&rows, &t, out);
	buf_str(out, " ORDER BY tuple.minute, tuple.sensor, tuple.port, tuple.proto, tuple.hi, tuple.lo, tuple.flags, tuple.mark, tuple.kind");
}
