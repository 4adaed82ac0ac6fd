#include "publish/markup.h"

#include "base/bytes.h"

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
		size_t n = utf8_character(text);
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
