/* dump: prints a file of ours as text: a batch, a table of regions. */
#include "cmd/cmd.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/zone.h"
#include "core/batch.h"
#include "core/calendar.h"
#include "spool/spool.h"
#include "store/regions.h"

#include <inttypes.h>

static void print_row(const struct tuple *t)
{
	char when[CALENDAR_TEXT_MAX], src[ADDR_TEXT_MAX], port[PORT_LABEL_MAX];

	printf("%s %-39s %-12s %-11s flags=%02x mark=%02x packets=%" PRIu32 " bytes=%" PRIu64 " sport=%u ttl=%u dsts=%u\n",
		calendar_rfc3339(&zone_utc, t->minute, when), addr_format(&t->src, src), port_label(t->proto, t->port, port),
		kind_name(t->kind), t->flags, t->mark, t->packets, t->bytes, t->sport, t->ttl, t->dsts);
}

static void print_batch(const struct batch *b)
{
	char from[CALENDAR_TEXT_MAX], until[CALENDAR_TEXT_MAX];

	printf("batch sensor=%s epoch=%016" PRIx64 " serial=%" PRIu64 " from=%s until=%s seen=%" PRIu64 " lost=%" PRIu64 "\n", b->sensor,
		b->epoch, b->serial, calendar_rfc3339(&zone_utc, b->span.from, from), calendar_rfc3339(&zone_utc, b->span.until, until), b->seen,
		b->lost);
	for (size_t i = 0; i < b->watched.len; i++)
		printf("watched from=%s until=%s seconds=%u\n", calendar_rfc3339(&zone_utc, b->watched.runs[i].from, from),
			calendar_rfc3339(&zone_utc, b->watched.runs[i].until, until), b->watched.runs[i].seconds);
	for (size_t i = 0; i < b->len; i++)
		print_row(&b->rows[i]);
}

static void print_regions(const struct regions *r)
{
	char from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];

	printf("regions id=%s ranges=%zu source=%s\n", regions_id(r), regions_len(r), regions_source(r));
	for (size_t i = 0; i < regions_len(r); i++) {
		struct range range = regions_at(r, i);

		printf("%s %s %s %" PRIu32 "\n", addr_format(&range.from, from), addr_format(&range.to, to), range.region,
			range.as_number);
	}
}

static bool dump(const char *path, struct err *e)
{
	struct buf bytes = buf_make(SPOOL_FILE_MAX);
	struct spool_taken taken = { 0 };
	struct err not_batch;
	bool ok = file_read(path, &bytes, e);

	if (ok && spool_decode(&bytes, &taken, &not_batch)) {
		for (size_t i = 0; i < taken.len; i++)
			print_batch(&taken.list[i]);
		spool_taken_release(&taken);
	} else if (ok && bytes.len >= 4 && !memcmp(bytes.at, "TTNB", 4)) {
		*e = not_batch;
		ok = err_in(e, "%s", path);
	} else if (ok) {
		struct regions *r = regions_open(path, e);

		ok = r != NULL;
		if (ok)
			print_regions(r);
		regions_close(r);
	}
	buf_release(&bytes);
	return ok;
}

static int run_dump(const struct args *a)
{
	struct err e;

	if (a->words == 0) {
		log_line("dump takes files: batches of a spool, a table of regions");
		return EXIT_WRONG_USE;
	}
	for (size_t i = 0; i < a->words; i++)
		if (!dump(a->word[i], &e)) {
			log_err(&e);
			return EXIT_REFUSED;
		}
	return EXIT_DONE;
}

const struct command command_dump = {
	.name = "dump",
	.usage = "FILE...",
	.summary = "print a file of ours as text: a batch, a table of regions",
	.run = run_dump,
};
