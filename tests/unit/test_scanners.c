/* Known scanners: what a list says of an address on a day, what is refused, how a list is renewed, and that figures can be split by it
 * and freed from it. */
#include "test.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/zone.h"
#include "core/calendar.h"
#include "store/scanners.h"
#include "store/store.h"

#include <stdio.h>

static const char *in_dir(const char *name)
{
	static char path[512];

	(void)snprintf(path, sizeof path, "%s/%s", test_dir(), name);
	return path;
}

static struct scanners list_of(const char *text)
{
	struct scanners s;
	struct err e;

	CHECK_OK(scanners_parse(&s, text, &e));
	return s;
}

static uint32_t day_of(const char *date)
{
	minute_t at;
	struct err e;

	CHECK_OK(calendar_parse(&zone_utc, date, &at, &e));
	return at / MINUTES_PER_DAY;
}

static const char *who(const struct scanners *s, const char *address, const char *date)
{
	struct addr a;

	CHECK(addr_parse(address, &a));
	unsigned by = scanners_find(s, &a, day_of(date));
	return by ? s->names[by - 1] : "nobody";
}

TEST(scanners_hold_from_their_first_day_up_to_their_last)
{
	struct scanners s = list_of("# ours\n192.0.2.0/24 Alpha from=2026-03-10 until=2026-04-01 # spring\n\n2001:db8::/32\tBeta until=2026-01-02\r\n198.51.100.7 Gamma");

	CHECK_TEXT(who(&s, "192.0.2.0", "2026-03-09"), "nobody");
	CHECK_TEXT(who(&s, "192.0.2.0", "2026-03-10"), "Alpha");
	CHECK_TEXT(who(&s, "192.0.2.255", "2026-03-31"), "Alpha");
	CHECK_TEXT(who(&s, "192.0.2.255", "2026-04-01"), "nobody");
	CHECK_TEXT(who(&s, "192.0.3.0", "2026-03-15"), "nobody");
	CHECK_TEXT(who(&s, "192.0.1.255", "2026-03-15"), "nobody");
	CHECK_TEXT(who(&s, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2026-01-01"), "Beta");
	CHECK_TEXT(who(&s, "2001:db8::", "2026-01-02"), "nobody");
	CHECK_TEXT(who(&s, "2001:db9::", "2026-01-01"), "nobody");
	CHECK_TEXT(who(&s, "198.51.100.7", "1970-01-01"), "Gamma");
	CHECK_TEXT(who(&s, "198.51.100.8", "2026-01-01"), "nobody");
	scanners_release(&s);
}

TEST(of_scanners_that_overlap_the_narrowest_network_that_holds_then_wins_and_of_equal_ones_the_first)
{
	struct scanners s = list_of("10.0.0.0/8 wide\n10.1.0.0/16 middle from=2026-02-01\n10.1.2.0/24 narrow until=2026-03-01\n10.1.2.0/24 later\n10.1.2.0/24 never\n"
		"10.9.0.0/16 gone until=2026-01-01\n");

	CHECK_TEXT(who(&s, "10.1.2.3", "2026-02-28"), "narrow");
	CHECK_TEXT(who(&s, "10.1.2.3", "2026-03-01"), "later");
	CHECK_TEXT(who(&s, "10.1.3.3", "2026-02-28"), "middle");
	CHECK_TEXT(who(&s, "10.1.3.3", "2026-01-28"), "wide");
	CHECK_TEXT(who(&s, "10.200.0.0", "2026-01-28"), "wide");
	CHECK_TEXT(who(&s, "10.9.0.1", "2026-01-28"), "wide");
	CHECK_TEXT(who(&s, "11.0.0.0", "2026-01-28"), "nobody");
	scanners_release(&s);
}

/* Every network is tried for every address. */
static unsigned slow_find(const struct scanners *s, const struct addr *a, uint32_t day)
{
	const struct scanning *best = NULL;

	for (size_t i = 0; i < s->len; i++) {
		const struct scanning *one = &s->list[i];

		if (prefix_holds(&one->net, a) && one->from <= day && day < one->until && (!best || one->net.bits > best->net.bits))
			best = one;
	}
	return best ? best->by : 0;
}

TEST(scanners_are_found_as_if_every_network_were_tried)
{
	struct buf text = buf_make(1 << 20);
	uint64_t seed = 5;
	unsigned found = 0;

	for (unsigned i = 0; i < 600; i++) {
		bool v6 = test_random(&seed) % 4 == 0;
		unsigned bits = v6 ? 44 + (unsigned)(test_random(&seed) % 85) : 96 + 14 + (unsigned)(test_random(&seed) % 19);
		struct addr a = v6 ? addr_of(0x20010db800000000u | (test_random(&seed) & 0xf0000), test_random(&seed) & 3) :
			addr_v4((uint32_t)(test_random(&seed) & 0x0303ff07));
		struct prefix p = { addr_masked(&a, bits), bits };
		char net[PREFIX_TEXT_MAX], date[CALENDAR_TEXT_MAX];
		uint32_t day = 20000 + (uint32_t)(test_random(&seed) % 20);

		buf_printf(&text, "%s n%u", prefix_format(&p, net), (unsigned)(test_random(&seed) % 40));
		if (test_random(&seed) % 2)
			buf_printf(&text, " from=%s", calendar_date(&zone_utc, day * MINUTES_PER_DAY, date));
		if (test_random(&seed) % 2)
			buf_printf(&text, " until=%s", calendar_date(&zone_utc, (day + 1 + (uint32_t)(test_random(&seed) % 9)) * MINUTES_PER_DAY, date));
		buf_str(&text, "\n");
	}
	struct scanners s = list_of(buf_cstr(&text));
	for (unsigned i = 0; i < 40000; i++) {
		struct addr a = i % 4 == 0 ? addr_of(0x20010db800000000u | (test_random(&seed) & 0xf0000), test_random(&seed) & 7) :
			addr_v4((uint32_t)(test_random(&seed) & 0x0f07ff0f));
		uint32_t day = 19995 + (uint32_t)(test_random(&seed) % 40);

		found += scanners_find(&s, &a, day) != 0;
		CHECK_WHOLE(scanners_find(&s, &a, day), slow_find(&s, &a, day));
	}
	CHECK(found > 4000 && found < 36000);
	scanners_release(&s);
	buf_release(&text);
}

TEST(a_list_of_scanners_that_is_wrong_is_refused_with_its_line)
{
	static const char *const wrong[] = { "192.0.2.0/24", "192.0.2.1/24 a", "192.0.2.0/33 a", "example.org a", "192.0.2.0/24 only", "192.0.2.0/24 Without", "192.0.2.0/24 all",
		"192.0.2.0/24 a b", "192.0.2.0/24 a from=", "192.0.2.0/24 a from=2026-02-30", "192.0.2.0/24 a from=2026-02-03T00:00", "192.0.2.0/24 a from=2026-02-03 from=2026-02-04",
		"192.0.2.0/24 a from=2026-02-03 until=2026-02-03", "192.0.2.0/24 a until=2026-02-03 from=2026-02-04", "192.0.2.0/24 a&b", "192.0.2.0/24 .a", "::/0 a", "::/80 a",
		"192.0.2.0/24 a23456789b123456789c123456789d123456789e123456789f123456789g1234" };
	struct scanners s;
	struct err e;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char text[256];

		(void)snprintf(text, sizeof text, "# one\n10.0.0.0/8 fine\n%s\n", wrong[i]);
		if (scanners_parse(&s, text, &e))
			test_failed(__FILE__, __LINE__, "accepted: %s", wrong[i]);
		CHECK_TEXT(e.where, "line 3");
		CHECK(e.what[0] && s.list == NULL);
	}
	s = list_of("0.0.0.0/0 everybody\n::ffff:192.0.2.0/120 mapped");
	CHECK_TEXT(who(&s, "192.0.2.9", "2026-01-01"), "mapped");
	CHECK_TEXT(who(&s, "::1", "2026-01-01"), "nobody");
	scanners_release(&s);
}

TEST(the_id_of_a_list_of_scanners_is_that_of_what_it_says)
{
	struct scanners a = list_of("192.0.2.0/24 Alpha # a note\n"), b = list_of("\n192.0.2.0/24   Alpha"), c = list_of("192.0.2.0/24 Alpha from=2026-01-01\n");

	CHECK_TEXT(a.id, b.id);
	CHECK(strcmp(a.id, c.id) != 0 && strlen(a.id) == 12);
	scanners_release(&a);
	scanners_release(&b);
	scanners_release(&c);
}

static void renew(struct scanners *s, const char *name, const char *nets, const char *from)
{
	struct prefix *list = NULL;
	size_t len = 0;
	struct err e;

	CHECK_OK(file_write(in_dir("nets"), nets, strlen(nets), &e));
	CHECK_OK(scanners_nets(in_dir("nets"), &list, &len, &e));
	CHECK_OK(scanners_renew(s, name, list, len, from ? day_of(from) : 0, &e));
	free(list);
}

static void says(const struct scanners *s, const char *expected)
{
	struct buf text = buf_make(1 << 16);

	for (size_t i = 0; i < s->len; i++)
		scanners_text(&s->list[i], s, &text);
	CHECK_TEXT(buf_cstr(&text), expected);
	buf_release(&text);
}

TEST(a_newer_list_of_an_organisation_holds_from_its_day_on_and_what_held_before_is_kept)
{
	struct scanners s = list_of("10.0.0.0/8 Other\n");

	renew(&s, "Alpha", "192.0.2.0/24\n198.51.100.0/24 # two\n198.51.100.0/24\n", "2026-01-01");
	says(&s, "10.0.0.0/8 Other\n192.0.2.0/24 Alpha from=2026-01-01\n198.51.100.0/24 Alpha from=2026-01-01\n");
	renew(&s, "Alpha", "203.0.113.0/24\n192.0.2.0/24\n", "2026-02-01");
	says(&s, "10.0.0.0/8 Other\n192.0.2.0/24 Alpha from=2026-01-01\n198.51.100.0/24 Alpha from=2026-01-01 until=2026-02-01\n203.0.113.0/24 Alpha from=2026-02-01\n");
	CHECK_TEXT(who(&s, "198.51.100.1", "2026-01-31"), "Alpha");
	CHECK_TEXT(who(&s, "198.51.100.1", "2026-02-01"), "nobody");
	/* the same again changes nothing; a correction of that day takes its place */
	renew(&s, "Alpha", "203.0.113.0/24\n192.0.2.0/24\n", "2026-02-01");
	says(&s, "10.0.0.0/8 Other\n192.0.2.0/24 Alpha from=2026-01-01\n198.51.100.0/24 Alpha from=2026-01-01 until=2026-02-01\n203.0.113.0/24 Alpha from=2026-02-01\n");
	renew(&s, "Alpha", "198.51.100.0/24\n", "2026-02-01");
	says(&s, "10.0.0.0/8 Other\n192.0.2.0/24 Alpha from=2026-01-01 until=2026-02-01\n198.51.100.0/24 Alpha from=2026-01-01\n");
	renew(&s, "Alpha", "2001:db8::/32\n", NULL);
	says(&s, "10.0.0.0/8 Other\n2001:db8::/32 Alpha\n");
	scanners_release(&s);
}

/* --- in a store --- */

enum { LONG = 40, FLEET = 5, DAY0 = 13149 /* 2006-01-01 */ };

/* Eight sources a day on two ports at five sensors, of which one has gone mad; an IPv6 one among them. Two of them bear a mark. */
static void fill(struct store *s)
{
	uint64_t seed = 3;
	enum stored each;
	struct err e;

	for (unsigned i = 0; i < FLEET; i++) {
		minute_t start = DAY0 * MINUTES_PER_DAY;
		struct batch b = { .epoch = 1, .serial = 1, .span = { start, start + LONG * MINUTES_PER_DAY } };
		const struct batch *list[] = { &b };

		(void)snprintf(b.sensor, sizeof b.sensor, "s%u", i);
		watch_add(&b.watched, (struct run){ b.span.from, b.span.until, 60 });
		for (unsigned d = 0; d < LONG; d++)
			for (unsigned k = 0; k < 8; k++)
				batch_add(&b, &(struct tuple){ .src = k == 7 ? addr_of(0x20010db800000000u, 1) : addr_v4(0x0a000000u + (k << 16) + 9), .minute = start + d * MINUTES_PER_DAY + k,
					.proto = PROTO_TCP, .port = (uint16_t)(80 + k % 2), .mark = k == 1 ? MARK_MIRAI : k == 2 ? MARK_ZMAP | MARK_MIRAI : 0,
					.kind = k == 4 ? KIND_ERROR : KIND_SCAN, .packets = (uint32_t)(2 + test_random(&seed) % 3 + (i == 2 && d > 30 ? 1000 : 0)) });
		b.len = tuples_settle(b.rows, b.len);
		CHECK_OK(store_put(s, list, 1, &each, &e));
		batch_release(&b);
	}
	CHECK_OK(store_settle(s, (DAY0 + LONG) * MINUTES_PER_DAY, &e));
}

static void give_list(struct store *s, const char *text)
{
	struct err e;

	CHECK_OK(file_write(in_dir("scanners"), text, strlen(text), &e));
	CHECK_OK(store_scanners(s, in_dir("scanners"), &e));
}

static struct answer ask(struct store *s, const char *text)
{
	struct question q;
	struct answer a;
	struct err e;

	question_init(&q);
	CHECK_OK(question_parse(&q, text, NULL, &e));
	CHECK_OK(store_ask(s, &q, &a, &e));
	return a;
}

/* Value, packets and sources over all series. */
struct sum { double value; uint64_t packets; size_t len; };

static struct sum sum_of(struct store *s, const char *text, const char *more)
{
	struct sum sum = { 0 };
	char question[512];

	(void)snprintf(question, sizeof question, "%s&top=all%s", text, more);
	struct answer a = ask(s, question);
	for (size_t i = 0; i < a.len; i++) {
		sum.value += a.list[i].value;
		sum.packets += a.list[i].packets;
	}
	sum.len = a.len;
	answer_release(&a);
	return sum;
}

static void add_up(struct store *s, const char *text, const char *one, const char *other)
{
	struct sum whole = sum_of(s, text, ""), x = sum_of(s, text, one), y = sum_of(s, text, other);

	if (x.packets == 0 || y.packets == 0 || x.packets + y.packets != whole.packets || fabs(x.value + y.value - whole.value) > 1e-6 * whole.value)
		test_failed(__FILE__, __LINE__, "%s: %s %.9g and %s %.9g of %.9g", text, one, x.value, other, y.value, whole.value);
}

static const char a_list[] = "10.0.0.0/16 Alpha\n10.1.0.0/16 Beta from=2006-01-20\n10.2.0.0/15 Beta\n10.2.0.0/16 Gamma until=2006-02-01\n2001:db8::/32 Six\n";

static void all_parts(struct store *s)
{
	static const char *const questions[] = { "each=port&step=all&last=30d", "each=nothing&step=all&last=30d", "each=port&step=all&last=30d&across=mean",
		"each=region&step=all&last=30d&across=sum", "port=80/tcp&each=nothing&step=all&last=30d&across=robust" };

	give_list(s, a_list);
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
		add_up(s, questions[i], "&scanners=without", "&scanners=only");
		add_up(s, questions[i], "&kind=error", "&without=error");
		add_up(s, questions[i], "&mark=mirai", "&without=mirai");
		add_up(s, questions[i], "&kind=scan", "&without=scan");
	}
	struct sum whole = sum_of(s, "each=nothing&step=all&last=30d", ""), parts = sum_of(s, "each=scanner&step=all&last=30d", "");
	CHECK_WHOLE(parts.len, 5);
	CHECK(parts.packets == whole.packets && fabs(parts.value - whole.value) < 1e-6 * whole.value);
	/* what one organisation's own question says is what the split says of it */
	struct sum beta = sum_of(s, "each=nothing&step=all&last=30d", "&scanners=Beta");
	struct answer a = ask(s, "each=scanner&step=all&last=30d&top=all");
	unsigned met = 0;
	for (size_t i = 0; i < a.len; i++)
		if (!strcmp(a.list[i].label, "Beta") && ++met) {
			CHECK(a.list[i].packets == beta.packets);
			CHECK_NEAR(a.list[i].value, beta.value);
		} else if (!strcmp(a.list[i].label, SCANNER_UNKNOWN)) {
			met++;
		}
	CHECK_WHOLE(met, 2);
	/* the mad sensor bends neither part; its packets are counted */
	struct answer free_of = ask(s, "each=nothing&step=day&last=1d&scanners=without");
	CHECK(free_of.len == 1 && free_of.list[0].plain > 500 && free_of.list[0].value < 20 && free_of.list[0].value > 5);
	answer_release(&free_of);
	answer_release(&a);
}

