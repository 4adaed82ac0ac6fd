#include "base/mem.h"

#include <stdint.h>
#include <sys/mman.h>

static void *there(void *p)
{
	if (!p) {
		(void)fputs("teiten: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *mem_zero(size_t n, size_t size)
{
	return there(calloc(n ? n : 1, size));
}

void *mem_resize(void *old, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size)
		return there(NULL);
	size_t bytes = n * size;
	return there(realloc(old, bytes ? bytes : 1));
}

void *mem_grow(void *old, size_t len, size_t *cap, size_t size)
{
	if (len < *cap)
		return old;
	*cap = *cap ? *cap * 2 : 16;
	return mem_resize(old, *cap, size);
}

char *mem_text(const char *text)
{
	size_t n = strlen(text) + 1;

	return memcpy(mem_resize(NULL, n, 1), text, n);
}

void *mem_room(size_t n, size_t size)
{
	enum { HUGE_PAGE = 2 << 20 };

	if (size && n > (SIZE_MAX - HUGE_PAGE) / size)
		return there(NULL);
	size_t bytes = n * size;
	if (bytes < HUGE_PAGE)
		return mem_resize(NULL, n, size);
	bytes = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	void *p = there(aligned_alloc(HUGE_PAGE, bytes));
	(void)madvise(p, bytes, MADV_HUGEPAGE);         /* a wish: without it everything works, more slowly */
	return p;
}

void *mem_table(size_t n, size_t size)
{
	return memset(mem_room(n, size), 0, n * size);
}
