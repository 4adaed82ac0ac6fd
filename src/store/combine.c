#include "store/combine.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/calendar.h"
#include "store/days.h"
#include "store/panel.h"
#include "store/scanners.h"

#include <assert.h>
#include <math.h>

struct ranked { struct key key; double value, plain; unsigned place; };
struct ranking { struct ranked *list; size_t len, cap; };

/* Cells arrive by key, slot and sensor; each finished (key, slot) goes to one of two sinks. */
struct fold {
	const struct panel *panel;
	struct part *parts; size_t n;
	double *scratch;
	struct key key;
	size_t slot;
	bool open;
	struct ranking *ranking;        /* adds up a key's slots */
	const struct key *keys; size_t len;     /* or fills values[i][slot] of keys[i] */
	double **values, **plains;
	struct sureness **sure;
	const struct panel *days;               /* by hours: the days they are of, and what sensors weighed on them */
	struct robust_weight *weights; size_t weights_len;
};

static uint16_t alone(const struct fold *f)
{
	return f->panel->question->each == EACH_SENSOR ? (uint16_t)f->key.lo : 0;
}

static void to_ranking(struct fold *f, double value, double plain)
{
	struct ranking *r = f->ranking;

	if (r->len == 0 || key_cmp(&r->list[r->len - 1].key, &f->key) != 0) {
		MEM_GROW(r->list, r->len, r->cap);
		r->list[r->len++] = (struct ranked){ .key = f->key };
	}
	r->list[r->len - 1].value += isnan(value) ? 0 : value;
	r->list[r->len - 1].plain += isnan(plain) ? 0 : plain;
}

static size_t key_index(const struct key *keys, size_t len, const struct key *k)
{
	size_t low = 0, high = len;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (key_cmp(&keys[middle], k) <= 0)
			low = middle;
		else
			high = middle;
	}
	assert(len > 0 && key_cmp(&keys[low], k) == 0);
	return low;
}

/* Whether the day's robust values are known; a day that is not over has its plain mean. */
static bool has_robust(const struct panel *p, size_t slot)
{
	return calendar_day(&p->book->zone, p->list[slot].span.from) < p->book->days.settled;
}

/* The first weight of the port on that day, and how many there are. */
static const struct robust_weight *weights_of(const struct fold *f, const struct key *port, uint32_t day, size_t *n)
{
	size_t low = 0, high = f->weights_len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct robust_weight *w = &f->weights[middle];
		int by_port = key_cmp(&w->key, port);

		if (by_port < 0 || (by_port == 0 && w->day < day))
			low = middle + 1;
		else
			high = middle;
	}
	for (*n = 0; low + *n < f->weights_len && key_cmp(&f->weights[low + *n].key, port) == 0 && f->weights[low + *n].day == day; ++*n)
		;
	return f->weights + low;
}

static double watched_share(const struct panel *p, size_t slot, uint16_t sensor)
{
	return p->watched_s[slot * p->book->len + sensor - 1] / (span_minutes(p->list[slot].span) * 60.);
}

/* An hour's part of a robust day: its packets weighed as the day's were, over the day's exposure with each sensor's watched share of the hour
 * in place of that of the day (METHODS.md 1). */
static double hour_value(const struct fold *f)
{
	const struct question *q = f->panel->question;
	struct key port = q->each == EACH_PORT ? f->key : (struct key){ 0, (uint64_t)q->proto << 16 | (unsigned)q->port };
	minute_t at = f->panel->list[f->slot].span.from;
	double sum = 0, exposure = 1;
	size_t n, k = 0, day = panel_slot(f->days, at);
	const struct robust_weight *w = weights_of(f, &port, calendar_day(&f->panel->book->zone, at), &n);

	for (size_t i = 0; i < n; i++) {
		if (w[i].voice > 0)
			exposure -= w[i].voice * (watched_share(f->days, day, w[i].sensor) - watched_share(f->panel, f->slot, w[i].sensor));
		while (k < f->n && f->parts[k].sensor < w[i].sensor)
			k++;
		if (k < f->n && f->parts[k].sensor == w[i].sensor)
			sum += w[i].weight * (double)f->parts[k].packets;
	}
	return exposure > 1e-9 ? 24 * sum / exposure : NAN;
}

