/* rights: gives them up (base/confine.h), says so, and proves it when asked. */
#ifndef TEITEN_RIGHTS_H
#define TEITEN_RIGHTS_H

#include "base/confine.h"

struct err;

/* What a process that connects to others needs to read of the system: names, and who is trusted. */
#define RIGHTS_OF_WHO_CONNECTS "/etc", "/usr", "/lib", "/lib64", "/run/systemd/resolve", "/var/lib/ca-certificates", "/dev/urandom"

/* Also sees whether files can be written in the folder, where there is one, which is better known now than later. */
bool rights_give_up(const struct confine_how *how, bool prove, struct err *e);

#endif
