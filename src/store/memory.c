/* memory: rows in an array, every answer counted from them anew. Plain and slow: the yardstick of the other engines. */
#include "store/engine.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/calendar.h"
#include "store/days.h"
#include "store/history.h"
#include "store/regions.h"
#include "store/scanners.h"

#include <math.h>

enum { HOUR = 60 };

struct row { struct tuple tuple; uint16_t sensor, region; uint32_t day; };
struct memory {
	struct row *rows; size_t len, cap;
	struct robust_day *days; size_t days_len, days_cap;             /* in order */
	struct robust_weight *weights; size_t weights_len, weights_cap; /* in order */
	struct robust_finding *findings; size_t findings_len, findings_cap;
	struct robust_state *states; size_t states_len, states_cap; struct buf bytes;
	struct unsettled { uint32_t day; uint64_t packets; } *unsettled; size_t unsettled_len, unsettled_cap;
	struct closed { uint32_t until; minute_t at; } *closed; size_t closed_len, closed_cap;
	struct surge_revision *said; size_t said_len, said_cap;         /* as it came */
	struct span touched;                                            /* hours of UTC that rows came for since they were reckoned */
	struct label { struct addr src; uint32_t day; unsigned bit; uint64_t packets; } *labels; size_t labels_len, labels_cap;
};

static void *memory_open(const char *path, const char *zone, struct book *book, struct err *e)
{
	(void)path;
	if (!zone_load(&book->zone, zone ? zone : "UTC", e))
		return NULL;
	book->made_s = clock_wall_s();
	struct memory *m = mem_zero(1, sizeof *m);
	m->bytes = buf_make(SIZE_MAX);
	return m;
}

static void memory_close(void *engine)
{
	struct memory *m = engine;

	free(m->rows);
	free(m->labels);
	free(m->days);
	free(m->weights);
	free(m->findings);
	free(m->states);
	buf_release(&m->bytes);
	free(m->unsettled);
	free(m->closed);
	free(m->said);
	free(m);
}

static int label_order(const void *a, const void *b)
{
	const struct label *x = a, *y = b;
	int by_src = addr_cmp(&x->src, &y->src);

	return by_src ? by_src : x->day != y->day ? (x->day < y->day ? -1 : 1) : x->bit < y->bit ? -1 : x->bit > y->bit;
}

static void add_labels(struct memory *m, const struct zone *z, const struct tuple *t)
{
	for (unsigned bit = 0; bit < MARKS; bit++)
		if (t->mark >> bit & 1) {
			MEM_GROW(m->labels, m->labels_len, m->labels_cap);
			m->labels[m->labels_len++] = (struct label){ t->src, calendar_day(z, t->minute), bit, t->packets };
		}
}

static void settle_labels(struct memory *m)
{
	size_t kept = 0;

	if (m->labels_len)
		qsort(m->labels, m->labels_len, sizeof *m->labels, label_order);
	for (size_t i = 0; i < m->labels_len; i++)
		if (kept && label_order(&m->labels[kept - 1], &m->labels[i]) == 0)
			m->labels[kept - 1].packets += m->labels[i].packets;
		else
			m->labels[kept++] = m->labels[i];
	m->labels_len = kept;
}

/* The row's tuple with only those marks whose label its source bears that day. */
static struct tuple labelled(const struct memory *m, const struct zone *z, const struct row *r)
{
	struct tuple t = r->tuple;

	for (unsigned bit = 0; bit < MARKS && t.mark; bit++) {
		struct label key = { t.src, calendar_day(z, t.minute), bit, 0 };
		const struct label *found = t.mark >> bit & 1 ? bsearch(&key, m->labels, m->labels_len, sizeof key, label_order) : NULL;

		if (!found || found->packets < LABEL_PACKETS_MIN)
			t.mark &= (uint8_t)~(1u << bit);
	}
	return t;
}

