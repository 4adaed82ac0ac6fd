/* metrics: the counters of a long-running command for Prometheus (text format 0.0.4), and whether it is well, on a port of this
 * machine: /metrics and /healthz. */
#ifndef TEITEN_METRICS_H
#define TEITEN_METRICS_H

#include "net/http.h"

struct buf;

/* Appends lines; called from several threads. */
typedef void metrics_fn(void *of, struct buf *out);

struct metrics { const char *listen; metrics_fn *fn; void *of; int socket; };

bool metrics_may_listen(const char *listen, struct err *e);     /* on this machine alone */
/* The socket, before rights are given up; does nothing where `listen` is NULL. */
bool metrics_listen(struct metrics *m, struct err *e);
/* *out is NULL where nothing listens; the caller ends it with http_close. m is borrowed until then. */
bool metrics_serve(struct metrics *m, struct http **out, struct err *e);
/* Who has no network leaves its counters as a file in the spool, by the name of the part; who serves /metrics there adds them. */
void metrics_leave(const char *spool, const char *part, const struct buf *text);
void metrics_left(const char *spool, struct buf *out);
/* "# HELP", "# TYPE" and the lines' common head. */
void metrics_head(struct buf *out, const char *name, const char *type, const char *help);

#endif
