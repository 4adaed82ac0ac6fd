#include "publish/surge_words.h"

#include "base/bytes.h"

const char *surge_level_words(const struct surge_row *r, enum lang l)
{
	return message(l, r->alarm ? M_SURGE_ALARM : M_SURGE_WATCH);
}

const char *surge_class_words(enum surge_class c, enum lang l)
{
	static const enum message words[SURGE_CLASSES] = { M_CLASS_BROAD, M_CLASS_PARTIAL, M_CLASS_SINGLE_SENSOR, M_CLASS_SINGLE_SOURCE, M_CLASS_FEW_SOURCES,
		M_CLASS_LEVEL_SHIFT, M_CLASS_LOCAL };

	return message(l, words[c]);
}

const char *surge_state_words(enum surge_state s, enum lang l)
{
	static const enum message words[SURGE_STATES] = { M_SURGE_IS_OPEN, M_SURGE_IS_CLOSED, M_SURGE_IS_SHIFTED, M_SURGE_IS_WITHDRAWN };

	return message(l, words[s]);
}

const char *surge_reason_words(enum surge_reason r, enum lang l)
{
	static const enum message words[SURGE_REASONS] = { M_SURGE_FOUND, M_SURGE_UPGRADED, M_SURGE_CONTINUED, M_SURGE_CLOSED, M_SURGE_BECAME_SHIFT,
		M_SURGE_RECOMPUTED, M_SURGE_WITHDRAWN, M_SURGE_JUDGED };

	return message(l, words[r]);
}

const char *surge_verdict_words(enum surge_verdict v, enum lang l)
{
	static const enum message words[SURGE_VERDICTS] = { M_SURGE_UNCONFIRMED, M_SURGE_REAL, M_SURGE_RESEARCH, M_SURGE_ARTEFACT };

	return message(l, words[v]);
}

void surge_label(const struct surge_revision *s, enum lang l, struct buf *out)
{
	char id[SURGE_ID_MAX];
	const char *comma = message(l, M_LIST_COMMA);

	buf_printf(out, "%s%s%s%s%s", surge_id(&s->row, id), comma, surge_level_words(&s->row, l), comma, surge_verdict_words(s->verdict, l));
}

struct span surge_span(const struct surge_row *r, struct span within)
{
	return span_both(within, (struct span){ r->onset, r->end ? r->end + 60 : within.until });
}
