#include "store/history.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"

#include <math.h>

enum { HOUR = 60 };

/* Figures are the same when they differ by less than what their sums are rounded by. */
#define SAME 1e-9

const char *surge_reason_name(enum surge_reason r)
{
	static const char *const names[] = { "found", "upgraded", "continued", "closed", "level shift", "recomputed", "withdrawn", "verdict" };

	return r < SURGE_REASONS ? names[r] : "unknown";
}

static const char *const verdicts[] = { "unknown", "real", "research", "artefact" };

const char *surge_verdict_name(enum surge_verdict v)
{
	return v < SURGE_VERDICTS ? verdicts[v] : verdicts[SURGE_UNKNOWN];
}

bool surge_verdict_parse(const char *text, enum surge_verdict *out)
{
	for (unsigned v = 0; v < SURGE_VERDICTS; v++)
		if (!strcmp(text, verdicts[v])) {
			*out = (enum surge_verdict)v;
			return true;
		}
	return false;
}

const char *surge_judge(const struct surge_revision *r)
{
	return r->verdict == SURGE_UNKNOWN ? SURGE_UNCONFIRMED : r->judge;
}

/* C0 and C1, and what breaks lines or turns the direction of writing. */
static bool is_plain(const char *at, size_t n)
{
	uint32_t c = (uint8_t)*at;

	if (n == 2)
		c = (c & 31) << 6 | ((uint8_t)at[1] & 63);
	else if (n == 3)
		c = (c & 15) << 12 | ((uint32_t)(uint8_t)at[1] & 63) << 6 | ((uint8_t)at[2] & 63);
	return c >= 32 && (c < 127 || c > 159) && (c < 0x2028 || c > 0x202e) && (c < 0x2066 || c > 0x2069);
}

static bool take_text(char *to, size_t cap, const char *text, const char *what, struct err *e)
{
	if (!*text)
		return err_asked(e, "%s is empty", what);
	if (strlen(text) >= cap) {
		err_asked(e, "%s is too long: %zu bytes", what, strlen(text));
		return err_expected(e, "at most %zu", cap - 1);
	}
	for (const char *at = text; *at; ) {
		size_t n = utf8_character(at);

		if (n == 0 || !is_plain(at, n)) {
			err_asked(e, "%s holds a character that cannot be shown", what);
			return err_expected(e, "a line of text in UTF-8, without control characters");
		}
		at += n;
	}
	memcpy(to, text, strlen(text) + 1);
	return true;
}

bool surge_judgement(struct surge_judgement *j, const char *id, const char *verdict, const char *by, const char *note, struct err *e)
{
	*j = (struct surge_judgement){ .verdict = SURGE_UNKNOWN };
	if (strlen(id) >= sizeof j->id) {
		err_asked(e, "no surge named %.60s", id);
		return err_expected(e, "`teiten surge list --all` shows them");
	}
	memcpy(j->id, id, strlen(id) + 1);
	if (!surge_verdict_parse(verdict, &j->verdict)) {
		err_asked(e, "not a verdict: %.60s", verdict);
		return err_expected(e, "real, research, artefact, or unknown to take one back");
	}
	if (!take_text(j->by, sizeof j->by, by, "the name", e) || !take_text(j->note, sizeof j->note, note, "the note", e))
		return false;
	return strcmp(by, SURGE_MACHINE) != 0 || err_asked(e, "the machine gives no verdicts");
}

void history_release(struct history *h)
{
	for (size_t i = 0; i < h->len; i++)
		free(h->surges[i].list);
	free(h->surges);
	*h = (struct history){ 0 };
}

/* The place of the first that is not before it. */
static size_t place_of(const struct history *h, uint32_t port, minute_t found)
{
	size_t from = 0, until = h->len;

	while (from < until) {
		size_t middle = from + (until - from) / 2;
		const struct surge_row *r = &h->surges[middle].list[0].row;

		if (r->port < port || (r->port == port && r->found < found))
			from = middle + 1;
		else
			until = middle;
	}
	return from;
}

