#include "base/fault.h"

bool fault_here(const char *point)
{
	static long passed;
	const char *wanted = getenv("TEITEN_FAULT");
	size_t len = strlen(point);

	if (!wanted || strncmp(wanted, point, len) != 0 || wanted[len] != ':')
		return false;
	char *end;
	long at = strtol(wanted + len + 1, &end, 10);

	passed++;
	return *end == '-' ? passed >= at : passed == at;
}