static void touch(struct span *s, minute_t hour)
{
	bool first = span_empty(*s);

	s->from = first || hour < s->from ? hour : s->from;
	s->until = first || hour + HOUR > s->until ? hour + HOUR : s->until;
}

static enum committed memory_commit(void *engine, const struct group *g, struct err *e)
{
	struct memory *m = engine;
	char region[3];
	uint32_t as_number;

	(void)e;
	for (size_t b = 0; b < g->len; b++)
		for (size_t i = 0; i < g->batches[b]->len; i++) {
			const struct tuple *t = &g->batches[b]->rows[i];

			regions_find(g->regions, &t->src, region, &as_number);
			MEM_GROW(m->rows, m->len, m->cap);
			m->rows[m->len++] = (struct row){ *t, g->numbers[b], (uint16_t)(region[0] << 8 | region[1]), calendar_day(&g->book->zone, t->minute) };
			add_labels(m, &g->book->zone, t);
			touch(&m->touched, t->minute - t->minute % HOUR);
			if (tuple_reaches(t)) {
				MEM_GROW(m->unsettled, m->unsettled_len, m->unsettled_cap);
				m->unsettled[m->unsettled_len++] = (struct unsettled){ calendar_day(&g->book->zone, t->minute), t->packets };
			}
		}
	settle_labels(m);
	return COMMIT_DONE;
}

static bool memory_reopen(void *engine, struct book *book, struct err *e)
{
	(void)engine;
	(void)book;
	return err_set(e, "memory: has nothing to reopen");
}

/* Of its source on its day; 0: none, or nobody asks. */
static unsigned organisation(const struct want *w, const struct row *r)
{
	return w->scanners ? scanners_find(w->scanners, &r->tuple.src, r->day) : 0;
}

/* t is the row's tuple, labelled. */
static bool wanted(const struct want *w, const struct row *r, const struct tuple *t)
{
	const struct question *q = w->question;
	unsigned by = organisation(w, r);

	return (!w->by.until || (by >= w->by.from && by < w->by.until)) && r->tuple.minute >= w->span.from && r->tuple.minute < w->span.until && (!w->sensor || r->sensor == w->sensor) &&
		(!q->region[0] || r->region == (q->region[0] << 8 | q->region[1])) && question_takes(q, t);
}

static bool memory_pending(void *engine, uint32_t final, uint32_t until, struct pending *p, struct err *e)
{
	const struct memory *m = engine;

	(void)e;
	*p = (struct pending){ .first = UINT32_MAX };
	for (size_t i = 0; i < m->unsettled_len; i++) {
		const struct unsettled *u = &m->unsettled[i];

		if (u->day >= until)
			continue;
		p->first = u->day < p->first ? u->day : p->first;
		p->open |= u->day >= final;
		p->late += u->day < final ? u->packets : 0;
	}
	return true;
}

static bool memory_ripe(void *engine, minute_t at, uint32_t *until, struct err *e)
{
	const struct memory *m = engine;

	(void)e;
	*until = 0;
	for (size_t i = 0; i < m->closed_len; i++)
		if (m->closed[i].at <= at && m->closed[i].until > *until)
			*until = m->closed[i].until;
	return true;
}

static const struct robust_state *state_of(const struct memory *m, const struct key *key)
{
	for (size_t i = 0; i < m->states_len; i++)
		if (key_cmp(&m->states[i].key, key) == 0)
			return &m->states[i];
	return NULL;
}

