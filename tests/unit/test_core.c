/* What the values of core/ promise. */
#include "test.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"
#include "base/num.h"
#include "base/radix.h"
#include "base/zone.h"
#include "core/batch.h"
#include "core/calendar.h"
#include "core/question.h"
#include "core/series.h"

#include <pthread.h>
#include <stdlib.h>

static struct zone zone_of(const char *name)
{
	struct zone z;
	struct err e;

	CHECK_OK(zone_load(&z, name, &e));
	return z;
}

static minute_t at(const struct zone *z, const char *text)
{
	struct err e;
	minute_t m;

	CHECK_OK(calendar_parse(z, text, &m, &e));
	return m;
}

TEST(calendar_writes_what_it_reads)
{
	struct zone z = zone_of("Asia/Tokyo");
	char text[CALENDAR_TEXT_MAX];

	CHECK_TEXT(calendar_rfc3339(&z, at(&z, "2006-05-15"), text), "2006-05-15T00:00:00+09:00");
	CHECK_TEXT(calendar_rfc3339(&z, at(&z, "2006-05-15T00:30Z"), text), "2006-05-15T09:30:00+09:00");
	CHECK_TEXT(calendar_rfc3339(&z, at(&z, "2006-05-15T09:30:59+09:00"), text), "2006-05-15T09:30:00+09:00");
	CHECK_TEXT(calendar_rfc3339(&z, at(&z, "2006-05-15T00:30:00.123Z"), text), "2006-05-15T09:30:00+09:00");
	CHECK_TEXT(calendar_rfc3339(&z, at(&z, "2006-05-15 09:30:00-0130"), text), "2006-05-15T20:00:00+09:00");
	zone_release(&z);
}

TEST(calendar_refuses_what_is_no_time)
{
	static const char *const wrong[] = { "", "2006", "2006-13-01", "2006-02-29", "2006-05-15T", "2006-05-15T24:00", "2006-05-15T09:60",
		"2006-05-15T09:00+", "2006-05-15T09:00+9", "2006-05-15x", "1969-12-31", "2100-01-02", "15.5.2006", "2006-05-15T09:00Zz", "2006-05-15T09:00:00.Z" };
	struct zone z = zone_of("UTC");
	struct err e;
	minute_t m;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CHECK(!calendar_parse(&z, wrong[i], &m, &e));
	zone_release(&z);
}

TEST(calendar_knows_days_of_23_and_25_hours)
{
	struct zone z = zone_of("Europe/Berlin");

	CHECK_WHOLE(calendar_next(&z, at(&z, "2006-03-26"), STEP_DAY) - at(&z, "2006-03-26"), 23 * 60);
	CHECK_WHOLE(calendar_next(&z, at(&z, "2006-10-29"), STEP_DAY) - at(&z, "2006-10-29"), 25 * 60);
	CHECK_WHOLE(calendar_next(&z, at(&z, "2006-07-01"), STEP_DAY) - at(&z, "2006-07-01"), 24 * 60);
	/* 02:30 does not exist on the first of them; it is the minute of the change */
	CHECK_WHOLE(at(&z, "2006-03-26T02:30"), at(&z, "2006-03-26T03:00"));
	/* and happens twice on the second: the earlier one is meant */
	CHECK_WHOLE(at(&z, "2006-10-29T02:30"), at(&z, "2006-10-29T00:30Z"));
	zone_release(&z);
}

