/* bytes: reading bytes from outside without trusting them, and building bytes for others.
 *
 * A reader never reads past its end: it clears `ok` and gives zeroes from then on, so that one check after a group of
 * reads is enough. A buf grows up to the limit it was made with; what would go over is not written and clears `ok`. */
#ifndef TEITEN_BYTES_H
#define TEITEN_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader { const uint8_t *at, *end; bool ok; };

/* In the header because every packet passes through them. */
static inline struct reader reader_over(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	return (struct reader){ at, len ? at + len : at, true };
}

static inline size_t reader_left(const struct reader *r)
{
	return r->ok ? (size_t)(r->end - r->at) : 0;
}

/* NULL when fewer are left; borrowed from the reader's bytes. */
static inline const uint8_t *read_bytes(struct reader *r, size_t n)
{
	const uint8_t *at = r->at;

	if (!r->ok || (size_t)(r->end - r->at) < n) {
		r->ok = false;
		return NULL;
	}
	r->at += n;
	return at;
}

static inline uint8_t read_u8(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 1);

	return p ? *p : 0;
}

static inline uint16_t read_u16be(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t read_u32be(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint16_t read_u16le(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 2);

	return p ? (uint16_t)(p[1] << 8 | p[0]) : 0;
}

static inline uint32_t read_u32le(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 4);

	return p ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}

uint64_t read_u64le(struct reader *r);
uint64_t read_varint(struct reader *r);                 /* LEB128, at most 10 bytes */
double read_double(struct reader *r);                   /* IEEE 754 binary64, little endian */
/* Bytes with a varint length in front, as a C string; false when longer than cap - 1, cut short, or holding a NUL. */
bool read_text(struct reader *r, char *out, size_t cap);

struct buf { uint8_t *at; size_t len, cap, max; bool ok; };

struct buf buf_make(size_t max);                        /* empty, allocates nothing yet */
void buf_release(struct buf *b);                        /* frees and zeroes */
void buf_clear(struct buf *b);                          /* keeps the room */
void buf_bytes(struct buf *b, const void *bytes, size_t n);
/* Room for n bytes, which count as written (a NUL fits behind them); NULL over the limit. buf_end takes back what was not
 * needed: everything from `end` on. */
uint8_t *buf_room(struct buf *b, size_t n);
void buf_end(struct buf *b, const uint8_t *end);
void buf_u8(struct buf *b, uint8_t v);
void buf_u16le(struct buf *b, uint16_t v);
void buf_u32le(struct buf *b, uint32_t v);
void buf_u64le(struct buf *b, uint64_t v);
void buf_varint(struct buf *b, uint64_t v);
void buf_double(struct buf *b, double v);
void buf_text(struct buf *b, const char *text);         /* varint length, then the bytes without NUL: see read_text */
void buf_str(struct buf *b, const char *text);          /* the characters alone */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *buf_cstr(struct buf *b);                    /* NUL-terminated view, valid until the next call */

/* Bytes of the UTF-8 character at text: 1 to 4; 0 at the end or when it is broken. */
size_t utf8_character(const char *text);

#endif
