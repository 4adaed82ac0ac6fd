#include "publish/answer_text.h"

#include "base/bytes.h"
#include "base/num.h"
#include "base/zone.h"
#include "core/calendar.h"
#include "core/series.h"

#include <inttypes.h>
#include <math.h>

enum { BAR_CELLS = 24, SERIES_COLUMNS_MAX = 8 };

/* Eighths of a cell in UTF-8, whole cells in ASCII; nothing for NAN. */
static void bar(struct buf *out, double v, double max, enum bars bars)
{
	static const char *const parts[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };

	if (isnan(v) || !(max > 0) || v <= 0)
		return;
	unsigned eighths = (unsigned)lround(v / max * BAR_CELLS * 8);
	if (bars == BARS_ASCII)
		eighths = (eighths + 4) / 8 * 8;
	for (unsigned i = 0; i < eighths / 8; i++)
		buf_str(out, bars == BARS_UTF8 ? "█" : "#");
	buf_str(out, parts[eighths % 8]);
}

/* Lines end where their text does: padding behind the last column is taken back. */
static void end_line(struct buf *out)
{
	while (out->len && out->at[out->len - 1] == ' ')
		out->len--;
	buf_u8(out, '\n');
}

static void head(const struct answer *a, const struct zone *z, struct buf *out)
{
	char from[CALENDAR_TEXT_MAX], until[CALENDAR_TEXT_MAX];
	const struct question *q = &a->question;

	buf_printf(out, "%s to %s, %s of %s, %u sensor%s\n", calendar_rfc3339(z, q->span.from, from),
		calendar_rfc3339(z, q->span.until, until), q->across == ACROSS_ROBUST ? "robust value" : across_name(q->across), answer_unit(q), a->sensors,
		a->sensors == 1 ? "" : "s");
	if (q->fell_back)
		buf_str(out, "the plain mean: a robust value is not defined for this, or not reckoned yet\n");
	if (!strcmp(q->scanners, "without"))
		buf_printf(out, "without known scanners (list %s)\n", a->scanners);
	else if (!strcmp(q->scanners, "only"))
		buf_printf(out, "known scanners only (list %s)\n", a->scanners);
	else if (a->scanners[0])
		buf_printf(out, "%s%sknown scanners by list %s\n", q->scanners, q->scanners[0] ? " of " : "", a->scanners);
}

static int label_width(const struct answer *a)
{
	size_t width = 5;

	for (size_t i = 0; i < a->len; i++)
		if (strlen(a->list[i].label) > width)
			width = strlen(a->list[i].label);
	return (int)width;
}

static void rank_text(char out[12], unsigned rank)
{
	if (rank)
		(void)snprintf(out, 12, "%u", rank);
	else
		(void)snprintf(out, 12, "-");
}

void answer_top_text(const struct answer *a, const struct zone *z, enum bars bars, struct buf *out)
{
	int width = label_width(a);
	double max = 0;

	head(a, z, out);
	buf_printf(out, "%5s %5s  %-*s %11s %11s %14s %11s %8s\n", "rank", "prev.", width, "label", "value", "plain", "packets",
		"sources", "sensors");
	for (size_t i = 0; i < a->len; i++)
		max = fmax(max, a->list[i].value);
	for (size_t i = 0; i < a->len; i++) {
		const struct series *s = &a->list[i];
		char rank[12], previous[12], value[NUM_TEXT_MAX], plain[NUM_TEXT_MAX], packets[NUM_TEXT_MAX], sources[NUM_TEXT_MAX];

		rank_text(rank, s->rank);
		rank_text(previous, s->previous_rank);
		buf_printf(out, "%5s %5s  %-*s %11s %11s %14s %11s %8u  ", rank, previous, width, s->label,
			num_human(s->value, value), num_human(s->plain, plain), num_grouped(s->packets, packets),
			num_grouped(s->sources, sources), s->sensors);
		bar(out, s->value, max, bars);
		end_line(out);
	}
	if (a->found > a->len)
		buf_printf(out, "%zu more\n", a->found - a->len);
	if (a->len && isnan(a->list[0].value) && a->list[0].packets)
		buf_str(out, "No value (-): no sensor watched a quarter of any day in this span. A span of less than a day is judged by its\n"
			"own time (--from, --until); `teiten import --looked` says when a sensor was looking.\n");
}

static void step_text(const struct answer *a, const struct zone *z, size_t i, char out[CALENDAR_TEXT_MAX])
{
	(void)calendar_rfc3339(z, a->times[i], out);
	/* a day or more is told by its date, finer steps by the minute */
	out[a->question.step <= STEP_HOUR ? 16 : 10] = '\0';
}

static double first_peak(const struct answer *a)
{
	double max = 0;

	for (size_t i = 0; a->len && i < a->steps; i++)
		max = fmax(max, a->list[0].values[i]);
	return max;
}

/* What stands beside a single robust series. */
static void sure_text(const struct series *s, size_t i, struct buf *out)
{
	char plain[NUM_TEXT_MAX], se[NUM_TEXT_MAX], accepted[24] = "-";

	if (s->sure[i].revision)
		(void)snprintf(accepted, sizeof accepted, "%u/%u", s->sure[i].accepted, s->sure[i].looked);
	buf_printf(out, " %11s %11s %8s", num_human(s->plains[i], plain), num_human(s->sure[i].se, se), accepted);
}

void answer_series_text(const struct answer *a, const struct zone *z, enum bars bars, struct buf *out)
{
	size_t columns = a->len < SERIES_COLUMNS_MAX ? a->len : SERIES_COLUMNS_MAX;
	double max = first_peak(a);
	bool sure = a->len == 1 && a->list[0].sure;
	char text[CALENDAR_TEXT_MAX], number[NUM_TEXT_MAX];

	head(a, z, out);
	buf_printf(out, "%-16s %6s", step_name(a->question.step), "looked");
	for (size_t k = 0; k < columns; k++)
		buf_printf(out, " %11s", a->list[k].label);
	if (sure)
		buf_printf(out, " %11s %11s %8s", "plain", "std. error", "accepted");
	buf_u8(out, '\n');
	for (size_t i = 0; i < a->steps; i++) {
		step_text(a, z, i, text);
		buf_printf(out, "%-16s %6u", text, a->looked[i]);
		for (size_t k = 0; k < columns; k++)
			buf_printf(out, " %11s", num_human(a->list[k].values[i], number));
		if (sure)
			sure_text(&a->list[0], i, out);
		buf_str(out, "  ");
		/* one bar a line: with several series the first one's, as the head of its column says */
		if (columns)
			bar(out, a->list[0].values[i], max, bars);
		end_line(out);
	}
	if (sure && a->final < a->question.span.until)
		buf_printf(out, "provisional from %.10s on: what comes late may still change these values\n", calendar_rfc3339(z, a->final, text));
	if (a->len > columns)
		buf_printf(out, "%zu more series: --json or --csv has them all\n", a->len - columns);
}
