#include "capture/intake.h"

#include "base/compress.h"
#include "base/err.h"
#include "base/mem.h"

#include <assert.h>

enum { ROOM = 2 * INTAKE_AHEAD_MAX, READ_MAX = 1 << 18 /* stays in the cache until it is decoded */ };

struct intake {
	struct intake_window window;    /* unread part of room; first: see intake.h */
	struct inflow *flow;            /* NULL: over memory */
	const uint8_t *memory;
	uint64_t left;                  /* plain bytes that may still come */
	bool ended, broken;
	struct err why;
	uint64_t lines;
	uint8_t room[ROOM + 1];         /* one more for the NUL of a last line */
};

struct intake *intake_open(int fd, uint64_t limit, struct err *e)
{
	struct intake *in = mem_zero(1, sizeof *in);

	in->window.at = in->window.end = in->room;
	in->left = limit;
	in->flow = inflow_open(fd, e);
	if (!in->flow) {
		free(in);
		return NULL;
	}
	return in;
}

struct intake *intake_over(const void *bytes, size_t len)
{
	struct intake *in = mem_zero(1, sizeof *in);

	in->window.at = in->window.end = in->room;
	in->memory = bytes;
	in->left = len;
	return in;
}

void intake_close(struct intake *in)
{
	if (in)
		inflow_close(in->flow);
	free(in);
}

static size_t from_memory(struct intake *in, uint8_t *to, size_t cap)
{
	memcpy(to, in->memory, cap);
	in->memory += cap;
	return cap;
}

/* All bytes that were asked for have come: whether the stream ended there, went on or broke off is still to be seen. */
static void end(struct intake *in)
{
	uint8_t beyond;
	size_t got;

	in->broken = in->flow && !inflow_read(in->flow, &beyond, 1, &got, &in->why);
	in->ended = true;
}

static size_t waiting(const struct intake *in)
{
	return (size_t)(in->window.end - in->window.at);
}

/* Gets some more bytes behind those that are there. */
static void more(struct intake *in)
{
	size_t len = waiting(in), cap = ROOM - len < READ_MAX ? ROOM - len : READ_MAX, got = 0;

	memmove(in->room, in->window.at, len);
	in->window = (struct intake_window){ in->room, in->room + len };
	cap = cap < in->left ? cap : (size_t)in->left;
	if (cap == 0) {
		end(in);
		return;
	}
	if (!in->flow)
		got = from_memory(in, in->room + len, cap);
	else if (!inflow_read(in->flow, in->room + len, cap, &got, &in->why))
		in->broken = true;      /* the bytes it gave with that are good */
	in->ended = in->broken || got == 0;
	in->window.end += got;
	in->left -= got;
}

static void fill(struct intake *in, size_t n)
{
	assert(n <= INTAKE_AHEAD_MAX);
	while (waiting(in) < n && !in->ended)
		more(in);
}

const uint8_t *intake_fetch(struct intake *in, size_t n)
{
	fill(in, n);
	return waiting(in) < n ? NULL : in->window.at;
}

const uint8_t *intake_ahead(struct intake *in, size_t n, size_t *len)
{
	fill(in, n);
	*len = waiting(in) < n ? waiting(in) : n;
	return in->window.at;
}

bool intake_pass(struct intake *in, uint64_t n)
{
	while (n > 0) {
		size_t here = waiting(in);

		if (here == 0) {
			fill(in, 1);
			if (waiting(in) == 0)
				return false;
			continue;
		}
		if (here > n)
			here = (size_t)n;
		in->window.at += here;
		n -= here;
	}
	return true;
}

/* Where the line that begins here ends: at its '\n', or at the end of what there is (up to the limit). */
static size_t line_length(struct intake *in, bool *whole)
{
	size_t seen = 0;

	for (;;) {
		size_t here = waiting(in);
		const uint8_t *end = memchr(in->window.at + seen, '\n', here - seen);

		*whole = end != NULL;
		if (end)
			return (size_t)(end - in->window.at);
		if (here > INTAKE_LINE_MAX || in->ended)
			return here;
		seen = here;
		more(in);
	}
}

/* Passes the rest of a line whose beginning was too long already. */
static void pass_line(struct intake *in)
{
	bool whole;

	do {
		size_t n = line_length(in, &whole);

		in->window.at += whole ? n + 1 : n;
	} while (!whole && !intake_ended(in));
}

bool intake_line(struct intake *in, struct line *out)
{
	bool whole;

	if (intake_ended(in))
		return false;
	size_t n = line_length(in, &whole);
	*out = (struct line){ .number = ++in->lines, .too_long = n > INTAKE_LINE_MAX };
	if (out->too_long) {
		if (whole)
			in->window.at += n + 1;
		else
			pass_line(in);
		in->room[ROOM] = '\0';
		out->text = (char *)in->room + ROOM;
		return true;
	}
	out->text = (char *)in->room + (in->window.at - in->room);
	out->cut = !whole && in->broken;
	in->window.at += whole ? n + 1 : n;
	if (n > 0 && out->text[n - 1] == '\r')
		n--;
	out->text[n] = '\0';
	out->len = n;
	return true;
}

bool intake_ended(struct intake *in)
{
	fill(in, 1);
	return waiting(in) == 0;
}

bool intake_broken(const struct intake *in, struct err *e)
{
	if (in->broken)
		*e = in->why;
	return in->broken;
}

const char *intake_compression(const struct intake *in)
{
	return in->flow ? inflow_format(in->flow) : "plain";
}

uint64_t intake_taken(const struct intake *in)
{
	return in->flow ? inflow_taken(in->flow) : 0;
}
