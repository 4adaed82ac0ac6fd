#include "cmd/odd.h"

#include "cmd/asking.h"
#include "cmd/cmd.h"
#include "cmd/place.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/calendar.h"
#include "stat/robust.h"
#include "store/days.h"

#include <math.h>

enum { OUT_MAX = 256 << 20 };

/* The same thing on days in a row is one finding. */
struct spell { struct robust_finding first, last; unsigned days; };
struct spells { struct spell *list; size_t len, cap; };

static const char *finding_name(const struct robust_finding *f)
{
	switch ((enum finding_kind)f->kind) {
	case FINDING_ODD: return f->up ? "odd, too much" : "odd, too little";
	case FINDING_ASIDE: return f->up ? "set aside, much" : "set aside, little";
	case FINDING_SHIFT: return "shifted for good";
	case FINDING_PARTIAL: return f->up ? "partial rise" : "partial fall";
	case FINDING_SPLIT: return "split fleet";
	case FINDING_FAULT: return f->up ? "fault, too much" : "fault, too little";
	case FINDING_SILENCE: return "silent";
	case FINDING_SOURCE: return "one source";
	}
	return "unknown";
}

static bool goes_on(const struct spell *s, const struct robust_finding *f)
{
	return s->last.key.lo == f->key.lo && s->last.sensor == f->sensor && s->last.kind == f->kind && s->last.up == f->up && s->last.day + 1 == f->day;
}

static void join(struct spells *s, const struct robust_finding *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t k = s->len;

		while (k-- > 0)
			if (goes_on(&s->list[k], &list[i]))
				break;
		if (k == SIZE_MAX) {
			MEM_GROW(s->list, s->len, s->cap);
			k = s->len++;
			s->list[k] = (struct spell){ .first = list[i] };
		}
		s->list[k].last = list[i];
		s->list[k].days++;
	}
}

static const char *date(const struct zone *z, uint32_t day, char out[CALENDAR_TEXT_MAX])
{
	return calendar_date(z, calendar_day_start(z, day), out);
}

static const char *sensor_of(const struct facts *f, uint16_t number)
{
	return number >= 1 && number <= f->len ? f->sensors[number - 1].name : "-";
}

/* What is found of a sensor on all ports together has none. */
static void label_of(const struct robust_finding *f, char out[SERIES_LABEL_MAX])
{
	if (f->key.lo)
		key_label(EACH_PORT, &f->key, NULL, out);
	else
		(void)snprintf(out, SERIES_LABEL_MAX, "all");
}

static bool has_packets(const struct robust_finding *f)
{
	return f->kind == FINDING_ODD || f->kind == FINDING_ASIDE;
}

/* What it rests on: packets beside expected ones, or levels beside each other. */
static void says(const struct robust_finding *f, char *out, size_t cap)
{
	char a[NUM_TEXT_MAX], b[NUM_TEXT_MAX], c[NUM_TEXT_MAX], d[NUM_TEXT_MAX];

	if (has_packets(f))
		(void)snprintf(out, cap, "%s packets, %s expected (x%s)", num_human(f->packets, a), num_human(f->expected, b),
			num_human(f->packets / f->expected, c));
	else if (f->kind == FINDING_PARTIAL)
		(void)snprintf(out, cap, "%u of %u sensors: level %s, the others' %s", f->n, f->of, num_human(f->other, a), num_human(f->level, b));
	else if (f->kind == FINDING_SPLIT)
		(void)snprintf(out, cap, "level %s or %s", num_human(f->level, a), num_human(f->other, b));
	else if (f->kind == FINDING_FAULT)
		(void)snprintf(out, cap, "on %u of %u ports", f->n, f->of);
	else if (f->kind == FINDING_SOURCE)
		(void)snprintf(out, cap, "%s of %s packets are its; level %s where %s is usual", num_human(f->packets, a), num_human(f->expected, b), num_human(f->level, c),
			num_human(f->other, d));
	else if (f->kind == FINDING_SILENCE)
		(void)snprintf(out, cap, "nothing came on any port; by chance once in e^%.0f", f->expected);
	else
		(void)snprintf(out, cap, "15 days in a row; its habits are learnt anew");
}

static void spells_text(const struct spells *s, const struct facts *f, struct buf *out)
{
	char first[CALENDAR_TEXT_MAX], last[CALENDAR_TEXT_MAX], label[SERIES_LABEL_MAX], text[128];

	buf_printf(out, "%-31s %-12s %-17s %-10s %-10s %s\n", "sensor", "port", "finding", "from", "to", "on the last day");
	for (size_t i = 0; i < s->len; i++) {
		const struct robust_finding *r = &s->list[i].last;

		says(r, text, sizeof text);
		label_of(r, label);
		buf_printf(out, "%-31s %-12s %-17s %-10s %-10s %s\n", sensor_of(f, r->sensor), label,
			finding_name(r), date(&f->zone, s->list[i].first.day, first), date(&f->zone, r->day, last), text);
	}
	if (s->len == 0)
		buf_str(out, "none\n");
}

