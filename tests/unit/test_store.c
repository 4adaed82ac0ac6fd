/* The same batches and the same questions to every engine: the answers are equal. */
#include "test.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/regions.h"
#include "store/store.h"
#include "stat/robust.h"
#include "store/days.h"
#include "store/engine.h"
#include "store/wire.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SENSORS = 7, DAYS = 75, DAY0 = 13149 /* 2006-01-01 */ };

/* Regions of sources by their last byte, so that both engines resolve something. */
static struct regions *some_regions(void)
{
	struct range list[3];
	char path[512];
	struct err e;

	(void)snprintf(path, sizeof path, "%s/regions.table", test_dir());
	list[0] = (struct range){ addr_v4(0x0a000000), addr_v4(0x0a00ffff), "JP", 64500 };
	list[1] = (struct range){ addr_v4(0x0a010000), addr_v4(0x0a017fff), "KR", 64501 };
	list[2] = (struct range){ addr_of(0x20010db800000000u, 0), addr_of(0x20010db8ffffffffu, UINT64_MAX), "CN", 64502 };
	CHECK_OK(regions_write(path, list, 3, "made by a test", &e));
	struct regions *r = regions_open(path, &e);
	CHECK(r != NULL);
	return r;
}

/* Some of the sources belong to scanners, on some days: networks in one another, of both families. */
static const char *some_scanners(void)
{
	static const char text[] = "10.0.0.0/17 Wide from=2006-01-20\n10.0.64.0/18 narrow until=2006-02-20\n10.1.0.0/24 narrow\n"
		"2001:db8::/126 six from=2006-01-10 until=2006-03-01\n2001:db8::1 Wide\n";
	static char path[600];
	struct err e;

	(void)snprintf(path, sizeof path, "%s/scanners", test_dir());
	CHECK_OK(file_write(path, text, sizeof text - 1, &e));
	return path;
}

static struct tuple some_tuple(uint64_t *seed, minute_t from, unsigned minutes)
{
	static const uint16_t ports[] = { 445, 135, 1433, 22, 80, 5900, 1025, 53 };
	static const uint8_t protos[] = { PROTO_TCP, PROTO_TCP, PROTO_TCP, PROTO_UDP, PROTO_ICMP, PROTO_ICMPV6 };
	struct tuple t = { .minute = from + (minute_t)(test_random(seed) % minutes), .proto = protos[test_random(seed) % 6],
		.mark = (uint8_t)(test_random(seed) % 8 == 0 ? test_random(seed) % 32 : 0), .kind = (uint8_t)(test_random(seed) % KINDS),
		.packets = 1 + (uint32_t)(test_random(seed) % 9), .bytes = test_random(seed) % 500, .ttl = 50 };

	t.port = proto_is_icmp(t.proto) ? (uint16_t)((test_random(seed) % 2 ? 0x800u : 0x300u) | test_random(seed) % 3) :
		ports[test_random(seed) % 8];
	t.src = test_random(seed) % 8 ? addr_v4(0x0a000000 + (uint32_t)(test_random(seed) % 0x20000 / 997 * 997)) :
		addr_of(0x20010db800000000u, test_random(seed) % 5);
	return t;
}

/* One sensor and day; some days are watched in part, some not at all. */
static struct batch some_batch(uint64_t *seed, unsigned sensor, unsigned day, uint64_t epoch)
{
	minute_t from = (DAY0 + day) * MINUTES_PER_DAY;
	struct batch b = { .epoch = epoch, .serial = day, .span = { from, from + MINUTES_PER_DAY }, .seen = 1 };
	unsigned rows = (unsigned)(test_random(seed) % 20), watched = (unsigned)(test_random(seed) % 8);

	(void)snprintf(b.sensor, sizeof b.sensor, "s%u", sensor);
	if (day % 20 == 13)
		return b;       /* nobody looks on those days */
	if (watched)
		watch_add(&b.watched, (struct run){ from, from + 180 * watched + 60, (uint8_t)(watched == 3 ? 20 : 60) });
	for (unsigned i = 0; watched && i < rows; i++) {
		struct tuple t = some_tuple(seed, from, 180 * watched + 60);

		batch_add(&b, &t);
	}
	b.len = tuples_settle(b.rows, b.len);
	return b;
}

static void fill(struct store *const *stores, size_t n, uint64_t seed)
{
	struct err e;

	for (unsigned day = 0; day < DAYS; day++) {
		struct batch batches[SENSORS + 1];
		const struct batch *list[SENSORS + 1];
		enum stored each[SENSORS + 1];

		for (unsigned s = 0; s < SENSORS; s++)
			batches[s] = some_batch(&seed, s, (day * 7) % DAYS, 1);         /* not in the order of time */
		batches[SENSORS] = some_batch(&seed, 0, (day * 7) % DAYS, 2);           /* one sensor twice, as two imports */
		for (unsigned s = 0; s <= SENSORS; s++)
			list[s] = &batches[s];
		for (size_t k = 0; k < n; k++) {
			CHECK_OK(store_put(stores[k], list, SENSORS + 1, each, &e));
			CHECK_WHOLE(each[0], STORED_NOW);
		}
		for (unsigned s = 0; s <= SENSORS; s++)
			batch_release(&batches[s]);
	}
	for (size_t k = 0; k < n; k++) {
		struct sensor s = { .name = "s3", .addresses = 16, .group = "north", .region = "JP" };

		CHECK_OK(store_sensor(stores[k], &s, &e));
	}
}

static void some_question(uint64_t *seed, struct buf *out)
{
	static const char *const each[] = { "nothing", "port", "port", "sensor", "region", "source", "network", "kind", "mark", "proto", "scanner" };
	static const char *const steps[] = { "hour", "day", "day", "week", "month", "quarter", "all", "all", "all" };
	static const char *const filters[] = { "", "", "", "&proto=tcp", "&port=445/tcp", "&port=icmp/8", "&kind=scan", "&kind=all",
		"&kind=backscatter,error", "&mark=mirai,zmap", "&sensor=s2", "&sensor=s3", "&region=JP", "&region=ZZ", "&source=10.0.0.0/16",
		"&source=2001:db8::/32", "&source=10.1.0.0/24", "&without=mirai", "&without=error,zmap,nmap", "&scanners=without", "&scanners=without", "&scanners=only",
		"&scanners=Wide", "&scanners=narrow" };
	const char *step = steps[test_random(seed) % 9];
	unsigned from = (unsigned)(test_random(seed) % (DAYS + 10)), length = 1 + (unsigned)(test_random(seed) % (strcmp(step, "hour") ? 60 : 6));
	bool odd = test_random(seed) % 4 == 0;

	buf_clear(out);
	buf_printf(out, "each=%s&step=%s&across=%s&per=%s&top=%u", each[test_random(seed) % 11], step,
		(const char *[]){ "mean", "sum", "median", "robust", "robust", "robust", "robust" }[test_random(seed) % 7], test_random(seed) % 4 ? "address" : "sensor",
		1 + (unsigned)(test_random(seed) % 40));
	for (int i = 0; i < 2; i++)
		buf_str(out, filters[test_random(seed) % 24]);
	for (int i = 0; i < 2; i++) {
		int y, m, d;

		calendar_civil_from_days(DAY0 - 5 + (long)from + (i ? (long)length : 0), &y, &m, &d);
		buf_printf(out, "&%s=%04d-%02d-%02d", i ? "until" : "from", y, m, d);
		if (odd)
			buf_printf(out, "T%02u:%02uZ", (unsigned)(test_random(seed) % 24), (unsigned)(test_random(seed) % 60));
	}
}

