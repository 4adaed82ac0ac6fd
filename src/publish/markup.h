/* markup: text from outside into HTML and SVG, escaped for both. Pure. */
#ifndef TEITEN_MARKUP_H
#define TEITEN_MARKUP_H

#include <stddef.h>

struct buf;

/* Safe as content and inside a quoted attribute. What XML 1.0 cannot hold (control characters, broken UTF-8) becomes
 * U+FFFD. */
void markup_text(struct buf *out, const char *text);
/* ` name="value"`, with the blank in front. */
void markup_attribute(struct buf *out, const char *name, const char *value);
/* Bytes of the UTF-8 character at text: 1 to 4; 0 at the end or when it is broken. */
size_t markup_character(const char *text);

#endif