static void finish_slot(struct fold *f)
{
	const struct question *q = f->panel->question;

	if (!f->open)
		return;
	double value = panel_value(f->panel, q->across, f->slot, alone(f), f->parts, f->n, f->scratch);
	double plain = q->across == ACROSS_MEAN || q->across == ACROSS_ROBUST ? value :
		panel_value(f->panel, ACROSS_MEAN, f->slot, alone(f), f->parts, f->n, f->scratch);
	if (q->across == ACROSS_ROBUST && has_robust(f->panel, f->slot))
		value = isnan(plain) ? NAN : f->days ? hour_value(f) : 0;       /* of days robust_cells adds to it */
	if (f->ranking) {
		to_ranking(f, value, plain);
	} else {
		size_t i = key_index(f->keys, f->len, &f->key);

		f->values[i][f->slot] = value;
		f->plains[i][f->slot] = plain;
	}
	f->n = 0;
}

static bool take_cells(void *to, const struct cell *cells, size_t n)
{
	struct fold *f = to;

	for (size_t i = 0; i < n; i++) {
		const struct cell *c = &cells[i];
		minute_t from = f->panel->list[0].span.from;
		size_t slot = panel_slot(f->panel, c->at < from ? from : c->at);

		if (!f->open || slot != f->slot || key_cmp(&c->key, &f->key) != 0) {
			finish_slot(f);
			f->open = true;
			f->key = c->key;
			f->slot = slot;
		}
		f->parts[f->n++] = (struct part){ c->sensor, c->packets };
		assert(f->n <= f->panel->book->len);
	}
	return true;
}

/* The same, of robust values: keys have their cells already. */
static bool take_robust(void *to, const struct robust_cell *cells, size_t n)
{
	struct fold *f = to;

	for (size_t i = 0; i < n; i++) {
		size_t slot = panel_slot(f->panel, cells[i].at);

		if (!has_robust(f->panel, slot))
			continue;
		if (f->ranking) {
			while (f->slot < f->ranking->len && key_cmp(&f->ranking->list[f->slot].key, &cells[i].key) < 0)
				f->slot++;
			if (f->slot < f->ranking->len && key_cmp(&f->ranking->list[f->slot].key, &cells[i].key) == 0)
				f->ranking->list[f->slot].value += cells[i].value;
		} else {
			size_t k = key_index(f->keys, f->len, &cells[i].key);

			f->values[k][slot] += cells[i].value;
			f->sure[k][slot] = cells[i].sure;
		}
	}
	return true;
}

static bool run_fold(struct fold *f, const struct engine_ops *ops, void *engine, const struct want *w, struct err *e)
{
	f->parts = mem_zero(f->panel->book->len + 1, sizeof *f->parts);
	f->scratch = mem_zero(f->panel->book->len + 1, sizeof *f->scratch);
	bool ok = ops->cells(engine, w, take_cells, f, e);
	finish_slot(f);
	free(f->parts);
	free(f->scratch);
	f->slot = 0;    /* from here on a place in the ranking */
	return ok && (f->panel->question->across != ACROSS_ROBUST || f->days || ops->robust(engine, w, take_robust, f, e));
}

/* How many slots have a value for that key: the period's value is their mean. */
static size_t slots_seen(const struct panel *p, enum across across, const struct key *k)
{
	size_t one = p->question->each == EACH_SENSOR ? (size_t)k->lo : 0;

	return across == ACROSS_SUM ? p->seen_sum[one] : p->seen_mean[one];
}

static int best_first(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	double vx = isnan(x->value) ? -1 : x->value, vy = isnan(y->value) ? -1 : y->value;

	return vx > vy ? -1 : vx < vy ? 1 : key_cmp(&x->key, &y->key);
}

