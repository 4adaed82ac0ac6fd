#include "store/surges.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "base/zone.h"
#include "core/calendar.h"

#include <math.h>

enum { HOUR = 60, GONE_HOURS = 28 * DAY_HOURS, WATCHED_S_MIN = 900 /* a quarter of the hour */,
	SLICE_HOURS = 120 /* asked of the engine at a time: it puts them in order */ };

void surges_init(struct surges *s)
{
	*s = (struct surges){ 0 };
	roster_init(&s->roster);
}

void surges_release(struct surges *s)
{
	for (size_t i = 0; i < s->len; i++)
		lookout_release(&s->ports[i].lookout);
	for (size_t i = 0; i <= UINT8_MAX; i++)
		free(s->index[i]);
	lookout_release(&s->blank);
	roster_release(&s->roster);
	for (size_t i = 0; i < s->found_len; i++)
		free(s->found[i].events);
	free(s->ports);
	free(s->found);
	surges_init(s);
}

/* Whether a port that is met now gets a place. */
static bool has_room(const struct surges *s, const struct counted *c)
{
	size_t bytes = (s->len + 1) * (sizeof *s->ports + s->roster.len * sizeof *s->blank.streams.reaches);

	return bytes <= SURGES_BYTES_MAX / 2 || (bytes <= SURGES_BYTES_MAX && c->n >= SURGES_SENSORS_MIN && c->sources >= SURGES_SOURCES_MIN);
}

/* NULL: it is not followed. */
static struct lookouts *port_at(struct surges *s, uint32_t port, const struct counted *c)
{
	uint32_t **index = &s->index[port >> 16 & UINT8_MAX];

	if (!*index)
		*index = mem_zero(UINT16_MAX + 1, sizeof **index);
	uint32_t *place = &(*index)[port & UINT16_MAX];
	if (*place == 0 && !has_room(s, c))
		return NULL;
	if (*place == 0) {
		MEM_GROW(s->ports, s->len, s->cap);
		s->ports[s->len] = (struct lookouts){ .port = port };
		lookout_copy(&s->ports[s->len].lookout, &s->blank);
		*place = (uint32_t)++s->len;
	}
	return &s->ports[*place - 1];
}

/* Hours on their way: cells come by hour, port and sensor, and are gathered until the hour is complete. */
struct walk {
	struct surges *s;
	const struct book *book;
	struct span *spans;             /* of each sensor: from its first watched hour, until it watched nothing for four weeks */
	bool *enrolled, *up;
	struct sighting *seen; size_t seen_len, seen_cap;
	struct gathered { uint32_t port; size_t from; struct counted c; } *ports; size_t len, cap;
};

static minute_t at_of(const struct surges *s, int64_t hour)
{
	return s->first + (minute_t)hour * HOUR;
}

static unsigned sensors_since(const struct lookout *l, int64_t onset)
{
	unsigned n = 0;

	for (size_t i = 0; i < l->streams.len; i++)
		n += l->streams.reaches[i].last >= onset;
	return n;
}

static double fresh_between(const struct streams *x, int64_t from, int64_t hour)
{
	double sum = 0;

	for (int64_t h = from > hour - WINDOW_HOURS_MAX ? from : hour - WINDOW_HOURS_MAX + 1; h <= hour; h++)
		sum += h < 0 ? 0 : (double)x->unscaled[h % WINDOW_HOURS_MAX];
	return sum;
}

/* The row as the tracker has it now. */
static void update(struct surges *s, struct surge_row *row, const struct lookout *l, const struct surge *t)
{
	row->onset = at_of(s, t->onset);
	row->peak = at_of(s, t->peak_hour);
	row->end = t->closed < 0 ? 0 : at_of(s, t->end);
	row->value = t->peak;
	row->expected = t->base;
	row->state = row->end ? SURGE_ENDED : row->class == SURGE_LEVEL_SHIFT ? SURGE_SHIFTED : SURGE_OPEN;
	if (t->closed < 0)
		row->sensors = sensors_since(l, t->onset);
}

static size_t enter(struct surges *s, const struct lookouts *p, bool alarm, const struct surge *t)
{
	minute_t hour = at_of(s, s->roster.hour);

	MEM_GROW(s->found, s->found_len, s->found_cap);
	s->found[s->found_len] = (struct found){ .now = { .port = p->port, .found = hour, .alarm = alarm, .known = hour,
		.class = alarm ? SURGE_BROAD : lookout_class(&p->lookout, &s->roster),
		.new_sources = (uint64_t)fresh_between(&p->lookout.streams, t->onset, s->roster.hour) } };
	return ++s->found_len;
}

