#include "store/habits.h"

#include "base/bytes.h"

#include <string.h>

/* phi, L, hi; then each sensor of which anything is known: its place, A, E, last day's direction + 1, run, and if that is not 0 the run's sums. */

static bool is_blank(const struct habit *h)
{
	return h->packets == 0 && h->exposure == 0 && h->run == 0 && h->odd == 0;
}

void habits_encode(const struct port_habit *port, const struct habit *list, size_t n, struct buf *out)
{
	buf_double(out, port->phi);
	buf_double(out, port->level);
	buf_varint(out, port->high);
	for (size_t i = 0; i < n; i++) {
		const struct habit *h = &list[i];

		if (is_blank(h))
			continue;
		buf_varint(out, i);
		buf_double(out, h->packets);
		buf_double(out, h->exposure);
		buf_u8(out, (uint8_t)(h->odd + 1));
		buf_varint(out, h->run);
		if (h->run) {
			buf_double(out, h->run_packets);
			buf_double(out, h->run_exposure);
		}
	}
}

bool habits_decode(struct reader *r, struct port_habit *port, struct habit *list, size_t n)
{
	memset(list, 0, n * sizeof *list);
	port->phi = read_double(r);
	port->level = read_double(r);
	port->high = (unsigned)read_varint(r);
	while (reader_left(r)) {
		uint64_t i = read_varint(r);
		struct habit h = { .packets = read_double(r), .exposure = read_double(r) };

		h.odd = (int8_t)(read_u8(r) - 1);
		h.run = (uint16_t)read_varint(r);
		if (h.run) {
			h.run_packets = read_double(r);
			h.run_exposure = read_double(r);
		}
		if (!r->ok || i >= n)
			return false;
		list[i] = h;
	}
	return r->ok;
}
