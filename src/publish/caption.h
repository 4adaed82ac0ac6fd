/* caption: what a question asks, in words of a language: the title over a figure and the lines below it. Pure.
 *
 * Everything here is plain text; whoever writes it into a page escapes it (markup_text). */
#ifndef TEITEN_CAPTION_H
#define TEITEN_CAPTION_H

#include "publish/messages.h"

struct answer;
struct buf;
struct question;
struct zone;

/* "宛先ポート 上位 5(3か月、日別)", "Top 5 destination ports (3 months, by day)"; filters are named. */
void caption_title(const struct question *q, const struct zone *z, enum lang l, struct buf *out);
const char *caption_unit(const struct question *q, enum lang l);
const char *caption_across(const struct question *q, enum lang l);
/* The first and last day (moment, for steps below a day) of the span. */
void caption_span(const struct question *q, const struct zone *z, enum lang l, struct buf *out);
void caption_sensors(unsigned sensors, enum lang l, struct buf *out);
/* What stands behind the figure: span, measure, sensors. */
void caption_basis(const struct answer *a, const struct zone *z, enum lang l, struct buf *out);
/* Whose packets it is of, and by which list; nothing where no list was looked into. */
void caption_scanners(const struct answer *a, enum lang l, struct buf *out);
/* What its labels are: "destination port". */
const char *caption_labels(const struct question *q, enum lang l);

#endif
