#include "capture/decode.h"

#include "base/bytes.h"
#include "capture/packet.h"
#include "core/tuple.h"

#include <assert.h>

enum {
	TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_VLAN = 0x8100, TYPE_QINQ = 0x88a8, TYPE_QINQ_OLD = 0x9100,
	TYPE_PPPOE = 0x8864, TYPE_LENGTH_MAX = 1500,
	PPP_IPV4 = 0x0021, PPP_IPV6 = 0x0057,
	ICMP_REST = 6,                  /* checksum and four bytes that mean something else for each type */
	SLL_OUTGOING = 4,               /* of a cooked header's packet type */
	EXTENSIONS_MAX = 16,            /* more headers than this is nonsense, and a way to make us work */
};

static const struct { unsigned link; bool read; const char *name; } links[] = {
	{ LINK_NULL, true, "BSD loopback" },
	{ LINK_ETHERNET, true, "Ethernet" },
	{ LINK_PPP, true, "PPP" },
	{ LINK_RAW_BSD, true, "raw IP" },
	{ LINK_RAW_OPENBSD, true, "raw IP" },
	{ LINK_PPP_HDLC, true, "PPP in HDLC" },
	{ LINK_PPP_ETHER, true, "PPPoE" },
	{ LINK_RAW, true, "raw IP" },
	{ LINK_LOOP, true, "OpenBSD loopback" },
	{ LINK_LINUX_SLL, true, "Linux cooked" },
	{ LINK_IPV4, true, "raw IPv4" },
	{ LINK_IPV6, true, "raw IPv6" },
	{ LINK_LINUX_SLL2, true, "Linux cooked 2" },
	{ 6, false, "token ring" },
	{ 8, false, "SLIP" },
	{ 100, false, "ATM" },
	{ 104, false, "Cisco HDLC" },
	{ 105, false, "IEEE 802.11" },
	{ 107, false, "frame relay" },
	{ 123, false, "SunATM" },
	{ 127, false, "IEEE 802.11 with radiotap" },
	{ 129, false, "ARCNET" },
	{ 187, false, "Bluetooth" },
	{ 189, false, "USB" },
	{ 195, false, "IEEE 802.15.4" },
	{ 197, false, "ERF" },
	{ 220, false, "USB" },
	{ 231, false, "D-Bus" },
	{ 239, false, "NFLOG" },
	{ 253, false, "netlink" },
	{ 258, false, "Apple PKTAP" },
	{ 284, false, "DSA" },
	{ 285, false, "EDSA" },
};
enum { LINKS = sizeof links / sizeof *links };

bool decode_knows(unsigned link)
{
	for (unsigned i = 0; i < LINKS; i++)
		if (links[i].link == link)
			return links[i].read;
	return false;
}

const char *link_name(unsigned link)
{
	for (unsigned i = 0; i < LINKS; i++)
		if (links[i].link == link)
			return links[i].name;
	return NULL;
}

/* Cuts what follows the IP packet (padding, or bytes that its length disowns). */
static void bound(struct reader *r, size_t len)
{
	if (reader_left(r) > len)
		r->end = r->at + len;
}

static enum refusal from_tcp(struct reader *r, struct packet *p)
{
	p->sport = read_u16be(r);
	p->dport = read_u16be(r);
	bool ports = r->ok;
	p->seq = read_u32be(r);
	(void)read_u32be(r);
	p->tcp_header = (uint8_t)(read_u8(r) >> 4 << 2);
	p->flags = read_u8(r);
	if (!r->ok) {
		p->known |= ports ? PACKET_PORTS : 0;
		return REFUSAL_CUT;
	}
	p->known |= PACKET_FLAGS | PACKET_SEQ;
	p->window = read_u16be(r);
	if (r->ok)                      /* a short snapshot may end here: what matters has been read */
		p->known |= PACKET_WINDOW;
	return REFUSAL_NONE;
}

