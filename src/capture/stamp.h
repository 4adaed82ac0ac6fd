/* stamp: a time as files write it → seconds since 1970. Pure.
 *
 * Taken are 2013-03-03 21:53:59 and its kin (T or a blank between, / for -, no seconds, a fraction with point or comma;
 * Z, UTC, +0900 or +09:00 behind it), seconds since 1970 with or without a fraction, and milliseconds or microseconds
 * since 1970 (told by their 13 or 16 digits). What says no zone is in the zone given. Fractions are cut off. */
#ifndef TEITEN_STAMP_H
#define TEITEN_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone;

/* The whole text (without blanks around it) is a time. *local becomes true when only the zone could tell which, and else
 * stays as it is. */
bool stamp_parse(const char *text, const struct zone *z, int64_t *seconds, bool *local);
/* A date in the year given: "Mar  3 21:53:59", as syslog writes it; *used bytes of text. False: not one, or a date that
 * the year does not have. month: 1 to 12, also when the date is refused for its day. */
bool stamp_syslog(const char *text, int year, const struct zone *z, int64_t *seconds, int *month, size_t *used);
/* Month of such a text (1 to 12), 0 when it does not begin like one: to find its year first. */
int stamp_syslog_month(const char *text);

#endif
