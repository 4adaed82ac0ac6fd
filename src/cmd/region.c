/* region: the regions that sources are registered in, ranked; or one of them over time. */
#include "cmd/asking.h"
#include "cmd/cmd.h"
#include "cmd/place.h"

#include "base/log.h"

enum { ROWS = 10 };

static int run_region(const struct args *a)
{
	struct question q;

	if (a->words > 1) {
		log_line("region takes at most one region (two letters)");
		return EXIT_WRONG_USE;
	}
	question_init(&q);
	if (a->words == 0) {
		q.each = EACH_REGION;
		q.step = STEP_ALL;
		q.top = ROWS;
	}
	return ask_and_print(a, &q, "region");
}

const struct command command_region = {
	.name = "region",
	.usage = "[OPTION]... [CC]",
	.summary = "rank the regions of registration of sources, or show one over time",
	.options = { asking_options, place_options },
	.run = run_region,
};
