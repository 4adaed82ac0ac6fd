#include "publish/svg.h"

#include "base/bytes.h"
#include "publish/markup.h"

#include <math.h>

void svg_number(struct buf *out, double v)
{
	char text[32];
	int len = snprintf(text, sizeof text, "%.2f", v);

	while (len && text[len - 1] == '0')
		text[--len] = '\0';
	if (len && text[len - 1] == '.')
		text[--len] = '\0';
	buf_str(out, strcmp(text, "-0") != 0 ? text : "0");
}

static void coordinate(struct buf *out, const char *name, double v)
{
	buf_printf(out, " %s=\"", name);
	svg_number(out, v);
	buf_u8(out, '"');
}

void svg_text(struct buf *out, const struct svg_text *t, const char *text)
{
	static const char *const anchors[] = { "start", "middle", "end" };

	buf_str(out, "<text");
	coordinate(out, "x", t->x);
	coordinate(out, "y", t->y);
	coordinate(out, "font-size", t->size);
	if (t->anchor != SVG_START)
		markup_attribute(out, "text-anchor", anchors[t->anchor]);
	markup_attribute(out, "fill", t->colour);
	buf_u8(out, '>');
	markup_text(out, text);
	buf_str(out, "</text>\n");
}

void svg_line(struct buf *out, double x1, double y1, double x2, double y2, const char *colour)
{
	buf_str(out, "<line");
	coordinate(out, "x1", x1);
	coordinate(out, "y1", y1);
	coordinate(out, "x2", x2);
	coordinate(out, "y2", y2);
	markup_attribute(out, "stroke", colour);
	buf_str(out, "/>\n");
}

/* In ems. Classes measured on DejaVu Sans, the widest font a page is likely to get. */
static double character_width(const char *c, size_t bytes)
{
	if (bytes >= 3)
		return 1;
	if (bytes == 2 || strchr("mwMW@%", *c))
		return .9;
	if (strchr("iljI.,:;'|!() /", *c))
		return .36;
	return *c >= 'A' && *c <= 'Z' ? .7 : .61;
}

static size_t step(const char *text)
{
	size_t n = utf8_character(text);

	return n ? n : 1;
}

double svg_width(const char *text, double size)
{
	double width = 0;

	for (size_t n; *text; text += n) {
		n = step(text);
		width += character_width(text, n) * size;
	}
	return width;
}

/* Marks that Japanese does not put at the start of a line (JIS X 4051: 行頭禁則). */
static bool keeps_before(const char *c)
{
	static const char *const marks[] = { "、", "。", "）", "」", "ー", "・" };

	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		if (!strncmp(c, marks[i], strlen(marks[i])))
			return true;
	return false;
}

size_t svg_fit(const char *text, double size, double width, size_t *next)
{
	double used = 0;
	size_t at = 0, end = 0, resume = 0;

	while (text[at]) {
		size_t n = step(text + at);

		/* a break is possible in front of this character */
		if (text[at] == ' ') {
			end = at;
			resume = at + 1;
		} else if (at && n >= 3 && !keeps_before(text + at)) {
			end = resume = at;
		}
		used += character_width(text + at, n) * size;
		if (used > width && at) {
			*next = end ? resume : at;
			return end ? end : at;
		}
		at += n;
	}
	*next = at;
	return at;
}