static enum refusal from_transport(struct reader *r, struct packet *p)
{
	switch (p->proto) {
	case PROTO_TCP:
		return from_tcp(r, p);
	case PROTO_UDP:
		p->sport = read_u16be(r);
		p->dport = read_u16be(r);
		break;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		p->icmp_type = read_u8(r);
		p->icmp_code = read_u8(r);
		if (tuple_kind(p->proto, 0, 0, p->icmp_type) == KIND_ERROR && reader_left(r) > ICMP_REST) {
			p->quoted = r->at + ICMP_REST;
			p->quoted_len = (uint16_t)(reader_left(r) - ICMP_REST < UINT16_MAX ? reader_left(r) - ICMP_REST : UINT16_MAX);
		}
		break;
	default:
		return REFUSAL_PROTO;
	}
	return r->ok ? REFUSAL_NONE : REFUSAL_CUT;
}

static enum refusal from_ipv4(struct reader *r, struct packet *p)
{
	size_t header = (size_t)(read_u8(r) & 15) * 4;
	(void)read_u8(r);
	size_t total = read_u16be(r);
	p->ip_id = read_u16be(r);
	unsigned fragment = read_u16be(r);
	p->ttl = read_u8(r);
	p->proto = read_u8(r);
	(void)read_u16be(r);
	p->src = addr_v4(read_u32be(r));
	p->dst = addr_v4(read_u32be(r));
	if (!r->ok)
		return REFUSAL_CUT;
	if (total == 0)                 /* a card was left to cut it, and to write the length: the frame bounds it */
		total = 20 + reader_left(r);
	if (header < 20 || total < header)
		return REFUSAL_IP_HEADER;
	p->known = PACKET_DST | PACKET_IP_ID;
	p->bytes = total;
	if (p->proto == PROTO_ICMPV6)
		return REFUSAL_PROTO;
	if (fragment & 0x1fff)
		return REFUSAL_FRAGMENT;
	bound(r, total - 20);
	if (header > 20 && !read_bytes(r, header - 20))
		return REFUSAL_CUT;
	return from_transport(r, p);
}

/* Hop by hop, routing, fragment, authentication, destination, mobility, HIP, shim6: what has its length in front. */
static bool is_extension(unsigned kind)
{
	switch (kind) {
	case 0: case 43: case 44: case 51: case 60: case 135: case 139: case 140:
		return true;
	default:
		return false;
	}
}

/* Walks the chain of RFC 8200 4 to the transport header; *later: a fragment that is not the first. */
static bool pass_extensions(struct reader *r, unsigned *next, bool *later)
{
	for (unsigned n = 0; r->ok && n <= EXTENSIONS_MAX; n++) {
		unsigned kind = *next;
		size_t length;

		if (!is_extension(kind))
			return true;
		*next = read_u8(r);
		length = read_u8(r);
		if (kind == 44) {
			*later = (read_u16be(r) & 0xfff8) != 0;
			(void)read_u32be(r);
			if (*later)
				return r->ok;
		} else {
			/* the authentication header counts words of four, the others of eight beyond the first eight */
			(void)read_bytes(r, kind == 51 ? length * 4 + 6 : length * 8 + 6);
		}
	}
	return false;
}

static enum refusal from_ipv6(struct reader *r, struct packet *p)
{
	bool later = false;
	unsigned next;

	(void)read_u32be(r);
	size_t payload = read_u16be(r);
	next = read_u8(r);
	p->ttl = read_u8(r);
	const uint8_t *src = read_bytes(r, 16), *dst = read_bytes(r, 16);
	if (!src || !dst)
		return REFUSAL_CUT;
	memcpy(p->src.b, src, 16);
	memcpy(p->dst.b, dst, 16);
	if (addr_is_v4(&p->src))        /* on no wire: it would be counted as the IPv4 address */
		return REFUSAL_IP_HEADER;
	p->known = PACKET_DST;
	p->bytes = 40 + payload;
	if (payload > 0)                /* 0 is a jumbogram's, or somebody's who let the card cut: the frame bounds it */
		bound(r, payload);
	if (!pass_extensions(r, &next, &later))
		return r->ok ? REFUSAL_IP_HEADER : REFUSAL_CUT;
	if (later)
		return REFUSAL_FRAGMENT;
	if (next == PROTO_ICMP)
		return REFUSAL_PROTO;
	p->proto = (uint8_t)next;
	return from_transport(r, p);
}

