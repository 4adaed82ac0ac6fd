/* rights: gives them up (base/confine.h), says so, and proves it when asked. */
#ifndef TEITEN_RIGHTS_H
#define TEITEN_RIGHTS_H

#include "base/confine.h"

struct err;

/* Also sees whether files can be written in the folder, which is better known now than later. */
bool rights_give_up(const struct confine_how *how, bool prove, struct err *e);

#endif
