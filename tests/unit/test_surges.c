/* surges: what the engines find alike, and what was said of it: it lasts, changes only with what changed, and people judge it. */
#include "test.h"

#include "base/bytes.h"
#include "base/err.h"
#include "core/batch.h"
#include "net/http.h"
#include "stat/lookout.h"
#include "store/history.h"
#include "store/store.h"
#include "web/cache.h"
#include "web/routes.h"
#include "web/site.h"

#include <stdio.h>
#include <stdlib.h>

enum { START = 19126560 /* 2006-05-14T16:00Z, a multiple of an hour */, HOUR = 60, DAYS = 52, FLEET = 5, RISE_DAY = 45, RISE_HOURS = 60 };

static minute_t day0(void)
{
	return START - START % MINUTES_PER_DAY;
}

static void put(struct store *s, unsigned sensor, uint64_t serial, unsigned from_day, unsigned until_day, double background, double rise)
{
	minute_t start = day0();
	struct batch b = { .epoch = 1, .serial = serial, .span = { start + from_day * MINUTES_PER_DAY, start + until_day * MINUTES_PER_DAY } };
	const struct batch *list[] = { &b };
	uint64_t seed = 1000 + sensor * 10 + serial;
	enum stored each;
	struct err e;

	(void)snprintf(b.sensor, sizeof b.sensor, "s%u", sensor);
	watch_add(&b.watched, (struct run){ b.span.from, b.span.until, 60 });
	for (unsigned h = from_day * 24; h < until_day * 24; h++) {
		bool rises = h >= RISE_DAY * 24 && h < RISE_DAY * 24 + RISE_HOURS;
		double mean = background + (rises ? rise : 0);
		unsigned n = (unsigned)mean + ((double)(test_random(&seed) % 1000) < 1000 * (mean - (unsigned)mean));

		for (unsigned k = 0; k < n; k++)
			/* some come again, within a day and later */
			batch_add(&b, &(struct tuple){ .src = addr_v4((uint32_t)(0x0a000000 + test_random(&seed) % (k % 4 ? 0xffffff : 90))), .minute = start + h * HOUR + k % HOUR,
				.proto = PROTO_TCP, .port = 80, .flags = TCP_SYN, .packets = 1 });
	}
	b.len = tuples_settle(b.rows, b.len);
	CHECK_OK(store_put(s, list, 1, &each, &e));
	CHECK(each == STORED_NOW);
	batch_release(&b);
}

static void follow(struct store *s)
{
	struct span what;
	bool behind = true;
	struct err e;

	do
		CHECK_OK(store_reckon(s, day0() + (DAYS + 1) * MINUTES_PER_DAY, &what, &e));
	while (what.until > what.from);
	while (behind)
		CHECK_OK(store_follow(s, 500, &behind, &e));
}

static struct store *filled(const char *address)
{
	struct err e;
	struct store *s = store_open(address, "Asia/Tokyo", NULL, &e);

	CHECK(s != NULL);
	for (unsigned i = 0; i < FLEET; i++)
		put(s, i, 1, 0, DAYS, .2, 4);
	follow(s);
	return s;
}

static const char *file_address(char out[600])
{
	(void)snprintf(out, 600, "duckdb:%s/surges.duckdb", test_dir());
	return out;
}

static struct surge_revision *ask(struct store *s, const char *id, size_t *n)
{
	struct surge_revision *list;
	struct err e;

	CHECK_OK(store_surges(s, id, &list, n, &e));
	return list;
}

static void same_lists(struct store *a, struct store *b, const char *id)
{
	size_t n, m;
	struct surge_revision *x = ask(a, id, &n), *y = ask(b, id, &m);
	char one[SURGE_ID_MAX], other[SURGE_ID_MAX];

	CHECK_WHOLE(n, m);
	for (size_t i = 0; i < n; i++) {
		CHECK_TEXT(surge_id(&x[i].row, one), surge_id(&y[i].row, other));
		CHECK_WHOLE(x[i].revision, y[i].revision);
		CHECK_WHOLE(x[i].reason, y[i].reason);
		CHECK_WHOLE(x[i].hour, y[i].hour);
		CHECK_WHOLE(x[i].row.onset, y[i].row.onset);
		CHECK_WHOLE(x[i].row.known, y[i].row.known);
		CHECK_WHOLE(x[i].row.end, y[i].row.end);
		CHECK_WHOLE(x[i].row.state, y[i].row.state);
		CHECK_WHOLE(x[i].row.class, y[i].row.class);
		CHECK_WHOLE(x[i].row.sensors, y[i].row.sensors);
		CHECK_WHOLE(x[i].row.new_sources, y[i].row.new_sources);
		CHECK_NEAR(x[i].row.value, y[i].row.value);
		CHECK_NEAR(x[i].row.expected, y[i].row.expected);
		CHECK_WHOLE(x[i].verdict, y[i].verdict);
		CHECK_TEXT(x[i].note, y[i].note);
		CHECK_TEXT(x[i].by, y[i].by);
	}
	free(x);
	free(y);
}

