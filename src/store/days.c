#include "store/days.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/calendar.h"
#include "stat/robust.h"
#include "store/habits.h"
#include "store/panel.h"

#include <assert.h>
#include <math.h>

enum { PORTS_AT_ONCE = 100, GONE_DAYS = 28 /* a sensor that watched nothing for so long is enrolled no more */, STATE_BYTES_MAX = 1 << 28,
	RISE_FACTOR = 3, RISE_PACKETS_MIN = 20 /* so far above its level, and so many at least: worth asking whose they are (ours) */ };

/* Ports on their way through the days. Cells come by port, day and sensor. */
struct pass {
	const struct engine_ops *ops;
	void *engine;
	const struct book *book;
	struct known_days then;                         /* what will be known when it is done */
	uint32_t from;                                  /* the first day that is not final yet */
	struct panel panel;                             /* all days that are over, the store's first one in slot 0 */
	struct fleet *fleets; struct seat *seats;       /* of each day */
	bool *moved;                                    /* of each day and sensor: it begins to observe other addresses */
	struct sensor_day *tallies;                     /* of each day from `from` on, and sensor */
	struct robust *robust;
	struct verdict *verdicts;
	struct finding *found;
	struct robust_state *starts; size_t starts_len, start; struct buf bytes;        /* where each port of the pass begins; the port at hand */
	struct habit *habits; struct port_habit port;   /* of the port at hand */
	double *packets;                                /* and of the day */
	size_t slot;                                    /* the day at hand */
	struct rise *rises; size_t rises_len, rises_cap;        /* of the ports of the pass */
	bool open, broken /* what is remembered of a port cannot be read */;
	struct settled out;
};

static uint32_t day_of(const struct pass *p, size_t slot)
{
	return p->then.first + (uint32_t)slot;
}

static size_t days_left(const struct pass *p)
{
	return p->panel.slots - (p->from - p->then.first);
}

/* Enrolled from its first watched day on, and until it watched nothing for four weeks. With other addresses it is a new one. */
static void seat_sensor(struct pass *p, size_t sensor)
{
	size_t n = p->book->len, first = 0, last = 0, since;
	uint32_t group = book_group(p->book, sensor);
	bool met = false;

	for (size_t day = 0; day < p->panel.slots; day++)
		if (p->panel.watched_s[day * n + sensor]) {
			first = met ? first : day;
			last = day;
			met = true;
		}
	since = first;
	for (size_t day = 0; day < p->panel.slots; day++) {
		bool moved = book_moved(p->book, (uint16_t)(sensor + 1), p->panel.list[day].span);

		since = moved ? day : since;
		p->moved[day * n + sensor] = moved;
		p->seats[day * n + sensor] = (struct seat){ .enrolled = met && day >= first && day <= last + GONE_DAYS,
			.calibrating = day < since + ROBUST_CALIBRATING_DAYS, .addresses = p->book->sensors[sensor].addresses, .group = group,
			.coverage = (double)p->panel.watched_s[day * n + sensor] / p->panel.list[day].whole_s };
	}
}

static void begin_pass(struct pass *p)
{
	size_t n = p->book->len;

	p->fleets = mem_zero(p->panel.slots, sizeof *p->fleets);
	p->seats = mem_zero(p->panel.slots * n, sizeof *p->seats);
	p->moved = mem_zero(p->panel.slots * n, sizeof *p->moved);
	for (size_t i = 0; i < n; i++)
		seat_sensor(p, i);
	for (size_t day = 0; day < p->panel.slots; day++)
		fleet_init(&p->fleets[day], p->seats + day * n, n);
	p->tallies = mem_zero(days_left(p) * n, sizeof *p->tallies);
	p->robust = robust_open(n);
	p->verdicts = mem_zero(n, sizeof *p->verdicts);
	p->found = mem_zero(FINDINGS_MAX(n), sizeof *p->found);
	p->habits = mem_zero(n, sizeof *p->habits);
	p->packets = mem_zero(n, sizeof *p->packets);
	p->starts = mem_zero(PORTS_AT_ONCE, sizeof *p->starts);
	p->bytes = buf_make(STATE_BYTES_MAX);
	p->out = (struct settled){ .from = p->from, .bytes = buf_make(STATE_BYTES_MAX) };
}