TEST(calendar_steps_follow_one_another_without_gap_in_every_zone)
{
	static const char *const zones[] = { "UTC", "Asia/Tokyo", "Asia/Kolkata", "Europe/Berlin", "America/New_York",
		"Australia/Lord_Howe", "Pacific/Apia", "America/St_Johns" };
	static const enum step steps[] = { STEP_MINUTE, STEP_HOUR, STEP_DAY, STEP_WEEK, STEP_MONTH, STEP_QUARTER };
	uint64_t seed = 1;

	for (size_t k = 0; k < sizeof zones / sizeof *zones; k++) {
		struct zone z = zone_of(zones[k]);

		for (int i = 0; i < 4000; i++) {
			minute_t m = (minute_t)(1000000 + test_random(&seed) % 40000000);
			enum step s = steps[test_random(&seed) % 6];
			minute_t from = calendar_floor(&z, m, s), until = calendar_next(&z, m, s);

			CHECK(from <= m && m < until);
			CHECK_WHOLE(calendar_floor(&z, from, s), from);
			CHECK_WHOLE(calendar_floor(&z, until - 1, s), from);
			CHECK_WHOLE(calendar_floor(&z, until, s), until);
		}
		zone_release(&z);
	}
}

TEST(calendar_weeks_begin_on_monday_and_quarters_in_january)
{
	struct zone z = zone_of("Asia/Tokyo");
	char text[CALENDAR_TEXT_MAX];

	CHECK_TEXT(calendar_date(&z, calendar_floor(&z, at(&z, "2006-06-30"), STEP_WEEK), text), "2006-06-26");
	CHECK_TEXT(calendar_date(&z, calendar_floor(&z, at(&z, "2006-06-30"), STEP_QUARTER), text), "2006-04-01");
	CHECK_TEXT(calendar_date(&z, calendar_next(&z, at(&z, "2006-12-31"), STEP_QUARTER), text), "2007-01-01");
	CHECK_TEXT(calendar_date(&z, calendar_shift(&z, at(&z, "2006-05-31"), -3), text), "2006-02-28");
	CHECK_TEXT(calendar_date(&z, calendar_shift(&z, at(&z, "2006-01-15"), 12), text), "2007-01-15");
	CHECK_WHOLE(calendar_civil(&z, at(&z, "2006-06-30")).weekday, 4);
	zone_release(&z);
}

TEST(address_text_reads_back_and_prefixes_hold_what_they_should)
{
	static const char *const same[] = { "192.0.2.1", "2001:db8::1", "::", "::1", "255.255.255.255" };
	char text[ADDR_TEXT_MAX], net[PREFIX_TEXT_MAX];
	struct prefix p;
	struct addr a;

	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		CHECK(addr_parse(same[i], &a));
		CHECK_TEXT(addr_format(&a, text), same[i]);
	}
	CHECK(addr_parse("::ffff:192.0.2.1", &a) && addr_is_v4(&a));
	CHECK(!addr_parse("192.0.2.256", &a) && !addr_parse("192.0.2.1 ", &a) && !addr_parse("", &a));
	CHECK(prefix_parse("192.0.2.0/24", &p) && addr_parse("192.0.2.255", &a) && prefix_holds(&p, &a));
	CHECK_TEXT(prefix_format(&p, net), "192.0.2.0/24");
	CHECK(addr_parse("192.0.3.0", &a) && !prefix_holds(&p, &a));
	CHECK(!prefix_parse("192.0.2.1/24", &p) && !prefix_parse("192.0.2.0/33", &p) && !prefix_parse("2001:db8::/129", &p));
	CHECK(prefix_parse("0.0.0.0/0", &p) && prefix_holds(&p, &a) && addr_parse("2001:db8::", &a) && !prefix_holds(&p, &a));
}

TEST(ports_have_the_labels_that_the_api_promises)
{
	static const char *const labels[] = { "1433/tcp", "53/udp", "icmp/8", "icmpv6/128" };
	char text[PORT_LABEL_MAX];
	unsigned proto, port;

	for (size_t i = 0; i < 4; i++) {
		CHECK(port_parse(labels[i], &proto, &port));
		CHECK_TEXT(port_label(proto, port, text), labels[i]);
	}
	CHECK(port_parse("1433/TCP", &proto, &port) && port == 1433 && proto == PROTO_TCP);
	CHECK(!port_parse("65536/tcp", &proto, &port) && !port_parse("icmp/256", &proto, &port) && !port_parse("tcp/80", &proto, &port));
	CHECK(!port_parse("80", &proto, &port) && !port_parse("80/", &proto, &port) && !port_parse("8/icmp", &proto, &port));
}

