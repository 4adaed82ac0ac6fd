#include "base/bytes.h"

#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>

uint64_t read_u64le(struct reader *r)
{
	uint64_t low = read_u32le(r), high = read_u32le(r);

	return r->ok ? high << 32 | low : 0;
}

uint64_t read_varint(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = read_u8(r);

		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return r->ok ? v : 0;
	}
	r->ok = false;
	return 0;
}

double read_double(struct reader *r)
{
	uint64_t bits = read_u64le(r);
	double v;

	memcpy(&v, &bits, sizeof v);
	return v;
}

bool read_text(struct reader *r, char *out, size_t cap)
{
	uint64_t len = read_varint(r);
	const uint8_t *p;

	out[0] = '\0';
	if (!r->ok || len >= cap || !(p = read_bytes(r, (size_t)len)) || memchr(p, 0, (size_t)len)) {
		r->ok = false;
		return false;
	}
	memcpy(out, p, (size_t)len);
	out[len] = '\0';
	return true;
}

struct buf buf_make(size_t max)
{
	return (struct buf){ .max = max, .ok = true };
}

void buf_release(struct buf *b)
{
	free(b->at);
	*b = (struct buf){ 0 };
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->ok = true;
}

uint8_t *buf_room(struct buf *b, size_t n)
{
	if (!b->ok || n > b->max - b->len) {
		b->ok = false;
		return NULL;
	}
	if (b->len + n + 1 > b->cap) {
		b->cap = b->len + n + 1 > b->cap * 2 ? b->len + n + 1 : b->cap * 2;
		b->at = mem_resize(b->at, b->cap, 1);
	}
	b->len += n;
	return b->at + b->len - n;
}

void buf_end(struct buf *b, const uint8_t *end)
{
	b->len = (size_t)(end - b->at);
}

void buf_bytes(struct buf *b, const void *bytes, size_t n)
{
	uint8_t *to = buf_room(b, n);

	if (to && n)
		memcpy(to, bytes, n);
}

void buf_u8(struct buf *b, uint8_t v)
{
	buf_bytes(b, &v, 1);
}

static void little(struct buf *b, uint64_t v, size_t n)
{
	uint8_t *to = buf_room(b, n);

	for (size_t i = 0; to && i < n; i++)
		to[i] = (uint8_t)(v >> (8 * i));
}

void buf_u16le(struct buf *b, uint16_t v)
{
	little(b, v, 2);
}

void buf_u32le(struct buf *b, uint32_t v)
{
	little(b, v, 4);
}

void buf_u64le(struct buf *b, uint64_t v)
{
	little(b, v, 8);
}

void buf_varint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_u8(b, (uint8_t)(v | 0x80));
	buf_u8(b, (uint8_t)v);
}

void buf_double(struct buf *b, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof bits);
	little(b, bits, 8);
}

void buf_text(struct buf *b, const char *text)
{
	size_t n = strlen(text);

	buf_varint(b, n);
	buf_bytes(b, text, n);
}

void buf_str(struct buf *b, const char *text)
{
	buf_bytes(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(small, sizeof small, fmt, ap);
	if (n >= 0 && (size_t)n < sizeof small) {
		buf_bytes(b, small, (size_t)n);
	} else if (n >= 0) {
		char *large = mem_resize(NULL, (size_t)n + 1, 1);

		(void)vsnprintf(large, (size_t)n + 1, fmt, again);
		buf_bytes(b, large, (size_t)n);
		free(large);
	}
	va_end(again);
	va_end(ap);
}

const char *buf_cstr(struct buf *b)
{
	assert(b->len < SIZE_MAX);
	if (b->cap <= b->len) {
		b->cap = b->len + 1;
		b->at = mem_resize(b->at, b->cap, 1);
	}
	b->at[b->len] = '\0';
	return (const char *)b->at;
}

size_t utf8_character(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t n = *c == 0 ? 0 : *c < 0x80 ? 1 : *c >= 0xc2 && *c < 0xe0 ? 2 : *c >= 0xe0 && *c < 0xf0 ? 3 :
		*c >= 0xf0 && *c < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	/* longer than needed, surrogates, beyond U+10FFFF */
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) || (c[0] == 0xf0 && c[1] < 0x90) ||
		(c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return n;
}
