#include "capture/tally.h"

#include "base/mem.h"
#include "capture/packet.h"

#include <assert.h>
#include <sys/random.h>

enum {
	NAMES = TALLY_SENSORS_MAX * 2,
	SLOTS_MIN = 256,
	BURST = 32,                     /* packets whose places are fetched ahead together */
	WATCHED_S = 60,
	DSTS_SHIFT = 29,                /* of row.more: how many destinations, above where the further ones are */
};

/* A tuple being counted; 28 bytes, so that an IPv4 source and its row fill half a cache line. */
struct row {
	uint32_t when;                  /* minute << 4 | index of the protocol << 2 | kind */
	uint16_t port;
	uint8_t flags, mark;
	uint32_t packets;               /* 0: the place is free */
	uint32_t dst;                   /* the first address hit: IPv4 as it is, IPv6 folded to as many bits */
	uint32_t more;                  /* dsts << DSTS_SHIFT | place in `further`, from two destinations on */
	uint16_t sport;
	uint8_t ttl, bytes_high;
	uint32_t bytes_low;
};

/* Open addressing with linear steps; a place is the source, 4 or 16 bytes, and its row. */
struct table { uint8_t *places; size_t src_bytes, cap, len; };

struct post { char name[SENSOR_NAME_MAX]; uint64_t serials; struct table v4, v6; };

struct tally {
	uint64_t secret[2];             /* of the hash: nobody outside can choose keys that meet */
	size_t len;                     /* rows of all tables */
	struct post *posts; size_t posts_len, posts_cap;
	uint16_t names[NAMES];          /* open addressing: number of the post + 1, 0 free */
	uint32_t (*further)[DSTS_MORE - 2]; size_t further_len, further_cap;    /* second to fourth destination of rows */
};

/* A packet with what is looked up by. */
struct entry {
	uint64_t hash;
	struct row row;                 /* as it would stand alone */
	const struct addr *src;
	struct table *table;
	bool dst_known;
};

static const uint8_t protos[4] = { PROTO_ICMP, PROTO_TCP, PROTO_UDP, PROTO_ICMPV6 };

struct tally *tally_open(void)
{
	struct tally *t = mem_zero(1, sizeof *t);

	if (getrandom(t->secret, sizeof t->secret, 0) != (ssize_t)sizeof t->secret)
		abort();        /* never for 16 bytes, once the system runs */
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
		t->posts[t->posts_len] = (struct post){ .v4 = { .src_bytes = 4 }, .v6 = { .src_bytes = 16 } };
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
	return t->src_bytes + sizeof(struct row);
}

static uint8_t *place_at(const struct table *t, size_t i)
{
	return t->places + i * place_bytes(t);
}

static struct row *row_at(uint8_t *place, size_t src_bytes)
{
	return (struct row *)(void *)(place + src_bytes);
}

static const uint8_t *src_key(const struct addr *a, size_t src_bytes)
{
	return a->b + (sizeof a->b - src_bytes);
}

