/* The simulator: the same words and seed tell the same tale; what the scenario plants is there, and nothing it forbids. */
#include "test.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"
#include "core/calendar.h"
#include "simulate/chance.h"
#include "simulate/scenario.h"
#include "simulate/traffic.h"
#include "store/regions.h"

#include <stdio.h>

#define DEMONSTRATION "scenarios/isdas-2006.scenario"

static const char small[] =
	"zone Asia/Tokyo\n"
	"span 2005-06-01 2005-07-13   # six weeks\n"
	"mix far KR=3 US=1\n"
	"sensor a addresses=4 region=JP group=east\n"
	"sensor b addresses=1 factor=2 joined=2005-06-10\n"
	"sensor c addresses=2\n"
	"outage a from=2005-06-20T06:00 until=2005-06-21T18:00\n"
	"outages every=20 hours=6\n"
	"port 445/tcp level=40 week=0.4 day=0.3 noise=0.05 spread=0.1 packets=2 returning=0.4 sweeps=1 mix=far\n"
	"port icmp/8 level=10\n"
	"port 1434/udp level=5 packets=1 bytes=404\n"
	"backscatter 80/tcp level=3 returning=0.9\n"
	"tail ports=50 level=2\n"
	"hammer every=10 packets=100\n"
	"odd c 445/tcp factor=10 from=2005-07-01\n"
	"rise 9999/tcp shape=step from=2005-06-25 until=2005-06-28 level=20 share=1\n";

static struct scenario scenario_of(const char *text)
{
	struct scenario s;
	struct err e;

	CHECK_OK(scenario_parse(&s, text, strlen(text), &e));
	return s;
}

static struct scenario demonstration(void)
{
	struct scenario s;
	struct err e;

	CHECK_OK(scenario_read(&s, DEMONSTRATION, &e));
	return s;
}

static void check_refused(const char *text, const char *why)
{
	char all[ERR_TEXT_MAX];
	struct scenario s;
	struct err e;

	CHECK(!scenario_parse(&s, text, strlen(text), &e));
	if (!strstr(err_text(&e, all), why))
		test_failed(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", all, why);
	scenario_release(&s);
}

TEST(scenario_says_which_line_is_wrong_and_why)
{
	const char *head = "zone UTC\nspan 2005-01-01 2005-02-01\nmix m JP=1\nsensor a addresses=1\n";
	static const struct { const char *line, *why; } wrong[] = {
		{ "nonsense x=1", "line 5: unknown word" },
		{ "port 445/tcp", "line 5: level is missing" },
		{ "port 445/tcp level=-1", "line 5: level cannot be" },
		{ "port 445/tcp level=1 level=2", "given twice" },
		{ "port 445/tcp level=1 colour=2", "unknown key" },
		{ "port 445/tcp level=1 mix=n", "the name of a mix" },
		{ "port 445 level=1", "not a port" },
		{ "port icmpv6/128 level=1", "not a port" },
		{ "port 445/tcp level = 1", "not key=value" },
		{ "sensor a addresses=1", "there already" },
		{ "sensor b addresses=0", "addresses cannot be" },
		{ "sensor b addresses=1 joined=2005-03-01", "outside the scenario's span" },
		{ "sensor b addresses=1 joined=yesterday", "line 5" },
		{ "outage b from=2005-01-02 until=2005-01-03", "no sensor" },
		{ "outage a from=2005-01-03 until=2005-01-02", "empty" },
		{ "odd a 445/tcp factor=2", "no port" },
		{ "rise 445/tcp shape=hill from=2005-01-02 until=2005-01-03 level=1", "step, worm" },
		{ "mix n JP=1 japan=2", "no region" },
		{ "zone UTC", "zone is given once" },
		{ "span 2005-01-01 2005-02-01", "span is given once" },
		{ "port 445/tcp level=100000 packets=1\nsensor b addresses=60000", "packets a day" },
	};
	char text[1024];

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		(void)snprintf(text, sizeof text, "%s%s\n", head, wrong[i].line);
		check_refused(text, wrong[i].why);
	}
	check_refused("span 2005-01-01 2005-02-01\n", "line 1: \"span\" comes too early");
	check_refused("zone UTC\nspan 2005-01-01T01:00 2005-02-01\n", "whole days");
	check_refused("zone UTC\n", "at least one sensor");
	check_refused("", "at least one sensor");
}

