/* desk: the inside pages and the API over HTTP, for this machine only. */
#include "cmd/commands.h"
#include "cmd/ending.h"
#include "cmd/place.h"
#include "cmd/rights.h"

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

static const char *where(const struct args *a)
{
	return or_else(args_value(a, "listen"), "127.0.0.1:8025");
}

/* Whether another process holds the store. */
static bool asks(const struct place *p, const struct args *a)
{
	const char *address = args_value(a, "store");

	return p->through_keep || (address && !strncmp(address, "unix:", 5));
}

/* It goes on with the socket that it serves, the list of sensors to read, and the keep's to ask; one that holds the store itself
 * has threads already, and stays who it is. */
static bool give_up_rights(const struct place *p, const struct args *a, struct err *e)
{
	char sensors[PATH_TEXT_MAX];
	const char *const readable[] = { sensors, NULL };
	struct confine_how how = { .user = args_value(a, "user"), .readable = readable, .network = NETWORK_ASKS };
	bool prove = args_given(a, "prove");
	struct facts f;

	if (!asks(p, a) && !how.user && !prove)
		return true;
	if (!asks(p, a)) {
		err_asked(e, "--user and --prove are for pages of a store that a keep holds");
		return err_expected(e, "`teiten keep` or `teiten center`");
	}
	if (!file_path(sensors, p->dir, "sensors", e) || !rights_give_up(&how, prove, e) || !store_facts(p->store, &f, e))
		return false;
	facts_release(&f);
	return true;
}

static bool serve(const struct args *a, const struct place *p, struct site *site, struct err *e)
{
	struct http_how how = { .listen = where(a), .fn = routes_serve, .to = site };
	struct http *h;

	how.socket = http_listen(how.listen, false, e);
	if (how.socket < 0 || !give_up_rights(p, a, e) || !(h = http_open(&how, e)))
		return false;
	store_patience(p->store, PATIENCE_S);
	for (int l = 0; l < LANGS; l++)
		printf("%s http://%s/%s/", l ? " " : "ready:", http_address(h), lang_code((enum lang)l));
	printf("\n");
	(void)fflush(stdout);
	while (!ending())
		clock_sleep_ms(TICK_MS);
	http_close(h);
	return true;
}

static bool is_right(const struct args *a, struct err *e)
{
	return (http_may_listen(where(a), false, e) || err_in(e, "--listen")) && confine_knows(args_value(a, "user"), e);
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
	ok = args_given(a, "keep") ? place_ask(&place, a, &e) : place_open(&place, a, false, &e);
	if (ok) {
		site.store = place.store;
		if (place.dir[0] && file_path(enrolled, place.dir, "sensors/enrolled", &e))
			site.enrolled = enrolled;
		site.cache = cache_make();
		ok = serve(a, &place, &site, &e);
		cache_release(site.cache);
		place_close(&place);
	}
	if (ok)
		return EXIT_DONE;
	err_in(&e, "desk");
	log_err(&e);
	return e.kind == ERR_ASKED ? EXIT_WRONG_USE : EXIT_REFUSED;
}

static const struct option options[] = {
	{ "listen", "ADDRESS:PORT", "where to serve, on this machine only (default 127.0.0.1:8025)" },
	{ "name-ja", "TEXT", "the observatory's name on Japanese pages" },
	{ "name-en", "TEXT", "the observatory's name on English pages" },
	{ "keep", NULL, "ask the keep of the folder, wait for one that is away, and never open the store itself" },
	{ "user", "NAME", "become this user once it listens" },
	{ "prove", NULL, "try at the start what must not work any more, and say so" },
	{ NULL, NULL, NULL },
};

const struct command command_desk = {
	.name = "desk",
	.usage = "[OPTION]...",
	.summary = "serve the inside pages and the API on this machine",
	.options = { options, place_options },
	.run = run_desk,
	.right = is_right,
	.wordless = true,
};
