/* Figures: what is drawn is what was answered. */
#include "test.h"

#include "base/bytes.h"
#include "base/zone.h"
#include "core/series.h"
#include "publish/axis.h"
#include "publish/chart.h"
#include "store/history.h"
#include "publish/svg.h"

#include <stdio.h>
#include <stdlib.h>

static struct zone_rule nine_hours = { 0, 540 };
static const struct zone tokyo = { "Asia/Tokyo", 1, &nine_hours };

enum { MAY_15 = 19126980, STEPS = 6 };  /* 2006-05-15T00:00+09:00 */

static double values[STEPS] = { 10, 20, NAN, 5, NAN, 40 };
static unsigned looked[STEPS] = { 3, 3, 0, 3, 3, 3 };
static minute_t times[STEPS];
static struct series one = { .label = "1433/tcp", .rank = 1, .values = values, .plains = values };

static struct answer some_answer(void)
{
	struct answer a = { .steps = STEPS, .times = times, .looked = looked, .sensors = 3, .found = 1, .list = &one, .len = 1 };

	for (unsigned i = 0; i < STEPS; i++)
		times[i] = (minute_t)(MAY_15 + i * 1440);
	question_init(&a.question);
	a.question.each = EACH_PORT;
	a.question.span = (struct span){ MAY_15, MAY_15 + STEPS * 1440 };
	return a;
}

static struct buf drawn(const struct answer *a, unsigned width, enum lang lang)
{
	struct chart c = { .answer = a, .zone = &tokyo, .lang = lang, .id = "f1", .source = "A & B", .alone = true, .width = width };
	struct buf out = buf_make(1 << 20);

	chart_svg(&c, &out);
	CHECK(out.ok);
	return out;
}

static double attribute(const char *svg, const char *name)
{
	const char *at = strstr(svg, name);

	CHECK(at != NULL);
	return strtod(at + strlen(name), NULL);
}

static unsigned occurrences(const char *text, const char *of)
{
	unsigned n = 0;

	for (const char *at = strstr(text, of); at; at = strstr(at + 1, of))
		n++;
	return n;
}

/* The path's points turned back into values, by the root's scale. */
static unsigned read_back(const char *svg, double out[STEPS])
{
	double y0 = attribute(svg, " data-y0=\""), y1 = attribute(svg, " data-y1=\""), v1 = attribute(svg, " data-v1=\"");
	const char *at = strstr(svg, "data-label=\"1433/tcp\"><path d=\"");
	unsigned n = 0;

	CHECK(at != NULL);
	for (at += strlen("data-label=\"1433/tcp\"><path d=\""); *at != '"' && n < STEPS; n++) {
		char *end;

		(void)strtod(at + 1, &end);
		out[n] = (y0 - strtod(end + 1, &end)) / (y0 - y1) * v1;
		at = end;
	}
	return n;
}

TEST(a_chart_can_be_read_back)
{
	struct answer a = some_answer();
	static const double want[] = { 10, 20, 5, 40 };

	for (unsigned width = CHART_NARROW; width <= CHART_WIDE; width += CHART_WIDE - CHART_NARROW) {
		struct buf svg = drawn(&a, width, LANG_EN);
		double got[STEPS];

		CHECK_WHOLE(read_back(buf_cstr(&svg), got), 4);
		for (unsigned i = 0; i < 4; i++)
			CHECK(fabs(got[i] - want[i]) < .005 / 200 * 50);
		buf_release(&svg);
	}
}

TEST(lines_break_where_there_is_no_value_and_lonely_points_are_dots)
{
	struct answer a = some_answer();
	struct buf svg = drawn(&a, CHART_WIDE, LANG_JA);
	const char *path = strstr(buf_cstr(&svg), "<path d=\"M");

	CHECK(path != NULL);
	CHECK_WHOLE(occurrences(buf_cstr(&svg), "<circle "), 2);
	path += strlen("<path d=\"");
	char line[256];
	(void)snprintf(line, sizeof line, "%.*s", (int)strcspn(path, "\""), path);
	CHECK_WHOLE(occurrences(line, "M"), 3);
	CHECK_WHOLE(occurrences(line, "L"), 1);
	buf_release(&svg);
}

