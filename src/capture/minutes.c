#include "capture/minutes.h"

#include "base/mem.h"
#include "capture/account.h"
#include "capture/packet.h"
#include "capture/refusal.h"
#include "capture/tally.h"

#include <assert.h>
#include <pthread.h>

enum { PLACES = 5 };    /* two open, the others written or waiting for it */
enum { GATHER_ROWS = 1 << 15, GATHER_MINUTES = MINUTES_PER_DAY };       /* of a batch for which nobody waits */
enum state { FREE, OPEN, CLOSED };

/* One minute, or a part of one. Its owner is the counting thread while FREE or OPEN, the writing one while CLOSED. */
struct place {
	enum state state;
	minute_t minute;
	struct tally *tally;
	uint64_t watched;               /* a bit a second */
	uint64_t seen, lost;
};

struct minutes {
	char sensor[SENSOR_NAME_MAX];
	bool patient, ending;
	minutes_fn *fn;
	void *to;
	uint64_t lost;                  /* for the next batch */
	minute_t first;                 /* earlier minutes are closed */
	struct place places[PLACES];
	pthread_t writer;
	pthread_mutex_t lock;           /* of states */
	pthread_cond_t changed;
	/* the writing thread's */
	uint64_t epoch, serial;
	struct batch gathered;          /* minutes of a file that go on together */
	uint64_t unwritten;             /* packets whose batch could not be handed on */
};

/* The place's batch: its rows if there are any, and that the sensor was looking. */
static struct batch batch_of(struct minutes *m, struct place *p)
{
	struct batch whole = { .epoch = m->epoch, .span = { p->minute, p->minute + 1 }, .seen = p->seen, .lost = p->lost };
	unsigned seconds = (unsigned)__builtin_popcountll(p->watched);
	size_t n;
	struct batch *cut = tally_cut(p->tally, m->epoch, &n);

	assert(n <= 1);
	memcpy(whole.sensor, m->sensor, sizeof whole.sensor);
	if (n) {
		whole.rows = cut->rows;
		whole.len = cut->len;
		whole.cap = cut->cap;
	}
	if (seconds)
		watch_add(&whole.watched, (struct run){ p->minute, p->minute + 1, (uint8_t)(seconds < 60 ? seconds : 60) });
	free(cut);
	return whole;
}

/* Takes the batch over. */
static void hand_on(struct minutes *m, struct batch *b)
{
	b->serial = ++m->serial;
	b->lost += m->unwritten;
	m->unwritten = m->fn(m->to, b) ? 0 : b->seen + b->lost;
	batch_release(b);
}

static bool joins(const struct batch *first, const struct batch *next)
{
	return next->span.from >= first->span.until && next->span.until - first->span.from <= GATHER_MINUTES &&
		first->len + next->len <= GATHER_ROWS;
}

/* Takes `next` over. */
static void join(struct batch *b, struct batch *next)
{
	if (b->cap < b->len + next->len) {
		b->cap = 2 * (b->len + next->len);
		b->rows = mem_resize(b->rows, b->cap, sizeof *b->rows);
	}
	if (next->len)
		memcpy(b->rows + b->len, next->rows, next->len * sizeof *b->rows);
	for (size_t i = 0; i < next->watched.len; i++)
		watch_add(&b->watched, next->watched.runs[i]);
	b->len += next->len;
	b->span.until = next->span.until;
	b->seen += next->seen;
	b->lost += next->lost;
	batch_release(next);
}

static void hand_on_gathered(struct minutes *m)
{
	if (!span_empty(m->gathered.span))
		hand_on(m, &m->gathered);
}

/* Live a minute goes on by itself; those of a file are fewer batches, and fewer files to sync. */
static void gather(struct minutes *m, struct batch *b)
{
	if (!m->patient) {
		hand_on(m, b);
		return;
	}
	if (!span_empty(m->gathered.span) && joins(&m->gathered, b)) {
		join(&m->gathered, b);
		return;
	}
	hand_on_gathered(m);
	m->gathered = *b;
}

static void write_place(struct minutes *m, struct place *p)
{
	struct batch b = batch_of(m, p);

	if (b.len || b.watched.len || b.lost)
		gather(m, &b);
	else
		batch_release(&b);
	(void)pthread_mutex_lock(&m->lock);
	p->watched = p->seen = p->lost = 0;
	p->state = FREE;
	(void)pthread_cond_broadcast(&m->changed);
	(void)pthread_mutex_unlock(&m->lock);
}

/* The closed place of the earliest minute; NULL for none. */
static struct place *next_closed(struct minutes *m)
{
	struct place *found = NULL;

	for (int i = 0; i < PLACES; i++) {
		struct place *p = &m->places[i];

		if (p->state == CLOSED && (!found || p->minute < found->minute))
			found = p;
	}
	return found;
}

static void *write_all(void *of)
{
	struct minutes *m = of;

	for (;;) {
		(void)pthread_mutex_lock(&m->lock);
		struct place *p = next_closed(m);
		while (!p && !m->ending) {
			(void)pthread_cond_wait(&m->changed, &m->lock);
			p = next_closed(m);
		}
		(void)pthread_mutex_unlock(&m->lock);
		if (!p) {
			hand_on_gathered(m);
			return NULL;
		}
		write_place(m, p);
	}
}

