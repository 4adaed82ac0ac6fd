/* source: what one source address (or prefix) reached for. */
#include "cmd/asking.h"
#include "cmd/cmd.h"
#include "cmd/place.h"

#include "base/log.h"

enum { ROWS = 20 };

static int run_source(const struct args *a)
{
	struct question q;

	if (a->words != 1) {
		log_line("source takes one address or prefix (192.0.2.7, 192.0.2.0/24, 2001:db8::/48)");
		return EXIT_WRONG_USE;
	}
	question_init(&q);
	q.each = EACH_PORT;
	q.step = STEP_ALL;
	q.top = ROWS;
	return ask_and_print(a, &q, "source");
}

const struct command command_source = {
	.name = "source",
	.usage = "[OPTION]... PREFIX",
	.summary = "show which ports a source address or prefix reached for",
	.options = { asking_options, place_options },
	.run = run_source,
};
