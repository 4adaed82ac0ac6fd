#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(struct err *e, enum err_kind kind, const char *fmt, va_list ap)
{
	*e = (struct err){ .kind = kind };
	(void)vsnprintf(e->what, sizeof e->what, fmt, ap);
}

bool err_set(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e, ERR_WORLD, fmt, ap);
	va_end(ap);
	return false;
}

bool err_asked(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e, ERR_ASKED, fmt, ap);
	va_end(ap);
	return false;
}

bool err_expected(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(e->expected, sizeof e->expected, fmt, ap);
	va_end(ap);
	return false;
}

bool err_in(struct err *e, const char *fmt, ...)
{
	char outer[sizeof e->where], inner[sizeof e->where];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(outer, sizeof outer, fmt, ap);
	va_end(ap);
	memcpy(inner, e->where, sizeof inner);
	/* Too long a place loses its inner end, which the text of the failure usually repeats. */
	size_t len = strlen(outer);
	memcpy(e->where, outer, len + 1);
	if (inner[0] != '\0')
		(void)snprintf(e->where + len, sizeof e->where - len, ": %s", inner);
	return false;
}

bool err_errno(struct err *e, const char *fmt, ...)
{
	char text[sizeof e->what / 2];
	int code = errno;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err_set(e, "%s: %s", text, strerror(code));
	e->kind = code == ENOSPC || code == EDQUOT ? ERR_FULL : ERR_WORLD;
	return false;
}

const char *err_text(const struct err *e, char out[ERR_TEXT_MAX])
{
	(void)snprintf(out, ERR_TEXT_MAX, "%s%s%s%s%s%s", e->where, e->where[0] ? ": " : "", e->what,
		e->expected[0] ? " (" : "", e->expected, e->expected[0] ? ")" : "");
	for (char *c = out; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?';
	return out;
}