static void same_answer(const struct answer *a, const struct answer *b, const char *question)
{
	if (a->len != b->len || a->steps != b->steps || a->sensors != b->sensors || a->found != b->found)
		test_failed(__FILE__, __LINE__, "%s: %zu/%zu series, %zu/%zu steps, %u/%u sensors", question, a->len, b->len, a->steps,
			b->steps, a->sensors, b->sensors);
	CHECK_TEXT(a->scanners, b->scanners);
	CHECK(question_of_scanners(&a->question) == (a->scanners[0] != '\0'));
	for (size_t k = 0; k < a->steps; k++) {
		CHECK_WHOLE(a->times[k], b->times[k]);
		CHECK_WHOLE(a->looked[k], b->looked[k]);
	}
	for (size_t i = 0; i < a->len; i++) {
		const struct series *x = &a->list[i], *y = &b->list[i];

		if (strcmp(x->label, y->label) || x->rank != y->rank || x->previous_rank != y->previous_rank || x->packets != y->packets ||
			x->bytes != y->bytes || x->sources != y->sources || x->sensors != y->sensors)
			test_failed(__FILE__, __LINE__, "%s: %s/%s rank %u/%u before %u/%u packets %" PRIu64 "/%" PRIu64 " sources %" PRIu64 "/%"
				PRIu64 " sensors %u/%u", question, x->label, y->label, x->rank, y->rank, x->previous_rank, y->previous_rank,
				x->packets, y->packets, x->sources, y->sources, x->sensors, y->sensors);
		CHECK_NEAR(x->value, y->value);
		CHECK_NEAR(x->plain, y->plain);
		for (size_t k = 0; k < a->steps; k++) {
			CHECK_NEAR(x->values[k], y->values[k]);
			CHECK_NEAR(x->plains[k], y->plains[k]);
			CHECK((x->sure != NULL) == (y->sure != NULL));
			if (x->sure && (x->sure[k].accepted != y->sure[k].accepted || x->sure[k].looked != y->sure[k].looked || x->sure[k].flags != y->sure[k].flags ||
				x->sure[k].revision != y->sure[k].revision))
				test_failed(__FILE__, __LINE__, "%s: %s step %zu: revision %u/%u, %u/%u accepted", question, x->label, k, x->sure[k].revision, y->sure[k].revision,
					x->sure[k].accepted, y->sure[k].accepted);
			if (x->sure)
				CHECK_NEAR(x->sure[k].se, y->sure[k].se);
		}
	}
}

struct answering { struct store *store; int listening; };

static void *answer_all(void *of)
{
	struct answering *a = of;
	struct err e;

	for (;;) {
		int fd = accept(a->listening, NULL, NULL);

		if (fd < 0)
			return NULL;
		(void)wire_answer(a->store, fd, &e);
		(void)close(fd);
	}
}

static const char *path_in(const char *prefix, const char *name, char out[600])
{
	(void)snprintf(out, 600, "%s%s/%s", prefix, test_dir(), name);
	return out;
}

static struct store *must_open(const char *address, const char *zone, struct regions *r)
{
	struct err e;
	struct store *s = store_open(address, zone, r, &e);
	char text[ERR_TEXT_MAX];

	if (!s)
		test_failed(__FILE__, __LINE__, "%s: %s", address, err_text(&e, text));
	return s;
}

static void same_facts(struct store *const stores[3])
{
	struct facts f[3];
	struct err e;

	for (int k = 0; k < 3; k++) {
		CHECK_OK(store_facts(stores[k], &f[k], &e));
		CHECK_TEXT(f[k].zone.name, f[0].zone.name);
		CHECK(strlen(f[k].scanners) == 12 && !strcmp(f[k].scanners, f[0].scanners));
		CHECK_WHOLE(f[k].zone.len, f[0].zone.len);
		CHECK_WHOLE(f[k].held.from, f[0].held.from);
		CHECK_WHOLE(f[k].held.until, f[0].held.until);
		CHECK(f[k].late == f[0].late && f[k].batches == f[0].batches && f[k].rows == f[0].rows && f[k].packets == f[0].packets && f[k].len == f[0].len);
		for (size_t i = 0; i < f[0].len; i++) {
			CHECK_TEXT(f[k].sensors[i].name, f[0].sensors[i].name);
			CHECK_TEXT(f[k].sensors[i].group, f[0].sensors[i].group);
			CHECK_WHOLE(f[k].sensors[i].addresses, f[0].sensors[i].addresses);
			CHECK_WHOLE(f[k].watched[i].until, f[0].watched[i].until);
			CHECK(f[0].watched_s[i] > 0 && f[k].watched_s[i] == f[0].watched_s[i]);
		}
	}
	for (int k = 0; k < 3; k++)
		facts_release(&f[k]);
}

