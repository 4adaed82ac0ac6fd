#include "cmd/asking.h"

#include "cmd/cmd.h"
#include "cmd/place.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "publish/answer_csv.h"
#include "publish/answer_json.h"
#include "publish/answer_text.h"

#include <strings.h>
#include <unistd.h>

enum { OUTPUT_MAX = 512 << 20 };

const struct option asking_options[] = {
	{ "last", "LENGTH", "the last 3mo, 1y, 90d, 2w, 24h of the store's whole days (default 3mo)" },
	{ "from", "TIME", "from this date in the store's zone, or time with zone (2005-06-26)" },
	{ "until", "TIME", "up to, not with, this date or time" },
	{ "step", "STEP", "minute, hour, day, week, month, quarter: values over time; all: one for the span" },
	{ "each", "WHAT", "one series per nothing, port, sensor, region, source, network, kind, mark, proto, scanner" },
	{ "top", "N", "how many of them, the largest first; all" },
	{ "across", "HOW", "over sensors: robust (default: no odd sensor bends it), mean, sum, median" },
	{ "per", "UNIT", "per observed address (default) or per sensor" },
	{ "proto", "PROTO", "only tcp, udp, icmp or icmpv6" },
	{ "port", "PORT", "only one port: 1433/tcp, 53/udp, icmp/8" },
	{ "kind", "KINDS", "only scan, backscatter, error, other, or all of them (default: what reached for something)" },
	{ "mark", "MARKS", "only packets with a tool's mark: zmap, masscan, mirai, nmap, unicornscan, all" },
	{ "without", "LIST", "leave out packets of these kinds or with these marks: mirai,backscatter" },
	{ "sensor", "NAME", "only what this sensor saw" },
	{ "region", "CC", "only sources registered in this region (two letters)" },
	{ "source", "PREFIX", "only this source address or prefix" },
	{ "scanners", "WHICH", "without: free from known scanners; only: only these; or an organisation of their list" },
	{ "json", NULL, "print JSON" },
	{ "csv", NULL, "print CSV" },
	{ NULL, NULL, NULL },
};

int asking_refused(const struct args *a, const struct err *e)
{
	struct buf out = buf_make(4096);

	if (args_given(a, "json")) {
		error_json(e, &out);
		(void)fputs(buf_cstr(&out), stdout);
	} else {
		log_err(e);
	}
	buf_release(&out);
	return e->kind == ERR_ASKED ? EXIT_WRONG_USE : EXIT_REFUSED;
}

static bool is_utf8(void)
{
	const char *names[] = { getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG") };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i] && names[i][0])
			return strcasestr(names[i], "utf-8") != NULL || strcasestr(names[i], "utf8") != NULL;
	return false;
}

static int print(const struct args *a, const struct answer *answer, const struct zone *z)
{
	struct buf out = buf_make(OUTPUT_MAX);
	bool table = answer->question.step == STEP_ALL;
	enum bars bars = isatty(STDOUT_FILENO) && is_utf8() ? BARS_UTF8 : BARS_ASCII;

	if (args_given(a, "json"))
		(table ? answer_top_json : answer_series_json)(answer, z, &out);
	else if (args_given(a, "csv"))
		(table ? answer_top_csv : answer_series_csv)(answer, z, &out);
	else
		(table ? answer_top_text : answer_series_text)(answer, z, bars, &out);
	bool ok = out.ok && fwrite(out.at, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
	if (!ok)
		log_line("cannot write the answer");
	buf_release(&out);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}

int ask_and_print(const struct args *a, struct question *q, const char *word_key)
{
	struct place place;
	struct answer answer;
	struct facts facts;
	struct err e;
	int status;

	if (word_key && a->words && !question_set(q, word_key, a->word[0], &e))
		return asking_refused(a, &e);
	for (size_t i = 0; i < a->len; i++)
		if (question_knows(a->list[i].name) && !question_set(q, a->list[i].name, a->list[i].value, &e))
			return asking_refused(a, &e);
	if (args_given(a, "json") && args_given(a, "csv")) {
		err_asked(&e, "--json and --csv exclude each other");
		return asking_refused(a, &e);
	}
	if (!place_open(&place, a, false, &e))
		return asking_refused(a, &e);
	if (!store_facts(place.store, &facts, &e)) {
		status = asking_refused(a, &e);
	} else {
		if ((q->across != ACROSS_ROBUST || store_settle(place.store, (minute_t)(clock_wall_s() / 60), &e)) && store_ask(place.store, q, &answer, &e)) {
			status = print(a, &answer, &facts.zone);
			answer_release(&answer);
		} else {
			(void)asking_refused(a, &e);
			status = EXIT_REFUSED;          /* the words were right; it depends on what the store holds */
		}
		facts_release(&facts);
	}
	place_close(&place);
	return status;
}
