#include "base/secret.h"

#include <assert.h>
#include <sys/random.h>

void secret_fill(void *to, size_t len)
{
	assert(len <= 256);
	if (getrandom(to, len, 0) != (ssize_t)len)
		abort();        /* never for so few, once the system runs */
}
