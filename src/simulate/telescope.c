#include "simulate/telescope.h"

#include "base/bytes.h"
#include "base/json.h"
#include "base/mem.h"
#include "simulate/chance.h"

#include <math.h>

enum { PURPOSE_SOURCE = 101, PURPOSE_PACKETS = 102 };
enum { ETHER_MIN = 60, PORTS = 1 << 16 };

/* What a source does all its life. Weights are out of 1,000 sources; the shares of packets follow the ranks. */
enum habit {
	HABIT_SYN, HABIT_MIRAI, HABIT_ZMAP, HABIT_MASSCAN, HABIT_NMAP, HABIT_UNICORN, HABIT_UDP, HABIT_ECHO, HABIT_SYNACK,
	HABIT_RST, HABIT_DNS, HABIT_UNREACHABLE, HABIT_EXCEEDED, HABIT_STRANGE, HABITS
};
static const unsigned weights[HABITS] = { 280, 210, 110, 110, 60, 20, 80, 50, 35, 15, 10, 5, 5, 10 };
static const int tools[HABITS] = { -1, 2, 0, 1, 3, 4, -1, -1, -1, -1, -1, -1, -1, -1 };      /* index of the mark's bit */

static const uint16_t tcp_ports[] = { 23, 22, 445, 3389, 80, 8080, 443, 5555, 1433, 6379, 8443, 5900, 2323, 25, 81, 37215 };
static const uint16_t udp_ports[] = { 53, 161, 123, 1900, 5060, 389, 11211, 3702 };

struct origin { struct addr addr; uint32_t secret; uint16_t port; uint8_t habit, ttl; };

struct telescope {
	struct telescope_plan plan;
	struct telescope_truth truth;
	struct origin *origins;
	struct chance chance;
	uint64_t made;
};

/* One packet on its way to bytes. */
struct draft {
	const struct origin *from;
	struct addr dst;
	uint32_t seq;
	uint16_t sport, dport, id, window;
	uint8_t proto, flags, type, code;
	unsigned options, payload;              /* TCP options (a MSS) and payload, in bytes */
	bool quotes;                            /* an ICMP error */
};

/* A permutation of 32-bit numbers (xorshifts and odd multipliers, each invertible): no two sources share an address. */
static uint32_t shuffled(uint32_t v, uint32_t key)
{
	v ^= key;
	v ^= v >> 16;
	v *= 0x7feb352du;
	v ^= v >> 15;
	v *= 0x846ca68bu;
	return v ^ v >> 16;
}

/* Addresses that packets come from: unicast, and none of the observed ones. */
static bool may_speak(uint32_t a, const struct prefix *watched)
{
	struct addr addr = addr_v4(a);

	return a >> 24 != 0 && a >> 24 != 10 && a >> 24 != 127 && a >> 24 < 224 && !prefix_holds(watched, &addr);
}

static enum habit habit_of(struct chance *c)
{
	uint32_t at = chance_below(c, 1000);
	unsigned h = 0;

	while (at >= weights[h])
		at -= weights[h++];
	return (enum habit)h;
}

static void make_origins(struct telescope *t)
{
	uint32_t key = (uint32_t)(t->plan.seed * 0x9e3779b9u), next = 0;

	t->origins = mem_zero(t->plan.sources, sizeof *t->origins);
	for (uint32_t i = 0; i < t->plan.sources; i++) {
		struct chance c = chance_of(t->plan.seed, PURPOSE_SOURCE, i, 0, 0);
		struct origin *o = &t->origins[i];
		uint32_t a;

		do
			a = shuffled(next++, key);
		while (!may_speak(a, &t->plan.watched));
		o->habit = (uint8_t)habit_of(&c);
		o->addr = addr_v4(a);
		o->secret = (uint32_t)chance_next(&c);
		o->ttl = (uint8_t)(40 + chance_below(&c, 24));
		bool udp = o->habit == HABIT_UDP;
		o->port = udp ? udp_ports[chance_below(&c, 8)] : tcp_ports[chance_below(&c, 16) * chance_below(&c, 16) / 15];
		if (chance_below(&c, 10) == 0)
			o->port = (uint16_t)(1 + chance_below(&c, 65535));
		/* IPv6 only where no tool's relation needs an IPv4 address */
		if (tools[o->habit] < 0 && chance_below(&c, 25) == 0)
			o->addr = addr_of(0x20010db8ull << 32 | shuffled(i, key), chance_next(&c) | 1);
	}
}

struct telescope *telescope_open(const struct telescope_plan *plan)
{
	struct telescope *t = mem_zero(1, sizeof *t);

