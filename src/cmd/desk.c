/* desk: the inside pages and the API over HTTP, for this machine only. */
#include "cmd/commands.h"
#include "cmd/ending.h"
#include "cmd/place.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "net/http.h"
#include "web/cache.h"
#include "web/routes.h"
#include "web/site.h"

enum { TICK_MS = 100, PATIENCE_S = 5 /* then a page says that the store does not answer */ };

static const char *or_else(const char *given, const char *other)
{
	return given && given[0] ? given : other;
}

static bool serve(const char *listen, struct site *site, struct err *e)
{
	struct http_how how = { .listen = listen, .fn = routes_serve, .to = site };
	struct http *h = http_open(&how, e);

	if (!h)
		return false;
	for (int l = 0; l < LANGS; l++)
		printf("%s http://%s/%s/", l ? " " : "ready:", http_address(h), lang_code((enum lang)l));
	printf("\n");
	(void)fflush(stdout);
	while (!ending())
		clock_sleep_ms(TICK_MS);
	http_close(h);
	return true;
}

static int run_desk(const struct args *a)
{
	struct place place = { 0 };
	struct site site = { .version = teiten_version };
	char enrolled[PATH_TEXT_MAX];
	struct err e;
	bool ok;

	site.name[LANG_JA] = or_else(args_value(a, "name-ja"), "定点観測 Teiten");
	site.name[LANG_EN] = or_else(args_value(a, "name-en"), "Teiten observatory");
	ending_catch();
	ok = place_open(&place, a, false, &e);
	if (ok) {
		site.store = place.store;
		if (place.dir[0] && file_path(enrolled, place.dir, "sensors/enrolled", &e))
			site.enrolled = enrolled;
		store_patience(place.store, PATIENCE_S);
		site.cache = cache_make();
		ok = serve(or_else(args_value(a, "listen"), "127.0.0.1:8025"), &site, &e);
		cache_release(site.cache);
		place_close(&place);
	}
	if (ok)
		return EXIT_DONE;
	err_in(&e, "desk");
	log_err(&e);
	return EXIT_REFUSED;
}

static const struct option options[] = {
	{ "listen", "ADDRESS:PORT", "where to serve, on this machine only (default 127.0.0.1:8025)" },
	{ "name-ja", "TEXT", "the observatory's name on Japanese pages" },
	{ "name-en", "TEXT", "the observatory's name on English pages" },
	{ NULL, NULL, NULL },
};

const struct command command_desk = {
	.name = "desk",
	.usage = "[OPTION]...",
	.summary = "serve the inside pages and the API on this machine",
	.options = { options, place_options },
	.run = run_desk,
	.wordless = true,
};
