/* digest: the only includer of libsodium: BLAKE2b (RFC 7693) over bytes as they come. */
#ifndef TEITEN_DIGEST_H
#define TEITEN_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 16, DIGEST_STATE_BYTES = 448 };

struct digest { _Alignas(64) unsigned char state[DIGEST_STATE_BYTES]; };

void digest_begin(struct digest *d);
void digest_add(struct digest *d, const void *bytes, size_t len);
void digest_end(struct digest *d, uint8_t out[DIGEST_BYTES]);
void digest_of(const void *bytes, size_t len, uint8_t out[DIGEST_BYTES]);
uint64_t digest_u64(const uint8_t out[DIGEST_BYTES]);           /* the first eight bytes, little endian */

#endif
