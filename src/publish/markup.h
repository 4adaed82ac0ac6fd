/* markup: text from outside into HTML and SVG, escaped for both. Pure. */
#ifndef TEITEN_MARKUP_H
#define TEITEN_MARKUP_H

struct buf;

/* Safe as content and inside a quoted attribute. What XML 1.0 cannot hold (control characters, broken UTF-8) becomes
 * U+FFFD. */
void markup_text(struct buf *out, const char *text);
/* ` name="value"`, with the blank in front. */
void markup_attribute(struct buf *out, const char *name, const char *value);

#endif
