/* pcapfile: files made here in every byte order and resolution; cut at every byte; with lengths that cannot be. */
#include "test.h"

#include "base/err.h"
#include "capture/decode.h"
#include "capture/intake.h"
#include "capture/pcapfile.h"

enum { FILE_MAX = 4096 };

struct made { uint8_t b[FILE_MAX]; size_t len; bool big; };

static void put(struct made *m, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		m->b[m->len++] = (uint8_t)(v >> 8 * (m->big ? bytes - 1 - i : i));
}

static void fill(struct made *m, unsigned v, size_t n)
{
	memset(m->b + m->len, (int)v, n);
	m->len += n;
}

static void pcap_header(struct made *m, uint32_t magic, uint32_t link)
{
	put(m, magic, 4);
	put(m, 2, 2);
	put(m, 4, 2);
	put(m, 0, 8);
	put(m, 65535, 4);
	put(m, link, 4);
}

static void pcap_record(struct made *m, uint32_t seconds, uint32_t length, bool patched)
{
	put(m, seconds, 4);
	put(m, 999999999, 4);
	put(m, length, 4);
	put(m, length + 100, 4);
	if (patched)
		put(m, 0, 8);
	fill(m, 0xab, length);
}

static size_t begin(struct made *m, uint32_t kind)
{
	size_t start = m->len;

	put(m, kind, 4);
	put(m, 0, 4);
	return start;
}

static void end(struct made *m, size_t start)
{
	size_t at = m->len;
	uint32_t length;

	while (at % 4)
		m->b[at++] = 0;
	m->len = at;
	length = (uint32_t)(m->len + 4 - start);
	put(m, length, 4);
	at = m->len;
	m->len = start + 4;
	put(m, length, 4);
	m->len = at;
}

static void section(struct made *m)
{
	size_t s = begin(m, 0x0a0d0d0a);

	put(m, 0x1a2b3c4d, 4);
	put(m, 1, 2);
	put(m, 0, 2);
	put(m, UINT64_MAX, 8);
	end(m, s);
}

/* resolution < 0: the option is not there */
static void interface(struct made *m, unsigned link, uint32_t snapshot, int resolution, int64_t offset)
{
	size_t s = begin(m, 1);

	put(m, link, 2);
	put(m, 0, 2);
	put(m, snapshot, 4);
	if (resolution >= 0) {
		put(m, 9, 2);
		put(m, 1, 2);
		put(m, (uint64_t)resolution << (m->big ? 24 : 0), 4);
	}
	if (offset) {
		put(m, 14, 2);
		put(m, 8, 2);
		put(m, (uint64_t)offset, 8);
	}
	put(m, 0, 4);
	end(m, s);
}

static void packet(struct made *m, uint32_t number, uint64_t stamp, uint32_t length)
{
	size_t s = begin(m, 6);

	put(m, number, 4);
	put(m, stamp >> 32, 4);
	put(m, stamp & 0xffffffff, 4);
	put(m, length, 4);
	put(m, length, 4);
	fill(m, 0xcd, length);
	end(m, s);
}

/* Reads all frames into out (up to 16); returns how many, *last how it ended. */
static size_t read_all(const struct made *m, size_t len, struct frame out[16], enum pcap_next *last)
{
	struct intake *in = intake_over(m->b, len);
	struct err e;
	struct pcapfile *f = pcapfile_open(in, &e);
	size_t n = 0;

	*last = PCAP_BROKEN;
	if (f)
		while (n < 16 && (*last = pcapfile_next(f, &out[n], &e)) == PCAP_FRAME)
			n++;
	pcapfile_close(f);
	intake_close(in);
	return n;
}

TEST(pcapfile_reads_all_magics_in_both_orders)
{
	static const uint32_t magics[] = { 0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34 };

	for (unsigned i = 0; i < 6; i++) {
		struct made m = { .big = i % 2 };
		struct frame f[16];
		enum pcap_next last;

		pcap_header(&m, magics[i / 2], LINK_RAW);
		pcap_record(&m, 1372000000, 40, i / 2 == 2);
		pcap_record(&m, 4102444799u, 61, i / 2 == 2);
		CHECK_WHOLE(read_all(&m, m.len, f, &last), 2);
		CHECK_WHOLE(last, PCAP_END);
		CHECK_WHOLE(f[0].time_s, 1372000000);
		CHECK_WHOLE(f[1].time_s, 4102444799);
		CHECK_WHOLE(f[1].captured, 61);
		CHECK_WHOLE(f[1].link, LINK_RAW);
		CHECK_WHOLE(f[1].number, 2);
	}
}

TEST(pcapfile_cuts_the_check_sequence_length_off_the_link_type)
{
	struct made m = { 0 };
	struct frame f[16];
	enum pcap_next last;

	pcap_header(&m, 0xa1b2c3d4, 0x24000000 | LINK_ETHERNET);
	pcap_record(&m, 1, 20, false);
	CHECK_WHOLE(read_all(&m, m.len, f, &last), 1);
	CHECK_WHOLE(f[0].link, LINK_ETHERNET);
}

