/* simulate: fills a store with what a scenario's sensors would have seen. Running it again changes nothing: every batch
 * has a name that comes from scenario, seed and day. */
#include "cmd/asking.h"
#include "cmd/cmd.h"
#include "cmd/place.h"
#include "cmd/simulate_pcap.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "simulate/scenario.h"
#include "simulate/traffic.h"
#include "store/regions.h"

#include <inttypes.h>

enum { GROUP_ROWS = 40000, GROUP_DAYS_MAX = 30 };

struct tale { uint64_t rows, packets, fresh; };

/* The store is made in the scenario's zone, as if --zone had said so. */
static bool open_in_zone(struct place *place, const struct args *a, const struct scenario *s, struct err *e)
{
	struct args with = *a;

	if (with.len == ARGS_MAX)
		return err_set(e, "too many arguments (at most %d)", ARGS_MAX - 1);
	with.list[with.len].name = "zone";
	with.list[with.len++].value = s->zone.name;
	return place_open(place, &with, true, e);
}

static bool enter_sensors(struct place *place, const struct scenario *s, struct err *e)
{
	for (size_t i = 0; i < s->sensors_len; i++) {
		const struct post *p = &s->sensors[i];
		struct sensor one = { .addresses = p->addresses };

		memcpy(one.name, p->name, sizeof one.name);
		memcpy(one.group, p->group, sizeof one.group);
		memcpy(one.region, p->region, sizeof one.region);
		if (!store_sensor(place->store, &one, e))
			return false;
	}
	return true;
}

/* Puts the batches in one transaction and empties them. */
static bool put_group(struct place *place, struct batch *list, size_t n, struct tale *tale, struct err *e)
{
	const struct batch **borrowed = mem_zero(n, sizeof *borrowed);
	enum stored *each = mem_zero(n, sizeof *each);

	for (size_t i = 0; i < n; i++)
		borrowed[i] = &list[i];
	bool ok = n == 0 || place_put(place, borrowed, n, each, e);
	for (size_t i = 0; i < n; i++) {
		tale->rows += list[i].len;
		tale->packets += list[i].seen;
		tale->fresh += each[i] == STORED_NOW;
		batch_release(&list[i]);
	}
	free(borrowed);
	free(each);
	return ok;
}

static bool put_days(struct place *place, const struct traffic *t, size_t sensors, struct tale *tale, struct err *e)
{
	struct batch *list = mem_zero(sensors * GROUP_DAYS_MAX, sizeof *list);
	struct progress *progress = progress_start("simulating", traffic_days(t), "days");
	bool ok = true;

	for (unsigned day = 0; ok && day < traffic_days(t); ) {
		size_t n = 0, rows = 0;

		for (unsigned days = 0; day < traffic_days(t) && days < GROUP_DAYS_MAX && rows < GROUP_ROWS; days++) {
			size_t made = traffic_day(t, day++, list + n);

			for (; made > 0; made--)
				rows += list[n++].len;
		}
		ok = put_group(place, list, n, tale, e);
		progress_at(progress, day);
	}
	progress_end(progress);
	free(list);
	return ok;
}

static void tell(const struct tale *tale, uint64_t started_us)
{
	char rows[NUM_TEXT_MAX], packets[NUM_TEXT_MAX], fresh[NUM_TEXT_MAX];

	log_line("simulate: %s batches, %s rows, %s packets in %.1f s", num_grouped(tale->fresh, fresh),
		num_grouped(tale->rows, rows), num_grouped(tale->packets, packets), (double)(clock_steady_us() - started_us) / 1e6);
}

static void tell_regions(const struct regions *r)
{
	if (regions_len(r))
		log_line("simulate: sources come from the ranges of table %s (%s), whatever the year that is told of",
			regions_id(r), regions_source(r));
	else
		log_line("simulate: no table of regions (`teiten geo build`): sources come from anywhere, region ZZ");
}

/* A place that goes through a keep has no table loaded; the keep maps what is put with the same file. */
static bool load_table(const struct place *place, struct regions **own, struct err *e)
{
	char path[PATH_TEXT_MAX];

	if (place->regions || place->dir[0] == '\0')
		return true;
	if (!file_path(path, place->dir, "regions.table", e))
		return false;
	*own = regions_open(path, e);
	return *own != NULL;
}

static bool simulate(struct place *place, const struct scenario *s, uint64_t seed, struct err *e)
{
	uint64_t started_us = clock_steady_us(), known = 0;
	struct regions *own = NULL;
	struct traffic *t = NULL;
	struct tale tale = { 0 };
	bool ok = load_table(place, &own, e);
	const struct regions *r = own ? own : place->regions;

	if (ok) {
		t = traffic_open(s, seed, r);
		ok = store_epoch(place->store, traffic_epoch(t), &known, e);
	}
	if (ok && known >= traffic_batches(t)) {
		log_line("simulate: all %" PRIu64 " batches of this scenario and seed are there already", known);
	} else if (ok) {
		tell_regions(r);
		ok = enter_sensors(place, s, e) && put_days(place, t, s->sensors_len, &tale, e);
		if (ok)
			tell(&tale, started_us);
	}
	traffic_close(t);
	regions_close(own);
	return ok;
}

static int run_simulate(const struct args *a)
{
	const char *seed_text = args_value(a, "seed");
	struct scenario s = { 0 };
	struct place place;
	uint64_t seed = 0;
	struct err e;

	if (args_given(a, "pcap"))
		return simulate_pcap(a);
	if (a->words != 1 || !seed_text || !num_whole(seed_text, 0, UINT64_MAX, &seed)) {
		log_line("simulate takes one scenario file and --seed N, a whole number");
		return EXIT_WRONG_USE;
	}
	bool ok = scenario_read(&s, a->word[0], &e) && open_in_zone(&place, a, &s, &e);
	if (ok) {
		ok = simulate(&place, &s, seed, &e);
		place_close(&place);
	}
	scenario_release(&s);
	return ok ? EXIT_DONE : asking_refused(a, &e);
}

static const struct option options[] = {
	{ "seed", "N", "which of the many: the same scenario and seed give the same packets" },
	{ "pcap", "FILE", "without a scenario: write a telescope's capture, and the truth about it as FILE.truth.json" },
	{ "packets", "N", "of the capture (default 1000000)" },
	{ "sources", "N", "that may speak in it (default a tenth of the packets)" },
	{ "watched", "CIDR", "IPv4 network that they reach for (default 198.18.0.0/16)" },
	{ "length", "SECONDS", "that it lasts (default 3600)" },
	{ "odd", "SHARE", "of damaged frames, 0 to 1 (default 0)" },
	{ NULL, NULL, NULL },
};

const struct command command_simulate = {
	.name = "simulate",
	.usage = "SCENARIO --seed N [OPTION]... | --pcap FILE --seed N [OPTION]...",
	.summary = "fill a store with the invented traffic of a scenario, or write a capture",
	.options = { options, place_options },
	.run = run_simulate,
};
