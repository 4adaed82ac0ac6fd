/* receiver: takes batches from enrolled sensors over HTTP and puts them into the centre's spool, many in one file that is
 * synced once. What was answered with 200 is on the disk. There is no database: who may deliver is a file (enrolled.h), and what
 * came already is a memory of serials.
 *
 * Nothing of a stranger is kept, not even for a moment: name, key, signature and clock are looked at before the body comes. */
#ifndef TEITEN_RECEIVER_H
#define TEITEN_RECEIVER_H

#include "net/http.h"

#include <stdint.h>

struct err;
struct receiver;

enum receipt {
	RECEIPT_TAKEN,          /* synced, answered */
	RECEIPT_KNOWN,          /* had come before: answered as taken, not kept twice */
	RECEIPT_NO_LETTER,      /* not a path of ours, or without the heads of a signed letter */
	RECEIPT_UNKNOWN,        /* no such sensor, or not any more */
	RECEIPT_FORGED,         /* not signed with the sensor's key, or altered in its heads */
	RECEIPT_NOT_VALID,      /* enrolled, but not for today */
	RECEIPT_CLOCK,          /* signed, or seen, at a time that is not ours */
	RECEIPT_LARGE,          /* longer than a batch may be */
	RECEIPT_FAST,           /* more than a sensor may send at once */
	RECEIPT_BUSY,           /* too much on its way at this moment */
	RECEIPT_FULL,           /* no room: the spool, or the sensor's share of it */
	RECEIPT_ALTERED,        /* the body is not the one that was signed for */
	RECEIPT_DAMAGED,        /* signed, but no batch, or another one than the address says */
	RECEIPT_UNSOUND,        /* signed, and a batch, but of a time or of numbers that cannot be (batch_plausible) */
	RECEIPT_CUT,            /* broke off, or was cut off for want of time */
	RECEIPT_NOT_FOUND,      /* somebody who reads: there is nothing */
	RECEIPTS
};

enum {
	RECEIVER_BODY_MAX = 4 << 20, RECEIVER_UNPACKED_MAX = 8 << 20,   /* bytes of one batch; a sensor's own have at most 32,768 rows */
	RECEIVER_FLIGHT_MAX = 64 << 20, RECEIVER_GUEST_MAX = 8 << 20,   /* of all that are on their way; of one sensor's */
	RECEIVER_GROUP_MAX = 8 << 20,                                   /* bytes of one file */
	RECEIVER_CLOCK_S = 600,                                         /* how far the other's clock may be off */
	RECEIVER_RATE = 2 << 20, RECEIVER_BURST = 32 << 20,             /* bytes a second, and at once, of one sensor */
};

struct receiver_how {
	const char *spool, *enrolled, *ledger;  /* paths; outlive the receiver */
	uint64_t spool_max;                     /* bytes that may wait; a sensor may have a quarter of them */
};

const char *receipt_name(enum receipt r);                       /* "taken", "no_letter" ...: for metrics */
/* A list of sensors that is wrong lets nobody in until it is right, and is told (receiver_trouble). */
struct receiver *receiver_open(const struct receiver_how *how);
/* The server's handlers (net/http.h); `to` is the receiver. */
bool receiver_greet(void *to, const struct request *rq, size_t len, struct reply *rp, void **guest);
void receiver_leave(void *to, void *guest, size_t len, bool whole);
void receiver_take(void *to, const struct request *rq, struct reply *rp);
void receiver_counts(struct receiver *r, uint64_t out[RECEIPTS]);
/* Something that the operator should hear, once for each; false: nothing. To be asked every now and then: it looks at the list too. */
bool receiver_trouble(struct receiver *r, struct err *e);
void receiver_stop(struct receiver *r);                         /* takes no more, answers who still waits: before http_close */
void receiver_close(struct receiver *r);                        /* after it; NULL is fine */

#endif
