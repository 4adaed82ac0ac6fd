/* surge: the scan surges that were found, with onset and end, and what people say of them. */
#include "cmd/asking.h"
#include "cmd/cmd.h"
#include "cmd/place.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/calendar.h"
#include "publish/surge_json.h"
#include "store/history.h"

#include <pwd.h>
#include <unistd.h>

enum { OUT_MAX = 256 << 20, HOURS_AT_ONCE = 100000 };

/* What is shown: of a list every one, or one with all that was said of it. */
struct shown {
	struct surge_revision *list; size_t len;
	uint64_t *sources;
	struct surge_revision *history; size_t said;
};

static void release(struct shown *s)
{
	free(s->list);
	free(s->sources);
	free(s->history);
}

static const char *short_time(const struct zone *z, minute_t at, char out[CALENDAR_TEXT_MAX])
{
	struct civil c = calendar_civil(z, at);

	(void)snprintf(out, CALENDAR_TEXT_MAX, "%04d-%02d-%02d %02d:%02d", c.year % 10000, c.month, c.day, c.hour, c.minute);
	return out;
}

static const char *end_time(const struct zone *z, const struct surge_row *r, char out[CALENDAR_TEXT_MAX])
{
	return r->end ? short_time(z, r->end, out) : "-";
}

static unsigned hours_after(const struct surge_row *r)
{
	return r->known > r->onset ? (r->known - r->onset) / 60 : 0;
}

static void list_text(const struct shown *s, const struct facts *f, struct buf *out)
{
	const struct zone *z = &f->zone;

	char id[SURGE_ID_MAX], onset[CALENDAR_TEXT_MAX], end[CALENDAR_TEXT_MAX], value[NUM_TEXT_MAX], expected[NUM_TEXT_MAX], sources[NUM_TEXT_MAX],
		fresh[NUM_TEXT_MAX];

	buf_printf(out, "looked for up to %s; times are those of %s, values sources an hour; known: hours after onset\n",
		f->followed ? short_time(z, f->followed, onset) : "nothing yet", z->name);
	buf_printf(out, "%-26s %-6s %-14s %-11s %-16s %-16s %5s %8s %8s %7s %9s %11s %s\n", "surge", "level", "class", "state", "onset", "end", "known", "peak",
		"expected", "sensors", "sources", "new sources", "verdict");
	for (size_t i = 0; i < s->len; i++) {
		const struct surge_revision *r = &s->list[i];

		buf_printf(out, "%-26s %-6s %-14s %-11s %-16s %-16s %5u %8s %8s %7u %9s %11s %s%s%s\n", surge_id(&r->row, id), r->row.alarm ? "alarm" : "watch",
			surge_class_name(r->row.class), surge_state_name(r->row.state), short_time(z, r->row.onset, onset), end_time(z, &r->row, end), hours_after(&r->row),
			num_human(r->row.value, value), num_human(r->row.expected, expected), r->row.sensors, num_grouped(s->sources[i], sources),
			num_grouped(r->row.new_sources, fresh), r->verdict ? surge_verdict_name(r->verdict) : SURGE_UNCONFIRMED, r->verdict ? ": " : "",
			r->verdict ? r->judge : "");
	}
	if (s->len == 0)
		buf_str(out, "none\n");
}

static void verdict_text(const struct surge_revision *r, struct buf *out)
{
	if (r->verdict)
		buf_printf(out, "verdict   %s, by %s: %s\n", surge_verdict_name(r->verdict), r->judge, r->note);
	else
		buf_printf(out, "verdict   " SURGE_UNCONFIRMED "\n");
}