static void ask_all(const char *zone, uint64_t seed, unsigned questions)
{
	struct regions *r = some_regions();
	char path[600], socket_path[600], address[600];
	struct store *stores[3];
	struct buf text = buf_make(QUESTION_TEXT_MAX), report = buf_make(1 << 16);
	unsigned answered = 0, with_values = 0, robust = 0;
	uint64_t differences;
	pthread_t thread;
	struct err e;

	stores[0] = must_open("memory:", zone, r);
	stores[1] = must_open(path_in("duckdb:", "store.duckdb", path), zone, r);
	struct answering answering = { stores[1], wire_bind(path_in("", "sock", socket_path), &e) };
	CHECK(answering.listening >= 0 && wire_listen(answering.listening, &e) && pthread_create(&thread, NULL, answer_all, &answering) == 0);
	stores[2] = must_open(path_in("unix:", "sock", address), NULL, NULL);
	fill(stores, 2, seed);
	CHECK_OK(store_check(stores[2], &differences, &report, &e));
	if (differences)
		test_failed(__FILE__, __LINE__, "roll-ups differ:\n%s", buf_cstr(&report));
	for (int k = 0; k < 3; k++)
		CHECK_OK(store_scanners(stores[k], some_scanners(), &e));
	same_facts(stores);
	for (unsigned i = 0; i < questions; i++) {
		struct answer answers[3];
		bool ok[3];

		/* robust values are known of part of the days, then of all */
		for (int k = 0; k < 2 && i % (questions / 2) == 0; k++)
			CHECK_OK(store_settle(stores[k], (DAY0 + (i ? 2 * DAYS : DAYS * 2 / 3)) * MINUTES_PER_DAY, &e));

		some_question(&seed, &text);
		for (int k = 0; k < 3; k++) {
			struct question q;

			question_init(&q);
			ok[k] = question_parse(&q, buf_cstr(&text), NULL, &e) && store_ask(stores[k], &q, &answers[k], &e);
			CHECK(ok[k] == ok[0] && (ok[k] || e.kind == ERR_ASKED));
		}
		if (!ok[0])
			continue;
		answered++;
		with_values += answers[0].len > 0 && answers[0].list[0].packets > 0;
		robust += answers[0].question.across == ACROSS_ROBUST && answers[0].len > 0 && fabs(answers[0].list[0].value - answers[0].list[0].plain) > 1e-3;
		CHECK(answers[0].question.across == answers[2].question.across && answers[0].question.fell_back == answers[2].question.fell_back);
		same_answer(&answers[0], &answers[1], buf_cstr(&text));
		same_answer(&answers[1], &answers[2], buf_cstr(&text));
		for (int k = 0; k < 3; k++)
			answer_release(&answers[k]);
	}
	for (int k = 0; k < 3; k++) {
		struct question q;
		struct answer answer;

		question_init(&q);
		CHECK(question_parse(&q, "each=port&sensor=nobody", NULL, &e) && !store_ask(stores[k], &q, &answer, &e));
		CHECK_WHOLE(e.kind, ERR_ASKED);
	}
	if (robust < questions / 40)
		test_failed(__FILE__, __LINE__, "%u of %u robust", robust, questions);
	CHECK(answered > questions * 8 / 10 && with_values > questions / 4);   /* the questions were worth asking */
	(void)shutdown(answering.listening, SHUT_RDWR);
	(void)pthread_join(thread, NULL);
	for (int k = 2; k >= 0; k--)
		store_close(stores[k]);
	regions_close(r);
	buf_release(&text);
	buf_release(&report);
}

TEST(engines_give_the_same_answers_in_tokyo)
{
	ask_all("Asia/Tokyo", 11, 400);
}

TEST(engines_give_the_same_answers_where_days_have_23_hours)
{
	ask_all("Europe/Berlin", 12, 150);
}

TEST(engines_give_the_same_answers_where_offsets_are_half_hours)
{
	ask_all("Asia/Kolkata", 13, 150);
}

/* Few sources, few ports, many small puts in any order: sources come again within an hour, after a day, and before what is
 * already there. The check counts distinct and new sources from the rows alone. */
TEST(distinct_and_new_sources_are_exact_in_whatever_order_batches_arrive)
{
	enum { PUTS = 150, HOURS = 24 * 6 };
	char path[600];
	uint64_t seed = 21, differences;
	struct buf report = buf_make(1 << 16);
	minute_t start = DAY0 * MINUTES_PER_DAY;
	struct store *s = must_open(path_in("duckdb:", "store.duckdb", path), "UTC", NULL);
	struct span reckoned = { 0, 0 };
	uint64_t hours = 0;
	enum stored each;
	struct err e;

	for (unsigned i = 0; i < PUTS; i++) {
		struct batch b = { .epoch = 5, .serial = i, .span = { start, start + HOURS * 60 } };
		const struct batch *list[] = { &b };

		(void)snprintf(b.sensor, sizeof b.sensor, "s%u", (unsigned)(test_random(&seed) % 3));
		for (int k = 0; k < 4; k++) {
			/* hours around a day apart, so that 23, 24 and 25 hours between two sightings all occur */
			minute_t hour = (minute_t)(test_random(&seed) % 6 * 24 + test_random(&seed) % 3);
			struct tuple t = { .src = addr_v4(1 + (uint32_t)(test_random(&seed) % 40)), .minute = start + hour * 60 + (minute_t)k,
				.proto = PROTO_TCP, .port = (uint16_t)(80 + test_random(&seed) % 2), .packets = 1 };

			batch_add(&b, &t);
		}
		b.len = tuples_settle(b.rows, b.len);
		CHECK_OK(store_put(s, list, 1, &each, &e));
		batch_release(&b);
		/* now and then some hours are counted, and what comes later touches them again */
		for (unsigned k = 0; k < test_random(&seed) % 3; k++)
			CHECK_OK(store_reckon(s, start + (minute_t)(test_random(&seed) % HOURS) * 60 + 59, &reckoned, &e));
		hours += (reckoned.until - reckoned.from) / 60;
	}
	CHECK_OK(store_check(s, &differences, &report, &e));
	CHECK(differences == 0);
	do
		CHECK_OK(store_reckon(s, start + HOURS * 60, &reckoned, &e));
	while (reckoned.until > reckoned.from);
	CHECK_OK(store_check(s, &differences, &report, &e));
	if (differences)
		test_failed(__FILE__, __LINE__, "%s", buf_cstr(&report));
	CHECK(hours > PUTS / 10);       /* or nothing was ever counted again */
	store_close(s);
	buf_release(&report);
}

enum { SEEN_MAX = 4000, SEEN_HOURS = 24 * 5, SEEN_PORTS = 3 };
struct met { uint32_t src; unsigned hour, sensor, port, packets; };
struct exact { const struct met *list; size_t n; minute_t start; unsigned compared; };

static bool met_before(const struct exact *x, uint32_t src, unsigned port, unsigned hour)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->list[i].src == src && x->list[i].port == port && x->list[i].hour < hour && x->list[i].hour + 24 >= hour)
			return true;
	return false;
}

/* One cell beside the plain set of what was put. */
static bool same_hour(void *to, const struct hour_cell *cells, size_t n)
{
	struct exact *x = to;

	for (size_t c = 0; c < n; c++) {
		unsigned hour = (cells[c].hour - x->start) / 60, port = (cells[c].port & UINT16_MAX) - 80, sources = 0, fresh = 0, packets = 0, top = 0;

		for (uint32_t src = 1; src <= 60; src++) {
			unsigned sent = 0;

			for (size_t i = 0; i < x->n; i++)
				if (x->list[i].src == src && x->list[i].port == port && x->list[i].hour == hour &&
					(cells[c].sensor == 0 || x->list[i].sensor + 1 == cells[c].sensor))
					sent += x->list[i].packets;
			sources += sent > 0;
			fresh += sent > 0 && !met_before(x, src, port, hour);
			packets += sent;
			top = sent > top ? sent : top;
		}
		CHECK_WHOLE(cells[c].sources, sources);
		if (cells[c].sensor == 0) {
			CHECK_WHOLE(cells[c].new_sources, fresh);
			CHECK_WHOLE(cells[c].packets, packets);
			CHECK_WHOLE(cells[c].top, top);
		}
		x->compared++;
	}
	return true;
}

