/* radix: numbers put in order in linear time. Pure. */
#ifndef TEITEN_RADIX_H
#define TEITEN_RADIX_H

#include <stddef.h>
#include <stdint.h>

/* Sorts by the bits from `low` on (0 to 63), numbers that are equal there in the order they came, with room for as many beside;
 * returns which of the two holds them. Digits that all of them share cost nothing. */
uint64_t *radix_sort(uint64_t *list, uint64_t *room, size_t len, unsigned low);

#endif