TEST(parts_by_scanner_mark_and_kind_add_up_in_memory)
{
	struct err e;
	struct store *s = store_open("memory:", "Asia/Tokyo", NULL, &e);

	CHECK(s != NULL);
	fill(s);
	all_parts(s);
	store_close(s);
}

TEST(parts_by_scanner_mark_and_kind_add_up_on_disk)
{
	char address[600];
	struct err e;

	(void)snprintf(address, sizeof address, "duckdb:%s", in_dir("store.duckdb"));
	struct store *s = store_open(address, "Asia/Tokyo", NULL, &e);
	CHECK(s != NULL);
	fill(s);
	all_parts(s);
	store_close(s);
}

static void put_one(struct store *const stores[2], uint64_t serial)
{
	minute_t at = (DAY0 + 33) * MINUTES_PER_DAY + (minute_t)serial;
	struct batch b = { .sensor = "s1", .epoch = 2, .serial = serial, .span = { at, at + 1 } };
	const struct batch *list[] = { &b };
	enum stored each;
	struct err e;

	for (unsigned k = 0; k < 6; k++)
		batch_add(&b, &(struct tuple){ .src = addr_v4(0x0a000000u + (k << 16) + 77), .minute = at, .proto = PROTO_TCP, .port = 80, .packets = 100 });
	b.len = tuples_settle(b.rows, b.len);
	for (int k = 0; k < 2; k++)
		CHECK_OK(store_put(stores[k], list, 1, &each, &e));
	batch_release(&b);
}

