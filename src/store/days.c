#include "store/days.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/calendar.h"
#include "stat/robust.h"
#include "store/panel.h"

#include <assert.h>
#include <math.h>

enum { PORTS_AT_ONCE = 250, GONE_DAYS = 28 /* a sensor that watched nothing for so long is enrolled no more */ };

/* Ports on their way through all days. Cells come by port, day and sensor. */
struct pass {
	const struct book *book;
	const struct panel *panel;      /* all days */
	struct fleet *fleets; struct seat *seats;       /* of each day */
	bool *moved;                                    /* of each day and sensor: it begins to observe other addresses */
	struct robust *robust;
	struct verdict *verdicts;
	struct finding *found;
	struct habit *habits; struct port_habit port;   /* of the port at hand */
	double *packets;                                /* and of the day */
	struct key key;
	size_t slot;                                    /* the day at hand */
	bool open;
	struct settled out;
};

/* Enrolled from its first watched day on, and until it watched nothing for four weeks. With other addresses it is a new one. */
static void seat_sensor(struct pass *p, size_t sensor)
{
	size_t n = p->book->len, first = 0, last = 0, since;
	uint32_t group = book_group(p->book, sensor);
	bool met = false;

	for (size_t day = 0; day < p->panel->slots; day++)
		if (p->panel->watched_s[day * n + sensor]) {
			first = met ? first : day;
			last = day;
			met = true;
		}
	since = first;
	for (size_t day = 0; day < p->panel->slots; day++) {
		bool moved = book_moved(p->book, (uint16_t)(sensor + 1), p->panel->list[day].span);

		since = moved ? day : since;
		p->moved[day * n + sensor] = moved;
		p->seats[day * n + sensor] = (struct seat){ .enrolled = met && day >= first && day <= last + GONE_DAYS,
			.calibrating = day < since + ROBUST_CALIBRATING_DAYS, .addresses = p->book->sensors[sensor].addresses, .group = group,
			.coverage = (double)p->panel->watched_s[day * n + sensor] / p->panel->list[day].whole_s };
	}
}

static void begin_pass(struct pass *p)
{
	size_t n = p->book->len;

	p->fleets = mem_zero(p->panel->slots, sizeof *p->fleets);
	p->seats = mem_zero(p->panel->slots * n, sizeof *p->seats);
	p->moved = mem_zero(p->panel->slots * n, sizeof *p->moved);
	for (size_t i = 0; i < n; i++)
		seat_sensor(p, i);
	for (size_t day = 0; day < p->panel->slots; day++)
		fleet_init(&p->fleets[day], p->seats + day * n, n);
	p->robust = robust_open(n);
	p->verdicts = mem_zero(n, sizeof *p->verdicts);
	p->found = mem_zero(FINDINGS_MAX(n), sizeof *p->found);
	p->habits = mem_zero(n, sizeof *p->habits);
	p->packets = mem_zero(n, sizeof *p->packets);
}

static void end_pass(struct pass *p)
{
	for (size_t day = 0; p->fleets && day < p->panel->slots; day++)
		fleet_release(&p->fleets[day]);
	free(p->fleets);
	free(p->seats);
	free(p->moved);
	robust_close(p->robust);
	free(p->verdicts);
	free(p->found);
	free(p->habits);
	free(p->packets);
	free(p->out.days);
	free(p->out.weights);
	free(p->out.findings);
}

/* What one packet of a sensor adds to the day's value; by the plain mean where nothing else is known (METHODS.md 1). */
static void keep_weights(struct pass *p, const struct fitted *day, uint32_t number)
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

		if (!(p->packets[i] > 0) || weight == 0)
			continue;
		MEM_GROW(p->out.weights, p->out.weights_len, p->out.weights_cap);
		p->out.weights[p->out.weights_len++] = (struct robust_weight){ p->key, number, (uint16_t)(i + 1), weight };
	}
}

static void keep_day(struct pass *p, const struct fitted *d, uint32_t number)
{
	MEM_GROW(p->out.days, p->out.days_len, p->out.days_cap);
	p->out.days[p->out.days_len++] = (struct robust_day){ .key = p->key, .day = number, .theta = d->theta, .se = d->se * d->headline_b, .value = d->value,
		.plain = d->plain, .looked = (uint16_t)d->looked, .accepted = (uint16_t)d->accepted, .flags = (uint8_t)d->flags };
}

static void keep_findings(struct pass *p, const struct fitted *d, uint32_t number)
{
	size_t n = robust_findings(p->robust, &p->fleets[p->slot], p->packets, p->habits, d, p->verdicts, p->found);

	for (size_t i = 0; i < n; i++) {
		const struct finding *f = &p->found[i];
		bool of_sensor = f->kind == FINDING_ODD || f->kind == FINDING_SHIFT;

		MEM_GROW(p->out.findings, p->out.findings_len, p->out.findings_cap);
		p->out.findings[p->out.findings_len++] = (struct robust_finding){ .key = p->key, .day = number, .kind = (uint8_t)f->kind, .up = f->direction > 0,
			.sensor = of_sensor ? (uint16_t)(f->sensor + 1) : 0, .packets = f->packets, .expected = f->expected, .n = (uint16_t)f->n,
			.of = (uint16_t)f->of, .level = f->level, .other = f->other };
	}
}