TEST(new_sources_of_an_hour_are_those_of_an_exact_set)
{
	char path[600];
	uint64_t seed = 8;
	struct met *list = calloc(SEEN_MAX, sizeof *list);
	struct exact x = { .list = list, .start = DAY0 * MINUTES_PER_DAY };
	struct store *s = must_open(path_in("duckdb:", "store.duckdb", path), "UTC", NULL);
	struct span reckoned;
	enum stored each;
	struct err e;

	for (unsigned put = 0; put < 80; put++) {
		struct batch b = { .epoch = 5, .serial = put, .span = { x.start, x.start + SEEN_HOURS * 60 } };
		const struct batch *const batches[] = { &b };
		unsigned sensor = put % 3;       /* numbered as they come */

		(void)snprintf(b.sensor, sizeof b.sensor, "s%u", sensor);
		watch_add(&b.watched, (struct run){ b.span.from, b.span.until, 60 });
		for (unsigned k = 0; k < SEEN_MAX / 80; k++) {
			struct met m = { 1 + (uint32_t)(test_random(&seed) % 60), (unsigned)(test_random(&seed) % SEEN_HOURS), sensor, (unsigned)(test_random(&seed) % SEEN_PORTS),
				1 + (unsigned)(test_random(&seed) % 5) };

			list[x.n++] = m;
			batch_add(&b, &(struct tuple){ .src = addr_v4(m.src), .minute = x.start + m.hour * 60 + (minute_t)(test_random(&seed) % 60), .proto = PROTO_TCP,
				.port = (uint16_t)(80 + m.port), .packets = m.packets });
		}
		b.len = tuples_settle(b.rows, b.len);
		CHECK_OK(store_put(s, batches, 1, &each, &e));
		batch_release(&b);
		if (put % 30 == 10)
			CHECK_OK(store_reckon(s, x.start + SEEN_HOURS * 60, &reckoned, &e));
	}
	do
		CHECK_OK(store_reckon(s, x.start + SEEN_HOURS * 60, &reckoned, &e));
	while (reckoned.until > reckoned.from);
	store_close(s);
	struct book book = { 0 };
	void *engine = engine_duckdb.open(path_in("", "store.duckdb", path), NULL, &book, &e);
	CHECK(engine && engine_duckdb.hours(engine, (struct span){ x.start, x.start + SEEN_HOURS * 60 }, same_hour, &x, &e));
	CHECK(x.compared > SEEN_HOURS * SEEN_PORTS);
	engine_duckdb.close(engine);
	book_release(&book);
	free(list);
}

/* Five sensors of which one has gone mad; what it says of one port carries neither the port nor its regions, and the regions add up. */
TEST(robust_values_of_parts_add_up_and_no_odd_sensor_bends_them)
{
	enum { LONG = 40, FLEET = 5 };
	struct regions *r = some_regions();
	struct store *s = must_open("memory:", "UTC", r);
	minute_t start = DAY0 * MINUTES_PER_DAY;
	uint64_t seed = 3;
	struct question q;
	struct answer whole, parts;
	enum stored each;
	struct err e;

	for (unsigned i = 0; i < FLEET; i++) {
		struct batch b = { .epoch = 1, .serial = 1, .span = { start, start + LONG * MINUTES_PER_DAY } };
		const struct batch *list[] = { &b };

		(void)snprintf(b.sensor, sizeof b.sensor, "s%u", i);
		watch_add(&b.watched, (struct run){ b.span.from, b.span.until, 60 });
		for (unsigned d = 0; d < LONG; d++)
			for (unsigned k = 0; k < 8; k++)
				batch_add(&b, &(struct tuple){ .src = addr_v4(0x0a000000u + k * 0x3000), .minute = start + d * MINUTES_PER_DAY + k, .proto = PROTO_TCP, .port = 80,
					.packets = (uint32_t)(2 + test_random(&seed) % 3 + (i == 2 && d == LONG - 1 ? 1000 : 0)) });
		b.len = tuples_settle(b.rows, b.len);
		CHECK_OK(store_put(s, list, 1, &each, &e));
		batch_release(&b);
	}
	/* a day that is not settled yet has its plain mean */
	question_init(&q);
	CHECK(question_parse(&q, "each=port&step=day&across=robust&last=1d", NULL, &e) && store_ask(s, &q, &whole, &e));
	CHECK(whole.len == 1 && whole.list[0].value > 1000);
	CHECK_NEAR(whole.list[0].value, whole.list[0].plain);
	answer_release(&whole);
	CHECK_OK(store_settle(s, start + LONG * MINUTES_PER_DAY, &e));
	question_init(&q);
	CHECK(question_parse(&q, "each=port&step=day&across=robust&last=1d", NULL, &e) && store_ask(s, &q, &whole, &e));
	CHECK(whole.len == 1 && whole.list[0].plain > 1000 && whole.list[0].value > 18 && whole.list[0].value < 30);
	question_init(&q);
	CHECK(question_parse(&q, "each=region&step=day&across=robust&last=1d", NULL, &e) && store_ask(s, &q, &parts, &e));
	double sum = 0;
	for (size_t i = 0; i < parts.len; i++)
		sum += parts.list[i].value;
	if (!(parts.len > 1 && fabs(sum - whole.list[0].value) < 1e-6 * sum))
		test_failed(__FILE__, __LINE__, "%zu parts: %.9g of %.9g", parts.len, sum, whole.list[0].value);
	answer_release(&whole);
	answer_release(&parts);
	store_close(s);
	regions_close(r);
}

/* --- days: replayed, final, late --- */

enum { FEW_DAYS = 40, FEW_SENSORS = 5, FEW_PORTS = 3 };

/* What a sensor saw on a day: some days not watched whole, a port that sleeps for weeks; one sensor is mad at times, one is odd on a port from a day on,
 * and of two that fall silent one never saw much. On one day one source knocks everywhere. */
static struct batch day_batch(unsigned sensor, unsigned day, uint64_t serial, unsigned more)
{
	minute_t from = (DAY0 + day) * MINUTES_PER_DAY;
	struct batch b = { .epoch = 1, .serial = serial, .span = { from, from + MINUTES_PER_DAY } };
	uint64_t seed = 1 + sensor * 1000 + day;

	(void)snprintf(b.sensor, sizeof b.sensor, "s%u", sensor);
	watch_add(&b.watched, (struct run){ from, from + ((day + sensor) % 6 ? MINUTES_PER_DAY : 8 * 60), 60 });
	for (unsigned port = 0; port < FEW_PORTS; port++)
		for (unsigned k = 0; k < 8; k++) {
			bool asleep = port == 2 && day % 20 > 2, mad = sensor == 2 && day % 13 == 12, little = sensor == 0 && (k || day >= FEW_DAYS - 16);
			bool silent = sensor == 4 && day >= FEW_DAYS - 3, shifted = sensor == 3 && port == 1 && day >= 16;

			if (!asleep && !silent && !little)
				batch_add(&b, &(struct tuple){ .src = addr_v4(0x0a000000u + k * 0x3000), .minute = from + k * 50, .proto = PROTO_TCP, .port = (uint16_t)(80 + port),
					.packets = (uint32_t)((port == 0 && k == 3 && day == 20 ? 300u : 0u) + 2 + sensor + test_random(&seed) % 3 + (mad ? 200 : 0) + (shifted ? 100 : 0) + more) });
		}
	b.len = tuples_settle(b.rows, b.len);
	return b;
}

