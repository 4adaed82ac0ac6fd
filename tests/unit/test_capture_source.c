/* source: what a file seems to be, which options it needs, and what holds for rows of every format. */
#include "test.h"

#include "base/digest.h"
#include "base/err.h"
#include "base/zone.h"
#include "capture/intake.h"
#include "capture/source.h"

#define LINE "Mar 17 00:00:54 gate kernel: IN=e OUT= SRC=198.51.100.7 DST=192.0.2.1 LEN=99 PROTO=UDP SPT=1 DPT=2 LEN=79 \n"
#define ROWS "time,src,proto,dport,dst\n2024-03-17 00:00:54,198.51.100.7,udp,53,192.0.2.1\n"

static struct reading reading;
static struct zone utc;

static struct source *open_text(const char *text, size_t len, struct intake **in, bool *wrong_use, struct err *e)
{
	if (!utc.len)
		CHECK(zone_load(&utc, "UTC", e));
	reading.zone = &utc;
	*in = intake_over(text, len);
	return source_open(*in, &reading, wrong_use, e);
}

static void close_both(struct source *s, struct intake *in)
{
	source_close(s);
	intake_close(in);
}

TEST(source_tells_the_format_by_the_first_bytes)
{
	static const char pcap[24] = "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\1\0\0";
	struct intake *in;
	struct source *s;
	struct err e;
	bool wrong;

	reading = (struct reading){ .sensor = "s", .year = 2024 };
	CHECK((s = open_text(pcap, 24, &in, &wrong, &e)) && source_format(s) == FORMAT_PCAP);
	close_both(s, in);
	CHECK((s = open_text(LINE, sizeof LINE - 1, &in, &wrong, &e)) && source_format(s) == FORMAT_LOG);
	close_both(s, in);
	CHECK((s = open_text(ROWS, sizeof ROWS - 1, &in, &wrong, &e)) && source_format(s) == FORMAT_CSV);
	close_both(s, in);
}

TEST(source_refuses_what_is_none_of_them)
{
	static const char *const texts[] = { "", "just some words\n", "\x04\x00\x01\x02\x03,\n", "BZh91AY&SY" };
	struct intake *in;
	struct err e;
	bool wrong;

	reading = (struct reading){ .sensor = "s", .year = 2024 };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		CHECK(open_text(texts[i], strlen(texts[i]), &in, &wrong, &e) == NULL);
		CHECK(!wrong && e.what[0]);
		intake_close(in);
	}
}

TEST(source_says_which_option_is_missing)
{
	static const char pcap[24] = "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\1\0\0";
	struct intake *in;
	struct err e;
	bool wrong;

	reading = (struct reading){ 0 };
	CHECK(!open_text(pcap, 24, &in, &wrong, &e) && wrong);
	CHECK_TEXT(e.expected, "--sensor NAME");
	intake_close(in);
	CHECK(!open_text(LINE, sizeof LINE - 1, &in, &wrong, &e) && wrong);
	CHECK_TEXT(e.expected, "--year YEAR, that of the first line");
	intake_close(in);
	CHECK(!open_text(ROWS, sizeof ROWS - 1, &in, &wrong, &e) && wrong);
	intake_close(in);
}

static enum refusal first_row(const char *text, struct row_read *row)
{
	struct intake *in;
	struct err e;
	bool wrong;
	struct source *s = open_text(text, strlen(text), &in, &wrong, &e);

	CHECK(s && source_next(s, row, &e) == SOURCE_ROW);
	close_both(s, in);
	return row->refusal;
}

TEST(source_names_the_sensor_by_the_log_only_where_the_option_does_not)
{
	struct intake *in;
	struct row_read row;
	struct err e;
	bool wrong;

	reading = (struct reading){ .year = 2024 };
	struct source *s = open_text(LINE, sizeof LINE - 1, &in, &wrong, &e);
	CHECK(source_next(s, &row, &e) == SOURCE_ROW);
	CHECK_TEXT(row.sensor, "gate");
	CHECK(source_next(s, &row, &e) == SOURCE_END);
	close_both(s, in);
	memcpy(reading.sensor, "mine", 5);
	s = open_text(LINE, sizeof LINE - 1, &in, &wrong, &e);
	CHECK(source_next(s, &row, &e) == SOURCE_ROW);
	CHECK_TEXT(row.sensor, "mine");
	close_both(s, in);
}

TEST(source_counts_only_what_is_watched_and_looked_at)
{
	struct row_read row;
	struct err e;

	reading = (struct reading){ .sensor = "s" };
	CHECK_OK(reading_watch(&reading, "192.0.2.0/24,2001:db8::/32", &e));
	CHECK_WHOLE(first_row(ROWS, &row), REFUSAL_NONE);
	reading.watched_len = 0;
	CHECK_OK(reading_watch(&reading, "203.0.113.0/24", &e));
	CHECK_WHOLE(first_row(ROWS, &row), REFUSAL_NOT_WATCHED);
	reading.watched_len = 0;
	reading.looked = (struct span){ 28510560, 28510561 };
	CHECK_WHOLE(first_row(ROWS, &row), REFUSAL_NONE);
	reading.looked = (struct span){ 28510561, 28510562 };
	CHECK_WHOLE(first_row(ROWS, &row), REFUSAL_NOT_LOOKED);
	CHECK(!reading_watch(&reading, "203.0.113.1/24", &e));
	CHECK(!reading_watch(&reading, "", &e));
}

