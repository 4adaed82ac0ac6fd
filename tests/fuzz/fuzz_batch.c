/* Batches from anywhere. The checksum is put right first, or no change would ever come past it. */
#include "base/bytes.h"
#include "base/compress.h"
#include "base/digest.h"
#include "base/err.h"
#include "core/batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void decode(const uint8_t *bytes, size_t len)
{
	struct batch b;
	struct err e;

	if (batch_decode(&b, bytes, len, &e)) {
		struct buf again = buf_make(1 << 24);

		batch_encode(&b, &again);
		batch_release(&b);
		if (!batch_decode(&b, again.at, again.len, &e))
			abort();        /* what we accept we can also write */
		batch_release(&b);
		buf_release(&again);
	}
}

/* The input as the columns inside a batch: compressed and signed off as batch_encode does. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct buf whole = buf_make(1 << 24), packed = buf_make(1 << 24);
	uint8_t check[DIGEST_BYTES];

	decode(bytes, len);
	compress_zstd(&packed, bytes, len);
	buf_bytes(&whole, "TTNB\1", 5);
	buf_u32le(&whole, (uint32_t)packed.len);
	buf_bytes(&whole, packed.at, packed.len);
	digest_of(whole.at, whole.len, check);
	buf_bytes(&whole, check, sizeof check);
	decode(whole.at, whole.len);
	buf_release(&whole);
	buf_release(&packed);
	return 0;
}
