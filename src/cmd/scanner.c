/* scanner: the list of known scanners of a data folder: shows it, and writes it from what is right. */
#include "cmd/asking.h"
#include "cmd/cmd.h"
#include "cmd/place.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/zone.h"
#include "core/calendar.h"
#include "store/scanners.h"

#include <unistd.h>

enum { OUTPUT_MAX = 128 << 20, DATE_LEN = 10 };

static bool list_path(const struct args *a, char path[PATH_TEXT_MAX], struct err *e)
{
	return file_path(path, place_dir(a), PLACE_SCANNERS, e);
}

static void tell_list(const struct scanners *s)
{
	char nets[NUM_TEXT_MAX], names[NUM_TEXT_MAX];

	printf("list %s: %s networks of %s organisations\n", s->id, num_grouped(s->len, nets), num_grouped(s->names_len, names));
}

static const char *date_of(uint32_t day, char out[CALENDAR_TEXT_MAX])
{
	return calendar_date(&zone_utc, day * MINUTES_PER_DAY, out);
}

static void day_json(struct json *j, const char *key, uint32_t day, bool given)
{
	char date[CALENDAR_TEXT_MAX];

	if (given)
		json_string(j, key, date_of(day, date));
	else
		json_null(j, key);
}

static void list_json(const struct scanners *s, struct buf *out)
{
	struct json j = json_to(out);
	char net[PREFIX_TEXT_MAX];

	json_object(&j, NULL);
	json_string(&j, "list", s->id);
	json_array(&j, "networks");
	for (size_t i = 0; i < s->len; i++) {
		const struct scanning *one = &s->list[i];

		json_object(&j, NULL);
		json_string(&j, "network", prefix_format(&one->net, net));
		json_string(&j, "organisation", s->names[one->by - 1]);
		day_json(&j, "from", one->from, one->from > 0);
		day_json(&j, "until", one->until, one->until != UINT32_MAX);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_end_object(&j);
	buf_str(out, "\n");
}

static bool run_list(const struct args *a, struct err *e)
{
	struct buf out = buf_make(OUTPUT_MAX);
	char path[PATH_TEXT_MAX];
	struct scanners s;

	if (!place_exists(place_dir(a), e) || !list_path(a, path, e) || !scanners_read(&s, path, e))
		return false;
	if (args_given(a, "json")) {
		list_json(&s, &out);
	} else {
		tell_list(&s);
		for (size_t i = 0; i < s.len; i++)
			scanners_text(&s.list[i], &s, &out);
	}
	(void)fwrite(out.at, 1, out.len, stdout);
	buf_release(&out);
	scanners_release(&s);
	return true;
}

/* The first day on which the networks hold; 0: at all times. */
static bool first_day(const struct args *a, uint32_t *day, struct err *e)
{
	const char *from = args_value(a, "from");
	minute_t at = 0;

	if (from && (strlen(from) != DATE_LEN || !calendar_parse(&zone_utc, from, &at, e) || at == 0)) {
		err_asked(e, "--from is not a day: \"%.40s\"", from);
		return err_expected(e, "such as 2026-01-31");
	}
	*day = at / MINUTES_PER_DAY;
	return true;
}

/* One organisation's networks into the list that is there. */
static bool renew(const struct args *a, const char *path, struct scanners *s, struct err *e)
{
	struct prefix *nets = NULL;
	uint32_t day = 0;
	size_t len = 0;
	bool ok = first_day(a, &day, e) && scanners_read(s, path, e);

	for (size_t i = 1; ok && i < a->words; i++)
		ok = scanners_nets(a->word[i], &nets, &len, e);
	ok = ok && (scanners_renew(s, args_value(a, "name"), nets, len, day, e) || err_in(e, "--name"));
	free(nets);
	return ok;
}

static bool import(const struct args *a, const char *path, struct err *e)
{
	struct scanners s = { 0 };
	bool ok = (args_given(a, "name") ? renew(a, path, &s, e) : scanners_gather(&s, &a->word[1], a->words - 1, e)) && scanners_write(&s, path, e);

	if (ok)
		tell_list(&s);
	scanners_release(&s);
	return ok;
}

/* Reading, changing and writing the list is one step, whoever else is at it. */
static bool run_import(const struct args *a, struct err *e)
{
	char path[PATH_TEXT_MAX], lock[PATH_TEXT_MAX + 8];
	bool held = false;
	int fd = -1;

	if (!file_make_dir(place_dir(a), e) || !list_path(a, path, e))
		return false;
	(void)snprintf(lock, sizeof lock, "%s.lock", path);
	bool ok = file_lock(lock, &fd, &held, e) && (held || err_set(e, "another command is writing %s", path)) && import(a, path, e);
	if (fd >= 0)
		(void)close(fd);
	return ok;
}

static int run_scanner(const struct args *a)
{
	const char *what = a->words ? a->word[0] : "";
	bool named = args_given(a, "name"), dated = args_given(a, "from");
	struct err e;
	bool ok;

	if (!strcmp(what, "list") && a->words == 1 && !named && !dated) {
		ok = run_list(a, &e);
	} else if (!strcmp(what, "import") && a->words > 1 && (named || !dated) && !args_given(a, "json")) {
		ok = run_import(a, &e);
	} else {
		log_line("scanner is followed by: list [--json], or import [--name NAME [--from DATE]] with files");
		return EXIT_WRONG_USE;
	}
	return ok ? EXIT_DONE : asking_refused(a, &e);
}

static const struct option options[] = {
	{ "name", "NAME", "import: the files are this organisation's networks, one a line; what others have stays" },
	{ "from", "DATE", "import, with --name: they hold from this day on, and what held before is kept" },
	{ "data", "DIR", "the observatory's folder (default ./teiten-data)" },
	{ "json", NULL, "list: print JSON" },
	{ NULL, NULL, NULL },
};

const struct command command_scanner = {
	.name = "scanner",
	.usage = "list | import [--name NAME [--from DATE]] FILE...",
	.summary = "list the networks of known scanners, from which figures can be freed",
	.options = { options },
	.run = run_scanner,
};
