/* surge: the scan surges that were found, with onset and end. */
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
#include "store/surges.h"

#include <math.h>

enum { OUT_MAX = 256 << 20, HOURS_AT_ONCE = 100000 };

static void time_json(struct json *j, const char *key, minute_t at, const struct zone *z)
{
	char text[CALENDAR_TEXT_MAX];

	json_string(j, key, at ? calendar_rfc3339(z, at, text) : NULL);
}

static void row_json(struct json *j, const char *key, const struct surge_row *r, const struct zone *z)
{
	char id[SURGE_ID_MAX], label[SERIES_LABEL_MAX];

	json_object(j, key);
	json_string(j, "id", surge_id(r, id));
	json_string(j, "label", port_label(r->port >> 16, r->port & UINT16_MAX, label));
	json_string(j, "class", surge_class_name(r->class));
	json_string(j, "level", r->alarm ? "alarm" : "watch");
	time_json(j, "known", r->known, z);
	time_json(j, "onset", r->onset, z);
	time_json(j, "peak", r->peak, z);
	time_json(j, "end", r->end, z);
	json_string(j, "state", r->end ? "closed" : "open");
	json_number(j, "value", r->value);
	json_number(j, "expected", r->expected);
	json_whole(j, "sensors", r->sensors);
	json_whole(j, "new_sources", r->new_sources);
	json_whole(j, "revision", r->revision);
	json_string(j, "judged_by", "machine, unconfirmed");
	json_end_object(j);
}

static const char *short_time(const struct zone *z, minute_t at, char out[CALENDAR_TEXT_MAX])
{
	struct civil c = calendar_civil(z, at);

	if (!at)
		return "open";
	(void)snprintf(out, CALENDAR_TEXT_MAX, "%04d-%02d-%02d %02d:%02d", c.year % 10000, c.month, c.day, c.hour, c.minute);
	return out;
}

static void rows_text(const struct surge_row *const *list, size_t n, const struct zone *z, struct buf *out)
{
	char id[SURGE_ID_MAX], onset[CALENDAR_TEXT_MAX], end[CALENDAR_TEXT_MAX], known[CALENDAR_TEXT_MAX], value[NUM_TEXT_MAX], expected[NUM_TEXT_MAX],
		sources[NUM_TEXT_MAX];

	buf_printf(out, "found by machine, unconfirmed; times are those of %s, values sources an hour\n", z->name);
	buf_printf(out, "%-26s %-6s %-14s %-16s %-16s %-16s %8s %8s %7s %s\n", "surge", "level", "class", "onset", "end", "known", "peak", "expected", "sensors", "new sources");
	for (size_t i = 0; i < n; i++) {
		const struct surge_row *r = list[i];

		buf_printf(out, "%-26s %-6s %-14s %-16s %-16s %-16s %8s %8s %7u %s\n", surge_id(r, id), r->alarm ? "alarm" : "watch", surge_class_name(r->class),
			short_time(z, r->onset, onset), short_time(z, r->end, end), short_time(z, r->known, known), num_human(r->value, value),
			num_human(r->expected, expected), r->sensors, num_grouped(r->new_sources, sources));
	}
	if (n == 0)
		buf_str(out, "none\n");
}

/* What is listed: alarms, and with --all watches too. */
static size_t choose(const struct surge_row *rows, size_t n, const char *id, bool all, const struct surge_row **out)
{
	char text[SURGE_ID_MAX];
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		if (id ? !strcmp(surge_id(&rows[i], text), id) : all || rows[i].alarm)
			out[len++] = &rows[i];
	return len;
}

/* Where no keep runs, the hours are gone through now. */
static bool find(struct place *p, struct surge_row **rows, size_t *n, struct err *e)
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
	return store_surges(p->store, rows, n, e);
}

static bool print(const struct args *a, const struct surge_row *rows, size_t n, const struct zone *z, const char *id, struct err *e)
{
	const struct surge_row **chosen = mem_zero(n, sizeof *chosen);
	size_t len = choose(rows, n, id, args_given(a, "all"), chosen);
	struct buf out = buf_make(OUT_MAX);
	struct json j = json_to(&out);
	bool ok = len > 0 || !id;

	if (!ok) {
		err_asked(e, "no surge named %.60s", id);
		err_expected(e, "`teiten surge list --all` shows them");
	} else if (id && args_given(a, "json")) {
		row_json(&j, NULL, chosen[0], z);
		buf_u8(&out, '\n');
	} else if (args_given(a, "json")) {
		json_object(&j, NULL);
		json_string(&j, "zone", z->name);
		json_array(&j, "surges");
		for (size_t i = 0; i < len; i++)
			row_json(&j, NULL, chosen[i], z);
		json_end_array(&j);
		json_end_object(&j);
		buf_u8(&out, '\n');
	} else {
		rows_text(chosen, len, z, &out);
	}
	(void)fwrite(out.at, 1, out.len, stdout);
	buf_release(&out);
	free(chosen);
	return ok;
}

static int run_surge(const struct args *a)
{
	const char *verb = a->words ? a->word[0] : "list", *id = a->words > 1 ? a->word[1] : NULL;
	struct surge_row *rows = NULL;
	struct place place;
	struct facts facts;
	struct err e;
	size_t n = 0;

	if ((strcmp(verb, "list") || id) && (strcmp(verb, "show") || !id || a->words > 2)) {
		err_asked(&e, "not a thing to do with surges: %.40s", verb);
		err_expected(&e, "list, or show ID");
		return asking_refused(a, &e);
	}
	if (!place_open(&place, a, false, &e))
		return asking_refused(a, &e);
	bool ok = store_facts(place.store, &facts, &e);
	if (ok) {
		ok = find(&place, &rows, &n, &e) && print(a, rows, n, &facts.zone, id, &e);
		facts_release(&facts);
	}
	int status = ok ? EXIT_DONE : asking_refused(a, &e);
	free(rows);
	place_close(&place);
	return status;
}

static const struct option options[] = {
	{ "all", NULL, "list: watches too, not only alarms" },
	{ "json", NULL, "print JSON" },
	{ NULL, NULL, NULL },
};

const struct command command_surge = {
	.name = "surge",
	.usage = "[list | show ID] [OPTION]...",
	.summary = "scan surges that were found, with onset and end",
	.options = { options, place_options },
	.run = run_surge,
};