static enum refusal from_ip(struct reader *r, struct packet *p)
{
	if (reader_left(r) == 0)
		return REFUSAL_CUT;
	switch (*r->at >> 4) {
	case 4:
		return from_ipv4(r, p);
	case 6:
		return from_ipv6(r, p);
	default:
		return REFUSAL_IP_HEADER;
	}
}

static enum refusal from_ppp(struct reader *r, struct packet *p)
{
	if (reader_left(r) >= 2 && r->at[0] == 0xff && r->at[1] == 0x03)        /* RFC 1662: address and control */
		(void)read_u16be(r);
	unsigned protocol = read_u8(r);
	if (!(protocol & 1))                                                    /* may be compressed to its odd byte */
		protocol = protocol << 8 | read_u8(r);
	if (!r->ok)
		return REFUSAL_CUT;
	return protocol == PPP_IPV4 || protocol == PPP_IPV6 ? from_ip(r, p) : REFUSAL_NOT_IP;
}

static enum refusal from_pppoe(struct reader *r, struct packet *p)
{
	(void)read_u16be(r);            /* version, type, code */
	(void)read_u32be(r);            /* session, length */
	return from_ppp(r, p);
}

static enum refusal from_type(struct reader *r, unsigned type, struct packet *p)
{
	while (r->ok && (type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD)) {
		(void)read_u16be(r);
		type = read_u16be(r);
	}
	if (type <= TYPE_LENGTH_MAX && reader_left(r) >= 8 && r->at[0] == 0xaa && r->at[1] == 0xaa && r->at[2] == 3) {
		(void)read_bytes(r, 6);         /* 802.2 with SNAP */
		type = read_u16be(r);
	}
	if (!r->ok)
		return REFUSAL_CUT;
	switch (type) {
	case TYPE_IPV4:
	case TYPE_IPV6:
		return from_ip(r, p);
	case TYPE_PPPOE:
		return from_pppoe(r, p);
	default:
		return REFUSAL_NOT_IP;
	}
}

/* The address family of the machine that captured, in its byte order; for LOOP in the network's. */
static enum refusal from_loopback(struct reader *r, struct packet *p)
{
	uint32_t family = read_u32be(r);

	if (!r->ok)
		return REFUSAL_CUT;
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2: case 10: case 24: case 28: case 30:     /* AF_INET; AF_INET6 of Linux, NetBSD, FreeBSD, macOS */
		return from_ip(r, p);
	default:
		return REFUSAL_NOT_IP;
	}
}

static enum refusal from_link(unsigned link, struct reader *r, struct packet *p)
{
	unsigned type;

	switch (link) {
	case LINK_ETHERNET:
		(void)read_bytes(r, 12);
		return from_type(r, read_u16be(r), p);
	case LINK_LINUX_SLL:
		p->sent = read_u16be(r) == SLL_OUTGOING;
		(void)read_bytes(r, 12);
		return from_type(r, read_u16be(r), p);
	case LINK_LINUX_SLL2:
		type = read_u16be(r);
		(void)read_bytes(r, 8);
		p->sent = read_u8(r) == SLL_OUTGOING;
		(void)read_bytes(r, 9);
		return from_type(r, type, p);
	case LINK_NULL:
	case LINK_LOOP:
		return from_loopback(r, p);
	case LINK_PPP:
	case LINK_PPP_HDLC:
		return from_ppp(r, p);
	case LINK_PPP_ETHER:
		return from_pppoe(r, p);
	default:
		return from_ip(r, p);
	}
}

