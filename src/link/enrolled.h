/* enrolled: who may deliver to a centre: one line a sensor in a file, as authorized_keys does for people.
 *
 *     NAME ed25519:KEY [number=N] [addresses=N] [addresses6=N] [group=NAME] [from=DATE] [until=DATE] [outage=FROM/UNTIL]... [# note]
 *
 * A line that is taken away locks its sensor out. The addresses themselves are not in it. */
#ifndef TEITEN_ENROLLED_H
#define TEITEN_ENROLLED_H

#include "base/sign.h"
#include "core/batch.h"

struct buf;
struct err;

enum { ENROLLED_MAX = 4096, ENROLLED_BYTES_MAX = 4 << 20, NOTE_MAX = 128, OUTAGES_MAX = 8 };

struct enrolment {
	char name[SENSOR_NAME_MAX], group[SENSOR_NAME_MAX], note[NOTE_MAX];
	struct sign_key key;
	unsigned number;                        /* 1 to 65535; 0 none */
	uint32_t addresses, addresses6;         /* how many it observes, by family; together at least 1 */
	struct span valid;                      /* from inclusive, until exclusive; UTC days */
	struct span outages[OUTAGES_MAX]; size_t outages_len;           /* planned: nobody is told of its silence then */
};

struct enrolled { size_t len; struct enrolment *list; };        /* in the order of the file */

/* False for a line that is not one, or a name, number or key that comes twice: e says which line. */
bool enrolled_parse(struct enrolled *all, const char *text, struct err *e);
bool enrolled_read(struct enrolled *all, const char *path, struct err *e);      /* no file is no sensor */
/* Adds a line at the end, or changes that of a sensor; every other line stays as somebody wrote it. Nothing is written when
 * the list would not be right. */
bool enrolled_put(const char *path, const struct enrolment *one, struct err *e);
bool enrolment_parse(struct enrolment *one, const char *line, struct err *e);
minute_t enrolment_today(minute_t now);                         /* the day's first minute, for from and until */
void enrolled_release(struct enrolled *all);
const struct enrolment *enrolled_find(const struct enrolled *all, const char *name);   /* NULL: not there */
uint32_t enrolment_addresses(const struct enrolment *one);      /* of both families; more than a number can tell are as many as it can */
/* Appends the line, with its line end. */
void enrolment_text(const struct enrolment *one, struct buf *out);

#endif