static void end_pass(struct pass *p)
{
	for (size_t day = 0; day < p->panel.slots; day++)
		fleet_release(&p->fleets[day]);
	panel_release(&p->panel);
	free(p->fleets);
	free(p->seats);
	free(p->moved);
	free(p->tallies);
	free(p->rises);
	free(p->starts);
	buf_release(&p->bytes);
	robust_close(p->robust);
	free(p->verdicts);
	free(p->found);
	free(p->habits);
	free(p->packets);
	free(p->out.days);
	free(p->out.weights);
	free(p->out.findings);
	free(p->out.states);
	buf_release(&p->out.bytes);
}

static const struct key *key_of(const struct pass *p)
{
	return &p->starts[p->start].key;
}

/* What one packet of a sensor adds to the day's value; by the plain mean where nothing else is known (METHODS.md 1). */
static void keep_weights(struct pass *p, const struct fitted *day)
{
	const struct fleet *f = &p->fleets[p->slot];
	double robust = 0, plain = 0;

	for (size_t k = 0; k < f->panel_len; k++) {
		size_t i = f->panel[k];

		robust += p->verdicts[i].voice * p->verdicts[i].exposure;
		plain += f->seats[i].addresses * f->seats[i].coverage;
	}
	bool fits = day->theta > 0 && robust > 0;
	for (size_t k = 0; k < f->panel_len; k++) {
		size_t i = f->panel[k];
		double weight = fits ? day->headline_b * p->verdicts[i].voice / robust : 1 / plain;
		double voice = f->seats[i].coverage >= 1 ? 0 : fits ? p->verdicts[i].voice * p->verdicts[i].b / robust : f->seats[i].addresses / plain;

		if (weight == 0 || !(p->packets[i] > 0 || voice > 0))
			continue;
		MEM_GROW(p->out.weights, p->out.weights_len, p->out.weights_cap);
		p->out.weights[p->out.weights_len++] = (struct robust_weight){ *key_of(p), day_of(p, p->slot), (uint16_t)(i + 1), weight, voice };
	}
}

static void keep_day(struct pass *p, const struct fitted *d)
{
	MEM_GROW(p->out.days, p->out.days_len, p->out.days_cap);
	p->out.days[p->out.days_len++] = (struct robust_day){ .key = *key_of(p), .day = day_of(p, p->slot), .theta = d->theta, .se = d->se * d->headline_b,
		.value = d->value, .plain = d->plain, .looked = (uint16_t)d->looked, .accepted = (uint16_t)d->accepted, .flags = (uint8_t)d->flags,
		.revision = 1 };
}

static void keep_finding(struct pass *p, const struct key *key, uint32_t day, const struct finding *f)
{
	bool of_port = f->kind == FINDING_PARTIAL || f->kind == FINDING_SPLIT;

	MEM_GROW(p->out.findings, p->out.findings_len, p->out.findings_cap);
	p->out.findings[p->out.findings_len++] = (struct robust_finding){ .key = *key, .day = day, .kind = (uint8_t)f->kind, .up = f->direction > 0,
		.sensor = of_port ? 0 : (uint16_t)(f->sensor + 1), .packets = f->packets, .expected = f->expected, .n = (uint16_t)f->n,
		.of = (uint16_t)f->of, .level = f->level, .other = f->other };
}

/* Sensors that disagree with theta and with one another are odd each for itself (METHODS.md 1.1 step 7). */
static void keep_findings(struct pass *p, const struct fitted *d)
{
	size_t n = robust_findings(p->robust, &p->fleets[p->slot], p->packets, p->habits, d, p->verdicts, p->found);

	for (size_t i = 0; i < n; i++)
		if (p->found[i].kind != FINDING_PARTIAL || p->found[i].coherent)
			keep_finding(p, key_of(p), day_of(p, p->slot), &p->found[i]);
}

