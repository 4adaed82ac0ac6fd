#include "capture/packet.h"

#include "core/tuple.h"

#include <assert.h>

enum { ZMAP_IP_ID = 54321, ZMAP_WINDOW = 65535 };

bool packet_in_time(const struct packet *p)
{
	return p->time_s >= 0 && p->time_s < (int64_t)MINUTE_MAX * 60;
}

static bool knows(const struct packet *p, unsigned bits)
{
	return (p->known & bits) == bits;
}

static enum kind kind_of(const struct packet *p)
{
	if (proto_is_icmp(p->proto))
		return tuple_kind(p->proto, 0, 0, p->icmp_type);
	if (p->proto == PROTO_UDP && p->known & PACKET_STATED)
		return KIND_SCAN;
	if (p->proto == PROTO_TCP && !(p->known & PACKET_FLAGS))
		return KIND_SCAN;
	return tuple_kind(p->proto, p->flags, p->sport, 0);
}

/* METHODS.md 3, what one packet can tell. ZMap gives its id to every probe, and its window to SYNs; Masscan and Mirai
 * can be told from a SYN's sequence number. One packet proves nothing: the centre asks for two that agree. */
static unsigned marks_of(const struct packet *p, enum kind kind)
{
	bool syn = p->proto == PROTO_TCP && knows(p, PACKET_FLAGS) && kind == KIND_SCAN;
	unsigned marks = 0;

	if (kind != KIND_SCAN || !addr_is_v4(&p->src))
		return 0;
	if (knows(p, PACKET_IP_ID) && p->ip_id == ZMAP_IP_ID &&
		(!syn || !knows(p, PACKET_WINDOW) || p->window == ZMAP_WINDOW))
		marks |= MARK_ZMAP;
	if (!syn || !knows(p, PACKET_SEQ | PACKET_DST) || !addr_is_v4(&p->dst))
		return marks;
	uint32_t dst = addr_to_v4(&p->dst);
	if (knows(p, PACKET_IP_ID) && p->ip_id == ((dst ^ p->dport ^ p->seq) & 0xffff))
		marks |= MARK_MASSCAN;
	if (p->seq == dst)
		marks |= MARK_MIRAI;
	return marks;
}

static uint16_t port_of(const struct packet *p, enum kind kind)
{
	if (proto_is_icmp(p->proto))
		return (uint16_t)(p->icmp_type << 8 | p->icmp_code);
	return kind == KIND_BACKSCATTER ? p->sport : p->dport;
}

void packet_tuple(const struct packet *p, struct tuple *out)
{
	enum kind kind = kind_of(p);

	assert(packet_in_time(p));
	*out = (struct tuple){
		.src = p->src,
		.minute = (minute_t)(p->time_s / 60),
		.port = port_of(p, kind),
		.proto = p->proto,
		.flags = p->flags,
		.mark = (uint8_t)marks_of(p, kind),
		.kind = (uint8_t)kind,
		.ttl = p->ttl,
		.dsts = p->known & PACKET_DST ? 1 : 0,
		.sport = p->sport,
		.packets = p->packets,
		.bytes = p->bytes,
	};
}
