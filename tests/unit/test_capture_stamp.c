/* stamp: the times that files write. */
#include "test.h"

#include "base/err.h"
#include "base/zone.h"
#include "capture/stamp.h"

static int64_t parsed(const char *text, const struct zone *z)
{
	bool local = false;
	int64_t s;

	return stamp_parse(text, z, &s, &local) ? s : -1;
}

TEST(stamp_reads_the_ways_in_which_files_write_times)
{
	struct zone utc, tokyo;
	struct err e;

	CHECK_OK(zone_load(&utc, "UTC", &e));
	CHECK_OK(zone_load(&tokyo, "Asia/Tokyo", &e));
	CHECK_WHOLE(parsed("2013-03-03 21:53:59", &utc), 1362347639);
	CHECK_WHOLE(parsed("2013-03-03 21:53:59", &tokyo), 1362347639 - 9 * 3600);
	CHECK_WHOLE(parsed("2013-03-03T21:53:59Z", &tokyo), 1362347639);
	CHECK_WHOLE(parsed("2013-03-03T21:53:59.688+0000", &tokyo), 1362347639);
	CHECK_WHOLE(parsed("2013-03-04T06:53:59,688+09:00", &utc), 1362347639);
	CHECK_WHOLE(parsed("2013-03-03 16:53:59 -0500", &utc), 1362347639);
	CHECK_WHOLE(parsed("2013/03/03 21:53", &utc), 1362347580);
	CHECK_WHOLE(parsed("2013-03-03 21:53:59 UTC", &tokyo), 1362347639);
	CHECK_WHOLE(parsed("1362347639", &tokyo), 1362347639);
	CHECK_WHOLE(parsed("1362347639.999", &utc), 1362347639);
	CHECK_WHOLE(parsed("1362347639688", &utc), 1362347639);
	CHECK_WHOLE(parsed("1362347639688123", &utc), 1362347639);
	CHECK_WHOLE(parsed("2012-02-29 00:00:00", &utc), 1330473600);
	CHECK_WHOLE(parsed("2012-06-30 23:59:60", &utc), 1341100799);
	zone_release(&utc);
	zone_release(&tokyo);
}

TEST(stamp_refuses_what_is_no_time)
{
	static const char *const wrong[] = { "", " ", "yesterday", "2013-13-01 00:00:00", "2013-02-29 00:00:00", "2013-03-03",
		"2013-03-03 24:00:00", "2013-03-03 21:60:00", "2013-03-03 21:53:5", "2013-03-03T21:53:59+9", "2013-03-03T21:53:59+25:00",
		"13-03-03 21:53:59", "1362347639x", "12345678901234567", "1969-01-01 00:00:00", "2100-01-01 00:00:00", "-5" };
	struct zone utc;
	struct err e;

	CHECK_OK(zone_load(&utc, "UTC", &e));
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CHECK_WHOLE(parsed(wrong[i], &utc), -1);
	zone_release(&utc);
}

TEST(stamp_reads_syslog_times_of_a_given_year)
{
	struct zone utc;
	struct err e;
	int64_t s;
	int month;
	size_t used;

	CHECK_OK(zone_load(&utc, "UTC", &e));
	CHECK(stamp_syslog("Apr  7 00:00:34 host", 2024, &utc, &s, &month, &used));
	CHECK_WHOLE(s, 1712448034);
	CHECK_WHOLE(used, 15);
	CHECK_WHOLE(month, 4);
	CHECK(stamp_syslog("Feb 29 12:00:00", 2024, &utc, &s, &month, &used));
	CHECK(!stamp_syslog("Feb 29 12:00:00", 2023, &utc, &s, &month, &used));
	CHECK_WHOLE(stamp_syslog_month("Foo 29"), 0);
	CHECK_WHOLE(stamp_syslog_month("Dec"), 0);
	for (size_t n = 0; n < 15; n++) {
		char cut[16] = "Apr  7 00:00:34";

		cut[n] = '\0';
		CHECK(!stamp_syslog(cut, 2024, &utc, &s, &month, &used));
	}
	zone_release(&utc);
}
