#include "cmd/parts.h"

#include "cmd/ending.h"

#include "base/clock.h"
#include "base/daemon.h"
#include "base/err.h"
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_LINE_MAX = 1 << 16, ARGV_MAX = 512 };
/* A part that ends within SETTLED_MS of its first start will not do better the second time. */
enum { SETTLED_MS = 3000, BACKOFF_FIRST_MS = 500, BACKOFF_MAX_MS = 30000, TICK_MS = 50, READY_MS = 60000 };

static const char parent_variable[] = "TEITEN_PARENT", anew_variable[] = "TEITEN_ANEW";

void parts_follow_parent(void)
{
	const char *parent = getenv(parent_variable);

	if (!parent)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (strtol(parent, NULL, 10) != (long)getppid())
		_exit(127);     /* it is gone already */
}

struct part *parts_add(struct parts *all, const char *command)
{
	assert(all->len < PARTS_MAX);
	struct part *p = &all->list[all->len++];
	*p = (struct part){ .arg = { "teiten", command } };
	return p;
}

void part_flag(struct part *p, const char *option)
{
	size_t n = 0;

	while (p->arg[n])
		n++;
	assert(n + 2 < PART_WORDS_MAX);
	p->arg[n] = option;
}

void part_option(struct part *p, const char *option, const char *value)
{
	if (!value)
		return;
	part_flag(p, option);
	part_flag(p, value);
}

static uint64_t now_ms(void)
{
	return clock_steady_us() / 1000;
}

static bool start(struct part *p, struct err *e)
{
	pid_t parent = getpid();
	char text[16];

	p->started_ms = now_ms();
	p->starts++;
	p->pid = fork();
	if (p->pid < 0)
		return err_errno(e, "cannot start %s", p->arg[1]);
	if (p->pid > 0)
		return true;
	(void)snprintf(text, sizeof text, "%d", (int)parent);
	(void)setenv(parent_variable, text, 1);
	parts_follow_parent();
	(void)execv("/proc/self/exe", (char *const *)p->arg);
	_exit(127);
}

/* False: it cannot work at all, and has said why. Where they are begun anew, all of them worked before: there it may yet. */
static bool note_end(const struct parts *all, struct part *p, int status)
{
	bool refused = WIFEXITED(status) && WEXITSTATUS(status) != 0 && p->starts == 1 && now_ms() - p->started_ms < SETTLED_MS;

	p->pid = 0;
	refused = refused && !p->optional && !all->anew;
	if (ending() || refused)
		return !refused;
	if (now_ms() - p->started_ms > BACKOFF_MAX_MS)
		p->backoff_ms = 0;
	p->backoff_ms = p->backoff_ms ? p->backoff_ms * 2 : BACKOFF_FIRST_MS;
	p->backoff_ms = p->backoff_ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : p->backoff_ms;
	p->again_ms = now_ms() + p->backoff_ms;
	log_line("%s ended (%s %d); again in %u ms", p->arg[1], WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), p->backoff_ms);
	return true;
}

static bool reap(struct parts *all)
{
	int status;

	for (int i = 0; i < all->len; i++)
		if (all->list[i].pid > 0 && waitpid(all->list[i].pid, &status, WNOHANG) == all->list[i].pid && !note_end(all, &all->list[i], status))
			return false;
	return true;
}

static bool restart(struct parts *all, struct err *e)
{
	for (int i = 0; i < all->len; i++)
		if (all->list[i].pid == 0 && now_ms() >= all->list[i].again_ms && !start(&all->list[i], e))
			return false;
	return true;
}

/* The others are started when the first is ready. */
static bool wait_first(struct parts *all, struct err *e)
{
	for (unsigned waited = 0; all->ready && waited < READY_MS && !ending(); waited += TICK_MS) {
		if (all->ready(all->of, all->list[0].pid))
			return true;
		clock_sleep_ms(TICK_MS);
		if (!reap(all) || (all->list[0].pid == 0 && !all->anew))
			return err_set(e, "%s", "");
		if (all->list[0].pid == 0 && now_ms() >= all->list[0].again_ms && !start(&all->list[0], e))
			return false;
	}
	return !all->ready || ending() || err_set(e, "%s was not ready within %d s", all->list[0].arg[1], READY_MS / 1000);
}

static void end_all(struct parts *all)
{
	for (int i = all->len - 1; i >= 0; i--)
		if (all->list[i].pid > 0)
			(void)kill(all->list[i].pid, SIGTERM);
	for (int i = 0; i < all->len; i++)
		while (all->list[i].pid > 0 && waitpid(all->list[i].pid, NULL, 0) < 0 && errno == EINTR)
			;
}

/* The same command line once more, in the same process: what its settings say now is what it does then. */
static void begin_anew(void)
{
	static char words[COMMAND_LINE_MAX];
	static char *argv[ARGV_MAX];
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, words, sizeof words - 1) : -1;
	size_t n = 0;

	for (ssize_t at = 0; at < len && n + 1 < ARGV_MAX; at += (ssize_t)strlen(words + at) + 1)
		argv[n++] = words + at;
	(void)close(fd);
	(void)setenv(anew_variable, "1", 1);
	(void)execv("/proc/self/exe", argv);
}

bool parts_anew(void)
{
	bool anew = getenv(anew_variable) != NULL;

	(void)unsetenv(anew_variable);
	return anew;
}

static bool asked_to_reload(const struct parts *all)
{
	return ending_hangup() && (!all->right || all->right(all->args));
}

bool parts_run(struct parts *all, struct err *e)
{
	bool reload = false;

	ending_catch_hangup();
	bool ok = start(&all->list[0], e) && wait_first(all, e);
	for (int i = 1; ok && i < all->len && !ending(); i++)
		ok = start(&all->list[i], e);
	if (ok && !ending())
		daemon_tell("READY=1");
	while (ok && !ending() && !(reload = asked_to_reload(all))) {
		ok = reap(all) ? restart(all, e) : err_set(e, "%s", "");
		clock_sleep_ms(TICK_MS);
	}
	daemon_tell(reload ? "RELOADING=1" : "STOPPING=1");
	end_all(all);
	if (!reload)
		return ok;
	log_line("beginning anew with the settings as they are now");
	begin_anew();
	return err_errno(e, "cannot begin anew");
}
