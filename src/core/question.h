/* question: what the command line, the pages and the API all ask with. Its text form is a URL's query string, and one
 * table of keys reads both that and command-line options. Pure.
 *
 * A question is read in two steps: question_set() takes what was typed; question_settle() turns "last three months" into
 * minutes, once it is known what the store holds, and checks the limits. */
#ifndef TEITEN_QUESTION_H
#define TEITEN_QUESTION_H

#include "core/addr.h"
#include "core/batch.h"
#include "core/calendar.h"
#include "core/span.h"

#include <stdbool.h>

struct zone;
struct err;
struct buf;
struct tuple;

enum each { EACH_NOTHING, EACH_PORT, EACH_SENSOR, EACH_REGION, EACH_SOURCE, EACH_NETWORK, EACH_KIND, EACH_MARK, EACH_PROTO, EACH_SCANNER };
enum across { ACROSS_MEAN, ACROSS_SUM, ACROSS_MEDIAN, ACROSS_ROBUST };
enum per { PER_ADDRESS, PER_SENSOR };
enum {
	QUESTION_TOP_MAX = 200000,              /* series in one answer */
	QUESTION_POINTS_MAX = 1 << 21,          /* series × steps */
	QUESTION_TEXT_MAX = 2048,
	SCANNER_NAME_MAX = 64,
	SCANNERS_ID_MAX = 16,
};

struct question {
	struct span span;                       /* after question_settle */
	struct span before;                     /* the period of the same length before it: for previous ranks */
	enum step step;                         /* STEP_ALL: a table, no series */
	enum each each;
	enum across across;
	enum per per;
	unsigned top;                           /* 0: all */
	int proto, port;                        /* -1: any; ICMP ports as type << 8 */
	bool has_src;
	struct prefix src;
	char sensor[SENSOR_NAME_MAX];           /* "": any */
	char region[3];                         /* "": any */
	unsigned kinds;                         /* bits 1 << enum kind; 0: what reached for something (tuple_reaches) */
	unsigned marks;                         /* bits; 0: any; else tuples with one of them */
	unsigned without_kinds, without_marks;  /* bits: tuples of such a kind, or with such a mark, are left out of what is taken otherwise */
	char scanners[SCANNER_NAME_MAX];        /* "": any; "without" or "only" known scanners, or one by its organisation's name */
	char last[16], from[40], until[40];     /* as asked */
	bool fell_back;                         /* after question_settle: the robust value was asked and is not defined, or not known yet; it became the plain mean */
};

void question_init(struct question *q);         /* three months by day, no filter, the robust value per address */
/* One key and its value: each top step last from until across per proto port kind mark without sensor region
 * source scanners. */
bool question_set(struct question *q, const char *key, const char *value, struct err *e);
bool question_knows(const char *key);
/* "a=b&c=d", percent-decoded; unknown keys are refused except those in `ignored` (a NULL-ended list, may be NULL). */
bool question_parse(struct question *q, const char *text, const char *const *ignored, struct err *e);
/* held: from the first watched minute to the one after the last. `last` ends at held's last complete day. False: nothing
 * held, empty or reversed span, too many points. */
bool question_settle(struct question *q, const struct zone *z, struct span held, struct err *e);
/* Whether the robust value is defined for it (METHODS.md 1): per address, days or longer, of packets that reached for something, over all sensors;
 * sources have none. */
bool question_robust(const struct question *q, const struct zone *z);
/* Whether that many values may be answered; question_settle asks it where `top` is a number, the store where it is all. */
bool question_points(size_t steps, size_t series, struct err *e);
/* Canonical query string with absolute times; question_parse reads it back to an equal question. */
void question_text(const struct question *q, const struct zone *z, struct buf *out);
/* The same with the span as it was asked for ("last=3mo"), for another process that settles it. */
void question_asked(const struct question *q, struct buf *out);
/* Whether a tuple passes the filters (not the span, not the sensor's name and region, which a tuple does not know). */
bool question_takes(const struct question *q, const struct tuple *t);

/* Whether it looks into the list of known scanners. */
bool question_of_scanners(const struct question *q);
bool scanner_name_valid(const char *name);              /* letters, digits and . _ - behind one of the first two; none of the words above */

const char *each_name(enum each e);
const char *across_name(enum across a);
const char *per_name(enum per p);

#endif