static void history_text(const struct shown *s, const struct zone *z, struct buf *out)
{
	char said[CALENDAR_TEXT_MAX], hour[CALENDAR_TEXT_MAX], onset[CALENDAR_TEXT_MAX], end[CALENDAR_TEXT_MAX], value[NUM_TEXT_MAX];

	buf_printf(out, "\n%8s  %-16s  %-16s  %-11s  %-6s  %-11s  %-16s  %-16s  %8s  %s\n", "revision", "said", "of the hour", "reason", "level", "state", "onset", "end",
		"peak", "by");
	for (size_t i = 0; i < s->said; i++) {
		const struct surge_revision *r = &s->history[i];

		buf_printf(out, "%8u  %-16s  %-16s  %-11s  %-6s  %-11s  %-16s  %-16s  %8s  %s", r->revision, short_time(z, (minute_t)(r->said_s / 60), said),
			short_time(z, r->hour, hour), surge_reason_name(r->reason), r->row.alarm ? "alarm" : "watch", surge_state_name(r->row.state),
			short_time(z, r->row.onset, onset), end_time(z, &r->row, end), num_human(r->row.value, value), r->by);
		if (r->reason == SURGE_JUDGED)
			buf_printf(out, ": %s: %s", surge_verdict_name(r->verdict), r->note);
		buf_u8(out, '\n');
	}
}

static void show_text(const struct shown *s, const struct zone *z, struct buf *out)
{
	const struct surge_revision *now = &s->list[0];
	const struct surge_row *r = &now->row;
	char text[CALENDAR_TEXT_MAX], label[SERIES_LABEL_MAX], value[NUM_TEXT_MAX], expected[NUM_TEXT_MAX], sources[NUM_TEXT_MAX], fresh[NUM_TEXT_MAX];

	buf_printf(out, "port      %s\n", port_label(r->port >> 16, r->port & UINT16_MAX, label));
	buf_printf(out, "level     %s, %s\nstate     %s\n", r->alarm ? "alarm" : "watch", surge_class_name(r->class), surge_state_name(r->state));
	buf_printf(out, "onset     %s (times are those of %s)\n", short_time(z, r->onset, text), z->name);
	buf_printf(out, "known     %s, %u hours after onset\n", short_time(z, r->known, text), hours_after(r));
	buf_printf(out, "peak      %s: %s sources an hour, %s expected\n", short_time(z, r->peak, text), num_human(r->value, value), num_human(r->expected, expected));
	buf_printf(out, "end       %s\n", end_time(z, r, text));
	buf_printf(out, "reach     %u sensors, %s sources; %s times one that was new in its hour\n", r->sensors, num_grouped(s->sources[0], sources), num_grouped(r->new_sources, fresh));
	verdict_text(now, out);
	history_text(s, z, out);
}

/* What is listed: alarms, and with --all watches and what was withdrawn too. */
static void choose(struct shown *s, const char *id, bool all)
{
	char text[SURGE_ID_MAX];
	size_t len = 0;

	for (size_t i = 0; i < s->len; i++) {
		const struct surge_row *r = &s->list[i].row;

		if (id ? !strcmp(surge_id(r, text), id) : all || (r->alarm && r->state != SURGE_WITHDRAWN))
			s->list[len++] = s->list[i];
	}
	s->len = len;
}

/* Where no keep runs, the hours are gone through now. */
static bool find(struct place *p, struct err *e)
{
	minute_t now = (minute_t)(clock_wall_s() / 60);
	struct span what = { 0, 1 };
	bool behind = true;

	while (!p->through_keep && what.until > what.from)
		if (!store_reckon(p->store, now, &what, e))
			return false;
	while (!p->through_keep && behind)
		if (!store_follow(p->store, HOURS_AT_ONCE, &behind, e))
			return false;
	return true;
}

static bool no_surge(const char *id, struct err *e)
{
	err_asked(e, "no surge named %.60s", id);
	return err_expected(e, "`teiten surge list --all` shows them");
}

static bool gather(struct shown *s, struct place *p, const struct args *a, const char *id, struct err *e)
{
	if (!store_surges(p->store, NULL, &s->list, &s->len, e))
		return false;
	choose(s, id, args_given(a, "all"));
	if (id && (s->len == 0 || !store_surges(p->store, id, &s->history, &s->said, e)))
		return s->len == 0 ? no_surge(id, e) : false;
	s->sources = mem_zero(s->len, sizeof *s->sources);
	for (size_t i = 0; i < s->len; i++)
		if (!store_surge_sources(p->store, &s->list[i].row, &s->sources[i], e))
			return false;
	return true;
}