static void put_day(struct store *s, unsigned sensor, unsigned day, uint64_t serial, unsigned more)
{
	struct batch b = day_batch(sensor, day, serial, more);
	const struct batch *const list[] = { &b };
	enum stored each;
	struct err e;

	CHECK_OK(store_put(s, list, 1, &each, &e));
	CHECK_WHOLE(each, STORED_NOW);
	batch_release(&b);
}

static void must_ask(struct store *s, const char *text, struct answer *a)
{
	struct question q;
	struct err e;

	question_init(&q);
	CHECK_OK(question_parse(&q, text, NULL, &e));
	CHECK_OK(store_ask(s, &q, a, &e));
}

#define FEW_SPAN "from=2006-01-01&until=2006-02-10&across=robust"

static void same_findings(struct store *a, struct store *b)
{
	struct robust_finding *x, *y;
	unsigned kinds[FINDING_SOURCE + 1] = { 0 };
	size_t n, m;
	struct err e;

	CHECK_OK(store_findings(a, DAY0, DAY0 + FEW_DAYS, 0, &x, &n, &e));
	CHECK_OK(store_findings(b, DAY0, DAY0 + FEW_DAYS, 0, &y, &m, &e));
	CHECK_WHOLE(n, m);
	for (size_t i = 0; i < n && i < m; i++) {
		if (x[i].key.lo != y[i].key.lo || x[i].day != y[i].day || x[i].kind != y[i].kind || x[i].up != y[i].up || x[i].sensor != y[i].sensor || x[i].n != y[i].n)
			test_failed(__FILE__, __LINE__, "finding %zu: kind %u/%u day %u/%u sensor %u/%u", i, x[i].kind, y[i].kind, x[i].day, y[i].day, x[i].sensor, y[i].sensor);
		CHECK_NEAR(x[i].packets, y[i].packets);
		CHECK_NEAR(x[i].expected, y[i].expected);
		kinds[x[i].kind]++;
	}
	CHECK(kinds[FINDING_ODD] > 0 && kinds[FINDING_SHIFT] == 1 && kinds[FINDING_FAULT] > 0 && kinds[FINDING_SILENCE] > 3 && kinds[FINDING_SOURCE] == 1);
	free(x);
	free(y);
	CHECK_OK(store_findings(a, DAY0, DAY0 + FEW_DAYS, PROTO_TCP << 16 | 81, &x, &m, &e));
	CHECK(m > 0 && m < n);
	for (size_t i = 0; i < m; i++)
		CHECK_WHOLE(x[i].key.lo, PROTO_TCP << 16 | 81);
	free(x);
}

/* Day by day, from the evening at which the last final one ended; or all at once, from the first day on; in every engine, and after opening anew. */
TEST(days_that_are_replayed_from_their_evening_are_as_if_they_were_reckoned_at_once)
{
	struct store *stores[3];
	struct answer answers[3];
	char path[600], other[600];
	struct err e;

	stores[0] = must_open("memory:", "Asia/Tokyo", NULL);
	stores[1] = must_open(path_in("duckdb:", "by_day", path), "Asia/Tokyo", NULL);
	stores[2] = must_open(path_in("duckdb:", "at_once", other), "Asia/Tokyo", NULL);
	for (unsigned day = 0; day < FEW_DAYS; day++) {
		for (unsigned k = 0; k < 3; k++)
			for (unsigned i = 0; i < FEW_SENSORS; i++)
				put_day(stores[k], i, day, day, 0);
		for (unsigned k = 0; k < 2; k++)
			CHECK_OK(store_settle(stores[k], (DAY0 + day + 1) * MINUTES_PER_DAY + 60, &e));
		if (day % 10 == 9) {
			store_close(stores[1]);
			stores[1] = must_open(path, NULL, NULL);
		}
	}
	for (unsigned k = 0; k < 3; k++) {
		CHECK_OK(store_settle(stores[k], (DAY0 + FEW_DAYS + 1) * MINUTES_PER_DAY, &e));
		must_ask(stores[k], "each=port&step=day&" FEW_SPAN, &answers[k]);
		CHECK_WHOLE(answers[k].len, FEW_PORTS);
	}
	CHECK(answers[0].final > answers[2].final);
	same_answer(&answers[0], &answers[1], "by day");
	same_answer(&answers[1], &answers[2], "at once");
	same_findings(stores[0], stores[1]);
	same_findings(stores[1], stores[2]);
	for (unsigned k = 0; k < 3; k++) {
		answer_release(&answers[k]);
		store_close(stores[k]);
	}
}

static void late_in(const char *address)
{
	struct store *s = must_open(address, "UTC", NULL);
	struct answer before, after;
	uint64_t late = 0;
	struct facts f;
	struct err e;

	for (unsigned day = 0; day < FEW_DAYS; day++) {
		for (unsigned i = 0; i + 1 < FEW_SENSORS; i++)
			put_day(s, i, day, day, 0);
		CHECK_OK(store_settle(s, (DAY0 + day + 1) * MINUTES_PER_DAY, &e));
	}
	must_ask(s, "port=80/tcp&step=day&" FEW_SPAN, &before);
	CHECK_WHOLE(before.final, (DAY0 + FEW_DAYS - FINAL_AFTER_DAYS) * MINUTES_PER_DAY);
	/* the last sensor's days come late: those that are not final are reckoned anew */
	for (unsigned day = FEW_DAYS - 12; day < FEW_DAYS; day++) {
		struct batch b = day_batch(FEW_SENSORS - 1, day, day, 5);

		for (size_t i = 0; i < b.len && day < FEW_DAYS - FINAL_AFTER_DAYS; i++)
			late += b.rows[i].packets;
		batch_release(&b);
		put_day(s, FEW_SENSORS - 1, day, day, 5);
	}
	CHECK_OK(store_settle(s, FEW_DAYS * MINUTES_PER_DAY + DAY0 * MINUTES_PER_DAY + 5, &e));
	must_ask(s, "port=80/tcp&step=day&" FEW_SPAN, &after);
	CHECK_WHOLE(before.steps, FEW_DAYS);
	for (unsigned day = 0; day < FEW_DAYS; day++) {
		const struct sureness *x = &before.list[0].sure[day], *y = &after.list[0].sure[day];
		bool final = day < FEW_DAYS - FINAL_AFTER_DAYS;

		CHECK_WHOLE(x->revision, 1);
		CHECK_WHOLE(y->revision, final ? 1 : 2);
		CHECK(final == (before.list[0].values[day] == after.list[0].values[day]));
		CHECK_WHOLE(y->looked - x->looked, !final ? 1 : 0);
	}
	CHECK_OK(store_facts(s, &f, &e));
	CHECK(late > 0 && f.late == late);
	facts_release(&f);
	/* an earlier day than any before: everything begins anew, and nothing is late */
	answer_release(&after);
	struct batch b = { .sensor = "s0", .epoch = 2, .span = { (DAY0 - 1) * MINUTES_PER_DAY, DAY0 * MINUTES_PER_DAY } };
	const struct batch *const list[] = { &b };
	enum stored each;
	watch_add(&b.watched, (struct run){ b.span.from, b.span.until, 60 });
	CHECK_OK(store_put(s, list, 1, &each, &e));
	batch_release(&b);
	CHECK_OK(store_settle(s, (DAY0 + FEW_DAYS) * MINUTES_PER_DAY + 10, &e));
	must_ask(s, "port=80/tcp&step=day&" FEW_SPAN, &after);
	CHECK_WHOLE(after.final, (DAY0 - 1) * MINUTES_PER_DAY);
	CHECK(after.list[0].values[FEW_DAYS - 12] != before.list[0].values[FEW_DAYS - 12]);
	answer_release(&before);
	answer_release(&after);
	store_close(s);
}