/* The alarm's name, and how often something was said of it. */
static size_t the_alarm(struct store *s, char id[SURGE_ID_MAX])
{
	size_t n, alarms = 0, said;
	struct surge_revision *list = ask(s, NULL, &n);

	for (size_t i = 0; i < n; i++)
		if (list[i].row.alarm) {
			(void)surge_id(&list[i].row, id);
			alarms++;
		}
	free(list);
	CHECK_WHOLE(alarms, 1);
	free(ask(s, id, &said));
	return said;
}

static void judge(struct store *s, const char *id, const char *verdict, const char *note)
{
	struct surge_judgement j;
	struct err e;

	CHECK_OK(surge_judgement(&j, id, verdict, "佐藤", note, &e));
	CHECK_OK(store_judge(s, &j, &e));
}

TEST(engines_find_the_same_surges_and_keep_the_same_words)
{
	char path[600], id[SURGE_ID_MAX];
	struct store *m = filled("memory:"), *d = filled(file_address(path));
	uint64_t sources = 0, others = 0;
	size_t n;
	struct err e;

	CHECK(the_alarm(m, id) >= 2);
	same_lists(m, d, NULL);
	same_lists(m, d, id);
	judge(m, id, "real", "ワームの活動 \"x'\\");
	judge(d, id, "real", "ワームの活動 \"x'\\");
	same_lists(m, d, id);
	struct surge_revision *list = ask(d, id, &n);
	CHECK(list[n - 1].reason == SURGE_JUDGED && list[n - 1].verdict == SURGE_REAL && list[n - 1].row.onset >= day0() + RISE_DAY * MINUTES_PER_DAY - 12 * HOUR);
	CHECK_OK(store_surge_sources(m, &list[n - 1].row, &sources, &e));
	CHECK_OK(store_surge_sources(d, &list[n - 1].row, &others, &e));
	CHECK(sources > 500);
	CHECK_WHOLE(sources, others);
	free(list);
	store_close(m);
	store_close(d);
}

TEST(opened_again_nothing_more_is_said_and_verdicts_are_still_there)
{
	char path[600], id[SURGE_ID_MAX];
	struct store *s = filled(file_address(path));
	size_t said = the_alarm(s, id), n;
	struct err e;

	judge(s, id, "research", "a scanner that is known");
	store_close(s);
	s = store_open(path, NULL, NULL, &e);
	CHECK(s && the_alarm(s, id) == said + 1);       /* before anything is followed */
	follow(s);
	CHECK_WHOLE(the_alarm(s, id), said + 1);
	struct surge_revision *list = ask(s, id, &n);
	CHECK(list[n - 1].verdict == SURGE_RESEARCH);
	CHECK_TEXT(list[n - 1].judge, "佐藤");
	CHECK_TEXT(surge_judge(&list[n - 1]), "佐藤");
	CHECK_TEXT(surge_judge(&list[0]), SURGE_UNCONFIRMED);
	free(list);
	judge(s, id, "unknown", "it was another");
	list = ask(s, id, &n);
	CHECK_TEXT(surge_judge(&list[n - 1]), SURGE_UNCONFIRMED);
	CHECK_TEXT(list[n - 2].judge, "佐藤");
	free(list);
	store_close(s);
}

