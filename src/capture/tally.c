#include "capture/tally.h"

#include "base/mem.h"
#include "base/radix.h"
#include "base/secret.h"
#include "capture/packet.h"

#include <assert.h>

enum {
	NAMES = TALLY_SENSORS_MAX * 2,
	SLOTS_MIN = 256,
	BURST = 64,                     /* packets whose places are fetched ahead together */
	WATCHED_S = 60,
	DSTS_SHIFT = 29,                /* of row.more: how many destinations, above where the further ones are */
};

/* A tuple being counted: half a cache line. The place of an IPv6 one has its address behind the row. */
struct row {
	uint64_t what;                  /* minute, protocol, kind, port, flags, mark: see what_of */
	uint32_t src;                   /* IPv4; 0 for IPv6 */
	uint32_t packets;               /* 0: the place is free */
	uint32_t dst;                   /* the first address hit: IPv4 as it is, IPv6 folded to as many bits */
	uint32_t more;                  /* dsts << DSTS_SHIFT | place in `further`, from two destinations on */
	uint32_t bytes_low;
	uint16_t sport;
	uint8_t ttl, bytes_high;
};

/* Open addressing with linear steps. */
struct table { uint8_t *places; bool v6; size_t cap, len; };

struct post { char name[SENSOR_NAME_MAX]; uint64_t serials; struct table v4, v6; };

struct tally {
	uint64_t secret[2];             /* of the hash: nobody outside can choose keys that meet */
	size_t len, rows_max;           /* rows of all tables */
	struct post *posts; size_t posts_len, posts_cap;
	uint16_t names[NAMES];          /* open addressing: number of the post + 1, 0 free */
	uint32_t (*further)[DSTS_MORE - 2]; size_t further_len, further_cap;    /* second to fourth destination of rows */
};

/* What a packet is looked up by. */
struct entry { uint64_t hash, what; struct table *table; };

struct tally *tally_open(size_t rows_max)
{
	struct tally *t = mem_zero(1, sizeof *t);

	assert(rows_max > 0 && rows_max <= TALLY_ROWS_MAX);
	t->rows_max = rows_max;
	secret_fill(t->secret, sizeof t->secret);
	return t;
}

void tally_close(struct tally *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->posts_len; i++) {
		free(t->posts[i].v4.places);
		free(t->posts[i].v6.places);
	}
	free(t->posts);
	free(t->further);
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
		if (t->names[i] && !strcmp(t->posts[t->names[i] - 1].name, name))
			return t->names[i] - 1;
		if (t->names[i])
			continue;
		if (t->posts_len == TALLY_SENSORS_MAX)
			return -1;
		MEM_GROW(t->posts, t->posts_len, t->posts_cap);
		t->posts[t->posts_len] = (struct post){ .v6 = { .v6 = true } };
		memcpy(t->posts[t->posts_len].name, name, strlen(name) + 1);
		t->names[i] = (uint16_t)++t->posts_len;
		return t->names[i] - 1;
	}
}

const char *tally_sensor_name(const struct tally *t, size_t number)
{
	assert(number < t->posts_len);
	return t->posts[number].name;
}

size_t tally_sensors(const struct tally *t)
{
	return t->posts_len;
}

static size_t place_bytes(const struct table *t)
{
	return sizeof(struct row) + (t->v6 ? sizeof(struct addr) : 0);
}

static struct row *row_at(const struct table *t, size_t i)
{
	return (struct row *)(void *)(t->places + i * place_bytes(t));
}

static struct addr src_of(const struct row *r, bool v6)
{
	struct addr a;

	if (!v6)
		return addr_v4(r->src);
	memcpy(a.b, r + 1, sizeof a.b);
	return a;
}

/* minute: 27 bits, protocol: 2, kind: 2, port: 16, flags: 8, mark: 8. */
static uint64_t what_of(const struct packet *p)
{
	return (uint64_t)(p->time_s / 60) << 36 | (uint64_t)proto_index(p->proto) << 34 | (uint64_t)p->kind << 32 |
		(uint64_t)p->port << 16 | (uint64_t)p->flags << 8 | p->mark;
}