	t->plan = *plan;
	t->chance = chance_of(plan->seed, PURPOSE_PACKETS, 0, 0, 0);
	t->truth.ports = mem_zero(4 * PORTS, sizeof *t->truth.ports);
	t->truth.spoke = mem_zero(plan->sources, 1);
	make_origins(t);
	return t;
}

void telescope_close(struct telescope *t)
{
	if (!t)
		return;
	free(t->origins);
	free(t->truth.ports);
	free(t->truth.spoke);
	free(t);
}

static void put_u16(struct buf *b, unsigned v)
{
	buf_u8(b, (uint8_t)(v >> 8));
	buf_u8(b, (uint8_t)v);
}

static void put_u32(struct buf *b, uint32_t v)
{
	put_u16(b, v >> 16);
	put_u16(b, v & 0xffff);
}

static void put_zeroes(struct buf *b, size_t n)
{
	static const uint8_t zeroes[TELESCOPE_FRAME_MAX];

	buf_bytes(b, zeroes, n);
}

void telescope_head(struct buf *out)
{
	buf_u32le(out, 0xa1b2c3d4u);
	buf_u16le(out, 2);
	buf_u16le(out, 4);
	buf_u64le(out, 0);
	buf_u32le(out, 65535);
	buf_u32le(out, 1);
}

static struct addr in_prefix(const struct prefix *p, struct chance *c)
{
	uint64_t hi = addr_hi(&p->addr), lo = addr_lo(&p->addr), r = chance_next(c);
	unsigned free = 128 - p->bits;

	return addr_of(hi, lo | (free >= 64 ? r : r & (((uint64_t)1 << free) - 1)));
}

static void draft_syn(struct draft *d, struct chance *c, uint32_t dst)
{
	const struct origin *o = d->from;
	uint16_t v = (uint16_t)chance_below(c, 200);

	d->flags = TCP_SYN;
	d->seq = (uint32_t)chance_next(c);
	switch (o->habit) {
	case HABIT_MIRAI:
		d->dport = chance_below(c, 10) ? 23 : 2323;
		d->seq = dst;
		break;
	case HABIT_ZMAP:
		d->id = 54321;
		d->window = 65535;
		break;
	case HABIT_MASSCAN:
		d->id = (uint16_t)(dst ^ d->dport ^ d->seq);
		d->window = 1024;
		break;
	case HABIT_NMAP:
		d->seq = o->secret ^ ((uint32_t)v << 16 | v);
		d->window = 1024;
		d->options = 4;
		d->sport = (uint16_t)(o->secret >> 17 | 32768);
		break;
	case HABIT_UNICORN:
		d->seq = o->secret ^ dst ^ ((uint32_t)d->dport << 16) ^ d->sport;
		break;
	default:
		break;
	}
}

static void draft_tcp(struct draft *d, struct chance *c, uint32_t dst)
{
	static const uint8_t strange[] = { 0, TCP_FIN, TCP_ACK, TCP_FIN | TCP_PSH | TCP_URG, TCP_PSH | TCP_ACK, TCP_SYN | TCP_FIN };

	d->proto = PROTO_TCP;
	d->window = (uint16_t)(5840 + chance_below(c, 1000) * 8);
	switch (d->from->habit) {
	case HABIT_SYNACK:
	case HABIT_RST:
		d->flags = d->from->habit == HABIT_RST ? TCP_RST | TCP_ACK : TCP_SYN | TCP_ACK;
		d->dport = d->sport;
		d->sport = d->from->port;
		break;
	case HABIT_STRANGE:
		d->flags = strange[chance_below(c, 6)];
		break;
	default:
		draft_syn(d, c, dst);
	}
}

static void draft_icmp(struct draft *d, struct chance *c, bool v6)
{
	d->proto = v6 ? PROTO_ICMPV6 : PROTO_ICMP;
	switch (d->from->habit) {
	case HABIT_UNREACHABLE:
		d->type = v6 ? 1 : 3;
		d->code = (uint8_t)(v6 ? 4 : chance_below(c, 4));
		d->quotes = true;
		break;
	case HABIT_EXCEEDED:
		d->type = v6 ? 3 : 11;
		d->quotes = true;
		break;
	default:
		d->type = v6 ? 128 : 8;
		d->payload = 48;
	}
}

static struct draft draft_of(struct telescope *t, const struct origin *o)
{
	struct chance *c = &t->chance;
	bool v6 = !addr_is_v4(&o->addr);
	struct draft d = { .from = o, .dst = in_prefix(v6 ? &t->plan.watched6 : &t->plan.watched, c) };

