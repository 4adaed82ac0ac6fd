/* traffic: every part of a day (a port's visits, its sweeps, a rise, the tail, a hammering source) draws from a stream of
 * chance named by day, sensor and port, so parts do not disturb one another. */
#include "simulate/traffic.h"

#include "base/mem.h"
#include "core/calendar.h"
#include "simulate/chance.h"
#include "simulate/origin.h"
#include "simulate/purpose.h"
#include "simulate/roster.h"
#include "simulate/scenario.h"

#include <assert.h>
#include <math.h>

enum {
	DAY_MINUTES_MAX = 2 * MINUTES_PER_DAY,
	REGULARS = 64,                  /* sources a port knows at one time */
	REGULAR_DAYS_MIN = 3, REGULAR_DAYS_MAX = 45,
	DIURNAL_PEAK_HOUR = 14,
	RISE_KEY = 1 << 25, BACKSCATTER_KEY = 1 << 24,
};

#define SENSOR_DAY_SIGMA .3             /* of the log of one sensor's level on one port and day */
#define RISE_SIGMA .35

struct tail_port { uint8_t proto; uint16_t port; };

struct traffic {
	const struct scenario *s;
	uint64_t seed, epoch, batches;
	struct origins *origins;
	unsigned days;
	minute_t *day_from;             /* days + 1 edges */
	struct watch *watched;          /* of each sensor */
	double *level;                  /* [day][stream]: packets per address, all rhythms and noise in it */
	double *own;                    /* [sensor][stream]: addresses × own factors */
	double *rise_own;               /* [sensor][rise]; 0: not touched */
	struct tail_port *tail;
};

/* What a source reaches for, and how. */
struct target { unsigned proto, port, key; bool backscatter; const struct habit *habit; };

/* One sensor's day in the making. */
struct making {
	const struct traffic *t;
	struct batch *b;
	unsigned day, sensor, minutes;
	const bool *watched;            /* of each minute of the day */
};

static unsigned addresses(const struct making *m)
{
	return m->t->s->sensors[m->sensor].addresses;
}

static unsigned key_of(unsigned proto, unsigned port)
{
	return proto << 16 | port;
}

static struct target stream_target(const struct stream *s)
{
	unsigned key = key_of(s->proto, s->port) | (s->backscatter ? BACKSCATTER_KEY : 0);

	return (struct target){ s->proto, s->port, key, s->backscatter, &s->habit };
}

/* A host keeps its TTL: it comes from the address, not from chance. */
static uint8_t ttl_of(const struct addr *src)
{
	uint32_t h = (addr_to_v4(src) >> 4) * 2654435761u;
	unsigned start = h >> 28 < 11 ? 128 : h >> 28 < 15 ? 64 : 255;

	return (uint8_t)(start - 6 - (h >> 16 & 15));
}

static uint8_t flags_of(const struct target *w, struct chance *c)
{
	if (w->proto != PROTO_TCP)
		return 0;
	if (!w->backscatter)
		return TCP_SYN;
	return chance_hits(c, .7) ? TCP_SYN | TCP_ACK : TCP_RST | TCP_ACK;
}

/* Type 3: host, port or administratively prohibited; other types have code 0 here. */
static uint16_t port_of(const struct target *w, struct chance *c)
{
	static const uint16_t codes[] = { 1, 1, 3, 3, 3, 13 };

	if (w->proto == PROTO_ICMP && w->port >> 8 == 3)
		return (uint16_t)(w->port | codes[chance_below(c, sizeof codes / sizeof *codes)]);
	return (uint16_t)w->port;
}

static unsigned bytes_of(const struct target *w)
{
	if (w->habit->bytes)
		return w->habit->bytes;
	return w->proto == PROTO_TCP ? (w->backscatter ? 40 : 48) : w->proto == PROTO_UDP ? 78 : 60;
}

