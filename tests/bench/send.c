/* Sends SYNs of many sources over an interface, as fast as it can or so many a second: send INTERFACE PACKETS SOURCES RATE.
 * Prints how many, and how many a second that was. In a namespace of the bench's own. */
#include "base/clock.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64, FRAME = 60 };

static void put32(uint8_t *at, uint32_t v)
{
	v = htonl(v);
	memcpy(at, &v, sizeof v);
}

static void make(uint8_t frame[FRAME], uint64_t i, uint64_t sources)
{
	static const uint8_t head[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 60, 6 };
	uint64_t r = i * 0x9e3779b97f4a7c15u;

	memset(frame, 0, FRAME);
	memcpy(frame, head, sizeof head);
	put32(frame + 26, 0x0b000000u + (uint32_t)(i % sources));
	put32(frame + 30, 0xc6120000u | (uint32_t)(r >> 48));
	frame[34] = 0x9c;
	frame[37] = 23;
	put32(frame + 38, (uint32_t)(r >> 16));
	frame[46] = 0x50;
	frame[47] = 2;
}

int main(int argc, char **argv)
{
	static uint8_t frames[BATCH][FRAME];
	struct mmsghdr messages[BATCH] = { 0 };
	struct iovec parts[BATCH];
	uint64_t packets = argc > 4 ? strtoull(argv[2], NULL, 10) : 0, sources = packets ? strtoull(argv[3], NULL, 10) : 0;
	uint64_t rate = packets ? strtoull(argv[4], NULL, 10) : 0, sent = 0;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = packets ? (int)if_nametoindex(argv[1]) : 0 };

	if (!packets || !sources || fd < 0 || bind(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
		(void)fprintf(stderr, "usage: send INTERFACE PACKETS SOURCES RATE (0: as fast as it can), as root\n");
		return 2;
	}
	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){ frames[i], FRAME };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
	}
	uint64_t begun = clock_steady_us();
	while (sent < packets) {
		unsigned n = packets - sent < BATCH ? (unsigned)(packets - sent) : BATCH;

		for (unsigned i = 0; i < n; i++)
			make(frames[i], sent + i, sources);
		for (unsigned done = 0; done < n; ) {
			int now = sendmmsg(fd, messages + done, n - done, 0);

			done += now > 0 ? (unsigned)now : 0;
		}
		sent += n;
		while (rate && (clock_steady_us() - begun) * rate < sent * 1000000)
			;
	}
	double seconds = (double)(clock_steady_us() - begun) / 1e6;
	printf("{\"sent\":%llu,\"a_second\":%.0f}\n", (unsigned long long)sent, (double)sent / seconds);
	(void)close(fd);
	return 0;
}
