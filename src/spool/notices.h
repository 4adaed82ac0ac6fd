/* notices: what the people who run sensors should hear, one line each in a file that only grows, until every way out has told
 * it. A reader keeps how far it has come as a place in the file. */
#ifndef TEITEN_NOTICES_H
#define TEITEN_NOTICES_H

#include "core/batch.h"

struct err;

enum notice_kind {
	NOTICE_SILENT,          /* amount: minutes without a watched one */
	NOTICE_CAPTURING,       /* again, or for the first time; amount 0 */
	NOTICE_LOSING,          /* amount: packets of a thousand that were lost in an hour */
	NOTICE_WHOLE,           /* nothing was lost for an hour; amount 0 */
	NOTICE_MOVED,           /* it observes other addresses than before; amount 0 */
	NOTICE_SURGE,           /* a scan surge was found; in the sensor's place stands its name; amount: sources an hour */
	NOTICE_SURGE_OVER,      /* and has ended; amount: at its peak */
	NOTICE_SURGE_GONE,      /* or is not found any more from what is held now; amount: as it was known last */
	NOTICE_TRIAL,           /* somebody tries whether notices arrive; sensor "-" */
	NOTICES
};

enum { NOTICES_BYTES_MAX = 64 << 20 };

struct notice { int64_t at_s; enum notice_kind kind; char sensor[SENSOR_NAME_MAX]; uint64_t amount; };
struct notices { struct notice *list; size_t len, cap; uint64_t end; };         /* end: behind the last whole line */

const char *notice_kind_name(enum notice_kind k);               /* "silent", "capturing", "losing", "whole", "moved", "surge", "surge-over", "surge-gone", "trial" */
/* Durable on true. A line that somebody else could not finish is left behind as one that nobody reads. */
bool notices_append(const char *path, const struct notice *n, struct err *e);
/* From a place in the file on, those whose lines are whole; none where there is no file, or it ends before that place. */
bool notices_read(const char *path, uint64_t from, struct notices *out, struct err *e);
void notices_release(struct notices *n);

#endif
