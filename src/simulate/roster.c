#include "simulate/roster.h"

#include "base/mem.h"
#include "simulate/chance.h"
#include "simulate/purpose.h"
#include "simulate/scenario.h"

enum { SHORTEST_MIN = 10 };

struct gaps { struct span *list; size_t len, cap; };

static void gap_add(struct gaps *g, struct span s)
{
	MEM_GROW(g->list, g->len, g->cap);
	g->list[g->len++] = s;
}

static int by_from(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

/* Outages come with exponential gaps between them and exponential lengths. */
static void add_by_chance(const struct scenario *s, uint64_t seed, unsigned sensor, struct gaps *g)
{
	struct chance c = chance_of(seed, FOR_OUTAGES, sensor, 0, 0);

	if (s->chance_outages.every <= 0)
		return;
	for (double at = s->span.from; ; ) {
		at += chance_exponential(&c, s->chance_outages.every * MINUTES_PER_DAY);
		double until = at + SHORTEST_MIN + chance_exponential(&c, s->chance_outages.hours * 60);

		if (at >= s->span.until)
			return;
		gap_add(g, (struct span){ (minute_t)at, until < s->span.until ? (minute_t)until : s->span.until });
		at = until;
	}
}

void roster_watch(const struct scenario *s, uint64_t seed, unsigned sensor, struct watch *w)
{
	struct span there = span_both(s->span, (struct span){ s->sensors[sensor].joined, s->sensors[sensor].left });
	struct gaps g = { 0 };
	minute_t at = there.from;

	for (size_t i = 0; i < s->outages_len; i++)
		if (s->outages[i].sensor == sensor)
			gap_add(&g, s->outages[i].span);
	add_by_chance(s, seed, sensor, &g);
	if (g.len)
		qsort(g.list, g.len, sizeof *g.list, by_from);
	for (size_t i = 0; i < g.len && at < there.until; i++) {
		minute_t until = g.list[i].from < there.until ? g.list[i].from : there.until;

		if (until > at)
			watch_add(w, (struct run){ at, until, 60 });
		if (g.list[i].until > at)
			at = g.list[i].until;
	}
	if (at < there.until)
		watch_add(w, (struct run){ at, there.until, 60 });
	free(g.list);
}