static struct told *told_at(const struct history *h, uint32_t port, minute_t found)
{
	size_t i = place_of(h, port, found);

	return i < h->len && h->surges[i].list[0].row.port == port && h->surges[i].list[0].row.found == found ? &h->surges[i] : NULL;
}

static const struct surge_revision *last_of(const struct told *t)
{
	return &t->list[t->len - 1];
}

void history_add(struct history *h, const struct surge_revision *r)
{
	struct told *t = told_at(h, r->row.port, r->row.found);

	if (!t) {
		size_t i = place_of(h, r->row.port, r->row.found);

		MEM_GROW(h->surges, h->len, h->cap);
		memmove(h->surges + i + 1, h->surges + i, (h->len++ - i) * sizeof *h->surges);
		t = &h->surges[i];
		*t = (struct told){ 0 };
	}
	if (t->len && r->revision <= last_of(t)->revision)
		return;
	MEM_GROW(t->list, t->len, t->cap);
	t->list[t->len++] = *r;
}

const struct told *history_find(const struct history *h, const char *id)
{
	char text[SURGE_ID_MAX];

	for (size_t i = 0; i < h->len; i++)
		if (!strcmp(surge_id(&h->surges[i].list[0].row, text), id))
			return &h->surges[i];
	return NULL;
}

static bool near(double a, double b)
{
	return fabs(a - b) <= SAME * fmax(fabs(a), fabs(b));
}

static bool same(const struct surge_row *a, const struct surge_row *b)
{
	return a->alarm == b->alarm && a->class == b->class && a->state == b->state && a->known == b->known && a->onset == b->onset && a->peak == b->peak &&
		a->end == b->end && a->sensors == b->sensors && a->new_sources == b->new_sources && near(a->value, b->value) && near(a->expected, b->expected);
}

static bool overlap(const struct surge_row *a, const struct surge_row *b)
{
	return a->onset <= (b->end ? b->end : MINUTE_MAX) && b->onset <= (a->end ? a->end : MINUTE_MAX);
}

/* Which of the surges that were told each one found is: of the same hour, or else one that it overlaps. */
static struct told **meet(struct history *h, const struct surges *s)
{
	struct told **of = mem_zero(s->found_len, sizeof *of);

	for (size_t i = 0; i < h->len; i++)
		h->surges[i].met = false;
	for (size_t i = 0; i < s->found_len; i++) {
		of[i] = told_at(h, s->found[i].now.port, s->found[i].now.found);
		if (of[i])
			of[i]->met = true;
	}
	for (size_t i = 0; i < s->found_len; i++) {
		const struct surge_row *row = &s->found[i].now;

		for (size_t k = place_of(h, row->port, 0); !of[i] && k < h->len && h->surges[k].list[0].row.port == row->port; k++)
			if (!h->surges[k].met && overlap(&last_of(&h->surges[k])->row, row))
				of[i] = &h->surges[k];
		if (of[i])
			of[i]->met = true;
	}
	return of;
}

struct news { struct surge_revision *list; size_t len, cap; int64_t now_s; };

/* By the machine; the verdict stays what it was. */
static void say(struct news *n, struct surge_revision *last, minute_t found, const struct surge_event *event, enum surge_reason reason)
{
	last->row = event->row;
	last->row.found = found;
	last->revision++;
	last->said_s = n->now_s;
	last->hour = event->hour;
	last->reason = reason;
	(void)snprintf(last->by, sizeof last->by, SURGE_MACHINE);
	MEM_GROW(n->list, n->len, n->cap);
	n->list[n->len++] = *last;
}

/* One whose name nobody has; two may be found on a port in an hour when the other has kept the name of an earlier one. */
static minute_t free_name(const struct history *h, const struct news *n, const struct surge_row *found)
{
	minute_t name = found->found;

	for (bool taken = true; taken; name += taken ? HOUR : 0) {
		taken = told_at(h, found->port, name) != NULL;
		for (size_t i = 0; i < n->len && !taken; i++)
			taken = n->list[i].row.port == found->port && n->list[i].row.found == name;
	}
	return name;
}

