#include "base/digest.h"

#include <assert.h>
#include <sodium.h>

_Static_assert(sizeof(crypto_generichash_state) <= DIGEST_STATE_BYTES, "the state fits");

void digest_begin(struct digest *d)
{
	int ok = crypto_generichash_init((crypto_generichash_state *)(void *)d->state, NULL, 0, DIGEST_BYTES);

	assert(ok == 0);
}

void digest_add(struct digest *d, const void *bytes, size_t len)
{
	(void)crypto_generichash_update((crypto_generichash_state *)(void *)d->state, bytes, len);      /* cannot fail */
}

void digest_end(struct digest *d, uint8_t out[DIGEST_BYTES])
{
	(void)crypto_generichash_final((crypto_generichash_state *)(void *)d->state, out, DIGEST_BYTES);
}

void digest_of(const void *bytes, size_t len, uint8_t out[DIGEST_BYTES])
{
	(void)crypto_generichash(out, DIGEST_BYTES, bytes, len, NULL, 0);
}

uint64_t digest_u64(const uint8_t out[DIGEST_BYTES])
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | out[i];
	return v;
}