struct minutes *minutes_open(const char *sensor, uint64_t epoch, bool patient, minutes_fn *fn, void *to)
{
	struct minutes *m = mem_zero(1, sizeof *m);

	assert(sensor_name_valid(sensor));
	memcpy(m->sensor, sensor, strlen(sensor) + 1);
	m->patient = patient;
	m->fn = fn;
	m->to = to;
	m->epoch = epoch;
	for (int i = 0; i < PLACES; i++) {
		m->places[i].tally = tally_open(MINUTES_ROWS_MAX);
		(void)tally_sensor(m->places[i].tally, sensor);
	}
	if (pthread_mutex_init(&m->lock, NULL) != 0 || pthread_cond_init(&m->changed, NULL) != 0 ||
		pthread_create(&m->writer, NULL, write_all, m) != 0)
		abort();        /* only for want of memory */
	return m;
}

/* With the lock. */
static void close_place(struct minutes *m, struct place *p)
{
	p->lost += m->lost;
	m->lost = 0;
	p->state = CLOSED;
	(void)pthread_cond_broadcast(&m->changed);
}

static struct place *with_state(struct minutes *m, enum state state, minute_t minute)
{
	for (int i = 0; i < PLACES; i++)
		if (m->places[i].state == state && (state == FREE || m->places[i].minute == minute))
			return &m->places[i];
	return NULL;
}

/* The open place of a minute, or a free one that becomes it; NULL: there is none. */
static struct place *place_for(struct minutes *m, minute_t minute)
{
	(void)pthread_mutex_lock(&m->lock);
	struct place *p = with_state(m, OPEN, minute);
	if (!p) {
		while (!(p = with_state(m, FREE, 0)) && m->patient && next_closed(m))
			(void)pthread_cond_wait(&m->changed, &m->lock);
		if (p) {
			p->minute = minute;
			p->state = OPEN;
		}
	}
	(void)pthread_mutex_unlock(&m->lock);
	return p;
}

/* Packets of one minute; returns how many there was room for. */
static size_t add_to(struct minutes *m, minute_t minute, const struct packet *list, size_t n)
{
	size_t done = 0;

	while (done < n) {
		struct place *p = place_for(m, minute);

		if (!p)
			return done;
		size_t taken = tally_add(p->tally, 0, list + done, n - done);
		for (size_t i = 0; i < taken; i++)
			p->seen += list[done + i].packets;
		done += taken;
		if (done == n)
			break;
		(void)pthread_mutex_lock(&m->lock);
		close_place(m, p);      /* full: the rest of the minute goes into another batch */
		(void)pthread_mutex_unlock(&m->lock);
	}
	return done;
}

static minute_t minute_of(const struct packet *p)
{
	return (minute_t)(p->time_s / 60);
}

void minutes_add(struct minutes *m, const struct packet *list, size_t n, struct account *a)
{
	for (size_t i = 0, len; i < n; i += len) {
		minute_t minute = minute_of(&list[i]);

		for (len = 1; i + len < n && minute_of(&list[i + len]) == minute; len++)
			;
		if (minute < m->first) {
			account_take_back(a, list + i, len, REFUSAL_LATE);
			continue;
		}
		size_t done = add_to(m, minute, list + i, len);
		if (done < len)
			account_take_back(a, list + i + done, len - done, REFUSAL_FULL);
	}
}

static void close_open(struct minutes *m, minute_t first)
{
	(void)pthread_mutex_lock(&m->lock);
	for (int i = 0; i < PLACES; i++)
		if (m->places[i].state == OPEN && m->places[i].minute < first)
			close_place(m, &m->places[i]);
	(void)pthread_mutex_unlock(&m->lock);
}

void minutes_close_before(struct minutes *m, minute_t first)
{
	close_open(m, first);
	m->first = first > m->first ? first : m->first;
}

void minutes_cut(struct minutes *m)
{
	close_open(m, MINUTE_MAX);
}

void minutes_reopen(struct minutes *m)
{
	close_open(m, MINUTE_MAX);
	m->first = 0;
}

void minutes_watched(struct minutes *m, int64_t second)
{
	struct place *p = second / 60 >= m->first ? place_for(m, (minute_t)(second / 60)) : NULL;

	if (p)
		p->watched |= (uint64_t)1 << second % 60;
}

void minutes_lost(struct minutes *m, uint64_t packets)
{
	m->lost += packets;
}

uint64_t minutes_end(struct minutes *m)
{
	minutes_close_before(m, MINUTE_MAX);
	(void)pthread_mutex_lock(&m->lock);
	while (next_closed(m))
		(void)pthread_cond_wait(&m->changed, &m->lock);
	m->ending = true;
	(void)pthread_cond_broadcast(&m->changed);
	(void)pthread_mutex_unlock(&m->lock);
	(void)pthread_join(m->writer, NULL);
	for (int i = 0; i < PLACES; i++)
		tally_close(m->places[i].tally);
	(void)pthread_cond_destroy(&m->changed);
	(void)pthread_mutex_destroy(&m->lock);
	uint64_t left = m->unwritten + m->lost;
	free(m);
	return left;
}
