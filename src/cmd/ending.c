#include "cmd/ending.h"

#include <signal.h>
#include <stdatomic.h>

static atomic_int asked, hung_up;       /* by any thread's signal, read by every thread */

static void note(int signal_number)
{
	(void)signal_number;
	atomic_store(&asked, 1);
}

static void note_hangup(int signal_number)
{
	(void)signal_number;
	atomic_store(&hung_up, 1);
}

void ending_catch_hangup(void)
{
	struct sigaction action = { .sa_handler = note_hangup };

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGHUP, &action, NULL);
}

bool ending_hangup(void)
{
	return atomic_exchange(&hung_up, 0) != 0;
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
