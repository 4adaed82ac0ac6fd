#include "base/radix.h"

enum { BITS = 8, DIGITS = 1 << BITS };

/* Which bits are not the same in all. */
static uint64_t differing(const uint64_t *list, size_t len)
{
	uint64_t some = 0, all = UINT64_MAX;

	for (size_t i = 0; i < len; i++) {
		some |= list[i];
		all &= list[i];
	}
	return some & ~all;
}

static void pass(const uint64_t *from, uint64_t *to, size_t len, unsigned shift)
{
	size_t at[DIGITS] = { 0 }, sum = 0;

	for (size_t i = 0; i < len; i++)
		at[from[i] >> shift & (DIGITS - 1)]++;
	for (unsigned d = 0; d < DIGITS; d++) {
		size_t n = at[d];

		at[d] = sum;
		sum += n;
	}
	for (size_t i = 0; i < len; i++)
		to[at[from[i] >> shift & (DIGITS - 1)]++] = from[i];
}

uint64_t *radix_sort(uint64_t *list, uint64_t *room, size_t len, unsigned low)
{
	uint64_t bits = differing(list, len);

	for (unsigned shift = low; shift < 64; shift += BITS) {
		if (!(bits >> shift & (DIGITS - 1)))
			continue;
		pass(list, room, len, shift);
		uint64_t *swap = list;
		list = room;
		room = swap;
	}
	return list;
}
