#include "base/clock.h"

int64_t clock_wall_s(void)
{
	const char *offset = getenv("TEITEN_CLOCK_OFFSET");

	return (int64_t)time(NULL) + (offset ? strtoll(offset, NULL, 10) : 0);
}

uint64_t clock_steady_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void clock_sleep_ms(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}
