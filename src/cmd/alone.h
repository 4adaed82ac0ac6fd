/* alone: one process of a kind in a folder: two that do the same work would do it twice. */
#ifndef TEITEN_ALONE_H
#define TEITEN_ALONE_H

#include <stdbool.h>

struct err;

/* Takes the lock DIR/NAME for as long as the process lives. False: another has it, which e says as `who` ("a sensor named x
 * observes"), or there is no lock to be had. On a full disk there may be none; the work goes on without. */
bool alone_in(const char *dir, const char *name, const char *who, struct err *e);

#endif