/* Of a day without packets nothing is kept: somebody looked and saw none, or nobody looked. */
static void keep(struct pass *p, const struct fitted *d)
{
	size_t n = p->book->len;
	double packets = 0;

	for (size_t i = 0; i < n; i++) {
		packets += p->packets[i];
		sensor_day_add(&p->tallies[(day_of(p, p->slot) - p->from) * n + i], p->packets[i], d, &p->verdicts[i]);
	}
	keep_findings(p, d);
	if (packets == 0)
		return;
	keep_day(p, d);
	keep_weights(p, d);
	if (packets >= RISE_PACKETS_MIN && d->theta > RISE_FACTOR * d->level) {
		MEM_GROW(p->rises, p->rises_len, p->rises_cap);
		p->rises[p->rises_len++] = (struct rise){ .key = *key_of(p), .day = day_of(p, p->slot), .level = d->theta * d->headline_b, .before = d->level * d->headline_b };
	}
}

static void keep_state(struct pass *p, const struct key *key, size_t at)
{
	MEM_GROW(p->out.states, p->out.states_len, p->out.states_cap);
	p->out.states[p->out.states_len++] = (struct robust_state){ *key, p->then.final, at, p->out.bytes.len - at };
}

/* The evening from which this port will be gone through the next time. */
static void keep_habits(struct pass *p)
{
	size_t at = p->out.bytes.len;

	if (day_of(p, p->slot) != p->then.final || p->starts[p->start].day == p->then.final)
		return;
	habits_encode(&p->port, p->habits, p->book->len, &p->out.bytes);
	keep_state(p, key_of(p), at);
}

/* The day at hand is complete. */
static void finish_day(struct pass *p)
{
	const struct fleet *f = &p->fleets[p->slot];
	struct fitted day;

	keep_habits(p);
	for (size_t i = 0; i < p->book->len; i++)
		if (p->moved[p->slot * p->book->len + i])
			p->habits[i] = (struct habit){ 0 };
	robust_fit(p->robust, f, p->packets, &p->port, p->habits, &day, p->verdicts);
	if (day_of(p, p->slot) >= p->from)
		keep(p, &day);
	robust_learn(f, p->packets, &day, p->verdicts, &p->port, p->habits);
	memset(p->packets, 0, p->book->len * sizeof *p->packets);
	p->slot++;
}

static void finish_port(struct pass *p)
{
	if (!p->open)
		return;
	while (p->slot < p->panel.slots)
		finish_day(p);
	keep_habits(p);
	p->open = false;
	p->start++;
}

/* With its habits of an evening, or as nobody ever reached for it. */
static bool begin_port(struct pass *p, size_t slot)
{
	const struct robust_state *s = &p->starts[p->start];
	struct reader r = reader_over(p->bytes.at + s->at, s->len);

	p->open = true;
	if (s->len && habits_decode(&r, &p->port, p->habits, p->book->len)) {
		p->slot = s->day - p->then.first;
		return true;
	}
	p->broken = s->len > 0;
	p->slot = slot;
	port_habit_init(&p->port);
	memset(p->habits, 0, p->book->len * sizeof *p->habits);
	return !p->broken;
}

static bool take_cells(void *to, const struct cell *cells, size_t n)
{
	struct pass *p = to;

	for (size_t i = 0; i < n; i++) {
		size_t slot = panel_slot(&p->panel, cells[i].at);

		if (p->open && key_cmp(key_of(p), &cells[i].key) != 0)
			finish_port(p);
		while (!p->open && key_cmp(key_of(p), &cells[i].key) < 0)
			p->start++;             /* came late only, on days that are final */
		if (day_of(p, slot) < p->starts[p->start].day)
			continue;
		if (!p->open && !begin_port(p, slot))
			return false;
		while (p->slot < slot)
			finish_day(p);
		p->packets[cells[i].sensor - 1] += (double)cells[i].packets;
	}
	return true;
}

