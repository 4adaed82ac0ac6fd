/* aside: on a port's page, which sensors its values leave out, when, and by what factor (METHODS.md 1.1 step 7). Inside only. */
#ifndef TEITEN_ASIDE_H
#define TEITEN_ASIDE_H

#include "web/visit.h"

/* Of the question's span and port. False: e; the store did not answer. */
bool aside_table(struct visit *v, const struct question *q, struct err *e);

#endif
