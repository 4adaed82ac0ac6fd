/* check: rebuilds every roll-up from the rows and compares. */
#include "cmd/cmd.h"
#include "cmd/place.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"

static int run_check(const struct args *a)
{
	struct buf report = buf_make(1 << 20);
	uint64_t differences = 0;
	struct place place;
	struct err e;

	bool ok = place_open(&place, a, false, &e);
	if (ok) {
		ok = store_check(place.store, &differences, &report, &e);
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