/* One source that knocks at every sensor bends no sensor's value: it is named for what it is. */
static bool keep_rises(struct pass *p, struct err *e)
{
	if (p->rises_len && !p->ops->rises(p->engine, p->rises, p->rises_len, e))
		return false;
	for (size_t i = 0; i < p->rises_len; i++) {
		const struct rise *r = &p->rises[i];

		if (2 * r->top < r->packets)
			continue;
		MEM_GROW(p->out.findings, p->out.findings_len, p->out.findings_cap);
		p->out.findings[p->out.findings_len++] = (struct robust_finding){ .key = r->key, .day = r->day, .kind = FINDING_SOURCE, .up = 1,
			.packets = (double)r->top, .expected = (double)r->packets, .level = r->level, .other = r->before };
	}
	return true;
}

/* Ports that begin together, or each at its own evening. */
static bool settle_ports(struct pass *p, const struct question *all, struct err *e)
{
	struct key ports[PORTS_AT_ONCE];
	uint32_t first = UINT32_MAX;

	buf_clear(&p->bytes);
	if (p->from > p->then.first && !p->ops->states(p->engine, p->starts, p->starts_len, &p->bytes, e))
		return false;
	for (size_t i = 0; i < p->starts_len; i++) {
		ports[i] = p->starts[i].key;
		if (p->starts[i].len == 0 || p->starts[i].day < p->then.first)
			p->starts[i] = (struct robust_state){ .key = ports[i], .day = p->from };
		first = p->starts[i].day < first ? p->starts[i].day : first;
	}
	struct want w = { .question = all, .zone = &p->book->zone, .grain = GRAIN_DAY, .only = ports, .only_len = p->starts_len,
		.span = { p->panel.list[first - p->then.first].span.from, p->panel.list[p->panel.slots - 1].span.until } };
	p->start = p->rises_len = 0;
	p->out.ports = ports;
	p->out.ports_len = p->starts_len;
	p->out.days_len = p->out.weights_len = p->out.findings_len = p->out.states_len = 0;
	buf_clear(&p->out.bytes);
	if (!p->ops->cells(p->engine, &w, take_cells, p, e))
		return false;
	if (p->broken)
		return err_set(e, "what is remembered of a port cannot be read");
	finish_port(p);
	return keep_rises(p, e) && p->ops->settle(p->engine, &p->out, e);
}

static int by_key(const void *a, const void *b)
{
	return key_cmp(&((const struct robust_state *)a)->key, &((const struct robust_state *)b)->key);
}

/* Those of like age together: cells are read from the evening of the oldest. */
static int by_day(const void *a, const void *b)
{
	const struct robust_state *x = a, *y = b;

	return x->day != y->day ? (x->day < y->day ? -1 : 1) : by_key(a, b);
}

static bool settle_all(struct pass *p, struct err *e)
{
	struct robust_state *ports = NULL;
	struct question all;
	size_t n = 0;

	question_init(&all);
	all.each = EACH_PORT;
	bool ok = p->ops->active(p->engine, p->from, p->then.settled, &ports, &n, e);
	if (ok && n)
		qsort(ports, n, sizeof *ports, by_day);
	for (size_t i = 0; ok && i < n; i += PORTS_AT_ONCE) {
		p->starts_len = n - i < PORTS_AT_ONCE ? n - i : PORTS_AT_ONCE;
		memcpy(p->starts, ports + i, p->starts_len * sizeof *p->starts);
		qsort(p->starts, p->starts_len, sizeof *p->starts, by_key);
		ok = settle_ports(p, &all, e);
	}
	free(ports);
	return ok;
}

/* How quiet the sensors had been, on the evening before the days that are gone through. */
static bool remember_quiet(struct pass *p, double *quiet, struct err *e)
{
	struct robust_state s = { .key = { 0, 0 } };

	buf_clear(&p->bytes);
	if (!p->ops->states(p->engine, &s, 1, &p->bytes, e))
		return false;
	struct reader r = reader_over(p->bytes.at + s.at, s.len);
	for (size_t i = 0; i < p->book->len && reader_left(&r); i++)
		quiet[i] = read_double(&r);
	return true;
}