	d.id = (uint16_t)chance_next(c);
	d.sport = (uint16_t)(1024 + chance_below(c, 64000));
	d.dport = o->port;
	switch (o->habit) {
	case HABIT_UDP:
		d.proto = PROTO_UDP;
		d.payload = 8 + chance_below(c, 40);
		break;
	case HABIT_DNS:
		d.proto = PROTO_UDP;
		d.dport = d.sport;
		d.sport = 53;
		d.payload = 60 + chance_below(c, 100);
		break;
	case HABIT_ECHO:
	case HABIT_UNREACHABLE:
	case HABIT_EXCEEDED:
		draft_icmp(&d, c, v6);
		break;
	default:
		draft_tcp(&d, c, v6 ? 0 : addr_to_v4(&d.dst));
	}
	return d;
}

static unsigned transport_bytes(const struct draft *d)
{
	switch (d->proto) {
	case PROTO_TCP: return 20 + d->options + d->payload;
	case PROTO_UDP: return 8 + d->payload;
	default: return 8 + d->payload + (d->quotes ? (addr_is_v4(&d->dst) ? 28u : 48u) : 0);
	}
}

static void put_ip(struct buf *b, const struct addr *src, const struct addr *dst, unsigned proto, unsigned payload, unsigned id,
	unsigned ttl)
{
	if (!addr_is_v4(dst)) {
		put_u32(b, 6u << 28);
		put_u16(b, payload);
		buf_u8(b, (uint8_t)proto);
		buf_u8(b, (uint8_t)ttl);
		buf_bytes(b, src->b, 16);
		buf_bytes(b, dst->b, 16);
		return;
	}
	put_u16(b, 0x4500);
	put_u16(b, 20 + payload);
	put_u16(b, id);
	put_u16(b, 0);
	buf_u8(b, (uint8_t)ttl);
	buf_u8(b, (uint8_t)proto);
	put_u16(b, 0);          /* checksums are nobody's business here */
	buf_bytes(b, src->b + 12, 4);
	buf_bytes(b, dst->b + 12, 4);
}

static void put_transport(struct buf *b, const struct draft *d)
{
	static const uint8_t mss[4] = { 2, 4, 5, 0xb4 };

	switch (d->proto) {
	case PROTO_TCP:
		put_u16(b, d->sport);
		put_u16(b, d->dport);
		put_u32(b, d->seq);
		put_u32(b, d->flags & TCP_ACK ? d->from->secret : 0);
		buf_u8(b, (uint8_t)((20 + d->options) / 4 << 4));
		buf_u8(b, d->flags);
		put_u16(b, d->window);
		put_u32(b, 0);
		buf_bytes(b, mss, d->options);
		break;
	case PROTO_UDP:
		put_u16(b, d->sport);
		put_u16(b, d->dport);
		put_u16(b, 8 + d->payload);
		put_u16(b, 0);
		break;
	default:
		buf_u8(b, d->type);
		buf_u8(b, d->code);
		put_u16(b, 0);
		put_u32(b, 0);
		if (d->quotes) {        /* something that one of ours is said to have sent to somebody else */
			struct addr victim = addr_is_v4(&d->dst) ? addr_v4(d->from->secret) : d->from->addr;

			put_ip(b, &d->dst, &victim, PROTO_UDP, 8, 1, 1);
			put_u16(b, d->sport);
			put_u16(b, d->dport);
			put_u32(b, 8u << 16);
		}
	}
	put_zeroes(b, d->payload);
}

static void put_ethernet(struct buf *b, unsigned tags, unsigned type)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };

	buf_bytes(b, macs, sizeof macs);
	for (unsigned i = 0; i < tags; i++) {
		put_u16(b, i + 1 < tags ? 0x88a8 : 0x8100);
		put_u16(b, 100 + i);
	}
	put_u16(b, type);
}

/* The kind by METHODS.md 3, told from the habit and not from the bytes. */
static enum kind kind_of(const struct draft *d)
{
	switch (d->from->habit) {
	case HABIT_SYNACK: case HABIT_RST: case HABIT_DNS:
		return KIND_BACKSCATTER;
	case HABIT_UNREACHABLE: case HABIT_EXCEEDED:
		return KIND_ERROR;
	case HABIT_STRANGE:
		return KIND_OTHER;
	default:
		return KIND_SCAN;
	}
}