static void late(const char *address)
{
	char id[SURGE_ID_MAX];
	struct store *s = filled(address);
	size_t said = the_alarm(s, id), n;
	struct surge_judgement j;
	struct err e;

	judge(s, id, "real", "looked at it");
	/* what comes late says that the port was as busy long before */
	for (unsigned i = 0; i < FLEET; i++)
		put(s, i, 2, 0, RISE_DAY, 6, 0);
	follow(s);
	struct surge_revision *list = ask(s, id, &n);
	CHECK_WHOLE(n, said + 2);
	CHECK(list[n - 1].reason == SURGE_WAS_WITHDRAWN && list[n - 1].row.state == SURGE_WITHDRAWN && list[n - 1].verdict == SURGE_REAL);
	CHECK_TEXT(list[n - 1].by, SURGE_MACHINE);
	CHECK_WHOLE(list[n - 1].row.onset, list[n - 2].row.onset);
	free(list);
	CHECK_OK(surge_judgement(&j, id, "artefact", "me", "late", &e));
	CHECK(!store_judge(s, &j, &e) && e.kind == ERR_ASKED && strstr(e.what, "was withdrawn"));
	follow(s);
	free(ask(s, id, &n));
	CHECK_WHOLE(n, said + 2);
	store_close(s);
}

TEST(what_came_late_tells_a_surge_that_began_earlier_under_its_name)
{
	char id[SURGE_ID_MAX];
	struct store *s = filled("memory:");
	size_t said = the_alarm(s, id), n;
	minute_t onset;

	struct surge_revision *list = ask(s, id, &n);
	onset = list[n - 1].row.onset;
	free(list);
	/* the last days before it were as busy */
	for (unsigned i = 0; i < FLEET; i++)
		put(s, i, 2, RISE_DAY - 2, RISE_DAY, 4, 0);
	follow(s);
	CHECK(the_alarm(s, id) > said);
	list = ask(s, id, &n);
	CHECK(list[said].reason == SURGE_RECOMPUTED && list[n - 1].row.onset < onset && list[said - 1].row.onset == onset);
	free(list);
	store_close(s);
}

TEST(what_came_late_withdraws_a_surge_and_nothing_is_deleted)
{
	char path[600];

	late("memory:");
	late(file_address(path));
}

/* --- the history alone --- */

static struct surges some_surges(struct surge_event *events, size_t n, struct found *f)
{
	struct surges s;

	surges_init(&s);
	*f = (struct found){ .now = events[n - 1].row, .events = events, .len = n };
	s.found = f;
	s.found_len = 1;
	s.next = 100 * 60;
	return s;
}

/* Says what is new; returns how much. */
static size_t say(struct history *h, struct surges *s)
{
	struct surge_revision *list;
	size_t n;

	history_news(h, s, 12345, &list, &n);
	for (size_t i = 0; i < n; i++)
		history_add(h, &list[i]);
	free(list);
	return n;
}

static const struct surge_revision *last(const struct history *h)
{
	return &h->surges[0].list[h->surges[0].len - 1];
}

TEST(a_change_is_one_revision_with_its_reason_under_the_same_name)
{
	struct surge_row row = { .port = PROTO_TCP << 16 | 80, .found = 10 * 60, .known = 10 * 60, .onset = 8 * 60, .peak = 10 * 60, .value = 2, .expected = .5, .sensors = 3 };
	struct surge_event events[] = { { 10 * 60, SURGE_FOUND, row }, { 12 * 60, SURGE_UPGRADED, row }, { 40 * 60, SURGE_CLOSED, row } };
	struct history h = { 0 };
	struct found f;

	events[1].row.alarm = events[2].row.alarm = true;
	events[1].row.known = events[2].row.known = 12 * 60;
	events[2].row.end = 30 * 60;
	events[2].row.state = SURGE_ENDED;
	struct surges s = some_surges(events, 1, &f);
	CHECK_WHOLE(say(&h, &s), 1);
	f.now.value = 3;                /* it grows: no revision, but told */
	CHECK_WHOLE(say(&h, &s), 0);
	struct surge_revision *now;
	size_t n;
	history_now(&h, &s, &now, &n);
	CHECK(n == 1 && now[0].row.value == 3 && now[0].revision == 1);
	free(now);
	s = some_surges(events, 2, &f);
	CHECK(say(&h, &s) == 1 && last(&h)->reason == SURGE_UPGRADED && last(&h)->row.known == 12 * 60 && last(&h)->row.found == 10 * 60);
	/* what was known in the last hour that was told changed: that, and then what came since, also when it is found in another hour */
	for (int i = 0; i < 3; i++) {
		events[i].row.found = 9 * 60;
		events[i].row.expected = .7;
	}
	events[0].hour = 9 * 60;
	s = some_surges(events, 3, &f);
	CHECK_WHOLE(say(&h, &s), 2);
	CHECK_WHOLE(h.len, 1);
	CHECK(h.surges[0].list[2].reason == SURGE_RECOMPUTED && h.surges[0].list[2].row.state == SURGE_OPEN && h.surges[0].list[2].row.expected == .7);
	CHECK(last(&h)->reason == SURGE_CLOSED && last(&h)->row.end == 30 * 60 && last(&h)->revision == 4 && last(&h)->row.found == 10 * 60);
	CHECK_WHOLE(say(&h, &s), 0);
	/* gone, as far as was followed */
	s.found_len = 0;
	s.next = 40 * 60;
	CHECK_WHOLE(say(&h, &s), 0);
	s.next = 41 * 60;
	CHECK(say(&h, &s) == 1 && last(&h)->reason == SURGE_WAS_WITHDRAWN);
	CHECK_WHOLE(say(&h, &s), 0);
	s = some_surges(events, 3, &f);
	CHECK(say(&h, &s) == 1 && last(&h)->reason == SURGE_RECOMPUTED && last(&h)->row.state == SURGE_ENDED);
	/* another on the same port, which has the name's hour by chance, gets one of its own */
	struct found two[2] = { f, f };
	struct surge_event other = { 70 * 60, SURGE_FOUND, { .port = row.port, .found = 70 * 60, .onset = 65 * 60, .known = 70 * 60, .peak = 70 * 60, .value = 1 } };
	two[1] = (struct found){ .now = other.row, .events = &other, .len = 1 };
	s.found = two;
	s.found_len = 2;
	CHECK_WHOLE(say(&h, &s), 1);
	CHECK(h.len == 2 && h.surges[1].list[0].row.found == 70 * 60);
	history_release(&h);
}