static void record(struct surges *s, struct found *f, enum surge_reason reason)
{
	MEM_GROW(f->events, f->len, f->cap);
	f->events[f->len++] = (struct surge_event){ at_of(s, s->roster.hour), reason, f->now };
}

/* The hour's part of an open one, or of one that the hour opens again or ends. */
static void note(struct surges *s, struct lookouts *p, size_t place, enum tracked what, const struct tracker *t)
{
	static const enum surge_reason reasons[] = { [TRACKED_CONTINUED] = SURGE_CONTINUED, [TRACKED_CLOSED] = SURGE_CLOSED, [TRACKED_SHIFT] = SURGE_BECAME_SHIFT };
	struct found *f = &s->found[place - 1];
	const struct surge *last = &t->surges[t->len - 1];

	f->now.class = what == TRACKED_SHIFT ? SURGE_LEVEL_SHIFT : f->now.class;
	if (what != TRACKED_OPENED && (f->now.end == 0 || what == TRACKED_CONTINUED))
		f->now.new_sources += (uint64_t)p->lookout.streams.unscaled[s->roster.hour % WINDOW_HOURS_MAX];
	if (f->now.end == 0 || what != TRACKED_NOTHING)
		update(s, &f->now, &p->lookout, last);
	if (what == TRACKED_CONTINUED || what == TRACKED_CLOSED || what == TRACKED_SHIFT)
		record(s, f, reasons[what]);
}

/* A watch that is open becomes the alarm's row: one surge, not two. */
static void note_alarm(struct surges *s, struct lookouts *p, enum tracked what)
{
	const struct tracker *t = &p->lookout.alarms;
	bool upgrade = what == TRACKED_OPENED && p->watch && s->found[p->watch - 1].now.end == 0;

	if (upgrade) {
		struct surge_row *row = &s->found[p->watch - 1].now;

		row->alarm = true;
		row->class = SURGE_BROAD;
		row->known = at_of(s, s->roster.hour);
		p->alarm = p->watch;
		p->watch = 0;
	} else if (what == TRACKED_OPENED) {
		p->alarm = enter(s, p, true, &t->surges[t->len - 1]);
	}
	if (p->alarm)
		note(s, p, p->alarm, what, t);
	if (what == TRACKED_OPENED)
		record(s, &s->found[p->alarm - 1], upgrade ? SURGE_UPGRADED : SURGE_FOUND);
}

static void note_watch(struct surges *s, struct lookouts *p, enum tracked what)
{
	const struct tracker *t = &p->lookout.watches;
	bool alarmed = p->alarm && s->found[p->alarm - 1].now.end == 0;

	if (what == TRACKED_OPENED)
		p->watch = alarmed ? 0 : enter(s, p, false, &t->surges[t->len - 1]);
	if (p->watch)
		note(s, p, p->watch, what, t);
	if (p->watch && what == TRACKED_OPENED)
		record(s, &s->found[p->watch - 1], SURGE_FOUND);
}

static void forget_sensor(struct surges *s, size_t sensor)
{
	roster_forget(&s->roster, sensor);
	streams_forget(&s->blank.streams, sensor);
	for (size_t i = 0; i < s->len; i++)
		streams_forget(&s->ports[i].lookout.streams, sensor);
}

/* The hour that comes next: who is enrolled, who watched. */
static void begin_hour(struct walk *w)
{
	struct surges *s = w->s;
	minute_t hour = s->next;

	while (s->roster.len < w->book->len)
		(void)roster_add(&s->roster, book_group(w->book, s->roster.len));
	for (size_t i = 0; i < w->book->len; i++) {
		w->enrolled[i] = hour >= w->spans[i].from && hour < w->spans[i].until;
		w->up[i] = watch_seconds(&w->book->watches[i], (struct span){ hour, hour + HOUR }) >= WATCHED_S_MIN;
	}
	roster_hour(&s->roster, w->enrolled, w->up);
	for (size_t i = 0; i < w->book->len; i++)
		if (w->book->marks_len && book_moved(w->book, (uint16_t)(i + 1), (struct span){ hour, hour + HOUR }))
			forget_sensor(s, i);
	if (s->roster.hour == 0)
		lookout_init(&s->blank, &s->roster);
}