static int by_key(const void *a, const void *b)
{
	return key_cmp(&((const struct ranked *)a)->key, &((const struct ranked *)b)->key);
}

/* All keys of a span, best first, each with its place. The period's value is the mean of its days' (METHODS.md 1). */
static bool rank(const struct engine_ops *ops, void *engine, const struct panel *p, const struct want *w, struct ranking *r,
	struct err *e)
{
	struct fold f = { .panel = p, .ranking = r };

	if (!run_fold(&f, ops, engine, w, e))
		return false;
	if (p->question->each == EACH_NOTHING && r->len == 0) {
		MEM_GROW(r->list, r->len, r->cap);
		r->list[r->len++] = (struct ranked){ { 0, 0 }, 0, 0, 0 };
	}
	for (size_t i = 0; i < r->len; i++) {
		size_t n = slots_seen(p, p->question->across, &r->list[i].key), plain = slots_seen(p, ACROSS_MEAN, &r->list[i].key);

		r->list[i].value = n ? r->list[i].value / (double)n : NAN;
		r->list[i].plain = plain ? r->list[i].plain / (double)plain : NAN;
	}
	if (r->len)
		qsort(r->list, r->len, sizeof *r->list, best_first);
	for (size_t i = 0; i < r->len; i++)
		r->list[i].place = (unsigned)i + 1;
	return true;
}

/* One question on its way through. */
struct course {
	const struct engine_ops *ops;
	void *engine;
	const struct book *book;
	const struct question *q;
	struct want want;
	struct panel days;
	struct ranking ranking;
	struct key *keys; size_t len;           /* the chosen, ascending */
	size_t *place;                          /* keys[i] is answer->list[place[i]] */
	struct answer *a;
};

/* A single series is called by what it is narrowed to: a port, else a region, else "all". */
static void label_by_filter(const struct question *q, char label[SERIES_LABEL_MAX])
{
	if (q->port >= 0)
		(void)port_label((unsigned)q->proto, (unsigned)q->port, label);
	else if (q->region[0])
		(void)snprintf(label, SERIES_LABEL_MAX, "%s", q->region);
}

static void choose(struct course *c)
{
	size_t n = c->q->top && c->q->top < c->ranking.len ? c->q->top : c->ranking.len;
	struct ranked *chosen = mem_zero(n, sizeof *chosen);

	if (n) {
		memcpy(chosen, c->ranking.list, n * sizeof *chosen);
		qsort(chosen, n, sizeof *chosen, by_key);
	}
	c->keys = mem_zero(n, sizeof *c->keys);
	c->place = mem_zero(n, sizeof *c->place);
	c->a->list = mem_zero(n, sizeof *c->a->list);
	c->a->len = c->len = n;
	c->a->found = c->ranking.len;
	for (size_t i = 0; i < n; i++) {
		struct series *s = &c->a->list[chosen[i].place - 1];

		c->keys[i] = chosen[i].key;
		c->place[i] = chosen[i].place - 1;
		s->rank = chosen[i].place;
		s->value = chosen[i].value;
		s->plain = chosen[i].plain;
		key_label(c->q->each, &chosen[i].key, c->book, s->label);
		if (c->q->each == EACH_NOTHING)
			label_by_filter(c->q, s->label);
	}
	free(chosen);
}

static bool add_totals(struct course *c, struct err *e)
{
	struct total *totals = mem_zero(c->len, sizeof *totals);
	bool ok = c->len == 0 || c->ops->totals(c->engine, &c->want, totals, e);

	for (size_t i = 0; ok && i < c->len; i++) {
		struct series *s = &c->a->list[c->place[i]];

		s->packets = totals[i].packets;
		s->bytes = totals[i].bytes;
		s->sources = totals[i].sources;
		s->sensors = totals[i].sensors;
	}
	free(totals);
	return ok;
}

