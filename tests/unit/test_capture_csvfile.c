/* csvfile: RFC 4180 and what people write in its name. */
#include "test.h"

#include "base/err.h"
#include "base/zone.h"
#include "capture/csvfile.h"
#include "capture/intake.h"
#include "capture/packet.h"
#include "core/tuple.h"

#include <stdlib.h>

struct table {
	struct zone utc;
	struct csv_map map;
	struct intake *in;
	struct csvfile *csv;
	struct err e;
	struct packet p;
	enum refusal why;
	const char *sensor;
	uint64_t line;
};

static bool open_table(struct table *t, const char *map, const char *text, unsigned proto)
{
	struct err e;

	*t = (struct table){ 0 };
	CHECK_OK(zone_load(&t->utc, "UTC", &e));
	if (map)
		CHECK_OK(csv_map_parse(&t->map, map, &e));
	t->in = intake_over(text, strlen(text));
	t->csv = csvfile_open(t->in, map ? &t->map : NULL, &t->utc, proto, &t->e);
	return t->csv != NULL;
}

static bool next(struct table *t)
{
	return csvfile_next(t->csv, &t->p, &t->why, &t->sensor, &t->line);
}

static void close_table(struct table *t)
{
	csvfile_close(t->csv);
	intake_close(t->in);
	zone_release(&t->utc);
}

TEST(csvfile_reads_columns_by_a_map)
{
	struct table t;

	CHECK(open_table(&t, "time=datetime,sensor=host,src=src,proto=proto,dport=dpt,sport=spt,type=type",
		"datetime,host,src,proto,type,spt,dpt\n2013-03-03 21:53:59,oregon,3325256199,TCP,,6000,1433\n"
		"2013-03-03 21:54:00,tokyo,3325256199,ICMP,8,,\n", 0));
	CHECK(next(&t));
	CHECK_WHOLE(t.why, REFUSAL_NONE);
	CHECK_TEXT(t.sensor, "oregon");
	CHECK_WHOLE(addr_to_v4(&t.p.src), 3325256199u);
	CHECK_WHOLE(t.p.dport, 1433);
	CHECK_WHOLE(t.p.sport, 6000);
	CHECK_WHOLE(t.p.proto, PROTO_TCP);
	CHECK_WHOLE(t.p.known, PACKET_STATED);
	CHECK(next(&t));
	CHECK_WHOLE(t.why, REFUSAL_NONE);
	CHECK_WHOLE(t.p.icmp_type, 8);
	CHECK_WHOLE(t.line, 3);
	CHECK(!next(&t));
	close_table(&t);
}

TEST(csvfile_reads_quotes_line_breaks_and_a_byte_order_mark)
{
	struct table t;

	CHECK(open_table(&t, NULL, "\xef\xbb\xbftime,\"note\",src,proto,dport\r\n"
		"2013-03-03 21:53:59,\"a \"\"b\"\", c\r\nd\",198.51.100.7,udp,23.0\r\n\r\n"
		"2013-03-03 21:53:59,\"\",\"::ffff:198.51.100.7\",17,\"53\"\r\n", 0));
	CHECK(next(&t));
	CHECK_WHOLE(t.why, REFUSAL_NONE);
	CHECK_WHOLE(t.p.dport, 23);
	CHECK_WHOLE(t.line, 2);
	CHECK(next(&t));
	CHECK_WHOLE(t.why, REFUSAL_NONE);
	CHECK_WHOLE(t.line, 5);
	CHECK_WHOLE(t.p.dport, 53);
	CHECK(addr_is_v4(&t.p.src));
	CHECK(!next(&t));
	close_table(&t);
}