/* Of a file with these bytes, read to its end with the options of `reading`. */
static uint64_t epoch_of(const char *text)
{
	struct digest d;
	struct intake *in;
	struct row_read row;
	struct err e;
	bool wrong;
	uint8_t out[DIGEST_BYTES];
	struct source *s = open_text(text, strlen(text), &in, &wrong, &e);

	CHECK(s != NULL);
	while (source_next(s, &row, &e) == SOURCE_ROW)
		;
	digest_begin(&d);
	source_digest(s, &d);
	digest_end(&d, out);
	close_both(s, in);
	return digest_u64(out);
}

TEST(source_makes_another_epoch_of_options_that_a_row_heeds_and_only_of_those)
{
	static const char zoned_row[] = "time,src,proto,dport,dst,sensor\n2024-03-17T00:00:54Z,198.51.100.7,udp,53,192.0.2.1,a\n";
	static const char zoned_line[] = "2024-03-17T00:00:54+09:00 gate kernel: IN=e OUT= SRC=198.51.100.7 DST=192.0.2.1 LEN=99 "
		"PROTO=UDP SPT=1 DPT=2 LEN=79 \n";
	static const char no_proto[] = "time,src,dport\n1710633654,198.51.100.7,53\n";
	struct zone tokyo;
	struct err e;

	CHECK_OK(zone_load(&tokyo, "Asia/Tokyo", &e));
	reading = (struct reading){ .zone = &utc, .sensor = "s", .year = 2023, .proto = 6 };
	uint64_t rows = epoch_of(ROWS), line = epoch_of(LINE), zoned = epoch_of(zoned_row), iso = epoch_of(zoned_line), bare = epoch_of(no_proto);
	CHECK(rows != line);
	reading.year = 2024;
	CHECK(epoch_of(LINE) != line && epoch_of(ROWS) == rows && epoch_of(zoned_line) == iso);
	reading.year = 2023;
	reading.proto = 17;
	CHECK(epoch_of(no_proto) != bare && epoch_of(ROWS) == rows);
	reading.proto = 6;
	(void)snprintf(reading.sensor, sizeof reading.sensor, "t");
	CHECK(epoch_of(ROWS) != rows && epoch_of(zoned_line) != iso && epoch_of(zoned_row) == zoned);
	(void)snprintf(reading.sensor, sizeof reading.sensor, "s");
	reading.looked.until = 40000000;
	CHECK(epoch_of(zoned_row) != zoned);
	reading.looked.until = 0;
	struct zone kept = utc;
	utc = tokyo;
	CHECK(epoch_of(ROWS) != rows && epoch_of(LINE) != line && epoch_of(zoned_row) == zoned && epoch_of(zoned_line) == iso);
	utc = kept;
	zone_release(&tokyo);
}

TEST(source_takes_the_watched_networks_in_whatever_order_they_are_named)
{
	struct err e;

	reading = (struct reading){ .zone = &utc, .sensor = "s" };
	CHECK_OK(reading_watch(&reading, "192.0.2.0/24,198.51.100.0/24,2001:db8::/32", &e));
	uint64_t one = epoch_of(ROWS);
	reading.watched_len = 0;
	CHECK_OK(reading_watch(&reading, "2001:db8::/32,198.51.100.0/24,192.0.2.0/24,198.51.100.0/24", &e));
	CHECK_WHOLE(reading.watched_len, 3);
	CHECK(epoch_of(ROWS) == one);
	reading.watched_len = 0;
	CHECK_OK(reading_watch(&reading, "2001:db8::/32,192.0.2.0/24", &e));
	CHECK(epoch_of(ROWS) != one);
}

TEST(source_refuses_times_of_clocks_that_were_not_set)
{
	struct row_read row;

	reading = (struct reading){ .zone = &utc, .sensor = "s", .latest_s = 1710633654 };
	CHECK_WHOLE(first_row(ROWS, &row), REFUSAL_NONE);
	reading.latest_s--;
	CHECK_WHOLE(first_row(ROWS, &row), REFUSAL_TIME_RANGE);
	reading.latest_s = 0;
	CHECK_WHOLE(first_row("time,src,proto,dport\n0,198.51.100.7,udp,53\n", &row), REFUSAL_TIME_RANGE);
	CHECK_WHOLE(first_row("time,src,proto,dport\n631151999,198.51.100.7,udp,53\n", &row), REFUSAL_TIME_RANGE);
	CHECK_WHOLE(first_row("time,src,proto,dport\n631152000,198.51.100.7,udp,53\n", &row), REFUSAL_NONE);
}