static void judge_sensor_day(struct pass *p, size_t day, size_t sensor, double *quiet)
{
	size_t n = p->book->len, slot = day + p->from - p->then.first;
	struct sensor_day *t = &p->tallies[day * n + sensor];
	const struct seat *seat = &p->seats[slot * n + sensor];
	struct finding found[2];
	size_t len = 0;

	for (size_t k = 0; k < p->fleets[slot].panel_len; k++)
		if (p->fleets[slot].panel[k] == sensor) {
			t->quiet = *quiet;
			len = sensor_day_end(t, sensor, seat->calibrating, found);
			*quiet = t->quiet;
		}
	for (size_t i = 0; i < len; i++)
		keep_finding(p, &(struct key){ 0, 0 }, day_of(p, slot), &found[i]);
}

/* What all ports together say of the sensors. */
static bool settle_sensors(struct pass *p, struct err *e)
{
	double *quiet = mem_zero(p->book->len, sizeof *quiet);
	bool ok = p->from == p->then.first || remember_quiet(p, quiet, e);

	p->out.days_len = p->out.weights_len = p->out.findings_len = p->out.states_len = 0;
	buf_clear(&p->out.bytes);
	for (size_t day = 0; day <= days_left(p); day++) {
		if (p->from + day == p->then.final) {
			for (size_t i = 0; i < p->book->len; i++)
				buf_double(&p->out.bytes, quiet[i]);
			keep_state(p, &(struct key){ 0, 0 }, 0);
		}
		for (size_t i = 0; day < days_left(p) && i < p->book->len; i++)
			judge_sensor_day(p, day, i, &quiet[i]);
	}
	free(quiet);
	p->out.ports = &(struct key){ 0, 0 };
	p->out.ports_len = 1;
	return ok && p->ops->settle(p->engine, &p->out, e);
}

static bool run(struct pass *p, struct span span, struct err *e)
{
	struct question all;

	question_init(&all);
	if (!panel_make(&p->panel, p->book, &all, 0, span, GRAIN_DAY, e))
		return false;
	begin_pass(p);
	bool ok = settle_all(p, e) && settle_sensors(p, e);
	end_pass(p);
	return ok;
}

bool days_settle(const struct engine_ops *ops, void *engine, const struct book *book, minute_t now, struct known_days *known, struct err *e)
{
	enum { FINAL_AFTER = FINAL_AFTER_DAYS * MINUTES_PER_DAY };
	const struct zone *z = &book->zone;
	struct span held = book_held(book), span;
	struct pending came;
	uint32_t ripe = 0;

	*known = book->days;
	if (span_empty(held))
		return true;
	minute_t end = calendar_next(z, held.until - 1, STEP_DAY), over = calendar_floor(z, now, STEP_DAY);
	span = (struct span){ calendar_floor(z, held.from, STEP_DAY), end < over ? end : over };
	if (span_empty(span))
		return true;
	struct pass p = { .ops = ops, .engine = engine, .book = book, .then = *known };
	p.then.first = calendar_day(z, span.from);
	p.then.settled = calendar_day(z, span.until - 1) + 1;
	if (!ops->pending(engine, known->final, p.then.settled, &came, e) || !ops->ripe(engine, now > FINAL_AFTER ? now - FINAL_AFTER : 0, &ripe, e))
		return false;
	bool anew = known->settled == 0 || p.then.first < known->first;
	p.from = anew || known->final < p.then.first ? p.then.first : known->final;
	p.then.final = anew ? p.then.first : ripe > p.from ? ripe : p.from;
	p.then.late += anew ? 0 : came.late;
	p.then.passes++;
	if (came.first == UINT32_MAX && !anew && p.then.settled == known->settled && p.then.final == known->final)
		return true;
	if ((anew || came.open || p.then.settled != known->settled || p.then.final != known->final) && !run(&p, span, e))
		return false;
	if (!ops->close_days(engine, &p.then, anew, now, e))
		return false;
	*known = p.then;
	return true;
}
