#include "publish/caption.h"

#include "base/bytes.h"
#include "base/num.h"
#include "base/zone.h"
#include "core/series.h"
#include "core/tuple.h"

enum { PART_MAX = 512 };

/* What is ranked: as "top N", as a whole, and what its labels are. */
static const struct noun { enum message top, all, label; } nouns[] = {
	[EACH_NOTHING] = { M_ALL_PORTS, M_ALL_PORTS, M_LABEL },
	[EACH_PORT] = { M_PORTS_TOP, M_PORTS_ALL, M_PORT },
	[EACH_SENSOR] = { M_SENSORS_TOP, M_SENSORS_ALL, M_SENSOR },
	[EACH_REGION] = { M_REGIONS_TOP, M_REGIONS_ALL, M_REGION },
	[EACH_SOURCE] = { M_SOURCES_TOP, M_SOURCES_ALL, M_SOURCE },
	[EACH_NETWORK] = { M_NETWORKS_TOP, M_NETWORKS_ALL, M_NETWORK },
	[EACH_KIND] = { M_KINDS_ALL, M_KINDS_ALL, M_KIND },
	[EACH_MARK] = { M_MARKS_ALL, M_MARKS_ALL, M_MARK },
	[EACH_PROTO] = { M_PROTOS_ALL, M_PROTOS_ALL, M_PROTO },
	[EACH_SCANNER] = { M_SCANNERS_ALL, M_SCANNERS_ALL, M_SCANNER },
};

static const enum message step_words[] = {
	M_BY_MINUTE, M_BY_HOUR, M_BY_DAY, M_BY_WEEK, M_BY_MONTH, M_BY_QUARTER, M_BY_ALL,
};

const char *caption_unit(const struct question *q, enum lang l)
{
	if (q->across == ACROSS_SUM)
		return message(l, q->step == STEP_MINUTE ? M_UNIT_SUM_MINUTE : q->step == STEP_HOUR ? M_UNIT_SUM_HOUR : M_UNIT_SUM);
	return message(l, q->per == PER_ADDRESS ? M_UNIT_ADDRESS : M_UNIT_SENSOR);
}

const char *caption_across(const struct question *q, enum lang l)
{
	static const enum message words[] = { M_ACROSS_IS_MEAN, M_ACROSS_IS_SUM, M_ACROSS_IS_MEDIAN, M_ACROSS_IS_ROBUST };

	return message(l, words[q->across]);
}

const char *caption_labels(const struct question *q, enum lang l)
{
	return message(l, nouns[q->each].label);
}

static void what(const struct question *q, enum lang l, struct buf *out)
{
	char text[NUM_TEXT_MAX];

	if (q->each == EACH_NOTHING && q->port >= 0) {
		message_fill(out, l, M_ONE_PORT, port_label((unsigned)q->proto, (unsigned)q->port, text), "");
	} else if (q->top) {
		message_fill(out, l, nouns[q->each].top, num_grouped(q->top, text), "");
	} else {
		buf_str(out, message(l, nouns[q->each].all));
	}
}

static void bit_names(struct buf *out, unsigned bits, const char *(*name)(unsigned), unsigned n)
{
	for (unsigned i = 0, named = 0; i < n; i++)
		if (bits & 1u << i)
			buf_printf(out, "%s%s", named++ ? "+" : "", name(i));
}

static void filter(struct buf *out, enum lang l, enum message m, const char *value)
{
	if (out->len)
		buf_str(out, message(l, M_LIST_COMMA));
	message_fill(out, l, m, value, "");
}

static enum message scanners_words(const struct question *q)
{
	return !strcmp(q->scanners, "without") ? M_WITHOUT_SCANNERS : !strcmp(q->scanners, "only") ? M_ONLY_SCANNERS : M_FILTER_SCANNER;
}

/* Every filter that the title's noun does not already name. */
static void filters(const struct question *q, enum lang l, struct buf *out)
{
	char text[PREFIX_TEXT_MAX];
	struct buf names = buf_make(PART_MAX);

	if (q->port >= 0 && q->each != EACH_NOTHING)
		filter(out, l, M_FILTER_PORT, port_label((unsigned)q->proto, (unsigned)q->port, text));
	else if (q->port < 0 && q->proto >= 0)
		filter(out, l, M_FILTER_PROTO, proto_name((unsigned)q->proto));
	if (q->kinds) {
		bit_names(&names, q->kinds, kind_name, KINDS);
		filter(out, l, M_FILTER_KIND, buf_cstr(&names));
		buf_clear(&names);
	}
	if (q->marks) {
		bit_names(&names, q->marks, mark_name, MARKS);
		filter(out, l, M_FILTER_MARK, buf_cstr(&names));
		buf_clear(&names);
	}
	if (q->without_kinds || q->without_marks) {
		bit_names(&names, q->without_kinds, kind_name, KINDS);
		if (q->without_kinds && q->without_marks)
			buf_str(&names, "+");
		bit_names(&names, q->without_marks, mark_name, MARKS);
		filter(out, l, M_FILTER_WITHOUT, buf_cstr(&names));
	}
	if (q->sensor[0])
		filter(out, l, M_FILTER_SENSOR, q->sensor);
	if (q->region[0])
		filter(out, l, M_FILTER_REGION, q->region);
	if (q->has_src)
		filter(out, l, M_FILTER_SOURCE, prefix_format(&q->src, text));
	if (q->scanners[0])
		filter(out, l, scanners_words(q), q->scanners);
	buf_release(&names);
}

