#include "cmd/metrics.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEFT_MAX = 1 << 16 };

bool metrics_may_listen(const char *listen, struct err *e)
{
	struct err other;

	if (http_may_listen(listen, false, e))
		return true;
	if (http_may_listen(listen, true, &other))
		err_expected(e, "127.0.0.0/8, [::1] or localhost: counters are for this machine, and whoever passes them on from here");
	return false;
}

bool metrics_listen(struct metrics *m, struct err *e)
{
	if (!m->listen)
		return true;
	m->socket = metrics_may_listen(m->listen, e) ? http_listen(m->listen, false, e) : -1;
	return m->socket >= 0 || err_in(e, "--metrics");
}

static void answer(void *to, const struct request *rq, struct reply *rp)
{
	struct metrics *m = to;

	if (!strcmp(rq->path, "/healthz")) {
		http_say(rp, 200, "ok");
	} else if (!strcmp(rq->path, "/metrics")) {
		rp->type = "text/plain; version=0.0.4; charset=utf-8";
		m->fn(m->of, &rp->body);
	} else {
		http_say(rp, 404, "/metrics and /healthz are here");
	}
}

bool metrics_serve(struct metrics *m, struct http **out, struct err *e)
{
	struct http_how how = { .listen = m->listen, .socket = m->socket, .fn = answer, .to = m };

	*out = m->listen ? http_open(&how, e) : NULL;
	return *out || !m->listen;
}

void metrics_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static const char prefix[] = ".metrics-";

void metrics_leave(const char *spool, const char *part, const struct buf *text)
{
	char name[64], path[PATH_TEXT_MAX];
	struct err e;

	(void)snprintf(name, sizeof name, "%s%s", prefix, part);
	if (text->ok && file_path(path, spool, name, &e))
		(void)file_leave(path, text->at, text->len, &e);        /* the next comes soon */
}

static bool is_left(const char *name)
{
	size_t len = strlen(name);

	return !strncmp(name, prefix, sizeof prefix - 1) && strcmp(name + len - 4, ".new") != 0;
}

/* A file of the folder itself, whatever stands there by now. */
static void add_file(int dir_fd, const char *name, struct buf *out)
{
	char block[LEFT_MAX];
	struct stat st;
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return;
	ssize_t n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read(fd, block, sizeof block) : 0;
	if (n > 0)
		buf_bytes(out, block, (size_t)n);
	(void)close(fd);
}

void metrics_left(const char *spool, struct buf *out)
{
	DIR *d = opendir(spool);
	struct dirent *entry;

	while (d && (entry = readdir(d)) != NULL)
		if (is_left(entry->d_name))
			add_file(dirfd(d), entry->d_name, out);
	if (d)
		closedir(d);
}
