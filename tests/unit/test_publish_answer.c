/* Answers as JSON, CSV and text: the shapes that programs rely on. */
#include "test.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/zone.h"
#include "core/series.h"
#include "publish/answer_csv.h"
#include "publish/answer_json.h"
#include "publish/answer_text.h"

#include <stdio.h>

static struct zone_rule nine_hours = { 0, 540 };
static const struct zone tokyo = { "Asia/Tokyo", 1, &nine_hours };

enum { MAY_15 = 19126980 };     /* 2006-05-15T00:00+09:00 */

static double first_values[] = { 1.5, NAN, 0 }, second_values[] = { 0.25, NAN, 7 };
static minute_t times[] = { MAY_15, MAY_15 + 1440, MAY_15 + 2880 };
static unsigned looked[] = { 3, 0, 2 };

static struct series list[] = {
	{ .label = "1433/tcp", .rank = 1, .previous_rank = 4, .value = 0.75, .plain = 0.75, .packets = 1234, .sources = 56,
		.sensors = 3, .values = first_values, .plains = first_values },
	{ .label = "icmp/8", .rank = 2, .value = NAN, .plain = NAN, .packets = 0, .sources = 0, .sensors = 0,
		.values = second_values, .plains = second_values },
};

static struct answer some_answer(void)
{
	struct answer a = { .steps = 3, .times = times, .looked = looked, .sensors = 3, .found = 2, .list = list, .len = 2 };

	question_init(&a.question);
	a.question.across = ACROSS_MEAN;
	a.question.each = EACH_PORT;
	a.question.span = (struct span){ MAY_15, MAY_15 + 3 * 1440 };
	return a;
}

TEST(a_top_list_in_json_has_the_promised_shape)
{
	struct answer a = some_answer();
	struct buf out = buf_make(1 << 16);

	answer_top_json(&a, &tokyo, &out);
	CHECK_TEXT(buf_cstr(&out),
		"{\"span\":{\"from\":\"2006-05-15T00:00:00+09:00\",\"until\":\"2006-05-18T00:00:00+09:00\"},\"zone\":\"Asia/Tokyo\","
		"\"across\":\"mean\",\"per\":\"address\",\"unit\":\"packets per observed address and day\",\"sensors\":3,\"rows\":["
		"{\"rank\":1,\"previous_rank\":4,\"label\":\"1433/tcp\",\"value\":0.75,\"plain\":0.75,\"packets\":1234,\"sources\":56,"
		"\"sensors\":3},"
		"{\"rank\":2,\"previous_rank\":null,\"label\":\"icmp/8\",\"value\":null,\"plain\":null,\"packets\":0,\"sources\":0,"
		"\"sensors\":0}]}\n");
	buf_release(&out);
}

TEST(a_series_in_json_tells_unobserved_from_none)
{
	struct answer a = some_answer();
	struct buf out = buf_make(1 << 16);

	answer_series_json(&a, &tokyo, &out);
	const char *text = buf_cstr(&out);
	CHECK(strstr(text, "\"step\":\"day\",\"across\":\"mean\"") != NULL);
	CHECK(strstr(text, "{\"label\":\"1433/tcp\",\"times\":[\"2006-05-15T00:00:00+09:00\",\"2006-05-16T00:00:00+09:00\","
		"\"2006-05-17T00:00:00+09:00\"],\"values\":[1.5,null,0],\"looked\":[3,0,2]}") != NULL);
	buf_release(&out);
}

TEST(an_error_in_json_says_what_where_and_what_was_expected)
{
	struct err e = { .what = "not \"a\" value", .where = "question", .expected = "3mo" };
	struct buf out = buf_make(1 << 16);

	error_json(&e, &out);
	CHECK_TEXT(buf_cstr(&out),
		"{\"error\":{\"what\":\"not \\\"a\\\" value\",\"where\":\"question\",\"expected\":\"3mo\"}}\n");
	buf_release(&out);
}

TEST(csv_names_its_units_and_leaves_unobserved_fields_empty)
{
	struct answer a = some_answer();
	struct buf out = buf_make(1 << 16);

	answer_series_csv(&a, &tokyo, &out);
	CHECK_TEXT(buf_cstr(&out),
		"\"time (start of the day, Asia/Tokyo)\",sensors that looked,"
		"1433/tcp (mean of packets per observed address and day),icmp/8 (mean of packets per observed address and day)\r\n"
		"2006-05-15T00:00:00+09:00,3,1.5,0.25\r\n"
		"2006-05-16T00:00:00+09:00,0,,\r\n"
		"2006-05-17T00:00:00+09:00,2,0,7\r\n");
	buf_release(&out);
}

TEST(csv_shows_the_plain_mean_beside_another_value)
{
	struct answer a = some_answer();
	struct buf out = buf_make(1 << 16);

	a.question.across = ACROSS_MEDIAN;
	answer_series_csv(&a, &tokyo, &out);
	CHECK(strstr(buf_cstr(&out), "1433/tcp (plain mean of packets per observed address and day)") != NULL);
	buf_clear(&out);
	answer_top_csv(&a, &tokyo, &out);
	CHECK(strstr(buf_cstr(&out), "\r\n2006-05-15T00:00:00+09:00,2006-05-18T00:00:00+09:00,2,,icmp/8,,,0,0,0\r\n") != NULL);
	buf_release(&out);
}

TEST(csv_does_not_hand_a_spreadsheet_a_formula)
{
	struct answer a = some_answer();
	struct series one = list[0];
	struct buf out = buf_make(1 << 16);

	(void)snprintf(one.label, sizeof one.label, "-2\"x\",y");
	a.list = &one;
	a.len = 1;
	answer_top_csv(&a, &tokyo, &out);
	CHECK(strstr(buf_cstr(&out), ",\"'-2\"\"x\"\",y\",0.75") != NULL);
	buf_release(&out);
}

TEST(the_terminal_table_draws_bars_of_the_asked_kind)
{
	struct answer a = some_answer();
	struct buf out = buf_make(1 << 16);

	answer_top_text(&a, &tokyo, BARS_ASCII, &out);
	CHECK(strstr(buf_cstr(&out), "########################\n") != NULL);
	CHECK(strstr(buf_cstr(&out), "█") == NULL);
	buf_clear(&out);
	answer_series_text(&a, &tokyo, BARS_UTF8, &out);
	CHECK(strstr(buf_cstr(&out), "████████████████████████\n") != NULL);
	CHECK(strstr(buf_cstr(&out), "2006-05-16            0           -           -\n") != NULL);
	buf_release(&out);
}