/* The day at hand is complete. Of a day without packets nothing is kept: somebody looked and saw none, or nobody looked. */
static void finish_day(struct pass *p)
{
	const struct fleet *f = &p->fleets[p->slot];
	uint32_t number = calendar_day(&p->book->zone, p->panel->list[p->slot].span.from);
	struct fitted day;
	bool any = false;

	for (size_t i = 0; i < p->book->len; i++) {
		any |= p->packets[i] > 0;
		if (p->moved[p->slot * p->book->len + i])
			p->habits[i] = (struct habit){ 0 };
	}
	robust_fit(p->robust, f, p->packets, &p->port, p->habits, &day, p->verdicts);
	keep_findings(p, &day, number);
	if (any) {
		keep_day(p, &day, number);
		keep_weights(p, &day, number);
	}
	robust_learn(f, p->packets, &day, p->verdicts, &p->port, p->habits);
	memset(p->packets, 0, p->book->len * sizeof *p->packets);
	p->slot++;
}

static void finish_port(struct pass *p)
{
	while (p->open && p->slot < p->panel->slots)
		finish_day(p);
	p->open = false;
}

static void begin_port(struct pass *p, const struct key *key, size_t slot)
{
	p->key = *key;
	p->slot = slot;
	p->open = true;
	port_habit_init(&p->port);
	memset(p->habits, 0, p->book->len * sizeof *p->habits);
}

static bool take_cells(void *to, const struct cell *cells, size_t n)
{
	struct pass *p = to;

	for (size_t i = 0; i < n; i++) {
		size_t slot = panel_slot(p->panel, cells[i].at);

		if (!p->open || key_cmp(&p->key, &cells[i].key) != 0) {
			finish_port(p);
			begin_port(p, &cells[i].key, slot);
		}
		while (p->slot < slot)
			finish_day(p);
		p->packets[cells[i].sensor - 1] += (double)cells[i].packets;
	}
	return true;
}

static bool settle_ports(const struct engine_ops *ops, void *engine, struct pass *p, const struct want *w, struct err *e)
{
	p->out.ports = w->only;
	p->out.ports_len = w->only_len;
	p->out.days_len = p->out.weights_len = p->out.findings_len = 0;
	if (!ops->cells(engine, w, take_cells, p, e))
		return false;
	finish_port(p);
	return ops->settle(engine, &p->out, e);
}

static bool settle_all(const struct engine_ops *ops, void *engine, const struct book *book, struct span span, const struct key *ports, size_t n, struct err *e)
{
	struct question all;
	struct panel panel;
	bool ok = true;

	question_init(&all);
	all.each = EACH_PORT;
	if (!panel_make(&panel, book, &all, 0, span, GRAIN_DAY, e))
		return false;
	struct pass p = { .book = book, .panel = &panel, .out = { .until = calendar_day(&book->zone, span.until - 1) + 1 } };
	begin_pass(&p);
	for (size_t i = 0; ok && i < n; i += PORTS_AT_ONCE) {
		struct want w = { .question = &all, .zone = &book->zone, .span = span, .grain = GRAIN_DAY, .only = ports + i,
			.only_len = n - i < PORTS_AT_ONCE ? n - i : PORTS_AT_ONCE };

		ok = settle_ports(ops, engine, &p, &w, e);
	}
	end_pass(&p);
	panel_release(&panel);
	return ok;
}

bool days_settle(const struct engine_ops *ops, void *engine, const struct book *book, minute_t now, uint32_t *until, struct err *e)
{
	const struct zone *z = &book->zone;
	struct span held = book_held(book), span;
	struct key *ports = NULL;
	size_t n = 0;

	*until = 0;
	if (span_empty(held))
		return true;
	minute_t end = calendar_next(z, held.until - 1, STEP_DAY), over = calendar_floor(z, now, STEP_DAY);
	span = (struct span){ calendar_floor(z, held.from, STEP_DAY), end < over ? end : over };
	if (span_empty(span))
		return true;
	uint32_t day = calendar_day(z, span.until - 1) + 1;
	bool ok = ops->unsettled(engine, day, &ports, &n, e) && (n == 0 || settle_all(ops, engine, book, span, ports, n, e));
	if (ok && (n || day != book->settled)) {
		ok = ops->settle(engine, &(struct settled){ .until = day }, e);
		*until = ok ? day : 0;
	}
	free(ports);
	return ok;
}
