/* reckoning: what cannot be added up from batch to batch. How many sources an hour had, at each sensor and at all of them, and how
 * many of these no sensor had met on that port in the 24 hours before (METHODS.md 2.1): counted from the rows, an hour when
 * it is over, and again when something came late. Hours are those of UTC here.
 *
 * A commit notes which hours it touches; who holds the store has them reckoned when there is time. */
#ifndef TEITEN_RECKONING_H
#define TEITEN_RECKONING_H

#include "core/span.h"

#include <stdbool.h>

struct duck_con;
struct err;

enum { RECKON_HOURS_MAX = 31 * 24 /* at a time */, RECKON_DAY = 24 * 60 };

/* Notes the hours of [from, until) as touched, with those of the day after that were reckoned already: in the writer's transaction. */
bool reckoning_touch(struct duck_con *writer, struct span hours, struct err *e);
/* Reckons the earliest touched hours that lie together, whole ones that ended by `until`; *what is empty when there are none.
 * One transaction. */
bool reckoning_do(struct duck_con *writer, minute_t until, struct span *what, struct err *e);

#endif
