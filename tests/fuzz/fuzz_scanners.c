/* A list of known scanners from anywhere: what is accepted is written so that it reads as the same, and finds the same. */
#include "base/bytes.h"
#include "base/err.h"
#include "store/scanners.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void same_found(const struct scanners *a, const struct scanners *b, const struct addr *at, uint32_t day)
{
	unsigned x = scanners_find(a, at, day), y = scanners_find(b, at, day);

	if ((x == 0) != (y == 0) || (x && strcmp(a->names[x - 1], b->names[y - 1]) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct buf in = buf_make(1 << 20), out = buf_make(1 << 24);
	struct scanners all, again;
	struct err e;

	buf_bytes(&in, bytes, len);
	if (in.ok && scanners_parse(&all, buf_cstr(&in), &e)) {
		for (size_t i = 0; i < all.len; i++)
			scanners_text(&all.list[i], &all, &out);
		if (!scanners_parse(&again, buf_cstr(&out), &e) || again.len != all.len || strcmp(all.id, again.id) != 0)
			abort();
		for (size_t i = 0; i < all.len; i++) {
			struct addr last = addr_last(&all.list[i].net);

			if (scanners_find(&all, &last, all.list[i].from) == 0)
				abort();
			same_found(&all, &again, &all.list[i].net.addr, all.list[i].from);
			same_found(&all, &again, &last, all.list[i].until);
		}
		scanners_release(&all);
		scanners_release(&again);
	}
	buf_release(&in);
	buf_release(&out);
	return 0;
}
