/* sensing: `teiten sensor`: packets of an interface, or of a file on the same path → batches in the spool. */
#ifndef TEITEN_SENSING_H
#define TEITEN_SENSING_H

#include "base/args.h"

extern const struct option sensing_options[];

int sensing(const struct args *a);      /* returns the exit status */

#endif
