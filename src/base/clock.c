#include "base/clock.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Seconds that a test adds, for good, and as it writes them at any moment; NULL: no such test. */
static int64_t offset_s;
static const int64_t *shifted;

/* How many seconds a test lets pass in one, from a moment on that all its processes know. */
static struct { int64_t rate; double from_s; } haste = { 1, 0 };

static double real_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void read_haste(const char *text)
{
	char *end;
	int64_t rate = strtoll(text, &end, 10);

	if (rate < 1 || *end != ':')
		return;
	haste.rate = rate;
	haste.from_s = strtod(end + 1, NULL);
}

void clock_prepare(void)
{
	if (getenv("TEITEN_CLOCK_RATE"))
		read_haste(getenv("TEITEN_CLOCK_RATE"));
	if (getenv("TEITEN_CLOCK_OFFSET"))
		offset_s = strtoll(getenv("TEITEN_CLOCK_OFFSET"), NULL, 10);
	const char *path = getenv("TEITEN_CLOCK_FILE");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	void *at = lseek(fd, 0, SEEK_END) >= (off_t)sizeof *shifted ? mmap(NULL, sizeof *shifted, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (at != MAP_FAILED)
		shifted = at;
	(void)close(fd);
}

int64_t clock_shift_s(void)
{
	return offset_s + (shifted ? __atomic_load_n(shifted, __ATOMIC_RELAXED) : 0);
}

int64_t clock_wall_s(void)
{
	int64_t now_s = haste.rate == 1 ? (int64_t)time(NULL) : (int64_t)(haste.from_s + (real_s() - haste.from_s) * (double)haste.rate);

	return now_s + clock_shift_s();
}

uint64_t clock_steady_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return ((uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000) * (uint64_t)haste.rate;
}

void clock_sleep_ms(unsigned ms)
{
	int64_t ns = (int64_t)ms * 1000000 / haste.rate;
	struct timespec t = { ns / 1000000000, (long)(ns % 1000000000) };

	(void)nanosleep(&t, NULL);
}
