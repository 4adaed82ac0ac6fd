#include "capture/tally.h"

#include "base/mem.h"
#include "capture/packet.h"

#include <assert.h>

enum {
	SLOTS = TALLY_ROWS_MAX * 2,     /* at most half full */
	NAMES = TALLY_SENSORS_MAX * 2,
	WATCHED_S = 60,
};

/* A tuple being counted, and the addresses it hit: IPv4 ones as they are, IPv6 ones folded to as many bits. */
struct row {
	struct tuple tuple;
	uint32_t dst[DSTS_MORE - 1];
	uint16_t sensor;
};

struct tally {
	struct row *rows; size_t len, cap;
	uint32_t *slots;                /* open addressing: number of the row + 1, 0 free */
	struct { char name[SENSOR_NAME_MAX]; uint64_t serials; } sensors[TALLY_SENSORS_MAX];
	size_t sensors_len;
	uint16_t names[NAMES];          /* the same for the sensors by name */
};

struct tally *tally_open(void)
{
	struct tally *t = mem_zero(1, sizeof *t);

	t->slots = mem_zero(SLOTS, sizeof *t->slots);
	return t;
}

void tally_close(struct tally *t)
{
	if (!t)
		return;
	free(t->rows);
	free(t->slots);
	free(t);
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

int tally_sensor(struct tally *t, const char *name)
{
	uint64_t h = 1;

	assert(sensor_name_valid(name));
	for (const char *c = name; *c; c++)
		h = mix(h, (unsigned char)*c);
	for (size_t i = h % NAMES; ; i = (i + 1) % NAMES) {
		if (t->names[i] && !strcmp(t->sensors[t->names[i] - 1].name, name))
			return t->names[i] - 1;
		if (t->names[i])
			continue;
		if (t->sensors_len == TALLY_SENSORS_MAX)
			return -1;
		memcpy(t->sensors[t->sensors_len].name, name, strlen(name) + 1);
		t->names[i] = (uint16_t)++t->sensors_len;
		return t->names[i] - 1;
	}
}

const char *tally_sensor_name(const struct tally *t, size_t number)
{
	assert(number < t->sensors_len);
	return t->sensors[number].name;
}

size_t tally_sensors(const struct tally *t)
{
	return t->sensors_len;
}

static uint64_t hash(const struct tuple *t, unsigned sensor)
{
	uint64_t h = mix(sensor, addr_hi(&t->src));

	h = mix(h, addr_lo(&t->src));
	h = mix(h, (uint64_t)t->minute << 32 | (uint64_t)t->port << 16 | (uint64_t)t->proto << 8 | t->flags);
	return mix(h, (uint64_t)t->mark << 8 | t->kind);
}

static uint32_t folded(const struct addr *a)
{
	uint64_t h;

	if (addr_is_v4(a))
		return addr_to_v4(a);
	h = mix(addr_hi(a), addr_lo(a));
	return (uint32_t)(h >> 32 ^ h);
}

/* One more destination of the row; beyond four they are only "more", and one unknown makes them unknown. */
static void note_dst(struct row *r, const struct packet *p)
{
	uint32_t dst = folded(&p->dst);

	if (!(p->known & PACKET_DST) || r->tuple.dsts == 0) {
		r->tuple.dsts = 0;
		return;
	}
	if (r->tuple.dsts == DSTS_MORE)
		return;
	for (unsigned i = 0; i < r->tuple.dsts; i++)
		if (r->dst[i] == dst)
			return;
	if (r->tuple.dsts < DSTS_MORE - 1)
		r->dst[r->tuple.dsts] = dst;
	r->tuple.dsts++;
}

static void merge(struct row *r, const struct tuple *one, const struct packet *p)
{
	uint8_t dsts;

	note_dst(r, p);
	dsts = r->tuple.dsts;
	tuple_merge(&r->tuple, one);
	r->tuple.dsts = dsts;
}

void tally_add(struct tally *t, int sensor, const struct packet *p)
{
	struct tuple one;
	size_t i;

	assert(!tally_full(t) && sensor >= 0 && (size_t)sensor < t->sensors_len);
	packet_tuple(p, &one);
	for (i = hash(&one, (unsigned)sensor) % SLOTS; t->slots[i]; i = (i + 1) % SLOTS) {
		struct row *r = &t->rows[t->slots[i] - 1];

		if (r->sensor != sensor || tuple_cmp(&r->tuple, &one) != 0)
			continue;
		if (r->tuple.packets <= UINT32_MAX - one.packets) {
			merge(r, &one, p);
			return;
		}
		break;          /* full to the brim: a second row of the same key takes its slot, both add up */
	}
	MEM_GROW(t->rows, t->len, t->cap);
	t->rows[t->len] = (struct row){ .tuple = one, .dst = { folded(&p->dst) }, .sensor = (uint16_t)sensor };
	t->slots[i] = (uint32_t)++t->len;
}

bool tally_full(const struct tally *t)
{
	return t->len == TALLY_ROWS_MAX;
}

static int by_sensor(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->sensor != y->sensor)
		return x->sensor < y->sensor ? -1 : 1;
	int by_key = tuple_cmp(&x->tuple, &y->tuple);
	if (by_key)
		return by_key;
	/* the same key twice: the fuller one is the older one */
	return x->tuple.packets > y->tuple.packets ? -1 : x->tuple.packets < y->tuple.packets;
}