/* packets of one source in one minute, at `hit` of the sensor's addresses. Lost where nobody watched. */
static void knock(struct making *m, const struct target *w, struct addr src, unsigned minute, unsigned packets, unsigned hit,
	struct chance *c)
{
	if (minute >= m->minutes || !m->watched[minute] || m->b->len == BATCH_ROWS_MAX)
		return;
	struct tuple t = {
		.src = src, .minute = m->b->span.from + minute, .port = port_of(w, c), .proto = (uint8_t)w->proto,
		.flags = flags_of(w, c), .ttl = ttl_of(&src), .packets = packets, .bytes = (uint64_t)packets * bytes_of(w),
		.dsts = (uint8_t)(hit < DSTS_MORE ? hit : DSTS_MORE),
	};
	t.kind = (uint8_t)(w->backscatter && w->proto != PROTO_ICMP ? KIND_BACKSCATTER :
		tuple_kind(w->proto, t.flags, 0, w->port >> 8));
	/* the first ephemeral ports of the systems of the time; several addresses or tries mean several ports */
	if (w->proto != PROTO_ICMP && hit == 1 && packets < 4)
		t.sport = (uint16_t)(1024 + chance_below(c, 3976));
	batch_add(m->b, &t);
	m->b->seen += packets;
}

/* One of the sources that come back: slots whose holder changes every few days; low slots are the busy ones. */
static struct addr regular(const struct making *m, const struct target *w, struct chance *c)
{
	double u = chance_share(c);
	unsigned slot = (unsigned)(REGULARS * u * u);
	unsigned days = REGULAR_DAYS_MIN + (slot * 7 + w->key) % (REGULAR_DAYS_MAX - REGULAR_DAYS_MIN + 1);
	struct chance holder = chance_of(m->t->seed, FOR_REGULARS, w->key, slot, (m->day + slot * 3) / days);

	return origins_pick(m->t->origins, w->habit->mix, &holder);
}

static struct addr source(const struct making *m, const struct target *w, struct chance *c)
{
	return chance_hits(c, w->habit->returning) ? regular(m, w, c) : origins_pick(m->t->origins, w->habit->mix, c);
}

static void visit(struct making *m, const struct target *w, unsigned minute, struct chance *c)
{
	struct addr src = source(m, w, c);
	unsigned packets = chance_geometric(c, w->habit->packets);
	unsigned most = packets < addresses(m) ? packets : addresses(m);

	knock(m, w, src, minute, packets, w->backscatter ? 1 : 1 + chance_below(c, most), c);
}

/* By rejection: a cosine over the day with its top in the early afternoon. */
static unsigned minute_of_day(const struct making *m, double amplitude, struct chance *c)
{
	for (;;) {
		double at = chance_share(c), turn = 2 * M_PI * (at - DIURNAL_PEAK_HOUR / 24.);

		if (amplitude <= 0 || chance_share(c) * (1 + amplitude) < 1 + amplitude * cos(turn))
			return (unsigned)(at * m->minutes);
	}
}

/* Visits of a day that are expected to bring so many packets; a quiet day's noise is part of it. */
static unsigned visits(const struct habit *h, double packets, struct chance *c)
{
	return packets > 0 ? chance_poisson(c, packets * chance_lognormal(c, SENSOR_DAY_SIGMA) / h->packets) : 0;
}

static double odd_factor(const struct making *m, unsigned stream)
{
	const struct scenario *s = m->t->s;
	double factor = 1;

	for (size_t i = 0; i < s->oddities_len; i++) {
		const struct oddity *o = &s->oddities[i];

		if (o->sensor == m->sensor && o->stream == stream && m->b->span.from >= o->span.from &&
			m->b->span.from < o->span.until)
			factor *= o->factor;
	}
	return factor;
}

