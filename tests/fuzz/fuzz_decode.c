/* fuzz: decode, and what becomes of a packet that it read. The first two bytes choose the link type. */
#include "capture/decode.h"
#include "capture/packet.h"
#include "core/tuple.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct packet p;
	struct tuple t;

	if (len < 2)
		return 0;
	unsigned link = (unsigned)(bytes[0] << 8 | bytes[1]);
	if (!decode_knows(link) || decode_frame(link, bytes + 2, len - 2, &p) != REFUSAL_NONE)
		return 0;
	packet_tuple(&p, &t);
	if (t.packets != 1 || t.kind >= KINDS || !proto_name(t.proto))
		abort();
	return 0;
}
