/* mem: allocation that cannot fail: no memory ends the process (nothing acknowledged is lost by that). */
#ifndef TEITEN_MEM_H
#define TEITEN_MEM_H

#include <stddef.h>

void *mem_zero(size_t n, size_t size);                  /* n × size zeroed bytes; caller frees */
void *mem_resize(void *old, size_t n, size_t size);     /* as realloc, overflow checked */
/* Makes room for one more of `len` elements: doubles *cap when full. Use through MEM_GROW. */
void *mem_grow(void *old, size_t len, size_t *cap, size_t size);
/* The same as mem_zero, in pages as large as the kernel gives: for tables that are read at random. */
void *mem_table(size_t n, size_t size);
void *mem_room(size_t n, size_t size);                  /* not zeroed: for what is written once from end to end */
char *mem_text(const char *text);                       /* strdup; caller frees */

#define MEM_GROW(array, len, cap) ((array) = mem_grow((array), (len), &(cap), sizeof *(array)))

#endif