/* "3mo" as "3か月", "3 months"; one is said in words of its own. */
static void last_words(const char *last, enum lang l, struct buf *out)
{
	static const struct { const char *unit; enum message one, many; } units[] = {
		{ "h", M_LAST_HOUR, M_LAST_HOURS }, { "d", M_LAST_DAY, M_LAST_DAYS }, { "w", M_LAST_WEEK, M_LAST_WEEKS },
		{ "mo", M_LAST_MONTH, M_LAST_MONTHS }, { "y", M_LAST_YEAR, M_LAST_YEARS },
	};
	size_t digits = strspn(last, "0123456789");
	char count[16];

	(void)snprintf(count, sizeof count, "%.*s", (int)digits, last);
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (!strcmp(last + digits, units[i].unit))
			message_fill(out, l, !strcmp(count, "1") ? units[i].one : units[i].many, count, "");
}

void caption_span(const struct question *q, const struct zone *z, enum lang l, struct buf *out)
{
	char from[MESSAGE_DATE_MAX], until[MESSAGE_DATE_MAX];
	bool whole_days = q->step >= STEP_DAY && calendar_floor(z, q->span.from, STEP_DAY) == q->span.from &&
		calendar_floor(z, q->span.until, STEP_DAY) == q->span.until;

	/* People read the last day as being in; a span does not have its until. */
	if (whole_days)
		message_fill(out, l, M_SPAN, message_date(l, z, q->span.from, from), message_date(l, z, q->span.until - 1, until));
	else
		message_fill(out, l, M_SPAN, message_moment(l, z, q->span.from, from), message_moment(l, z, q->span.until, until));
}

void caption_title(const struct question *q, const struct zone *z, enum lang l, struct buf *out)
{
	struct buf noun = buf_make(PART_MAX), rest = buf_make(PART_MAX);

	what(q, l, &noun);
	filters(q, l, &rest);
	if (rest.len)
		buf_str(&rest, message(l, M_LIST_COMMA));
	if (q->from[0])
		caption_span(q, z, l, &rest);
	else
		last_words(q->last, l, &rest);
	buf_str(&rest, message(l, M_LIST_COMMA));
	buf_str(&rest, message(l, step_words[q->step]));
	message_fill(out, l, M_PARENS, buf_cstr(&noun), buf_cstr(&rest));
	buf_release(&noun);
	buf_release(&rest);
}

void caption_sensors(unsigned sensors, enum lang l, struct buf *out)
{
	char text[NUM_TEXT_MAX];

	message_fill(out, l, sensors == 1 ? M_SENSORS_ONE : M_SENSORS_COUNT, num_grouped(sensors, text), "");
}

void caption_scanners(const struct answer *a, enum lang l, struct buf *out)
{
	struct buf who = buf_make(PART_MAX), list = buf_make(PART_MAX);

	if (a->question.scanners[0])
		message_fill(&who, l, scanners_words(&a->question), a->question.scanners, "");
	if (a->scanners[0])
		message_fill(&list, l, M_SCANNERS_LIST, a->scanners, "");
	if (who.len)
		message_fill(out, l, M_PARENS, buf_cstr(&who), buf_cstr(&list));
	else
		buf_str(out, buf_cstr(&list));
	buf_release(&who);
	buf_release(&list);
}

void caption_basis(const struct answer *a, const struct zone *z, enum lang l, struct buf *out)
{
	caption_span(&a->question, z, l, out);
	buf_str(out, message(l, M_LIST_COMMA));
	buf_str(out, caption_across(&a->question, l));
	buf_str(out, message(l, M_LIST_COMMA));
	caption_sensors(a->sensors, l, out);
	if (a->scanners[0]) {
		buf_str(out, message(l, M_LIST_COMMA));
		message_fill(out, l, M_SCANNERS_LIST, a->scanners, "");
	}
}