struct list { uint64_t epoch; struct batch *at; size_t len, cap; };

static struct batch *new_batch(struct tally *t, size_t sensor, struct span span, struct list *l)
{
	MEM_GROW(l->at, l->len, l->cap);
	struct batch *b = &l->at[l->len++];
	*b = (struct batch){ .epoch = l->epoch, .serial = ++t->sensors[sensor].serials, .span = span };
	memcpy(b->sensor, t->sensors[sensor].name, sizeof b->sensor);
	return b;
}

/* Rows that begin at `rows` and belong into one batch: of one sensor, and no longer apart than a batch may span. */
static size_t fitting(const struct row *rows, size_t len)
{
	size_t n = 1;

	while (n < len && rows[n].sensor == rows[0].sensor && rows[n].tuple.minute - rows[0].tuple.minute < BATCH_MINUTES_MAX)
		n++;
	return n;
}

static void rows_into(struct batch *b, const struct row *rows, size_t n)
{
	b->rows = mem_zero(n, sizeof *b->rows);
	b->cap = n;
	for (size_t i = 0; i < n; i++) {
		batch_add(b, &rows[i].tuple);
		b->seen += rows[i].tuple.packets;
	}
}

static void cut_rows(struct tally *t, struct list *l)
{
	if (t->len == 0)
		return;
	qsort(t->rows, t->len, sizeof *t->rows, by_sensor);
	for (size_t i = 0, n; i < t->len; i += n) {
		const struct row *first = &t->rows[i];

		n = fitting(first, t->len - i);
		struct span span = { first->tuple.minute, first[n - 1].tuple.minute + 1 };
		rows_into(new_batch(t, first->sensor, span, l), first, n);
	}
	t->len = 0;
	memset(t->slots, 0, SLOTS * sizeof *t->slots);
}

struct batch *tally_cut(struct tally *t, uint64_t epoch, size_t *len)
{
	struct list l = { .epoch = epoch };

	cut_rows(t, &l);
	*len = l.len;
	return l.at;
}

/* The sensor's last batch, if its span may be widened to hold all of `looked`. */
static struct batch *last_of(struct list *l, const char *sensor, struct span looked)
{
	for (size_t i = l->len; i-- > 0; ) {
		struct batch *b = &l->at[i];

		if (strcmp(b->sensor, sensor) != 0)
			continue;
		minute_t from = b->span.from < looked.from ? b->span.from : looked.from;
		minute_t until = b->span.until > looked.until ? b->span.until : looked.until;
		if (until - from > BATCH_MINUTES_MAX)
			return NULL;
		b->span = (struct span){ from, until };
		return b;
	}
	return NULL;
}

static void watch_whole(struct batch *b, struct span s)
{
	watch_add(&b->watched, (struct run){ s.from, s.until, WATCHED_S });
}

struct batch *tally_end(struct tally *t, uint64_t epoch, struct span looked, size_t *len)
{
	struct list l = { .epoch = epoch };

	cut_rows(t, &l);
	for (size_t i = 0; i < t->sensors_len && !span_empty(looked); i++) {
		struct batch *b = last_of(&l, t->sensors[i].name, looked);

		if (b) {
			watch_whole(b, looked);
			continue;
		}
		for (minute_t from = looked.from; from < looked.until; ) {
			minute_t until = looked.until - from > BATCH_MINUTES_MAX ? from + BATCH_MINUTES_MAX : looked.until;

			watch_whole(new_batch(t, i, (struct span){ from, until }, &l), (struct span){ from, until });
			from = until;
		}
	}
	*len = l.len;
	return l.at;
}

void batches_free(struct batch *list, size_t len)
{
	for (size_t i = 0; i < len; i++)
		batch_release(&list[i]);
	free(list);
}
