/* fuzz: decode, and what becomes of a packet that it read. The first two bytes choose the link type. */
#include "capture/decode.h"
#include "capture/packet.h"
#include "core/tuple.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct packet p, quoted;

	if (len < 2)
		return 0;
	unsigned link = (unsigned)(bytes[0] << 8 | bytes[1]);
	if (!decode_knows(link) || decode_frame(link, bytes + 2, len - 2, &p) != REFUSAL_NONE)
		return 0;
	if (p.packets != 1 || p.kind >= KINDS || !proto_name(p.proto))
		abort();
	if (p.quoted_len && decode_quoted(&p, &quoted) == REFUSAL_NONE && !proto_name(quoted.proto))
		abort();
	return 0;
}
