#include "cmd/enrolling.h"

#include "cmd/asking.h"
#include "cmd/cmd.h"
#include "cmd/place.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/zone.h"
#include "capture/reading.h"
#include "core/calendar.h"
#include "link/enrolled.h"
#include "link/epochs.h"
#include "link/identity.h"

#include <unistd.h>

enum { LINE_MAX_BYTES = 2048, HOLD_MS = 10000, HOLD_TICK_MS = 20 };

static bool key_path(const struct args *a, char out[PATH_TEXT_MAX], struct err *e)
{
	return file_make_dir(place_dir(a), e) && file_path(out, place_dir(a), "sensor.key", e);
}

/* A folder of its own: who collects may read it, and nothing else of the centre's. */
static bool list_path(const struct args *a, char out[PATH_TEXT_MAX], struct err *e)
{
	char folder[PATH_TEXT_MAX];

	return file_path(folder, place_dir(a), "sensors", e) && file_make_dir(folder, e) && file_path(out, folder, "enrolled", e);
}

/* Networks are apart, or one lies in the other. */
static bool lies_in_another(const struct reading *r, size_t place)
{
	for (size_t i = 0; i < r->watched_len; i++)
		if (i != place && r->watched[i].bits <= r->watched[place].bits && prefix_holds(&r->watched[i], &r->watched[place].addr))
			return true;
	return false;
}

