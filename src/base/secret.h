/* secret: random bytes of the system, for hash keys and names that nobody outside can choose or guess. */
#ifndef TEITEN_SECRET_H
#define TEITEN_SECRET_H

#include <stddef.h>

void secret_fill(void *to, size_t len);         /* len: at most 256 */

#endif