static void give_both(struct store *const stores[2], const char *text)
{
	give_list(stores[0], text);
	give_list(stores[1], text);
}

static void same_without(struct store *const stores[2])
{
	struct sum want = sum_of(stores[0], "each=port&step=day&last=20d&across=sum", "&scanners=without");
	struct sum got = sum_of(stores[1], "each=port&step=day&last=20d&across=sum", "&scanners=without");

	CHECK(want.packets == got.packets);
	CHECK_NEAR(got.value, want.value);
}

/* What a store remembers of its answers follows packets and lists. */
TEST(what_is_free_from_known_scanners_stays_so_while_packets_and_lists_come)
{
	static const char *const lists[] = { a_list, "10.1.0.0/16 Beta\n", a_list, "# nobody\n" };
	struct store *stores[2];
	char address[600];
	struct err e;

	(void)snprintf(address, sizeof address, "duckdb:%s", in_dir("store.duckdb"));
	stores[0] = store_open("memory:", "Asia/Tokyo", NULL, &e);
	stores[1] = store_open(address, "Asia/Tokyo", NULL, &e);
	CHECK(stores[0] && stores[1]);
	for (int k = 0; k < 2; k++)
		fill(stores[k]);
	for (unsigned i = 0; i < 24; i++) {
		if (i % 3 == 0)
			give_both(stores, lists[i / 3 % 4]);
		if (i % 2)
			put_one(stores, i);
		for (int again = 0; again < 2 && i % 6 != 5; again++)
			same_without(stores);
	}
	/* packets that come while another list holds are there when the first one comes back */
	give_both(stores, a_list);
	same_without(stores);
	give_both(stores, lists[1]);
	put_one(stores, 100);
	give_both(stores, a_list);
	same_without(stores);
	for (int k = 0; k < 2; k++)
		store_close(stores[k]);
}

