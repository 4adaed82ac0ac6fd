/* zone: a time zone as a table of offsets, read once from the system's tz database, then pure to use. */
#ifndef TEITEN_ZONE_H
#define TEITEN_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum { ZONE_NAME_MAX = 48 };

struct zone {
	char name[ZONE_NAME_MAX];       /* "Asia/Tokyo" */
	size_t len;                     /* rules, at least 1; rules[0].from is 0 */
	struct zone_rule {
		uint32_t from;          /* minute (UTC) since 1970 from which the offset holds */
		int offset;             /* minutes east of UTC, whole minutes (rounded for the few zones of 1970-72 with seconds) */
	} *rules;
};

extern const struct zone zone_utc;        /* never released */

/* Reads `name` ("UTC", "Asia/Tokyo"): offsets from 1970 to 2100. Changes the process's TZ while it works: call it
 * before threads start. zone_release frees. False: no such zone. */
bool zone_load(struct zone *z, const char *name, struct err *e);
void zone_release(struct zone *z);

int zone_offset(const struct zone *z, uint32_t minute);         /* minutes east of UTC at that minute */
/* First minute after `minute` at which the offset changes; UINT32_MAX when it does not any more. */
uint32_t zone_next_change(const struct zone *z, uint32_t minute);

#endif
