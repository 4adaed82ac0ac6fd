/* calendar: hours, days, weeks (from Monday, ISO 8601), months and quarters of a zone. Pure.
 *
 * Edges are where the zone's clock shows them, so a day has 23, 24 or 25 hours. An hour that a change of offset cuts
 * (zones that shift by half an hour) ends at the change. */
#ifndef TEITEN_CALENDAR_H
#define TEITEN_CALENDAR_H

#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>

struct zone;
struct err;

enum step { STEP_MINUTE, STEP_HOUR, STEP_DAY, STEP_WEEK, STEP_MONTH, STEP_QUARTER, STEP_ALL };
enum { CALENDAR_TEXT_MAX = 32 };

struct civil { int year, month, day, hour, minute, weekday /* 0 is Monday */, offset /* minutes east of UTC */; };

struct civil calendar_civil(const struct zone *z, minute_t at);
/* The minute at which the zone's clock shows that date and time; the earlier one when it shows it twice, the minute of
 * the change when it never does. Fields out of range are refused by calendar_parse, not here. */
minute_t calendar_minute(const struct zone *z, int year, int month, int day, int hour, int minute);
minute_t calendar_floor(const struct zone *z, minute_t at, enum step step);    /* start of the step that holds `at` */
minute_t calendar_next(const struct zone *z, minute_t at, enum step step);     /* start of the one after it */
/* The same local day of the month, `months` later (or earlier), cut to the month's last day, at 00:00. */
minute_t calendar_shift(const struct zone *z, minute_t day, int months);
/* Number of the local day since 1970-01-01 local, and the minute at which a local day begins. */
uint32_t calendar_day(const struct zone *z, minute_t at);
minute_t calendar_day_start(const struct zone *z, uint32_t day);

long calendar_days_from_civil(int year, int month, int day);    /* proleptic Gregorian, 0 is 1970-01-01 */
void calendar_civil_from_days(long days, int *year, int *month, int *day);

/* "2006-05-15" (00:00 in the zone), "2006-05-15T09:00", with ":SS" or ":SS.fff", with "Z" or "+09:00" (then the zone is the text's).
 * Seconds are cut off. */
bool calendar_parse(const struct zone *z, const char *text, minute_t *out, struct err *e);
/* RFC 3339 with offset: 2006-05-15T00:00:00+09:00 (UTC as +00:00). Returns out. */
const char *calendar_rfc3339(const struct zone *z, minute_t at, char out[CALENDAR_TEXT_MAX]);
const char *calendar_date(const struct zone *z, minute_t at, char out[CALENDAR_TEXT_MAX]);     /* 2006-05-15 */

const char *step_name(enum step s);                     /* "minute" ... "all" */
bool step_parse(const char *text, enum step *out);

#endif