TEST(scenario_of_the_demonstration_is_the_reports_time)
{
	struct scenario s = demonstration();
	char from[CALENDAR_TEXT_MAX], until[CALENDAR_TEXT_MAX];

	CHECK_TEXT(s.zone.name, "Asia/Tokyo");
	CHECK_TEXT(calendar_rfc3339(&s.zone, s.span.from, from), "2005-01-01T00:00:00+09:00");
	CHECK_TEXT(calendar_rfc3339(&s.zone, s.span.until, until), "2006-07-01T00:00:00+09:00");
	CHECK_WHOLE(s.sensors_len, 24);
	CHECK_WHOLE(s.rises_len, 4);
	scenario_release(&s);
}

/* Everything a day's batches say, as bytes. */
static void add_day(const struct traffic *t, unsigned day, struct buf *out)
{
	struct batch list[8];
	size_t n = traffic_day(t, day, list);
	struct err e;

	for (size_t i = 0; i < n; i++) {
		CHECK_OK(batch_sound(&list[i], &e));
		batch_encode(&list[i], out);
		batch_release(&list[i]);
	}
}

static struct buf all_days(const struct scenario *s, uint64_t seed)
{
	struct traffic *t = traffic_open(s, seed, NULL);
	struct buf out = buf_make(64 << 20);

	for (unsigned day = 0; day < traffic_days(t); day++)
		add_day(t, day, &out);
	traffic_close(t);
	return out;
}

TEST(traffic_of_one_scenario_and_seed_is_the_same_to_the_byte)
{
	struct scenario s = scenario_of(small), again = scenario_of(small);
	struct buf one = all_days(&s, 1), same = all_days(&again, 1), other = all_days(&s, 2);

	CHECK(one.ok && one.len > 10000);
	CHECK_WHOLE(one.len, same.len);
	CHECK(!memcmp(one.at, same.at, one.len));
	CHECK(one.len != other.len || memcmp(one.at, other.at, one.len) != 0);
	buf_release(&one);
	buf_release(&same);
	buf_release(&other);
	scenario_release(&s);
	scenario_release(&again);
}

TEST(traffic_does_not_depend_on_the_order_of_days)
{
	struct scenario s = scenario_of(small);
	struct traffic *t = traffic_open(&s, 1, NULL);
	struct buf forward = buf_make(64 << 20), alone = buf_make(64 << 20);

	for (unsigned day = 0; day < 7; day++) {
		buf_clear(&forward);
		add_day(t, day, &forward);
	}
	traffic_close(t);
	t = traffic_open(&s, 1, NULL);
	add_day(t, 6, &alone);
	CHECK_WHOLE(forward.len, alone.len);
	CHECK(!memcmp(forward.at, alone.at, alone.len));
	buf_release(&forward);
	buf_release(&alone);
	traffic_close(t);
	scenario_release(&s);
}

TEST(traffic_names_scenario_and_seed_by_its_epoch)
{
	struct scenario s = scenario_of(small), other = scenario_of(small);

	other.digest[0] ^= 1;
	struct traffic *a = traffic_open(&s, 1, NULL), *b = traffic_open(&s, 2, NULL), *c = traffic_open(&other, 1, NULL);
	CHECK(traffic_epoch(a) != traffic_epoch(b));
	CHECK(traffic_epoch(a) != traffic_epoch(c));
	traffic_close(a);
	traffic_close(b);
	traffic_close(c);
	scenario_release(&s);
	scenario_release(&other);
}

