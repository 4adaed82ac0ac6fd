/* csvfile: rows of a CSV file (RFC 4180) with a header → packets, by a map of what we want to the file's columns.
 *
 * A CSV states what it states: without flags a TCP or UDP row is somebody who knocked at its dport, whatever its source
 * port. ICMP rows need their type. Addresses are text of either family, or IPv4 as a decimal number; ports may have ".0"
 * behind them; times are stamp's affair. */
#ifndef TEITEN_CSVFILE_H
#define TEITEN_CSVFILE_H

#include "capture/refusal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct intake;
struct packet;
struct zone;
struct csvfile;

enum { CSV_RECORD_MAX = 1 << 16, CSV_COLUMNS_MAX = 256, CSV_NAME_MAX = 64 };

enum csv_field {
	CSV_TIME, CSV_SENSOR, CSV_SRC, CSV_DST, CSV_PROTO, CSV_DPORT, CSV_SPORT, CSV_TYPE, CSV_CODE, CSV_FLAGS, CSV_PACKETS,
	CSV_BYTES, CSV_TTL, CSV_FIELDS
};

struct csv_map { char column[CSV_FIELDS][CSV_NAME_MAX]; };      /* "" : the file does not say it */

/* What each field is called in a header when no map says otherwise: time, sensor, src ... */
const char *csv_field_name(enum csv_field f);
/* "time=datetime,sensor=host": fields that are not named stay "". */
bool csv_map_parse(struct csv_map *m, const char *text, struct err *e);

/* Reads the header of `in` (borrowed). map NULL: columns by the fields' own names. proto: of rows that do not say (0:
 * none). NULL: no header, a mapped column that is not there, or no time or source among them. */
struct csvfile *csvfile_open(struct intake *in, const struct csv_map *map, const struct zone *zone, unsigned proto,
	struct err *e);
void csvfile_close(struct csvfile *f);                          /* NULL is fine */
/* Whether a row so far depended on the zone, or on the proto that csvfile_open was given. */
bool csvfile_heeds_zone(const struct csvfile *f);
bool csvfile_heeds_proto(const struct csvfile *f);
bool csvfile_has(const struct csvfile *f, enum csv_field field);
/* The next row: false at the end. *line: the line it begins on; *sensor: as the row says, "" where it does not, valid
 * until the next call. */
bool csvfile_next(struct csvfile *f, struct packet *out, enum refusal *refusal, const char **sensor, uint64_t *line);

#endif
