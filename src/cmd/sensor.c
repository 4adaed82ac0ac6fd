/* sensor: the sensors that the store knows; how many addresses each observes, its group and region. */
#include "cmd/asking.h"
#include "cmd/cmd.h"
#include "cmd/enrolling.h"
#include "cmd/odd.h"
#include "link/liveness.h"
#include "cmd/place.h"
#include "cmd/sensing.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/num.h"

#include <ctype.h>

/* Those that the store knows, and then those that may deliver and have not. */
struct listed { struct facts facts; struct enrolled enrolled; minute_t now; };

static enum liveness state_of(const struct listed *l, size_t i)
{
	return liveness_of(enrolled_find(&l->enrolled, l->facts.sensors[i].name), l->facts.watched[i], l->now);
}

static void line_text(struct buf *out, const char *const column[8])
{
	buf_printf(out, "%-31s %-11s %9s  %-2s  %-16s %-25s %-25s %s\n", column[0], column[1], column[2], column[3], column[4], column[5], column[6], column[7]);
}

static void list_text(const struct listed *l, struct buf *out)
{
	static const char *const head[] = { "sensor", "state", "addresses", "cc", "group", "watched from", "until", "hours watched" };
	char from[CALENDAR_TEXT_MAX], until[CALENDAR_TEXT_MAX], hours[NUM_TEXT_MAX], addresses[NUM_TEXT_MAX];
	const struct facts *f = &l->facts;

	line_text(out, head);
	for (size_t i = 0; i < f->len; i++) {
		const struct sensor *s = &f->sensors[i];
		bool watched = !span_empty(f->watched[i]);
		const char *state = liveness_name(state_of(l, i));

		(void)snprintf(addresses, sizeof addresses, "%u", s->addresses);
		line_text(out, (const char *const[]){ s->name, *state ? state : "-", addresses, s->region, s->group[0] ? s->group : "-",
			watched ? calendar_rfc3339(&f->zone, f->watched[i].from, from) : "-", watched ? calendar_rfc3339(&f->zone, f->watched[i].until, until) : "-",
			num_grouped(f->watched_s[i] / 3600, hours) });
	}
	for (size_t i = 0; i < l->enrolled.len; i++) {
		const struct enrolment *one = &l->enrolled.list[i];

		if (facts_sensor(f, one->name) == f->len)
			line_text(out, (const char *const[]){ one->name, liveness_name(liveness_of(one, (struct span){ 0, 0 }, l->now)), "-", "-",
				one->group[0] ? one->group : "-", "-", "-", "0" });
	}
}

