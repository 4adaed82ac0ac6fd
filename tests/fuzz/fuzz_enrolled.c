/* A list of sensors from anywhere: what is accepted is written so that it reads as the same. */
#include "base/bytes.h"
#include "base/err.h"
#include "link/enrolled.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct buf in = buf_make(1 << 20), out = buf_make(1 << 22);
	struct enrolled all, again;
	struct err e;

	buf_bytes(&in, bytes, len);
	if (in.ok && enrolled_parse(&all, buf_cstr(&in), &e)) {
		for (size_t i = 0; i < all.len; i++)
			enrolment_text(&all.list[i], &out);
		if (!enrolled_parse(&again, buf_cstr(&out), &e) || again.len != all.len)
			abort();
		for (size_t i = 0; i < all.len; i++)
			if (strcmp(all.list[i].name, again.list[i].name) != 0 || all.list[i].addresses != again.list[i].addresses)
				abort();
		enrolled_release(&all);
		enrolled_release(&again);
	}
	buf_release(&in);
	buf_release(&out);
	return 0;
}
