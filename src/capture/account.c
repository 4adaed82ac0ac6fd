#include "capture/account.h"

#include "base/mem.h"
#include "capture/packet.h"

#include <assert.h>

enum { BITS = 64 };

void account_init(struct account *a)
{
	*a = (struct account){ .last = MINUTE_MAX };
	a->minutes = mem_zero(MINUTE_MAX / BITS + 1, sizeof *a->minutes);
}

void account_release(struct account *a)
{
	free(a->minutes);
	*a = (struct account){ 0 };
}

void account_count(struct account *a, const struct packet *p)
{
	minute_t minute = (minute_t)(p->time_s / 60);

	a->read++;
	a->counted++;
	a->packets += p->packets;
	if (minute == a->last)          /* as nearly always in a capture: nothing new about it */
		return;
	assert(packet_in_time(p));
	a->last = minute;
	if (span_empty(a->span))
		a->span = (struct span){ minute, minute + 1 };
	if (minute < a->span.from)
		a->span.from = minute;
	if (minute >= a->span.until)
		a->span.until = minute + 1;
	a->minutes[minute / BITS] |= (uint64_t)1 << minute % BITS;
}

void account_refuse(struct account *a, enum refusal why, uint64_t line)
{
	assert(why != REFUSAL_NONE && why < REFUSALS);
	a->read++;
	if (a->refused[why]++ == 0)
		a->first[why] = line;
}

void account_take_back(struct account *a, const struct packet *list, size_t n, enum refusal why)
{
	assert(n <= a->counted);
	a->counted -= n;
	for (size_t i = 0; i < n; i++)
		a->packets -= list[i].packets;
	if (a->refused[why] == 0)
		a->first[why] = a->read;
	a->refused[why] += n;
}

uint64_t account_refused(const struct account *a)
{
	return a->read - a->counted;
}

/* The next minute from `at` on that saw a packet; there is one before the span ends. */
static minute_t next_seen(const struct account *a, minute_t at)
{
	while (at < a->span.until) {
		uint64_t rest = a->minutes[at / BITS] >> at % BITS;

		if (rest)
			return at + (minute_t)__builtin_ctzll(rest);
		at = (at / BITS + 1) * BITS;
	}
	return a->span.until;
}

/* Keeps the longest: the new one takes the place of the shortest, the earlier of two equal ones stays. */
static void keep(struct span out[GAPS_SHOWN], size_t *n, struct span gap)
{
	size_t shortest = 0;

	if (*n < GAPS_SHOWN) {
		out[(*n)++] = gap;
		return;
	}
	for (size_t i = 1; i < *n; i++)
		if (span_minutes(out[i]) <= span_minutes(out[shortest]))
			shortest = i;
	if (span_minutes(gap) <= span_minutes(out[shortest]))
		return;
	memmove(out + shortest, out + shortest + 1, (*n - shortest - 1) * sizeof *out);
	out[*n - 1] = gap;
}

size_t account_gaps(const struct account *a, struct span out[GAPS_SHOWN], size_t *all)
{
	size_t n = 0;

	*all = 0;
	for (minute_t at = a->span.from; at < a->span.until; ) {
		minute_t next = next_seen(a, at);

		if (next - at >= GAP_MINUTES_MIN) {
			keep(out, &n, (struct span){ at, next });
			(*all)++;
		}
		at = next + 1;
	}
	return n;
}