/* More than a number can tell are as many as it can. */
static void add_addresses(uint32_t *sum, const struct prefix *p)
{
	unsigned free_bits = 128 - p->bits;
	uint64_t n = *sum + (free_bits < 32 ? (uint64_t)1 << free_bits : UINT32_MAX);

	*sum = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* How many addresses the networks hold, by family, each once. */
static bool count_addresses(const char *watch, struct enrolment *one, struct err *e)
{
	static struct reading r;
	const struct addr first_v4 = addr_v4(0);

	if (!reading_watch(&r, watch, e))
		return err_in(e, "--watch");
	one->addresses = one->addresses6 = 0;
	for (size_t i = 0; i < r.watched_len; i++) {
		const struct prefix *p = &r.watched[i];
		bool wide = p->bits < 96 && prefix_holds(p, &first_v4);         /* around all of IPv4 */

		if (lies_in_another(&r, i))
			continue;
		add_addresses(addr_is_v4(&p->addr) ? &one->addresses : &one->addresses6, p);
		if (wide)
			add_addresses(&one->addresses, p);
	}
	return true;
}

/* Makes the key when there is none yet, and prints the line that lets the sensor in. */
static bool run_key(const struct args *a, struct err *e)
{
	struct enrolment one = { .addresses = 1, .valid = { 0, MINUTE_MAX } };
	const char *name = args_value(a, "name"), *watch = args_value(a, "watch");
	char path[PATH_TEXT_MAX];
	struct sign_secret secret;
	struct buf line = buf_make(LINE_MAX_BYTES);

	if (!name) {
		err_asked(e, "the sensor has no name");
		return err_expected(e, "--name NAME, as it will observe");
	}
	if (!sensor_name_check(name, e) || (watch && !count_addresses(watch, &one, e)) || !key_path(a, path, e) ||
		!identity_is(place_dir(a), name, e))
		return false;
	memcpy(one.name, name, strlen(name) + 1);
	if (file_exists(path)) {
		if (!sign_secret_read(path, &secret, e))
			return false;
	} else {
		sign_make(&secret);
		if (!sign_secret_write(path, &secret, e))
			return false;
		log_line("made %s: keep it; the line below goes to the centre, `teiten sensor add` there", path);
	}
	if (!identity_write(place_dir(a), name, e))
		return false;
	one.key = sign_public(&secret);
	enrolment_text(&one, &line);
	(void)fputs(buf_cstr(&line), stdout);
	buf_release(&line);
	return true;
}

/* Reading, changing and writing the list is one step, whoever else is at it. */
static bool hold_list(const char *path, int *fd, struct err *e)
{
	char name[PATH_TEXT_MAX + 8];
	bool held = false;

	(void)snprintf(name, sizeof name, "%s.lock", path);
	for (unsigned waited = 0; waited < HOLD_MS; waited += HOLD_TICK_MS) {
		if (!file_lock(name, fd, &held, e))
			return false;
		if (held)
			return true;
		clock_sleep_ms(HOLD_TICK_MS);
	}
	return err_set(e, "somebody else has been changing %s for %d s", path, HOLD_MS / 1000);
}

/* Who was retired comes again with the same key; another key is for people to decide. */
static bool may_come(const struct enrolment *known, const struct enrolment *one, const char *path, struct err *e)
{
	char key[SIGN_KEY_TEXT_MAX];
	bool retired = known->valid.until <= (minute_t)(clock_wall_s() / 60), same = !memcmp(&known->key, &one->key, sizeof one->key);

	if (!retired) {
		err_set(e, "%s is enrolled already", one->name);
		err_expected(e, "another name; or `teiten sensor retire %s`, and edit %s", one->name, path);
	} else if (!same) {
		err_set(e, "%s is retired, and had another key", one->name);
		err_expected(e, "another name; or take the line that begins with `%s %s` out of %s", known->name, sign_key_text(&known->key, key), path);
	}
	return retired && same;
}

static bool run_add(const struct args *a, struct err *e)
{
	struct buf line = buf_make(LINE_MAX_BYTES);
	char path[PATH_TEXT_MAX];
	struct enrolled all = { 0 };
	struct enrolment one;
	int held = -1;

	for (size_t i = 1; i < a->words; i++)
		buf_printf(&line, "%s%s", i > 1 ? " " : "", a->word[i]);
	bool ok = enrolment_parse(&one, buf_cstr(&line), e) && list_path(a, path, e) && hold_list(path, &held, e) &&
		enrolled_read(&all, path, e);
	const struct enrolment *known = ok ? enrolled_find(&all, one.name) : NULL;
	ok = ok && (!known || may_come(known, &one, path, e)) && enrolled_put(path, &one, e);
	if (ok)
		printf("%s %s\n", one.name, known ? "may deliver again" : "is enrolled");
	if (held >= 0)
		(void)close(held);
	enrolled_release(&all);
	buf_release(&line);
	return ok;
}

static bool find(const struct args *a, char path[PATH_TEXT_MAX], struct enrolment *out, struct err *e)
{
	struct enrolled all = { 0 };
	bool ok = list_path(a, path, e) && enrolled_read(&all, path, e);
	const struct enrolment *one = ok ? enrolled_find(&all, a->word[1]) : NULL;

	if (one)
		*out = *one;
	else if (ok) {
		err_set(e, "%.40s is not enrolled", a->word[1]);
		err_expected(e, "a name of %s", path);
	}
	enrolled_release(&all);
	return one != NULL;
}

/* Since when it has observed the addresses that it observes; NULL: not known. */
static const char *since(const struct args *a, const char *name, char date[CALENDAR_TEXT_MAX])
{
	struct epochs all = { 0 };
	char path[PATH_TEXT_MAX];
	struct err e;
	const struct address_epoch *newest = file_path(path, place_dir(a), "epochs", &e) && epochs_read(&all, path, &e) ?
		epochs_newest(&all, name) : NULL;
	const char *text = newest ? calendar_rfc3339(&zone_utc, newest->from, date) : NULL;

	epochs_release(&all);
	return text;
}

static bool run_show(const struct args *a, struct err *e)
{
	char path[PATH_TEXT_MAX], key[SIGN_KEY_TEXT_MAX], date[CALENDAR_TEXT_MAX];
	struct buf out = buf_make(1 << 14);
	struct enrolment one;

	if (!find(a, path, &one, e))
		return false;
	if (args_given(a, "json")) {
		struct json j = json_to(&out);

		json_object(&j, NULL);
		json_string(&j, "name", one.name);
		json_string(&j, "key", sign_key_text(&one.key, key));
		json_whole(&j, "number", one.number);
		json_whole(&j, "addresses", one.addresses);
		json_whole(&j, "addresses6", one.addresses6);
		json_string(&j, "group", one.group[0] ? one.group : NULL);
		json_string(&j, "from", one.valid.from ? calendar_date(&zone_utc, one.valid.from, date) : NULL);
		json_string(&j, "until", one.valid.until < MINUTE_MAX ? calendar_date(&zone_utc, one.valid.until, date) : NULL);
		json_array(&j, "outages");
		for (size_t i = 0; i < one.outages_len; i++) {
			json_object(&j, NULL);
			json_string(&j, "from", calendar_rfc3339(&zone_utc, one.outages[i].from, date));
			json_string(&j, "until", calendar_rfc3339(&zone_utc, one.outages[i].until, date));
			json_end_object(&j);
		}
		json_end_array(&j);
		json_string(&j, "addresses_since", since(a, one.name, date));
		json_string(&j, "note", one.note);
		json_end_object(&j);
		buf_str(&out, "\n");
	} else {
		enrolment_text(&one, &out);
	}
	(void)fputs(buf_cstr(&out), stdout);
	buf_release(&out);
	return true;
}

/* Changes the line of the sensor that is named, while nobody else changes the list; *out is what it became. */
static bool change(const struct args *a, bool (*how)(const struct args *a, struct enrolment *one, minute_t now, struct err *e), struct enrolment *out,
	struct err *e)
{
	char path[PATH_TEXT_MAX];
	int held = -1;

	bool ok = list_path(a, path, e) && hold_list(path, &held, e) && find(a, path, out, e) && how(a, out, (minute_t)(clock_wall_s() / 60), e) &&
		enrolled_put(path, out, e);
	if (held >= 0)
		(void)close(held);
	return ok;
}

/* From today on it may not deliver any more; what it delivered stays, and so does its line. */
static bool retire(const struct args *a, struct enrolment *one, minute_t now, struct err *e)
{
	(void)a, (void)e;
	one->valid.until = enrolment_today(now);
	if (one->valid.from > one->valid.until)         /* it was to begin later */
		one->valid.from = one->valid.until;
	return true;
}

static bool run_retire(const struct args *a, struct err *e)
{
	struct enrolment one;

	if (!change(a, retire, &one, e))
		return false;
	printf("%s may not deliver any more\n", one.name);
	return true;
}

/* Those that are over make room. */
static bool add_outage(const struct args *a, struct enrolment *one, minute_t now, struct err *e)
{
	struct span s = { 0, 0 };
	size_t n = 0;

	for (size_t i = 0; i < one->outages_len; i++)
		if (one->outages[i].until > now)
			one->outages[n++] = one->outages[i];
	one->outages_len = n;
	if (!calendar_parse(&zone_utc, a->word[2], &s.from, e) || !calendar_parse(&zone_utc, a->word[3], &s.until, e))
		return false;
	if (span_empty(s) || s.until <= now) {
		err_asked(e, "an outage that ends before it begins, or is over");
		return err_expected(e, "FROM UNTIL, as 2026-11-25T22:00Z 2026-11-26T02:00Z");
	}
	if (n == OUTAGES_MAX)
		return err_set(e, "%d outages are planned already", OUTAGES_MAX);
	one->outages[one->outages_len++] = s;
	return true;
}

/* Its silence from then until then is no news. */
static bool run_outage(const struct args *a, struct err *e)
{
	char from[CALENDAR_TEXT_MAX], until[CALENDAR_TEXT_MAX];
	struct enrolment one;

	if (!change(a, add_outage, &one, e))
		return false;
	const struct span *s = &one.outages[one.outages_len - 1];
	printf("%s: nobody is told of its silence from %s to %s\n", one.name, calendar_rfc3339(&zone_utc, s->from, from),
		calendar_rfc3339(&zone_utc, s->until, until));
	return true;
}

static const struct { const char *verb; size_t least, most; bool (*run)(const struct args *a, struct err *e); } verbs[] = {
	{ "key", 1, 1, run_key },
	{ "add", 3, ARGS_MAX, run_add },
	{ "show", 2, 2, run_show },
	{ "retire", 2, 2, run_retire },
	{ "outage", 4, 4, run_outage },
};
enum { VERBS = sizeof verbs / sizeof *verbs };

static size_t verb_of(const struct args *a)
{
	size_t i = 0;

	while (i < VERBS && (a->words < verbs[i].least || a->words > verbs[i].most || strcmp(a->word[0], verbs[i].verb) != 0))
		i++;
	return i;
}

bool enrolling_knows(const struct args *a)
{
	return verb_of(a) < VERBS;
}

int enrolling(const struct args *a)
{
	struct err e;

	return verbs[verb_of(a)].run(a, &e) ? EXIT_DONE : asking_refused(a, &e);
}
