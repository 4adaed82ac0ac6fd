/* decode: frames made here byte by byte, read back; every truncation and random bytes are refused, never misread. */
#include "test.h"

#include "capture/decode.h"
#include "capture/packet.h"
#include "core/tuple.h"

enum { FRAME_MAX = 256 };

struct made { uint8_t b[FRAME_MAX]; size_t len; };

static void put8(struct made *m, unsigned v)
{
	m->b[m->len++] = (uint8_t)v;
}

static void put16(struct made *m, unsigned v)
{
	put8(m, v >> 8);
	put8(m, v & 255);
}

static void put32(struct made *m, uint32_t v)
{
	put16(m, v >> 16);
	put16(m, v & 0xffff);
}

static void fill(struct made *m, unsigned v, size_t n)
{
	while (n-- > 0)
		put8(m, v);
}

static void ethernet(struct made *m, unsigned type)
{
	fill(m, 2, 12);
	put16(m, type);
}

/* From 198.51.100.7 to 192.0.2.1; options: bytes behind the fixed header; payload: what total length counts. */
static void ipv4(struct made *m, unsigned proto, unsigned options, unsigned fragment, unsigned payload)
{
	put8(m, 0x40 | (5 + options / 4));
	put8(m, 0);
	put16(m, 20 + options + payload);
	put16(m, 54321);
	put16(m, fragment);
	put8(m, 243);
	put8(m, proto);
	put16(m, 0);
	put32(m, 0xc6336407);
	put32(m, 0xc0000201);
	fill(m, 1, options);
}

static void tcp(struct made *m, unsigned flags)
{
	put16(m, 40000);
	put16(m, 23);
	put32(m, 0xc0000201);
	put32(m, 0);
	put8(m, 0x50);
	put8(m, flags);
	put16(m, 65535);
	put32(m, 0);
}

static void udp(struct made *m)
{
	put16(m, 5060);
	put16(m, 53);
	put32(m, 0);
}

static void ipv6(struct made *m, unsigned next, unsigned payload)
{
	put32(m, 0x60000000);
	put16(m, payload);
	put8(m, next);
	put8(m, 57);
	put32(m, 0x20010db8);
	fill(m, 0, 11);
	put8(m, 9);
	put32(m, 0x20010db8);
	fill(m, 0, 11);
	put8(m, 1);
}

static enum refusal decode(unsigned link, const struct made *m, struct packet *p)
{
	return decode_frame(link, m->b, m->len, p);
}

TEST(decode_reads_a_syn_under_ethernet_and_takes_its_size_from_ip)
{
	struct made m = { 0 };
	struct packet p;

	ethernet(&m, 0x0800);
	ipv4(&m, PROTO_TCP, 0, 0, 20);
	tcp(&m, TCP_SYN);
	fill(&m, 0, 6);                         /* Ethernet pads to 60 */
	CHECK_WHOLE(decode(LINK_ETHERNET, &m, &p), REFUSAL_NONE);
	CHECK_WHOLE(p.bytes, 40);
	CHECK_WHOLE(p.sport, 40000);
	CHECK_WHOLE(p.dport, 23);
	CHECK_WHOLE(p.flags, TCP_SYN);
	CHECK_WHOLE(p.ttl, 243);
	CHECK_WHOLE(p.ip_id, 54321);
	CHECK_WHOLE(p.window, 65535);
	CHECK_WHOLE(p.seq, 0xc0000201);
	CHECK_WHOLE(addr_to_v4(&p.src), 0xc6336407);
	CHECK_WHOLE(addr_to_v4(&p.dst), 0xc0000201);
}

TEST(decode_passes_stacked_vlan_tags)
{
	struct made m = { 0 };
	struct packet p;

	ethernet(&m, 0x88a8);
	put16(&m, 100);
	put16(&m, 0x8100);
	put16(&m, 7);
	put16(&m, 0x0800);
	ipv4(&m, PROTO_UDP, 0, 0, 8);
	udp(&m);
	CHECK_WHOLE(decode(LINK_ETHERNET, &m, &p), REFUSAL_NONE);
	CHECK_WHOLE(p.dport, 53);
	CHECK_WHOLE(p.sport, 5060);
}

TEST(decode_reads_every_link_type_it_knows)
{
	struct packet p;

	for (unsigned link = 0; link < 300; link++) {
		struct made m = { 0 };

		if (!decode_knows(link))
			continue;
		switch (link) {
		case LINK_ETHERNET: ethernet(&m, 0x0800); break;
		case LINK_LINUX_SLL: fill(&m, 0, 14); put16(&m, 0x0800); break;
		case LINK_LINUX_SLL2: put16(&m, 0x0800); fill(&m, 0, 18); break;
		case LINK_NULL: put32(&m, 0x02000000); break;           /* little-endian AF_INET */
		case LINK_LOOP: put32(&m, 2); break;
		case LINK_PPP: case LINK_PPP_HDLC: put16(&m, 0xff03); put16(&m, 0x0021); break;
		case LINK_PPP_ETHER: put32(&m, 0x11000001); put16(&m, 30); put16(&m, 0x0021); break;
		default: break;
		}
		ipv4(&m, PROTO_UDP, 0, 0, 8);
		udp(&m);
		CHECK_WHOLE(decode(link, &m, &p), REFUSAL_NONE);
		CHECK_WHOLE(p.dport, 53);
		CHECK(link_name(link) != NULL);
	}
}

