/* Tables of regions: what is written is found, whatever overlaps; what is damaged is refused; registries' files are read. */
#include "test.h"

#include "base/bytes.h"
#include "base/compress.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/flatten.h"
#include "store/regions.h"
#include "store/regions_build.h"

#include <stdio.h>

static const char *in_dir(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof paths[0], "%s/%s", test_dir(), name);
	return path;
}

static struct range range_of(const char *from, const char *to, const char *region, uint32_t as)
{
	struct range r = { .as_number = as };

	CHECK(addr_parse(from, &r.from) && addr_parse(to, &r.to));
	memcpy(r.region, region, 3);
	return r;
}

static struct regions *written(struct range *list, size_t len)
{
	struct regions *r;
	struct err e;

	CHECK_OK(regions_write(in_dir("regions.table"), list, len, "a test", &e));
	CHECK_OK((r = regions_open(in_dir("regions.table"), &e)) != NULL);
	return r;
}

static void check_found(const struct regions *r, const char *address, const char *region, uint32_t as)
{
	char found[3];
	uint32_t number;
	struct addr a;

	CHECK(addr_parse(address, &a));
	regions_find(r, &a, found, &number);
	CHECK_TEXT(found, region);
	CHECK_WHOLE(number, as);
}

TEST(regions_finds_what_was_written)
{
	struct range list[] = {
		range_of("198.51.100.0", "198.51.100.255", "US", 64500), range_of("192.0.2.0", "192.0.2.127", "JP", 0),
		range_of("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "KR", 64501),
	};
	struct regions *r = written(list, 3);

	CHECK_WHOLE(regions_len(r), 3);
	CHECK_WHOLE(strlen(regions_id(r)), 12);
	CHECK_TEXT(regions_source(r), "a test");
	check_found(r, "192.0.2.0", "JP", 0);
	check_found(r, "192.0.2.127", "JP", 0);
	check_found(r, "192.0.2.128", "ZZ", 0);
	check_found(r, "192.0.1.255", "ZZ", 0);
	check_found(r, "198.51.100.7", "US", 64500);
	check_found(r, "255.255.255.255", "ZZ", 0);
	check_found(r, "2001:db8::1", "KR", 64501);
	check_found(r, "2001:db7:ffff::", "ZZ", 0);
	check_found(r, "::", "ZZ", 0);
	regions_close(r);
}

TEST(regions_without_a_table_say_zz_and_none)
{
	check_found(NULL, "192.0.2.1", "ZZ", 0);
	CHECK_TEXT(regions_id(NULL), "none");
	CHECK_WHOLE(regions_len(NULL), 0);
	regions_close(NULL);
}

TEST(regions_of_an_empty_table_know_nobody)
{
	struct regions *r = written(NULL, 0);

	check_found(r, "192.0.2.1", "ZZ", 0);
	check_found(r, "2001:db8::1", "ZZ", 0);
	regions_close(r);
}

TEST(regions_reach_to_both_ends_of_both_families)
{
	struct range list[] = {
		range_of("0.0.0.0", "255.255.255.255", "JP", 1), range_of("::", "::1", "US", 2),
		range_of("ffff::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "KR", 3),
	};
	struct regions *r = written(list, 3);

	CHECK_WHOLE(regions_len(r), 3);
	check_found(r, "0.0.0.0", "JP", 1);
	check_found(r, "255.255.255.255", "JP", 1);
	check_found(r, "::", "US", 2);
	check_found(r, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "KR", 3);
	regions_close(r);
}

TEST(regions_let_the_narrower_range_win)
{
	struct range list[] = {
		range_of("10.0.0.0", "10.255.255.255", "US", 0), range_of("10.1.0.0", "10.1.255.255", "JP", 0),
		range_of("10.1.2.0", "10.1.2.255", "KR", 0),
	};
	struct regions *r = written(list, 3);

	CHECK_WHOLE(regions_len(r), 5);
	check_found(r, "10.0.255.255", "US", 0);
	check_found(r, "10.1.0.0", "JP", 0);
	check_found(r, "10.1.2.3", "KR", 0);
	check_found(r, "10.1.3.0", "JP", 0);
	check_found(r, "10.2.0.0", "US", 0);
	regions_close(r);
}

TEST(regions_lay_countries_and_as_numbers_over_each_other)
{
	struct range list[] = {
		range_of("192.0.2.0", "192.0.2.255", "JP", 0), range_of("192.0.0.0", "192.0.255.255", "ZZ", 64500),
		range_of("192.0.2.128", "192.0.2.129", "ZZ", 64501),
	};
	struct regions *r = written(list, 3);

	check_found(r, "192.0.1.0", "ZZ", 64500);
	check_found(r, "192.0.2.1", "JP", 64500);
	check_found(r, "192.0.2.128", "JP", 64501);
	regions_close(r);
}

TEST(regions_merge_neighbours_that_say_the_same)
{
	struct range list[] = {
		range_of("192.0.2.0", "192.0.2.127", "JP", 7), range_of("192.0.2.128", "192.0.2.255", "JP", 7),
		range_of("192.0.3.0", "192.0.3.255", "JP", 8),
	};
	struct regions *r = written(list, 3);

	CHECK_WHOLE(regions_len(r), 2);
	regions_close(r);
}

/* What the flat list must say, the slow way. */
static const struct range *narrowest(const struct range *list, size_t len, uint32_t at)
{
	const struct range *best = NULL;

	for (size_t i = 0; i < len; i++) {
		uint32_t from = addr_to_v4(&list[i].from), to = addr_to_v4(&list[i].to);

		if (at >= from && at <= to && (!best || to - from < addr_to_v4(&best->to) - addr_to_v4(&best->from)))
			best = &list[i];
	}
	return best;
}

TEST(ranges_flatten_as_a_slow_reading_says)
{
	enum { RANGES = 40, SPACE = 400 };
	uint64_t state = 7;

	for (int round = 0; round < 200; round++) {
		struct range list[RANGES], *flat = NULL;

		for (uint32_t i = 0; i < RANGES; i++) {
			uint32_t from = (uint32_t)(test_random(&state) % SPACE);

			/* widths differ by construction, so there is one narrowest */
			list[i] = (struct range){ .from = addr_v4(from), .to = addr_v4(from + i),
				.region = { 'A', (char)('A' + i % 26), 0 } };
		}
		size_t n = ranges_flatten(list, RANGES, &flat);
		for (uint32_t at = 0; at < SPACE + RANGES; at++) {
			const struct range *want = narrowest(list, RANGES, at), *got = NULL;

			for (size_t k = 0; k < n; k++)
				if (addr_to_v4(&flat[k].from) <= at && at <= addr_to_v4(&flat[k].to))
					got = &flat[k];
			CHECK(!want == !got);
			CHECK(!want || !strcmp(want->region, got->region));
		}
		free(flat);
	}
}

TEST(regions_write_refuses_what_makes_no_sense)
{
	struct range bad[] = {
		range_of("192.0.2.9", "192.0.2.1", "JP", 0),            /* reversed */
		range_of("192.0.2.1", "2001:db8::", "JP", 0),           /* two families */
		range_of("::", "ffff::", "JP", 0),                      /* around all of IPv4 */
		range_of("192.0.2.1", "192.0.2.2", "jp", 0),
	};
	char path[PATH_TEXT_MAX];
	struct err e;

	memcpy(path, in_dir("none.table"), strlen(in_dir("none.table")) + 1);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(!regions_write(path, &bad[i], 1, "a test", &e));
	CHECK(!file_exists(path));
}

TEST(regions_refresh_finds_a_table_that_has_come_and_one_that_has_changed)
{
	struct range japan = range_of("192.0.2.0", "192.0.2.255", "JP", 64500), korea = range_of("192.0.2.0", "192.0.2.255", "KR", 64501);
	struct regions *r;
	struct err e;

	CHECK_OK((r = regions_open(in_dir("fresh.table"), &e)) != NULL);
	CHECK_TEXT(regions_id(r), "none");
	check_found(r, "192.0.2.1", "ZZ", 0);
	CHECK_OK(regions_write(in_dir("fresh.table"), &japan, 1, "a test", &e));
	check_found(r, "192.0.2.1", "ZZ", 0);
	regions_refresh(r);
	check_found(r, "192.0.2.1", "JP", 64500);
	CHECK_OK(regions_write(in_dir("fresh.table"), &korea, 1, "a test", &e));
	regions_refresh(r);
	check_found(r, "192.0.2.1", "KR", 64501);
	CHECK_OK(file_write(in_dir("fresh.table"), "no table", 8, &e));
	regions_refresh(r);             /* the table that was read stays */
	check_found(r, "192.0.2.1", "KR", 64501);
	regions_close(r);
}

TEST(regions_open_refuses_every_cut_and_every_damaged_byte)
{
	struct range list[] = {
		range_of("192.0.2.0", "192.0.2.127", "JP", 7), range_of("2001:db8::", "2001:db8::9", "US", 8),
	};
	struct buf bytes = buf_make(1 << 20);
	struct err e;

	regions_close(written(list, 2));
	CHECK_OK(file_read(in_dir("regions.table"), &bytes, &e));
	for (size_t len = 0; len < bytes.len; len++) {
		CHECK_OK(file_write(in_dir("cut"), bytes.at, len, &e));
		CHECK(!regions_open(in_dir("cut"), &e));
	}
	for (size_t i = 0; i < bytes.len; i++) {
		bytes.at[i] ^= 1;
		CHECK_OK(file_write(in_dir("damaged"), bytes.at, bytes.len, &e));
		CHECK(!regions_open(in_dir("damaged"), &e));
		bytes.at[i] ^= 1;
	}
	buf_release(&bytes);
}

TEST(regions_keep_their_id_when_built_again)
{
	struct range one[] = { range_of("192.0.2.0", "192.0.2.9", "JP", 0), range_of("192.0.3.0", "192.0.3.9", "US", 0) };
	struct range turned[] = { one[1], one[0] };
	struct regions *first = written(one, 2), *second = written(turned, 2);

	CHECK_TEXT(regions_id(second), regions_id(first));
	regions_close(first);
	regions_close(second);
}

static const char delegations[] =
	"# a registry's file\r\n"
	"2|apnic|20060101|7|19850101|20060101|+1000\n"
	"apnic|*|ipv4|*|3|summary\n"
	"apnic|JP|asn|173|1|20020801|allocated\n"
	"apnic|JP|ipv4|192.0.2.0|96|20020801|allocated|A91A7381\n"
	"apnic|KR|ipv4|198.51.100.0|256|20020801|assigned\n"
	"apnic||ipv4|203.0.113.0|256||available\n"
	"apnic|AU|ipv6|2001:db8::|32|20020801|allocated\n"
	"apnic|TW|ipv6|2001:db8::1|16|20020801|allocated\n"
	"apnic|HK|ipv4|255.255.255.0|512|20020801|allocated\n"
	"nonsense\n"
	"apnic|SG|ipv4|203.0.113.4|1|20020801|allocated";

static void check_delegations(const char *path)
{
	struct regions_build b = { 0 };
	struct err e;

	CHECK_OK(regions_build_delegations(&b, path, &e));
	CHECK_WHOLE(b.len, 4);
	CHECK_WHOLE(b.skipped, 3);
	CHECK_WHOLE(b.refused, 3);
	CHECK(strstr(b.refusal, "line 9"));
	CHECK_TEXT(b.source, "apnic 20060101");
	struct regions *r = written(b.list, b.len);
	check_found(r, "192.0.2.95", "JP", 0);
	check_found(r, "192.0.2.96", "ZZ", 0);
	check_found(r, "198.51.100.255", "KR", 0);
	check_found(r, "2001:db8:1234::", "AU", 0);
	check_found(r, "203.0.113.4", "SG", 0);
	regions_close(r);
	regions_build_release(&b);
}

TEST(regions_are_built_from_delegation_files)
{
	struct err e;

	CHECK_OK(file_write(in_dir("delegated"), delegations, sizeof delegations - 1, &e));
	check_delegations(in_dir("delegated"));
}

TEST(regions_are_built_from_compressed_delegation_files)
{
	struct buf packed = buf_make(1 << 20);
	struct err e;

	compress_zstd(&packed, delegations, sizeof delegations - 1);
	CHECK_OK(file_write(in_dir("delegated.zst"), packed.at, packed.len, &e));
	check_delegations(in_dir("delegated.zst"));
	buf_release(&packed);
}

TEST(regions_refuse_a_file_without_delegations)
{
	struct regions_build b = { 0 };
	struct err e;

	CHECK_OK(file_write(in_dir("else"), "hello\nworld\n", 12, &e));
	CHECK(!regions_build_delegations(&b, in_dir("else"), &e));
	CHECK(!regions_build_delegations(&b, in_dir("absent"), &e));
	regions_build_release(&b);
}

/* --- a small writer of MMDBs: 24-bit records, one or two data records --- */

struct mmdb { struct buf out; uint32_t nodes; };

static void mmdb_text(struct buf *b, const char *text)
{
	buf_u8(b, (uint8_t)(2 << 5 | strlen(text)));
	buf_str(b, text);
}

static void mmdb_number(struct buf *b, const char *key, int type, uint64_t v, int bytes)
{
	mmdb_text(b, key);
	if (type > 7) {
		buf_u8(b, (uint8_t)bytes);
		buf_u8(b, (uint8_t)(type - 7));
	} else {
		buf_u8(b, (uint8_t)(type << 5 | bytes));
	}
	for (int i = bytes - 1; i >= 0; i--)
		buf_u8(b, (uint8_t)(v >> 8 * i));
}

static void mmdb_record(struct mmdb *m, uint32_t v)
{
	buf_u8(&m->out, (uint8_t)(v >> 16));
	buf_u8(&m->out, (uint8_t)(v >> 8));
	buf_u8(&m->out, (uint8_t)v);
}

enum { DATA_JP = 0, DATA_AS = 17 };     /* where the two records lie in the data section */

static uint32_t mmdb_data(const struct mmdb *m, uint32_t at)
{
	return m->nodes + 16 + at;
}

/* What follows the tree. */
static void mmdb_finish(struct mmdb *m, unsigned version, const char *path)
{
	struct buf *b = &m->out;
	struct err e;

	for (int i = 0; i < 16; i++)
		buf_u8(b, 0);
	size_t data = b->len;
	buf_u8(b, 7 << 5 | 1);
	mmdb_text(b, "country_code");
	mmdb_text(b, "JP");
	CHECK_WHOLE(b->len - data, DATA_AS);
	buf_u8(b, 7 << 5 | 2);
	mmdb_text(b, "registered_country");
	buf_u8(b, 7 << 5 | 1);
	mmdb_text(b, "iso_code");
	mmdb_text(b, "KR");
	mmdb_number(b, "autonomous_system_number", 6, 64500, 4);
	buf_str(b, "\xab\xcd\xefMaxMind.com");
	buf_u8(b, 7 << 5 | 9);
	mmdb_number(b, "node_count", 6, m->nodes, 4);
	mmdb_number(b, "record_size", 5, 24, 2);
	mmdb_number(b, "ip_version", 5, version, 2);
	mmdb_text(b, "database_type");
	mmdb_text(b, "test");
	mmdb_number(b, "binary_format_major_version", 5, 2, 2);
	mmdb_number(b, "binary_format_minor_version", 5, 0, 2);
	mmdb_number(b, "build_epoch", 9, 1136073600, 8);
	mmdb_text(b, "languages");
	buf_u8(b, 0);           /* an empty array: extended type 11 */
	buf_u8(b, 11 - 7);
	mmdb_text(b, "description");
	buf_u8(b, 7 << 5);
	CHECK_OK(file_write(path, b->at, b->len, &e));
	buf_release(b);
}

TEST(regions_are_built_from_an_mmdb_of_ipv4)
{
	struct mmdb m = { buf_make(1 << 20), 1 };
	struct regions_build b = { 0 };
	struct err e;

	mmdb_record(&m, mmdb_data(&m, DATA_JP));
	mmdb_record(&m, mmdb_data(&m, DATA_AS));
	mmdb_finish(&m, 4, in_dir("v4.mmdb"));
	CHECK_OK(regions_build_mmdb(&b, in_dir("v4.mmdb"), &e));
	CHECK_TEXT(b.source, "v4.mmdb of 2006-01-01");
	struct regions *r = written(b.list, b.len);
	check_found(r, "0.0.0.0", "JP", 0);
	check_found(r, "127.255.255.255", "JP", 0);
	check_found(r, "128.0.0.0", "KR", 64500);
	check_found(r, "::1", "ZZ", 0);
	regions_close(r);
	regions_build_release(&b);
}

/* Node 95 is ::/95, whose left side is IPv4 space; 2000::/3 hangs at node 2, and at node 0 an alias of IPv4 space. */
TEST(regions_are_built_from_an_mmdb_of_both_families)
{
	struct mmdb m = { buf_make(1 << 20), 97 };
	struct regions_build b = { 0 };
	struct err e;

	for (uint32_t i = 0; i < 96; i++) {
		mmdb_record(&m, i + 1);
		mmdb_record(&m, i == 0 ? 96 : i == 2 ? mmdb_data(&m, DATA_AS) : m.nodes);
	}
	mmdb_record(&m, mmdb_data(&m, DATA_JP));
	mmdb_record(&m, m.nodes);
	mmdb_finish(&m, 6, in_dir("v6.mmdb"));
	CHECK_OK(regions_build_mmdb(&b, in_dir("v6.mmdb"), &e));
	struct regions *r = written(b.list, b.len);
	CHECK_WHOLE(regions_len(r), 2);
	check_found(r, "1.2.3.4", "JP", 0);
	check_found(r, "128.0.0.0", "ZZ", 0);
	check_found(r, "2001:db8::", "KR", 64500);
	check_found(r, "4000::", "ZZ", 0);
	check_found(r, "8000::", "ZZ", 0);
	regions_close(r);
	regions_build_release(&b);
}

TEST(regions_refuse_an_mmdb_that_is_no_tree)
{
	struct mmdb m = { buf_make(1 << 20), 1 };
	struct regions_build b = { 0 };
	struct err e;

	mmdb_record(&m, 0);
	mmdb_record(&m, 0);
	mmdb_finish(&m, 6, in_dir("loop.mmdb"));
	CHECK(!regions_build_mmdb(&b, in_dir("loop.mmdb"), &e));
	CHECK_OK(file_write(in_dir("not.mmdb"), "not an MMDB", 11, &e));
	CHECK(!regions_build_mmdb(&b, in_dir("not.mmdb"), &e));
	regions_build_release(&b);
}
