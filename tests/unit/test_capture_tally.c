/* tally and account: packets become batches that hold all of them once, and the account adds up. */
#include "test.h"

#include "base/err.h"
#include "capture/account.h"
#include "capture/packet.h"
#include "capture/tally.h"

static struct packet knock(int64_t time_s, uint32_t src, uint32_t dst)
{
	return (struct packet){ .time_s = time_s, .src = addr_v4(src), .dst = addr_v4(dst), .proto = PROTO_TCP, .flags = TCP_SYN,
		.sport = 1000, .dport = 23, .packets = 1, .bytes = 40, .ttl = 50, .known = PACKET_DST | PACKET_FLAGS };
}

static void add(struct tally *t, int sensor, struct packet p)
{
	packet_tell(&p);
	CHECK_WHOLE(tally_add(t, sensor, &p, 1), 1);
}

TEST(tally_counts_equal_packets_of_a_minute_as_one_tuple)
{
	struct tally *t = tally_open(TALLY_ROWS_MAX);
	int a = tally_sensor(t, "a"), b = tally_sensor(t, "b");
	struct err e;
	size_t n;

	CHECK_WHOLE(tally_sensor(t, "a"), a);
	add(t, a, knock(120, 7, 1));
	add(t, b, knock(60, 7, 1));
	add(t, a, knock(60, 7, 1));
	add(t, a, knock(119, 7, 2));
	struct batch *list = tally_end(t, 9, (struct span){ 0, 5 }, &n);
	CHECK_WHOLE(n, 2);
	CHECK_WHOLE(tuples_settle(list[0].rows, list[0].len), list[0].len);
	CHECK_TEXT(list[0].sensor, "a");
	CHECK_WHOLE(list[0].epoch, 9);
	CHECK_WHOLE(list[0].serial, 1);
	CHECK_WHOLE(list[0].len, 2);
	CHECK_WHOLE(list[0].seen, 3);
	CHECK_WHOLE(list[0].rows[0].minute, 1);
	CHECK_WHOLE(list[0].rows[0].packets, 2);
	CHECK_WHOLE(list[0].rows[0].dsts, 2);
	CHECK_WHOLE(list[0].rows[0].bytes, 80);
	CHECK_WHOLE(watch_seconds(&list[0].watched, (struct span){ 0, 100 }), 300);
	CHECK_WHOLE(list[1].len, 1);
	for (size_t i = 0; i < n; i++)
		CHECK_OK(batch_sound(&list[i], &e));
	batches_free(list, n);
	tally_close(t);
}

TEST(tally_counts_destinations_up_to_four_and_then_more)
{
	static const unsigned want[] = { 1, 1, 2, 3, 4, DSTS_MORE, DSTS_MORE };
	static const uint32_t dst[] = { 1, 1, 2, 3, 4, 5, 6 };

	for (size_t hits = 1; hits <= 7; hits++) {
		struct tally *t = tally_open(TALLY_ROWS_MAX);
		int a = tally_sensor(t, "a");
		size_t n;

		for (size_t i = 0; i < hits; i++)
			add(t, a, knock(60, 7, dst[i]));
		struct batch *list = tally_cut(t, 9, &n);
		CHECK_WHOLE(list[0].rows[0].dsts, want[hits - 1]);
		CHECK_WHOLE(list[0].rows[0].packets, hits);
		batches_free(list, n);
		tally_close(t);
	}
}

TEST(tally_does_not_let_a_count_overflow)
{
	struct tally *t = tally_open(TALLY_ROWS_MAX);
	int a = tally_sensor(t, "a");
	struct packet p = knock(60, 7, 1);
	uint64_t sum = 0;
	size_t n;

	p.packets = UINT32_MAX - 1;
	packet_tell(&p);
	for (int i = 0; i < 3; i++)
		CHECK_WHOLE(tally_add(t, a, &p, 1), 1);
	struct batch *list = tally_cut(t, 9, &n);
	for (size_t i = 0; i < list[0].len; i++)
		sum += list[0].rows[i].packets;
	CHECK_WHOLE(sum, 3 * (uint64_t)(UINT32_MAX - 1));
	CHECK_WHOLE(list[0].seen, sum);
	batches_free(list, n);
	tally_close(t);
}

TEST(tally_hands_over_when_full_and_counts_its_serials_on)
{
	struct tally *t = tally_open(TALLY_ROWS_MAX);
	int a = tally_sensor(t, "a");
	uint64_t seen = 0, serial = 0;
	size_t n, pushed = 0;

	for (uint32_t i = 0; i < TALLY_ROWS_MAX + 10; i++, pushed++) {
		add(t, a, knock(60 * (i % 50), i, 1));
		if (!tally_full(t))
			continue;
		struct batch *list = tally_cut(t, 9, &n);
		CHECK_WHOLE(n, 1);
		CHECK_WHOLE(list[0].watched.len, 0);
		CHECK_WHOLE(list[0].serial, ++serial);
		seen += list[0].seen;
		batches_free(list, n);
	}
	struct batch *list = tally_end(t, 9, (struct span){ 0, 50 }, &n);
	CHECK_WHOLE(list[0].serial, 2);
	CHECK_WHOLE(seen + list[0].seen, pushed);
	batches_free(list, n);
	tally_close(t);
}

