/* sender: brings a sensor's batches from its spool to a centre, one at a time, and drops each only when the centre has said that
 * it is on its disk. New ones are not held up by a backlog: the newest and the oldest take turns. */
#ifndef TEITEN_SENDER_H
#define TEITEN_SENDER_H

#include "base/sign.h"
#include "net/client.h"

struct err;
struct sender;

struct sender_how {
	const char *centre;             /* "https://centre.example:8443" */
	const char *spool;
	struct sign_secret secret;
	struct client_how client;
};

enum { SENDER_KIB_MIN = 8, SENDER_KIB_MAX = 1 << 20 };          /* a second, where somebody bounds it */

enum sent {
	SENT_NONE,              /* nothing waits, or nothing that may go now */
	SENT_ONE,               /* the centre has it */
	SENT_ASIDE,             /* a file that is no batch was put aside: e says which */
	SENT_GONE,              /* it was given up meanwhile, for want of room */
	SENT_REFUSED,           /* the centre does not want this one, whenever it comes: e says why; it is tried again in five minutes */
	SENT_LATER,             /* the centre did not take it, or could not be reached: e says why */
};

/* False for a centre's address that is not one. Plain http is taken for this machine alone: what is sent says who knocked. */
bool sender_may_go_to(const char *centre, struct err *e);
struct sender *sender_open(const struct sender_how *how);       /* borrowed while it is open */
void sender_close(struct sender *s);                            /* NULL is fine */
/* Sends one batch. retry_after_s: after SENT_LATER, how long the centre asked to wait; 0 when it did not say. */
enum sent sender_next(struct sender *s, unsigned *retry_after_s, struct err *e);
size_t sender_waiting(const struct sender *s);                  /* how many there were when it last looked */

#endif