TEST(late_packets_change_days_that_are_not_final_and_are_counted_on_the_others)
{
	char path[600];

	late_in("memory:");
	late_in(path_in("duckdb:", "late", path));
}

static void ask_hours(unsigned sensors, struct answer *days, struct answer *hours, struct answer *parts)
{
	struct store *s = must_open("memory:", "UTC", NULL);
	struct err e;

	for (unsigned day = 0; day < FEW_DAYS; day++)
		for (unsigned i = 0; i < sensors; i++)
			put_day(s, i, day, day, 0);
	CHECK_OK(store_settle(s, (DAY0 + FEW_DAYS + 1) * MINUTES_PER_DAY, &e));
	must_ask(s, "port=81/tcp&step=day&" FEW_SPAN, days);
	must_ask(s, "port=81/tcp&step=hour&" FEW_SPAN, hours);
	must_ask(s, "port=81/tcp&step=hour&source=10.0.0.0/17&" FEW_SPAN, parts);
	CHECK(hours->question.across == ACROSS_ROBUST && parts->question.across == ACROSS_ROBUST);
	CHECK(days->list[0].sure && !hours->list[0].sure && hours->steps == 24 * FEW_DAYS);
	store_close(s);
}

TEST(robust_hours_add_up_to_their_day)
{
	struct answer days, hours, parts;
	unsigned differ = 0;

	ask_hours(FEW_SENSORS, &days, &hours, &parts);
	for (size_t d = 0; d < days.steps; d++) {
		double sum = 0, part = 0;

		for (size_t h = 24 * d; h < 24 * d + 24; h++) {
			sum += hours.list[0].values[h] / 24;
			part += parts.list[0].values[h] / 24;
			differ += fabs(hours.list[0].values[h] - hours.list[0].plains[h]) > .1;
		}
		CHECK(part > 0 && part < sum);
		if (d % 6 == 1)
			CHECK_NEAR(sum, days.list[0].values[d]);        /* everybody watched all of it */
	}
	CHECK(differ > FEW_DAYS);
	answer_release(&days);
	answer_release(&hours);
	answer_release(&parts);
	/* of two sensors there is only the plain mean, by hours as well, however long each of them watched */
	ask_hours(2, &days, &hours, &parts);
	for (size_t h = 0; h < hours.steps; h++) {
		CHECK_NEAR(hours.list[0].values[h], hours.list[0].plains[h]);
		CHECK_NEAR(parts.list[0].values[h], parts.list[0].plains[h]);
	}
	answer_release(&days);
	answer_release(&hours);
	answer_release(&parts);
}

/* How often the third of five sensors is called odd that sees ten times as much from day 30 on. */
static unsigned times_odd(uint64_t epoch_from_then)
{
	enum { LONG = 50, FLEET = 5, THEN = 30 };
	struct store *s = must_open("memory:", "UTC", NULL);
	minute_t start = DAY0 * MINUTES_PER_DAY;
	struct robust_finding *list;
	uint64_t seed = 3;
	unsigned odd = 0;
	size_t n;
	enum stored each;
	struct err e;

	for (unsigned i = 0; i < FLEET * LONG; i++) {
		minute_t day = start + i / FLEET * MINUTES_PER_DAY;
		bool then = i % FLEET == 2 && i / FLEET >= THEN;
		struct batch b = { .epoch = then ? epoch_from_then : 1ull << 40, .serial = i, .span = { day, day + MINUTES_PER_DAY } };
		const struct batch *const batches[] = { &b };

		(void)snprintf(b.sensor, sizeof b.sensor, "s%u", i % FLEET);
		watch_add(&b.watched, (struct run){ b.span.from, b.span.until, 60 });
		batch_add(&b, &(struct tuple){ .src = addr_v4(1), .minute = day, .proto = PROTO_TCP, .port = 80,
			.packets = (uint32_t)((15 + test_random(&seed) % 10) * (then ? 10 : 1)) });
		CHECK_OK(store_put(s, batches, 1, &each, &e));
		batch_release(&b);
	}
	CHECK_OK(store_settle(s, start + LONG * MINUTES_PER_DAY, &e));
	CHECK_OK(store_findings(s, DAY0, DAY0 + LONG, 0, &list, &n, &e));
	for (size_t i = 0; i < n; i++)
		odd += list[i].kind == FINDING_ODD && list[i].sensor == 3;
	free(list);
	store_close(s);
	return odd;
}

TEST(sensor_with_other_addresses_begins_anew)
{
	CHECK(times_odd(1ull << 40) >= 10);     /* the same addresses: it has gone mad, until that is its habit */
	CHECK(times_odd(2ull << 40) <= 2);      /* others: two weeks to learn what is usual there */
}

