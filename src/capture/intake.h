/* intake: the plain bytes of one file, whatever it was compressed with, with a look ahead and line by line.
 *
 * A stream that breaks off delivers all it has; then it ends, and intake_broken() says why. Memory is one buffer of
 * fixed size, so it works on pipes and on files of any length. */
#ifndef TEITEN_INTAKE_H
#define TEITEN_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct intake;

enum { INTAKE_AHEAD_MAX = 1 << 19, INTAKE_LINE_MAX = 1 << 16 };

struct line {
	char *text;             /* NUL-terminated, without its line ending; may be written into; valid until the next call */
	size_t len;
	uint64_t number;        /* from 1 */
	bool too_long;          /* more than INTAKE_LINE_MAX: text is "" */
	bool cut;               /* the stream broke off inside it */
};

/* Reads fd (borrowed) from where it stands, `limit` plain bytes at most: what was added to the file since its length was
 * taken stays out. */
struct intake *intake_open(int fd, uint64_t limit, struct err *e);
struct intake *intake_over(const void *bytes, size_t len);              /* bytes in memory, borrowed */
void intake_close(struct intake *in);                                   /* NULL is fine */

/* The next n bytes (at most INTAKE_AHEAD_MAX) without taking them; NULL when fewer are left. Valid until the next call. */
static inline const uint8_t *intake_peek(struct intake *in, size_t n);
/* As many of the next bytes as there are, up to n. */
const uint8_t *intake_ahead(struct intake *in, size_t n, size_t *len);
/* Takes n bytes; false when fewer were left. What was peeked stays valid. */
static inline bool intake_skip(struct intake *in, uint64_t n);
bool intake_line(struct intake *in, struct line *out);                  /* false at the end */
bool intake_ended(struct intake *in);
bool intake_broken(const struct intake *in, struct err *e);             /* whether it broke off; then fills e */
const char *intake_compression(const struct intake *in);                /* "plain", "gzip", "xz", "zstd" */
uint64_t intake_taken(const struct intake *in);                         /* bytes of the file read so far: for progress */

/* Where every packet passes: the bytes that are there already, the first part of an intake. */
struct intake_window { const uint8_t *at, *end; };
const uint8_t *intake_fetch(struct intake *in, size_t n);       /* peek, when the window is too short */
bool intake_pass(struct intake *in, uint64_t n);                /* skip, likewise */

static inline const uint8_t *intake_peek(struct intake *in, size_t n)
{
	const struct intake_window *w = (const struct intake_window *)(const void *)in;

	return (size_t)(w->end - w->at) >= n ? w->at : intake_fetch(in, n);
}

static inline bool intake_skip(struct intake *in, uint64_t n)
{
	struct intake_window *w = (struct intake_window *)(void *)in;

	if ((uint64_t)(w->end - w->at) < n)
		return intake_pass(in, n);
	w->at += n;
	return true;
}

#endif
