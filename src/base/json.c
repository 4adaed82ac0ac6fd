#include "base/json.h"

#include "base/bytes.h"
#include "base/num.h"

#include <assert.h>
#include <math.h>

struct json json_to(struct buf *out)
{
	return (struct json){ .out = out };
}

/* Quotes and escapes; bytes that are not UTF-8 become U+FFFD, so that a reader can always parse what we write. */
static void quoted(struct buf *out, const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	buf_u8(out, '"');
	while (*c) {
		size_t n = utf8_character((const char *)c);

		if (n == 0) {
			buf_str(out, "\xef\xbf\xbd");
			c++;
		} else if (*c == '"' || *c == '\\') {
			buf_printf(out, "\\%c", *c++);
		} else if (*c < ' ' || *c == 127) {
			buf_printf(out, "\\u%04x", *c++);
		} else {
			buf_bytes(out, c, n);
			c += n;
		}
	}
	buf_u8(out, '"');
}

static void place(struct json *j, const char *key)
{
	if (j->filled[j->depth])
		buf_u8(j->out, ',');
	j->filled[j->depth] = true;
	if (key) {
		quoted(j->out, key);
		buf_u8(j->out, ':');
	}
}

static void open(struct json *j, const char *key, char bracket)
{
	place(j, key);
	buf_u8(j->out, (uint8_t)bracket);
	j->depth++;
	assert(j->depth < JSON_DEPTH_MAX);
	j->filled[j->depth] = false;
}

void json_object(struct json *j, const char *key)
{
	open(j, key, '{');
}

void json_array(struct json *j, const char *key)
{
	open(j, key, '[');
}

void json_end_object(struct json *j)
{
	assert(j->depth > 0);
	j->depth--;
	buf_u8(j->out, '}');
}

void json_end_array(struct json *j)
{
	assert(j->depth > 0);
	j->depth--;
	buf_u8(j->out, ']');
}

void json_string(struct json *j, const char *key, const char *text)
{
	place(j, key);
	if (text)
		quoted(j->out, text);
	else
		buf_str(j->out, "null");
}

void json_number(struct json *j, const char *key, double v)
{
	char text[NUM_TEXT_MAX];

	place(j, key);
	buf_str(j->out, isfinite(v) ? num_shortest(v, text) : "null");
}

void json_whole(struct json *j, const char *key, uint64_t v)
{
	place(j, key);
	buf_printf(j->out, "%llu", (unsigned long long)v);
}

void json_bool(struct json *j, const char *key, bool v)
{
	place(j, key);
	buf_str(j->out, v ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	place(j, key);
	buf_str(j->out, "null");
}
