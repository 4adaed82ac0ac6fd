/* center: starts the centre's processes from one configuration, keeps them running, and ends them cleanly. */
#include "cmd/commands.h"
#include "cmd/ending.h"
#include "cmd/parts.h"
#include "cmd/place.h"

#include "base/conf.h"
#include "base/confine.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "net/http.h"
#include "store/wire.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char LISTEN[] = "127.0.0.1:8025", NOTIFY[] = "notify_";
static const char *const keys[] = {
	"data", "listen", "zone", "name_ja", "name_en", "collect", "certificate", "key", "collect_user", "metrics", "keep_user", "desk_user",
	/* notify's own options, in its words */
	"notify_mail", "notify_smtp", "notify_smtp_user", "notify_smtp_password", "notify_from", "notify_webhook", "notify_syslog", "notify_digest",
	"notify_quiet", "notify_zone", "notify_language", "notify_ca", "notify_user", NULL,
};
enum { KEYS = sizeof keys / sizeof *keys - 1, OPTION_MAX = 32 };

/* Who listens behind the keep's socket; 0 for nobody. */
static pid_t keep_of(const char *socket_path)
{
	struct ucred who = { 0 };
	socklen_t len = sizeof who;
	struct err e;
	int fd = file_exists(socket_path) ? wire_connect(socket_path, &e) : -1;

	if (fd < 0)
		return 0;
	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len);
	(void)close(fd);
	return who.pid;
}

/* The others ask the keep, or fill its spool: they start when there is ours to ask. */
static bool keep_answers(const void *socket_path, pid_t ours)
{
	return keep_of(socket_path) == ours;
}

/* The command line first, then the configuration, then the default. */
static const char *setting(const struct args *a, const struct conf *c, const char *option, const char *key, const char *other)
{
	const char *given = args_value(a, option);

	given = given ? given : conf_value(c, key);
	return given ? given : other;
}

/* Nobody but the keep's user and its main group reaches the keep, not even a root that has given up its rights. */
static bool users_right(const struct args *a, const struct conf *c, struct err *e)
{
	const char *keep = setting(a, c, "keep-user", "keep_user", NULL), *desk = setting(a, c, "desk-user", "desk_user", NULL);
	const char *collect = setting(a, c, "collect-user", "collect_user", NULL);
	bool collects = setting(a, c, "collect", "collect", NULL) && !collect;

	if (!keep == !desk && !(keep && collects))
		return confine_knows(collect, e) || err_in(e, "collect_user");
	err_set(e, "keep_user, desk_user%s belong together", keep && collects ? " and collect_user" : "");
	return err_expected(e, "users of one main group, or one user for all");
}

/* What the parts cannot tell by themselves: who needs whom, and that no two want the same. */
static bool belong_together(const struct args *a, const struct conf *c, struct err *e)
{
	static const char *const of_collect[] = { "certificate", "key", "metrics" };
	const char *collect = setting(a, c, "collect", "collect", NULL), *metrics = setting(a, c, "metrics", "metrics", NULL);
	const char *listen = setting(a, c, "listen", "listen", LISTEN);

	for (size_t i = 0; !collect && i < sizeof of_collect / sizeof *of_collect; i++)
		if (setting(a, c, of_collect[i], of_collect[i], NULL)) {
			err_set(e, "%s means nothing without collect", of_collect[i]);
			return err_expected(e, "collect = ADDRESS:PORT");
		}
	if (collect && http_clash(listen, collect))
		return err_set(e, "listen and collect are the same address: %.60s, %.60s", listen, collect);
	if (metrics && (http_clash(metrics, listen) || http_clash(metrics, collect)))
		return err_set(e, "metrics is the address of listen or collect: %.60s", metrics);
	return users_right(a, c, e);
}

/* As the part itself would read its settings. */
static bool part_right(const struct part *p, struct err *e)
{
	const struct command *command = command_named(p->arg[1]);
	static struct args a;
	int n = 2;

	while (p->arg[n])
		n++;
	return (args_parse(&a, command->options, n - 2, (char **)p->arg + 2, e) && (!command->right || command->right(&a, e))) ||
		err_in(e, "%s", p->arg[1]);
}

