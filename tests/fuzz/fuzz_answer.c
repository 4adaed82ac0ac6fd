/* Answers and facts from a peer on the socket. */
#include "base/bytes.h"
#include "base/err.h"
#include "core/series.h"
#include "store/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	struct answer a;
	struct facts f;
	struct err e;

	if (answer_decode(&a, &r, &e))
		answer_release(&a);
	r = reader_over(bytes, len);
	if (facts_decode(&f, &r, &e))
		facts_release(&f);
	return 0;
}