TEST(tally_spreads_what_lies_further_apart_than_a_batch_may_span)
{
	struct tally *t = tally_open(TALLY_ROWS_MAX);
	int a = tally_sensor(t, "a");
	uint64_t watched = 0;
	struct err e;
	size_t n;

	add(t, a, knock(0, 7, 1));
	add(t, a, knock((int64_t)MINUTE_MAX * 60 - 1, 7, 1));
	struct batch *list = tally_end(t, 9, (struct span){ 0, MINUTE_MAX }, &n);
	for (size_t i = 0; i < n; i++) {
		CHECK_OK(batch_sound(&list[i], &e));
		watched += watch_seconds(&list[i].watched, (struct span){ 0, MINUTE_MAX });
	}
	CHECK_WHOLE(watched, (uint64_t)MINUTE_MAX * 60);
	batches_free(list, n);
	tally_close(t);
}

TEST(tally_says_that_a_sensor_looked_and_saw_nothing)
{
	struct tally *t = tally_open(TALLY_ROWS_MAX);
	struct err e;
	size_t n;

	(void)tally_sensor(t, "quiet");
	struct batch *list = tally_end(t, 9, (struct span){ 10, 20 }, &n);
	CHECK_WHOLE(n, 1);
	CHECK_OK(batch_sound(&list[0], &e));
	CHECK_WHOLE(list[0].len, 0);
	CHECK_WHOLE(list[0].span.until, 20);
	batches_free(list, n);
	list = tally_end(t, 9, (struct span){ 0, 0 }, &n);
	CHECK_WHOLE(n, 0);
	batches_free(list, n);
	tally_close(t);
}

TEST(tally_bounds_the_sensors_of_a_file)
{
	struct tally *t = tally_open(TALLY_ROWS_MAX);
	char name[16];

	for (int i = 0; i < TALLY_SENSORS_MAX; i++) {
		(void)snprintf(name, sizeof name, "s%d", i);
		CHECK_WHOLE(tally_sensor(t, name), i);
	}
	CHECK_WHOLE(tally_sensor(t, "one-more"), -1);
	CHECK_WHOLE(tally_sensor(t, "s7"), 7);
	tally_close(t);
}

TEST(account_adds_up_and_remembers_the_first_line_of_each_reason)
{
	struct account a;
	struct packet p = knock(600, 1, 1);

	account_init(&a);
	p.packets = 5;
	account_count(&a, &p);
	account_refuse(&a, REFUSAL_CUT, 17);
	account_refuse(&a, REFUSAL_CUT, 18);
	account_refuse(&a, REFUSAL_PROTO, 3);
	CHECK_WHOLE(a.read, 4);
	CHECK_WHOLE(a.counted, 1);
	CHECK_WHOLE(a.packets, 5);
	CHECK_WHOLE(account_refused(&a), 3);
	CHECK_WHOLE(a.refused[REFUSAL_CUT], 2);
	CHECK_WHOLE(a.first[REFUSAL_CUT], 17);
	CHECK_WHOLE(a.span.from, 10);
	CHECK_WHOLE(a.span.until, 11);
	account_release(&a);
}

TEST(account_finds_the_longest_gaps_whatever_the_order)
{
	static const minute_t at[] = { 5000, 0, 59, 120, 181, 400, 1000, 1061, 3000, 3061, 4900 };
	struct span gaps[GAPS_SHOWN];
	struct account a;
	size_t all;

	account_init(&a);
	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		struct packet p = knock((int64_t)at[i] * 60, 1, 1);

		account_count(&a, &p);
	}
	/* gaps: 60-120 (60), 121-181 (60), 182-400, 401-1000, 1001-1061 (60), 1062-3000, 3001-3061 (60), 3062-4900, 4901-5000 */
	CHECK_WHOLE(account_gaps(&a, gaps, &all), GAPS_SHOWN);
	CHECK_WHOLE(all, 9);
	CHECK_WHOLE(gaps[0].from, 182);
	CHECK_WHOLE(gaps[0].until, 400);
	CHECK_WHOLE(gaps[1].from, 401);
	CHECK_WHOLE(gaps[2].from, 1062);
	CHECK_WHOLE(gaps[3].from, 3062);
	CHECK_WHOLE(gaps[4].from, 4901);
	account_release(&a);
}

TEST(account_of_nothing_has_no_gaps)
{
	struct span gaps[GAPS_SHOWN];
	struct account a;
	size_t all;

	account_init(&a);
	CHECK_WHOLE(account_gaps(&a, gaps, &all), 0);
	CHECK_WHOLE(all, 0);
	account_release(&a);
}