static bool needed_right(const struct parts *all, struct err *e)
{
	for (int i = 0; i < all->len; i++)
		if (!all->list[i].optional && !part_right(&all->list[i], e))
			return false;
	return true;
}

/* A centre starts without these, when they are wrong. */
static bool optional_right(const struct parts *all, const struct conf *c, struct err *e)
{
	bool tells = false;

	for (int i = 0; i < all->len; i++) {
		tells |= all->list[i].optional;
		if (all->list[i].optional && !part_right(&all->list[i], e))
			return false;
	}
	for (size_t i = 0; !tells && i < c->len; i++)
		if (!strncmp(c->list[i].key, NOTIFY, sizeof NOTIFY - 1)) {
			err_set(e, "%s means nothing by itself", c->list[i].key);
			return err_expected(e, "notify_mail, notify_webhook or notify_syslog say whom to tell");
		}
	return true;
}

/* What would only come out when the parts are running. */
static bool may_start(const char *dir, const char *listen, struct err *e)
{
	char socket[PATH_TEXT_MAX];

	if (!file_path(socket, dir, "keep.sock", e))
		return false;
	pid_t other = keep_of(socket);
	if (other) {
		err_set(e, "a keep is already running in %s: process %d", dir, (int)other);
		return err_expected(e, "end it or the centre that it belongs to, or another folder: --data DIR");
	}
	return http_is_free(listen, false, e) || err_in(e, "listen");
}

/* Where sensors deliver; nowhere, unless it is said. */
static void add_collect(struct parts *all, const struct args *a, const struct conf *c, const char *dir)
{
	const char *collect = setting(a, c, "collect", "collect", NULL);

	if (!collect)
		return;
	struct part *p = parts_add(all, "collect");
	part_option(p, "--data", dir);
	part_option(p, "--listen", collect);
	part_option(p, "--certificate", setting(a, c, "certificate", "certificate", NULL));
	part_option(p, "--key", setting(a, c, "key", "key", NULL));
	part_option(p, "--user", setting(a, c, "collect-user", "collect_user", NULL));
	part_option(p, "--metrics", setting(a, c, "metrics", "metrics", NULL));
}

/* Who is told what the keep notices; nobody, unless a way is said. Only in the configuration: what it takes is what notify takes. */
static void add_notify(struct parts *all, const struct conf *c, const char *dir)
{
	static char options[KEYS][OPTION_MAX];

	if (!conf_value(c, "notify_mail") && !conf_value(c, "notify_webhook") && !conf_value(c, "notify_syslog"))
		return;
	struct part *p = parts_add(all, "notify");
	p->optional = true;
	part_option(p, "--data", dir);
	for (size_t i = 0; i < KEYS; i++) {
		if (strncmp(keys[i], NOTIFY, sizeof NOTIFY - 1) != 0)
			continue;
		(void)snprintf(options[i], OPTION_MAX, "--%s", keys[i] + sizeof NOTIFY - 1);
		for (char *at = options[i]; (at = strchr(at, '_')); )
			*at = '-';
		part_option(p, options[i], conf_value(c, keys[i]));
	}
}

static const char *folder(const struct args *a, const struct conf *c)
{
	return setting(a, c, "data", "data", PLACE_DEFAULT);
}

static void add_parts(struct parts *all, const struct args *a, const struct conf *c)
{
	const char *dir = folder(a, c);
	struct part *keep = parts_add(all, "keep");

	part_option(keep, "--data", dir);
	part_option(keep, "--zone", setting(a, c, "zone", "zone", NULL));
	part_option(keep, "--user", setting(a, c, "keep-user", "keep_user", NULL));
	add_collect(all, a, c, dir);
	add_notify(all, c, dir);
	struct part *desk = parts_add(all, "desk");
	part_flag(desk, "--keep");      /* one that opened the store itself would shut out a keep that is started again */
	part_option(desk, "--data", dir);
	part_option(desk, "--listen", setting(a, c, "listen", "listen", LISTEN));
	part_option(desk, "--name-ja", setting(a, c, "name-ja", "name_ja", NULL));
	part_option(desk, "--name-en", setting(a, c, "name-en", "name_en", NULL));
	part_option(desk, "--user", setting(a, c, "desk-user", "desk_user", NULL));
}

