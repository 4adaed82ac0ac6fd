/* identity: whose key a sensor's folder holds: the name beside it, in DIR/sensor.name. A centre takes batches of that name alone
 * from that key. */
#ifndef TEITEN_IDENTITY_H
#define TEITEN_IDENTITY_H

#include <stdbool.h>

struct err;

/* False: the key there is another's, and e says whose. True also where there is no key, or nobody wrote down whose it is. */
bool identity_is(const char *dir, const char *name, struct err *e);
bool identity_has_key(const char *dir, struct err *e);
bool identity_write(const char *dir, const char *name, struct err *e);

#endif