/* Sources that touch many sensors within an hour: each sensor's share of the same sweep, known from its name alone. */
static void add_sweeps(struct making *m, const struct target *w, double expected)
{
	enum { EACH_ADDRESS_MAX = 64 };
	struct chance day = chance_of(m->t->seed, FOR_SWEEP, m->day, w->key, 0);

	for (unsigned n = chance_poisson(&day, expected); n > 0; n--) {
		struct addr src = source(m, w, &day);
		unsigned start = chance_below(&day, m->minutes), length = 5 + chance_below(&day, 55), hit = 0, packets = 0;
		double cover = sqrt(chance_share(&day));
		struct chance c = chance_of(m->t->seed, FOR_SWEEP_HITS, m->day, (uint64_t)w->key << 32 | n, m->sensor);
		unsigned tried = addresses(m) < EACH_ADDRESS_MAX ? addresses(m) : EACH_ADDRESS_MAX;

		for (unsigned i = 0; i < tried; i++)
			if (chance_hits(&c, cover)) {
				hit++;
				packets += 1 + chance_below(&c, 2);
			}
		if (hit)
			knock(m, w, src, start + chance_below(&c, length), packets, hit, &c);
	}
}

static void add_streams(struct making *m)
{
	const struct traffic *t = m->t;

	for (unsigned i = 0; i < t->s->streams_len; i++) {
		const struct stream *s = &t->s->streams[i];
		struct target w = stream_target(s);
		struct chance c = chance_of(t->seed, FOR_VISITS, m->day, m->sensor, w.key);
		double level = t->level[(size_t)m->day * t->s->streams_len + i];
		double packets = level * t->own[(size_t)m->sensor * t->s->streams_len + i];

		for (unsigned n = visits(&s->habit, packets * odd_factor(m, i), &c); n > 0; n--)
			visit(m, &w, minute_of_day(m, s->day, &c), &c);
		if (s->sweeps > 0)
			add_sweeps(m, &w, s->sweeps * t->s->level);
	}
}

/* Height of the rise, 0 to 1, so many minutes after its onset. */
static double height(const struct rise *r, double at)
{
	double length = span_minutes(r->span), up = fmax(360, .15 * length);

	switch (r->shape) {
	case SHAPE_STEP: case SHAPE_BURST: return 1;
	case SHAPE_RAMP: return fmin(1, (at + 60) / (.7 * length));
	case SHAPE_WORM: return at < up ? exp((at - up) / (up / 4)) : exp(-(at - up) / (.35 * length));
	}
	return 0;
}

static void add_rise(struct making *m, unsigned number)
{
	const struct scenario *s = m->t->s;
	const struct rise *r = &s->rises[number];
	struct target w = { r->proto, r->port, key_of(r->proto, r->port) | RISE_KEY, false, &r->habit };
	struct span today = span_both(r->span, m->b->span);
	struct chance c = chance_of(m->t->seed, FOR_RISE, m->day, m->sensor, number);
	double own = m->t->rise_own[(size_t)m->sensor * s->rises_len + number];

	for (minute_t at = today.from; at < today.until; ) {
		minute_t until = today.until - at < 60 ? today.until : at + 60;
		double share = (double)(until - at) / MINUTES_PER_DAY;
		double packets = r->level * s->level * own * share * height(r, at - r->span.from + 30.);

		for (unsigned n = visits(&r->habit, packets, &c); n > 0; n--)
			visit(m, &w, at - m->b->span.from + chance_below(&c, until - at), &c);
		at = until;
	}
}

static void add_tail(struct making *m)
{
	const struct scenario *s = m->t->s;
	struct chance c = chance_of(m->t->seed, FOR_TAIL, m->day, m->sensor, 0);
	double packets = s->tail.level * s->level * s->sensors[m->sensor].factor * addresses(m);

	for (unsigned n = s->tail.ports ? visits(&s->tail.habit, packets, &c) : 0; n > 0; n--) {
		double u = chance_share(&c);
		const struct tail_port *p = &m->t->tail[(unsigned)(s->tail.ports * u * u)];
		struct target w = { p->proto, p->port, key_of(p->proto, p->port), false, &s->tail.habit };

		visit(m, &w, minute_of_day(m, 0, &c), &c);
	}
}

