/* relations and flows: what packets tell together. */
#include "test.h"

#include "capture/flows.h"
#include "capture/packet.h"
#include "capture/relations.h"
#include "core/tuple.h"

static const uint32_t US = 0xc6120001, THEM = 0xcb007107;

static struct packet syn(uint32_t src, uint32_t dst, uint16_t dport, uint32_t seq)
{
	struct packet p = { .time_s = 1000000000, .src = addr_v4(src), .dst = addr_v4(dst), .proto = PROTO_TCP, .flags = TCP_SYN, .sport = 40000,
		.dport = dport, .seq = seq, .window = 1024, .tcp_header = 24, .packets = 1,
		.known = PACKET_DST | PACKET_FLAGS | PACKET_SEQ | PACKET_WINDOW };

	packet_tell(&p);
	return p;
}

static unsigned mark_of_second(struct packet first, struct packet second)
{
	struct packet both[2] = { first, second };
	struct relations *r = relations_open();

	relations_note(r, both, 2);
	relations_close(r);
	CHECK_WHOLE(both[0].mark, 0);
	return both[1].mark;
}

TEST(relations_tell_nmap_by_halves_that_are_equal)
{
	struct packet other = syn(THEM, US, 81, 0x12345678 ^ 0x00030003);

	CHECK_WHOLE(mark_of_second(syn(THEM, US, 80, 0x12345678), other), MARK_NMAP);
	CHECK_WHOLE(mark_of_second(syn(THEM, US, 80, 0x12345678), syn(THEM, US, 81, 0x12345678)), MARK_NMAP);
	/* a retry, another source, another difference, another shape */
	CHECK_WHOLE(mark_of_second(syn(THEM, US, 80, 0x12345678), syn(THEM, US, 80, 0x12345678)), 0);
	CHECK_WHOLE(mark_of_second(syn(THEM + 1, US, 80, 0x12345678), other), 0);
	CHECK_WHOLE(mark_of_second(syn(THEM, US, 80, 0x12345678), syn(THEM, US, 81, 0x12345678 ^ 0x00030004)), 0);
	other.window = 64240;
	CHECK_WHOLE(mark_of_second(syn(THEM, US, 80, 0x12345678), other), 0);
	other.window = 1024;
	other.tcp_header = 40;
	CHECK_WHOLE(mark_of_second(syn(THEM, US, 80, 0x12345678), other), 0);
}

TEST(relations_tell_unicornscan_in_both_byte_orders)
{
	uint32_t key = 0xdeadbeef, ports80 = 80u << 16 | 40000, ports81 = 81u << 16 | 40000;
	uint32_t far = __builtin_bswap32(US), next = __builtin_bswap32(US + 1);

	CHECK_WHOLE(mark_of_second(syn(THEM, US, 80, key ^ US ^ ports80), syn(THEM, US + 1, 81, key ^ (US + 1) ^ ports81)), MARK_UNICORN);
	CHECK_WHOLE(mark_of_second(syn(THEM, US, 80, key ^ far ^ ports80), syn(THEM, US + 1, 81, key ^ next ^ ports81)), MARK_UNICORN);
	CHECK_WHOLE(mark_of_second(syn(THEM, US, 80, key), syn(THEM, US + 1, 81, key ^ 0x1234)), 0);
}

TEST(relations_leave_alone_what_one_packet_tells)
{
	struct packet both[2] = { syn(THEM, US, 23, US), syn(THEM, US, 2323, US) };
	struct relations *r = relations_open();

	relations_note(r, both, 2);
	CHECK_WHOLE(both[0].mark, MARK_MIRAI);
	CHECK_WHOLE(both[1].mark, MARK_MIRAI);
	relations_close(r);
}

static struct packet packet(unsigned proto, unsigned flags, bool sent, uint16_t ours, uint16_t theirs, int64_t at)
{
	struct packet p = { .time_s = at, .src = addr_v4(sent ? US : THEM), .dst = addr_v4(sent ? THEM : US), .proto = (uint8_t)proto,
		.flags = (uint8_t)flags, .sport = sent ? ours : theirs, .dport = sent ? theirs : ours, .packets = 1,
		.known = PACKET_DST | PACKET_FLAGS };

	packet_tell(&p);
	return p;
}