static bool add_previous(struct course *c, struct err *e)
{
	struct ranking r = { 0 };
	struct panel p = { 0 };
	struct want w = c->want;
	bool ok = false;

	if (c->q->each == EACH_NOTHING || span_empty(span_both(c->q->before, book_held(c->book))))
		return true;
	w.span = c->q->before;
	w.only_len = 0;
	if (!panel_make(&p, c->book, c->q, w.sensor, w.span, GRAIN_DAY, e) || !rank(c->ops, c->engine, &p, &w, &r, e))
		goto out;
	if (r.len)
		qsort(r.list, r.len, sizeof *r.list, by_key);
	for (size_t i = 0, k = 0; i < c->len; i++) {            /* both ascending by key */
		while (k < r.len && key_cmp(&r.list[k].key, &c->keys[i]) < 0)
			k++;
		if (k < r.len && key_cmp(&r.list[k].key, &c->keys[i]) == 0 && r.list[k].value > 0)
			c->a->list[c->place[i]].previous_rank = r.list[k].place;
	}
	ok = true;
out:
	panel_release(&p);
	free(r.list);
	return ok;
}

static void lay_steps(struct course *c)
{
	const struct zone *z = &c->book->zone;
	size_t cap = 0;

	for (minute_t at = c->q->span.from; at < c->q->span.until; at = calendar_next(z, at, c->q->step)) {
		MEM_GROW(c->a->times, c->a->steps, cap);
		c->a->times[c->a->steps++] = at;
	}
	c->a->looked = mem_zero(c->a->steps, sizeof *c->a->looked);
}

/* Index of the step that holds a slot; slots and steps ascend together. */
static size_t step_of(const struct answer *a, const struct panel *p, size_t slot, size_t step)
{
	while (step + 1 < a->steps && a->times[step + 1] <= p->list[slot].span.from)
		step++;
	return step;
}

static void count_looking(struct course *c, const struct panel *p)
{
	size_t *last_step = mem_zero(c->book->len + 1, sizeof *last_step);

	for (size_t slot = 0, step = 0; slot < p->slots; slot++) {
		step = step_of(c->a, p, slot, step);
		for (uint16_t number = 1; number <= c->book->len; number++) {
			bool looks = c->q->across == ACROSS_SUM ? p->watched_s[slot * c->book->len + number - 1u] > 0 :
				panel_counts(p, slot, number);

			if (looks && last_step[number] != step + 1) {
				last_step[number] = step + 1;
				c->a->looked[step]++;
			}
		}
	}
	free(last_step);
}

/* A step's value is the mean of its slots' values; slots without one are skipped, NAN if none has any. */
static double *fold_steps(const struct answer *a, const struct panel *p, const double *slots)
{
	double *steps = mem_zero(a->steps, sizeof *steps);
	size_t *n = mem_zero(a->steps, sizeof *n);

	for (size_t slot = 0, step = 0; slot < p->slots; slot++) {
		step = step_of(a, p, slot, step);
		if (!isnan(slots[slot])) {
			steps[step] += slots[slot];
			n[step]++;
		}
	}
	for (size_t i = 0; i < a->steps; i++)
		steps[i] = n[i] ? steps[i] / (double)n[i] : NAN;
	free(n);
	return steps;
}

/* A slot in which the series saw nothing: 0 where somebody looked, NAN where nobody did. */
static double *silent(const struct panel *p, enum across across, const struct key *k)
{
	double *slots = mem_zero(p->slots, sizeof *slots);
	uint16_t one = p->question->each == EACH_SENSOR ? (uint16_t)k->lo : 0;

	for (size_t i = 0; i < p->slots; i++)
		slots[i] = panel_value(p, across, i, one, NULL, 0, NULL);
	return slots;
}

/* Of a day on which nobody saw the port there is no row: all that looked agree. */
static void fill_silent_days(const struct panel *p, struct sureness *slots)
{
	for (size_t i = 0; i < p->slots; i++) {
		unsigned n = p->list[i].counted;

		if (slots[i].revision == 0 && n && has_robust(p, i))
			slots[i] = (struct sureness){ NAN, n, n, n < 3 ? ROBUST_ALONE : (n < 5 ? ROBUST_WEAK : 0) | ROBUST_FAINT, 1 };
	}
}

