#include "capture/eye.h"

#include "base/mem.h"
#include "capture/account.h"
#include "capture/decode.h"
#include "capture/flows.h"
#include "capture/packet.h"
#include "capture/pcapfile.h"
#include "capture/reading.h"
#include "capture/relations.h"
#include "core/tuple.h"

struct eye {
	const struct reading *how;
	struct relations *relations;
	struct flows *flows;            /* NULL where nobody said what is ours */
	unsigned link;                  /* of the frame before: one that is read */
	int unknown_link;
};

struct eye *eye_open(const struct reading *how)
{
	struct eye *e = mem_zero(1, sizeof *e);

	e->how = how;
	e->relations = relations_open();
	e->flows = how->watched_len ? flows_open() : NULL;
	e->link = LINK_RAW;
	e->unknown_link = -1;
	return e;
}

void eye_close(struct eye *e)
{
	if (!e)
		return;
	relations_close(e->relations);
	flows_close(e->flows);
	free(e);
}

/* An error about a packet that one of ours sent is an answer; about another it was meant for somebody whose address we
 * have, or is made up. */
static void note_quoted(const struct reading *how, const struct packet *p, struct account *a)
{
	struct packet quoted;
	bool known = decode_quoted(p, &quoted) == REFUSAL_NONE;

	a->errors++;
	a->foreign += !known || !reading_watches(how, &quoted.src);
}

/* Router and neighbour discovery, which no router passes on (RFC 4861): how hosts of one wire find each other. */
static bool is_neighbourly(const struct packet *p)
{
	return p->proto == PROTO_ICMPV6 && p->icmp_type >= 133 && p->icmp_type <= 137 && p->ttl == 255;
}

/* Where we know which addresses are ours: what they send themselves opens connections, and what answers those was asked
 * for. A source that is ours never goes further, whatever it is sent to. */
static enum refusal judge_by_ours(struct eye *e, const struct frame *f, const struct packet *p)
{
	if (f->outgoing || p->sent || reading_watches(e->how, &p->src)) {
		enum refusal by_time = reading_judge_time(e->how, p->time_s);

		if (!by_time)
			flows_sent(e->flows, p);
		return by_time ? by_time : REFUSAL_LEAVING;
	}
	enum refusal refusal = reading_judge(e->how, p);
	if (refusal)
		return refusal;
	return is_neighbourly(p) ? REFUSAL_NEIGHBOUR : flows_answered(e->flows, p) ? REFUSAL_ANSWER : REFUSAL_NONE;
}

static enum refusal judge(struct eye *e, const struct frame *f, struct packet *out)
{
	enum refusal refusal;

	if (f->link != e->link && !decode_knows(f->link)) {
		e->unknown_link = (int)f->link;
		return REFUSAL_LINK;
	}
	e->link = f->link;
	refusal = decode_frame(f->link, f->bytes, f->captured, out);
	if (refusal)
		return refusal;
	if (!f->timed)
		return REFUSAL_NO_TIME;
	out->time_s = f->time_s;
	if (f->elsewhere)
		return REFUSAL_NOT_WATCHED;
	return e->flows ? judge_by_ours(e, f, out) : f->outgoing ? REFUSAL_LEAVING : reading_judge(e->how, out);
}

enum refusal eye_see(struct eye *e, const struct frame *f, struct account *a, struct packet *out)
{
	enum refusal refusal = judge(e, f, out);

	if (refusal) {
		account_refuse(a, refusal, f->number);
		return refusal;
	}
	account_count(a, out);
	if (out->kind == KIND_ERROR)
		note_quoted(e->how, out, a);
	return REFUSAL_NONE;
}

void eye_relate(struct eye *e, struct packet *list, size_t n)
{
	relations_note(e->relations, list, n);
}

int eye_unknown_link(const struct eye *e)
{
	return e->unknown_link;
}
