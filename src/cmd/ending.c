#include "cmd/ending.h"

#include <signal.h>

static volatile sig_atomic_t asked;

static void note(int signal_number)
{
	(void)signal_number;
	asked = 1;
}

void ending_catch(void)
{
	struct sigaction action = { .sa_handler = note };

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGHUP, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

bool ending(void)
{
	return asked != 0;
}