static bool print(const struct args *a, struct place *p, const char *id, struct err *e)
{
	struct buf out = buf_make(OUT_MAX);
	struct shown s = { 0 };
	struct facts f = { 0 };
	bool ok = gather(&s, p, a, id, e) && store_facts(p->store, &f, e), json = args_given(a, "json");

	if (ok && json && id)
		surge_json(&s.list[0], s.sources[0], s.history, s.said, &f.zone, &out);
	else if (ok && json)
		surges_json(s.list, s.sources, s.len, &f, &out);
	else if (ok && id)
		show_text(&s, &f.zone, &out);
	else if (ok)
		list_text(&s, &f, &out);
	facts_release(&f);
	(void)fwrite(out.at, 1, out.len, stdout);
	buf_release(&out);
	release(&s);
	return ok;
}

/* Who runs the command, where nobody else is named. */
static const char *who(const struct args *a, char out[SURGE_NAME_MAX])
{
	const struct passwd *pw = getpwuid(getuid());

	if (args_value(a, "by"))
		return args_value(a, "by");
	if (pw)
		(void)snprintf(out, SURGE_NAME_MAX, "%s", pw->pw_name);
	else
		(void)snprintf(out, SURGE_NAME_MAX, "user %u", (unsigned)getuid());
	return out;
}

static bool judge(const struct args *a, struct place *p, struct err *e)
{
	struct surge_judgement j;
	char name[SURGE_NAME_MAX];

	return surge_judgement(&j, a->word[1], a->word[2], who(a, name), args_value(a, "note"), e) && store_judge(p->store, &j, e);
}

/* Words and options that go together; *id is NULL for a list. */
static bool understand(const struct args *a, const char **id, bool *judges, struct err *e)
{
	const char *verb = a->words ? a->word[0] : "list";
	bool list = !strcmp(verb, "list"), show = !strcmp(verb, "show");

	*judges = !strcmp(verb, "verdict");
	*id = a->words > 1 ? a->word[1] : NULL;
	if (!list && !show && !*judges) {
		err_asked(e, "not a thing to do with surges: %.40s", verb);
		return err_expected(e, "list, show ID, or verdict ID VERDICT");
	}
	if (a->words > (list ? 1 : show ? 2 : 3) || (!list && a->words < (show ? 2u : 3u))) {
		err_asked(e, "not so many words for %s", verb);
		return err_expected(e, list ? "none" : show ? "show ID" : "verdict ID real, research, artefact or unknown");
	}
	if (*judges && !args_value(a, "note")) {
		err_asked(e, "a verdict without its reason");
		return err_expected(e, "--note TEXT");
	}
	return *judges || (!args_value(a, "note") && !args_value(a, "by")) || err_asked(e, "--note and --by belong to a verdict");
}

static int run_surge(const struct args *a)
{
	struct place place;
	const char *id;
	bool judges;
	struct err e;

	if (!understand(a, &id, &judges, &e) || !place_open(&place, a, false, &e))
		return asking_refused(a, &e);
	bool ok = (judges ? judge(a, &place, &e) : find(&place, &e)) && print(a, &place, id, &e);
	int status = ok ? EXIT_DONE : asking_refused(a, &e);
	place_close(&place);
	return status;
}

static const struct option options[] = {
	{ "all", NULL, "list: watches and what was withdrawn too, not only alarms" },
	{ "note", "TEXT", "verdict: the reason, a line" },
	{ "by", "NAME", "verdict: whose it is (default: who runs the command)" },
	{ "json", NULL, "print JSON" },
	{ NULL, NULL, NULL },
};

const struct command command_surge = {
	.name = "surge",
	.usage = "[list | show ID | verdict ID real|research|artefact|unknown] [OPTION]...",
	.summary = "scan surges that were found, with onset and end, and verdicts on them",
	.options = { options, place_options },
	.run = run_surge,
};