TEST(hatching_stands_only_where_nobody_looked)
{
	struct answer a = some_answer();
	struct buf svg = drawn(&a, CHART_WIDE, LANG_JA);

	/* step 4 has no value either, but sensors looked: that is no hatching */
	CHECK_WHOLE(occurrences(buf_cstr(&svg), "url(#f1-hatch)"), 1);
	CHECK(strstr(buf_cstr(&svg), "観測なし（欠測）") != NULL);
	buf_release(&svg);
}

TEST(a_chart_without_any_value_still_stands)
{
	struct answer a = some_answer();
	double none[STEPS] = { NAN, NAN, NAN, NAN, NAN, NAN };
	struct series silent = { .label = "1433/tcp", .values = none, .plains = none };

	a.list = &silent;
	struct buf svg = drawn(&a, CHART_WIDE, LANG_EN);
	CHECK(strstr(buf_cstr(&svg), "nan") == NULL);
	CHECK(strstr(buf_cstr(&svg), "</svg>") != NULL);
	buf_release(&svg);
}

TEST(text_from_outside_is_escaped_in_a_chart)
{
	struct answer a = some_answer();
	struct series odd = one;

	(void)snprintf(odd.label, sizeof odd.label, "<\"&'>");
	a.list = &odd;
	struct buf svg = drawn(&a, CHART_WIDE, LANG_EN);
	CHECK(strstr(buf_cstr(&svg), "data-label=\"&lt;&quot;&amp;&#39;&gt;\"") != NULL);
	CHECK(strstr(buf_cstr(&svg), "<\"&'>") == NULL);
	CHECK(strstr(buf_cstr(&svg), "A &amp; B") != NULL);
	buf_release(&svg);
}

TEST(surges_are_bands_from_onset_to_end_within_the_span)
{
	struct answer a = some_answer();
	struct span s = a.question.span;
	minute_t day = MINUTES_PER_DAY;
	struct surge_revision list[3] = {
		{ .row = { .port = PROTO_TCP << 16 | 1433, .found = s.from + day, .onset = s.from + day, .end = s.from + 2 * day - 60, .alarm = true, .state = SURGE_ENDED } },
		{ .row = { .port = PROTO_TCP << 16 | 1433, .found = s.from + 4 * day, .onset = s.from + 4 * day, .state = SURGE_OPEN },
			.verdict = SURGE_RESEARCH, .judge = "me" },
		{ .row = { .port = PROTO_TCP << 16 | 1433, .found = s.until + day, .onset = s.until + day, .state = SURGE_OPEN } },
	};
	static const unsigned widths[] = { CHART_WIDE, CHART_NARROW };

	for (int w = 0; w < 2; w++) {
		struct buf svg = buf_make(1 << 20);
		struct chart c = { .answer = &a, .zone = &tokyo, .lang = LANG_EN, .id = "f1", .source = "A", .surges = list, .surges_len = 3, .width = widths[w] };

		chart_svg(&c, &svg);
		const char *text = buf_cstr(&svg), *first = strstr(text, "<g class=\"surge\"");
		double x0 = attribute(text, " data-x0=\""), x1 = attribute(text, " data-x1=\""), per_day = (x1 - x0) * day / (double)(s.until - s.from);
		CHECK(first && occurrences(text, "<g class=\"surge\"") == 2);
		CHECK(strstr(first, ", alarm, machine, unconfirmed</title>") && strstr(first, ", watch, research</title>"));
		CHECK(fabs(attribute(first, "<rect x=\"") - (x0 + per_day)) < .02 && fabs(attribute(first, " width=\"") - per_day) < .02);
		/* the open one to the end of the span */
		const char *second = strstr(first + 1, "<g class=\"surge\"");
		CHECK(second && fabs(attribute(second, "<rect x=\"") + attribute(second, " width=\"") - x1) < .02);
		/* behind the lines, and told to those who do not see it */
		CHECK(strstr(text, "class=\"series\"") > second && strstr(text, "Surges shown as bands: 1433-tcp-"));
		buf_release(&svg);
	}
	struct buf svg = drawn(&a, CHART_WIDE, LANG_EN);
	CHECK(strstr(buf_cstr(&svg), "shown as bands") == NULL);
	buf_release(&svg);
}

