#include "capture/packet.h"

#include "core/tuple.h"

enum { ZMAP_IP_ID = 54321, ZMAP_WINDOW = 65535 };

bool packet_in_time(const struct packet *p)
{
	return p->time_s >= 0 && p->time_s < (int64_t)MINUTE_MAX * 60;
}

static enum kind kind_of(const struct packet *p)
{
	bool stated = p->proto == PROTO_TCP ? !(p->known & PACKET_FLAGS) : p->proto == PROTO_UDP && p->known & PACKET_STATED;

	return stated ? KIND_SCAN : tuple_kind(p->proto, p->flags, p->sport, p->icmp_type);
}

/* METHODS.md 3, what one packet can tell. ZMap gives its id to every probe, and its window to SYNs; Masscan and Mirai
 * can be told from a SYN's sequence number. One packet proves nothing: the centre asks for two that agree. Sums rather
 * than jumps, since what comes next is as good as random. */
static unsigned marks_of(const struct packet *p)
{
	uint32_t dst = addr_to_v4(&p->dst);
	bool syn = p->proto == PROTO_TCP;       /* of a scan */
	bool id = (p->known & PACKET_IP_ID) != 0, related = syn && (p->known & (PACKET_SEQ | PACKET_DST)) == (PACKET_SEQ | PACKET_DST);
	unsigned zmap = id & (p->ip_id == ZMAP_IP_ID) & (!syn | !(p->known & PACKET_WINDOW) | (p->window == ZMAP_WINDOW));
	unsigned masscan = related & id & (p->ip_id == ((dst ^ p->dport ^ p->seq) & 0xffff));
	unsigned mirai = related & (p->seq == dst);

	return zmap * MARK_ZMAP | masscan * MARK_MASSCAN | mirai * MARK_MIRAI;
}

static uint16_t port_of(const struct packet *p, enum kind kind)
{
	if (proto_is_icmp(p->proto))
		return (uint16_t)(p->icmp_type << 8 | p->icmp_code);
	return kind == KIND_BACKSCATTER ? p->sport : p->dport;
}

void packet_tell(struct packet *p)
{
	enum kind kind = kind_of(p);
	bool marked = kind == KIND_SCAN && !(p->proto == PROTO_TCP && !(p->known & PACKET_FLAGS)) && addr_is_v4(&p->src) &&
		(addr_is_v4(&p->dst) || !(p->known & PACKET_DST));

	p->kind = (uint8_t)kind;
	p->port = port_of(p, kind);
	p->mark = (uint8_t)(marked ? marks_of(p) : 0);
}
