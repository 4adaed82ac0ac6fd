#include "core/watch.h"

#include "base/mem.h"

#include <assert.h>

void watch_release(struct watch *w)
{
	free(w->runs);
	*w = (struct watch){ 0 };
}

/* Appends, joining a run of equal seconds that touches the last one. */
static void push(struct watch *w, struct run r)
{
	if (r.from >= r.until || r.seconds == 0)
		return;
	struct run *last = w->len ? &w->runs[w->len - 1] : NULL;
	if (last && last->until == r.from && last->seconds == r.seconds) {
		last->until = r.until;
		return;
	}
	MEM_GROW(w->runs, w->len, w->cap);
	w->runs[w->len++] = r;
}

/* Index of the first run that ends after the minute. */
static size_t first_after(const struct watch *w, minute_t at)
{
	size_t low = 0, high = w->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (w->runs[middle].until > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static uint8_t together(unsigned a, unsigned b)
{
	return (uint8_t)(a + b > 60 ? 60 : a + b);
}

/* Lays r over the runs that it touches (all in old), pushing the pieces onto w. */
static void overlay(struct watch *w, const struct run *old, size_t n, struct run r)
{
	minute_t at = r.from;

	for (size_t i = 0; i < n; i++) {
		const struct run o = old[i];
		minute_t from = o.from > r.from ? o.from : r.from, until = o.until < r.until ? o.until : r.until;

		push(w, (struct run){ o.from, from, o.seconds });
		push(w, (struct run){ at, from, r.seconds });
		push(w, (struct run){ from, until, together(o.seconds, r.seconds) });
		push(w, (struct run){ until, o.until, o.seconds });
		at = until;
	}
	push(w, (struct run){ at, r.until, r.seconds });
}

void watch_add(struct watch *w, struct run r)
{
	assert(r.from < r.until && r.seconds >= 1 && r.seconds <= 60);
	size_t first = first_after(w, r.from), last = first;

	while (last < w->len && w->runs[last].from < r.until)
		last++;
	if (first == w->len) {                  /* what sensors do all the time: go on where the last run ended */
		push(w, r);
		return;
	}
	size_t tail = w->len - first;
	struct run *old = mem_resize(NULL, tail, sizeof *old);
	memcpy(old, w->runs + first, tail * sizeof *old);
	w->len = first;
	overlay(w, old, last - first, r);
	for (size_t i = last - first; i < tail; i++)
		push(w, old[i]);
	free(old);
}

uint64_t watch_seconds(const struct watch *w, struct span s)
{
	uint64_t sum = 0;

	for (size_t i = first_after(w, s.from); i < w->len && w->runs[i].from < s.until; i++) {
		struct span both = span_both(s, (struct span){ w->runs[i].from, w->runs[i].until });

		sum += (uint64_t)span_minutes(both) * w->runs[i].seconds;
	}
	return sum;
}

struct span watch_span(const struct watch *w)
{
	if (w->len == 0)
		return (struct span){ 0, 0 };
	return (struct span){ w->runs[0].from, w->runs[w->len - 1].until };
}
