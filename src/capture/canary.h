/* canary: a frame that a live sensor sends on its own interface and must see itself: what comes on that interface reaches the
 * sensor. It goes to the interface's own address, with the EtherType that IEEE 802 leaves to local experiments, holds chance alone, and
 * nobody answers it. Opening needs CAP_NET_RAW; afterwards it works without any rights. */
#ifndef TEITEN_CANARY_H
#define TEITEN_CANARY_H

#include <stdbool.h>
#include <stddef.h>

struct canary;
struct err;
struct frame;

#define CANARY_FILTER "ether proto 0x88b5"      /* what lets it through, for pcap-filter(7) */

struct canary *canary_open(struct err *e);
void canary_close(struct canary *c);                            /* NULL is fine */
/* Sends the next one on the interface of that number; the ones before are forgotten. From one thread. */
bool canary_sing(struct canary *c, int interface, struct err *e);
/* Whether the frame is one of ours; the newest has been heard then. From any thread. */
bool canary_hears(struct canary *c, const struct frame *f);
bool canary_heard(const struct canary *c);                      /* the newest */

#endif