TEST(pcapfile_keeps_what_stands_before_a_cut)
{
	struct made m = { 0 };
	struct frame f[16];
	enum pcap_next last;

	pcap_header(&m, 0xa1b2c3d4, LINK_RAW);
	pcap_record(&m, 1, 30, false);
	pcap_record(&m, 2, 30, false);
	for (size_t n = 0; n <= m.len; n++) {
		size_t frames = read_all(&m, n, f, &last);
		bool edge = n == 24 || n == 24 + 46 || n == 24 + 92;

		CHECK_WHOLE(frames, n >= 24 + 92 ? 2 : n >= 24 + 46);
		CHECK_WHOLE(last, edge ? PCAP_END : PCAP_BROKEN);
	}
}

TEST(pcapfile_refuses_a_length_that_cannot_be)
{
	struct made m = { 0 };
	struct frame f[16];
	enum pcap_next last;

	pcap_header(&m, 0xa1b2c3d4, LINK_RAW);
	pcap_record(&m, 1, 30, false);
	put(&m, 2, 4);
	put(&m, 0, 4);
	put(&m, 0xfffffff0u, 4);
	put(&m, 40, 4);
	fill(&m, 0, 100);
	CHECK_WHOLE(read_all(&m, m.len, f, &last), 1);
	CHECK_WHOLE(last, PCAP_BROKEN);
}

TEST(pcapfile_refuses_what_is_no_capture)
{
	struct made m = { 0 };
	struct err e;

	fill(&m, 'x', 100);
	struct intake *in = intake_over(m.b, m.len);
	CHECK(pcapfile_open(in, &e) == NULL);
	CHECK_TEXT(e.what, "not a capture");
	intake_close(in);
}

static void make_pcapng(struct made *m)
{
	size_t s;

	section(m);
	interface(m, LINK_RAW, 0, -1, 0);
	interface(m, LINK_ETHERNET, 20, 9, 1000000000);
	packet(m, 0, 1372000000u * (uint64_t)1000000 + 5, 33);
	packet(m, 1, 372000000u * (uint64_t)1000000000 + 7, 20);
	s = begin(m, 5);                                /* statistics: passed */
	fill(m, 0, 12);
	end(m, s);
	s = begin(m, 3);                                /* simple packet, of interface 0, no time */
	put(m, 25, 4);
	fill(m, 1, 25);
	end(m, s);
	s = begin(m, 2);                                /* the old packet block */
	put(m, 1, 2);
	put(m, 0, 2);
	put(m, (372000001u * (uint64_t)1000000000) >> 32, 4);
	put(m, (372000001u * (uint64_t)1000000000) & 0xffffffff, 4);
	put(m, 14, 4);
	put(m, 14, 4);
	fill(m, 2, 14);
	end(m, s);
}

TEST(pcapfile_reads_sections_interfaces_and_resolutions_of_pcapng)
{
	for (unsigned i = 0; i < 4; i++) {
		struct made m = { .big = i % 2 };
		struct frame f[16];
		enum pcap_next last;

		make_pcapng(&m);
		m.big = i / 2;                          /* the second section in either order */
		section(&m);
		interface(&m, LINK_LOOP, 0, 0x80 | 10, 0);
		packet(&m, 0, 1372000000u * (uint64_t)1024 + 1023, 8);
		CHECK_WHOLE(read_all(&m, m.len, f, &last), 5);
		CHECK_WHOLE(last, PCAP_END);
		CHECK_WHOLE(f[0].time_s, 1372000000);
		CHECK_WHOLE(f[0].captured, 33);
		CHECK_WHOLE(f[1].time_s, 1372000000);
		CHECK_WHOLE(f[1].link, LINK_ETHERNET);
		CHECK(!f[2].timed && f[2].captured == 25 && f[2].link == LINK_RAW);
		CHECK_WHOLE(f[3].time_s, 1372000001);
		CHECK_WHOLE(f[4].time_s, 1372000000);
		CHECK_WHOLE(f[4].link, LINK_LOOP);
	}
}

TEST(pcapfile_keeps_what_stands_before_a_cut_in_pcapng)
{
	struct made m = { 0 };
	struct frame f[16];
	enum pcap_next last;
	size_t before = 0;

	make_pcapng(&m);
	for (size_t n = 0; n <= m.len; n++) {
		size_t frames = read_all(&m, n, f, &last);

		CHECK(frames >= before && frames <= 4);
		CHECK(n % 4 == 0 || last == PCAP_BROKEN);
		before = frames;
	}
	CHECK_WHOLE(before, 4);
	CHECK_WHOLE(last, PCAP_END);
}

TEST(pcapfile_stops_where_a_block_is_damaged)
{
	struct made whole = { 0 };
	struct frame f[16];
	enum pcap_next last;

	make_pcapng(&whole);
	for (size_t i = 0; i < whole.len; i++) {
		struct made m = whole;

		m.b[i] ^= 0xff;
		CHECK(read_all(&m, m.len, f, &last) <= 5);
	}
	struct made m = { 0 };
	section(&m);
	packet(&m, 0, 1, 4);            /* of an interface that was never described */
	CHECK_WHOLE(read_all(&m, m.len, f, &last), 0);
	CHECK_WHOLE(last, PCAP_BROKEN);
}
