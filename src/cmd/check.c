/* check: rebuilds every roll-up from the rows and compares. */
#include "cmd/cmd.h"
#include "cmd/place.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "base/num.h"

static int run_check(const struct args *a)
{
	struct buf report = buf_make(1 << 20);
	uint64_t differences = 0;
	char late[NUM_TEXT_MAX];
	struct place place;
	struct facts facts;
	struct err e;

	bool ok = place_open(&place, a, false, &e);
	if (ok) {
		ok = store_check(place.store, &differences, &report, &e) && store_facts(place.store, &facts, &e);
		if (ok && facts.late)
			buf_printf(&report, "%-16s %s packets came after their day was final: they are in no robust value\n", "late", num_grouped(facts.late, late));
		if (ok)
			facts_release(&facts);
		place_close(&place);
	}
	if (ok)
		(void)fputs(buf_cstr(&report), stdout);
	else
		log_err(&e);
	if (differences)
		log_line("%llu rows of the roll-ups are not what the rows say", (unsigned long long)differences);
	buf_release(&report);
	return ok && differences == 0 ? EXIT_DONE : EXIT_REFUSED;
}

const struct command command_check = {
	.name = "check",
	.usage = "[OPTION]...",
	.summary = "rebuild every roll-up from the stored rows and compare",
	.options = { place_options },
	.run = run_check,
	.wordless = true,
};
