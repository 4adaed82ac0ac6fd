#include "capture/flows.h"

#include "base/mem.h"
#include "base/secret.h"
#include "capture/decode.h"
#include "capture/packet.h"
#include "core/tuple.h"

enum { SLOTS = 1 << 14, SILENT_S = 300 };
enum who { NOBODY, WE, THEY };

struct slot { uint64_t key; int64_t at_s; enum who began; };

struct flows { uint64_t secret[2]; bool sends; struct slot slots[SLOTS]; };

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

static struct slot *slot_of(struct flows *f, uint64_t key)
{
	return &f->slots[key >> 20 & (SLOTS - 1)];
}

static bool fresh(const struct slot *s, uint64_t key, int64_t now_s)
{
	return s->key == key && now_s - s->at_s <= SILENT_S && s->at_s - now_s <= SILENT_S;
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
	struct slot *s = slot_of(f, key);

	f->sends = true;
	if (fresh(s, key, p->time_s) && s->began == THEY)
		return;         /* we only answer */
	if (fresh(s, key, p->time_s) || is_request(p))
		*s = (struct slot){ key, p->time_s, WE };
}

/* The packet that an error quotes is one that we sent. */
static bool about_ours(struct flows *f, const struct packet *p)
{
	struct packet quoted;

	if (!p->quoted_len || decode_quoted(p, &quoted) != REFUSAL_NONE)
		return false;
	uint64_t key = key_of(f, quoted.proto, &quoted.src, our_port(&quoted, true), &quoted.dst, their_port(&quoted, true));
	const struct slot *s = slot_of(f, key);
	return fresh(s, key, p->time_s) && s->began == WE;
}

bool flows_answered(struct flows *f, const struct packet *p)
{
	if (!f->sends)          /* a darknet: nothing can be an answer, and nothing need be remembered */
		return false;
	if (p->kind == KIND_ERROR)
		return about_ours(f, p);
	if (proto_is_icmp(p->proto) && p->kind != KIND_BACKSCATTER)     /* a request of theirs is never an answer */
		return false;
	uint64_t key = key_of(f, p->proto, &p->dst, our_port(p, false), &p->src, their_port(p, false));
	struct slot *s = slot_of(f, key);

	if (fresh(s, key, p->time_s)) {
		s->at_s = p->time_s;
		return s->began == WE;
	}
	/* only where we cannot tell a request from an answer does it matter who began */
	if (p->proto == PROTO_UDP && !(s->began == WE && p->time_s - s->at_s <= SILENT_S))      /* a flood pushes no flow of ours out */
		*s = (struct slot){ key, p->time_s, THEY };
	return false;
}
