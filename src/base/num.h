/* num: numbers from text and to text, whole or not at all. */
#ifndef TEITEN_NUM_H
#define TEITEN_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NUM_TEXT_MAX = 40 };

/* The whole text is one decimal number from min to max, no sign, no blanks. *out is untouched on false. */
bool num_whole(const char *text, uint64_t min, uint64_t max, uint64_t *out);
/* The whole text is one finite decimal number. */
bool num_real(const char *text, double *out);
/* Shortest decimal that reads back as v ("null" is the caller's affair: v is finite). */
const char *num_shortest(double v, char out[NUM_TEXT_MAX]);
/* Whole number with thousands separated: 187,849. */
const char *num_grouped(uint64_t v, char out[NUM_TEXT_MAX]);
/* For people: three significant digits below 100, whole with thousands above; "-" for NAN. */
const char *num_human(double v, char out[NUM_TEXT_MAX]);

#endif