static bool read_settings(const struct args *a, struct conf *c, struct parts *all, struct err *e)
{
	const char *path = args_value(a, "config");

	*c = (struct conf){ 0 };
	if ((path && !conf_read(c, path, keys, e)) || !belong_together(a, c, e))
		return false;
	add_parts(all, a, c);
	return needed_right(all, e);
}

/* Whether it could begin with all settings as they are now; says what is wrong. */
static bool all_right(const struct args *a, struct conf *c)
{
	struct parts all = { 0 };
	struct err e;

	if (read_settings(a, c, &all, &e) && optional_right(&all, c, &e))
		return true;
	log_err(&e);
	return false;
}

static bool still_right(const struct args *a)
{
	static struct conf c;

	return all_right(a, &c);
}

static int check(const struct args *a)
{
	static struct conf c;
	const char *path = args_value(a, "config");

	if (!all_right(a, &c))
		return EXIT_REFUSED;
	printf("%s: all %zu settings are right\n", path ? path : "no --config", c.len);
	return EXIT_DONE;
}

static int run_center(const struct args *a)
{
	static struct conf c;
	char socket[PATH_TEXT_MAX];
	struct parts all = { .ready = keep_answers, .of = socket, .right = still_right, .args = a, .anew = parts_anew() };
	struct err e;

	if (args_given(a, "check"))
		return check(a);
	if (!read_settings(a, &c, &all, &e) || (!all.anew && !may_start(folder(a, &c), setting(a, &c, "listen", "listen", LISTEN), &e)) ||
		!file_path(socket, folder(a, &c), "keep.sock", &e)) {
		log_err(&e);
		return EXIT_REFUSED;
	}
	ending_catch();
	log_daemon("center");
	if (parts_run(&all, &e))
		return EXIT_DONE;
	if (e.what[0])
		log_err(&e);
	return EXIT_REFUSED;
}

static const struct option options[] = {
	{ "config", "FILE", "settings: data, listen, zone, name_ja, name_en, collect, certificate, key, collect_user, metrics, keep_user, desk_user, notify_..." },
	{ "data", "DIR", "the observatory's folder (default ./teiten-data)" },
	{ "listen", "ADDRESS:PORT", "where the inside pages are served, on this machine only (default 127.0.0.1:8025)" },
	{ "zone", "ZONE", "time zone of a store that is made now, such as Asia/Tokyo (default UTC)" },
	{ "name-ja", "NAME", "what the observatory is called on Japanese pages" },
	{ "name-en", "NAME", "what it is called on English pages" },
	{ "collect", "ADDRESS:PORT", "where enrolled sensors deliver; nowhere unless it is said" },
	{ "certificate", "FILE", "of that address: TLS with this certificate (PEM)" },
	{ "key", "FILE", "the certificate's key (PEM)" },
	{ "collect-user", "NAME", "who that process becomes once it listens" },
	{ "metrics", "ADDRESS:PORT", "where that process's counters can be read on this machine" },
	{ "keep-user", "NAME", "who the process that holds the store becomes; the folder is given to that user" },
	{ "desk-user", "NAME", "who the process of the inside pages becomes; its main group is that of keep-user" },
	{ "check", NULL, "only read the configuration and say whether it is right" },
	{ NULL, NULL, NULL },
};

const struct command command_center = {
	.name = "center",
	.usage = "[OPTION]...",
	.summary = "run the centre: the store's keep, the inside pages, and where sensors deliver",
	.options = { options },
	.run = run_center,
	.wordless = true,
};