TEST(ports_with_the_number_of_a_protocol_are_ports_all_the_same)
{
	static const struct { const char *text; unsigned proto, port; } good[] = { { "1/tcp", PROTO_TCP, 1 }, { "58/udp", PROTO_UDP, 58 },
		{ "6/tcp", PROTO_TCP, 6 }, { "17/udp", PROTO_UDP, 17 }, { "1/udp", PROTO_UDP, 1 } };
	static const char *const bad[] = { "1/3", "58/128", "80/6", "80/17", "1/icmp" };
	unsigned proto, port;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		CHECK(port_parse(good[i].text, &proto, &port));
		CHECK(proto == good[i].proto && port == good[i].port);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(!port_parse(bad[i], &proto, &port));
}

TEST(kinds_follow_the_flags)
{
	CHECK_WHOLE(tuple_kind(PROTO_TCP, TCP_SYN, 1, 0), KIND_SCAN);
	CHECK_WHOLE(tuple_kind(PROTO_TCP, TCP_SYN | TCP_ECE | TCP_CWR, 1, 0), KIND_SCAN);
	CHECK_WHOLE(tuple_kind(PROTO_TCP, TCP_SYN | TCP_ACK, 80, 0), KIND_BACKSCATTER);
	CHECK_WHOLE(tuple_kind(PROTO_TCP, TCP_RST | TCP_ACK, 80, 0), KIND_BACKSCATTER);
	CHECK_WHOLE(tuple_kind(PROTO_TCP, TCP_ACK, 80, 0), KIND_OTHER);
	CHECK_WHOLE(tuple_kind(PROTO_TCP, 0, 80, 0), KIND_OTHER);
	CHECK_WHOLE(tuple_kind(PROTO_UDP, 0, 53, 0), KIND_BACKSCATTER);
	CHECK_WHOLE(tuple_kind(PROTO_UDP, 0, 54, 0), KIND_SCAN);
	CHECK_WHOLE(tuple_kind(PROTO_ICMP, 0, 0, 8), KIND_SCAN);
	CHECK_WHOLE(tuple_kind(PROTO_ICMP, 0, 0, 3), KIND_ERROR);
	CHECK_WHOLE(tuple_kind(PROTO_ICMP, 0, 0, 0), KIND_BACKSCATTER);
	CHECK_WHOLE(tuple_kind(PROTO_ICMPV6, 0, 0, 1), KIND_ERROR);
	CHECK_WHOLE(tuple_kind(PROTO_ICMPV6, 0, 0, 128), KIND_SCAN);
}

TEST(watch_adds_up_to_sixty_seconds_a_minute_and_never_more)
{
	enum { MINUTES = 400 };
	uint64_t seed = 7;

	for (int round = 0; round < 300; round++) {
		struct watch w = { 0 };
		unsigned plain[MINUTES] = { 0 };

		for (int i = 0; i < 12; i++) {
			minute_t from = (minute_t)(test_random(&seed) % (MINUTES - 1)), until = from + 1 +
				(minute_t)(test_random(&seed) % (MINUTES - from - 1 ? MINUTES - from - 1 : 1));
			uint8_t seconds = (uint8_t)(1 + test_random(&seed) % 60);

			watch_add(&w, (struct run){ from, until, seconds });
			for (minute_t m = from; m < until; m++)
				plain[m] = plain[m] + seconds > 60 ? 60 : plain[m] + seconds;
		}
		for (int i = 0; i < 20; i++) {
			minute_t from = (minute_t)(test_random(&seed) % MINUTES), until = from + (minute_t)(test_random(&seed) % (MINUTES + 1 - from));
			uint64_t want = 0;

			for (minute_t m = from; m < until; m++)
				want += plain[m];
			CHECK_WHOLE(watch_seconds(&w, (struct span){ from, until }), want);
		}
		for (size_t i = 0; i < w.len; i++) {
			CHECK(w.runs[i].from < w.runs[i].until && w.runs[i].seconds >= 1 && w.runs[i].seconds <= 60);
			CHECK(i == 0 || w.runs[i - 1].until < w.runs[i].from || (w.runs[i - 1].until == w.runs[i].from &&
				w.runs[i - 1].seconds != w.runs[i].seconds));
		}
		watch_release(&w);
	}
}