/* Packets by day of one port at one sensor (NULL: all), and what else a test wants to know of a whole run. */
struct count { unsigned proto, port; const char *sensor; double by_day[SCENARIO_DAYS_MAX]; };

static void count_days(const struct scenario *s, uint64_t seed, struct count *counts, size_t len)
{
	struct traffic *t = traffic_open(s, seed, NULL);
	struct batch *list = mem_zero(s->sensors_len, sizeof *list);

	for (unsigned day = 0; day < traffic_days(t); day++) {
		size_t n = traffic_day(t, day, list);

		for (size_t i = 0; i < n; i++) {
			for (size_t k = 0; k < list[i].len; k++)
				for (size_t c = 0; c < len; c++) {
					const struct tuple *r = &list[i].rows[k];

					if (r->port == counts[c].port && r->proto == counts[c].proto && tuple_reaches(r) &&
						(!counts[c].sensor || !strcmp(counts[c].sensor, list[i].sensor)))
						counts[c].by_day[day] += r->packets;
				}
			batch_release(&list[i]);
		}
	}
	free(list);
	traffic_close(t);
}

static unsigned day_of(const struct scenario *s, const char *date)
{
	minute_t at;
	struct err e;

	CHECK_OK(calendar_parse(&s->zone, date, &at, &e));
	return calendar_day(&s->zone, at) - calendar_day(&s->zone, s->span.from);
}

/* Mean of the days from `from` up to, not with, `until`. */
static double mean_of(const struct scenario *s, const struct count *c, const char *from, const char *until)
{
	unsigned first = day_of(s, from), last = day_of(s, until);
	double sum = 0;

	for (unsigned d = first; d < last; d++)
		sum += c->by_day[d];
	return sum / (last - first);
}

TEST(demonstration_shows_the_four_rises_of_the_report)
{
	static struct count c[] = {
		{ PROTO_TCP, 10000, NULL, { 0 } }, { PROTO_TCP, 1433, NULL, { 0 } },
		{ PROTO_TCP, 1025, NULL, { 0 } }, { PROTO_TCP, 5900, NULL, { 0 } },
	};
	struct scenario s = demonstration();

	count_days(&s, 2006, c, 4);
	CHECK(mean_of(&s, &c[0], "2005-01-01", "2005-06-26") == 0);
	CHECK(mean_of(&s, &c[0], "2005-06-26", "2005-07-11") > 200);
	CHECK(mean_of(&s, &c[0], "2005-07-11", "2006-07-01") == 0);

	double before = mean_of(&s, &c[1], "2005-06-01", "2005-07-11");
	CHECK(before > 100);
	CHECK(mean_of(&s, &c[1], "2005-07-13", "2005-07-16") > 4 * before);
	CHECK(mean_of(&s, &c[1], "2005-07-13", "2005-07-16") > 2 * mean_of(&s, &c[1], "2005-07-26", "2005-07-29"));
	CHECK(mean_of(&s, &c[1], "2005-08-01", "2005-09-01") < 2 * before);

	before = mean_of(&s, &c[2], "2005-11-01", "2005-12-07");
	CHECK(mean_of(&s, &c[2], "2005-12-07", "2005-12-28") > 5 * before);
	CHECK(mean_of(&s, &c[2], "2005-12-28", "2006-02-01") < 2 * before);

	before = mean_of(&s, &c[3], "2006-04-01", "2006-05-15");
	CHECK(mean_of(&s, &c[3], "2006-05-17", "2006-05-24") > 3 * before);
	CHECK(mean_of(&s, &c[3], "2006-06-23", "2006-07-01") > 20 * before);
	scenario_release(&s);
}