/* One source hammers this sensor on one port for up to an hour. */
static void add_hammer(struct making *m)
{
	enum { MINUTES = 60, A_MINUTE = 8 };
	const struct scenario *s = m->t->s;
	struct chance c = chance_of(m->t->seed, FOR_HAMMER, m->day, m->sensor, 0);

	if (s->hammers.every <= 0 || s->streams_len == 0 || !chance_hits(&c, 1 / s->hammers.every))
		return;
	const struct stream *stream = &s->streams[chance_below(&c, (uint32_t)s->streams_len)];
	struct target w = stream_target(stream);
	struct addr src = origins_pick(m->t->origins, w.habit->mix, &c);
	unsigned packets = 1 + (unsigned)chance_exponential(&c, s->hammers.packets), start = chance_below(&c, m->minutes);
	unsigned minutes = 1 + packets / A_MINUTE < MINUTES ? 1 + packets / A_MINUTE : MINUTES;

	for (unsigned i = 0; i < minutes && !w.backscatter; i++)
		knock(m, &w, src, start + i, 1 + packets / minutes, 1, &c);
}

/* Marks the watched minutes and enters them in the batch; false when there is none. */
static bool watch_day(const struct watch *w, struct batch *b, bool *watched)
{
	memset(watched, 0, DAY_MINUTES_MAX * sizeof *watched);
	for (size_t i = 0; i < w->len; i++) {
		struct span both = span_both(b->span, (struct span){ w->runs[i].from, w->runs[i].until });

		if (span_empty(both))
			continue;
		watch_add(&b->watched, (struct run){ both.from, both.until, w->runs[i].seconds });
		memset(watched + (both.from - b->span.from), 1, span_minutes(both) * sizeof *watched);
	}
	return b->watched.len > 0;
}

static struct span day_span(const struct traffic *t, unsigned day)
{
	return (struct span){ t->day_from[day], t->day_from[day + 1] };
}

size_t traffic_day(const struct traffic *t, unsigned day, struct batch *out)
{
	bool watched[DAY_MINUTES_MAX];
	struct span span = day_span(t, day);
	size_t n = 0;

	assert(day < t->days);
	for (unsigned sensor = 0; sensor < t->s->sensors_len; sensor++) {
		struct batch *b = &out[n];
		struct making m = { t, b, day, sensor, span_minutes(span), watched };

		*b = (struct batch){ .epoch = t->epoch, .serial = day, .span = span };
		memcpy(b->sensor, t->s->sensors[sensor].name, sizeof b->sensor);
		if (!watch_day(&t->watched[sensor], b, watched))
			continue;
		add_streams(&m);
		for (unsigned i = 0; i < t->s->rises_len; i++)
			add_rise(&m, i);
		add_tail(&m);
		add_hammer(&m);
		b->len = tuples_settle(b->rows, b->len);
		n++;
	}
	return n;
}

/* --- what is settled before the first day --- */

static void plan_days(struct traffic *t)
{
	uint32_t first = calendar_day(&t->s->zone, t->s->span.from);

	t->days = calendar_day(&t->s->zone, t->s->span.until) - first;
	t->day_from = mem_zero(t->days + 1, sizeof *t->day_from);
	for (unsigned d = 0; d <= t->days; d++)
		t->day_from[d] = calendar_day_start(&t->s->zone, first + d);
}

static void plan_watches(struct traffic *t)
{
	t->watched = mem_zero(t->s->sensors_len, sizeof *t->watched);
	for (unsigned i = 0; i < t->s->sensors_len; i++) {
		roster_watch(t->s, t->seed, i, &t->watched[i]);
		for (unsigned d = 0; d < t->days; d++)
			t->batches += watch_seconds(&t->watched[i], day_span(t, d)) > 0;
	}
}

static double weekday_factor(double amplitude, int weekday)
{
	return weekday < 5 ? 1 + .4 * amplitude : 1 - amplitude;        /* mean 1 over the week */
}

/* Noise from day to day clings: an autoregressive walk of order 1. */
static void plan_levels(struct traffic *t)
{
	size_t n = t->s->streams_len;

	t->level = mem_zero(t->days * n, sizeof *t->level);
	for (size_t i = 0; i < n; i++) {
		const struct stream *s = &t->s->streams[i];
		struct chance c = chance_of(t->seed, FOR_DAY_LEVEL, stream_target(s).key, 0, 0);
		double walk = chance_normal(&c);

		for (unsigned d = 0; d < t->days; d++) {
			int weekday = calendar_civil(&t->s->zone, t->day_from[d]).weekday;

			double noise = exp(s->noise * walk - s->noise * s->noise / 2);

			t->level[d * n + i] = s->level * t->s->level * weekday_factor(s->week, weekday) *
				pow(s->trend, d / 365.) * noise;
			walk = .8 * walk + .6 * chance_normal(&c);
		}
	}
}

