/* A sweep over the sorted ranges with two heaps, one of those that tell a region and one of those that tell an AS. */
#include "store/flatten.h"

#include "base/mem.h"

#include <assert.h>

struct heap { const struct range **list; size_t len, cap; };    /* narrowest first */
struct pieces { struct range *list; size_t len, cap; };

/* An IPv6 range around the whole block of IPv4 addresses has neither end in it. */
static bool swallows_v4(const struct range *r)
{
	const struct addr first = addr_v4(0), last = addr_v4(UINT32_MAX);

	return addr_cmp(&r->from, &first) < 0 && addr_cmp(&r->to, &last) > 0;
}

bool range_sound(const struct range *r)
{
	for (int i = 0; i < 2; i++)
		if (r->region[i] < 'A' || r->region[i] > 'Z')
			return false;
	return r->region[2] == '\0' && addr_cmp(&r->from, &r->to) <= 0 && addr_is_v4(&r->from) == addr_is_v4(&r->to) &&
		!swallows_v4(r);
}

static struct addr next_to(const struct addr *a)
{
	uint64_t lo = addr_lo(a) + 1;

	return addr_of(addr_hi(a) + (lo == 0), lo);
}

static struct addr before(const struct addr *a)
{
	uint64_t lo = addr_lo(a);

	return addr_of(addr_hi(a) - (lo == 0), lo - 1);
}

static struct addr width(const struct range *r)
{
	uint64_t lo = addr_lo(&r->to) - addr_lo(&r->from);

	return addr_of(addr_hi(&r->to) - addr_hi(&r->from) - (addr_lo(&r->to) < addr_lo(&r->from)), lo);
}

/* What ranges of equal width say is settled by the alphabet, so that the order of the input does not matter. */
static int by_width(const struct range *a, const struct range *b)
{
	struct addr wide_a = width(a), wide_b = width(b);
	int order = addr_cmp(&wide_a, &wide_b);

	if (order == 0)
		order = addr_cmp(&a->from, &b->from);
	if (order == 0)
		order = memcmp(a->region, b->region, 2);
	return order ? order : (a->as_number > b->as_number) - (a->as_number < b->as_number);
}

static int by_from(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	int order = addr_cmp(&x->from, &y->from);

	return order ? order : by_width(x, y);
}

static void heap_add(struct heap *h, const struct range *r)
{
	MEM_GROW(h->list, h->len, h->cap);
	size_t i = h->len++;
	for (; i > 0 && by_width(r, h->list[(i - 1) / 2]) < 0; i = (i - 1) / 2)
		h->list[i] = h->list[(i - 1) / 2];
	h->list[i] = r;
}

static void heap_drop(struct heap *h)
{
	const struct range *last = h->list[--h->len];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < h->len && by_width(h->list[child + 1], h->list[child]) < 0)
			child++;
		if (child >= h->len || by_width(last, h->list[child]) <= 0)
			break;
		h->list[i] = h->list[child];
		i = child;
	}
	h->list[i] = last;
}

/* The narrowest that still holds `at`; NULL for none. */
static const struct range *heap_at(struct heap *h, const struct addr *at)
{
	while (h->len && addr_cmp(&h->list[0]->to, at) < 0)
		heap_drop(h);
	return h->len ? h->list[0] : NULL;
}

static void add_piece(struct pieces *p, const struct range *piece)
{
	struct range *last = p->len ? &p->list[p->len - 1] : NULL;

	if (last) {
		struct addr next = next_to(&last->to);

		if (addr_cmp(&next, &piece->from) == 0 && addr_is_v4(&last->from) == addr_is_v4(&piece->from) &&
			!memcmp(last->region, piece->region, 2) && last->as_number == piece->as_number) {
			last->to = piece->to;
			return;
		}
	}
	MEM_GROW(p->list, p->len, p->cap);
	p->list[p->len++] = *piece;
}

/* The piece that begins at `at`: up to where a winner ends, or where the next range begins (NULL: there is none). */
static struct range piece_at(const struct range *region, const struct range *as, const struct addr *at,
	const struct range *next)
{
	struct range piece = { .from = *at, .to = region ? region->to : as->to, .region = "ZZ" };

	if (as && addr_cmp(&as->to, &piece.to) < 0)
		piece.to = as->to;
	if (next && addr_cmp(&next->from, &piece.to) <= 0)
		piece.to = before(&next->from);
	if (region)
		memcpy(piece.region, region->region, 2);
	if (as)
		piece.as_number = as->as_number;
	return piece;
}

size_t ranges_flatten(struct range *list, size_t len, struct range **out)
{
	struct heap regions = { 0 }, numbers = { 0 };
	struct pieces pieces = { 0 };
	size_t next = 0;
	struct addr at = { 0 };

	if (len)
		qsort(list, len, sizeof *list, by_from);
	for (;;) {
		for (; next < len && addr_cmp(&list[next].from, &at) <= 0; next++) {
			assert(range_sound(&list[next]));
			if (memcmp(list[next].region, "ZZ", 2) != 0)
				heap_add(&regions, &list[next]);
			if (list[next].as_number)
				heap_add(&numbers, &list[next]);
		}
		const struct range *region = heap_at(&regions, &at), *as = heap_at(&numbers, &at);
		if (!region && !as) {
			if (next == len)
				break;
			at = list[next].from;
			continue;
		}
		struct range piece = piece_at(region, as, &at, next < len ? &list[next] : NULL);
		add_piece(&pieces, &piece);
		at = next_to(&piece.to);
		if (addr_hi(&at) == 0 && addr_lo(&at) == 0)     /* behind the last address there is */
			break;
	}
	free(regions.list);
	free(numbers.list);
	*out = pieces.list;
	return pieces.len;
}
