/* fault: places at which a test makes the world fail. TEITEN_FAULT="commit-lost:3" fails the third pass of that point,
 * "full:3-" the third and all later ones. */
#ifndef TEITEN_FAULT_H
#define TEITEN_FAULT_H

#include <stdbool.h>

bool fault_here(const char *point);

#endif
