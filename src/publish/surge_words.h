/* surge_words: what is known of a surge, in words of a language. Pure. */
#ifndef TEITEN_SURGE_WORDS_H
#define TEITEN_SURGE_WORDS_H

#include "publish/messages.h"
#include "store/history.h"

const char *surge_level_words(const struct surge_row *r, enum lang l);
const char *surge_class_words(enum surge_class c, enum lang l);
const char *surge_state_words(enum surge_state s, enum lang l);
const char *surge_reason_words(enum surge_reason r, enum lang l);
const char *surge_verdict_words(enum surge_verdict v, enum lang l);     /* unknown: that the machine found it and nobody confirmed it */
/* "5900-tcp-20060516T09, alarm, machine, unconfirmed". */
void surge_label(const struct surge_revision *s, enum lang l, struct buf *out);
/* While it lasted, up to the end of its last hour, as far as that is within. */
struct span surge_span(const struct surge_row *r, struct span within);

#endif