static void finish_hour(struct walk *w)
{
	static const struct counted none = { 0 };
	struct surges *s = w->s;
	struct seen_hour told;

	begin_hour(w);
	for (size_t i = 0; i < w->len; i++) {
		struct lookouts *port = port_at(s, w->ports[i].port, &w->ports[i].c);   /* new ones begin as blank was before this hour */

		w->ports[i].c.seen = w->seen + w->ports[i].from;
		if (port)
			port->now = i + 1;
	}
	lookout_hour(&s->blank, &s->roster, &none, WATCH_NV, &told);
	for (size_t i = 0; i < s->len; i++) {
		struct lookouts *port = &s->ports[i];

		lookout_hour(&port->lookout, &s->roster, port->now ? &w->ports[port->now - 1].c : &none, WATCH_NV, &told);
		port->now = 0;
		note_alarm(s, port, told.alarm);
		note_watch(s, port, told.watch);
	}
	w->len = w->seen_len = 0;
	s->next += HOUR;
}

static bool take_hours(void *to, const struct hour_cell *cells, size_t n)
{
	struct walk *w = to;

	for (size_t i = 0; i < n; i++) {
		const struct hour_cell *c = &cells[i];

		while (w->s->next < c->hour)
			finish_hour(w);
		if (w->len == 0 || w->ports[w->len - 1].port != c->port) {
			MEM_GROW(w->ports, w->len, w->cap);
			w->ports[w->len++] = (struct gathered){ .port = c->port, .from = w->seen_len };
		}
		struct counted *g = &w->ports[w->len - 1].c;
		if (c->sensor == 0) {
			*g = (struct counted){ .sources = (double)c->sources, .new_sources = (double)c->new_sources, .packets = (double)c->packets,
				.top_packets = (double)c->top };
			continue;
		}
		MEM_GROW(w->seen, w->seen_len, w->seen_cap);
		w->seen[w->seen_len++] = (struct sighting){ .sensor = (uint16_t)(c->sensor - 1), .sources = (uint32_t)c->sources };
		g->n++;
	}
	return true;
}

static void span_sensors(struct walk *w)
{
	for (size_t i = 0; i < w->book->len; i++) {
		struct span s = watch_span(&w->book->watches[i]);

		w->spans[i] = span_empty(s) ? s : (struct span){ s.from - s.from % HOUR, s.until + GONE_HOURS * HOUR };
	}
}

/* Up to where every hour was reckoned, and the store holds all of it. */
static bool known_until(const struct engine_ops *ops, void *engine, const struct book *book, minute_t *until, struct err *e)
{
	struct span held = book_held(book);

	if (!ops->reckoned_until(engine, until, e))
		return false;
	minute_t whole = held.until - held.until % HOUR;
	*until = *until < whole ? *until : whole;
	return true;
}

bool surges_follow(struct surges *s, const struct engine_ops *ops, void *engine, const struct book *book, unsigned hours, bool *behind, struct err *e)
{
	struct walk w = { .s = s, .book = book };
	struct span held = book_held(book), span;
	minute_t until;
	bool ok;

	*behind = false;
	if (span_empty(held))
		return true;
	if (s->next == 0)
		s->first = s->next = held.from - held.from % MINUTES_PER_DAY;
	if (!known_until(ops, engine, book, &until, e))
		return false;
	span = (struct span){ s->next, until > s->next && (until - s->next) / HOUR > hours ? s->next + hours * HOUR : until };
	if (span_empty(span))
		return true;
	w.spans = mem_zero(book->len, sizeof *w.spans);
	w.enrolled = mem_zero(book->len, sizeof *w.enrolled);
	w.up = mem_zero(book->len, sizeof *w.up);
	span_sensors(&w);
	for (ok = true; ok && s->next < span.until; ) {
		struct span slice = { s->next, span.until - s->next > SLICE_HOURS * HOUR ? s->next + SLICE_HOURS * HOUR : span.until };

		ok = ops->hours(engine, slice, take_hours, &w, e);
		while (ok && s->next < slice.until)
			finish_hour(&w);
	}
	*behind = span.until < until;
	free(w.spans);
	free(w.enrolled);
	free(w.up);
	free(w.seen);
	free(w.ports);
	return ok;
}

const char *surge_id(const struct surge_row *r, char out[SURGE_ID_MAX])
{
	char label[SERIES_LABEL_MAX];
	struct civil c = calendar_civil(&zone_utc, r->found);

	(void)port_label(r->port >> 16, r->port & UINT16_MAX, label);
	for (char *at = label; *at; at++)
		*at = *at == '/' ? '-' : *at;
	(void)snprintf(out, SURGE_ID_MAX, "%.16s-%04d%02d%02dT%02d", label, c.year % 10000, c.month, c.day, c.hour);
	return out;
}

bool surge_goes_on(const struct surge_row *r)
{
	return r->state == SURGE_OPEN || r->state == SURGE_SHIFTED;
}

const char *surge_state_name(enum surge_state s)
{
	static const char *const names[] = { "open", "closed", "level-shift", "withdrawn" };

	return s < SURGE_STATES ? names[s] : "unknown";
}