TEST(a_chart_needs_no_style_and_no_script)
{
	struct answer a = some_answer();
	struct buf svg = drawn(&a, CHART_WIDE, LANG_JA);

	CHECK(strstr(buf_cstr(&svg), "style") == NULL);
	CHECK(strstr(buf_cstr(&svg), "script") == NULL);
	CHECK(strstr(buf_cstr(&svg), "role=\"img\"") != NULL);
	CHECK(strstr(buf_cstr(&svg), "aria-labelledby=\"f1-title\"") != NULL);
	buf_release(&svg);
}

TEST(value_axes_are_round_and_reach_the_peak)
{
	static const struct { double max; unsigned ticks; double step, top; } cases[] = {
		{ 30, 5, 10, 30 }, { 29.4, 5, 10, 30 }, { 100, 5, 20, 100 }, { .07, 5, .02, .08 }, { 1, 4, .25, 1 }, { 0, 5, 1, 1 },
		{ 1234567, 5, 250000, 1250000 },
	};

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct value_axis v = value_axis(cases[i].max, cases[i].ticks);

		CHECK_NEAR(v.step, cases[i].step);
		CHECK_NEAR(v.top, cases[i].top);
	}
	for (double max = 1e-6; max < 1e12; max *= 1.37) {
		struct value_axis v = value_axis(max, 5);

		CHECK(v.top >= max * (1 - 1e-9) && v.top < max + v.step);
	}
}

TEST(value_labels_have_only_the_digits_they_need)
{
	char text[40];

	value_axis_text(&(struct value_axis){ .25, 1 }, .5, text);
	CHECK_TEXT(text, "0.50");
	value_axis_text(&(struct value_axis){ 250000, 1250000 }, 1250000, text);
	CHECK_TEXT(text, "1,250,000");
	value_axis_text(&(struct value_axis){ 2.5, 10 }, 7.5, text);
	CHECK_TEXT(text, "7.5");
}

TEST(time_ticks_stand_on_the_zone_s_own_months)
{
	struct time_axis t;
	struct span year = { 18669060, 18669060 + 365 * 1440 }; /* from 2005-07-01T00:00+09:00 */

	time_axis(&t, year, &tokyo, LANG_JA, 14);
	CHECK_WHOLE(t.len, 13);
	CHECK_TEXT(t.list[0].text, "2005年7月");
	CHECK_TEXT(t.list[1].text, "8月");
	CHECK_TEXT(t.list[6].text, "2006年1月");
	CHECK_WHOLE(t.list[0].at, year.from);
	time_axis(&t, year, &tokyo, LANG_EN, 14);
	CHECK_TEXT(t.list[6].text, "Jan 2006");
}

TEST(time_ticks_fit_any_span)
{
	for (minute_t length = 10; length < 40 * 525600; length = length * 3 / 2 + 1) {
		struct time_axis t;

		time_axis(&t, (struct span){ 18669060, 18669060 + length }, &tokyo, LANG_EN, 12);
		CHECK(t.len <= 2 * 12 + 2);
		for (size_t i = 1; i < t.len; i++)
			CHECK(t.list[i].at > t.list[i - 1].at);
	}
}

TEST(lines_of_text_break_at_blanks_and_between_japanese_characters)
{
	size_t next, n;

	n = svg_fit("plain mean of packets", 10, 70, &next);
	CHECK_WHOLE(n, 10);     /* "plain mean" */
	CHECK_WHOLE(next, 11);
	n = svg_fit("観測アドレス", 10, 35, &next);
	CHECK_WHOLE(n, 9);
	CHECK_WHOLE(next, 9);
	/* a closing mark does not start a line */
	n = svg_fit("観測（欠測）", 10, 50, &next);
	CHECK_WHOLE(n, 12);
	n = svg_fit("x", 10, 1, &next);
	CHECK_WHOLE(n, 1);
}
