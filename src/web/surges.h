/* surges: their pages: all of them, one with its figure and everything that was said of it, and those that go on on top of the home page.
 * Inside only. */
#ifndef TEITEN_WEB_SURGES_H
#define TEITEN_WEB_SURGES_H

#include "web/visit.h"

/* A surge as it is known now, and what was said of it (the caller frees); *n is 0 when there is none of that name. False: e; the store did not
 * answer. */
bool surges_find(const struct visit *v, const char *id, struct surge_revision *now, struct surge_revision **history, size_t *n, struct err *e);
/* Those that go on, or that there is none. False: a page that says why has taken the reply's place. */
bool surges_on_top(struct visit *v, const struct page *p);

#endif
