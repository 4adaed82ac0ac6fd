/* intake: bytes and lines of plain and compressed files, whole and cut. */
#include "test.h"

#include "base/bytes.h"
#include "base/compress.h"
#include "base/err.h"
#include "capture/intake.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int file_of(const void *bytes, size_t len)
{
	char path[512];

	(void)snprintf(path, sizeof path, "%s/file", test_dir());
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

TEST(intake_gives_lines_without_their_endings)
{
	static const char text[] = "one\r\n\ntwo\nthree";
	struct intake *in = intake_over(text, sizeof text - 1);
	struct line l;

	CHECK(intake_line(in, &l));
	CHECK_TEXT(l.text, "one");
	CHECK(intake_line(in, &l));
	CHECK_TEXT(l.text, "");
	CHECK(intake_line(in, &l));
	CHECK_TEXT(l.text, "two");
	CHECK(intake_line(in, &l));
	CHECK_TEXT(l.text, "three");
	CHECK_WHOLE(l.number, 4);
	CHECK(!l.cut);
	CHECK(!intake_line(in, &l));
	intake_close(in);
}

TEST(intake_passes_a_line_that_is_too_long)
{
	size_t len = 5 * INTAKE_LINE_MAX;
	char *text = malloc(len);
	struct line l;

	memset(text, 'x', len);
	memcpy(text, "a\n", 2);
	memcpy(text + len - 3, "\nb\n", 3);
	struct intake *in = intake_over(text, len);
	CHECK(intake_line(in, &l) && !l.too_long);
	CHECK(intake_line(in, &l) && l.too_long);
	CHECK_TEXT(l.text, "");
	CHECK(intake_line(in, &l) && !l.too_long);
	CHECK_TEXT(l.text, "b");
	CHECK_WHOLE(l.number, 3);
	CHECK(!intake_line(in, &l));
	intake_close(in);
	free(text);
}

TEST(intake_looks_ahead_without_taking)
{
	static const char text[] = "0123456789";
	struct intake *in = intake_over(text, 10);
	size_t n;

	CHECK(memcmp(intake_peek(in, 10), text, 10) == 0);
	CHECK(intake_peek(in, 11) == NULL);
	CHECK(intake_skip(in, 4));
	CHECK(memcmp(intake_ahead(in, 100, &n), text + 4, 6) == 0);
	CHECK_WHOLE(n, 6);
	CHECK(!intake_skip(in, 7));
	CHECK(intake_ended(in));
	intake_close(in);
}

TEST(intake_gives_all_that_a_cut_stream_holds_and_says_that_it_broke)
{
	struct buf packed = buf_make(1 << 20);
	char text[4000];
	struct err e;
	uint64_t seed = 1;

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = i % 10 == 9 ? '\n' : (char)('a' + test_random(&seed) % 26);
	compress_zstd(&packed, text, sizeof text);
	int fd = file_of(packed.at, packed.len - 3);
	uint64_t plain = UINT64_MAX, taken;
	for (int pass = 0; pass < 2; pass++, plain = taken) {   /* the second time with the length that the first one found */
		struct intake *in = intake_open(fd, plain, &e);
		struct line l;

		CHECK(in != NULL);
		for (taken = 0; intake_line(in, &l); taken += l.len + !l.cut)
			CHECK(l.cut || memcmp(l.text, text + 10 * (l.number - 1), 9) == 0);
		CHECK(intake_broken(in, &e));
		CHECK_TEXT(intake_compression(in), "zstd");
		intake_close(in);
		CHECK(lseek(fd, 0, SEEK_SET) == 0);
	}
	buf_release(&packed);
	(void)close(fd);
}

TEST(intake_leaves_out_what_was_added_to_the_file)
{
	int fd = file_of("a\nb\nc\n", 6);
	struct err e;
	struct intake *in = intake_open(fd, 4, &e);
	struct line l;

	CHECK(intake_line(in, &l) && intake_line(in, &l));
	CHECK_TEXT(l.text, "b");
	CHECK(!intake_line(in, &l));
	CHECK(!intake_broken(in, &e));
	intake_close(in);
	(void)close(fd);
}