static bool memory_active(void *engine, uint32_t from, uint32_t until, struct robust_state **ports, size_t *len, struct err *e)
{
	struct memory *m = engine;
	size_t cap = 0;

	(void)e;
	*len = 0;
	for (unsigned proto = 0; proto <= UINT8_MAX; proto++) {
		static bool met[UINT16_MAX + 1];

		memset(met, 0, sizeof met);
		for (size_t i = 0; i < m->len; i++)
			if (m->rows[i].tuple.proto == proto && m->rows[i].day >= from && m->rows[i].day < until && tuple_reaches(&m->rows[i].tuple))
				met[port_ranked((uint8_t)proto, m->rows[i].tuple.port)] = true;
		for (unsigned port = 0; port <= UINT16_MAX; port++)
			if (met[port]) {
				struct key key = { 0, proto << 16 | port };
				const struct robust_state *s = state_of(m, &key);

				MEM_GROW(*ports, *len, cap);
				(*ports)[(*len)++] = (struct robust_state){ .key = key, .day = s ? s->day : 0 };
			}
	}
	return true;
}

static bool memory_states(void *engine, struct robust_state *ports, size_t n, struct buf *bytes, struct err *e)
{
	const struct memory *m = engine;

	(void)e;
	for (size_t i = 0; i < n; i++) {
		const struct robust_state *s = state_of(m, &ports[i].key);

		if (!s)
			continue;
		ports[i] = (struct robust_state){ s->key, s->day, bytes->len, s->len };
		buf_bytes(bytes, m->bytes.at + s->at, s->len);
	}
	return true;
}

struct sent { struct addr src; uint64_t packets; };

static int sent_order(const void *a, const void *b)
{
	return addr_cmp(&((const struct sent *)a)->src, &((const struct sent *)b)->src);
}

static bool memory_rises(void *engine, struct rise *list, size_t n, struct err *e)
{
	const struct memory *m = engine;

	(void)e;
	for (size_t k = 0; k < n; k++) {
		struct sent *sent = NULL;
		size_t len = 0, cap = 0;
		uint64_t of_one = 0;

		for (size_t i = 0; i < m->len; i++) {
			const struct tuple *t = &m->rows[i].tuple;

			if (m->rows[i].day != list[k].day || !tuple_reaches(t) || list[k].key.lo != ((uint64_t)t->proto << 16 | port_ranked(t->proto, t->port)))
				continue;
			MEM_GROW(sent, len, cap);
			sent[len++] = (struct sent){ t->src, t->packets };
		}
		if (len)
			qsort(sent, len, sizeof *sent, sent_order);
		for (size_t i = 0; i < len; i++) {
			of_one = (i && sent_order(&sent[i - 1], &sent[i]) == 0 ? of_one : 0) + sent[i].packets;
			list[k].packets += sent[i].packets;
			list[k].top = of_one > list[k].top ? of_one : list[k].top;
		}
		free(sent);
	}
	return true;
}

static bool settles(const struct settled *s, const struct key *key)
{
	for (size_t i = 0; i < s->ports_len; i++)
		if (key_cmp(&s->ports[i], key) == 0)
			return true;
	return false;
}

static int day_order(const void *a, const void *b)
{
	const struct robust_day *x = a, *y = b;
	int by_key = key_cmp(&x->key, &y->key);

	return by_key ? by_key : x->day < y->day ? -1 : x->day > y->day;
}

/* Of those days that take the place of others, the next revision of what changed; the others go. */
static void replace_days(struct memory *m, const struct settled *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->days_len; i++) {
		const struct robust_day *old = m->days_len ? bsearch(&s->days[i], m->days, m->days_len, sizeof *old, day_order) : NULL;

		if (old)
			s->days[i].revision = old->revision + !(fabs(old->value - s->days[i].value) <= 1e-9 * fabs(old->value));
	}
	for (size_t i = 0; i < m->days_len; i++)
		if (m->days[i].day < s->from || !settles(s, &m->days[i].key))
			m->days[kept++] = m->days[i];
	m->days_len = kept;
	for (size_t i = 0; i < s->days_len; i++) {
		MEM_GROW(m->days, m->days_len, m->days_cap);
		m->days[m->days_len++] = s->days[i];
	}
	if (m->days_len)
		qsort(m->days, m->days_len, sizeof *m->days, day_order);
}

