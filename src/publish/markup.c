#include "publish/markup.h"

#include "base/bytes.h"

size_t markup_character(const char *text)
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

static const char *entity(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

void markup_text(struct buf *out, const char *text)
{
	while (*text) {
		size_t n = markup_character(text);
		bool control = (unsigned char)*text < ' ' && *text != '\n' && *text != '\t';

		if (n == 0 || control || *text == 127)
			buf_str(out, "\xef\xbf\xbd");
		else if (n == 1 && entity(*text))
			buf_str(out, entity(*text));
		else
			buf_bytes(out, text, n);
		text += n ? n : 1;
	}
}

void markup_attribute(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, " %s=\"", name);
	markup_text(out, value);
	buf_u8(out, '"');
}