/* What METHODS 1 says, worked out by hand: two sensors, one with 4 addresses, one looking for half a day. */
TEST(plain_mean_divides_by_addresses_and_watched_days)
{
	struct store *s = must_open("memory:", "UTC", NULL);
	minute_t day = DAY0 * MINUTES_PER_DAY;
	struct batch a = { .sensor = "a", .epoch = 1, .span = { day, day + 2 * MINUTES_PER_DAY } };
	struct batch b = { .sensor = "b", .epoch = 1, .span = { day, day + 2 * MINUTES_PER_DAY } };
	const struct batch *list[] = { &a, &b };
	struct tuple t = { .src = addr_v4(1), .minute = day + 5, .proto = PROTO_TCP, .port = 80, .packets = 30 };
	struct sensor four = { .name = "a", .addresses = 4, .region = "ZZ" };
	enum stored each[2];
	struct question q;
	struct answer answer;
	struct err e;

	watch_add(&a.watched, (struct run){ day, day + MINUTES_PER_DAY, 60 });
	watch_add(&b.watched, (struct run){ day, day + MINUTES_PER_DAY / 2, 60 });
	batch_add(&a, &t);
	t.packets = 6;
	batch_add(&b, &t);
	CHECK_OK(store_put(s, list, 2, each, &e));
	CHECK_OK(store_sensor(s, &four, &e));
	question_init(&q);
	CHECK_OK(question_parse(&q, "port=80/tcp&from=2006-01-01&until=2006-01-03", NULL, &e));
	CHECK_OK(store_ask(s, &q, &answer, &e));
	CHECK_WHOLE(answer.steps, 2);
	CHECK_NEAR(answer.list[0].values[0], 36 / 4.5);         /* (30 + 6) / (4 × 1 + 1 × ½) */
	CHECK_NEAR(answer.list[0].values[1], NAN);              /* nobody looked on the second day */
	CHECK_NEAR(answer.list[0].value, 36 / 4.5);             /* days that nobody watched are skipped */
	CHECK_WHOLE(answer.looked[0], 2);
	CHECK_WHOLE(answer.looked[1], 0);
	answer_release(&answer);
	question_init(&q);
	CHECK_OK(question_parse(&q, "port=80/tcp&from=2006-01-01&until=2006-01-02&across=median", NULL, &e));
	CHECK_OK(store_ask(s, &q, &answer, &e));
	CHECK_NEAR(answer.list[0].values[0], (30 / 4.0 + 6 / .5) / 2);
	CHECK_NEAR(answer.list[0].plains[0], 36 / 4.5);
	answer_release(&answer);
	question_init(&q);
	CHECK_OK(question_parse(&q, "port=81/tcp&from=2006-01-01&until=2006-01-02", NULL, &e));
	CHECK_OK(store_ask(s, &q, &answer, &e));
	CHECK_NEAR(answer.list[0].values[0], 0);                /* looked and saw none */
	answer_release(&answer);
	batch_release(&a);
	batch_release(&b);
	store_close(s);
}

TEST(sensor_that_watched_less_than_a_quarter_is_left_out_of_the_mean)
{
	struct store *s = must_open("memory:", "UTC", NULL);
	minute_t day = DAY0 * MINUTES_PER_DAY;
	struct batch a = { .sensor = "a", .epoch = 1, .span = { day, day + MINUTES_PER_DAY } };
	struct batch b = { .sensor = "b", .epoch = 1, .span = { day, day + MINUTES_PER_DAY } };
	const struct batch *list[] = { &a, &b };
	struct tuple t = { .src = addr_v4(1), .minute = day + 5, .proto = PROTO_TCP, .port = 80, .packets = 10 };
	enum stored each[2];
	struct question q;
	struct answer answer;
	struct err e;

	watch_add(&a.watched, (struct run){ day, day + MINUTES_PER_DAY, 60 });
	watch_add(&b.watched, (struct run){ day, day + 359, 60 });
	batch_add(&a, &t);
	batch_add(&b, &t);
	CHECK_OK(store_put(s, list, 2, each, &e));
	struct batch c = { .sensor = "c", .epoch = 1, .span = { day, day + MINUTES_PER_DAY } };
	const struct batch *exactly[] = { &c };
	watch_add(&c.watched, (struct run){ day, day + 360, 60 });      /* a quarter to the minute: it counts, and saw none */
	CHECK_OK(store_put(s, exactly, 1, each, &e));
	batch_release(&c);
	question_init(&q);
	CHECK_OK(question_parse(&q, "each=port&step=all&from=2006-01-01&until=2006-01-02", NULL, &e));
	CHECK_OK(store_ask(s, &q, &answer, &e));
	CHECK_NEAR(answer.list[0].value, 10 / 1.25);
	CHECK_WHOLE(answer.list[0].packets, 20);                /* exact totals leave nothing out */
	CHECK_WHOLE(answer.list[0].sensors, 2);
	answer_release(&answer);
	batch_release(&a);
	batch_release(&b);
	store_close(s);
}

static uint64_t packets_in(struct store *s)
{
	struct facts f;
	struct err e;

	CHECK_OK(store_facts(s, &f, &e));
	uint64_t n = f.packets;
	facts_release(&f);
	return n;
}

/* One sensor that watched a day's first minutes, and 10 packets in the first of them. */
static double value_of(const char *question, unsigned minutes)
{
	struct store *s = must_open("memory:", "UTC", NULL);
	minute_t day = DAY0 * MINUTES_PER_DAY;
	struct batch a = { .sensor = "a", .epoch = 1, .span = { day, day + MINUTES_PER_DAY } };
	const struct batch *list[] = { &a };
	struct tuple t = { .src = addr_v4(1), .minute = day, .proto = PROTO_TCP, .port = 80, .packets = 10 };
	enum stored each[1];
	struct question q;
	struct answer answer;
	struct err e;

	watch_add(&a.watched, (struct run){ day, day + minutes, 60 });
	batch_add(&a, &t);
	CHECK_OK(store_put(s, list, 1, each, &e));
	question_init(&q);
	CHECK_OK(question_parse(&q, question, NULL, &e));
	CHECK_OK(store_ask(s, &q, &answer, &e));
	CHECK_WHOLE(answer.list[0].packets, 10);
	double value = answer.list[0].value;
	answer_release(&answer);
	batch_release(&a);
	store_close(s);
	return value;
}

TEST(quarter_is_of_the_step_and_not_of_the_part_that_the_span_leaves_of_it)
{
	CHECK(isnan(value_of("each=port&step=all&from=2005-12-01&until=2006-01-01T00:01Z", 1)));
	CHECK(isnan(value_of("each=port&step=all&last=3mo", 1)));
	CHECK(isnan(value_of("each=port&step=all&last=3mo", 359)));
	CHECK_NEAR(value_of("each=port&step=all&last=3mo", 360), 40);
	/* a question about less than a day is judged by all of its own time */
	CHECK_NEAR(value_of("each=port&step=all&from=2006-01-01T00:00Z&until=2006-01-01T02:00Z", 60), 240);
	CHECK(isnan(value_of("each=port&step=all&from=2006-01-01T00:00Z&until=2006-01-01T05:00Z", 60)));
}

static uint64_t marked(struct store *s, const char *question)
{
	struct question q;
	struct answer answer;
	struct err e;
	uint64_t packets;

	question_init(&q);
	CHECK_OK(question_parse(&q, question, NULL, &e));
	CHECK_OK(store_ask(s, &q, &answer, &e));
	packets = answer.len ? answer.list[0].packets : 0;
	answer_release(&answer);
	return packets;
}

