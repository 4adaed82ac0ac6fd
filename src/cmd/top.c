/* top: the busiest destination ports of a span, ICMP types beside them. */
#include "cmd/asking.h"
#include "cmd/cmd.h"
#include "cmd/place.h"

#include "base/log.h"

enum { ROWS = 10 };

static int run_top(const struct args *a)
{
	struct question q;

	question_init(&q);
	q.each = EACH_PORT;
	q.step = STEP_ALL;
	q.top = ROWS;
	return ask_and_print(a, &q, NULL);
}

const struct command command_top = {
	.name = "top",
	.usage = "[OPTION]...",
	.summary = "rank destination ports by packets per observed address and day",
	.options = { asking_options, place_options },
	.run = run_top,
	.wordless = true,
};
