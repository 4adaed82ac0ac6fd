#include "capture/flows.h"

#include "base/mem.h"
#include "base/secret.h"
#include "capture/decode.h"
#include "capture/packet.h"
#include "core/tuple.h"

/* How long a silent flow is remembered: as long as address translators must (RFC 5382 5, RFC 4787 4.3). */
enum { BUCKETS = 1 << 14, WAYS = 4, ASKED = 1 << 13, SILENT_S = 300, SILENT_TCP_S = 7440 };

/* at_s: the lower bits, compared modulo 2^32. */
struct bucket { uint64_t keys[WAYS]; uint32_t at_s[WAYS]; };

struct flows {
	uint64_t secret[2];
	bool sends;
	uint8_t used[BUCKETS];                  /* ways of each bucket: near at hand, and nearly always none */
	struct bucket buckets[BUCKETS];         /* what we opened */
	struct asked { uint64_t key; uint32_t at_s; } asked[ASKED];     /* UDP that they began: until we have answered it */
};

/* Where a flow is, or would be. */
struct place { uint64_t key; unsigned bucket, asked; uint32_t silent_s; };

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
static struct place place_of(const struct flows *f, unsigned proto, const struct addr *ours, unsigned our_port, const struct addr *theirs,
	unsigned their_port)
{
	uint64_t h = mixed(f->secret[0], (uint64_t)proto << 32 | (uint64_t)our_port << 16 | their_port);

	h = mixed(mixed(h, addr_hi(ours)), addr_lo(ours));
	h = mixed(mixed(h, addr_hi(theirs)), addr_lo(theirs));
	h = mixed(h, f->secret[1]) | 1;         /* 0 is a free way's */
	return (struct place){ h, h >> 20 & (BUCKETS - 1), h >> 40 & (ASKED - 1), proto == PROTO_TCP ? SILENT_TCP_S : SILENT_S };
}

/* Not silent for too long, whichever way the clock went. */
static bool alive(uint32_t at_s, int64_t now_s, uint32_t silent_s)
{
	return (uint32_t)now_s - at_s + silent_s <= 2 * silent_s;
}

/* The way that holds a flow of ours; the number of those that are used when none does. */
static unsigned find(const struct flows *f, const struct place *p, int64_t now_s)
{
	const struct bucket *b = &f->buckets[p->bucket];
	unsigned w = 0;

	while (w < f->used[p->bucket] && !(b->keys[w] == p->key && alive(b->at_s[w], now_s, p->silent_s)))
		w++;
	return w;
}

static bool is_ours(const struct flows *f, const struct place *p, int64_t now_s)
{
	return f->used[p->bucket] > 0 && find(f, p, now_s) < f->used[p->bucket];
}

/* Which way gives way where all are used: the one that has been silent longest. */
static unsigned oldest(const struct bucket *b, int64_t now_s)
{
	unsigned old = 0;

	for (unsigned w = 1; w < WAYS; w++)
		if ((uint32_t)now_s - b->at_s[w] > (uint32_t)now_s - b->at_s[old])
			old = w;
	return old;
}

/* New, or heard of again. */
static void note_ours(struct flows *f, const struct place *p, int64_t now_s)
{
	struct bucket *b = &f->buckets[p->bucket];
	unsigned w = find(f, p, now_s);

	if (w == f->used[p->bucket])
		w = w < WAYS ? f->used[p->bucket]++ : oldest(b, now_s);
	b->keys[w] = p->key;
	b->at_s[w] = (uint32_t)now_s;
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
	struct place place = place_of(f, p->proto, &p->src, our_port(p, true), &p->dst, their_port(p, true));
	const struct asked *asked = &f->asked[place.asked];
	bool known = is_ours(f, &place, p->time_s);

	f->sends = true;
	if (!known && p->proto == PROTO_UDP && asked->key == place.key && alive(asked->at_s, p->time_s, SILENT_S))
		return;         /* we only answer */
	if (known || is_request(p))
		note_ours(f, &place, p->time_s);
}

/* The packet that an error quotes is one that we sent. */
static bool about_ours(const struct flows *f, const struct packet *p)
{
	struct packet quoted;

	if (!p->quoted_len || decode_quoted(p, &quoted) != REFUSAL_NONE)
		return false;
	struct place place = place_of(f, quoted.proto, &quoted.src, our_port(&quoted, true), &quoted.dst, their_port(&quoted, true));
	return is_ours(f, &place, p->time_s);
}

bool flows_answered(struct flows *f, const struct packet *p)
{
	if (!f->sends && p->proto != PROTO_UDP)         /* a darknet */
		return false;
	if (p->kind == KIND_ERROR)
		return about_ours(f, p);
	if (proto_is_icmp(p->proto) ? p->kind != KIND_BACKSCATTER : p->proto == PROTO_TCP && p->kind == KIND_SCAN)
		return false;           /* a request of theirs is never an answer */
	struct place place = place_of(f, p->proto, &p->dst, our_port(p, false), &p->src, their_port(p, false));
	if (is_ours(f, &place, p->time_s)) {
		note_ours(f, &place, p->time_s);
		return true;
	}
	/* only where we cannot tell a request from an answer does it matter who began */
	if (p->proto == PROTO_UDP)
		f->asked[place.asked] = (struct asked){ place.key, (uint32_t)p->time_s };
	return false;
}
