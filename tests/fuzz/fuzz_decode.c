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
	/* the short way for plain frames must say what the reader says from the IP header on */
	if (link == LINK_ETHERNET && len >= 16 && bytes[14] == 8 && bytes[15] == 0) {
		struct packet again;

		if (decode_ip(bytes + 16, len - 16, &again) != REFUSAL_NONE || memcmp(&again.src, &p.src, 16) || memcmp(&again.dst, &p.dst, 16) ||
			again.port != p.port || again.seq != p.seq || again.bytes != p.bytes || again.flags != p.flags || again.mark != p.mark ||
			again.window != p.window || again.known != p.known || again.ttl != p.ttl || again.tcp_header != p.tcp_header)
			abort();
	}
	if (p.packets != 1 || p.kind >= KINDS || !proto_name(p.proto))
		abort();
	if (p.quoted_len && decode_quoted(&p, &quoted) == REFUSAL_NONE && !proto_name(quoted.proto))
		abort();
	return 0;
}