static void note(struct telescope *t, const struct draft *d, size_t rank, unsigned bytes)
{
	struct telescope_truth *u = &t->truth;
	enum kind kind = kind_of(d);
	bool tcp_udp = d->proto == PROTO_TCP || d->proto == PROTO_UDP, first = !u->spoke[rank];
	unsigned port = !tcp_udp ? (unsigned)d->type << 8 | d->code : kind == KIND_BACKSCATTER ? d->sport : d->dport;
	int tool = tools[d->from->habit];

	u->counted++;
	u->bytes += bytes;
	u->kinds[kind]++;
	u->protos[proto_index(d->proto)]++;
	u->v6 += !addr_is_v4(&d->dst);
	u->ports[proto_index(d->proto) * PORTS + port]++;
	u->sources += first;
	if (tool >= 0) {
		u->tools[tool].packets++;
		u->tools[tool].sources += first;
		u->tools[tool].labelled += first ? 0 : u->spoke[rank] == 1 ? 2 : 1;     /* the second brings the first along */
	}
	u->spoke[rank] = first ? 1 : 2;
}

/* fragment: the first of several, which has the ports. */
static void put_packet(struct telescope *t, size_t rank, unsigned tags, bool fragment, struct buf *b)
{
	enum { FRAGMENT = 44, FRAGMENT_BYTES = 8, MORE = 0x20 };
	struct draft d = draft_of(t, &t->origins[rank]);
	bool v6 = !addr_is_v4(&d.dst);
	unsigned extra = fragment && v6 ? FRAGMENT_BYTES : 0, payload = transport_bytes(&d) + extra;

	t->truth.tagged += tags > 0;
	put_ethernet(b, tags, v6 ? 0x86dd : 0x0800);
	size_t start = b->len;
	put_ip(b, &d.from->addr, &d.dst, extra ? FRAGMENT : d.proto, payload, d.id, d.from->ttl);
	if (fragment && !v6 && b->ok)
		b->at[start + 6] = MORE;
	if (extra) {
		buf_u8(b, d.proto);
		buf_u8(b, 0);
		put_u16(b, 1);          /* at byte 0, more to come */
		put_u32(b, d.id);
	}
	put_transport(b, &d);
	note(t, &d, rank, payload + (v6 ? 40 : 20));
}

/* Frames that every wire has: ARP, later fragments, other protocols. */
static void put_natural(struct telescope *t, unsigned which, const struct origin *o, struct buf *b)
{
	struct addr dst = in_prefix(&t->plan.watched, &t->chance), src = addr_is_v4(&o->addr) ? o->addr : addr_v4(o->secret | 1u << 24);

	put_ethernet(b, 0, which == 0 ? 0x0806 : 0x0800);
	if (which == 0) {
		put_zeroes(b, 28);
		t->truth.refused[ODD_NOT_IP]++;
		return;
	}
	size_t start = b->len;
	put_ip(b, &src, &dst, which == 1 ? PROTO_UDP : 47, 64, 7, 60);
	put_zeroes(b, 64);
	if (which == 1)
		b->at[start + 7] = 185;         /* the fragment at byte 1,480 */
	t->truth.refused[which == 1 ? ODD_FRAGMENT : ODD_PROTO]++;
}

/* Frames that are damaged so as to cost work: lengths that lie, chains without end, headers cut short. */
static void put_odd(struct telescope *t, struct buf *b)
{
	struct addr src6 = addr_of(0x20010db8ull << 32, 1), src = addr_v4(0xc6336401);
	struct addr dst = in_prefix(&t->plan.watched, &t->chance);
	unsigned which = chance_below(&t->chance, 4);
	size_t start;

	put_ethernet(b, which == 3 ? 8 : 0, which == 1 ? 0x86dd : 0x0800);
	start = b->len;
	switch (which) {
	case 0:         /* the header's length is below its least */
		put_ip(b, &src, &dst, PROTO_TCP, 20, 1, 1);
		put_zeroes(b, 20);
		b->at[start] = 0x41;
		t->truth.refused[ODD_IP_HEADER]++;
		break;
	case 1:         /* hop-by-hop headers, one behind another, beyond any reason */
		put_ip(b, &src6, &t->plan.watched6.addr, 0, 40 * 8, 0, 1);
		put_zeroes(b, 40 * 8);
		t->truth.refused[ODD_IP_HEADER]++;
		break;
	case 2:         /* options that the frame does not hold */
		put_ip(b, &src, &dst, PROTO_TCP, 65515, 1, 1);
		put_zeroes(b, 26);
		b->at[start] = 0x4f;
		t->truth.refused[ODD_CUT]++;
		break;
	default:        /* a stack of tags, and then half a header */
		put_u32(b, 0x45000028);
		put_u32(b, 0);
		t->truth.refused[ODD_CUT]++;
	}
}

