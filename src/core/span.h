/* span: time as minutes since 1970-01-01 UTC, and stretches of it. A span has its `from` and does not have its `until`. */
#ifndef TEITEN_SPAN_H
#define TEITEN_SPAN_H

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t minute_t;

enum { MINUTES_PER_DAY = 1440 };
#define MINUTE_MAX ((minute_t)68374080)                 /* 2100-01-01 UTC: what lies beyond is refused everywhere */

struct span { minute_t from, until; };

static inline bool span_empty(struct span s) { return s.from >= s.until; }
static inline minute_t span_minutes(struct span s) { return span_empty(s) ? 0 : s.until - s.from; }

static inline struct span span_both(struct span a, struct span b)       /* what lies in both; may be empty */
{
	struct span s = { a.from > b.from ? a.from : b.from, a.until < b.until ? a.until : b.until };
	return s;
}

#endif