static void list_json(const struct listed *l, struct buf *out)
{
	const struct facts *f = &l->facts;
	char text[CALENDAR_TEXT_MAX];
	struct json j = json_to(out);

	json_object(&j, NULL);
	json_string(&j, "zone", f->zone.name);
	json_array(&j, "sensors");
	for (size_t i = 0; i < f->len; i++) {
		const struct sensor *s = &f->sensors[i];
		bool watched = !span_empty(f->watched[i]);
		enum liveness state = state_of(l, i);

		json_object(&j, NULL);
		json_string(&j, "name", s->name);
		json_string(&j, "state", state ? liveness_name(state) : NULL);
		json_whole(&j, "addresses", s->addresses);
		json_string(&j, "group", s->group[0] ? s->group : NULL);
		json_string(&j, "region", s->region);
		json_string(&j, "watched_from", watched ? calendar_rfc3339(&f->zone, f->watched[i].from, text) : NULL);
		json_string(&j, "watched_until", watched ? calendar_rfc3339(&f->zone, f->watched[i].until, text) : NULL);
		json_whole(&j, "watched_seconds", f->watched_s[i]);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_array(&j, "not_heard");
	for (size_t i = 0; i < l->enrolled.len; i++)
		if (facts_sensor(f, l->enrolled.list[i].name) == f->len)
			json_string(&j, NULL, l->enrolled.list[i].name);
	json_end_array(&j);
	json_end_object(&j);
	buf_str(out, "\n");
}

static bool run_list(const struct args *a, struct place *place, struct err *e)
{
	struct listed l = { .now = (minute_t)(clock_wall_s() / 60) };
	struct buf out = buf_make(64 << 20);
	char path[PATH_TEXT_MAX];

	if (!store_facts(place->store, &l.facts, e))
		return false;
	bool ok = !place->dir[0] || (file_path(path, place->dir, "sensors/enrolled", e) && enrolled_read(&l.enrolled, path, e));
	if (ok) {
		(args_given(a, "json") ? list_json : list_text)(&l, &out);
		(void)fwrite(out.at, 1, out.len, stdout);
	}
	enrolled_release(&l.enrolled);
	facts_release(&l.facts);
	buf_release(&out);
	return ok;
}

static bool read_region(const char *text, char out[3], struct err *e)
{
	if (!isalpha((unsigned char)text[0]) || !isalpha((unsigned char)text[1]) || text[2] != '\0') {
		err_set(e, "not a region: \"%.20s\"", text);
		return err_expected(e, "two letters such as JP");
	}
	out[0] = (char)toupper((unsigned char)text[0]);
	out[1] = (char)toupper((unsigned char)text[1]);
	return true;
}

/* What is not given stays as it is. */
static bool change(const struct args *a, struct sensor *s, struct err *e)
{
	const char *addresses = args_value(a, "addresses"), *group = args_value(a, "group"), *region = args_value(a, "region");
	uint64_t n = s->addresses;

	if (!addresses && !group && !region) {
		err_set(e, "nothing to set");
		return err_expected(e, "--addresses N, --group NAME or --region CC");
	}
	if (addresses && !num_whole(addresses, 1, UINT32_MAX, &n)) {
		err_set(e, "not a number of addresses: \"%.40s\"", addresses);
		return err_expected(e, "1 to 4294967295");
	}
	s->addresses = (uint32_t)n;
	if (group && !sensor_name_valid(group)) {
		err_set(e, "not a group's name: \"%.40s\"", group);
		return err_expected(e, "1 to %d letters, digits and . _ : -, not one of these first", SENSOR_NAME_MAX - 1);
	}
	if (group)
		memcpy(s->group, group, strlen(group) + 1);
	return !region || read_region(region, s->region, e);
}

/* The keep would set it back: the list rules for its sensors. */
static bool list_leaves_it(const struct args *a, const struct place *place, struct err *e)
{
	struct enrolled all;
	char path[PATH_TEXT_MAX];

	if (!place->dir[0] || (!args_given(a, "addresses") && !args_given(a, "group")))
		return true;
	if (!file_path(path, place->dir, "sensors/enrolled", e) || !enrolled_read(&all, path, e))
		return false;
	bool listed = enrolled_find(&all, a->word[1]) != NULL;
	enrolled_release(&all);
	if (!listed)
		return true;
	err_set(e, "the list says addresses and group of %s", a->word[1]);
	return err_expected(e, "addresses=, addresses6= and group= in its line of %s", path);
}

static bool run_set(const struct args *a, struct place *place, struct err *e)
{
	struct facts f;
	bool ok = false;

	if (!list_leaves_it(a, place, e) || !store_facts(place->store, &f, e))
		return false;
	size_t i = facts_sensor(&f, a->word[1]);
	if (i < f.len) {
		ok = change(a, &f.sensors[i], e) && store_sensor(place->store, &f.sensors[i], e);
	} else {
		err_set(e, "no sensor named %.40s", a->word[1]);
		err_expected(e, "`teiten sensor list` shows them");
	}
	facts_release(&f);
	return ok;
}

static int run_store(const struct args *a, bool list)
{
	struct place place;
	struct err e;

	if (list && (args_given(a, "addresses") || args_given(a, "group") || args_given(a, "region"))) {
		err_asked(&e, "sensor list takes no --addresses, --group or --region");
		err_expected(&e, "sensor set NAME changes a sensor");
		return asking_refused(a, &e);
	}
	if (!place_open(&place, a, false, &e))
		return asking_refused(a, &e);
	bool ok = list ? run_list(a, &place, &e) : run_set(a, &place, &e);
	place_close(&place);
	return ok ? EXIT_DONE : asking_refused(a, &e);
}

static int run_sensor(const struct args *a)
{
	const char *verb = a->words ? a->word[0] : "";

	if (a->words == 0)
		return sensing(a);
	if ((a->words == 1 && !strcmp(verb, "list")) || (a->words == 2 && !strcmp(verb, "set")))
		return run_store(a, a->words == 1);
	if (a->words <= 2 && !strcmp(verb, "odd"))
		return odd(a);
	if (enrolling_knows(a))
		return enrolling(a);
	log_line("sensor is followed by: nothing, to observe; key, to make its key; add LINE, show NAME or retire NAME, to say who may "
		"deliver; outage NAME FROM UNTIL, for one that is planned; list; odd, for what does not go with the others; or set NAME with --addresses, --group or --region");
	return EXIT_WRONG_USE;
}

static const struct option options[] = {
	{ "addresses", "N", "set: how many addresses the sensor observes" },
	{ "group", "NAME", "set: operator or network that it belongs to" },
	{ "region", "CC", "set: where it stands (two letters)" },
	{ "last", "LENGTH", "odd: the last 3mo, 1y, 90d, 2w of the store's whole days (default 3mo)" },
	{ "from", "TIME", "odd: from this date in the store's zone" },
	{ "until", "TIME", "odd: up to, not with, this date" },
	{ "port", "PORT", "odd: only one port: 1433/tcp, 53/udp, icmp/8" },
	{ "all", NULL, "odd: also sensors that were set aside without being far off" },
	{ "json", NULL, "list, odd, show, observe: print JSON" },
	{ NULL, NULL, NULL },
};

const struct command command_sensor = {
	.name = "sensor",
	.usage = "[OPTION]... | key | add LINE | show NAME | retire NAME | outage NAME FROM UNTIL | list | odd [NAME] | set NAME",
	.summary = "observe an interface; make its key, enrol it, list the sensors",
	.options = { options, sensing_options, place_options },
	.run = run_sensor,
};