TEST(decode_reads_ipv6_in_pppoe_and_802_3_with_snap)
{
	struct made m = { 0 }, n = { 0 };
	struct packet p;

	ethernet(&m, 0x8864);
	put32(&m, 0x11000001);
	put16(&m, 50);
	put16(&m, 0x0057);
	ipv6(&m, PROTO_UDP, 8);
	udp(&m);
	CHECK_WHOLE(decode(LINK_ETHERNET, &m, &p), REFUSAL_NONE);
	CHECK_WHOLE(p.bytes, 48);
	ethernet(&n, 36);
	put32(&n, 0xaaaa0300);
	put32(&n, 0x00000800);
	ipv4(&n, PROTO_UDP, 0, 0, 8);
	udp(&n);
	CHECK_WHOLE(decode(LINK_ETHERNET, &n, &p), REFUSAL_NONE);
	CHECK_WHOLE(p.sport, 5060);
}

TEST(decode_passes_ipv4_options)
{
	struct made m = { 0 };
	struct packet p;

	ipv4(&m, PROTO_TCP, 40, 0, 20);
	tcp(&m, TCP_SYN | TCP_ACK);
	CHECK_WHOLE(decode_ip(m.b, m.len, &p), REFUSAL_NONE);
	CHECK_WHOLE(p.flags, TCP_SYN | TCP_ACK);
	CHECK_WHOLE(p.bytes, 80);
}

TEST(decode_walks_ipv6_extension_headers)
{
	struct made m = { 0 };
	struct packet p;

	ipv6(&m, 0, 8 + 16 + 8 + 12 + 20);
	put8(&m, 60), put8(&m, 0), fill(&m, 1, 6);                      /* hop by hop */
	put8(&m, 44), put8(&m, 1), fill(&m, 1, 14);                     /* destination options of 16 */
	put8(&m, 51), put8(&m, 0), put16(&m, 1), put32(&m, 99);         /* first fragment, more follow */
	put8(&m, PROTO_TCP), put8(&m, 1), fill(&m, 0, 10);              /* authentication of 12 */
	tcp(&m, TCP_SYN);
	CHECK_WHOLE(decode_ip(m.b, m.len, &p), REFUSAL_NONE);
	CHECK_WHOLE(p.proto, PROTO_TCP);
	CHECK_WHOLE(p.dport, 23);
	CHECK_WHOLE(p.ttl, 57);
	CHECK_WHOLE(p.known & PACKET_IP_ID, 0);
}

TEST(decode_refuses_later_fragments_and_counts_first_ones)
{
	struct made first = { 0 }, later = { 0 }, six = { 0 };
	struct packet p;

	ipv4(&first, PROTO_UDP, 0, 0x2000, 8);
	udp(&first);
	CHECK_WHOLE(decode_ip(first.b, first.len, &p), REFUSAL_NONE);
	ipv4(&later, PROTO_UDP, 0, 185, 8);
	udp(&later);
	CHECK_WHOLE(decode_ip(later.b, later.len, &p), REFUSAL_FRAGMENT);
	ipv6(&six, 44, 16);
	put8(&six, PROTO_UDP), put8(&six, 0), put16(&six, 185 << 3), put32(&six, 1);
	udp(&six);
	CHECK_WHOLE(decode_ip(six.b, six.len, &p), REFUSAL_FRAGMENT);
}