TEST(flows_tell_answers_from_knocks)
{
	struct flows *f = flows_open();
	struct packet ask = packet(PROTO_TCP, TCP_SYN, true, 50000, 443, 100), answer = packet(PROTO_TCP, TCP_SYN | TCP_ACK, false, 50000, 443, 101);
	struct packet knock = packet(PROTO_TCP, TCP_SYN, false, 22, 60000, 102), reply = packet(PROTO_TCP, TCP_SYN | TCP_ACK, true, 22, 60000, 102);
	struct packet more = packet(PROTO_TCP, TCP_ACK, false, 22, 60000, 103), late = packet(PROTO_TCP, TCP_ACK, false, 50000, 443, 7600);
	struct packet query = packet(PROTO_UDP, 0, true, 50001, 53, 104), result = packet(PROTO_UDP, 0, false, 50001, 53, 105);
	struct packet probe = packet(PROTO_UDP, 0, false, 161, 60001, 106), told = packet(PROTO_UDP, 0, true, 161, 60001, 106);

	CHECK(!flows_answered(f, &answer));             /* nothing was asked */
	flows_sent(f, &ask);
	CHECK(flows_answered(f, &answer));
	CHECK(!flows_answered(f, &late));               /* more than two hours later */
	CHECK(!flows_answered(f, &knock));
	flows_sent(f, &reply);                          /* what we say to a knock opens nothing */
	CHECK(!flows_answered(f, &more));
	flows_sent(f, &query);
	CHECK(flows_answered(f, &result));
	CHECK(!flows_answered(f, &probe));
	flows_sent(f, &told);
	CHECK(!flows_answered(f, &probe));
	flows_close(f);
}

TEST(flows_of_ours_outlast_a_flood_and_end_with_silence)
{
	struct flows *f = flows_open();
	struct packet ask = packet(PROTO_UDP, 0, true, 50000, 123, 100), answer = packet(PROTO_UDP, 0, false, 50000, 123, 200);

	flows_sent(f, &ask);
	for (unsigned i = 0; i < 200000; i++) {
		struct packet p = packet(PROTO_UDP, 0, false, (uint16_t)i, (uint16_t)(i >> 8 | 1024), 101);

		p.src = addr_v4(THEM + 1 + i);
		CHECK(!flows_answered(f, &p));
	}
	CHECK(flows_answered(f, &answer));
	answer.time_s = 490;                            /* counted from the last packet */
	CHECK(flows_answered(f, &answer));
	answer.time_s = 791;
	CHECK(!flows_answered(f, &answer));
	answer.time_s = 792;                            /* it began anew, by them */
	CHECK(!flows_answered(f, &answer));
	ask.time_s = 793;
	flows_sent(f, &ask);
	answer.time_s = 794;
	CHECK(!flows_answered(f, &answer));
	flows_close(f);
}

/* Who asks us and is answered asks again: a request, also when it came before we had sent anything. */
TEST(flows_know_who_asked_first)
{
	enum { CLIENTS = 20000 };
	struct flows *f = flows_open();
	unsigned wrong = 0;

	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < CLIENTS; i++) {
			struct packet asks = packet(PROTO_UDP, 0, false, 53, (uint16_t)(1024 + i % 60000), 100 + round), told = packet(PROTO_UDP, 0, true, 53, 0, 100 + round);

			asks.src = told.dst = addr_v4(THEM + i);
			told.dport = asks.sport;
			wrong += flows_answered(f, &asks);
			flows_sent(f, &told);
		}
	CHECK(wrong <= CLIENTS / 100);
	flows_close(f);
}

TEST(flows_of_a_busy_host_are_remembered)
{
	enum { CONNECTIONS = 20000 };
	struct flows *f = flows_open();
	unsigned missed = 0;

	for (unsigned i = 0; i < CONNECTIONS; i++) {
		struct packet ask = packet(PROTO_TCP, TCP_SYN, true, (uint16_t)(20000 + i % 40000), 443, 100);

		ask.dst = addr_v4(THEM + i * 7);
		flows_sent(f, &ask);
	}
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		struct packet answer = packet(PROTO_TCP, TCP_SYN | TCP_ACK, false, (uint16_t)(20000 + i % 40000), 443, 110);

		answer.src = addr_v4(THEM + i * 7);
		missed += !flows_answered(f, &answer);
	}
	CHECK(missed <= CONNECTIONS / 50);
	flows_close(f);
}
