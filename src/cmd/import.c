/* import: files from elsewhere become batches: captures, firewall logs, CSV. Reading them is capture's affair, what became
 * of each is told by imported. A file is read twice: its bytes, and the options that its rows heed, name the epoch, which
 * every batch carries, so a file that comes again (also compressed differently) counts once. */
#include "cmd/cmd.h"
#include "cmd/imported.h"
#include "cmd/place.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/compress.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "capture/intake.h"
#include "capture/source.h"
#include "capture/tally.h"
#include "core/calendar.h"
#include "link/epochs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GROUP_BATCHES = 64, GROUP_ROWS = 100000, CHUNK = 1 << 17, TELL_EVERY = 4096, BURST = 64, REPORT_MAX = 64 << 20 };
enum { CLOCK_SLACK_S = 86400 /* a sensor's clock may be ahead of ours so far */ };

struct import {
	const struct args *args;
	struct reading how;
	struct csv_map map;
	struct zone timezone;                   /* of times without a zone */
	struct zone zone;                       /* of the report: the store's */
	struct place place;
	bool open, dry, json;                   /* open: place is */
};

/* One file on its way in. */
struct work {
	struct import *im;
	struct imported *f;
	int fd;
	off_t start;                            /* where its bytes begin */
	uint64_t plain;                         /* its length, decompressed */
	struct digest digest;
	struct intake *in;
	struct source *source;
	struct tally *tally;
	struct progress *progress;
	bool wrong_use, named;                  /* named: its epoch stands */
};

