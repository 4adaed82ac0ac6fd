#include "publish/answer_csv.h"

#include "base/bytes.h"
#include "base/num.h"
#include "base/zone.h"
#include "core/calendar.h"
#include "core/series.h"

#include <inttypes.h>
#include <math.h>

/* A field is quoted when it must be (RFC 4180 2.6); what a spreadsheet could take for a formula gets an apostrophe. */
static void field(struct buf *out, const char *text)
{
	bool quoted = strpbrk(text, ",\"\r\n") != NULL;

	if (quoted)
		buf_u8(out, '"');
	if (text[0] && strchr("=+-@\t", text[0]))
		buf_u8(out, '\'');
	for (; *text; text++) {
		if (*text == '"')
			buf_u8(out, '"');
		buf_u8(out, (uint8_t)*text);
	}
	if (quoted)
		buf_u8(out, '"');
}

static void number(struct buf *out, double v)
{
	char text[NUM_TEXT_MAX];

	buf_u8(out, ',');
	if (!isnan(v))
		buf_str(out, num_shortest(v, text));
}

static void rank_field(struct buf *out, unsigned rank)
{
	buf_u8(out, ',');
	if (rank)
		buf_printf(out, "%u", rank);
}

/* What a value is, and whose packets it is of. */
enum { MEASURE_MAX = 256 };
static const char *measure(const struct answer *a, char out[MEASURE_MAX])
{
	const struct question *q = &a->question;
	const char *unit = answer_unit(q);

	if (!strcmp(q->scanners, "without"))
		(void)snprintf(out, MEASURE_MAX, "%s, without known scanners, list %s", unit, a->scanners);
	else if (!strcmp(q->scanners, "only"))
		(void)snprintf(out, MEASURE_MAX, "%s, known scanners only, list %s", unit, a->scanners);
	else if (a->scanners[0])
		(void)snprintf(out, MEASURE_MAX, "%s, %s%sknown scanners by list %s", unit, q->scanners, q->scanners[0] ? " of " : "", a->scanners);
	else
		(void)snprintf(out, MEASURE_MAX, "%s", unit);
	return out;
}

void answer_top_csv(const struct answer *a, const struct zone *z, struct buf *out)
{
	const struct question *q = &a->question;
	char from[CALENDAR_TEXT_MAX], until[CALENDAR_TEXT_MAX], of[MEASURE_MAX], head[MEASURE_MAX + 32];

	(void)snprintf(head, sizeof head, "%s (%s)", across_name(q->across), measure(a, of));
	buf_str(out, "from,until,rank,previous rank,label,");
	field(out, head);
	buf_printf(out, ",plain mean (packets per %s and day),packets,sources,sensors\r\n",
		q->per == PER_ADDRESS ? "observed address" : "sensor");
	(void)calendar_rfc3339(z, q->span.from, from);
	(void)calendar_rfc3339(z, q->span.until, until);
	for (size_t i = 0; i < a->len; i++) {
		const struct series *s = &a->list[i];

		buf_printf(out, "%s,%s", from, until);
		rank_field(out, s->rank);
		rank_field(out, s->previous_rank);
		buf_u8(out, ',');
		field(out, s->label);
		number(out, s->value);
		number(out, s->plain);
		buf_printf(out, ",%" PRIu64 ",%" PRIu64 ",%u\r\n", s->packets, s->sources, s->sensors);
	}
}

static void series_head(const struct answer *a, const struct zone *z, struct buf *out)
{
	static const char *const sure[] = { "standard error", "sensors judged", "sensors accepted", "revision" };
	const struct question *q = &a->question;
	char of[MEASURE_MAX], head[SERIES_LABEL_MAX + MEASURE_MAX + 32];

	(void)snprintf(head, sizeof head, "time (start of the %s, %s)", step_name(q->step), z->name);
	field(out, head);
	buf_str(out, ",sensors that looked");
	for (size_t i = 0; i < a->len; i++) {
		(void)snprintf(head, sizeof head, "%s (%s of %s)", a->list[i].label, across_name(q->across), measure(a, of));
		buf_u8(out, ',');
		field(out, head);
		if (q->across == ACROSS_MEAN)
			continue;
		(void)snprintf(head, sizeof head, "%s (plain mean of packets per %s and day)", a->list[i].label,
			q->per == PER_ADDRESS ? "observed address" : "sensor");
		buf_u8(out, ',');
		field(out, head);
		for (size_t c = 0; a->list[i].sure && c < sizeof sure / sizeof *sure; c++) {
			(void)snprintf(head, sizeof head, "%s (%s)", a->list[i].label, sure[c]);
			buf_u8(out, ',');
			field(out, head);
		}
	}
	buf_str(out, "\r\n");
}

static void sure_fields(struct buf *out, const struct sureness *s)
{
	number(out, s->se);
	if (s->revision)
		buf_printf(out, ",%u,%u,%u", s->looked, s->accepted, s->revision);
	else
		buf_str(out, ",,,");
}

void answer_series_csv(const struct answer *a, const struct zone *z, struct buf *out)
{
	char text[CALENDAR_TEXT_MAX];

	series_head(a, z, out);
	for (size_t i = 0; i < a->steps; i++) {
		buf_printf(out, "%s,%u", calendar_rfc3339(z, a->times[i], text), a->looked[i]);
		for (size_t k = 0; k < a->len; k++) {
			number(out, a->list[k].values[i]);
			if (a->question.across != ACROSS_MEAN)
				number(out, a->list[k].plains[i]);
			if (a->list[k].sure)
				sure_fields(out, &a->list[k].sure[i]);
		}
		buf_str(out, "\r\n");
	}
}