static void say_of(struct news *n, const struct history *h, const struct told *t, struct found *f)
{
	struct surge_revision last = { 0 };
	size_t from = 0;

	if (t) {
		last = *last_of(t);
		f->named = last.row.found;
		while (from + 1 < f->len && f->events[from + 1].hour <= last.hour)
			from++;
		if (!same(&f->events[from].row, &last.row))
			say(n, &last, f->named, &f->events[from], SURGE_RECOMPUTED);
		from++;
	} else {
		f->named = free_name(h, n, &f->now);
	}
	for (; from < f->len; from++)
		say(n, &last, f->named, &f->events[from], f->events[from].reason);
}

/* What is told of hours that were not followed yet may still be found. */
static void say_withdrawn(struct news *n, const struct told *t, minute_t until)
{
	struct surge_revision last = *last_of(t);
	struct surge_event event = { last.hour, SURGE_WAS_WITHDRAWN, last.row };

	if (t->met || last.row.state == SURGE_WITHDRAWN || last.hour >= until)
		return;
	event.row.state = SURGE_WITHDRAWN;
	say(n, &last, last.row.found, &event, SURGE_WAS_WITHDRAWN);
}

void history_news(struct history *h, struct surges *s, int64_t now_s, struct surge_revision **list, size_t *len)
{
	struct news n = { .now_s = now_s };
	struct told **of = meet(h, s);

	for (size_t i = 0; i < s->found_len; i++)
		say_of(&n, h, of[i], &s->found[i]);
	free(of);
	for (size_t i = 0; i < h->len; i++)
		say_withdrawn(&n, &h->surges[i], s->next);
	*list = n.list;
	*len = n.len;
}

bool history_judge(const struct history *h, const struct surge_judgement *j, int64_t now_s, struct surge_revision *out, struct err *e)
{
	const struct told *t = history_find(h, j->id);

	if (!t) {
		err_asked(e, "no surge named %.60s", j->id);
		return err_expected(e, "`teiten surge list --all` shows them");
	}
	*out = *last_of(t);
	if (out->row.state == SURGE_WITHDRAWN) {
		err_asked(e, "%s was withdrawn: from what is held now it is not found any more", j->id);
		return err_expected(e, "a surge that stands");
	}
	out->revision++;
	out->said_s = now_s;
	out->reason = SURGE_JUDGED;
	out->verdict = j->verdict;
	memcpy(out->by, j->by, sizeof out->by);
	memcpy(out->judge, j->by, sizeof out->judge);
	memcpy(out->note, j->note, sizeof out->note);
	return true;
}

static int order_found(const void *a, const void *b)
{
	const struct surge_row *x = &((const struct surge_revision *)a)->row, *y = &((const struct surge_revision *)b)->row;

	return x->found != y->found ? (x->found < y->found ? -1 : 1) : x->port < y->port ? -1 : x->port > y->port;
}

/* Between events peak and counts grow on; that is no revision. */
static void bring_up(struct surge_revision *r, const struct surge_row *now)
{
	minute_t found = r->row.found;

	if (!surge_goes_on(&r->row) || !surge_goes_on(now))
		return;
	r->row = *now;
	r->row.found = found;
}

void history_now(const struct history *h, const struct surges *s, struct surge_revision **list, size_t *n)
{
	*n = h->len;
	*list = mem_zero(h->len, sizeof **list);
	for (size_t i = 0; i < h->len; i++)
		(*list)[i] = *last_of(&h->surges[i]);
	for (size_t i = 0; i < s->found_len; i++) {
		const struct found *f = &s->found[i];
		const struct told *t = f->named ? told_at(h, f->now.port, f->named) : NULL;

		if (t)
			bring_up(&(*list)[t - h->surges], &f->now);
	}
	if (*n)
		qsort(*list, *n, sizeof **list, order_found);
}