static unsigned two(const uint8_t *b)
{
	return (unsigned)b[0] << 8 | b[1];
}

static uint32_t four(const uint8_t *b)
{
	return (uint32_t)two(b) << 16 | two(b + 2);
}

/* Nearly all of what comes: TCP or UDP behind IPv4 without options behind plain Ethernet, in a frame that holds a TCP header
 * (UDP's are padded to as much). One look at the length, and everything is where it always is; false leaves the rest to the
 * reader, which would say the same of these. */
static bool is_plain(unsigned link, const uint8_t *b, size_t captured)
{
	enum { LEAST = 14 + 20 + 20 };

	if (link != LINK_ETHERNET || captured < LEAST)
		return false;
	unsigned tcp = b[23] == PROTO_TCP, udp = b[23] == PROTO_UDP;    /* sums: which comes next is as good as random */
	unsigned other = (two(b + 12) ^ (unsigned)TYPE_IPV4) | (b[14] ^ 0x45u) | (two(b + 20) & 0x1fff);
	return other == 0 && (tcp | udp) && two(b + 16) >= 20 + 8 + tcp * 12;
}

/* Field by field: to zero a whole struct of this size gcc takes an instruction that is slower than all that follows (10 ns of
 * 80). */
static inline void blank(struct packet *p)
{
	p->time_s = 0;
	p->src = p->dst = addr_of(0, 0);
	p->bytes = 0;
	p->packets = 1;
	p->seq = 0;
	p->sport = p->dport = p->ip_id = p->window = 0;
	p->proto = p->flags = p->ttl = p->icmp_type = p->icmp_code = 0;
	p->sent = false;
	p->tcp_header = p->known = p->kind = p->mark = 0;
	p->port = p->quoted_len = 0;
	p->quoted = NULL;
}

static void from_plain(const uint8_t *b, struct packet *p)
{
	enum { TOLD = PACKET_FLAGS | PACKET_SEQ | PACKET_WINDOW };
	unsigned tcp = b[23] == PROTO_TCP ? UINT32_MAX : 0;

	blank(p);
	p->src = addr_v4(four(b + 26));
	p->dst = addr_v4(four(b + 30));
	p->bytes = two(b + 16);
	p->seq = four(b + 38) & tcp;
	p->sport = (uint16_t)two(b + 34);
	p->dport = (uint16_t)two(b + 36);
	p->ip_id = (uint16_t)two(b + 18);
	p->window = (uint16_t)(two(b + 48) & tcp);
	p->proto = b[23];
	p->flags = (uint8_t)(b[47] & tcp);
	p->ttl = b[22];
	p->tcp_header = (uint8_t)((unsigned)b[46] >> 4 << 2 & tcp);
	p->known = (uint8_t)(PACKET_DST | PACKET_IP_ID | (TOLD & tcp));
}

enum refusal decode_frame(unsigned link, const uint8_t *bytes, size_t captured, struct packet *out)
{
	enum refusal refusal = REFUSAL_NONE;

	if (is_plain(link, bytes, captured)) {
		from_plain(bytes, out);
	} else {
		struct reader r = reader_over(bytes, captured);

		assert(decode_knows(link));
		blank(out);
		refusal = from_link(link, &r, out);
	}
	if (!refusal)
		packet_tell(out);
	return refusal;
}

enum refusal decode_quoted(const struct packet *p, struct packet *out)
{
	struct reader r = reader_over(p->quoted, p->quoted_len);

	blank(out);
	/* errors quote the header and at least eight bytes (RFC 792): of TCP too short to be more than its ports */
	enum refusal refusal = from_ip(&r, out);
	return refusal == REFUSAL_CUT && out->known & PACKET_PORTS ? REFUSAL_NONE : refusal;
}

enum refusal decode_ip(const uint8_t *bytes, size_t captured, struct packet *out)
{
	return decode_frame(LINK_RAW, bytes, captured, out);
}
