#include "capture/canary.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/secret.h"
#include "capture/decode.h"
#include "capture/pcapfile.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ETHERTYPE = 0x88b5, HEAD = 14, CHANCE = 16, FRAME = 60 };

struct canary {
	int fd;
	uint8_t chance[CHANCE];         /* of the newest; written before it is sent */
	bool heard;
};

struct canary *canary_open(struct err *e)
{
	struct canary *c = mem_zero(1, sizeof *c);

	c->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (c->fd >= 0)
		return c;
	err_errno(e, "cannot open a socket to send the canary");
	free(c);
	return NULL;
}

void canary_close(struct canary *c)
{
	if (c)
		(void)close(c->fd);
	free(c);
}

bool canary_sing(struct canary *c, int interface, struct err *e)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE), .sll_ifindex = interface, .sll_halen = 6 };
	struct ifreq q = { .ifr_ifindex = interface };
	uint8_t frame[FRAME] = { 0 };

	if (ioctl(c->fd, SIOCGIFNAME, &q) != 0 || ioctl(c->fd, SIOCGIFHWADDR, &q) != 0)
		return err_errno(e, "cannot ask for the address of interface %d", interface);
	memcpy(to.sll_addr, q.ifr_hwaddr.sa_data, 6);
	memcpy(frame, q.ifr_hwaddr.sa_data, 6);
	memcpy(frame + 6, q.ifr_hwaddr.sa_data, 6);
	frame[12] = ETHERTYPE >> 8;
	frame[13] = ETHERTYPE & 0xff;
	__atomic_store_n(&c->heard, false, __ATOMIC_RELAXED);
	secret_fill(c->chance, sizeof c->chance);
	memcpy(frame + HEAD, c->chance, sizeof c->chance);
	if (fault_here("canary"))
		return true;    /* gone on its way */
	return sendto(c->fd, frame, sizeof frame, 0, (const struct sockaddr *)&to, sizeof to) == FRAME || err_errno(e, "cannot send the canary");
}

bool canary_hears(struct canary *c, const struct frame *f)
{
	if (f->link != LINK_ETHERNET || f->captured < HEAD + CHANCE || f->bytes[12] != ETHERTYPE >> 8 || f->bytes[13] != (ETHERTYPE & 0xff) ||
		memcmp(f->bytes + HEAD, c->chance, sizeof c->chance) != 0)
		return false;
	__atomic_store_n(&c->heard, true, __ATOMIC_RELAXED);
	return true;
}

bool canary_heard(const struct canary *c)
{
	return __atomic_load_n(&c->heard, __ATOMIC_RELAXED);
}
