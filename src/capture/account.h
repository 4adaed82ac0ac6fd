/* account: what became of the rows of one file: read, counted, refused by reason, and the minutes that saw packets. */
#ifndef TEITEN_ACCOUNT_H
#define TEITEN_ACCOUNT_H

#include "capture/refusal.h"
#include "core/span.h"

#include <stddef.h>
#include <stdint.h>

struct packet;

enum { GAP_MINUTES_MIN = 60, GAPS_SHOWN = 5 };

struct account {
	uint64_t read;                          /* rows; counted + refused of all reasons */
	uint64_t counted, packets;              /* rows counted, and the packets they stand for */
	uint64_t refused[REFUSALS];             /* by reason; [REFUSAL_NONE] stays 0 */
	uint64_t first[REFUSALS];               /* line, row or frame of the first of each */
	uint64_t errors, foreign;               /* ICMP errors counted; those that quote no packet of the watched addresses */
	minute_t last;                          /* the one counted before; MINUTE_MAX none */
	struct span span;                       /* from the first to the last counted minute; empty when none */
	uint64_t *minutes;                      /* a bit for every minute that we can keep */
};

void account_init(struct account *a);
void account_release(struct account *a);
void account_count(struct account *a, const struct packet *p);          /* a row that was counted; it must be in time */
/* Packets that were counted are refused after all. */
void account_take_back(struct account *a, const struct packet *list, size_t n, enum refusal why);
void account_refuse(struct account *a, enum refusal why, uint64_t line);
uint64_t account_refused(const struct account *a);                      /* of all reasons */
/* The longest stretches of an hour or more without any packet, in order of time; returns how many, *all as many as there
 * are. */
size_t account_gaps(const struct account *a, struct span out[GAPS_SHOWN], size_t *all);

#endif
