/* minutes: what is counted goes on once, minute by minute, and what is refused is told. */
#include "test.h"

#include "base/err.h"
#include "capture/account.h"
#include "capture/minutes.h"
#include "capture/packet.h"

struct got { uint64_t packets, lost, batches, watched_s, last_serial; bool refuse; };

static bool take(void *to, const struct batch *b)
{
	struct got *g = to;
	struct err e;

	CHECK_OK(batch_sound(b, &e));
	CHECK(b->serial == g->last_serial + 1);
	g->last_serial = b->serial;
	if (g->refuse && b->serial == 1)
		return false;
	for (size_t i = 0; i < b->len; i++)
		g->packets += b->rows[i].packets;
	g->lost += b->lost;
	g->batches++;
	g->watched_s += watch_seconds(&b->watched, b->span);
	return true;
}

static void add(struct minutes *m, struct account *a, int64_t second, uint32_t src)
{
	struct packet p = { .time_s = second, .src = addr_v4(src), .dst = addr_v4(1), .proto = PROTO_TCP, .flags = TCP_SYN, .dport = 23,
		.packets = 1, .bytes = 40, .known = PACKET_DST | PACKET_FLAGS };

	packet_tell(&p);
	account_count(a, &p);
	minutes_add(m, &p, 1, a);
}

TEST(minutes_keep_two_open_and_refuse_what_comes_later)
{
	struct got got = { 0 };
	struct account a;
	struct minutes *m = minutes_open("s", 1, false, take, &got);

	account_init(&a);
	add(m, &a, 600, 1);
	add(m, &a, 661, 1);
	add(m, &a, 659, 2);             /* late, but its minute is open */
	minutes_close_before(m, 11);
	add(m, &a, 659, 3);
	add(m, &a, 670, 3);
	CHECK_WHOLE(minutes_end(m), 0);
	CHECK_WHOLE(got.packets, 4);
	CHECK_WHOLE(got.batches, 2);
	CHECK_WHOLE(a.counted, 4);
	CHECK_WHOLE(a.refused[REFUSAL_LATE], 1);
	CHECK_WHOLE(a.read, a.counted + account_refused(&a));
	account_release(&a);
}

TEST(minutes_say_that_they_looked_and_saw_nothing)
{
	struct got got = { 0 };
	struct minutes *m = minutes_open("s", 1, false, take, &got);

	for (int64_t s = 615; s < 700; s++)
		minutes_watched(m, s);
	minutes_lost(m, 7);
	CHECK_WHOLE(minutes_end(m), 0);
	CHECK_WHOLE(got.batches, 2);
	CHECK_WHOLE(got.watched_s, 85);
	CHECK_WHOLE(got.lost, 7);
}

TEST(minutes_with_more_rows_than_a_tally_come_in_parts)
{
	enum { SOURCES = 3 * MINUTES_ROWS_MAX + 5 };
	struct got got = { 0 };
	struct account a;
	struct minutes *m = minutes_open("s", 1, true, take, &got);

	account_init(&a);
	for (uint32_t i = 0; i < SOURCES; i++)
		add(m, &a, 600, i);
	CHECK_WHOLE(minutes_end(m), 0);
	CHECK_WHOLE(got.packets, SOURCES);
	CHECK_WHOLE(got.batches, 4);
	CHECK_WHOLE(a.counted, SOURCES);
	account_release(&a);
}

TEST(minutes_of_a_file_go_on_together_up_to_a_day)
{
	struct got got = { 0 };
	struct account a;
	struct minutes *m = minutes_open("s", 1, true, take, &got);

	account_init(&a);
	for (minute_t minute = 10; minute < 10 + 2 * MINUTES_PER_DAY; minute++) {
		minutes_close_before(m, minute);
		minutes_watched(m, minute * 60);
		add(m, &a, minute * 60, minute);
	}
	minutes_lost(m, 7);
	CHECK_WHOLE(minutes_end(m), 0);
	CHECK_WHOLE(got.packets, 2 * MINUTES_PER_DAY);
	CHECK_WHOLE(got.watched_s, 2 * MINUTES_PER_DAY);
	CHECK_WHOLE(got.lost, 7);
	CHECK_WHOLE(got.batches, 2);
	account_release(&a);
}

TEST(minutes_survive_a_clock_that_is_set_back)
{
	for (int patient = 0; patient < 2; patient++) {
		struct got got = { 0 };
		struct account a;
		struct minutes *m = minutes_open("s", 1, patient, take, &got);

		account_init(&a);
		add(m, &a, 600 + 86400, 1);
		minutes_reopen(m);
		add(m, &a, 600, 1);
		add(m, &a, 601 + 86400, 1);
		CHECK_WHOLE(minutes_end(m), 0);
		CHECK_WHOLE(got.packets, 3);
		CHECK_WHOLE(got.batches, 3);
		CHECK_WHOLE(account_refused(&a), 0);
		account_release(&a);
	}
}

TEST(minutes_that_cannot_be_handed_on_are_lost_packets_of_the_next)
{
	struct got got = { .refuse = true };
	struct account a;
	struct minutes *m = minutes_open("s", 1, false, take, &got);

	account_init(&a);
	add(m, &a, 600, 1);
	add(m, &a, 601, 1);
	minutes_close_before(m, 11);
	add(m, &a, 661, 1);
	CHECK_WHOLE(minutes_end(m), 0);
	CHECK_WHOLE(got.packets, 1);
	CHECK_WHOLE(got.lost, 2);
	account_release(&a);
}