/* Errors of days are taken as independent; sensors and flags are those of most days. */
static struct sureness *fold_sure(const struct answer *a, const struct panel *p, const double *values, const struct sureness *slots)
{
	struct sureness *steps = mem_zero(a->steps, sizeof *steps);
	struct tally { double squares; bool seen; unsigned n, fitted, looked, accepted, flags[ROBUST_FLAGS]; } *tallies = mem_zero(a->steps, sizeof *tallies);

	for (size_t slot = 0, step = 0; slot < p->slots; slot++) {
		const struct sureness *s = &slots[slot];

		step = step_of(a, p, slot, step);
		struct tally *t = &tallies[step];
		t->n += isnan(values[slot]) ? 0 : 1;
		if (s->revision == 0)
			continue;
		steps[step].revision = s->revision > steps[step].revision ? s->revision : steps[step].revision;
		t->squares += values[slot] > 0 ? s->se * s->se : 0;
		t->seen |= values[slot] > 0;
		t->fitted++;
		t->looked += s->looked;
		t->accepted += s->accepted;
		for (unsigned k = 0; k < ROBUST_FLAGS; k++)
			t->flags[k] += s->flags >> k & 1u;
	}
	for (size_t i = 0; i < a->steps; i++) {
		const struct tally *t = &tallies[i];

		steps[i].se = t->seen ? sqrt(t->squares) / t->n : NAN;
		steps[i].looked = t->fitted ? (2 * t->looked + t->fitted) / (2 * t->fitted) : 0;
		steps[i].accepted = t->fitted ? (2 * t->accepted + t->fitted) / (2 * t->fitted) : 0;
		for (unsigned k = 0; k < ROBUST_FLAGS; k++)
			steps[i].flags |= t->fitted && 2 * t->flags[k] >= t->fitted ? 1u << k : 0;
	}
	free(tallies);
	return steps;
}

static bool add_series(struct course *c, const struct panel *p, enum grain grain, struct err *e)
{
	struct fold f = { .panel = p, .keys = c->keys, .len = c->len };
	struct want w = c->want;

	bool robust = c->q->across == ACROSS_ROBUST, ok = true;

	w.grain = grain;
	if (robust && grain == GRAIN_HOUR && c->len) {
		f.days = &c->days;
		ok = c->ops->weights(c->engine, &w, &f.weights, &f.weights_len, e);
	}
	f.values = mem_zero(c->len, sizeof *f.values);
	f.plains = mem_zero(c->len, sizeof *f.plains);
	f.sure = mem_zero(c->len, sizeof *f.sure);
	for (size_t i = 0; i < c->len; i++) {
		f.values[i] = silent(p, c->q->across, &c->keys[i]);
		f.plains[i] = silent(p, ACROSS_MEAN, &c->keys[i]);
		f.sure[i] = mem_zero(p->slots, sizeof **f.sure);
	}
	ok = ok && (c->len == 0 || run_fold(&f, c->ops, c->engine, &w, e));
	for (size_t i = 0; i < c->len; i++) {
		struct series *s = &c->a->list[c->place[i]];

		s->values = fold_steps(c->a, p, f.values[i]);
		s->plains = fold_steps(c->a, p, f.plains[i]);
		if (robust && grain == GRAIN_DAY && want_whole_ports(&w) && want_one_port(&w)) {
			fill_silent_days(p, f.sure[i]);
			s->sure = fold_sure(c->a, p, f.values[i], f.sure[i]);
		}
		free(f.values[i]);
		free(f.plains[i]);
		free(f.sure[i]);
	}
	free(f.values);
	free(f.plains);
	free(f.sure);
	free(f.weights);
	return ok;
}