TEST(traffic_follows_the_working_week)
{
	static struct count c[] = { { PROTO_TCP, 445, "a", { 0 } } };
	struct scenario s = scenario_of(small);
	double sum[2] = { 0 };
	unsigned days[2] = { 0 };

	count_days(&s, 5, c, 1);
	for (unsigned d = 0; d < day_of(&s, "2005-07-13"); d++) {
		bool weekend = calendar_civil(&s.zone, s.span.from + d * MINUTES_PER_DAY).weekday >= 5;

		if (d == day_of(&s, "2005-06-20") || d == day_of(&s, "2005-06-21"))
			continue;
		sum[weekend] += c[0].by_day[d];
		days[weekend]++;
	}
	double ratio = sum[0] / days[0] / (sum[1] / days[1]);
	CHECK(ratio > 1.5 && ratio < 2.6);              /* (1 + .4 × .4) / (1 - .4) is 1.9 */
	scenario_release(&s);
}

TEST(traffic_of_an_odd_sensor_is_odd_only_on_its_port_and_in_its_time)
{
	static struct count c[] = { { PROTO_TCP, 445, "c", { 0 } }, { PROTO_ICMP, 8 << 8, "c", { 0 } } };
	struct scenario s = scenario_of(small);

	count_days(&s, 5, c, 2);
	CHECK(mean_of(&s, &c[0], "2005-07-01", "2005-07-13") > 6 * mean_of(&s, &c[0], "2005-06-01", "2005-07-01"));
	CHECK(mean_of(&s, &c[1], "2005-07-01", "2005-07-13") < 2 * mean_of(&s, &c[1], "2005-06-01", "2005-07-01"));
	scenario_release(&s);
}

TEST(traffic_has_neither_rows_nor_watched_seconds_in_an_outage)
{
	struct scenario s = scenario_of(small);
	struct traffic *t = traffic_open(&s, 3, NULL);
	struct batch list[8];
	struct err e;
	struct span gap;
	uint64_t batches = 0;

	CHECK_OK(calendar_parse(&s.zone, "2005-06-20T06:00", &gap.from, &e));
	CHECK_OK(calendar_parse(&s.zone, "2005-06-21T18:00", &gap.until, &e));
	for (unsigned day = 0; day < traffic_days(t); day++) {
		size_t n = traffic_day(t, day, list);

		for (size_t i = 0; i < n; i++) {
			const struct batch *b = &list[i];

			CHECK_WHOLE(b->serial, day);
			CHECK(watch_seconds(&b->watched, b->span) > 0);
			CHECK(strcmp(b->sensor, "b") != 0 || day >= day_of(&s, "2005-06-10"));
			if (!strcmp(b->sensor, "a"))
				CHECK_WHOLE(watch_seconds(&b->watched, gap), 0);
			for (size_t k = 0; k < b->len; k++) {
				struct span minute = { b->rows[k].minute, b->rows[k].minute + 1 };

				CHECK_WHOLE(watch_seconds(&b->watched, minute), 60);
			}
			batch_release(&list[i]);
			batches++;
		}
	}
	CHECK_WHOLE(batches, traffic_batches(t));
	traffic_close(t);
	scenario_release(&s);
}

static struct regions *tiny_table(void)
{
	struct range list[2] = { { .region = "KR" }, { .region = "US" } };
	char path[512];
	struct regions *r;
	struct err e;

	CHECK(addr_parse("198.51.100.0", &list[0].from) && addr_parse("198.51.100.255", &list[0].to));
	CHECK(addr_parse("203.0.113.0", &list[1].from) && addr_parse("203.0.113.63", &list[1].to));
	(void)snprintf(path, sizeof path, "%s/regions.table", test_dir());
	CHECK_OK(regions_write(path, list, 2, "a test", &e));
	CHECK_OK((r = regions_open(path, &e)) != NULL);
	return r;
}