static struct batch a_batch(uint64_t *seed, size_t rows)
{
	static const uint8_t protos[] = { PROTO_TCP, PROTO_UDP, PROTO_ICMP, PROTO_ICMPV6 };
	struct batch b = { .sensor = "kyoto-1", .epoch = test_random(seed), .serial = 3, .span = { 20000000, 20001440 }, .seen = 9, .lost = 1 };

	watch_add(&b.watched, (struct run){ 20000000, 20000700, 60 });
	watch_add(&b.watched, (struct run){ 20000701, 20001440, 10 });
	for (size_t i = 0; i < rows; i++) {
		struct tuple t = { .minute = 20000000 + (minute_t)(test_random(seed) % 1440), .port = (uint16_t)test_random(seed),
			.proto = protos[test_random(seed) % 4], .flags = (uint8_t)test_random(seed), .mark = (uint8_t)(test_random(seed) % 32),
			.kind = (uint8_t)(test_random(seed) % KINDS), .ttl = (uint8_t)test_random(seed), .dsts = (uint8_t)(test_random(seed) % 6),
			.sport = (uint16_t)test_random(seed), .packets = 1 + (uint32_t)(test_random(seed) % 1000), .bytes = test_random(seed) % 100000 };

		t.src = test_random(seed) % 4 ? addr_v4((uint32_t)test_random(seed)) : addr_of(test_random(seed), test_random(seed));
		batch_add(&b, &t);
	}
	b.len = tuples_settle(b.rows, b.len);
	return b;
}

TEST(tuples_settle_into_one_of_each_key_in_order_however_many)
{
	uint64_t seed = 5;

	for (size_t len = 2; len < 5000; len = len * 3 + 1) {
		struct tuple *list = calloc(len, sizeof *list);
		uint64_t packets = 0, kept = 0;

		for (size_t i = 0; i < len; i++) {
			uint64_t r = test_random(&seed);

			list[i] = (struct tuple){ .minute = 1000 + (minute_t)(r % 3) * 70000, .port = (uint16_t)(r >> 8 & 0x3f3), .flags = (uint8_t)(r >> 20 & 2),
				.proto = (uint8_t)proto_numbered(r >> 24 & 3), .mark = r >> 28 & 1, .packets = 1,
				.src = r >> 32 & 3 ? addr_v4((uint32_t)(r >> 34 & 0x80000003)) : addr_of(r >> 36 & 1 ? 0x20010db800000000u : 0, r >> 40 & 1) };
			packets += list[i].packets;
		}
		size_t n = tuples_settle(list, len);
		CHECK(n <= len);
		for (size_t i = 0; i < n; i++) {
			CHECK(i == 0 || tuple_cmp(&list[i - 1], &list[i]) < 0);
			kept += list[i].packets;
		}
		CHECK_WHOLE(kept, packets);
		CHECK(tuples_settled(list, n) && tuples_settle(list, n) == n);
		free(list);
	}
}

TEST(batch_reads_back_what_was_written)
{
	struct buf bytes = buf_make(1 << 20);
	struct batch read;
	uint64_t seed = 3;
	struct err e;

	for (size_t rows = 0; rows < 500; rows += 33) {
		struct batch b = a_batch(&seed, rows);

		buf_clear(&bytes);
		batch_encode(&b, &bytes);
		CHECK_OK(batch_decode(&read, bytes.at, bytes.len, &e));
		CHECK_TEXT(read.sensor, b.sensor);
		CHECK(read.epoch == b.epoch && read.serial == b.serial && read.seen == 9 && read.lost == 1);
		CHECK_WHOLE(read.watched.len, 2);
		CHECK_WHOLE(read.len, b.len);
		for (size_t i = 0; i < b.len; i++) {
			CHECK_WHOLE(tuple_cmp(&read.rows[i], &b.rows[i]), 0);
			CHECK(read.rows[i].packets == b.rows[i].packets && read.rows[i].bytes == b.rows[i].bytes &&
				read.rows[i].sport == b.rows[i].sport && read.rows[i].ttl == b.rows[i].ttl && read.rows[i].dsts == b.rows[i].dsts);
		}
		batch_release(&read);
		batch_release(&b);
	}
	buf_release(&bytes);
}