TEST(a_verdict_says_who_and_why_in_a_line)
{
	struct surge_judgement j;
	char longest[SURGE_NOTE_MAX + 1];
	struct err e;

	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	CHECK(surge_judgement(&j, "80-tcp-20060516T09", "artefact", "me", longest + 1, &e));
	CHECK(!surge_judgement(&j, "80-tcp-20060516T09", "artefact", "me", longest, &e) && strstr(e.what, "too long"));
	CHECK(!surge_judgement(&j, "80-tcp-20060516T09", "perhaps", "me", "x", &e) && strstr(e.what, "not a verdict"));
	CHECK(!surge_judgement(&j, "80-tcp-20060516T09", "real", "machine", "x", &e));
	CHECK(!surge_judgement(&j, "80-tcp-20060516T09", "real", "me", "", &e) && strstr(e.what, "empty"));
	CHECK(!surge_judgement(&j, longest, "real", "me", "x", &e));
	static const char *const wrong[] = { "two\nlines", "bell\a", "\x7f", "\xc2\x85", "\xe2\x80\xae", "\xff", "\xe3\x81" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CHECK(!surge_judgement(&j, "80-tcp-20060516T09", "real", "me", wrong[i], &e) && e.kind == ERR_ASKED && strstr(e.what, "cannot be shown"));
	CHECK(surge_judgement(&j, "80-tcp-20060516T09", "real", "José 佐藤", "ワーム、確認済み 🐛", &e));
}

/* --- the pages --- */

/* Status, and a text that must, or (with a leading !) must not be in the body. */
static void page_has(struct site *s, const char *path, const char *query, unsigned status, const char *text)
{
	struct request rq = { .path = path, .query = query, .accept_language = "en" };
	struct reply rp = { .status = 200, .body = buf_make(HTTP_BODY_MAX) };

	routes_serve(s, &rq, &rp);
	bool found = strstr(buf_cstr(&rp.body), text + (*text == '!')) != NULL;
	if (rp.status != status || found != (*text != '!'))
		test_failed(__FILE__, __LINE__, "%s?%s: status %u, \"%s\": %s", path, query, rp.status, text, found ? "found" : "missing");
	buf_release(&rp.body);
}

TEST(pages_show_surges_their_history_and_who_judged)
{
	struct site s = { .cache = cache_make(), .name = { "観測所", "Observatory" }, .version = "1" };
	char id[SURGE_ID_MAX], path[128], text[256];
	struct err e;

	s.store = store_open("memory:", "Asia/Tokyo", NULL, &e);
	for (unsigned i = 0; i < FLEET; i++)
		put(s.store, i, 1, 0, DAYS, .2, 4);
	page_has(&s, "/en/", "", 200, "No surge is open.");
	page_has(&s, "/en/", "", 200, "Nobody has looked for surges");
	page_has(&s, "/ja/surges", "", 200, "継続中の急増はありません。");
	follow(s.store);
	the_alarm(s.store, id);
	(void)snprintf(text, sizeof text, "<a href=\"/en/surges/%s\">%s</a></th><td>alarm</td>\n<td>machine, unconfirmed</td>\n<td>broad</td>", id, id);
	page_has(&s, "/en/", "", 200, "!Nobody has looked");
	page_has(&s, "/en/surges", "", 200, text);
	page_has(&s, "/en/surges", "", 200, "h after onset</td>");
	page_has(&s, "/ja/surges", "", 200, "機械判定・未確認");
	(void)snprintf(path, sizeof path, "/ja/surges/%s", id);
	page_has(&s, path, "", 200, "始まりの ");
	page_has(&s, path, "", 200, "<g class=\"surge\" data-id=\"80-tcp-");
	judge(s.store, id, "artefact", "<b>誤り</b>");
	page_has(&s, path, "", 200, "観測上の見かけ（佐藤）");
	page_has(&s, path, "", 200, "<td class=\"text\">&lt;b&gt;誤り&lt;/b&gt;</td>");
	page_has(&s, path, "", 200, "!<b>");
	page_has(&s, "/en/surges", "", 200, "<td>artefact, by 佐藤</td>");
	page_has(&s, "/en/ports/80-tcp", "", 200, ", alarm, artefact</title>");
	page_has(&s, "/en/ports/80-udp", "", 200, "!<g class=\"surge\"");
	page_has(&s, "/figure.svg", "port=80/tcp&last=1mo&lang=ja", 200, "要確認、観測上の見かけ</title>");
	page_has(&s, "/figure.svg", "each=port&last=1mo", 200, "!<g class=\"surge\"");
	(void)snprintf(path, sizeof path, "/api/v1/surges/%s", id);
	page_has(&s, path, "", 200, "\"verdict\":\"artefact\",\"note\":\"<b>誤り</b>\",\"revisions\":[{\"revision\":1,");
	page_has(&s, "/api/v1/surges", "", 200, "\"judged_by\":\"佐藤\"");
	page_has(&s, "/api/v1/surges", "all=1", 200, "\"looked_until\":\"20");
	page_has(&s, "/api/v1/surges", "all=2", 400, "not a question about surges");
	page_has(&s, "/api/v1/surges/80-tcp-20060101T00", "", 404, "no such surge");
	page_has(&s, "/en/surges/80-tcp-20060101T00", "", 404, "No such page");
	store_close(s.store);
	cache_release(s.cache);
}

TEST(a_surge_that_goes_on_stands_on_top_of_the_home_page)
{
	struct site s = { .cache = cache_make(), .name = { "観測所", "Observatory" }, .version = "1" };
	struct err e;

	s.store = store_open("memory:", "UTC", NULL, &e);
	for (unsigned i = 0; i < FLEET; i++)
		put(s.store, i, 1, 0, RISE_DAY + 1, .2, 4);
	follow(s.store);
	page_has(&s, "/en/", "", 200, ", alarm, onset <time");
	page_has(&s, "/en/", "", 200, "h after onset, machine, unconfirmed</li>");
	page_has(&s, "/ja/", "", 200, "、要確認、始まり <time");
	page_has(&s, "/en/", "", 200, "!No surge is open");
	store_close(s.store);
	cache_release(s.cache);
}

TEST(that_nobody_looked_for_surges_is_said_until_somebody_did)
{
	struct site s = { .cache = cache_make(), .name = { "観測所", "Observatory" }, .version = "1" };
	struct err e;

	s.store = store_open("memory:", "UTC", NULL, &e);
	put(s.store, 1, 1, 0, 3, .2, 0);
	page_has(&s, "/en/surges", "", 200, "Nobody has looked for surges");
	page_has(&s, "/en/", "", 200, "Nobody has looked for surges");
	follow(s.store);
	page_has(&s, "/en/surges", "", 200, "Looked for in everything that was observed up to 17 May 2006 00:00 UTC.");
	page_has(&s, "/en/", "", 200, "!Nobody has looked for surges");
	page_has(&s, "/en/", "", 200, "No surge is open.");
	store_close(s.store);
	cache_release(s.cache);
}
