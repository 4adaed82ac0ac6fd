/* answer_text: an answer as a table for the terminal, a small bar beside each value. Pure.
 *
 * "no one looked" and "saw none" stay apart: "-" and "0". */
#ifndef TEITEN_ANSWER_TEXT_H
#define TEITEN_ANSWER_TEXT_H

struct answer;
struct buf;
struct zone;

enum bars { BARS_ASCII, BARS_UTF8 };    /* what the bars are drawn with: as the terminal can show it */

void answer_top_text(const struct answer *a, const struct zone *z, enum bars bars, struct buf *out);
void answer_series_text(const struct answer *a, const struct zone *z, enum bars bars, struct buf *out);

#endif
