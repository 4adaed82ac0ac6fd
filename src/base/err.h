/* err: why something outside refused us. One value, three short texts; nothing is allocated.
 *
 * A function that can fail for a reason of the world returns bool and takes a struct err last; false has always filled
 * it. The text grows from the outside in: err_in() puts the place in front ("week04.gz: line 17"). */
#ifndef TEITEN_ERR_H
#define TEITEN_ERR_H

#include <stdbool.h>
#include <stddef.h>

/* What a program should do about it. */
enum err_kind {
	ERR_WORLD,              /* nothing special: tell it; another time it may work */
	ERR_ASKED,              /* what was asked for is wrong and stays so: a client's or user's mistake */
	ERR_FULL,               /* no room left: wait for some */
};

struct err {
	enum err_kind kind;
	char where[256];        /* the place, outermost first; may be empty */
	char what[256];         /* what is wrong */
	char expected[256];     /* what would have been right, or what to do next; may be empty */
};

enum { ERR_TEXT_MAX = 3 * 256 + 16 };

/* Fills e with what is wrong, empties the rest; always false, so that `return err_set(...)` reads well. */
bool err_set(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, and it was asked wrongly: ERR_ASKED. */
bool err_asked(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds what was expected (or what to do); always false. */
bool err_expected(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Puts an outer place in front; always false. */
bool err_in(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* what + strerror(errno). */
bool err_errno(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One line "where: what (expected)", control characters replaced; returns out. */
const char *err_text(const struct err *e, char out[ERR_TEXT_MAX]);

#endif
