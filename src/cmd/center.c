/* center: starts the centre's processes from one configuration, keeps them running, and ends them cleanly. */
#include "cmd/cmd.h"
#include "cmd/ending.h"
#include "cmd/parts.h"
#include "cmd/place.h"

#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/zone.h"
#include "net/http.h"
#include "store/wire.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char LISTEN[] = "127.0.0.1:8025";
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

/* What the process where sensors deliver would refuse. */
static bool collect_right(const struct args *a, const struct conf *c, struct err *e)
{
	const char *collect = setting(a, c, "collect", "collect", NULL), *metrics = setting(a, c, "metrics", "metrics", NULL);
	const char *certificate = setting(a, c, "certificate", "certificate", NULL), *key = setting(a, c, "key", "key", NULL);

	if (!collect)
		return true;
	if (!http_may_listen(collect, certificate != NULL, e))
		return err_in(e, "collect");
	if (metrics && !http_may_listen(metrics, false, e))
		return err_in(e, "metrics");
	if (!certificate != !key) {
		err_set(e, "a certificate and its key belong together");
		return err_expected(e, "certificate = FILE and key = FILE");
	}
	if (certificate && (!file_regular(certificate) || !file_regular(key)))
		return err_set(e, "%s is not a file", file_regular(certificate) ? key : certificate);
	return true;
}

/* Nobody but the keep's user and its main group reaches the keep, not even a root that has given up its rights. */
static bool users_right(const struct args *a, const struct conf *c, struct err *e)
{
	const char *keep = setting(a, c, "keep-user", "keep_user", NULL), *desk = setting(a, c, "desk-user", "desk_user", NULL);
	bool collects = setting(a, c, "collect", "collect", NULL) && !setting(a, c, "collect-user", "collect_user", NULL);

	if (!keep == !desk && !(keep && collects))
		return true;
	err_set(e, "keep_user, desk_user%s belong together", keep && collects ? " and collect_user" : "");
	return err_expected(e, "users of one main group, or one user for all");
}

static bool settings_right(const char *listen, const char *zone, struct err *e)
{
	struct zone z;

	if (zone && !zone_load(&z, zone, e))
		return err_in(e, "zone");
	if (zone)
		zone_release(&z);
	return http_may_listen(listen, false, e) || err_in(e, "listen");
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
	static const char prefix[] = "notify_";
	static char options[KEYS][OPTION_MAX];

	if (!conf_value(c, "notify_mail") && !conf_value(c, "notify_webhook") && !conf_value(c, "notify_syslog"))
		return;
	struct part *p = parts_add(all, "notify");
	p->optional = true;
	part_option(p, "--data", dir);
	for (size_t i = 0; i < KEYS; i++) {
		if (strncmp(keys[i], prefix, sizeof prefix - 1) != 0)
			continue;
		(void)snprintf(options[i], OPTION_MAX, "--%s", keys[i] + sizeof prefix - 1);
		for (char *at = options[i]; (at = strchr(at, '_')); )
			*at = '-';
		part_option(p, options[i], conf_value(c, keys[i]));
	}
}

static void add_parts(struct parts *all, const struct args *a, const struct conf *c, const char *dir, const char *listen, const char *zone)
{
	struct part *keep = parts_add(all, "keep");

	part_option(keep, "--data", dir);
	part_option(keep, "--zone", zone);
	part_option(keep, "--user", setting(a, c, "keep-user", "keep_user", NULL));
	add_collect(all, a, c, dir);
	add_notify(all, c, dir);
	struct part *desk = parts_add(all, "desk");
	part_flag(desk, "--keep");      /* one that opened the store itself would shut out a keep that is started again */
	part_option(desk, "--data", dir);
	part_option(desk, "--listen", listen);
	part_option(desk, "--name-ja", setting(a, c, "name-ja", "name_ja", NULL));
	part_option(desk, "--name-en", setting(a, c, "name-en", "name_en", NULL));
	part_option(desk, "--user", setting(a, c, "desk-user", "desk_user", NULL));
}

/* Reads the settings; false has said what is wrong. */
static bool read_settings(const struct args *a, struct conf *c)
{
	const char *path = args_value(a, "config");
	struct err e;

	*c = (struct conf){ 0 };
	if ((path && !conf_read(c, path, keys, &e)) ||
		!settings_right(setting(a, c, "listen", "listen", LISTEN), setting(a, c, "zone", "zone", NULL), &e) || !collect_right(a, c, &e) ||
		!users_right(a, c, &e)) {
		log_err(&e);
		return false;
	}
	return true;
}

static bool still_right(const struct args *a)
{
	static struct conf c;

	return read_settings(a, &c);
}

static int run_center(const struct args *a)
{
	static struct conf c;
	const char *path = args_value(a, "config");
	char socket[PATH_TEXT_MAX];
	struct parts all = { .ready = keep_answers, .of = socket, .right = still_right, .args = a };
	struct err e;

	if (!read_settings(a, &c))
		return EXIT_REFUSED;
	const char *dir = setting(a, &c, "data", "data", PLACE_DEFAULT), *zone = setting(a, &c, "zone", "zone", NULL);
	const char *listen = setting(a, &c, "listen", "listen", LISTEN);
	bool check = args_given(a, "check");
	if (!check && !may_start(dir, listen, &e)) {
		log_err(&e);
		return EXIT_REFUSED;
	}
	if (check) {
		printf("%s: all %zu settings are right\n", path ? path : "no --config", c.len);
		return EXIT_DONE;
	}
	if (!file_path(socket, dir, "keep.sock", &e)) {
		log_err(&e);
		return EXIT_REFUSED;
	}
	add_parts(&all, a, &c, dir, listen, zone);
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
