/* port: one port (or ICMP type) over time. */
#include "cmd/asking.h"
#include "cmd/cmd.h"
#include "cmd/place.h"

#include "base/log.h"

static int run_port(const struct args *a)
{
	struct question q;

	if (a->words != 1) {
		log_line("port takes one port (1433/tcp, 53/udp, icmp/8)");
		return EXIT_WRONG_USE;
	}
	question_init(&q);
	return ask_and_print(a, &q, "port");
}

const struct command command_port = {
	.name = "port",
	.usage = "[OPTION]... PORT",
	.summary = "show one port over time, such as 1433/tcp or icmp/8",
	.options = { asking_options, place_options },
	.run = run_port,
};