static int weight_order(const void *a, const void *b);

static void replace_weights(struct memory *m, const struct settled *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->weights_len; i++)
		if (m->weights[i].day < s->from || !settles(s, &m->weights[i].key))
			m->weights[kept++] = m->weights[i];
	m->weights_len = kept;
	for (size_t i = 0; i < s->weights_len; i++) {
		MEM_GROW(m->weights, m->weights_len, m->weights_cap);
		m->weights[m->weights_len++] = s->weights[i];
	}
	if (m->weights_len)
		qsort(m->weights, m->weights_len, sizeof *m->weights, weight_order);
}

static int finding_order(const void *a, const void *b)
{
	const struct robust_finding *x = a, *y = b;
	int by_key = key_cmp(&x->key, &y->key);

	return x->day != y->day ? (x->day < y->day ? -1 : 1) : by_key ? by_key : x->sensor != y->sensor ? (x->sensor < y->sensor ? -1 : 1) :
		x->kind < y->kind ? -1 : x->kind > y->kind;
}

static void replace_findings(struct memory *m, const struct settled *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->findings_len; i++)
		if (m->findings[i].day < s->from || !settles(s, &m->findings[i].key))
			m->findings[kept++] = m->findings[i];
	m->findings_len = kept;
	for (size_t i = 0; i < s->findings_len; i++) {
		MEM_GROW(m->findings, m->findings_len, m->findings_cap);
		m->findings[m->findings_len++] = s->findings[i];
	}
	if (m->findings_len)
		qsort(m->findings, m->findings_len, sizeof *m->findings, finding_order);
}

static bool memory_settle(void *engine, const struct settled *s, struct err *e)
{
	struct memory *m = engine;
	size_t kept = 0;

	(void)e;
	replace_days(m, s);
	replace_weights(m, s);
	replace_findings(m, s);
	for (size_t i = 0; i < m->states_len; i++)
		if (s->states_len == 0 || !settles(s, &m->states[i].key))
			m->states[kept++] = m->states[i];
	m->states_len = kept;
	for (size_t i = 0; i < s->states_len; i++) {
		MEM_GROW(m->states, m->states_len, m->states_cap);
		m->states[m->states_len] = s->states[i];
		m->states[m->states_len++].at = m->bytes.len;
		buf_bytes(&m->bytes, s->bytes.at + s->states[i].at, s->states[i].len);
	}
	return true;
}

static bool memory_close_days(void *engine, const struct known_days *d, bool anew, minute_t now, struct err *e)
{
	struct memory *m = engine;
	size_t kept = 0;
	uint32_t last;

	(void)e;
	m->closed_len = anew ? 0 : m->closed_len;
	(void)memory_ripe(m, MINUTE_MAX, &last, e);
	if (last < d->settled) {
		MEM_GROW(m->closed, m->closed_len, m->closed_cap);
		m->closed[m->closed_len++] = (struct closed){ d->settled, now };
	}
	for (size_t i = 0; i < m->unsettled_len; i++)
		if (m->unsettled[i].day >= d->settled)
			m->unsettled[kept++] = m->unsettled[i];
	m->unsettled_len = kept;
	return true;
}

static bool memory_weights(void *engine, const struct want *w, struct robust_weight **list, size_t *len, struct err *e)
{
	const struct memory *m = engine;
	const struct question *q = w->question;

	(void)e;
	*len = 0;
	*list = mem_zero(m->weights_len, sizeof **list);
	for (size_t i = 0; i < m->weights_len; i++) {
		const struct robust_weight *x = &m->weights[i];

		if (x->day >= calendar_day(w->zone, w->span.from) && x->day <= calendar_day(w->zone, w->span.until - 1) &&
			(q->port < 0 || (x->key.lo & UINT16_MAX) == (unsigned)q->port) && (q->proto < 0 || x->key.lo >> 16 == (unsigned)q->proto) &&
			(q->each != EACH_PORT || want_takes(w, &x->key)))
			(*list)[(*len)++] = *x;
	}
	return true;
}

