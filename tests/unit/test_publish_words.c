/* Messages, captions and escaping. */
#include "test.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/zone.h"
#include "core/question.h"
#include "core/tuple.h"
#include "publish/caption.h"
#include "publish/markup.h"
#include "publish/messages.h"
#include "publish/services.h"

static struct zone_rule nine_hours = { 0, 540 };
static const struct zone tokyo = { "Asia/Tokyo", 1, &nine_hours };

TEST(every_message_is_there_in_both_languages_with_the_same_blanks)
{
	for (int m = 0; m < MESSAGE_COUNT; m++) {
		const char *ja = message(LANG_JA, (enum message)m), *en = message(LANG_EN, (enum message)m);

		CHECK(ja[0] && en[0]);
		CHECK((strstr(ja, "{1}") != NULL) == (strstr(en, "{1}") != NULL));
		CHECK((strstr(ja, "{2}") != NULL) == (strstr(en, "{2}") != NULL));
	}
}

TEST(dates_are_written_as_each_language_writes_them)
{
	char text[MESSAGE_DATE_MAX];

	CHECK_TEXT(message_moment(LANG_JA, &tokyo, 19193760, text), "2006年6月30日 09:00 JST");
	CHECK_TEXT(message_moment(LANG_EN, &tokyo, 19193760, text), "30 June 2006 09:00 JST");
}

static void title(struct question *q, enum lang l, const char *want)
{
	struct buf out = buf_make(1024);

	caption_title(q, &tokyo, l, &out);
	CHECK_TEXT(buf_cstr(&out), want);
	buf_release(&out);
}

TEST(a_title_says_what_was_asked)
{
	struct question q;

	question_init(&q);
	q.each = EACH_PORT;
	title(&q, LANG_JA, "宛先ポート 上位 5（3か月、日別）");
	title(&q, LANG_EN, "Top 5 destination ports (3 months, by day)");
	memcpy(q.region, "JP", 3);
	q.step = STEP_WEEK;
	memcpy(q.last, "1y", 3);
	title(&q, LANG_JA, "宛先ポート 上位 5（送信元地域 JP、1年、週別）");
	title(&q, LANG_EN, "Top 5 destination ports (source region JP, one year, by week)");
	q.each = EACH_NOTHING;
	q.proto = PROTO_TCP;
	q.port = 1433;
	q.region[0] = '\0';
	title(&q, LANG_JA, "1433/tcp の推移（1年、週別）");
}

TEST(a_title_says_who_is_left_out)
{
	struct question q;
	struct err e;

	question_init(&q);
	q.each = EACH_PORT;
	CHECK(question_set(&q, "scanners", "without", &e) && question_set(&q, "without", "mirai,error", &e));
	title(&q, LANG_JA, "宛先ポート 上位 5（error+mirai を除く、既知のスキャナーを除く、3か月、日別）");
	title(&q, LANG_EN, "Top 5 destination ports (without error+mirai, without known scanners, 3 months, by day)");
	CHECK(question_set(&q, "scanners", "Alpha", &e) && question_set(&q, "each", "scanner", &e));
	q.without_kinds = q.without_marks = 0;
	title(&q, LANG_JA, "既知のスキャナー別（スキャナー Alpha、3か月、日別）");
}

TEST(a_title_with_dates_names_the_last_day_that_is_in)
{
	struct question q;

	question_init(&q);
	q.each = EACH_PORT;
	q.span = (struct span){ 19126980, 19126980 + 2 * 1440 };
	memcpy(q.from, "2006-05-15", 11);
	title(&q, LANG_EN, "Top 5 destination ports (15 May 2006 to 16 May 2006, by day)");
}

TEST(markup_escapes_what_could_be_markup_and_replaces_what_is_no_text)
{
	struct buf out = buf_make(1024);

	markup_text(&out, "<a href=\"x\">&'\x01\xff\xe3\x81\x82\xed\xa0\x80");
	CHECK_TEXT(buf_cstr(&out), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;\xef\xbf\xbd\xef\xbf\xbd\xe3\x81\x82"
		"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	buf_release(&out);
}

TEST(well_known_ports_have_names_and_others_have_none)
{
	CHECK_TEXT(service_name(PROTO_TCP, 1433), "ms-sql-s");
	CHECK_TEXT(service_name(PROTO_ICMP, 8 << 8), "echo request");
	CHECK_TEXT(service_name(PROTO_UDP, 1433), "");
}