TEST(batch_refuses_every_truncation_and_every_changed_byte)
{
	struct buf bytes = buf_make(1 << 20);
	struct batch read;
	uint64_t seed = 5;
	struct err e;
	struct batch b = a_batch(&seed, 40);

	batch_encode(&b, &bytes);
	for (size_t len = 0; len < bytes.len; len++)
		CHECK(!batch_decode(&read, bytes.at, len, &e));
	for (size_t i = 0; i < bytes.len; i++) {
		bytes.at[i] ^= 0x20;
		CHECK(!batch_decode(&read, bytes.at, bytes.len, &e));
		bytes.at[i] ^= 0x20;
	}
	buf_u8(&bytes, 0);
	CHECK(!batch_decode(&read, bytes.at, bytes.len, &e));
	batch_release(&b);
	buf_release(&bytes);
}

TEST(batch_that_is_not_sound_is_said_to_be)
{
	struct batch b = { .sensor = "a b", .span = { 5, 10 } };
	struct err e;

	CHECK(!batch_sound(&b, &e));
	memcpy(b.sensor, "ab", 3);
	CHECK_OK(batch_sound(&b, &e));
	for (minute_t minute = 7; minute > 5; minute--)
		batch_add(&b, &(struct tuple){ .minute = minute, .proto = PROTO_TCP, .packets = 1 });
	CHECK(!batch_sound(&b, &e));    /* minutes ascend */
	b.rows[1].minute = 7;
	CHECK_OK(batch_sound(&b, &e));
	watch_add(&b.watched, (struct run){ 4, 6, 60 });
	CHECK(!batch_sound(&b, &e));
	batch_release(&b);
}

TEST(batch_of_a_time_or_of_numbers_that_cannot_be_is_not_plausible)
{
	static const struct { struct span span; uint64_t seen, lost; bool plausible; } each[] = {
		{ { BATCH_LIVE_FROM, BATCH_LIVE_FROM + 1 }, 3, 0, true },
		{ { BATCH_LIVE_FROM - 1, BATCH_LIVE_FROM + 1 }, 3, 0, false },
		{ { 0, 1 }, 3, 0, false },
		{ { 20000000, 20000000 + BATCH_LIVE_MINUTES_MAX }, 3, 0, true },
		{ { 20000000, 20000001 + BATCH_LIVE_MINUTES_MAX }, 3, 0, false },
		{ { 20000000, 20000001 }, 2, 0, false },
		{ { 20000000, 20000001 }, 0, 3, false },
		{ { 20000000, 20000001 }, 4, (uint64_t)1 << 48, true },
		{ { 20000000, 20000001 }, 4, ((uint64_t)1 << 48) + 1, false },
		{ { 20000000, 20000001 }, (uint64_t)1 << 63, (uint64_t)1 << 63, false },
	};
	struct err e;

	for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
		struct batch b = { .sensor = "ab", .span = each[i].span, .seen = each[i].seen, .lost = each[i].lost };

		batch_add(&b, &(struct tuple){ .minute = b.span.from, .proto = PROTO_TCP, .packets = 3 });
		CHECK_OK(batch_sound(&b, &e));
		if (batch_plausible(&b, &e) != each[i].plausible)
			test_failed(__FILE__, __LINE__, "batch %zu is taken for another", i);
		batch_release(&b);
	}
}

