/* logline: the lines of a Linux firewall, with the traps that real logs set. */
#include "test.h"

#include "base/err.h"
#include "base/zone.h"
#include "capture/logline.h"
#include "capture/packet.h"
#include "core/tuple.h"

#define TCP_LINE "Mar 17 00:00:54 gate kernel: [1.5] [UFW BLOCK] IN=eth0 OUT= MAC=52:54:00 SRC=198.51.100.7 DST=192.0.2.1 " \
	"LEN=44 TOS=0x00 PREC=0x00 TTL=38 ID=54321 DF PROTO=TCP SPT=14668 DPT=22470 WINDOW=1024 RES=0x00 SYN URGP=0 "

static struct zone utc;

static enum refusal at_2024(const char *text, struct packet *p, char host[SENSOR_NAME_MAX + 1])
{
	struct logclock clock = { .zone = &utc, .year = 2024 };
	struct err e;

	if (!utc.len)
		CHECK_OK(zone_load(&utc, "UTC", &e));
	return logline_read(&clock, text, p, host);
}

TEST(logline_reads_a_tcp_line)
{
	char host[SENSOR_NAME_MAX + 1];
	struct packet p;

	CHECK_WHOLE(at_2024(TCP_LINE, &p, host), REFUSAL_NONE);
	CHECK_TEXT(host, "gate");
	CHECK_WHOLE(p.time_s, 1710633654);
	CHECK_WHOLE(addr_to_v4(&p.src), 0xc6336407);
	CHECK_WHOLE(p.bytes, 44);
	CHECK_WHOLE(p.ttl, 38);
	CHECK_WHOLE(p.ip_id, 54321);
	CHECK_WHOLE(p.sport, 14668);
	CHECK_WHOLE(p.dport, 22470);
	CHECK_WHOLE(p.window, 1024);
	CHECK_WHOLE(p.flags, TCP_SYN);
	CHECK_WHOLE(p.known, PACKET_DST | PACKET_FLAGS | PACKET_IP_ID | PACKET_WINDOW);
}

TEST(logline_takes_the_first_of_two_fields_of_one_name)
{
	char host[SENSOR_NAME_MAX + 1];
	struct packet p;

	CHECK_WHOLE(at_2024("Mar 17 00:00:54 g kernel: IN=e OUT= MAC= SRC=198.51.100.7 DST=192.0.2.1 LEN=118 TTL=56 ID=21679 "
		"PROTO=UDP SPT=38979 DPT=8080 LEN=98", &p, host), REFUSAL_NONE);
	CHECK_WHOLE(p.bytes, 118);
	CHECK_WHOLE(at_2024("Mar 17 00:00:54 g kernel: IN=e OUT= MAC= SRC=198.51.100.7 DST=192.0.2.1 LEN=84 TTL=56 ID=7 "
		"PROTO=ICMP TYPE=8 CODE=0 ID=999 SEQ=3", &p, host), REFUSAL_NONE);
	CHECK_WHOLE(p.ip_id, 7);
	CHECK_WHOLE(p.icmp_type, 8);
	CHECK_WHOLE(p.known & PACKET_SEQ, 0);
	CHECK_WHOLE(at_2024("Mar 17 00:00:54 g kernel: IN=e OUT= SRC=198.51.100.7 DST=192.0.2.1 LEN=84 PROTO=ICMP TYPE=3 CODE=1 "
		"[SRC=192.0.2.1 DST=203.0.113.9 LEN=40 PROTO=TCP INCOMPLETE [8 bytes] ]", &p, host), REFUSAL_NONE);
	CHECK_WHOLE(p.proto, PROTO_ICMP);
	CHECK_WHOLE(addr_to_v4(&p.src), 0xc6336407);
}

TEST(logline_reads_ipv6_and_iso_times)
{
	char host[SENSOR_NAME_MAX + 1];
	struct packet p;

	CHECK_WHOLE(at_2024("<4>2024-03-17T09:00:54.123456+09:00 gate kernel: IN=eth0 OUT= SRC=2001:db8::9 DST=2001:db8::1 LEN=64 TC=0 "
		"HOPLIMIT=57 FLOWLBL=0 PROTO=ICMPv6 TYPE=128 CODE=0 ID=5 SEQ=1 ", &p, host), REFUSAL_NONE);
	CHECK_WHOLE(p.time_s, 1710633654);
	CHECK_WHOLE(p.proto, PROTO_ICMPV6);
	CHECK_WHOLE(p.ttl, 57);
	CHECK_TEXT(host, "gate");
}

