/* packet: what tuple counts a packet: its kind, its port, and the marks that one packet can bear. */
#include "test.h"

#include "capture/packet.h"
#include "core/tuple.h"

static struct packet syn(void)
{
	return (struct packet){ .time_s = 61, .src = addr_v4(0xc6336407), .dst = addr_v4(0xc0000201), .proto = PROTO_TCP,
		.flags = TCP_SYN, .sport = 40000, .dport = 23, .packets = 1, .bytes = 40, .ttl = 50,
		.known = PACKET_DST | PACKET_FLAGS | PACKET_SEQ | PACKET_IP_ID | PACKET_WINDOW };
}

TEST(packet_counts_a_syn_under_its_destination_port)
{
	struct packet p = syn();

	packet_tell(&p);
	CHECK_WHOLE(p.time_s / 60, 1);
	CHECK_WHOLE(p.kind, KIND_SCAN);
	CHECK_WHOLE(p.port, 23);
	CHECK_WHOLE(p.sport, 40000);
	CHECK_WHOLE((p.known & PACKET_DST), 1);
	CHECK_WHOLE(p.mark, 0);
}

TEST(packet_counts_backscatter_under_its_source_port)
{
	struct packet p = syn();

	p.flags = TCP_SYN | TCP_ACK;
	packet_tell(&p);
	CHECK_WHOLE(p.kind, KIND_BACKSCATTER);
	CHECK_WHOLE(p.port, 40000);
	p.proto = PROTO_UDP;
	p.flags = 0;
	p.sport = 53;
	packet_tell(&p);
	CHECK_WHOLE(p.kind, KIND_BACKSCATTER);
	CHECK_WHOLE(p.port, 53);
}

TEST(packet_takes_a_record_at_its_word)
{
	struct packet p = syn();

	p.known = PACKET_STATED;
	p.flags = 0;
	packet_tell(&p);
	CHECK_WHOLE(p.kind, KIND_SCAN);
	CHECK_WHOLE((p.known & PACKET_DST), 0);
	p.proto = PROTO_UDP;
	p.sport = 53;
	packet_tell(&p);
	CHECK_WHOLE(p.kind, KIND_SCAN);
	CHECK_WHOLE(p.port, 23);
}

TEST(packet_counts_icmp_by_type_and_code)
{
	struct packet p = syn();

	p.proto = PROTO_ICMP;
	p.icmp_type = 3;
	p.icmp_code = 1;
	p.sport = p.dport = 0;
	packet_tell(&p);
	CHECK_WHOLE(p.port, 0x0301);
	CHECK_WHOLE(p.kind, KIND_ERROR);
}

TEST(packet_marks_what_zmap_masscan_and_mirai_send)
{
	struct packet zmap = syn(), masscan = syn(), mirai = syn(), answer = syn();

	zmap.ip_id = 54321;
	zmap.window = 65535;
	packet_tell(&zmap);
	CHECK_WHOLE(zmap.mark, MARK_ZMAP);
	zmap.window = 1024;             /* the id alone is in much sample code */
	packet_tell(&zmap);
	CHECK_WHOLE(zmap.mark, 0);
	masscan.seq = 0x12345678;
	masscan.ip_id = (uint16_t)(0xc0000201 ^ 23 ^ 0x12345678);
	packet_tell(&masscan);
	CHECK_WHOLE(masscan.mark, MARK_MASSCAN);
	mirai.seq = 0xc0000201;
	mirai.ip_id = 5;
	packet_tell(&mirai);
	CHECK_WHOLE(mirai.mark, MARK_MIRAI);
	answer.flags = TCP_SYN | TCP_ACK;
	answer.seq = 0xc0000201;
	packet_tell(&answer);
	CHECK_WHOLE(answer.mark, 0);
}

TEST(packet_marks_nothing_by_fields_that_it_does_not_know)
{
	struct packet p = syn();

	p.known = PACKET_FLAGS | PACKET_DST;    /* seq 0, id 0, destination 0.0.0.0 would all agree */
	p.dst = addr_v4(0);
	p.dport = 0;
	packet_tell(&p);
	CHECK_WHOLE(p.mark, 0);
}

TEST(packet_knows_which_times_are_kept)
{
	struct packet p = { .time_s = -1 };

	CHECK(!packet_in_time(&p));
	p.time_s = (int64_t)MINUTE_MAX * 60 - 1;
	CHECK(packet_in_time(&p));
	p.time_s++;
	CHECK(!packet_in_time(&p));
}