TEST(decode_says_why_a_frame_is_no_packet_of_ours)
{
	struct made arp = { 0 }, igmp = { 0 }, header = { 0 }, total = { 0 }, icmp_in_6 = { 0 }, endless = { 0 }, mapped = { 0 };
	struct packet p;

	ethernet(&arp, 0x0806);
	fill(&arp, 0, 46);
	CHECK_WHOLE(decode(LINK_ETHERNET, &arp, &p), REFUSAL_NOT_IP);
	ipv4(&igmp, 2, 0, 0, 8);
	fill(&igmp, 0, 8);
	CHECK_WHOLE(decode_ip(igmp.b, igmp.len, &p), REFUSAL_PROTO);
	ipv4(&header, PROTO_TCP, 0, 0, 20);
	tcp(&header, TCP_SYN);
	header.b[0] = 0x44;
	CHECK_WHOLE(decode_ip(header.b, header.len, &p), REFUSAL_IP_HEADER);
	ipv4(&total, PROTO_TCP, 0, 0, 20);
	tcp(&total, TCP_SYN);
	total.b[2] = 0, total.b[3] = 19;
	CHECK_WHOLE(decode_ip(total.b, total.len, &p), REFUSAL_IP_HEADER);
	total.b[3] = 30;                        /* bytes that the length disowns are not read */
	CHECK_WHOLE(decode_ip(total.b, total.len, &p), REFUSAL_CUT);
	ipv6(&icmp_in_6, PROTO_ICMP, 8);
	fill(&icmp_in_6, 8, 8);
	CHECK_WHOLE(decode_ip(icmp_in_6.b, icmp_in_6.len, &p), REFUSAL_PROTO);
	ipv6(&endless, 60, 20 * 8);
	for (int i = 0; i < 20; i++)
		put8(&endless, 60), put8(&endless, 0), fill(&endless, 0, 6);
	CHECK_WHOLE(decode_ip(endless.b, endless.len, &p), REFUSAL_IP_HEADER);
	ipv6(&mapped, PROTO_UDP, 8);
	udp(&mapped);
	memcpy(mapped.b + 8, "\0\0\0\0\0\0\0\0\0\0\xff\xff\1\2\3\4", 16);
	CHECK_WHOLE(decode_ip(mapped.b, mapped.len, &p), REFUSAL_IP_HEADER);
}

TEST(decode_refuses_every_truncation_before_what_it_needs)
{
	struct made m = { 0 };
	struct packet p;

	ethernet(&m, 0x8100);
	put16(&m, 1);
	put16(&m, 0x0800);
	ipv4(&m, PROTO_TCP, 8, 0, 20);
	tcp(&m, TCP_SYN);
	for (size_t n = 0; n <= m.len; n++) {
		uint8_t exact[FRAME_MAX];
		enum refusal r;

		memcpy(exact, m.b, n);
		r = decode_frame(LINK_ETHERNET, exact, n, &p);
		CHECK_WHOLE(r == REFUSAL_NONE, n >= m.len - 6);         /* up to the flags */
		if (r == REFUSAL_NONE)
			CHECK_WHOLE((p.known & PACKET_WINDOW) != 0, n >= m.len - 4);
	}
}

TEST(decode_survives_random_bytes)
{
	uint64_t seed = 7;
	struct packet p;

	for (int i = 0; i < 200000; i++) {
		uint8_t bytes[80];
		size_t n = test_random(&seed) % sizeof bytes;
		unsigned link = (unsigned)(test_random(&seed) % 300);

		for (size_t k = 0; k < n; k++)
			bytes[k] = (uint8_t)test_random(&seed);
		if (n > 14 && i % 2)
			memcpy(bytes + 12, "\x08\x00\x45", 3);
		if (decode_knows(link))
			CHECK(decode_frame(link, bytes, n, &p) < REFUSALS);
	}
}

/* Two ways lead to a packet: the short one for what nearly all frames look like, and the reader's, here taken by means of a
 * VLAN tag. They must not differ by a bit. */
TEST(decode_says_the_same_the_short_way_and_the_long_way)
{
	static const uint8_t protos[] = { PROTO_TCP, PROTO_UDP, PROTO_ICMP, 47 };
	uint64_t seed = 11;
	size_t plain = 0;

	for (int i = 0; i < 100000; i++) {
		uint8_t frame[80], tagged[84];
		struct packet a = { 0 }, b = { 0 };
		size_t n = 34 + test_random(&seed) % 40;

		for (size_t k = 0; k < sizeof frame; k++)
			frame[k] = (uint8_t)test_random(&seed);
		memcpy(frame + 12, "\x08\x00\x45", 3);
		frame[16] = 0;
		frame[17] &= 0x7f;
		frame[20] &= test_random(&seed) % 4 ? 0x40 : 0xff;
		frame[21] &= test_random(&seed) % 4 ? 0 : 0xff;
		frame[23] = protos[test_random(&seed) % 4];
		memcpy(tagged, frame, 12);
		memcpy(tagged + 12, "\x81\x00\x00\x07", 4);
		memcpy(tagged + 16, frame + 12, n - 12);
		enum refusal short_way = decode_frame(LINK_ETHERNET, frame, n, &a), long_way = decode_frame(LINK_ETHERNET, tagged, n + 4, &b);
		CHECK_WHOLE(short_way, long_way);
		if (short_way)
			continue;
		CHECK_WHOLE(a.quoted_len, b.quoted_len);
		a.quoted = b.quoted = NULL;
		CHECK(!memcmp(&a, &b, sizeof a));
		plain += n >= 54 && a.proto != PROTO_ICMP;
	}
	CHECK(plain > 1000);
}