TEST(question_text_reads_back_to_the_same_question)
{
	struct zone z = zone_of("Asia/Tokyo");
	struct buf text = buf_make(QUESTION_TEXT_MAX), again = buf_make(QUESTION_TEXT_MAX);
	struct span held = { at(&z, "2005-01-01"), at(&z, "2006-07-01") };
	struct question q, r;
	struct err e;

	question_init(&q);
	CHECK_OK(question_parse(&q, "each=port&top=7&across=median&per=sensor&proto=tcp&kind=scan,error&mark=mirai&without=zmap,error,nmap&sensor=kyoto-1"
		"&region=kr&source=192.0.2.0%2F24&step=week&last=1y", NULL, &e));
	CHECK_OK(question_settle(&q, &z, held, &e));
	question_text(&q, &z, &text);
	question_init(&r);
	CHECK_OK(question_parse(&r, buf_cstr(&text), NULL, &e));
	CHECK_OK(question_settle(&r, &z, held, &e));
	question_text(&r, &z, &again);
	CHECK_TEXT(buf_cstr(&again), buf_cstr(&text));
	CHECK_TEXT(r.region, "KR");
	CHECK_WHOLE(r.without_kinds, 1u << KIND_ERROR);
	CHECK_WHOLE(r.without_marks, MARK_ZMAP | MARK_NMAP);
	buf_release(&text);
	buf_release(&again);
	zone_release(&z);
}

TEST(question_of_the_last_months_ends_with_the_last_whole_day)
{
	struct zone z = zone_of("Asia/Tokyo");
	struct question q;
	struct err e;

	question_init(&q);
	CHECK_OK(question_settle(&q, &z, (struct span){ at(&z, "2005-01-01"), at(&z, "2006-06-30T17:12") }, &e));
	CHECK_WHOLE(q.span.until, at(&z, "2006-06-30"));
	CHECK_WHOLE(q.span.from, at(&z, "2006-03-30"));
	CHECK_WHOLE(q.before.from, at(&z, "2005-12-30"));
	CHECK_WHOLE(q.before.until, q.span.from);
	zone_release(&z);
}

TEST(question_refuses_what_it_cannot_answer)
{
	static const char *const wrong[] = { "top=0", "top=x", "last=3", "last=0d", "step=fortnight", "across=mode", "per=packet", "proto=gre",
		"port=80", "port=80/icmp", "port=80/tcp&proto=udp", "proto=udp&port=80/tcp", "kind=bad", "mark=", "without=", "without=all", "without=scan,bad", "sensor=a%20b", "region=JPN", "source=192.0.2.1/24", "from=yesterday",
		"nonsense=1", "top=%zz", "top=%00", "a", "step=minute&top=5&from=2005-01-01&until=2006-01-01", "from=2006-01-01&until=2005-01-01",
		"from=2005-02-01&until=2005-02-01", "step=minute&each=port&top=1000&last=1y" };
	struct zone z = zone_of("UTC");
	struct span held = { at(&z, "2005-01-01"), at(&z, "2006-07-01") };
	struct question q;
	struct err e;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		question_init(&q);
		q.each = EACH_PORT;
		if (question_parse(&q, wrong[i], NULL, &e) && question_settle(&q, &z, held, &e))
			test_failed(__FILE__, __LINE__, "accepted: %s", wrong[i]);
		CHECK(e.what[0] && e.expected[0]);
		CHECK_WHOLE(e.kind, ERR_ASKED);
	}
	zone_release(&z);
}

