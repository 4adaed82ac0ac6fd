/* The site over a store in memory: paths, languages, refusals. */
#include "test.h"

#include "base/bytes.h"
#include "base/err.h"
#include "core/batch.h"
#include "net/http.h"
#include "store/store.h"
#include "web/cache.h"
#include "web/routes.h"
#include "web/site.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAY_15 = 19126980, DAYS = 10 };  /* 2006-05-15T00:00+09:00 */

static struct site open_site(void)
{
	struct err e;
	struct site s = { .cache = cache_make(), .name = { "観測所", "Observatory <1>" }, .version = "1" };

	s.store = store_open("memory:", "Asia/Tokyo", NULL, &e);
	CHECK(s.store != NULL);
	return s;
}

static void close_site(struct site *s)
{
	store_close(s->store);
	cache_release(s->cache);
}

/* Ten days of one sensor: 24 packets to 1433/tcp on each. */
static void fill(struct site *s)
{
	struct batch b = { .sensor = "east", .epoch = 1, .serial = 1, .span = { MAY_15, MAY_15 + DAYS * 1440 } };
	const struct batch *list[] = { &b };
	enum stored each[1];
	struct err e;

	for (unsigned hour = 0; hour < DAYS * 24; hour++) {
		struct tuple t = { .src = addr_v4(0xc6336401), .minute = MAY_15 + hour * 60, .port = 1433, .proto = PROTO_TCP,
			.flags = TCP_SYN, .kind = KIND_SCAN, .packets = 1 };

		batch_add(&b, &t);
	}
	watch_add(&b.watched, (struct run){ b.span.from, b.span.until, 60 });
	b.seen = b.len;
	CHECK_OK(store_put(s->store, list, 1, each, &e));
	batch_release(&b);
}

static struct reply get(struct site *s, const char *path, const char *query)
{
	struct request rq = { .path = path, .query = query, .accept_language = "en" };
	struct reply rp = { .status = 200, .body = buf_make(HTTP_BODY_MAX) };

	routes_serve(s, &rq, &rp);
	CHECK(rp.body.ok);
	return rp;
}

/* Status, and a text that must be in the body. */
static void page_has(struct site *s, const char *path, const char *query, unsigned status, const char *text)
{
	struct reply rp = get(s, path, query);

	if (rp.status != status || !strstr(buf_cstr(&rp.body), text))
		test_failed(__FILE__, __LINE__, "%s?%s: status %u, \"%s\" %s", path, query, rp.status, text,
			strstr(buf_cstr(&rp.body), text) ? "found" : "missing");
	buf_release(&rp.body);
}

TEST(every_path_answers_in_its_language)
{
	struct site s = open_site();

	fill(&s);
	page_has(&s, "/ja/", "", 200, "<html lang=\"ja\">");
	page_has(&s, "/en/", "", 200, "Observatory &lt;1&gt;");
	page_has(&s, "/en/ports/1433-tcp", "", 200, "Destination port 1433/tcp");
	page_has(&s, "/ja/ports/icmp-8", "", 200, "宛先ポート icmp/8");
	page_has(&s, "/ja/about", "", 200, "この画面について");
	page_has(&s, "/ja/sensors", "", 200, "<th scope=\"row\">east</th><td>登録なし</td>");
	page_has(&s, "/ja/sensors", "", 200, "<time datetime=\"2006-05-25T00:00:00+09:00\">2006-05-25 00:00</time></td><td class=\"n\">100.0 %</td>");
	page_has(&s, "/en/sensors", "", 200, "not enrolled");
	page_has(&s, "/ja/", "last=1w&step=day", 200, "宛先ポート 上位 5（1週間、日別）");
	page_has(&s, "/figure.svg", "last=1w&lang=ja&w=360", 200, "data-label=\"1433/tcp\"");
	page_has(&s, "/style.css", "", 200, "font-family");
	close_site(&s);
}

TEST(path_without_its_slash_leads_to_the_language_s_page)
{
	struct site s = open_site();
	struct reply rp = get(&s, "/ja", "");

	CHECK_WHOLE(rp.status, 302);
	CHECK_TEXT(rp.location, "/ja/");
	buf_release(&rp.body);
	close_site(&s);
}

TEST(what_is_not_there_is_told_in_the_path_s_language)
{
	struct site s = open_site();

	fill(&s);
	page_has(&s, "/ja/nowhere", "", 404, "ページがありません");
	page_has(&s, "/en/ports/99999-tcp", "", 404, "No such page");
	page_has(&s, "/en/ports/1433-tcp/more", "", 404, "No such page");
	page_has(&s, "/fr/", "", 404, "No such page");
	page_has(&s, "/api/v2/top", "", 404, "{\"error\":{\"what\":");
	close_site(&s);
}