/* Both halves of the product of two secret-keyed words. */
static uint64_t folded_product(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static uint64_t hash_of(const uint64_t secret[2], const struct addr *src, uint64_t what, bool v6)
{
	uint64_t h = folded_product(addr_lo(src) ^ secret[0], what ^ secret[1]);

	return v6 ? folded_product(h ^ secret[1], addr_hi(src) ^ secret[0]) : h;
}

static uint32_t folded(const struct addr *a)
{
	uint64_t h;

	if (addr_is_v4(a))
		return addr_to_v4(a);
	h = mix(addr_hi(a), addr_lo(a));
	return (uint32_t)(h >> 32 ^ h);
}

static uint64_t row_bytes(const struct row *r)
{
	return (uint64_t)r->bytes_high << 32 | r->bytes_low;
}

static void set_bytes(struct row *r, uint64_t bytes)
{
	r->bytes_high = (uint8_t)(bytes >> 32);
	r->bytes_low = (uint32_t)bytes;
}

/* One more destination of the row; beyond four they are only "more", and one unknown makes them unknown. */
static void note_dst(struct tally *t, struct row *r, const struct packet *p)
{
	unsigned n = r->more >> DSTS_SHIFT, at = r->more & ((1u << DSTS_SHIFT) - 1);

	if (n == 0 || !(p->known & PACKET_DST)) {
		r->more = 0;
		return;
	}
	uint32_t dst = folded(&p->dst);
	if (n == DSTS_MORE || r->dst == dst)
		return;
	for (unsigned i = 0; i + 1 < n; i++)
		if (t->further[at][i] == dst)
			return;
	if (n == 1) {
		MEM_GROW(t->further, t->further_len, t->further_cap);
		at = (unsigned)t->further_len++;
	}
	if (n < DSTS_MORE - 1)
		t->further[at][n - 1] = dst;
	r->more = (n + 1) << DSTS_SHIFT | at;
}

static void merge(struct tally *t, struct row *r, const struct packet *p)
{
	note_dst(t, r, p);
	r->packets += p->packets;
	set_bytes(r, row_bytes(r) + p->bytes);
	r->ttl = r->ttl > p->ttl ? r->ttl : p->ttl;
	if (r->sport != p->sport)
		r->sport = 0;
}

static void begin(struct row *r, const struct packet *p, uint64_t what, bool v6)
{
	bool known = p->known & PACKET_DST;

	*r = (struct row){ .what = what, .src = v6 ? 0 : addr_to_v4(&p->src), .packets = p->packets, .sport = p->sport, .ttl = p->ttl,
		.dst = known ? folded(&p->dst) : 0, .more = known ? 1u << DSTS_SHIFT : 0 };
	set_bytes(r, p->bytes);
	if (v6)
		memcpy(r + 1, p->src.b, sizeof p->src.b);
}

static bool fits(const struct row *r, const struct packet *p)
{
	return r->packets <= UINT32_MAX - p->packets && row_bytes(r) + p->bytes <= PACKET_BYTES_MAX;
}

static bool same_source(const struct row *r, const struct packet *p, bool v6)
{
	return v6 ? !memcmp(r + 1, p->src.b, sizeof p->src.b) : r->src == addr_to_v4(&p->src);
}

/* The packet's row, or a free place for it. A row that is full to the brim is passed: a second one of its key follows,
 * and both add up. */
static struct row *find(const struct entry *e, const struct packet *p)
{
	const struct table *t = e->table;

	for (size_t i = e->hash & (t->cap - 1); ; i = (i + 1) & (t->cap - 1)) {
		struct row *r = row_at(t, i);

		if (r->packets == 0 || (r->what == e->what && same_source(r, p, t->v6) && fits(r, p)))
			return r;
	}
}

static void grow(struct tally *t, struct table *table)
{
	struct table old = *table;

	table->cap = old.cap ? old.cap * 2 : SLOTS_MIN;
	table->places = mem_table(table->cap, place_bytes(table));
	for (size_t i = 0; i < old.cap; i++) {
		const struct row *r = row_at(&old, i);

		if (r->packets == 0)
			continue;
		struct addr src = src_of(r, old.v6);
		size_t at = hash_of(t->secret, &src, r->what, old.v6) & (table->cap - 1);
		while (row_at(table, at)->packets)
			at = (at + 1) & (table->cap - 1);
		memcpy(row_at(table, at), r, place_bytes(table));
	}
	free(old.places);
}

static struct entry entry_of(const struct tally *t, struct post *post, const struct packet *p)
{
	bool v6 = !addr_is_v4(&p->src);
	struct entry e = { .what = what_of(p), .table = v6 ? &post->v6 : &post->v4 };

	e.hash = hash_of(t->secret, &p->src, e.what, v6);
	if (e.table->cap)
		__builtin_prefetch(row_at(e.table, e.hash & (e.table->cap - 1)), 1);
	return e;
}

static void count(struct tally *t, const struct entry *e, const struct packet *p)
{
	struct table *table = e->table;

	if (table->len * 8 >= table->cap * 5)
		grow(t, table);
	struct row *r = find(e, p);
	if (r->packets) {
		merge(t, r, p);
		return;
	}
	begin(r, p, e->what, table->v6);
	table->len++;
	t->len++;
}

/* Memory is slow and patient: the places of a burst are asked for together, and looked into when they have come. */
size_t tally_add(struct tally *t, int sensor, const struct packet *list, size_t n)
{
	struct entry entries[BURST];
	size_t done = 0;

	assert(sensor >= 0 && (size_t)sensor < t->posts_len);
	while (done < n) {
		size_t len = n - done < BURST ? n - done : BURST;

		for (size_t i = 0; i < len; i++)
			entries[i] = entry_of(t, &t->posts[sensor], &list[done + i]);
		for (size_t i = 0; i < len; i++, done++) {
			if (tally_full(t))
				return done;
			count(t, &entries[i], &list[done]);
		}
	}
	return done;
}

bool tally_full(const struct tally *t)
{
	return t->len >= t->rows_max;
}

struct list { uint64_t epoch; struct batch *at; size_t len, cap; };

static struct batch *new_batch(struct tally *t, size_t sensor, struct span span, struct list *l)
{
	MEM_GROW(l->at, l->len, l->cap);
	struct batch *b = &l->at[l->len++];
	*b = (struct batch){ .epoch = l->epoch, .serial = ++t->posts[sensor].serials, .span = span };
	memcpy(b->sensor, t->posts[sensor].name, sizeof b->sensor);
	return b;
}

/* Rows that begin at `rows`, in order, and are no longer apart than a batch may span. */
static size_t fitting(const struct tuple *rows, size_t len)
{
	size_t n = 1;

	while (n < len && rows[n].minute - rows[0].minute < BATCH_MINUTES_MAX)
		n++;
	return n;
}

static minute_t minute_of(uint64_t what)
{
	return (minute_t)(what >> 36);
}

static uint16_t port_of(uint64_t what)
{
	return (uint16_t)(what >> 16);
}

static struct tuple tuple_of(const struct row *r, bool v6)
{
	return (struct tuple){ .src = src_of(r, v6), .minute = minute_of(r->what), .port = port_of(r->what),
		.proto = (uint8_t)proto_numbered(r->what >> 34 & 3), .flags = (uint8_t)(r->what >> 8), .mark = (uint8_t)r->what, .kind = r->what >> 32 & 3,
		.ttl = r->ttl, .dsts = (uint8_t)(r->more >> DSTS_SHIFT), .sport = r->sport, .packets = r->packets, .bytes = row_bytes(r) };
}

enum { PLACE_BITS = 21, AHEAD = 16 };

/* The table's places that hold a row, by minute and port: a rank and the place below it. `keys` has room for twice as many. */
static const uint64_t *in_order(const struct table *t, uint64_t *keys)
{
	for (size_t i = 0, n = 0; n < t->len; i++) {
		const struct row *r = row_at(t, i);

		keys[n] = tuple_rank(minute_of(r->what), port_of(r->what)) << PLACE_BITS | i;
		n += r->packets > 0;
	}
	return radix_sort(keys, keys + t->len, t->len, PLACE_BITS);
}

static const struct row *row_of(const struct table *t, uint64_t key)
{
	return row_at(t, key & ((1u << PLACE_BITS) - 1));
}

/* All rows of the post by minute and port. */
static struct tuple *copy_rows(const struct post *p)
{
	size_t v4 = p->v4.len, v6 = p->v6.len, a = 0, b = 0;
	struct tuple *rows = mem_resize(NULL, v4 + v6, sizeof *rows);
	uint64_t *keys = mem_resize(NULL, 2 * (v4 + v6) + 1, sizeof *keys);
	const uint64_t *x = in_order(&p->v4, keys), *y = in_order(&p->v6, keys + 2 * v4);

	while (a + b < v4 + v6) {
		bool first = b == v6 || (a < v4 && x[a] >> PLACE_BITS <= y[b] >> PLACE_BITS);

		rows[a + b] = first ? tuple_of(row_of(&p->v4, x[a]), false) : tuple_of(row_of(&p->v6, y[b]), true);
		if (a + AHEAD < v4)
			__builtin_prefetch(row_of(&p->v4, x[a + AHEAD]), 0);
		a += first;
		b += !first;
	}
	free(keys);
	return rows;
}

static void clear(struct table *t)
{
	if (t->len)
		memset(t->places, 0, t->cap * place_bytes(t));
	t->len = 0;
}

/* Rows that lie further apart than a batch may span become several batches. */
static void cut_post(struct tally *t, size_t sensor, struct list *l)
{
	struct post *p = &t->posts[sensor];
	size_t len = p->v4.len + p->v6.len;

	if (len == 0)
		return;
	struct tuple *rows = copy_rows(p);
	clear(&p->v4);
	clear(&p->v6);
	for (size_t i = 0, n; i < len; i += n) {
		n = fitting(rows + i, len - i);
		struct batch *b = new_batch(t, sensor, (struct span){ rows[i].minute, rows[i + n - 1].minute + 1 }, l);
		b->rows = n == len ? rows : memcpy(mem_resize(NULL, n, sizeof *rows), rows + i, n * sizeof *rows);
		b->len = b->cap = n;
		for (size_t k = 0; k < n; k++)
			b->seen += b->rows[k].packets;
	}
	if (l->at[l->len - 1].rows != rows)
		free(rows);
}

static void cut_rows(struct tally *t, struct list *l)
{
	for (size_t i = 0; i < t->posts_len; i++)
		cut_post(t, i, l);
	t->len = t->further_len = 0;
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
	for (size_t i = 0; i < t->posts_len && !span_empty(looked); i++) {
		struct batch *b = last_of(&l, t->posts[i].name, looked);

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
