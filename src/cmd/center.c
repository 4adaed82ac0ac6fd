/* center: starts the centre's processes from one configuration, keeps them running, and ends them cleanly. */
#include "cmd/cmd.h"
#include "cmd/ending.h"

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

/* A part that ends within SETTLED_MS of its first start will not do better the second time. */
enum { PARTS = 2, SETTLED_MS = 3000, BACKOFF_FIRST_MS = 500, BACKOFF_MAX_MS = 30000, TICK_MS = 50, READY_MS = 60000 };

static const char *const keys[] = { "data", "listen", "zone", "name_ja", "name_en", NULL };

struct part {
	const char *name;
	const char *arg[16];            /* NULL-ended, the command's name first */
	pid_t pid;                      /* 0: not running */
	uint64_t started_ms, again_ms;
	unsigned backoff_ms, starts;
};

static uint64_t now_ms(void)
{
	return clock_steady_us() / 1000;
}

static bool start(struct part *p, struct err *e)
{
	pid_t parent = getpid();

	p->started_ms = now_ms();
	p->starts++;
	p->pid = fork();
	if (p->pid < 0)
		return err_errno(e, "cannot start %s", p->name);
	if (p->pid > 0)
		return true;
	/* a centre that is killed takes its parts along */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == parent)
		(void)execv("/proc/self/exe", (char *const *)p->arg);
	_exit(127);
}

/* False: it cannot work at all, and has said why. */
static bool note_end(struct part *p, int status)
{
	bool refused = WIFEXITED(status) && WEXITSTATUS(status) != 0 && p->starts == 1 && now_ms() - p->started_ms < SETTLED_MS;

	p->pid = 0;
	if (ending() || refused)
		return !refused;
	if (now_ms() - p->started_ms > BACKOFF_MAX_MS)
		p->backoff_ms = 0;
	p->backoff_ms = p->backoff_ms ? p->backoff_ms * 2 : BACKOFF_FIRST_MS;
	p->backoff_ms = p->backoff_ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : p->backoff_ms;
	p->again_ms = now_ms() + p->backoff_ms;
	log_line("%s ended (%s %d); again in %u ms", p->name, WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), p->backoff_ms);
	return true;
}

static bool reap(struct part parts[PARTS])
{
	int status;

	for (int i = 0; i < PARTS; i++)
		if (parts[i].pid > 0 && waitpid(parts[i].pid, &status, WNOHANG) == parts[i].pid && !note_end(&parts[i], status))
			return false;
	return true;
}

static bool restart(struct part parts[PARTS], struct err *e)
{
	for (int i = 0; i < PARTS; i++)
		if (parts[i].pid == 0 && now_ms() >= parts[i].again_ms && !start(&parts[i], e))
			return false;
	return true;
}

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

/* The desk asks the keep: it starts when there is ours to ask. */
static bool wait_keep(struct part parts[PARTS], const char *dir, struct err *e)
{
	char socket[PATH_TEXT_MAX];

	if (!file_path(socket, dir, "keep.sock", e))
		return false;
	for (unsigned waited = 0; waited < READY_MS && !ending(); waited += TICK_MS) {
		if (keep_of(socket) == parts[0].pid)
			return true;
		clock_sleep_ms(TICK_MS);
		if (!reap(parts) || parts[0].pid == 0)
			return err_set(e, "%s", "");
	}
	return ending() || err_set(e, "keep was not ready within %d s", READY_MS / 1000);
}

static void end_all(struct part parts[PARTS])
{
	for (int i = PARTS - 1; i >= 0; i--)
		if (parts[i].pid > 0)
			(void)kill(parts[i].pid, SIGTERM);
	for (int i = 0; i < PARTS; i++)
		while (parts[i].pid > 0 && waitpid(parts[i].pid, NULL, 0) < 0 && errno == EINTR)
			;
}

/* False with an empty text: a part could not work, and has said why in a line of its own. */
static bool run_parts(struct part parts[PARTS], const char *dir, struct err *e)
{
	bool ok = start(&parts[0], e) && wait_keep(parts, dir, e) && (ending() || start(&parts[1], e));

	while (ok && !ending()) {
		ok = reap(parts) ? restart(parts, e) : err_set(e, "%s", "");
		clock_sleep_ms(TICK_MS);
	}
	end_all(parts);
	return ok;
}

static bool settings_right(const char *listen, const char *zone, struct err *e)
{
	struct zone z;

	if (zone && !zone_load(&z, zone, e))
		return err_in(e, "zone");
	if (zone)
		zone_release(&z);
	return http_may_listen(listen, e) || err_in(e, "listen");
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

/* The command line first, then the configuration, then the default. */
static const char *setting(const struct args *a, const struct conf *c, const char *option, const char *key, const char *other)
{
	const char *given = args_value(a, option);

	given = given ? given : conf_value(c, key);
	return given ? given : other;
}

static void add(struct part *p, const char *option, const char *value)
{
	size_t n = 0;

	if (!value)
		return;
	while (p->arg[n])
		n++;
	p->arg[n] = option;
	p->arg[n + 1] = value;
}

static int run_center(const struct args *a)
{
	static struct conf c;
	const char *path = args_value(a, "config");
	struct part parts[PARTS] = { { .name = "keep", .arg = { "teiten", "keep" } }, { .name = "desk", .arg = { "teiten", "desk" } } };
	struct err e;

	if (a->words) {
		log_line("center takes no words, only options: \"%s\"", a->word[0]);
		return EXIT_WRONG_USE;
	}
	if (path && !conf_read(&c, path, keys, &e)) {
		log_err(&e);
		return EXIT_REFUSED;
	}
	const char *dir = setting(a, &c, "data", "data", "./teiten-data"), *zone = setting(a, &c, "zone", "zone", NULL);
	const char *listen = setting(a, &c, "listen", "listen", "127.0.0.1:8025");
	bool check = args_given(a, "check");
	if (!settings_right(listen, zone, &e) || (!check && !may_start(dir, listen, &e))) {
		log_err(&e);
		return EXIT_REFUSED;
	}
	if (check) {
		printf("%s: all %zu settings are right\n", path ? path : "no --config", c.len);
		return EXIT_DONE;
	}
	for (int i = 0; i < PARTS; i++)
		add(&parts[i], "--data", dir);
	add(&parts[0], "--zone", zone);
	add(&parts[1], "--listen", listen);
	add(&parts[1], "--name-ja", setting(a, &c, "name-ja", "name_ja", NULL));
	add(&parts[1], "--name-en", setting(a, &c, "name-en", "name_en", NULL));
	ending_catch();
	log_daemon("center");
	if (run_parts(parts, dir, &e))
		return EXIT_DONE;
	if (e.what[0])
		log_err(&e);
	return EXIT_REFUSED;
}

static const struct option options[] = {
	{ "config", "FILE", "settings: data, listen, zone, name_ja, name_en" },
	{ "data", "DIR", "the observatory's folder (default ./teiten-data)" },
	{ "listen", "ADDRESS:PORT", "where the inside pages are served, on this machine only (default 127.0.0.1:8025)" },
	{ "zone", "ZONE", "time zone of a store that is made now, such as Asia/Tokyo (default UTC)" },
	{ "name-ja", "NAME", "what the observatory is called on Japanese pages" },
	{ "name-en", "NAME", "what it is called on English pages" },
	{ "check", NULL, "only read the configuration and say whether it is right" },
	{ NULL, NULL, NULL },
};

const struct command command_center = {
	.name = "center",
	.usage = "[OPTION]...",
	.summary = "run the centre: the store's keep and the inside pages",
	.options = { options },
	.run = run_center,
};
