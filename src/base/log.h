/* log: lines on standard error, for cmd/ alone. Text from outside is escaped here. */
#ifndef TEITEN_LOG_H
#define TEITEN_LOG_H

#include <stdbool.h>

struct err;

void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));      /* "teiten: ..." */
void log_err(const struct err *e);
void log_daemon(const char *name);      /* from now on with time and name in front, as a long-running process does */

/* A progress line on a terminal (redrawn in place, at most ten times a second); elsewhere one line every ten seconds.
 * total 0: not known. */
struct progress;
struct progress *progress_start(const char *what, unsigned long long total, const char *unit);
void progress_at(struct progress *p, unsigned long long done);
void progress_end(struct progress *p);  /* prints the last state and frees */

#endif
