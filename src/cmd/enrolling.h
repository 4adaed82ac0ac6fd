/* enrolling: `teiten sensor key` on a sensor's machine; add, show and retire at the centre: who may deliver. */
#ifndef TEITEN_ENROLLING_H
#define TEITEN_ENROLLING_H

#include "base/args.h"

#include <stdbool.h>

bool enrolling_knows(const struct args *a);     /* whether the words are one of these */
int enrolling(const struct args *a);            /* returns the exit status */

#endif
