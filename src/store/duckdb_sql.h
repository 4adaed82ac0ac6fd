/* duckdb_sql: the engine's tables and statements, and the statements made for a question. Only numbers of ours are written
 * into them; no text from outside. */
#ifndef TEITEN_DUCKDB_SQL_H
#define TEITEN_DUCKDB_SQL_H

#include "store/engine.h"

enum { SQL_MAX = 1 << 16 };

extern const char sql_tables[];                 /* makes all tables of a new store */
extern const char sql_incoming[];               /* the connection's own tables: the rows of a group, sources of an hour */
extern const char sql_add[];                    /* all roll-ups */
/* store/days: what is to be reckoned, and from where; as the engine's pending, ripe and active. */
extern const char sql_unsettle[], sql_pending[], sql_ripe[], sql_active[], sql_rises[];
extern const char *const sql_settle_before[], sql_settle_states[], sql_settle_after[];
/* store/reckoning's */
extern const char sql_touch[], sql_touch_later[], sql_touched[], sql_rows_between[], sql_sighted[], sql_reckon_sensors[], sql_reckon_new[],
	sql_reckon_packets[], sql_hours[], sql_reckoned_until[];
extern const char sql_revisions[];
extern const char sql_cube[], sql_freed[];      /* (port, day, sensor, packets), of all, and without known scanners */
extern const char sql_findings[];              /* $1, $2: days */
extern const struct sql_check { const char *name, *sql; } sql_checks[];        /* each counts unequal rows; NULL-ended */

/* Whether the roll-up port_day alone answers: then the cube does too. */
bool sql_from_port_day(const struct want *w);
/* (key hi, key lo, at, sensor, packets), ascending; at is a day's number, or a minute. */
void sql_cells(const struct want *w, struct buf *out);
/* (key hi, key lo, packets, bytes, sensors) and (key hi, key lo, sources), ascending by key. */
void sql_counts(const struct want *w, struct buf *out);
void sql_sources(const struct want *w, struct buf *out);
/* (key hi, key lo, day, value), ascending. */
void sql_robust(const struct want *w, struct buf *out);
void sql_weights(const struct want *w, struct buf *out);
void sql_states(const struct robust_state *ports, size_t n, struct buf *out);
void sql_rows(const struct want *w, struct buf *out);

#endif
