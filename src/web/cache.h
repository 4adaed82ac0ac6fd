/* cache: finished replies by address and state of the store, so that a page asked for twice is made once.
 *
 * A small number of the replies used last; safe from several threads. */
#ifndef TEITEN_CACHE_H
#define TEITEN_CACHE_H

#include <stdbool.h>
#include <stdint.h>

struct cache;
struct reply;

enum { CACHE_ENTRIES = 64, CACHE_ENTRY_BYTES_MAX = 1 << 20, CACHE_KEY_MAX = 4608 };

struct cache *cache_make(void);
void cache_release(struct cache *c);
/* Fills the empty reply with a copy; false when it is not there. state: of everything besides the key that the reply
 * depends on. */
bool cache_find(struct cache *c, const char *key, uint64_t state, struct reply *out);
/* Keeps a copy of a good reply (status 200), in the place of the one used longest ago. Keys and bodies above the limits
 * are not kept. */
void cache_keep(struct cache *c, const char *key, uint64_t state, const struct reply *rp);

#endif