TEST(logline_says_why_a_line_does_not_count)
{
	static const struct { enum refusal why; const char *text; } lines[] = {
		{ REFUSAL_NOT_FIREWALL, "Mar 17 00:00:54 gate sshd[5]: Invalid user admin from 198.51.100.7" },
		{ REFUSAL_NOT_FIREWALL, "" },
		{ REFUSAL_LINE_CUT, "Mar 17 00:00:54 gate kernel: [1.5] [UFW BLOCK] IN=eth0 OUT= MAC=52:54:00:7c:d" },
		{ REFUSAL_AUDIT, "Mar 17 00:00:54 g kernel: [UFW AUDIT] IN=e OUT= SRC=198.51.100.7 DST=192.0.2.1 PROTO=UDP SPT=1 DPT=2 LEN=9 " },
		{ REFUSAL_LEAVING, "Mar 17 00:00:54 g kernel: IN= OUT=e SRC=198.51.100.7 DST=192.0.2.1 PROTO=UDP SPT=1 DPT=2 LEN=9 " },
		{ REFUSAL_BAD_TIME, "Mar 32 00:00:54 g kernel: IN=e OUT= SRC=198.51.100.7 DST=192.0.2.1 PROTO=UDP SPT=1 DPT=2 LEN=9 " },
		{ REFUSAL_BAD_TIME, "IN=e OUT= SRC=198.51.100.7 DST=192.0.2.1 PROTO=UDP SPT=1 DPT=2 LEN=9 " },
		{ REFUSAL_BAD_SOURCE, "Mar 17 00:00:54 g kernel: IN=e OUT= SRC=198.51.100.700 DST=192.0.2.1 PROTO=UDP SPT=1 DPT=2 LEN=9 " },
		{ REFUSAL_PROTO, "Mar 17 00:00:54 g kernel: IN=e OUT= SRC=198.51.100.7 DST=192.0.2.1 PROTO=2 " },
		{ REFUSAL_FRAGMENT, "Mar 17 00:00:54 g kernel: IN=e OUT= SRC=198.51.100.7 DST=192.0.2.1 LEN=99 FRAG:185 PROTO=UDP " },
		{ REFUSAL_CUT, "Mar 17 00:00:54 g kernel: IN=e OUT= SRC=198.51.100.7 DST=192.0.2.1 PROTO=TCP INCOMPLETE [4 bytes] " },
		{ REFUSAL_LINE_CUT, "Mar 17 00:00:54 g kernel: IN=e OUT= SRC=198.51.100.7 DST=192.0.2.1 PROTO=UDP SPT=1 DPT=48" },
		{ REFUSAL_LINE_CUT, "Mar 17 00:00:54 g kernel: IN=e OUT= SRC=198.51.100.7 DST=192.0.2.1 PROTO=TCP SPT=1 DPT=48 WINDOW=1 RES=0x" },
	};
	char host[SENSOR_NAME_MAX + 1];
	struct packet p;

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		CHECK_WHOLE(at_2024(lines[i].text, &p, host), lines[i].why);
}

TEST(logline_counts_no_line_that_is_cut_before_its_flags)
{
	char host[SENSOR_NAME_MAX + 1], text[sizeof TCP_LINE];
	struct packet p;

	for (size_t n = 0; n < sizeof TCP_LINE; n++) {
		memcpy(text, TCP_LINE, n);
		text[n] = '\0';
		CHECK_WHOLE(at_2024(text, &p, host) == REFUSAL_NONE, n > (size_t)(strstr(TCP_LINE, "URGP=") - TCP_LINE) + 4);
	}
}

TEST(logline_rolls_the_year_over_new_year_and_back_for_a_straggler)
{
	static const struct { const char *month; int year; } lines[] = {
		{ "Nov 30", 2023 }, { "Dec 31", 2023 }, { "Jan  1", 2024 }, { "Dec 31", 2023 }, { "Jan  1", 2024 }, { "Jun 30", 2024 },
		{ "May  1", 2024 }, { "Dec 30", 2024 }, { "Aug  1", 2025 }, { "Feb  1", 2026 }, { "Oct  1", 2026 }, { "Jul  1", 2026 },
		{ "Mar  1", 2027 }, { "Dec 31", 2026 },
	};
	struct logclock clock = { .zone = &utc, .year = 2023 };
	char host[SENSOR_NAME_MAX + 1], text[200];
	struct packet p;
	struct err e;

	CHECK_OK(zone_load(&utc, "UTC", &e));
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		(void)snprintf(text, sizeof text, "%s 12:00:00 g kernel: IN=e OUT= SRC=198.51.100.7 DST=192.0.2.1 PROTO=UDP SPT=1 DPT=2 LEN=9 ",
			lines[i].month);
		CHECK_WHOLE(logline_read(&clock, text, &p, host), REFUSAL_NONE);
		CHECK_WHOLE(clock.year, lines[i].year);
	}
	clock = (struct logclock){ .zone = &utc };
	CHECK_WHOLE(logline_read(&clock, text, &p, host), REFUSAL_NO_YEAR);
}