/* What comes through a pipe is written down first: it is read twice. The file has no name and goes with its descriptor. */
static int copy_fd(int from, struct err *e)
{
	const char *dirs[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };
	char *room = mem_zero(CHUNK, 1), path[PATH_TEXT_MAX];
	int to = -1;
	ssize_t n;

	for (size_t i = 0; i < sizeof dirs / sizeof *dirs && to < 0; i++) {
		if (!dirs[i] || snprintf(path, sizeof path, "%s/teiten-import-XXXXXX", dirs[i]) >= (int)sizeof path)
			continue;
		to = mkostemp(path, O_CLOEXEC);
		if (to >= 0)
			(void)unlink(path);
	}
	if (to < 0) {
		err_errno(e, "no folder for a temporary file");
		goto out;
	}
	while ((n = read(from, room, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || write(to, room, (size_t)n) != n) {
			err_errno(e, n < 0 ? "cannot read" : "cannot write a temporary copy");
			(void)close(to);
			to = -1;
			break;
		}
	}
out:
	free(room);
	return to;
}

/* Opens the file so that it can be read twice. */
static bool open_file(struct work *w, struct err *e)
{
	struct stat st;
	int fd = !strcmp(w->f->path, "-") ? dup(STDIN_FILENO) : open(w->f->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0) {
		err_errno(e, "cannot open");
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		w->fd = copy_fd(fd, e);
		(void)close(fd);
		return w->fd >= 0 && fstat(w->fd, &st) == 0;
	}
	w->fd = fd;
	w->start = !strcmp(w->f->path, "-") ? lseek(fd, 0, SEEK_CUR) : 0;
	return true;
}

static unsigned long long file_bytes(const struct work *w)
{
	struct stat st;

	return fstat(w->fd, &st) == 0 && st.st_size > w->start ? (unsigned long long)(st.st_size - w->start) : 0;
}

/* The first reading: length and digest of the plain bytes. A stream that breaks off has those that it gave. */
static bool digest_bytes(struct work *w, struct err *e)
{
	uint8_t *room = mem_zero(CHUNK, 1);
	struct inflow *flow = NULL;
	struct err broken;
	bool ok = lseek(w->fd, w->start, SEEK_SET) == w->start || err_errno(e, "cannot read from the start");
	bool more = ok && (flow = inflow_open(w->fd, e)) != NULL;
	size_t got;

	ok = more;
	digest_begin(&w->digest);
	while (more) {
		more = inflow_read(flow, room, CHUNK, &got, &broken) && got > 0;
		digest_add(&w->digest, room, got);
		w->plain += got;
		progress_at(w->progress, inflow_taken(flow));
	}
	inflow_close(flow);
	free(room);
	return ok;
}

static bool open_source(struct work *w, struct err *e)
{
	if (lseek(w->fd, w->start, SEEK_SET) != w->start)
		return err_errno(e, "cannot read from the start");
	if (!(w->in = intake_open(w->fd, w->plain, e)))
		return false;
	w->f->compression = intake_compression(w->in);
	w->source = source_open(w->in, &w->im->how, &w->wrong_use, e);
	if (!w->source)
		return false;
	w->f->format = source_format_name(w->source);
	w->f->row_name = source_row_name(w->source);
	w->f->names_sensors = source_names_sensors(w->source);
	return true;
}

/* The epoch stands when the first batch does: by then the rows have shown which options they heed. */
static bool name_epoch(struct work *w, struct err *e)
{
	uint8_t digest[DIGEST_BYTES];

	if (w->named)
		return true;
	w->named = true;
	source_digest(w->source, &w->digest);
	digest_end(&w->digest, digest);
	w->f->epoch = epoch_without_mark(digest_u64(digest));
	return w->im->dry || store_epoch(w->im->place.store, w->f->epoch, &w->f->known, e);
}

/* Times are told in the store's zone. */
static bool take_zone(struct import *im, struct place *p, struct err *e)
{
	struct facts facts;

	if (!store_facts(p->store, &facts, e))
		return false;
	zone_release(&im->zone);
	im->zone = facts.zone;
	facts.zone = (struct zone){ 0 };
	facts_release(&facts);
	return true;
}

/* The store is opened when there is something to put, so that a refused file makes none. */
static bool open_store(struct import *im, struct err *e)
{
	if (im->dry || im->open)
		return true;
	if (!place_open(&im->place, im->args, true, e))
		return false;
	im->open = true;
	return take_zone(im, &im->place, e);
}

/* Batches go in groups: one transaction each, as large as the store likes them. Takes the list over. */
static bool put(struct work *w, struct batch *list, size_t len, struct err *e)
{
	const struct batch *group[GROUP_BATCHES];
	enum stored each[GROUP_BATCHES];
	bool ok = true;

	for (size_t i = 0, n = 0, rows = 0; ok && i < len; i++) {
		group[n++] = &list[i];
		rows += list[i].len;
		w->f->batches++;
		w->f->tuples += list[i].len;
		if (n < GROUP_BATCHES && rows < GROUP_ROWS && i + 1 < len)
			continue;
		ok = w->im->dry || place_put(&w->im->place, group, n, each, e);
		n = rows = 0;
	}
	batches_free(list, len);
	return ok;
}

static bool add(struct work *w, int sensor, const struct packet *list, size_t n, struct err *e)
{
	for (size_t done = 0, len; (done += tally_add(w->tally, sensor, list + done, n - done)) < n; ) {
		if (!name_epoch(w, e))
			return false;
		struct batch *cut = tally_cut(w->tally, w->f->epoch, &len);
		if (!put(w, cut, len, e))
			return false;
	}
	return true;
}

static bool take_row(struct work *w, const struct row_read *row, struct err *e)
{
	int sensor = row->refusal ? -1 : tally_sensor(w->tally, row->sensor);

	if (row->refusal || sensor < 0) {
		account_refuse(&w->f->account, row->refusal ? row->refusal : REFUSAL_SENSORS, row->line);
		return true;
	}
	account_count(&w->f->account, &row->packet);
	return add(w, sensor, &row->packet, 1, e);
}

/* The second reading of a capture, all of one sensor. */
static bool take_packets(struct work *w, struct err *e)
{
	int sensor = tally_sensor(w->tally, w->im->how.sensor);
	struct packet list[BURST];
	enum source_next next = SOURCE_ROW;
	uint64_t before = file_bytes(w);
	size_t n;

	for (uint64_t bursts = 1; next == SOURCE_ROW; bursts++) {
		next = source_packets(w->source, list, BURST, &n, &w->f->account, &w->f->why);
		if (!add(w, sensor, list, n, e))
			return false;
		if (bursts % TELL_EVERY == 0)
			progress_at(w->progress, before + intake_taken(w->in));
	}
	w->f->broke_off = next == SOURCE_BROKEN;
	return true;
}

/* The second reading. False: the store failed. A file that breaks off is noted, and what came before is kept. */
static bool take_rows(struct work *w, struct err *e)
{
	uint64_t taken_before = file_bytes(w);
	struct row_read row;
	enum source_next next;

	for (uint64_t n = 1; (next = source_next(w->source, &row, &w->f->why)) == SOURCE_ROW; n++) {
		if (!take_row(w, &row, e))
			return false;
		if (n % TELL_EVERY == 0)
			progress_at(w->progress, taken_before + intake_taken(w->in));
	}
	w->f->broke_off = next == SOURCE_BROKEN;
	return true;
}

/* The reason of most of the refusals; where two have as many, the first in the list. */
static enum refusal most_refused(const struct account *a)
{
	unsigned most = REFUSAL_NONE;

	for (unsigned r = 0; r < REFUSALS; r++)
		if (a->refused[r] > a->refused[most])
			most = r;
	return (enum refusal)most;
}

/* What makes a file that could be opened worth nothing all the same. */
static bool worthless(const struct work *w, struct err *e)
{
	const struct account *a = &w->f->account;
	enum refusal why = most_refused(a);

	if (w->f->broke_off && a->read == 0) {
		*e = w->f->why;
		return true;
	}
	if (a->counted > 0 || a->read == 0)
		return false;
	if (why == REFUSAL_LINK) {
		source_link_refused(w->source, e);
		return true;
	}
	if (source_format(w->source) == FORMAT_PCAP && why != REFUSAL_TIME_RANGE && why != REFUSAL_NO_TIME)
		return false;           /* nothing but ARP, or nothing for us: a capture all the same */
	err_set(e, "not one of %" PRIu64 " %s could be counted", a->read, w->f->row_name);
	err_expected(e, "%" PRIu64 ", from line %" PRIu64 " on: %s", a->refused[why], a->first[why], refusal_text(why));
	return true;
}

static bool finish(struct work *w, struct err *e)
{
	struct imported *f = w->f;
	size_t len;

	f->looked = f->looked_given ? w->im->how.looked : f->account.span;
	if (!name_epoch(w, e))
		return false;
	struct batch *list = tally_end(w->tally, f->epoch, f->looked, &len);
	return put(w, list, len, e);
}

/* All of one file. False: refused, or the store failed; e says why. */
static bool run_file(struct work *w, struct err *e)
{
	if (!open_file(w, e))
		return false;
	w->progress = progress_start(w->f->path, 2 * file_bytes(w), "bytes");
	if (!digest_bytes(w, e) || !open_source(w, e) || !open_store(w->im, e))
		return false;
	w->tally = tally_open(TALLY_ROWS_MAX);
	w->f->tally = w->tally;
	if (!w->f->names_sensors)
		(void)tally_sensor(w->tally, w->im->how.sensor);
	bool taken = source_format(w->source) == FORMAT_PCAP ? take_packets(w, e) : take_rows(w, e);
	return taken && !worthless(w, e) && finish(w, e);
}

static void tell(struct import *im, const struct imported *f, struct json *j)
{
	struct buf out = buf_make(REPORT_MAX);

	if (im->json) {
		imported_json(f, &im->zone, j);
	} else {
		imported_text(f, &im->zone, &out);
		(void)fputs(buf_cstr(&out), stdout);
		(void)fflush(stdout);
	}
	if (f->refused)
		log_err(&f->why);
	if (f->broke_off) {
		log_err(&f->why);
		log_line("%s: kept what came before: %" PRIu64 " %s counted", f->path, f->account.counted, f->row_name);
	}
	buf_release(&out);
}

static int import_file(struct import *im, const char *path, struct json *j)
{
	struct imported f = { .path = path, .looked_given = !span_empty(im->how.looked),
		.watched_given = im->how.watched_len > 0, .dry = im->dry };
	struct work w = { .im = im, .f = &f, .fd = -1 };
	struct err e;
	int status = EXIT_DONE;

	account_init(&f.account);
	if (!run_file(&w, &e)) {
		f.refused = true;
		f.broke_off = false;
		f.why = e;
		status = w.wrong_use ? EXIT_WRONG_USE : EXIT_REFUSED;
	}
	if (f.broke_off)
		status = EXIT_REFUSED;
	if (f.refused || f.broke_off)
		err_in(&f.why, "%s", path);
	if (w.progress)
		progress_end(w.progress);
	tell(im, &f, j);
	tally_close(w.tally);
	source_close(w.source);
	intake_close(w.in);
	if (w.fd >= 0)
		(void)close(w.fd);
	account_release(&f.account);
	return status;
}

static bool read_looked(struct import *im, const char *text, struct err *e)
{
	const char *comma = strchr(text, ',');
	char from[CALENDAR_TEXT_MAX * 2];

	if (!comma || (size_t)(comma - text) >= sizeof from) {
		err_set(e, "--looked: not two times: \"%.60s\"", text);
		return err_expected(e, "FROM,UNTIL such as 2006-05-15,2006-05-16T12:00");
	}
	memcpy(from, text, (size_t)(comma - text));
	from[comma - text] = '\0';
	if (!calendar_parse(&im->timezone, from, &im->how.looked.from, e) ||
		!calendar_parse(&im->timezone, comma + 1, &im->how.looked.until, e))
		return err_in(e, "--looked");
	if ((int64_t)im->how.looked.until * 60 > im->how.latest_s)
		return err_set(e, "--looked ends in the future");
	return !span_empty(im->how.looked) || err_set(e, "--looked ends before it begins");
}

static bool read_sensor(struct import *im, const char *name, struct err *e)
{
	if (!sensor_name_check(name, e))
		return err_in(e, "--sensor");
	memcpy(im->how.sensor, name, strlen(name) + 1);
	return true;
}

static bool read_numbers(struct import *im, const struct args *a, struct err *e)
{
	const char *year = args_value(a, "year"), *proto = args_value(a, "proto"), *format = args_value(a, "format");
	uint64_t v;

	if (year && !num_whole(year, 1970, 2099, &v)) {
		err_set(e, "--year: not a year: \"%.20s\"", year);
		return err_expected(e, "1970 to 2099");
	}
	im->how.year = year ? (int)v : 0;
	if (proto && !proto_parse(proto, &im->how.proto)) {
		err_set(e, "--proto: not a protocol: \"%.20s\"", proto);
		return err_expected(e, "tcp, udp, icmp or icmpv6");
	}
	if (format && !format_parse(format, &im->how.format)) {
		err_set(e, "--format: not a format: \"%.20s\"", format);
		return err_expected(e, "pcap, log or csv");
	}
	return true;
}

static bool read_options(struct import *im, const struct args *a, struct err *e)
{
	const char *map = args_value(a, "map"), *sensor = args_value(a, "sensor"), *watched = args_value(a, "watched");
	const char *looked = args_value(a, "looked"), *stamps = args_value(a, "timezone"), *zone = args_value(a, "zone");

	im->how.latest_s = clock_wall_s() + CLOCK_SLACK_S;
	im->dry = args_given(a, "dry-run");
	im->json = args_given(a, "json");
	if (!zone_load(&im->timezone, stamps ? stamps : "UTC", e) || !zone_load(&im->zone, zone ? zone : "UTC", e))
		return false;
	im->how.zone = &im->timezone;
	if (map && !csv_map_parse(&im->map, map, e))
		return false;
	im->how.map = map ? &im->map : NULL;
	return (!sensor || read_sensor(im, sensor, e)) && (!watched || reading_watch(&im->how, watched, e) || err_in(e, "--watched")) &&
		(!looked || read_looked(im, looked, e)) && read_numbers(im, a, e);
}

/* A dry run stores nothing, but looks at a store that is there. */
static void look_up_zone(struct import *im)
{
	struct place place;
	struct err e;

	if (!place_open(&place, im->args, false, &e))
		return;
	(void)take_zone(im, &place, &e);
	place_close(&place);
}

static int import_files(struct import *im, const struct args *a)
{
	struct buf out = buf_make(REPORT_MAX);
	struct json j = json_to(&out);
	int status = EXIT_DONE;

	json_object(&j, NULL);
	json_array(&j, "files");
	for (size_t i = 0; i < a->words; i++) {
		int one = import_file(im, a->word[i], &j);

		status = one > status ? one : status;
	}
	json_end_array(&j);
	json_string(&j, "zone", im->zone.name);
	json_bool(&j, "dry_run", im->dry);
	json_end_object(&j);
	buf_str(&out, "\n");
	if (im->json)
		(void)fwrite(out.at, 1, out.len, stdout);
	buf_release(&out);
	return status;
}

static int run_import(const struct args *a)
{
	static struct import im;        /* the watched networks make it large */
	struct err e;
	int status = EXIT_WRONG_USE;

	im = (struct import){ .args = a };
	if (a->words == 0)
		log_line("import: no file named (FILE..., or - for standard input)");
	else if (!read_options(&im, a, &e))
		log_err(&e);
	else {
		if (im.dry)
			look_up_zone(&im);
		status = import_files(&im, a);
	}
	if (im.open)
		place_close(&im.place);
	zone_release(&im.timezone);
	zone_release(&im.zone);
	return status;
}

static const struct option options[] = {
	{ "format", "NAME", "pcap, log or csv (default: told by the file's first bytes)" },
	{ "sensor", "NAME", "the sensor, where the rows do not say" },
	{ "watched", "CIDR,...", "count only what is sent to these addresses (default: every direction)" },
	{ "looked", "FROM,UNTIL", "when every sensor was looking (default: from the file's first to its last minute)" },
	{ "year", "YEAR", "of log lines without one: that of the first line" },
	{ "timezone", "ZONE", "of times without one (default UTC)" },
	{ "map", "FIELD=COLUMN,...", "CSV: which columns hold time sensor src dst proto dport sport type code flags packets ..." },
	{ "proto", "PROTO", "CSV: the protocol, where the rows do not say" },
	{ "dry-run", NULL, "read and report, store nothing" },
	{ "json", NULL, "report as JSON" },
	{ NULL, NULL, NULL },
};

const struct command command_import = {
	.name = "import",
	.usage = "[OPTION]... FILE...",
	.summary = "count captures, firewall logs and CSV files into the store",
	.options = { options, place_making_options },
	.run = run_import,
};
