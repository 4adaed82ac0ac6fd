#include "cmd/simulate_pcap.h"

#include "cmd/asking.h"
#include "cmd/cmd.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "simulate/telescope.h"

#include <inttypes.h>

enum { BLOCK = 1 << 20, TRUTH_MAX = 64 << 20, WATCHED_BITS_MIN = 4 };

static bool read_plan(const struct args *a, struct telescope_plan *p, struct err *e)
{
	const char *watched = args_value(a, "watched"), *odd = args_value(a, "odd");
	uint64_t sources = 0, length = 3600;
	char *end;

	if (!strcmp(args_value(a, "pcap"), "-") || (file_exists(args_value(a, "pcap")) && !file_regular(args_value(a, "pcap")))) {
		err_asked(e, "--pcap needs a file's name: the truth goes beside it");
		return false;
	}
	*p = (struct telescope_plan){ .packets = 1000000, .from_s = 1136041200 /* 2006-01-01 in Japan */ };
	if (a->words || !args_given(a, "seed")) {
		err_asked(e, "simulate --pcap takes no scenario, and needs --seed N");
		return false;
	}
	if (!args_whole("seed", args_value(a, "seed"), 0, UINT64_MAX, &p->seed, e) ||
		!args_whole("packets", args_value(a, "packets"), 1, 1ull << 40, &p->packets, e) ||
		!args_whole("sources", args_value(a, "sources"), 1, TELESCOPE_SOURCES_MAX, &sources, e) ||
		!args_whole("length", args_value(a, "length"), 1, 366 * 86400, &length, e))
		return false;
	if (!sources)
		sources = p->packets / 10 + 1 < TELESCOPE_SOURCES_MAX ? p->packets / 10 + 1 : TELESCOPE_SOURCES_MAX;
	p->sources = (uint32_t)sources;
	p->length_s = (uint32_t)length;
	if (!prefix_parse(watched ? watched : "198.18.0.0/16", &p->watched) || !addr_is_v4(&p->watched.addr) ||
		!prefix_parse("2001:db8:8000::/48", &p->watched6)) {
		err_asked(e, "--watched: not an IPv4 network: \"%.50s\"", watched);
		return err_expected(e, "such as 198.18.0.0/16");
	}
	if (p->watched.bits < 96 + WATCHED_BITS_MIN) {
		err_asked(e, "--watched: %.50s leaves no room for others", watched);
		return err_expected(e, "a /%d or smaller", WATCHED_BITS_MIN);
	}
	p->odd = odd ? strtod(odd, &end) : 0;
	if (odd && (*end || !*odd || !(p->odd >= 0 && p->odd <= 1))) {
		err_asked(e, "--odd: not a share: \"%.20s\"", odd);
		return err_expected(e, "0 to 1");
	}
	return true;
}

static bool write_frames(struct telescope *t, const char *path, uint64_t packets, struct err *e)
{
	FILE *f = fopen(path, "wbe");
	struct buf out = buf_make(BLOCK + 2 * TELESCOPE_FRAME_MAX);
	bool more = true, ok = true;

	if (!f)
		return err_errno(e, "cannot write %s", path);
	struct progress *progress = progress_start(path, packets, "packets");
	telescope_head(&out);
	while (ok && more) {
		while (out.len < BLOCK && (more = telescope_next(t, &out)))
			;
		ok = fwrite(out.at, 1, out.len, f) == out.len;
		buf_clear(&out);
		progress_at(progress, telescope_truth(t)->packets);
	}
	ok = ok && fflush(f) == 0;
	if (!ok)
		err_errno(e, "cannot write %s", path);
	(void)fclose(f);
	progress_end(progress);
	buf_release(&out);
	return ok;
}

static bool write_truth(const struct telescope *t, const char *path, struct err *e)
{
	struct buf out = buf_make(TRUTH_MAX);
	struct json j = json_to(&out);
	char name[PATH_TEXT_MAX];
	int n = snprintf(name, sizeof name, "%s.truth.json", path);
	bool ok = n > 0 && n < PATH_TEXT_MAX ? true : err_set(e, "path too long: %.100s...", path);

	telescope_json(t, &j);
	buf_str(&out, "\n");
	ok = ok && file_write(name, out.at, out.len, e);
	buf_release(&out);
	return ok;
}

int simulate_pcap(const struct args *a)
{
	const char *path = args_value(a, "pcap");
	struct telescope_plan plan;
	struct err e;

	if (!read_plan(a, &plan, &e))
		return asking_refused(a, &e);
	struct telescope *t = telescope_open(&plan);
	bool ok = write_frames(t, path, plan.packets, &e) && write_truth(t, path, &e);
	if (ok)
		log_line("simulate: %" PRIu64 " packets of %" PRIu64 " sources in %s", telescope_truth(t)->packets,
			telescope_truth(t)->sources, path);
	telescope_close(t);
	return ok ? EXIT_DONE : asking_refused(a, &e);
}
