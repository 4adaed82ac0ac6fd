/* flows: which connections the observed host opened itself, so that their answers are not taken for unsolicited. Bounded:
 * 65,536 flows, of which the one that was silent longest gives way; a flow is forgotten when it has been silent for five
 * minutes, TCP for two hours and four minutes.
 *
 * Opened by us are: TCP that we sent a SYN for, UDP that we sent into before anything came from there, echo requests of
 * ours. An ICMP error about a packet of such a flow is an answer too. */
#ifndef TEITEN_FLOWS_H
#define TEITEN_FLOWS_H

#include <stdbool.h>

struct flows;
struct packet;

struct flows *flows_open(void);
void flows_close(struct flows *f);                      /* NULL is fine */
void flows_sent(struct flows *f, const struct packet *p);               /* a packet of ours, to somewhere else */
/* A packet to one of ours: whether it is an answer. Notes who began. */
bool flows_answered(struct flows *f, const struct packet *p);

#endif