static int weight_order(const void *a, const void *b)
{
	const struct robust_weight *x = a, *y = b;
	int by_key = key_cmp(&x->key, &y->key);

	return by_key ? by_key : x->day != y->day ? (x->day < y->day ? -1 : 1) : x->sensor < y->sensor ? -1 : x->sensor > y->sensor;
}

static int robust_order(const void *a, const void *b)
{
	const struct robust_cell *x = a, *y = b;
	int by_key = key_cmp(&x->key, &y->key);

	return by_key ? by_key : x->at < y->at ? -1 : x->at > y->at;
}

struct robust_list { struct robust_cell *cells; size_t len, cap; };

static void robust_push(struct robust_list *l, struct key key, minute_t at, double value, struct sureness sure)
{
	MEM_GROW(l->cells, l->len, l->cap);
	l->cells[l->len++] = (struct robust_cell){ key, at, value, sure };
}

static void whole_ports(const struct memory *m, const struct want *w, struct robust_list *l)
{
	const struct question *q = w->question;

	for (size_t i = 0; i < m->days_len; i++) {
		const struct robust_day *d = &m->days[i];
		minute_t at = calendar_day_start(w->zone, d->day);
		int proto = (int)(d->key.lo >> 16), port = (int)(d->key.lo & UINT16_MAX);
		struct key key = { 0, q->each == EACH_PORT ? d->key.lo : q->each == EACH_PROTO ? (uint64_t)proto : 0 };

		if (at >= w->span.from && at < w->span.until && (q->proto < 0 || q->proto == proto) && (q->port < 0 || q->port == port) && d->value == d->value)
			robust_push(l, key, at, d->value, want_one_port(w) ? (struct sureness){ d->se, d->looked, d->accepted, d->flags, d->revision } :
				(struct sureness){ .se = NAN });
	}
}

static void parts_of_ports(const struct memory *m, const struct want *w, struct robust_list *l)
{
	struct key keys[ROW_KEYS_MAX];

	for (size_t i = 0; i < m->len; i++) {
		const struct row *r = &m->rows[i];
		struct tuple t = labelled(m, w->zone, r);
		struct robust_weight sought = { .key = { 0, (uint64_t)t.proto << 16 | port_ranked(t.proto, t.port) }, .day = calendar_day(w->zone, t.minute),
			.sensor = r->sensor };
		const struct robust_weight *found = bsearch(&sought, m->weights, m->weights_len, sizeof sought, weight_order);
		unsigned n = found && wanted(w, r, &t) ? row_keys(w->question->each, &t, r->sensor, r->region, organisation(w, r), keys) : 0;

		for (unsigned k = 0; k < n; k++)
			robust_push(l, keys[k], calendar_day_start(w->zone, sought.day), found->weight * t.packets, (struct sureness){ .se = NAN });
	}
}

static bool memory_robust(void *engine, const struct want *w, robust_fn *fn, void *to, struct err *e)
{
	struct robust_list l = { 0 };
	size_t kept = 0;

	(void)e;
	(want_whole_ports(w) ? whole_ports : parts_of_ports)(engine, w, &l);
	if (l.len)
		qsort(l.cells, l.len, sizeof *l.cells, robust_order);
	for (size_t i = 0; i < l.len; i++)
		if (kept && robust_order(&l.cells[kept - 1], &l.cells[i]) == 0)
			l.cells[kept - 1] = (struct robust_cell){ l.cells[i].key, l.cells[i].at, l.cells[kept - 1].value + l.cells[i].value, { .se = NAN } };
		else if (want_takes(w, &l.cells[i].key))
			l.cells[kept++] = l.cells[i];
	(void)fn(to, l.cells, kept);
	free(l.cells);
	return true;
}