/* Packets of the one source of 10.1.0.0/16, which is a scanner of the 20th day on, before and after. */
TEST(a_list_of_scanners_applies_as_of_the_days_of_the_stores_zone)
{
	static const char *const engines[] = { "memory:", NULL };
	char address[600];
	struct err e;

	for (int k = 0; k < 2; k++) {
		(void)snprintf(address, sizeof address, "duckdb:%s", in_dir("store.duckdb"));
		struct store *s = store_open(engines[k] ? engines[k] : address, "Asia/Tokyo", NULL, &e);

		CHECK(s != NULL);
		fill(s);
		give_list(s, "10.1.0.0/16 Beta from=2006-01-20\n");
		/* the packets of its day came at 09:01 in Tokyo */
		struct answer a = ask(s, "each=nothing&step=day&across=sum&source=10.1.0.9&scanners=only&from=2006-01-17&until=2006-01-23");
		for (size_t i = 0; i < 6; i++)
			CHECK((a.list[0].values[i] > 0) == (i >= 3));
		answer_release(&a);
		a = ask(s, "each=scanner&step=day&across=sum&source=10.1.0.9&from=2006-01-17&until=2006-01-23");
		CHECK(a.len == 2 && a.list[0].values[2] + a.list[1].values[2] > 0 && a.list[0].values[2] * a.list[1].values[2] == 0);
		answer_release(&a);
		store_close(s);
	}
}