TEST(traffic_comes_from_the_regions_of_its_mix)
{
	struct scenario s = scenario_of(small);
	struct regions *r = tiny_table();
	struct traffic *t = traffic_open(&s, 3, r);
	unsigned korea = 0, all = 0;
	struct batch list[8];

	for (unsigned day = 0; day < traffic_days(t); day++) {
		size_t n = traffic_day(t, day, list);

		for (size_t i = 0; i < n; i++) {
			for (size_t k = 0; k < list[i].len; k++) {
				char region[3];
				uint32_t as;

				regions_find(r, &list[i].rows[k].src, region, &as);
				CHECK(!strcmp(region, "KR") || !strcmp(region, "US"));
				korea += region[0] == 'K';
				all++;
			}
			batch_release(&list[i]);
		}
	}
	CHECK(korea > .6 * all && korea < .9 * all);    /* weights 3 and 1; those who come back count often */
	traffic_close(t);
	regions_close(r);
	scenario_release(&s);
}

TEST(traffic_has_flags_kinds_and_sizes_that_fit)
{
	struct scenario s = scenario_of(small);
	struct traffic *t = traffic_open(&s, 3, NULL);
	unsigned answers = 0, echoes = 0;
	struct batch list[8];

	for (unsigned day = 0; day < 7; day++) {
		size_t n = traffic_day(t, day, list);

		for (size_t i = 0; i < n; i++) {
			for (size_t k = 0; k < list[i].len; k++) {
				const struct tuple *r = &list[i].rows[k];

				CHECK(addr_is_v4(&r->src) && r->mark == 0 && r->ttl > 30 && r->ttl < 255 && r->dsts >= 1);
				CHECK(r->proto != PROTO_TCP || r->kind == KIND_BACKSCATTER || r->flags == TCP_SYN);
				CHECK(r->kind != KIND_BACKSCATTER || (r->port == 80 && r->flags & TCP_ACK));
				CHECK(r->port != 1434 || r->bytes == 404 * (uint64_t)r->packets);
				answers += r->kind == KIND_BACKSCATTER;
				echoes += r->proto == PROTO_ICMP && r->port == 8 << 8 && r->kind == KIND_SCAN;
			}
			batch_release(&list[i]);
		}
	}
	CHECK(answers > 20 && echoes > 100);
	traffic_close(t);
	scenario_release(&s);
}

/* Days of 23 and 25 hours are whole days: the watched time is what the clock says. */
TEST(traffic_fills_the_days_of_a_zone_with_summer_time)
{
	struct scenario s = scenario_of("zone Europe/Berlin\nspan 2005-03-26 2005-10-31\nmix m DE=1\nsensor a addresses=1\n"
		"port 445/tcp level=5\n");
	struct traffic *t = traffic_open(&s, 1, NULL);
	struct batch list[1];
	uint64_t seconds = 0;

	for (unsigned day = 0; day < traffic_days(t); day++) {
		CHECK_WHOLE(traffic_day(t, day, list), 1);
		seconds += watch_seconds(&list[0].watched, list[0].span);
		batch_release(&list[0]);
	}
	CHECK_WHOLE(seconds, (uint64_t)span_minutes(s.span) * 60);
	traffic_close(t);
	scenario_release(&s);
}

TEST(chance_draws_have_the_means_they_promise)
{
	enum { DRAWS = 100000 };
	struct chance c = chance_of(1, 2, 3, 4, 5);
	double few = 0, many = 0, tries = 0, log_normal = 0, normal = 0;

	for (int i = 0; i < DRAWS; i++) {
		few += chance_poisson(&c, .7);
		many += chance_poisson(&c, 80);
		tries += chance_geometric(&c, 2.2);
		log_normal += chance_lognormal(&c, .5);
		normal += chance_normal(&c);
		CHECK(chance_below(&c, 7) < 7);
	}
	CHECK(fabs(few / DRAWS - .7) < .02);
	CHECK(fabs(many / DRAWS - 80) < .3);
	CHECK(fabs(tries / DRAWS - 2.2) < .04);
	CHECK(fabs(log_normal / DRAWS - 1) < .02);
	CHECK(fabs(normal / DRAWS) < .02);
}