static bool add_steps(struct course *c, struct err *e)
{
	enum grain grain = c->q->step == STEP_MINUTE ? GRAIN_MINUTE : c->q->step == STEP_HOUR ? GRAIN_HOUR : GRAIN_DAY;
	struct panel finer = { 0 };
	const struct panel *p = &c->days;

	lay_steps(c);
	if (!question_points(c->a->steps, c->len, e))
		return false;
	if (grain != GRAIN_DAY) {
		if (!panel_make(&finer, c->book, c->q, c->want.sensor, c->q->span, grain, e))
			return false;
		p = &finer;
	}
	count_looking(c, p);
	bool ok = add_series(c, p, grain, e);
	panel_release(&finer);
	return ok;
}

bool combine_sensor(const struct book *book, const struct question *q, uint16_t *number, struct err *e)
{
	const struct sensor *s = q->sensor[0] ? book_find(book, q->sensor) : NULL;

	*number = s ? s->number : 0;
	if (!q->sensor[0] || s)
		return true;
	err_asked(e, "no sensor named %s", q->sensor);
	err_expected(e, "`teiten sensor list` shows them");
	return err_in(e, "sensor");
}

bool combine_scanners(const struct book *book, const struct question *q, struct want *w, struct err *e)
{
	if (!question_of_scanners(q))
		return true;
	w->scanners = book->scanners;
	if (!strcmp(q->scanners, "without")) {
		w->by = (struct by){ 0, 1 };
	} else if (!strcmp(q->scanners, "only")) {
		w->by = (struct by){ 1, UINT16_MAX };
	} else if (q->scanners[0]) {
		uint16_t by = (uint16_t)scanners_named(book->scanners, q->scanners);

		if (!by) {
			err_asked(e, "no organisation named %s in the list of known scanners", q->scanners);
			err_expected(e, "`teiten scanner list` shows them");
			return err_in(e, "scanners");
		}
		w->by = (struct by){ by, (uint16_t)(by + 1) };
	}
	return true;
}

bool combine(const struct engine_ops *ops, void *engine, const struct book *book, struct question *q, struct answer *a,
	struct err *e)
{
	struct course c = { .ops = ops, .engine = engine, .book = book, .q = q, .a = a };
	bool ok = false;

	*a = (struct answer){ 0 };
	c.want = (struct want){ .question = q, .zone = &book->zone, .grain = GRAIN_DAY };
	if (!question_settle(q, &book->zone, book_held(book), e) || !combine_sensor(book, q, &c.want.sensor, e) ||
		!combine_scanners(book, q, &c.want, e))
		return false;
	if (q->across == ACROSS_ROBUST && calendar_day(&book->zone, q->span.from) >= book->days.settled) {
		q->across = ACROSS_MEAN;
		q->fell_back = true;
	}
	a->question = *q;
	if (c.want.scanners)
		memcpy(a->scanners, c.want.scanners->id, sizeof a->scanners);
	c.want.span = q->span;
	if (!panel_make(&c.days, book, q, c.want.sensor, q->span, GRAIN_DAY, e) ||
		!rank(ops, engine, &c.days, &c.want, &c.ranking, e))
		goto out;
	a->sensors = panel_sensors(&c.days);
	if (q->across == ACROSS_ROBUST)
		a->final = calendar_day_start(&book->zone, book->days.final > book->days.first ? book->days.final : book->days.first);
	if ((q->top ? q->top : c.ranking.len) > QUESTION_TOP_MAX) {
		err_asked(e, "%zu series are more than one answer holds", c.ranking.len);
		err_expected(e, "at most %d: top=N, a filter or a shorter span", QUESTION_TOP_MAX);
		err_in(e, "top");
		goto out;
	}
	choose(&c);
	c.want.only = c.keys;
	c.want.only_len = c.len;
	ok = add_totals(&c, e) && add_previous(&c, e) && (q->step == STEP_ALL || add_steps(&c, e));
out:
	panel_release(&c.days);
	free(c.ranking.list);
	free(c.keys);
	free(c.place);
	if (!ok)
		answer_release(a);
	return ok;
}