/* Rank r with a density that falls as 1/r. */
static size_t pick_rank(struct telescope *t)
{
	size_t rank = (size_t)exp(chance_share(&t->chance) * log((double)t->plan.sources));

	return rank - 1 < t->plan.sources ? rank - 1 : t->plan.sources - 1;
}

bool telescope_next(struct telescope *t, struct buf *out)
{
	struct chance *c = &t->chance;

	if (t->made == t->plan.packets)
		return false;
	uint64_t at_us = t->made++ * (uint64_t)t->plan.length_s * 1000000 / t->plan.packets;
	size_t rank = pick_rank(t), head = out->len;
	uint32_t dice = chance_below(c, 10000);
	buf_u32le(out, (uint32_t)(t->plan.from_s + (int64_t)(at_us / 1000000)));
	buf_u32le(out, (uint32_t)(at_us % 1000000));
	buf_u64le(out, 0);
	size_t start = out->len;
	unsigned tags = dice >= 9800 ? 1 + (dice >= 9950) : 0;
	bool odd = t->plan.odd > 0 && chance_hits(c, t->plan.odd);
	if (odd)
		put_odd(t, out);
	else if (dice < 30)
		put_natural(t, dice / 10, &t->origins[rank], out);
	else
		put_packet(t, rank, tags, dice >= 9700 && dice < 9750, out);
	t->truth.packets++;
	if (!odd && out->len - start < ETHER_MIN)               /* cards pad short frames; those cut on purpose stay so */
		put_zeroes(out, ETHER_MIN - (out->len - start));
	size_t len = out->len - start;
	for (unsigned i = 0; i < 2 && out->ok; i++) {
		out->at[head + 8 + 4 * i] = (uint8_t)len;
		out->at[head + 9 + 4 * i] = (uint8_t)(len >> 8);
	}
	return true;
}

const struct telescope_truth *telescope_truth(const struct telescope *t)
{
	return &t->truth;
}

static void ports_json(const struct telescope_truth *u, struct json *j)
{
	char label[32];

	json_array(j, "ports");
	for (unsigned i = 0; i < 4 * PORTS; i++) {
		unsigned proto = proto_numbered(i / PORTS), port = i % PORTS;
		bool icmp = proto_is_icmp(proto);

		if (!u->ports[i])
			continue;
		(void)snprintf(label, sizeof label, icmp ? "%s/%u.%u" : "%s/%u", proto_name(proto), icmp ? port >> 8 : port, port & 255);
		json_object(j, NULL);
		json_string(j, "port", label);
		json_whole(j, "packets", u->ports[i]);
		json_end_object(j);
	}
	json_end_array(j);
}

void telescope_json(const struct telescope *t, struct json *j)
{
	static const char *const refused[ODD_REFUSED] = { "not-ip", "fragment", "proto", "ip-header", "cut" };
	const struct telescope_truth *u = &t->truth;
	char prefix[PREFIX_TEXT_MAX];

	json_object(j, NULL);
	json_whole(j, "seed", t->plan.seed);
	json_string(j, "watched", prefix_format(&t->plan.watched, prefix));
	json_string(j, "watched6", prefix_format(&t->plan.watched6, prefix));
	json_whole(j, "packets", u->packets);
	json_whole(j, "counted", u->counted);
	json_whole(j, "bytes", u->bytes);
	json_whole(j, "sources", u->sources);
	json_whole(j, "v6", u->v6);
	json_whole(j, "tagged", u->tagged);
	json_object(j, "refused");
	for (unsigned i = 0; i < ODD_REFUSED; i++)
		json_whole(j, refused[i], u->refused[i]);
	json_end_object(j);
	json_object(j, "kinds");
	for (unsigned i = 0; i < KINDS; i++)
		json_whole(j, kind_name(i), u->kinds[i]);
	json_end_object(j);
	json_object(j, "protos");
	for (unsigned i = 0; i < 4; i++)
		json_whole(j, proto_name(proto_numbered(i)), u->protos[i]);
	json_end_object(j);
	json_object(j, "tools");
	for (unsigned i = 0; i < MARKS; i++) {
		json_object(j, mark_name(i));
		json_whole(j, "packets", u->tools[i].packets);
		json_whole(j, "sources", u->tools[i].sources);
		json_whole(j, "labelled", u->tools[i].labelled);
		json_end_object(j);
	}
	json_end_object(j);
	ports_json(u, j);
	json_end_object(j);
}