static void spell_json(struct json *j, const struct spell *s, const struct facts *f)
{
	const struct robust_finding *r = &s->last;
	char text[CALENDAR_TEXT_MAX], label[SERIES_LABEL_MAX];

	label_of(r, label);
	json_object(j, NULL);
	json_string(j, "finding", finding_name(r));
	json_string(j, "sensor", r->sensor ? sensor_of(f, r->sensor) : NULL);
	json_string(j, "label", label);
	json_string(j, "from", date(&f->zone, s->first.day, text));
	json_string(j, "to", date(&f->zone, r->day, text));
	json_whole(j, "days", s->days);
	json_number(j, "packets", has_packets(r) || r->kind == FINDING_SOURCE ? r->packets : NAN);
	json_number(j, "all_packets", r->kind == FINDING_SOURCE ? r->expected : NAN);
	json_number(j, "expected", has_packets(r) ? r->expected : NAN);
	json_number(j, "factor", has_packets(r) ? r->packets / r->expected : NAN);
	json_number(j, "sensors", r->n ? r->n : NAN);
	json_number(j, "of", r->of ? r->of : NAN);
	json_number(j, "level", r->level > 0 ? r->level : NAN);
	json_number(j, "other", r->other > 0 ? r->other : NAN);
	json_end_object(j);
}

static void spells_json(const struct spells *s, const struct facts *f, struct buf *out)
{
	struct json j = json_to(out);

	json_object(&j, NULL);
	json_string(&j, "zone", f->zone.name);
	json_array(&j, "findings");
	for (size_t i = 0; i < s->len; i++)
		spell_json(&j, &s->list[i], f);
	json_end_array(&j);
	json_end_object(&j);
	buf_u8(out, '\n');
}

static bool choose_span(const struct args *a, const struct facts *f, struct question *q, struct err *e)
{
	static const char *const keys[] = { "last", "from", "until", "port" };

	question_init(q);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (args_value(a, keys[i]) && !question_set(q, keys[i], args_value(a, keys[i]), e))
			return false;
	return question_settle(q, &f->zone, f->held, e);
}

/* 0: all of them. */
static bool chosen_port(const struct question *q, uint32_t *port, struct err *e)
{
	*port = q->port < 0 ? 0 : (uint32_t)q->proto << 16 | (uint32_t)q->port;
	if (q->port < 0 || q->proto >= 0)
		return true;
	err_asked(e, "a port without its protocol");
	err_expected(e, "1433/tcp, 53/udp, icmp/8");
	return err_in(e, "port");
}

static bool print_odd(const struct args *a, struct place *place, const struct facts *f, const char *name, struct err *e)
{
	struct buf out = buf_make(OUT_MAX);
	struct robust_finding *list = NULL;
	struct spells spells = { 0 };
	struct question q;
	size_t n = 0, kept = 0;
	uint32_t port;

	bool ok = choose_span(a, f, &q, e) && chosen_port(&q, &port, e) && store_settle(place->store, (minute_t)(clock_wall_s() / 60), e) &&
		store_findings(place->store, calendar_day(&f->zone, q.span.from), calendar_day(&f->zone, q.span.until - 1) + 1, port, &list, &n, e);
	if (ok) {
		for (size_t i = 0; i < n; i++)
			if ((!name || !strcmp(sensor_of(f, list[i].sensor), name)) && (list[i].kind != FINDING_ASIDE || args_given(a, "all")))
				list[kept++] = list[i];
		join(&spells, list, kept);
		(args_given(a, "json") ? spells_json : spells_text)(&spells, f, &out);
		(void)fwrite(out.at, 1, out.len, stdout);
	}
	free(list);
	free(spells.list);
	buf_release(&out);
	return ok;
}

int odd(const struct args *a)
{
	const char *name = a->words > 1 ? a->word[1] : NULL;
	struct place place;
	struct facts f;
	struct err e;

	if (!place_open(&place, a, false, &e))
		return asking_refused(a, &e);
	bool ok = store_facts(place.store, &f, &e);
	if (ok && name && facts_sensor(&f, name) == f.len) {
		ok = false;
		err_asked(&e, "no sensor named %.40s", name);
		err_expected(&e, "`teiten sensor list` shows them");
	}
	ok = ok && print_odd(a, &place, &f, name, &e);
	int status = ok ? EXIT_DONE : asking_refused(a, &e);
	facts_release(&f);
	place_close(&place);
	return status;
}