static bool memory_findings(void *engine, uint32_t from, uint32_t until, uint32_t port, struct robust_finding **list, size_t *n, struct err *e)
{
	struct memory *m = engine;

	(void)e;
	*n = 0;
	*list = mem_zero(m->findings_len, sizeof **list);
	for (size_t i = 0; i < m->findings_len; i++)
		if (m->findings[i].day >= from && m->findings[i].day < until && (!port || m->findings[i].key.lo == port))
			(*list)[(*n)++] = m->findings[i];
	return true;
}

/* A source on a port in an hour at a sensor. */
struct meeting { uint32_t port; struct addr src; minute_t hour; uint16_t sensor; uint64_t packets; };

static int meeting_order(const void *a, const void *b)
{
	const struct meeting *x = a, *y = b;
	int by_src = addr_cmp(&x->src, &y->src);

	return x->port != y->port ? (x->port < y->port ? -1 : 1) : by_src ? by_src : x->hour != y->hour ? (x->hour < y->hour ? -1 : 1) :
		x->sensor < y->sensor ? -1 : x->sensor > y->sensor;
}

static int hour_order(const void *a, const void *b)
{
	const struct hour_cell *x = a, *y = b;

	return x->hour != y->hour ? (x->hour < y->hour ? -1 : 1) : x->port != y->port ? (x->port < y->port ? -1 : 1) : x->sensor < y->sensor ? -1 :
		x->sensor > y->sensor;
}

/* With the day before, in which who is met is not new. */
static size_t meetings(const struct memory *m, struct span span, struct meeting **list)
{
	size_t len = 0, cap = 0;

	*list = NULL;
	for (size_t i = 0; i < m->len; i++) {
		const struct tuple *t = &m->rows[i].tuple;

		if (t->minute + MINUTES_PER_DAY < span.from || t->minute >= span.until || !tuple_reaches(t))
			continue;
		MEM_GROW(*list, len, cap);
		(*list)[len++] = (struct meeting){ (uint32_t)t->proto << 16 | port_ranked(t->proto, t->port), t->src, t->minute - t->minute % HOUR, m->rows[i].sensor,
			t->packets };
	}
	if (len)
		qsort(*list, len, sizeof **list, meeting_order);
	return len;
}

/* One source in one hour on a port: n meetings. */
static void meet(const struct meeting *of, size_t n, bool is_new, struct hour_cell *cells, size_t *len)
{
	struct hour_cell all = { of->port, of->hour, 0, 1, is_new, 0, 0 };

	for (size_t i = 0; i < n; i++) {
		if (i == 0 || of[i].sensor != of[i - 1].sensor)
			cells[(*len)++] = (struct hour_cell){ of->port, of->hour, of[i].sensor, 1, 0, 0, 0 };
		all.packets += of[i].packets;
	}
	all.top = all.packets;
	cells[(*len)++] = all;
}

static size_t join_hours(struct hour_cell *cells, size_t len)
{
	size_t kept = 0;

	if (len)
		qsort(cells, len, sizeof *cells, hour_order);
	for (size_t i = 0; i < len; i++) {
		struct hour_cell *last = kept ? &cells[kept - 1] : NULL;

		if (!last || hour_order(last, &cells[i]) != 0) {
			cells[kept++] = cells[i];
			continue;
		}
		last->sources += cells[i].sources;
		last->new_sources += cells[i].new_sources;
		last->packets += cells[i].packets;
		last->top = last->top > cells[i].top ? last->top : cells[i].top;
	}
	return kept;
}