/* Both halves of the product of two secret-keyed words. */
static uint64_t folded_product(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static uint64_t hash_of(const uint64_t secret[2], const struct addr *src, const struct row *r)
{
	uint64_t what = (uint64_t)r->when << 32 | (uint32_t)r->port << 16 | (uint32_t)r->flags << 8 | r->mark;
	uint64_t h = folded_product(addr_lo(src) ^ secret[0], what ^ secret[1]);

	return addr_is_v4(src) ? h : folded_product(h ^ secret[1], addr_hi(src) ^ secret[0]);
}

static uint32_t folded(const struct addr *a)
{
	uint64_t h;

	if (addr_is_v4(a))
		return addr_to_v4(a);
	h = mix(addr_hi(a), addr_lo(a));
	return (uint32_t)(h >> 32 ^ h);
}

static unsigned proto_index(unsigned proto)
{
	return proto == PROTO_TCP ? 1 : proto == PROTO_UDP ? 2 : proto == PROTO_ICMP ? 0 : 3;
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

static struct entry entry_of(const struct tally *t, struct post *post, const struct packet *p)
{
	struct entry e = { .src = &p->src, .table = addr_is_v4(&p->src) ? &post->v4 : &post->v6, .dst_known = p->known & PACKET_DST };
	struct tuple one;

	packet_tuple(p, &one);
	e.row = (struct row){ .when = one.minute << 4 | proto_index(one.proto) << 2 | one.kind, .port = one.port, .flags = one.flags,
		.mark = one.mark, .packets = one.packets, .sport = one.sport, .ttl = one.ttl };
	set_bytes(&e.row, one.bytes);
	if (e.dst_known) {
		e.row.dst = folded(&p->dst);
		e.row.more = 1u << DSTS_SHIFT;
	}
	e.hash = hash_of(t->secret, e.src, &e.row);
	return e;
}

static bool same_key(const struct row *a, const struct row *b)
{
	return a->when == b->when && a->port == b->port && a->flags == b->flags && a->mark == b->mark;
}

/* One more destination of the row; beyond four they are only "more", and one unknown makes them unknown. */
static void note_dst(struct tally *t, struct row *r, const struct entry *e)
{
	unsigned n = r->more >> DSTS_SHIFT, at = r->more & ((1u << DSTS_SHIFT) - 1);

	if (n == 0 || !e->dst_known) {
		r->more = 0;
		return;
	}
	if (n == DSTS_MORE || r->dst == e->row.dst)
		return;
	for (unsigned i = 0; i + 1 < n; i++)
		if (t->further[at][i] == e->row.dst)
			return;
	if (n == 1) {
		MEM_GROW(t->further, t->further_len, t->further_cap);
		at = (unsigned)t->further_len++;
	}
	if (n < DSTS_MORE - 1)
		t->further[at][n - 1] = e->row.dst;
	r->more = (n + 1) << DSTS_SHIFT | at;
}

static void merge(struct tally *t, struct row *r, const struct entry *e)
{
	note_dst(t, r, e);
	r->packets += e->row.packets;
	set_bytes(r, row_bytes(r) + row_bytes(&e->row));
	r->ttl = r->ttl > e->row.ttl ? r->ttl : e->row.ttl;
	if (r->sport != e->row.sport)
		r->sport = 0;
}

static bool fits(const struct row *r, const struct row *more)
{
	return r->packets <= UINT32_MAX - more->packets && row_bytes(r) + row_bytes(more) <= PACKET_BYTES_MAX;
}

/* The place of the entry's row, or a free one. A row that is full to the brim is passed: a second one of its key follows,
 * and both add up. */
static inline uint8_t *find(const struct table *t, size_t src_bytes, const struct entry *e)
{
	const uint8_t *src = src_key(e->src, src_bytes);

	for (size_t i = e->hash & (t->cap - 1); ; i = (i + 1) & (t->cap - 1)) {
		uint8_t *place = t->places + i * (src_bytes + sizeof(struct row));
		const struct row *r = row_at(place, src_bytes);

		if (r->packets == 0 || (same_key(r, &e->row) && !memcmp(place, src, src_bytes) && fits(r, &e->row)))
			return place;
	}
}

/* A row back as an address and a tuple. */
static struct tuple tuple_of(const uint8_t *place, size_t src_bytes)
{
	struct row r;
	struct addr src = { { 0 } };

	memcpy(&r, place + src_bytes, sizeof r);
	if (src_bytes == 4)
		src.b[10] = src.b[11] = 0xff;
	memcpy(src.b + (sizeof src.b - src_bytes), place, src_bytes);
	return (struct tuple){ .src = src, .minute = r.when >> 4, .port = r.port, .proto = protos[r.when >> 2 & 3], .flags = r.flags,
		.mark = r.mark, .kind = r.when & 3, .ttl = r.ttl, .dsts = (uint8_t)(r.more >> DSTS_SHIFT), .sport = r.sport,
		.packets = r.packets, .bytes = row_bytes(&r) };
}

static void grow(struct tally *t, struct table *table)
{
	struct table old = *table;

	table->cap = old.cap ? old.cap * 2 : SLOTS_MIN;
	table->places = mem_table(table->cap, place_bytes(table));
	for (size_t i = 0; i < old.cap; i++) {
		uint8_t *place = place_at(&old, i);
		const struct row *r = row_at(place, old.src_bytes);
		struct addr src;

		if (r->packets == 0)
			continue;
		src = tuple_of(place, old.src_bytes).src;
		size_t at = hash_of(t->secret, &src, r) & (table->cap - 1);
		while (row_at(place_at(table, at), table->src_bytes)->packets)
			at = (at + 1) & (table->cap - 1);
		memcpy(place_at(table, at), place, place_bytes(table));
	}
	free(old.places);
}

static void count(struct tally *t, const struct entry *e)
{
	struct table *table = e->table;

	if (table->len * 8 >= table->cap * 5)
		grow(t, table);
	uint8_t *place = table->src_bytes == 4 ? find(table, 4, e) : find(table, 16, e);
	struct row *r = row_at(place, table->src_bytes);
	if (r->packets) {
		merge(t, r, e);
		return;
	}
	memcpy(place, src_key(e->src, table->src_bytes), table->src_bytes);
	*r = e->row;
	table->len++;
	t->len++;
}

/* Memory is slow and patient: the places of a burst are asked for together, and found when they have come. */
size_t tally_add(struct tally *t, int sensor, const struct packet *list, size_t n)
{
	struct entry entries[BURST];
	size_t done = 0;

	assert(sensor >= 0 && (size_t)sensor < t->posts_len);
	while (done < n) {
		size_t len = n - done < BURST ? n - done : BURST;

		for (size_t i = 0; i < len; i++) {
			struct entry *e = &entries[i];

			*e = entry_of(t, &t->posts[sensor], &list[done + i]);
			if (e->table->cap)
				__builtin_prefetch(place_at(e->table, e->hash & (e->table->cap - 1)), 1);
		}
		for (size_t i = 0; i < len; i++) {
			if (tally_full(t))
				return done;
			count(t, &entries[i]);
			done++;
		}
	}
	return done;
}

bool tally_full(const struct tally *t)
{
	return t->len >= TALLY_ROWS_MAX;
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

/* Rows that begin at `rows` and belong into one batch: no longer apart than a batch may span. */
static size_t fitting(const struct tuple *rows, size_t len)
{
	size_t n = 1;

	if (rows[len - 1].minute - rows[0].minute < BATCH_MINUTES_MAX)
		return len;
	while (n < len && rows[n].minute - rows[0].minute < BATCH_MINUTES_MAX)
		n++;
	return n;
}

static void rows_into(struct batch *b, const struct tuple *rows, size_t n)
{
	b->rows = mem_resize(NULL, n, sizeof *b->rows);
	memcpy(b->rows, rows, n * sizeof *rows);
	b->len = b->cap = n;
	for (size_t i = 0; i < n; i++)
		b->seen += rows[i].packets;
}

/* Takes the table's rows out of it. */
static size_t empty(struct table *t, struct tuple *out)
{
	size_t n = 0;

	for (size_t i = 0; i < t->cap && n < t->len; i++) {
		const uint8_t *place = place_at(t, i);

		if (row_at(place_at(t, i), t->src_bytes)->packets)
			out[n++] = tuple_of(place, t->src_bytes);
	}
	if (t->len)
		memset(t->places, 0, t->cap * place_bytes(t));
	t->len = 0;
	return n;
}

static void cut_post(struct tally *t, size_t sensor, struct list *l)
{
	struct post *p = &t->posts[sensor];
	size_t len = p->v4.len + p->v6.len;
	struct tuple *rows = mem_resize(NULL, len, sizeof *rows);

	len = empty(&p->v4, rows);
	len += empty(&p->v6, rows + len);
	len = tuples_settle(rows, len);
	for (size_t i = 0, n; i < len; i += n) {
		n = fitting(rows + i, len - i);
		struct span span = { rows[i].minute, rows[i + n - 1].minute + 1 };
		rows_into(new_batch(t, sensor, span, l), rows + i, n);
	}
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