TEST(answer_reads_back_what_was_sent_and_refuses_every_truncation)
{
	double values[2] = { 1.5, NAN }, plains[2] = { 1.25, 0 };
	minute_t times[2] = { 100, 200 };
	unsigned looked[2] = { 3, 0 };
	struct series s = { .label = "1433/tcp", .rank = 1, .value = 1.5, .plain = NAN, .packets = 7, .sources = 3, .sensors = 2, .values = values,
		.plains = plains };
	struct answer a = { .steps = 2, .times = times, .looked = looked, .sensors = 9, .found = 4, .list = &s, .len = 1 }, b;
	struct buf bytes = buf_make(1 << 16);
	struct err e;

	question_init(&a.question);
	a.question.span = (struct span){ 100, 300 };
	answer_encode(&a, &bytes);
	struct reader r = reader_over(bytes.at, bytes.len);
	CHECK_OK(answer_decode(&b, &r, &e));
	CHECK_TEXT(b.list[0].label, "1433/tcp");
	CHECK_NEAR(b.list[0].values[0], 1.5);
	CHECK_NEAR(b.list[0].values[1], NAN);
	CHECK_NEAR(b.list[0].plains[1], 0);
	CHECK(b.question.span.until == 300 && b.looked[0] == 3 && b.sensors == 9 && b.found == 4);
	answer_release(&b);
	for (size_t len = 0; len < bytes.len; len++) {
		r = reader_over(bytes.at, len);
		CHECK(!answer_decode(&b, &r, &e));
	}
	buf_release(&bytes);
}

enum { WRITES = 60, WRITTEN_BYTES = 20000 };

/* Writes the same path again and again, each time all of one letter. */
static void *write_often(void *letter)
{
	char path[600], bytes[WRITTEN_BYTES];
	struct err e;

	(void)snprintf(path, sizeof path, "%s/shared", test_dir());
	memset(bytes, *(const char *)letter, sizeof bytes);
	for (int i = 0; i < WRITES; i++)
		if (!file_write(path, bytes, sizeof bytes, &e))
			return letter;
	return NULL;
}

TEST(file_that_several_write_at_once_is_one_of_theirs_and_no_write_fails)
{
	char letters[] = "abcdef", path[600];
	struct buf read = buf_make(WRITTEN_BYTES);
	pthread_t threads[6];
	struct err e;

	for (int i = 0; i < 6; i++)
		CHECK(pthread_create(&threads[i], NULL, write_often, &letters[i]) == 0);
	for (int i = 0; i < 6; i++) {
		void *failed;

		CHECK(pthread_join(threads[i], &failed) == 0 && !failed);
	}
	(void)snprintf(path, sizeof path, "%s/shared", test_dir());
	CHECK_OK(file_read(path, &read, &e));
	CHECK_WHOLE(read.len, WRITTEN_BYTES);
	for (size_t i = 1; i < read.len; i++)
		CHECK(read.at[i] == read.at[0]);
	(void)snprintf(path, sizeof path, "%s/shared.new", test_dir());
	CHECK(!file_exists(path));
	buf_release(&read);
}

TEST(numbers_are_read_whole_or_not_at_all)
{
	char text[NUM_TEXT_MAX];
	uint64_t n = 7;
	double v;

	CHECK(num_whole("42", 0, 100, &n) && n == 42);
	CHECK(!num_whole("", 0, 100, &n) && !num_whole("-1", 0, 100, &n) && !num_whole("4x", 0, 100, &n) && !num_whole("101", 0, 100, &n) &&
		!num_whole("99999999999999999999", 0, UINT64_MAX, &n) && n == 42);
	CHECK(num_real("2.5", &v) && !num_real("nan", &v) && !num_real("0x10", &v) && !num_real("1e999", &v) && !num_real(" 1", &v));
	CHECK_TEXT(num_grouped(187849, text), "187,849");
	CHECK_TEXT(num_shortest(.1, text), "0.1");
	CHECK(strtod(num_shortest(1.0 / 3, text), NULL) == 1.0 / 3);
}

TEST(radix_sort_orders_by_the_upper_bits_and_keeps_the_rest_in_place)
{
	uint64_t list[600], room[600], seed = 9;

	for (size_t len = 0; len <= 600; len += 150) {
		for (size_t i = 0; i < len; i++)
			list[i] = (test_random(&seed) % 7 * 0x10001 + test_random(&seed) % 3) << 30 | i;
		const uint64_t *got = radix_sort(list, room, len, 30);
		for (size_t i = 1; i < len; i++)
			CHECK(got[i - 1] < got[i]);     /* the place below the rank makes the order of equal ones part of it */
	}
}
