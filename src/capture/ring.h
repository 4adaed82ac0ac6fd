/* ring: the live packets of one interface, through a ring shared with the kernel (TPACKET_V3). Opening needs CAP_NET_RAW;
 * afterwards it works without any rights. The only includer of libpcap, which compiles filters. */
#ifndef TEITEN_RING_H
#define TEITEN_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct frame;
struct ring;

enum {
	RING_BLOCK = 1 << 20, RING_BLOCKS = 64,         /* 64 MiB: about a second at 400,000 packets/s */
	RING_RETIRE_MS = 100,                           /* a block that is not full is handed over after so long */
	RING_SNAPLEN = 256, RING_SNAPLEN_MIN = 96, RING_SNAPLEN_MAX = 65535,
};

struct ring_how {
	const char *interface;
	unsigned snaplen;               /* bytes of each frame; headers and what errors quote fit into RING_SNAPLEN */
	const char *filter;             /* as tcpdump's; NULL: everything */
	bool sings;                     /* a canary passes the filter */
	bool promiscuous;               /* also what is sent to other machines */
	unsigned workers;               /* more than one share the packets, by flow */
	bool joins;                     /* not the first of them: joins its group */
	unsigned group;
};

/* Whether the filter can be compiled, for Ethernet; no rights are needed. */
bool ring_filter_holds(const struct ring_how *how, struct err *e);
struct ring *ring_open(const struct ring_how *how, struct err *e);
void ring_close(struct ring *r);                        /* NULL is fine */
/* Waits until there are packets, for so long at most. */
void ring_wait(struct ring *r, unsigned ms);
/* The next frames, up to max; 0: none at the moment. They stay valid until the next call. */
size_t ring_frames(struct ring *r, struct frame *list, size_t max);
unsigned ring_group(const struct ring *r);              /* 0 where it stands alone */
uint64_t ring_lost(struct ring *r);                     /* packets that the kernel had no room for, since the last call */
int ring_interface(const struct ring *r);               /* its number, for the system */
bool ring_is_ethernet(const struct ring *r);
/* Whether the interface is up, also under another name. One that went away and came back is taken up again, but not by
 * rings that share packets, nor promiscuously: the kernel grants that only to who has the rights. */
bool ring_up(struct ring *r);

#endif