TEST(a_wrong_question_is_refused_with_what_was_expected)
{
	struct site s = open_site();

	fill(&s);
	page_has(&s, "/ja/", "last=soon", 400, "指定を読み取れません");
	page_has(&s, "/ja/", "from=2006-06-01&until=2006-05-01", 400, "指定を読み取れません");
	page_has(&s, "/api/v1/top", "nonsense=1", 400, "{\"error\":{\"what\":\"unknown key");
	page_has(&s, "/api/v1/top", "sensor=west", 400, "no sensor named west");
	page_has(&s, "/api/v1/series", "step=all", 400, "a series needs steps");
	page_has(&s, "/figure.svg", "w=10", 400, "w=320 to 1600");
	page_has(&s, "/api/v1/series", "step=minute&last=2000d&from=1980-01-01", 400, "too many values");
	close_site(&s);
}

TEST(the_api_says_the_same_as_the_store)
{
	struct site s = open_site();

	fill(&s);
	page_has(&s, "/api/v1/top", "last=1w", 200, "{\"rank\":1,\"previous_rank\":1,\"label\":\"1433/tcp\",\"value\":24,\"plain\":24,"
		"\"packets\":168,\"sources\":1,\"sensors\":1}");
	page_has(&s, "/api/v1/series", "last=1w", 200, "\"values\":[24,24,24,24,24,24,24],\"looked\":[1,1,1,1,1,1,1]");
	page_has(&s, "/api/v1/top.csv", "last=1w", 200, ",1,1,1433/tcp,24,24,168,1,1\r\n");
	close_site(&s);
}

TEST(an_empty_store_shows_how_to_begin)
{
	struct site s = open_site();

	page_has(&s, "/ja/", "", 200, "teiten import");
	page_has(&s, "/en/ports/22-tcp", "", 200, "teiten import");
	page_has(&s, "/api/v1/top", "", 400, "the store is empty");
	close_site(&s);
}

TEST(old_data_are_called_an_archive)
{
	struct site s = open_site();

	fill(&s);
	page_has(&s, "/ja/", "", 200, "これはアーカイブです。最後の観測は 2006年5月24日");
	close_site(&s);
}

TEST(the_first_page_follows_the_browser)
{
	static const struct { const char *accept, *location; } cases[] = {
		{ "", "/ja/" }, { "en-US,en;q=0.9", "/en/" }, { "fr, ja;q=0.9, en;q=0.1", "/ja/" }, { "eng", "/ja/" }, { "en", "/en/" },
	};
	struct site s = open_site();

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct request rq = { .path = "/", .query = "", .accept_language = cases[i].accept };
		struct reply rp = { .status = 200, .body = buf_make(HTTP_BODY_MAX) };

		routes_serve(&s, &rq, &rp);
		CHECK_WHOLE(rp.status, 302);
		CHECK_TEXT(rp.location, cases[i].location);
		buf_release(&rp.body);
	}
	close_site(&s);
}

TEST(a_page_asked_for_twice_is_the_same_until_the_store_changes)
{
	struct site s = open_site();

	fill(&s);
	struct reply first = get(&s, "/api/v1/top", "last=1w"), again = get(&s, "/api/v1/top", "last=1w");
	CHECK_TEXT(buf_cstr(&again.body), buf_cstr(&first.body));
	CHECK_TEXT(again.type, first.type);
	struct sensor east = { .name = "east", .addresses = 2 };
	struct err e;
	CHECK_OK(store_sensor(s.store, &east, &e));
	struct reply later = get(&s, "/api/v1/top", "last=1w");
	CHECK(strstr(buf_cstr(&later.body), "\"value\":12,") != NULL);
	buf_release(&first.body);
	buf_release(&again.body);
	buf_release(&later.body);
	close_site(&s);
}

TEST(the_cache_forgets_what_was_used_longest_ago)
{
	struct cache *c = cache_make();
	struct reply rp = { .status = 200, .type = "text/plain", .body = buf_make(64) }, got = { .body = buf_make(64) };
	char key[16];

	buf_str(&rp.body, "body");
	cache_keep(c, "first", 1, &rp);
	cache_keep(c, "second", 1, &rp);
	CHECK(!cache_find(c, "first", 2, &got));
	for (int i = 0; i < CACHE_ENTRIES - 1; i++) {
		CHECK(cache_find(c, "first", 1, &got));
		buf_clear(&got.body);
		(void)snprintf(key, sizeof key, "key %d", i);
		cache_keep(c, key, 1, &rp);
	}
	CHECK(!cache_find(c, "second", 1, &got));
	CHECK(cache_find(c, "first", 1, &got));
	rp.status = 404;
	cache_keep(c, "missing", 1, &rp);
	CHECK(!cache_find(c, "missing", 1, &got));
	buf_release(&rp.body);
	buf_release(&got.body);
	cache_release(c);
}
