#include "store/cube.h"

#include "base/mem.h"
#include "core/calendar.h"

#include <assert.h>

enum { TOLD_MAX = 1 << 18 };

void cube_init(struct cube *c)
{
	*c = (struct cube){ 0 };
	if (pthread_mutex_init(&c->lock, NULL) != 0)
		abort();        /* only for want of memory */
}

void cube_release(struct cube *c)
{
	free(c->cells);
	free(c->told);
	(void)pthread_mutex_destroy(&c->lock);
	*c = (struct cube){ 0 };
}

void cube_forget(struct cube *c)
{
	free(c->cells);
	free(c->told);
	c->cells = c->told = NULL;
	c->len = c->cap = c->told_len = c->told_cap = 0;
	c->filled = c->too_large = false;
}

static int place_order(const void *a, const void *b)
{
	const struct place_of *x = a, *y = b;

	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	return x->sensor == y->sensor ? 0 : x->sensor < y->sensor ? -1 : 1;
}

/* Equal ones become one; returns how many are left. */
static size_t joined(struct place_of *list, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		if (len && place_order(&list[len - 1], &list[i]) == 0)
			list[len - 1].packets += list[i].packets;
		else
			list[len++] = list[i];
	return len;
}

/* From the end, within the one list: no second one of its size is needed. */
static void merge(struct cube *c)
{
	qsort(c->told, c->told_len, sizeof *c->told, place_order);
	size_t i = c->len, k = joined(c->told, c->told_len), all = i + k, to = all;

	if (all > c->cap)
		c->cells = mem_resize(c->cells, c->cap = all + all / 16, sizeof *c->cells);
	while (k)
		if (i && place_order(&c->cells[i - 1], &c->told[k - 1]) > 0) {
			c->cells[--to] = c->cells[--i];
		} else {
			c->cells[--to] = c->told[--k];
			if (i && place_order(&c->cells[i - 1], &c->cells[to]) == 0)
				c->cells[to].packets += c->cells[--i].packets;
		}
	memmove(c->cells + i, c->cells + to, (all - to) * sizeof *c->cells);
	c->len = i + all - to;
	c->told_len = 0;
	c->too_large = c->len > CUBE_CELLS_MAX;
	if (c->too_large) {
		free(c->cells);
		c->cells = NULL;
		c->len = c->cap = 0;
	}
}

void cube_tell(struct cube *c, struct place_of one)
{
	if (c->too_large)
		return;
	/* neighbours of a batch often fall into one cell */
	if (c->told_len && place_order(&c->told[c->told_len - 1], &one) == 0) {
		c->told[c->told_len - 1].packets += one.packets;
		return;
	}
	MEM_GROW(c->told, c->told_len, c->told_cap);
	c->told[c->told_len++] = one;
	if (c->told_len == TOLD_MAX)
		merge(c);
}

bool cube_ready(struct cube *c)
{
	(void)pthread_mutex_lock(&c->lock);
	if (c->told_len)
		merge(c);
	bool ready = !c->too_large;
	(void)pthread_mutex_unlock(&c->lock);
	return ready;
}

/* First cell at or after (port, day). */
static size_t first_at(const struct cube *c, uint32_t port, uint16_t day)
{
	const struct place_of sought = { port, day, 0, 0 };
	size_t low = 0, high = c->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (place_order(&c->cells[middle], &sought) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum { BLOCK = 1024 };
struct block { struct cell cells[BLOCK]; size_t len; cell_fn *fn; void *to; const minute_t *starts; uint32_t first_day; };

static bool flush(struct block *b)
{
	bool go_on = b->len == 0 || b->fn(b->to, b->cells, b->len);

	b->len = 0;
	return go_on;
}

/* One port's cells within the days; *i ends at the next port's first. */
static bool port_cells(const struct cube *c, const struct want *w, uint16_t from, uint16_t until, size_t *i, struct block *b)
{
	uint32_t port = c->cells[*i].port;

	if (c->cells[*i].day < from)
		*i = first_at(c, port, from);
	for (; *i < c->len && c->cells[*i].port == port && c->cells[*i].day < until; (*i)++) {
		const struct place_of *p = &c->cells[*i];

		if (w->sensor && p->sensor != w->sensor)
			continue;
		b->cells[b->len++] = (struct cell){ { 0, port }, b->starts[p->day - b->first_day], p->sensor, p->packets };
		if (b->len == BLOCK && !flush(b))
			return false;
	}
	if (*i < c->len && c->cells[*i].port == port)
		*i = first_at(c, port + 1, 0);
	return true;
}

static bool ports_wanted(const struct want *w, uint32_t port)
{
	const struct question *q = w->question;
	const struct key k = { 0, port };

	return (q->proto < 0 || (int)(port >> 16) == q->proto) && (q->port < 0 || (int)(port & 0xffff) == q->port) && want_takes(w, &k);
}

bool cube_cells(const struct cube *c, const struct want *w, cell_fn *fn, void *to)
{
	uint32_t from = calendar_day(w->zone, w->span.from), until = calendar_day(w->zone, w->span.until);
	minute_t *starts = mem_zero(until - from + 1, sizeof *starts);
	struct block *b = mem_zero(1, sizeof *b);
	bool go_on = true;

	assert(until <= UINT16_MAX);
	for (uint32_t day = from; day <= until; day++)
		starts[day - from] = calendar_day_start(w->zone, day);
	b->fn = fn;
	b->to = to;
	b->starts = starts;
	b->first_day = from;
	for (size_t i = 0; i < c->len && go_on; )
		if (ports_wanted(w, c->cells[i].port))
			go_on = port_cells(c, w, (uint16_t)from, (uint16_t)until, &i, b);
		else
			i = first_at(c, c->cells[i].port + 1, 0);
	go_on = go_on && flush(b);
	free(starts);
	free(b);
	return go_on;
}
