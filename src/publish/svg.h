/* svg: the pieces a figure is drawn from: text with an estimate of its width, lines, boxes. Pure.
 *
 * Only presentation attributes, no style: the pages' Content-Security-Policy allows none. */
#ifndef TEITEN_SVG_H
#define TEITEN_SVG_H

#include <stddef.h>

struct buf;

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

struct svg_text { double x, y, size; const char *colour; enum svg_anchor anchor; };

void svg_text(struct buf *out, const struct svg_text *t, const char *text);
void svg_line(struct buf *out, double x1, double y1, double x2, double y2, const char *colour);
/* Width of text at a font size. No font is read: CJK are one em, Latin by rough classes, a little too wide rather than
 * too narrow. */
double svg_width(const char *text, double size);
/* Bytes of text that fit into width; breaks after a blank or between CJK characters; at least one character. *next is
 * where the following line starts. */
size_t svg_fit(const char *text, double size, double width, size_t *next);
/* Coordinate with two decimals, no trailing zeroes. */
void svg_number(struct buf *out, double v);

#endif
