#include "capture/relations.h"

#include "base/mem.h"
#include "base/secret.h"
#include "capture/packet.h"
#include "core/tuple.h"

enum { SLOTS = 1 << 15, BURST = 32 };

/* keys[0] with the destination as a number, keys[1] with its bytes the other way round. */
struct last { uint32_t src, seq, keys[2]; };

struct relations { uint64_t secret; struct last slots[SLOTS]; };

struct relations *relations_open(void)
{
	struct relations *r = mem_zero(1, sizeof *r);

	secret_fill(&r->secret, sizeof r->secret);
	r->secret |= 1;
	return r;
}

void relations_close(struct relations *r)
{
	free(r);
}

static struct last *slot_of(struct relations *r, uint32_t src)
{
	return &r->slots[(src ^ r->secret >> 32) * r->secret >> 49];
}

/* A SYN that one packet does not tell the tool of: what is told already would only push others out. */
static bool is_riddle(const struct packet *p)
{
	enum { NEEDED = PACKET_FLAGS | PACKET_SEQ | PACKET_DST };

	/* without jumps: which comes next is as good as random */
	return ((unsigned)(p->proto ^ PROTO_TCP) | (unsigned)(p->kind ^ KIND_SCAN) | p->mark | (~p->known & NEEDED)) == 0 && addr_is_v4(&p->src) &&
		addr_is_v4(&p->dst);
}

/* Nmap 7 draws a raw SYN's window from 1,024 to 4,096 in steps of 1,024 (version 7.93 sends 1,024 alone), and one option,
 * the segment size. */
static bool nmap_shape(const struct packet *p)
{
	return p->known & PACKET_WINDOW && (p->window == 1024 || p->window == 2048 || p->window == 3072 || p->window == 4096) &&
		(p->tcp_header == 24 || p->tcp_header == 0);
}

static uint8_t agree(const struct last *before, const struct last *now, const struct packet *p)
{
	uint32_t difference = before->seq ^ now->seq;

	bool again = before->keys[0] == now->keys[0];

	/* the same number for the same port once more is a retry; for another port it is Nmap's mask with equal tries */
	if (before->src != now->src || (difference == 0 && again))
		return 0;
	if (difference && (again || before->keys[1] == now->keys[1]))
		return MARK_UNICORN;
	return nmap_shape(p) && difference >> 16 == (difference & 0xffff) ? MARK_NMAP : 0;
}

static void note(struct relations *r, struct packet *p)
{
	uint32_t dst = addr_to_v4(&p->dst), ports = (uint32_t)p->dport << 16 | p->sport;
	struct last now = { addr_to_v4(&p->src), p->seq, { p->seq ^ dst ^ ports, p->seq ^ __builtin_bswap32(dst) ^ ports } };
	struct last *slot = slot_of(r, now.src);

	p->mark = agree(slot, &now, p);
	*slot = now;
}

/* The slots are asked for together, and looked into when they have come. */
void relations_note(struct relations *r, struct packet *list, size_t n)
{
	struct packet *riddles[BURST];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		riddles[len] = &list[i];
		len += is_riddle(&list[i]);
		__builtin_prefetch(slot_of(r, addr_to_v4(&list[i].src)), 1);
		if (len < BURST && i + 1 < n)
			continue;
		for (size_t k = 0; k < len; k++)
			note(r, riddles[k]);
		len = 0;
	}
}