static bool memory_hours(void *engine, struct span span, hour_fn *fn, void *to, struct err *e)
{
	struct meeting *list;
	size_t n = meetings(engine, span, &list), len = 0;
	struct hour_cell *cells = mem_zero(2 * n, sizeof *cells);

	(void)e;
	for (size_t i = 0, k; i < n; i = k) {
		const struct meeting *before = i && list[i - 1].port == list[i].port && addr_cmp(&list[i - 1].src, &list[i].src) == 0 ? &list[i - 1] : NULL;

		for (k = i + 1; k < n && list[k].port == list[i].port && list[k].hour == list[i].hour && addr_cmp(&list[k].src, &list[i].src) == 0; )
			k++;
		if (list[i].hour >= span.from)
			meet(list + i, k - i, !before || list[i].hour - before->hour > MINUTES_PER_DAY, cells, &len);
	}
	(void)fn(to, cells, join_hours(cells, len));
	free(cells);
	free(list);
	return true;
}

static bool memory_reckoned_until(void *engine, minute_t *until, struct err *e)
{
	const struct memory *m = engine;

	(void)e;
	*until = span_empty(m->touched) ? MINUTE_MAX : m->touched.from;
	return true;
}

/* Counted from the rows whenever it is asked for: there is nothing to do, but to say what changed. */
static bool memory_reckon(void *engine, minute_t until, struct span *what, struct err *e)
{
	struct memory *m = engine;

	(void)e;
	*what = span_both(m->touched, (struct span){ 0, until - until % HOUR });
	if (span_empty(*what))
		*what = (struct span){ 0, 0 };
	else
		m->touched.from = what->until;
	return true;
}

static bool memory_revisions(void *engine, struct surge_revision **list, size_t *n, struct err *e)
{
	const struct memory *m = engine;

	(void)e;
	*n = m->said_len;
	*list = mem_zero(*n, sizeof **list);
	if (*n)
		memcpy(*list, m->said, *n * sizeof **list);
	return true;
}

static bool memory_revise(void *engine, const struct surge_revision *list, size_t n, struct err *e)
{
	struct memory *m = engine;

	(void)e;
	for (size_t i = 0; i < n; i++) {
		MEM_GROW(m->said, m->said_len, m->said_cap);
		m->said[m->said_len++] = list[i];
	}
	return true;
}

static bool memory_save_sensor(void *engine, const struct sensor *s, struct err *e)
{
	(void)engine;
	(void)s;
	(void)e;
	return true;
}

static int cell_order(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;
	int by_key = key_cmp(&x->key, &y->key);

	if (by_key)
		return by_key;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->sensor == y->sensor ? 0 : x->sensor < y->sensor ? -1 : 1;
}

static bool memory_cells(void *engine, const struct want *w, cell_fn *fn, void *to, struct err *e)
{
	static const enum step steps[] = { STEP_MINUTE, STEP_HOUR, STEP_DAY };
	struct memory *m = engine;
	struct cell *cells = NULL;
	struct key keys[ROW_KEYS_MAX];
	size_t len = 0, cap = 0, kept = 0;

	(void)e;
	for (size_t i = 0; i < m->len; i++) {
		const struct row *r = &m->rows[i];
		struct tuple t = labelled(m, w->zone, r);
		unsigned n = wanted(w, r, &t) ? row_keys(w->question->each, &t, r->sensor, r->region, organisation(w, r), keys) : 0;

		for (unsigned k = 0; k < n; k++) {
			if (!want_takes(w, &keys[k]))
				continue;
			MEM_GROW(cells, len, cap);
			cells[len++] = (struct cell){ keys[k], calendar_floor(w->zone, r->tuple.minute, steps[w->grain]), r->sensor,
				r->tuple.packets };
		}
	}
	if (len)
		qsort(cells, len, sizeof *cells, cell_order);
	for (size_t i = 0; i < len; i++)
		if (kept && cell_order(&cells[kept - 1], &cells[i]) == 0)
			cells[kept - 1].packets += cells[i].packets;
		else
			cells[kept++] = cells[i];
	(void)fn(to, cells, kept);
	free(cells);
	return true;
}

struct seen { struct addr src; uint16_t sensor; };