TEST(mark_counts_when_two_packets_of_a_source_agree_over_all_sensors)
{
	minute_t day = DAY0 * MINUTES_PER_DAY;
	static const char *const sensors[] = { "a", "b" };
	char path[600];
	struct store *stores[2] = { must_open("memory:", "UTC", NULL), must_open(path_in("duckdb:", "marks.duckdb", path), "UTC", NULL) };
	uint64_t differences;
	struct buf report = buf_make(1 << 16);
	enum stored each[1];
	struct err e;

	for (int i = 0; i < 2; i++) {
		struct batch b = { .epoch = 1, .serial = 1, .span = { day, day + 2 * MINUTES_PER_DAY } };
		const struct batch *list[] = { &b };
		/* source 1 one packet at each sensor, source 2 one packet, source 3 one a day, source 4 two tools once each */
		struct tuple t = { .proto = PROTO_TCP, .port = 80, .packets = 1, .mark = MARK_ZMAP, .minute = day, .src = addr_v4(1) };

		memcpy(b.sensor, sensors[i], 2);
		watch_add(&b.watched, (struct run){ b.span.from, b.span.until, 60 });
		batch_add(&b, &t);
		if (i == 0) {
			t.src = addr_v4(2);
			batch_add(&b, &t);
			t.src = addr_v4(4);
			batch_add(&b, &t);
			t.mark = MARK_NMAP;
			batch_add(&b, &t);
			t.mark = MARK_ZMAP;
			t.src = addr_v4(3);
			batch_add(&b, &t);
			t.minute += MINUTES_PER_DAY;
			batch_add(&b, &t);
		}
		for (int k = 0; k < 2; k++)
			CHECK_OK(store_put(stores[k], list, 1, each, &e));
		for (int k = 0; k < 2; k++)
			CHECK_WHOLE(marked(stores[k], "each=nothing&step=all&mark=zmap&from=2006-01-01&until=2006-01-03"), i ? 2 : 0);
		batch_release(&b);
	}
	for (int k = 0; k < 2; k++) {
		CHECK_WHOLE(marked(stores[k], "each=mark&step=all&from=2006-01-01&until=2006-01-03"), 2);
		CHECK_WHOLE(marked(stores[k], "each=nothing&step=all&mark=all&sensor=a&from=2006-01-01&until=2006-01-03"), 1);
		CHECK_WHOLE(marked(stores[k], "each=nothing&step=all&mark=nmap&from=2006-01-01&until=2006-01-03"), 0);
		CHECK_WHOLE(marked(stores[k], "each=nothing&step=all&from=2006-01-01&until=2006-01-03"), 7);
	}
	CHECK_OK(store_check(stores[1], &differences, &report, &e));
	CHECK_WHOLE(differences, 0);
	buf_release(&report);
	store_close(stores[0]);
	store_close(stores[1]);
}

TEST(batch_put_twice_counts_once_also_after_a_restart)
{
	char path[600];
	uint64_t seed = 1;
	struct batch b = some_batch(&seed, 1, 1, 9);
	const struct batch *list[] = { &b, &b };
	enum stored each[2];
	struct err e;
	struct store *s = must_open(path_in("duckdb:", "store.duckdb", path), "UTC", NULL);

	CHECK_OK(store_put(s, list, 2, each, &e));
	CHECK(each[0] == STORED_NOW && each[1] == STORED_ALREADY);
	uint64_t packets = packets_in(s);
	store_close(s);
	s = must_open(path, NULL, NULL);
	CHECK_OK(store_put(s, list, 1, each, &e));
	CHECK_WHOLE(each[0], STORED_ALREADY);
	CHECK_WHOLE(packets_in(s), packets);
	CHECK_OK(store_epoch(s, 9, &packets, &e));
	CHECK_WHOLE(packets, 1);
	store_close(s);
	batch_release(&b);
}

static void put_with_fault(const char *fault, bool stored)
{
	char path[600];
	uint64_t seed = 1, differences;
	struct batch b = some_batch(&seed, 1, 1, 9);
	const struct batch *list[] = { &b };
	struct buf report = buf_make(1 << 16);
	enum stored each;
	struct err e;
	struct store *s = must_open(path_in("duckdb:", "store.duckdb", path), "UTC", NULL);

	(void)setenv("TEITEN_FAULT", fault, 1);
	CHECK(store_put(s, list, 1, &each, &e) == stored);
	CHECK_WHOLE(each, stored ? STORED_NOW : STORED_NOT);
	CHECK_OK(store_put(s, list, 1, &each, &e));             /* the next one always works, and nothing is there twice */
	CHECK_WHOLE(each, stored ? STORED_ALREADY : STORED_NOW);
	CHECK_OK(store_check(s, &differences, &report, &e));
	CHECK_WHOLE(differences, 0);
	store_close(s);
	batch_release(&b);
	buf_release(&report);
}

TEST(commit_that_fails_after_the_fact_is_settled_as_stored)
{
	put_with_fault("commit-unsure:1", true);
}

TEST(commit_that_fails_before_the_fact_is_settled_as_not_stored)
{
	put_with_fault("commit-lost:1", false);
}

TEST(write_that_fails_stores_nothing)
{
	put_with_fault("write:1", false);
}

/* A child puts batches and writes each one's number down once it is acknowledged; it is killed at some moment. */
static void put_until_killed(const char *path, int acknowledged)
{
	struct store *s = must_open(path, "UTC", NULL);
	struct facts f;
	struct err e;

	CHECK_OK(store_facts(s, &f, &e));
	for (unsigned serial = (unsigned)f.batches; ; serial++) {
		uint64_t seed = serial + 1;
		struct batch b = some_batch(&seed, serial % 5, 1, 4);
		const struct batch *list[] = { &b };
		enum stored each;

		b.serial = serial;
		CHECK_OK(store_put(s, list, 1, &each, &e));
		if (write(acknowledged, &serial, sizeof serial) != sizeof serial)
			exit(1);
		batch_release(&b);
	}
}

TEST(kill_in_the_middle_of_writing_loses_nothing_acknowledged_and_doubles_nothing)
{
	enum { KILLS = 20 };
	char path[600];
	unsigned serial, acknowledged = 0;
	uint64_t seed = 99, differences, batches;
	struct buf report = buf_make(1 << 16);
	struct err e;

	(void)path_in("duckdb:", "store.duckdb", path);
	for (int i = 0; i < KILLS; i++) {
		int ends[2];

		CHECK(pipe(ends) == 0);
		pid_t pid = fork();
		if (pid == 0) {
			close(ends[0]);
			put_until_killed(path, ends[1]);
			exit(0);
		}
		close(ends[1]);
		/* a number of acknowledgements, then a moment within the next put */
		for (uint64_t n = 1 + test_random(&seed) % 6; n > 0 && read(ends[0], &serial, sizeof serial) == sizeof serial; n--)
			acknowledged = serial + 1;
		usleep((useconds_t)(test_random(&seed) % 8000));
		CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
		while (read(ends[0], &serial, sizeof serial) == sizeof serial)
			acknowledged = serial + 1;
		close(ends[0]);
		struct store *s = must_open(path, "UTC", NULL);
		CHECK_OK(store_epoch(s, 4, &batches, &e));
		CHECK(batches >= acknowledged && batches <= acknowledged + 1);
		buf_clear(&report);
		CHECK_OK(store_check(s, &differences, &report, &e));    /* also: each batch's rows are as many as its ledger line says */
		CHECK_WHOLE(differences, 0);
		store_close(s);
	}
	CHECK(acknowledged >= KILLS);
	buf_release(&report);
}
