#include "cmd/metrics.h"

#include "base/bytes.h"
#include "base/err.h"

bool metrics_listen(struct metrics *m, struct err *e)
{
	if (!m->listen)
		return true;
	m->socket = http_listen(m->listen, false, e);
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
