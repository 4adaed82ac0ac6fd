#include "web/routes.h"

#include "base/clock.h"
#include "base/err.h"
#include "web/api.h"
#include "web/cache.h"
#include "web/pages.h"
#include "web/visit.h"

enum { ARCHIVE_AFTER_S = 2 * 24 * 60 * 60 };

/* What a page needs of the store. ASKS: what it says changes only with the store, and is kept until then; ASKS_NOW: it tells of the
 * moment, and is made anew for everybody. */
enum needs { NOTHING, ASKS, ASKS_NOW };

/* ":lang" stands for ja or en, ":part" for one segment. */
static const struct route {
	const char *path;
	void (*serve)(struct visit *v);
	enum needs needs;
	void (*unavailable)(struct visit *v);
} routes[] = {
	{ "/",                  page_root,      NOTHING, NULL },
	{ "/style.css",         page_style,     NOTHING, NULL },
	{ "/icon.svg",          page_icon,      NOTHING, NULL },
	{ "/:lang",             page_root,      NOTHING, NULL },
	{ "/:lang/",            page_home,      ASKS,    page_unavailable },
	{ "/:lang/ports/:part", page_port,      ASKS,    page_unavailable },
	{ "/:lang/surges",      page_surges,    ASKS,    page_unavailable },
	{ "/:lang/surges/:part", page_surge,    ASKS,    page_unavailable },
	{ "/:lang/sensors",     page_sensors,   ASKS_NOW, page_unavailable },
	{ "/:lang/about",       page_about,     ASKS,    page_unavailable },
	{ "/api/v1/top",        api_top,        ASKS,    api_unavailable },
	{ "/api/v1/top.csv",    api_top_csv,    ASKS,    api_unavailable },
	{ "/api/v1/series",     api_series,     ASKS,    api_unavailable },
	{ "/api/v1/series.csv", api_series_csv, ASKS,    api_unavailable },
	{ "/api/v1/surges",     api_surges,     ASKS,    api_unavailable },
	{ "/api/v1/surges/:part", api_surge,    ASKS,    api_unavailable },
	{ "/figure.svg",        api_figure,     ASKS,    api_unavailable },
};

/* Whether the path is the pattern's; notes what stood for its variables. */
static bool matches(const char *pattern, const char *path, struct visit *v)
{
	char segment[VISIT_PART_MAX];

	while (*pattern && *pattern == *path && *pattern != ':') {
		pattern++;
		path++;
	}
	if (*pattern != ':')
		return *pattern == '\0' && *path == '\0';
	size_t len = strcspn(path, "/"), name = strcspn(pattern, "/");
	if (len == 0 || len >= sizeof segment)
		return false;
	(void)snprintf(segment, sizeof segment, "%.*s", (int)len, path);
	if (!strncmp(pattern, ":lang", name) && !lang_parse(segment, &v->lang))
		return false;
	if (!strncmp(pattern, ":part", name))
		(void)snprintf(v->part, sizeof v->part, "%s", segment);
	return matches(pattern + name, path + len, v);
}

/* The language named first in Accept-Language that we have; browsers send the preferred one first (RFC 9110 12.5.4
 * would weigh, which two languages do not need). */
static enum lang preferred(const char *accept)
{
	enum lang l;

	while (*accept) {
		char code[3] = { accept[0], accept[1], '\0' };

		if (lang_parse(code, &l) && (strchr("-;, ", accept[2]) || accept[2] == '\0'))
			return l;
		accept += strcspn(accept, ",");
		accept += strspn(accept, ", ");
	}
	return LANG_JA;
}

/* Everything besides the address that a page depends on. */
static uint64_t state_of(const struct visit *v)
{
	return v->facts.revision << 1 | v->archive;
}

static void serve_asking(struct visit *v, const struct route *r)
{
	char key[CACHE_KEY_MAX];     /* holds the longest address */
	struct err e;

	if (!store_facts(v->site->store, &v->facts, &e)) {
		r->unavailable(v);
		return;
	}
	int64_t newest_s = (int64_t)v->facts.held.until * 60;
	v->archive = !span_empty(v->facts.held) && clock_wall_s() - newest_s > ARCHIVE_AFTER_S;
	/* a figure's words follow the browser where its address does not name a language */
	(void)snprintf(key, sizeof key, "%s %s?%s", lang_code(v->lang), v->request->path, v->request->query);
	if (r->needs == ASKS_NOW) {
		r->serve(v);
	} else if (!cache_find(v->site->cache, key, state_of(v), v->reply)) {
		r->serve(v);
		cache_keep(v->site->cache, key, state_of(v), v->reply);
	}
	facts_release(&v->facts);
}

void routes_serve(void *site, const struct request *rq, struct reply *rp)
{
	struct visit v = { .site = site, .request = rq, .reply = rp, .lang = preferred(rq->accept_language) };

	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		struct visit fresh = v;

		if (!matches(routes[i].path, rq->path, &fresh))
			continue;
		if (routes[i].needs != NOTHING)
			serve_asking(&fresh, &routes[i]);
		else
			routes[i].serve(&fresh);
		return;
	}
	if (!strncmp(rq->path, "/en/", 4) || !strncmp(rq->path, "/ja/", 4))
		v.lang = rq->path[1] == 'e' ? LANG_EN : LANG_JA;
	if (!strncmp(rq->path, "/api/", 5))
		api_not_found(&v);
	else
		page_not_found(&v);
}