TEST(csvfile_says_why_a_row_does_not_count)
{
	static const struct { enum refusal why; const char *row; } rows[] = {
		{ REFUSAL_NONE, "1362347639,198.51.100.7,192.0.2.1,tcp,23,4000,,,S,3,120,50" },
		{ REFUSAL_NONE, "1362347639,2001:db8::1,::,udp,23,,,,,,," },
		{ REFUSAL_COLUMNS, "1362347639,198.51.100.7,192.0.2.1,tcp,23" },
		{ REFUSAL_COLUMNS, "1362347639,198.51.100.7,192.0.2.1,tcp,23,4000,,,S,3,120,50,9" },
		{ REFUSAL_BAD_TIME, ",198.51.100.7,192.0.2.1,tcp,23,4000,,,S,3,120,50" },
		{ REFUSAL_BAD_SOURCE, "1362347639,,192.0.2.1,tcp,23,4000,,,S,3,120,50" },
		{ REFUSAL_BAD_SOURCE, "1362347639,::,192.0.2.1,tcp,23,4000,,,S,3,120,50" },
		{ REFUSAL_BAD_SOURCE, "1362347639,4294967296,192.0.2.1,tcp,23,4000,,,S,3,120,50" },
		{ REFUSAL_BAD_DESTINATION, "1362347639,198.51.100.7,host,tcp,23,4000,,,S,3,120,50" },
		{ REFUSAL_NO_PROTO, "1362347639,198.51.100.7,192.0.2.1,,23,4000,,,S,3,120,50" },
		{ REFUSAL_PROTO, "1362347639,198.51.100.7,192.0.2.1,gre,23,4000,,,S,3,120,50" },
		{ REFUSAL_NO_PORT, "1362347639,198.51.100.7,192.0.2.1,tcp,,4000,,,S,3,120,50" },
		{ REFUSAL_BAD_PORT, "1362347639,198.51.100.7,192.0.2.1,tcp,65536,4000,,,S,3,120,50" },
		{ REFUSAL_BAD_PORT, "1362347639,198.51.100.7,192.0.2.1,tcp,23.5,4000,,,S,3,120,50" },
		{ REFUSAL_NO_TYPE, "1362347639,198.51.100.7,192.0.2.1,icmp,23,4000,,,S,3,120,50" },
		{ REFUSAL_BAD_FIELD, "1362347639,198.51.100.7,192.0.2.1,icmp,,,8,256,,,," },
		{ REFUSAL_BAD_FIELD, "1362347639,198.51.100.7,192.0.2.1,tcp,23,4000,,,X,3,120,50" },
		{ REFUSAL_BAD_FIELD, "1362347639,198.51.100.7,192.0.2.1,tcp,23,4000,,,S,0,120,50" },
	};
	static const char header[] = "time,src,dst,proto,dport,sport,type,code,flags,packets,bytes,ttl\n";
	struct table t;
	char text[400];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		(void)snprintf(text, sizeof text, "%s%s\n", header, rows[i].row);
		CHECK(open_table(&t, NULL, text, 0));
		CHECK(next(&t));
		CHECK_WHOLE(t.why, rows[i].why);
		CHECK_WHOLE(t.line, 2);
		CHECK(!next(&t));
		close_table(&t);
	}
}

TEST(csvfile_reads_counts_and_flags_in_their_several_writings)
{
	static const struct { const char *flags; unsigned bits; } writings[] = {
		{ "S", TCP_SYN }, { "SA", TCP_SYN | TCP_ACK }, { "S.", TCP_SYN | TCP_ACK }, { "18", TCP_SYN | TCP_ACK },
		{ "0x04", TCP_RST }, { "fpu", TCP_FIN | TCP_PSH | TCP_URG },
	};
	struct table t;
	char text[200];

	for (size_t i = 0; i < sizeof writings / sizeof *writings; i++) {
		(void)snprintf(text, sizeof text, "time,src,proto,dport,flags,packets,bytes\n1362347639,198.51.100.7,6,23,%s,7,280\n",
			writings[i].flags);
		CHECK(open_table(&t, NULL, text, 0));
		CHECK(next(&t));
		CHECK_WHOLE(t.why, REFUSAL_NONE);
		CHECK_WHOLE(t.p.flags, writings[i].bits);
		CHECK_WHOLE(t.p.packets, 7);
		CHECK_WHOLE(t.p.bytes, 280);
		close_table(&t);
	}
}

TEST(csvfile_takes_the_protocol_that_rows_do_not_say)
{
	struct table t;

	CHECK(open_table(&t, NULL, "time,src,dport\n1362347639,198.51.100.7,23\n", PROTO_TCP));
	CHECK(next(&t));
	CHECK_WHOLE(t.why, REFUSAL_NONE);
	CHECK_WHOLE(t.p.proto, PROTO_TCP);
	close_table(&t);
}

TEST(csvfile_refuses_a_header_that_does_not_fit_the_map)
{
	struct table t;

	CHECK(!open_table(&t, "time=datetime,src=ip", "when,ip\n", 0));
	CHECK_TEXT(t.e.what, "no column named \"datetime\" in the header");
	close_table(&t);
	CHECK(!open_table(&t, "time=when", "when,ip\n", 0));
	close_table(&t);
	CHECK(!open_table(&t, NULL, "", 0));
	close_table(&t);
}

TEST(csvfile_refuses_maps_that_name_no_field)
{
	static const char *const wrong[] = { "time", "=x", "when=x", "time=", "time=a,time=b" };
	struct csv_map m;
	struct err e;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CHECK(!csv_map_parse(&m, wrong[i], &e));
}

TEST(csvfile_bounds_a_record_whose_quote_never_closes)
{
	static const char head[] = "time,src,proto,dport\n1,\"", row[] = "1362347639,198.51.100.7,tcp,23\n";
	size_t rows = 3000, len = sizeof head - 1 + rows * (sizeof row - 1);
	char *text = calloc(len + 1, 1);
	size_t counted = 0, refused = 0;
	struct table t;

	memcpy(text, head, sizeof head - 1);
	for (size_t i = 0; i < rows; i++)
		memcpy(text + sizeof head - 1 + i * (sizeof row - 1), row, sizeof row - 1);
	CHECK(open_table(&t, NULL, text, 0));
	while (next(&t)) {
		counted += t.why == REFUSAL_NONE;
		refused += t.why == REFUSAL_TOO_LONG;
	}
	CHECK_WHOLE(refused, 1);
	CHECK(counted > 0);
	close_table(&t);
	free(text);
}
