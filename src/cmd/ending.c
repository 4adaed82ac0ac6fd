#include "cmd/ending.h"

#include <signal.h>
#include <stdatomic.h>

static atomic_int asked;        /* by any thread's signal, read by every thread */

static void note(int signal_number)
{
	(void)signal_number;
	atomic_store(&asked, 1);
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
	return atomic_load(&asked) != 0;
}
