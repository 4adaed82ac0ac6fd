/* habits: what is remembered of a port and of every sensor on it, as bytes, so that days can be gone through again from there. */
#ifndef TEITEN_HABITS_H
#define TEITEN_HABITS_H

#include "stat/robust.h"

struct buf;
struct reader;

void habits_encode(const struct port_habit *port, const struct habit *list, size_t n, struct buf *out);
/* list[n] is written whole: sensors of which nothing is said are new. False: not what habits_encode wrote. */
bool habits_decode(struct reader *r, struct port_habit *port, struct habit *list, size_t n);

#endif