TEST(a_store_looks_at_its_list_of_scanners_before_every_question)
{
	struct question q;
	struct answer a;
	struct facts f, g;
	struct err e;
	struct store *s = store_open("memory:", "UTC", NULL, &e);

	fill(s);
	/* without a list nothing is said to be free from it */
	question_init(&q);
	CHECK(question_parse(&q, "each=port&scanners=without", NULL, &e) && !store_ask(s, &q, &a, &e));
	CHECK_WHOLE(e.kind, ERR_ASKED);
	question_init(&q);
	CHECK(question_parse(&q, "each=scanner", NULL, &e) && !store_ask(s, &q, &a, &e));
	CHECK_TEXT(e.where, "each");
	CHECK_OK(store_scanners(s, in_dir("scanners"), &e));
	CHECK_OK(store_facts(s, &f, &e));
	CHECK_TEXT(f.scanners, "none");
	CHECK_OK(file_write(in_dir("scanners"), a_list, sizeof a_list - 1, &e));
	CHECK_OK(store_facts(s, &g, &e));
	CHECK(strcmp(g.scanners, "none") != 0 && g.revision > f.revision);
	struct answer before = ask(s, "each=nothing&step=all&scanners=without");
	CHECK_TEXT(before.scanners, g.scanners);
	/* what is wrong is not taken */
	CHECK_OK(file_write(in_dir("scanners"), "nonsense\n", 9, &e));
	a = ask(s, "each=nothing&step=all&scanners=without");
	CHECK_TEXT(a.scanners, g.scanners);
	answer_release(&a);
	CHECK_OK(file_write(in_dir("scanners"), "10.0.0.0/8 Everybody\n", 21, &e));
	a = ask(s, "each=nothing&step=all&scanners=without");
	CHECK(strcmp(a.scanners, before.scanners) != 0 && a.list[0].packets < before.list[0].packets);
	answer_release(&a);
	answer_release(&before);
	question_init(&q);
	CHECK(question_parse(&q, "each=port&scanners=Alpha", NULL, &e) && !store_ask(s, &q, &a, &e));
	CHECK_WHOLE(e.kind, ERR_ASKED);
	CHECK_TEXT(e.where, "scanners");
	facts_release(&f);
	facts_release(&g);
	store_close(s);
	/* one that is wrong from the beginning is told to whoever needs it */
	s = store_open("memory:", "UTC", NULL, &e);
	fill(s);
	CHECK_OK(file_write(in_dir("scanners"), "nonsense\n", 9, &e));
	CHECK(!store_scanners(s, in_dir("scanners"), &e));
	question_init(&q);
	CHECK(question_parse(&q, "each=port&scanners=only", NULL, &e) && !store_ask(s, &q, &a, &e));
	CHECK(strstr(e.where, "line 1") != NULL && e.kind == ERR_WORLD);
	store_close(s);
}
