#include "capture/flows.h"

#include "base/mem.h"
#include "base/secret.h"
#include "capture/decode.h"
#include "capture/packet.h"
#include "core/tuple.h"

enum { SLOTS = 1 << 14, SILENT_S = 300 };

struct slot { uint64_t key; uint32_t at_s; };   /* at_s: the lower bits, to be compared modulo 2^32 */

/* ours: a bit for each slot whose flow we opened, and not they. The bits fit into the nearest memory, and nearly always say
 * that there is nothing to look up. */
struct flows { uint64_t secret[2]; bool sends; uint64_t ours[SLOTS / 64]; struct slot slots[SLOTS]; };

struct flows *flows_open(void)
{
	struct flows *f = mem_zero(1, sizeof *f);

	secret_fill(f->secret, sizeof f->secret);
	return f;
}

void flows_close(struct flows *f)
{
	free(f);
}

static uint64_t mixed(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 31;
}

/* The flow between one of ours and somebody, whichever way a packet of it goes. */
static uint64_t key_of(const struct flows *f, unsigned proto, const struct addr *ours, unsigned our_port, const struct addr *theirs,
	unsigned their_port)
{
	uint64_t h = mixed(f->secret[0], (uint64_t)proto << 32 | (uint64_t)our_port << 16 | their_port);

	h = mixed(mixed(h, addr_hi(ours)), addr_lo(ours));
	h = mixed(mixed(h, addr_hi(theirs)), addr_lo(theirs));
	return mixed(h, f->secret[1]) | 1;      /* 0 is a free slot's */
}

static unsigned place_of(uint64_t key)
{
	return key >> 20 & (SLOTS - 1);
}

static void put(struct flows *f, uint64_t key, int64_t now_s, bool ours)
{
	unsigned at = place_of(key);
	uint64_t bit = (uint64_t)1 << at % 64;

	f->slots[at] = (struct slot){ key, (uint32_t)now_s };
	f->ours[at / 64] = ours ? f->ours[at / 64] | bit : f->ours[at / 64] & ~bit;
}

/* Not silent for too long, whichever way the clock went. */
static bool alive(const struct slot *s, int64_t now_s)
{
	return (uint32_t)now_s - s->at_s + SILENT_S <= 2 * SILENT_S;
}

static bool fresh(const struct flows *f, uint64_t key, int64_t now_s)
{
	const struct slot *s = &f->slots[place_of(key)];

	return s->key == key && alive(s, now_s);
}

/* Whether the flow in that place, this one or another, is one that we opened. */
static bool holds_ours(const struct flows *f, uint64_t key)
{
	return f->ours[place_of(key) / 64] >> place_of(key) % 64 & 1;
}

/* Echo carries no ports; its two types are one flow. */
static unsigned our_port(const struct packet *p, bool sent)
{
	return proto_is_icmp(p->proto) ? 0 : sent ? p->sport : p->dport;
}

static unsigned their_port(const struct packet *p, bool sent)
{
	return proto_is_icmp(p->proto) ? 0 : sent ? p->dport : p->sport;
}

static bool is_request(const struct packet *p)
{
	switch (p->proto) {
	case PROTO_TCP: return (p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	case PROTO_UDP: return true;
	default: return p->kind == KIND_SCAN;
	}
}

void flows_sent(struct flows *f, const struct packet *p)
{
	uint64_t key = key_of(f, p->proto, &p->src, our_port(p, true), &p->dst, their_port(p, true));
	bool known = fresh(f, key, p->time_s);

	f->sends = true;
	if (known && !holds_ours(f, key))
		return;         /* we only answer */
	if (known || is_request(p))
		put(f, key, p->time_s, true);
}

/* The packet that an error quotes is one that we sent. */
static bool about_ours(struct flows *f, const struct packet *p)
{
	struct packet quoted;

	if (!p->quoted_len || decode_quoted(p, &quoted) != REFUSAL_NONE)
		return false;
	uint64_t key = key_of(f, quoted.proto, &quoted.src, our_port(&quoted, true), &quoted.dst, their_port(&quoted, true));
	return holds_ours(f, key) && fresh(f, key, p->time_s);
}

bool flows_answered(struct flows *f, const struct packet *p)
{
	if (!f->sends)          /* a darknet: nothing can be an answer, and nothing need be remembered */
		return false;
	if (p->kind == KIND_ERROR)
		return about_ours(f, p);
	if (proto_is_icmp(p->proto) ? p->kind != KIND_BACKSCATTER : p->proto == PROTO_TCP && p->kind == KIND_SCAN)
		return false;           /* a request of theirs is never an answer */
	uint64_t key = key_of(f, p->proto, &p->dst, our_port(p, false), &p->src, their_port(p, false));
	struct slot *s = &f->slots[place_of(key)];

	if (holds_ours(f, key) && alive(s, p->time_s)) {       /* a flood pushes no flow of ours out */
		if (s->key != key)
			return false;
		s->at_s = (uint32_t)p->time_s;
		return true;
	}
	/* only where we cannot tell a request from an answer does it matter who began */
	if (p->proto == PROTO_UDP)
		put(f, key, p->time_s, false);
	return false;
}
