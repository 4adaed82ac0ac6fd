/* visit: one request on its way through the site: what was asked, what the store holds, and the reply being made. */
#ifndef TEITEN_VISIT_H
#define TEITEN_VISIT_H

#include "core/series.h"
#include "net/http.h"
#include "publish/html.h"
#include "store/store.h"
#include "web/site.h"

enum { VISIT_PART_MAX = 64 };

struct visit {
	const struct site *site;
	const struct request *request;
	enum lang lang;                 /* of the path, or preferred by the browser */
	char part[VISIT_PART_MAX];      /* what stood for ":part" in the route; "" without one */
	struct facts facts;
	bool archive;                   /* the newest observation is older than two days */
	struct reply *reply;
};

/* How a question ended. WRONG: the question itself, a client's error; UNAVAILABLE: the store did not answer. */
enum outcome { ASKED, WRONG, UNAVAILABLE };

/* Asks; on ASKED the caller releases the answer. */
enum outcome visit_ask(const struct visit *v, struct question *q, struct answer *a, struct err *e);
/* The surges of the one port that an answer shows, for its figure; none where it shows anything else. The caller frees b->list. False: e. */
bool visit_bands(const struct visit *v, const struct answer *a, struct bands *b, struct err *e);
/* The raw value of a key in the request's query; false when it is absent or does not fit. */
bool visit_value(const struct visit *v, const char *key, char *out, size_t cap);
/* The page's frame for this visit; title NULL on the home page. */
struct page visit_page(const struct visit *v, const char *path, const char *title);

#endif
