/* ending: a long-running command is asked to end by SIGINT or SIGTERM, and does so in its own time. */
#ifndef TEITEN_ENDING_H
#define TEITEN_ENDING_H

#include <stdbool.h>

void ending_catch(void);        /* from now on these signals only set the flag; system calls are interrupted */
bool ending(void);
/* Instead, SIGHUP asks to read the settings anew; true once for each. */
void ending_catch_hangup(void);
bool ending_hangup(void);

#endif
