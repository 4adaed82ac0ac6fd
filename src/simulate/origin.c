#include "simulate/origin.h"

#include "base/mem.h"
#include "simulate/chance.h"
#include "simulate/scenario.h"
#include "store/regions.h"

enum { LETTERS = 26, PLACES = LETTERS * LETTERS };

/* The IPv4 ranges of one region; before[i] counts the addresses in those before the i-th. */
struct place { size_t len, cap; uint32_t *from; uint64_t *before; uint64_t addresses; };
/* A mix as the table allows it: places with rising sums of weights. */
struct blend { size_t len; struct { const struct place *place; double sum; } list[MIX_REGIONS_MAX]; };

struct origins {
	struct place places[PLACES];
	struct blend *blends;
};

static struct place *place_of(struct origins *o, const char region[3])
{
	return &o->places[(region[0] - 'A') * LETTERS + region[1] - 'A'];
}

static void place_add(struct place *p, const struct range *r)
{
	size_t cap = p->cap;

	MEM_GROW(p->from, p->len, cap);
	MEM_GROW(p->before, p->len, p->cap);
	p->from[p->len] = addr_to_v4(&r->from);
	p->before[p->len++] = p->addresses;
	p->addresses += (uint64_t)addr_to_v4(&r->to) - addr_to_v4(&r->from) + 1;
}

static void blend_make(struct origins *o, const struct mix *m, struct blend *b)
{
	double sum = 0;

	for (size_t i = 0; i < m->len; i++) {
		const struct place *p = place_of(o, m->list[i].region);

		if (p->addresses == 0 || m->list[i].weight <= 0)
			continue;
		sum += m->list[i].weight;
		b->list[b->len].place = p;
		b->list[b->len++].sum = sum;
	}
}

struct origins *origins_make(const struct scenario *s, const struct regions *regions)
{
	struct origins *o = mem_zero(1, sizeof *o);

	for (size_t i = 0; i < regions_len(regions); i++) {
		struct range r = regions_at(regions, i);

		if (addr_is_v4(&r.from))
			place_add(place_of(o, r.region), &r);
	}
	o->blends = mem_zero(s->mixes_len, sizeof *o->blends);
	for (size_t i = 0; i < s->mixes_len; i++)
		blend_make(o, &s->mixes[i], &o->blends[i]);
	return o;
}

void origins_free(struct origins *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < PLACES; i++) {
		free(o->places[i].from);
		free(o->places[i].before);
	}
	free(o->blends);
	free(o);
}

/* RFC 6890's blocks that no packet on the Internet comes from, the large ones. */
static bool unicast(uint32_t a)
{
	uint32_t first = a >> 24;

	return first > 0 && first != 10 && first != 127 && first < 224 && a >> 22 != 0x64400000u >> 22 &&
		a >> 16 != 0xa9fe && a >> 20 != 0xac1 && a >> 16 != 0xc0a8;
}

static uint32_t anywhere(struct chance *c)
{
	uint32_t a;

	do
		a = (uint32_t)(chance_next(c) >> 32);
	while (!unicast(a));
	return a;
}

static uint32_t inside(const struct place *p, struct chance *c)
{
	uint64_t nth = (uint64_t)(chance_share(c) * (double)p->addresses);
	size_t low = 0, high = p->len;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (p->before[middle] <= nth)
			low = middle;
		else
			high = middle;
	}
	return p->from[low] + (uint32_t)(nth - p->before[low]);
}

struct addr origins_pick(const struct origins *o, unsigned mix, struct chance *c)
{
	const struct blend *b = &o->blends[mix];
	size_t i = 0;

	if (b->len == 0)
		return addr_v4(anywhere(c));
	for (double at = chance_share(c) * b->list[b->len - 1].sum; i + 1 < b->len && b->list[i].sum <= at; )
		i++;
	return addr_v4(inside(b->list[i].place, c));
}