static void plan_sensors(struct traffic *t)
{
	const struct scenario *s = t->s;

	t->own = mem_zero(s->sensors_len * s->streams_len, sizeof *t->own);
	t->rise_own = mem_zero(s->sensors_len * s->rises_len, sizeof *t->rise_own);
	for (size_t i = 0; i < s->sensors_len; i++) {
		double own = s->sensors[i].factor * s->sensors[i].addresses;

		for (size_t k = 0; k < s->streams_len; k++) {
			struct chance c = chance_of(t->seed, FOR_OWN_FACTOR, i, stream_target(&s->streams[k]).key, 0);

			t->own[i * s->streams_len + k] = own * chance_lognormal(&c, s->streams[k].spread);
		}
		for (size_t k = 0; k < s->rises_len; k++) {
			struct chance c = chance_of(t->seed, FOR_RISE_FACTOR, i, k, 0);

			if (chance_hits(&c, s->rises[k].share))
				t->rise_own[i * s->rises_len + k] = own * chance_lognormal(&c, RISE_SIGMA);
		}
	}
}

static bool named(const struct scenario *s, unsigned proto, unsigned port)
{
	for (size_t i = 0; i < s->streams_len; i++)
		if (s->streams[i].proto == proto && s->streams[i].port == port)
			return true;
	for (size_t i = 0; i < s->rises_len; i++)
		if (s->rises[i].proto == proto && s->rises[i].port == port)
			return true;
	return false;
}

/* Ports that the scenario names are not in the tail: what it says about them is all there is. */
static void plan_tail(struct traffic *t)
{
	struct chance c = chance_of(t->seed, FOR_TAIL_PORTS, 0, 0, 0);

	t->tail = mem_zero(t->s->tail.ports, sizeof *t->tail);
	for (unsigned i = 0; i < t->s->tail.ports; ) {
		unsigned proto = chance_hits(&c, .8) ? PROTO_TCP : PROTO_UDP;
		unsigned port = chance_hits(&c, .25) ? 1 + chance_below(&c, 1023) : 1024 + chance_below(&c, 64512);

		if (!named(t->s, proto, port))
			t->tail[i++] = (struct tail_port){ (uint8_t)proto, (uint16_t)port };
	}
}

static uint64_t epoch_of(const struct scenario *s, uint64_t seed)
{
	uint8_t name[DIGEST_BYTES + 8], out[DIGEST_BYTES];

	memcpy(name, s->digest, DIGEST_BYTES);
	for (int i = 0; i < 8; i++)
		name[DIGEST_BYTES + i] = (uint8_t)(seed >> 8 * i);
	digest_of(name, sizeof name, out);
	return digest_u64(out);
}

struct traffic *traffic_open(const struct scenario *s, uint64_t seed, const struct regions *regions)
{
	struct traffic *t = mem_zero(1, sizeof *t);

	t->s = s;
	t->seed = seed;
	t->epoch = epoch_of(s, seed);
	t->origins = origins_make(s, regions);
	plan_days(t);
	plan_watches(t);
	plan_levels(t);
	plan_sensors(t);
	plan_tail(t);
	return t;
}

void traffic_close(struct traffic *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->s->sensors_len; i++)
		watch_release(&t->watched[i]);
	free(t->watched);
	free(t->day_from);
	free(t->level);
	free(t->own);
	free(t->rise_own);
	free(t->tail);
	origins_free(t->origins);
	free(t);
}

uint64_t traffic_epoch(const struct traffic *t)
{
	return t->epoch;
}

unsigned traffic_days(const struct traffic *t)
{
	return t->days;
}

uint64_t traffic_batches(const struct traffic *t)
{
	return t->batches;
}
