/* geo: makes the table of regions of a data folder, and looks into it. */
#include "cmd/asking.h"
#include "cmd/cmd.h"
#include "cmd/place.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/num.h"
#include "store/regions.h"
#include "store/regions_build.h"

#include <inttypes.h>

enum { OUTPUT_MAX = 1 << 20 };

static bool table_path(const struct args *a, char path[PATH_TEXT_MAX], struct err *e)
{
	return file_path(path, place_dir(a), "regions.table", e);
}

static struct regions *open_table(const struct args *a, struct err *e)
{
	char path[PATH_TEXT_MAX];

	if (!table_path(a, path, e))
		return NULL;
	if (!file_exists(path)) {
		err_set(e, "no table of regions in %s", place_dir(a));
		err_expected(e, "`teiten geo build` makes one");
		return NULL;
	}
	return regions_open(path, e);
}

static bool gather(const struct args *a, struct regions_build *b, struct err *e)
{
	for (size_t i = 0; i < a->len; i++)
		if (!strcmp(a->list[i].name, "mmdb") && !regions_build_mmdb(b, a->list[i].value, e))
			return false;
	for (size_t i = 1; i < a->words; i++)
		if (!regions_build_delegations(b, a->word[i], e))
			return false;
	return true;
}

static void tell_table(const struct regions *r)
{
	char n[NUM_TEXT_MAX];

	printf("table %s: %s ranges, made from %s\n", regions_id(r), num_grouped(regions_len(r), n), regions_source(r));
}

static void tell_refused(const struct regions_build *b)
{
	char n[NUM_TEXT_MAX];

	if (b->refused)
		log_line("geo: %s lines or records were left out; the first: %s", num_grouped(b->refused, n), b->refusal);
}

/* History is not mapped anew: a batch keeps the regions of its day. */
static void tell_stored(const struct args *a)
{
	char path[PATH_TEXT_MAX];
	struct err e;

	if (file_path(path, place_dir(a), "store.duckdb", &e) && file_exists(path))
		log_line("geo: what is stored already keeps the regions it was given; what comes from now on is mapped with this table");
}

static bool run_build(const struct args *a, struct err *e)
{
	struct regions_build b = { 0 };
	struct regions *made = NULL;
	const char *source = args_value(a, "source");
	char path[PATH_TEXT_MAX];
	bool ok = table_path(a, path, e) && gather(a, &b, e) && file_make_dir(place_dir(a), e) &&
		regions_write(path, b.list, b.len, source ? source : b.source, e);

	if (ok) {
		made = regions_open(path, e);
		ok = made != NULL;
	}
	if (ok) {
		tell_refused(&b);
		tell_table(made);
		tell_stored(a);
	}
	regions_close(made);
	regions_build_release(&b);
	return ok;
}

/* All words are read before the first is answered: an answer is whole or not there. */
static bool find_all(const struct args *a, struct addr *list, struct err *e)
{
	for (size_t i = 1; i < a->words; i++)
		if (!addr_parse(a->word[i], &list[i])) {
			err_set(e, "not an address: \"%.60s\"", a->word[i]);
			return err_expected(e, "such as 192.0.2.1 or 2001:db8::1");
		}
	return true;
}

static void find_json(const struct regions *r, const struct addr *list, size_t len, struct buf *out)
{
	struct json j = json_to(out);
	char text[ADDR_TEXT_MAX], region[3];
	uint32_t as;

	json_object(&j, NULL);
	json_string(&j, "table", regions_id(r));
	json_array(&j, "addresses");
	for (size_t i = 0; i < len; i++) {
		regions_find(r, &list[i], region, &as);
		json_object(&j, NULL);
		json_string(&j, "address", addr_format(&list[i], text));
		json_string(&j, "region", region);
		if (as)
			json_whole(&j, "as_number", as);
		else
			json_null(&j, "as_number");
		json_end_object(&j);
	}
	json_end_array(&j);
	json_end_object(&j);
	buf_str(out, "\n");
}

static void find_text(const struct regions *r, const struct addr *list, size_t len, struct buf *out)
{
	char text[ADDR_TEXT_MAX], region[3];
	uint32_t as;

	for (size_t i = 0; i < len; i++) {
		regions_find(r, &list[i], region, &as);
		buf_printf(out, "%-39s  %s", addr_format(&list[i], text), region);
		if (as)
			buf_printf(out, "  AS%" PRIu32, as);
		buf_str(out, "\n");
	}
}

static bool run_find(const struct args *a, struct err *e)
{
	struct addr list[ARGS_MAX];
	struct regions *r = find_all(a, list, e) ? open_table(a, e) : NULL;
	struct buf out = buf_make(OUTPUT_MAX);

	if (!r)
		return false;
	(args_given(a, "json") ? find_json : find_text)(r, list + 1, a->words - 1, &out);
	(void)fwrite(out.at, 1, out.len, stdout);
	buf_release(&out);
	regions_close(r);
	return true;
}

static bool run_show(const struct args *a, struct err *e)
{
	struct regions *r = open_table(a, e);
	struct buf out = buf_make(OUTPUT_MAX);

	if (!r)
		return false;
	if (args_given(a, "json")) {
		struct json j = json_to(&out);

		json_object(&j, NULL);
		json_string(&j, "table", regions_id(r));
		json_whole(&j, "ranges", regions_len(r));
		json_string(&j, "source", regions_source(r));
		json_end_object(&j);
		printf("%s\n", buf_cstr(&out));
	} else {
		tell_table(r);
	}
	buf_release(&out);
	regions_close(r);
	return true;
}

static int run_geo(const struct args *a)
{
	const char *what = a->words ? a->word[0] : "";
	bool mmdb = args_given(a, "mmdb");
	struct err e;
	bool ok;

	if (!strcmp(what, "build") && (a->words > 1 || mmdb)) {
		ok = run_build(a, &e);
	} else if (!strcmp(what, "find") && a->words > 1 && !mmdb) {
		ok = run_find(a, &e);
	} else if (!strcmp(what, "show") && a->words == 1 && !mmdb) {
		ok = run_show(a, &e);
	} else {
		log_line("geo is followed by: build with files of the registries or --mmdb FILE, find ADDRESS..., or show");
		return EXIT_WRONG_USE;
	}
	return ok ? EXIT_DONE : asking_refused(a, &e);
}

static const struct option options[] = {
	{ "mmdb", "FILE", "build: an MMDB of countries or AS numbers; may be given again" },
	{ "source", "TEXT", "build: what the pages call the table's source (default: as the files say)" },
	{ "data", "DIR", "the observatory's folder (default ./teiten-data)" },
	{ "json", NULL, "find, show: print JSON" },
	{ NULL, NULL, NULL },
};

const struct command command_geo = {
	.name = "geo",
	.usage = "build [--mmdb FILE]... [FILE]... | find ADDRESS... | show",
	.summary = "make the table that maps source addresses to regions, or look into it",
	.options = { options },
	.run = run_geo,
};
