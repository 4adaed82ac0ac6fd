#include "base/log.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

#include <stdarg.h>
#include <unistd.h>

enum { REDRAW_US = 100000, RETELL_US = 10000000 };

struct progress {
	const char *what, *unit;
	unsigned long long total, done;
	uint64_t started_us, told_us;
	bool terminal, told;
};

static const char *daemon_name;

void log_daemon(const char *name)
{
	daemon_name = name;
}

static void stamp(void)
{
	time_t now = (time_t)clock_wall_s();
	struct tm tm;
	char text[40];

	gmtime_r(&now, &tm);
	(void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	(void)fprintf(stderr, "%s %s: ", text, daemon_name);
}

void log_line(const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?';
	if (daemon_name)
		stamp();
	else
		(void)fputs("teiten: ", stderr);
	(void)fprintf(stderr, "%s\n", text);
}

void log_err(const struct err *e)
{
	char text[ERR_TEXT_MAX];

	log_line("%s", err_text(e, text));
}

struct progress *progress_start(const char *what, unsigned long long total, const char *unit)
{
	struct progress *p = mem_zero(1, sizeof *p);

	*p = (struct progress){ .what = what, .unit = unit, .total = total, .started_us = clock_steady_us(),
		.terminal = isatty(STDERR_FILENO) };
	p->told_us = p->started_us;
	return p;
}

static void tell(struct progress *p)
{
	enum { WIDTH = 30 };
	char bar[WIDTH + 1], done[NUM_TEXT_MAX], total[NUM_TEXT_MAX];
	double share = p->total ? (double)p->done / (double)p->total : 0;
	int full = share >= 1 ? WIDTH : (int)(share * WIDTH);

	for (int i = 0; i < WIDTH; i++)
		bar[i] = i < full ? '#' : '.';
	bar[WIDTH] = '\0';
	(void)fprintf(stderr, "%s%s ", p->terminal ? "\r" : "", p->what);
	if (p->total)
		(void)fprintf(stderr, "[%s] %3.0f %% of %s %s, %.0f s", bar, share * 100, num_grouped(p->total, total), p->unit,
			(double)(clock_steady_us() - p->started_us) / 1e6);
	else
		(void)fprintf(stderr, "%s %s, %.0f s", num_grouped(p->done, done), p->unit,
			(double)(clock_steady_us() - p->started_us) / 1e6);
	(void)fprintf(stderr, "%s", p->terminal ? "   " : "\n");
	(void)fflush(stderr);
	p->told = true;
}

void progress_at(struct progress *p, unsigned long long done)
{
	uint64_t now = clock_steady_us();

	p->done = done;
	if (now - p->told_us < (p->terminal ? REDRAW_US : RETELL_US))
		return;
	p->told_us = now;
	tell(p);
}

void progress_end(struct progress *p)
{
	if (p->terminal || p->told) {
		tell(p);
		if (p->terminal)
			(void)fputc('\n', stderr);
	}
	free(p);
}