static int seen_order(const void *a, const void *b)
{
	return addr_cmp(&((const struct seen *)a)->src, &((const struct seen *)b)->src);
}

static void total_of(const struct memory *m, const struct want *w, struct total *t)
{
	struct seen *seen = NULL;
	size_t len = 0, cap = 0;
	bool sensors[UINT16_MAX + 1] = { false };
	struct key keys[ROW_KEYS_MAX];

	for (size_t i = 0; i < m->len; i++) {
		const struct row *r = &m->rows[i];
		struct tuple one = labelled(m, w->zone, r);
		unsigned n = wanted(w, r, &one) ? row_keys(w->question->each, &one, r->sensor, r->region, organisation(w, r), keys) : 0;

		for (unsigned k = 0; k < n; k++)
			if (key_cmp(&keys[k], &t->key) == 0) {
				t->packets += r->tuple.packets;
				t->bytes += r->tuple.bytes;
				t->sensors += !sensors[r->sensor];
				sensors[r->sensor] = true;
				MEM_GROW(seen, len, cap);
				seen[len++] = (struct seen){ r->tuple.src, r->sensor };
			}
	}
	if (len)
		qsort(seen, len, sizeof *seen, seen_order);
	for (size_t i = 0; i < len; i++)
		t->sources += i == 0 || seen_order(&seen[i - 1], &seen[i]) != 0;
	free(seen);
}

static bool memory_totals(void *engine, const struct want *w, struct total *out, struct err *e)
{
	(void)e;
	for (size_t i = 0; i < w->only_len; i++) {
		out[i] = (struct total){ .key = w->only[i] };
		total_of(engine, w, &out[i]);
	}
	return true;
}

static int row_order(const void *a, const void *b)
{
	const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;

	if (x->tuple.minute != y->tuple.minute)
		return x->tuple.minute < y->tuple.minute ? -1 : 1;
	if (x->sensor != y->sensor)
		return x->sensor < y->sensor ? -1 : 1;
	return tuple_cmp(&x->tuple, &y->tuple);
}

static bool memory_rows(void *engine, const struct want *w, const struct book *book, row_fn *fn, void *to, struct err *e)
{
	struct memory *m = engine;
	const struct row **list = mem_zero(m->len, sizeof *list);
	size_t len = 0;
	bool go_on = true;

	(void)e;
	for (size_t i = 0; i < m->len; i++) {
		struct tuple t = labelled(m, w->zone, &m->rows[i]);

		if (wanted(w, &m->rows[i], &t))
			list[len++] = &m->rows[i];
	}
	if (len)
		qsort(list, len, sizeof *list, row_order);
	for (size_t i = 0; i < len && go_on; i++)
		go_on = fn(to, book->sensors[list[i]->sensor - 1].name, &list[i]->tuple, 1);
	free(list);
	return true;
}

static bool memory_check(void *engine, const struct zone *z, uint64_t *differences, struct buf *report, struct err *e)
{
	(void)engine;
	(void)z;
	(void)e;
	*differences = 0;
	buf_str(report, "memory: keeps no roll-ups\n");
	return true;
}

const struct engine_ops engine_memory = {
	.open = memory_open,
	.close = memory_close,
	.commit = memory_commit,
	.reopen = memory_reopen,
	.pending = memory_pending,
	.ripe = memory_ripe,
	.active = memory_active,
	.states = memory_states,
	.rises = memory_rises,
	.settle = memory_settle,
	.close_days = memory_close_days,
	.weights = memory_weights,
	.robust = memory_robust,
	.findings = memory_findings,
	.hours = memory_hours,
	.reckoned_until = memory_reckoned_until,
	.reckon = memory_reckon,
	.revisions = memory_revisions,
	.revise = memory_revise,
	.save_sensor = memory_save_sensor,
	.cells = memory_cells,
	.totals = memory_totals,
	.rows = memory_rows,
	.check = memory_check,
};
