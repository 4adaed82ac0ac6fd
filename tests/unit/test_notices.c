/* notices and epochs: lines that survive whoever writes them, and sets of addresses that are told apart in any order. */
#include "test.h"

#include "base/err.h"
#include "base/file.h"
#include "base/sign.h"
#include "cmd/noticing.h"
#include "link/epochs.h"
#include "spool/notices.h"
#include "store/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TEST(notices_are_read_from_where_one_has_come_and_torn_ones_never)
{
	char path[] = "/tmp/teiten-notices-XXXXXX";
	struct notice n = { .at_s = 1795626261, .kind = NOTICE_SILENT, .sensor = "kyoto-1", .amount = 12 };
	struct notices got;
	struct err e;
	int fd = mkstemp(path);

	CHECK_OK(notices_append(path, &n, &e));
	CHECK_OK(notices_read(path, 0, &got, &e));
	CHECK_WHOLE(got.len, 1);
	CHECK(got.list[0].at_s == n.at_s && got.list[0].kind == NOTICE_SILENT && got.list[0].amount == 12);
	CHECK_TEXT(got.list[0].sensor, "kyoto-1");
	uint64_t first = got.end;
	notices_release(&got);
	CHECK(lseek(fd, 0, SEEK_END) > 0 && write(fd, "1795626262 silent kyoto-1 1", 27) == 27);       /* 12, had it been finished */
	CHECK_OK(notices_read(path, first, &got, &e));
	CHECK_WHOLE(got.len, 0);
	CHECK_WHOLE(got.end, first);
	n.kind = NOTICE_CAPTURING;
	CHECK_OK(notices_append(path, &n, &e));
	CHECK_OK(notices_read(path, first, &got, &e));
	CHECK_WHOLE(got.len, 1);
	CHECK(got.list[0].kind == NOTICE_CAPTURING);
	notices_release(&got);
	CHECK_OK(notices_read(path, UINT64_MAX, &got, &e));
	CHECK_WHOLE(got.len, 0);
	(void)close(fd);
	(void)unlink(path);
}

TEST(epochs_know_a_set_of_addresses_whenever_its_batches_come)
{
	struct epochs all = { 0 }, read;
	char path[] = "/tmp/teiten-epochs-XXXXXX";
	struct err e;

	CHECK_WHOLE(epochs_note(&all, "s", 0xaaaaaa, 100), EPOCH_FIRST);
	CHECK_WHOLE(epochs_note(&all, "s", 0xaaaaaa, 50), EPOCH_EARLIER);
	CHECK_WHOLE(epochs_note(&all, "other", 0xbbbbbb, 300), EPOCH_FIRST);
	CHECK_WHOLE(epochs_note(&all, "s", 0xbbbbbb, 300), EPOCH_MOVED);
	CHECK_WHOLE(epochs_note(&all, "s", 0xaaaaaa, 200), EPOCH_SAME);         /* a backlog, newest and oldest in turn */
	CHECK_WHOLE(epochs_note(&all, "s", 0xbbbbbb, 250), EPOCH_EARLIER);
	CHECK_WHOLE(epochs_note(&all, "s", 0xaaaaaa, 400), EPOCH_MOVED);        /* back again */
	CHECK_WHOLE(all.len, 4);
	CHECK_WHOLE(epochs_newest(&all, "s")->from, 400);
	CHECK(epochs_newest(&all, "none") == NULL);
	(void)close(mkstemp(path));
	CHECK_OK(epochs_write(&all, path, &e));
	CHECK_OK(epochs_read(&read, path, &e));
	CHECK_WHOLE(read.len, 4);
	for (size_t i = 0; i < read.len; i++)
		CHECK(!strcmp(read.list[i].sensor, all.list[i].sensor) && read.list[i].mark == all.list[i].mark && read.list[i].from == all.list[i].from);
	epochs_release(&read);
	epochs_release(&all);
	(void)unlink(path);
}

TEST(epochs_are_marked_by_addresses_and_key_alone)
{
	struct sign_secret a, b;

	sign_make(&a);
	sign_make(&b);
	uint64_t one = epoch_marked(&a, "192.0.2.0/28", 12), again = epoch_marked(&a, "192.0.2.0/28", 12);
	CHECK(one != again);
	CHECK(batch_mark(one) == batch_mark(again) && batch_mark(one) != 0);
	CHECK(batch_mark(one) != batch_mark(epoch_marked(&a, "192.0.2.0/27", 12)) || batch_mark(one) != batch_mark(epoch_marked(&a, "192.0.2.0/26", 12)));
	CHECK(batch_mark(one) != batch_mark(epoch_marked(&b, "192.0.2.0/28", 12)) || batch_mark(one) != batch_mark(epoch_marked(&b, "192.0.2.0/27", 12)));
	CHECK_WHOLE(batch_mark(epoch_unmarked()), 0);
}

static struct surge_revision told(bool alarm, enum surge_state state, minute_t known, minute_t end)
{
	return (struct surge_revision){ .row = { .port = PROTO_TCP << 16 | 80, .found = 1000 * 60, .alarm = alarm, .state = state, .known = known, .end = end, .value = 1.5 } };
}

static size_t lines(const char *path)
{
	struct notices got;
	struct err e;

	CHECK_OK(notices_read(path, 0, &got, &e));
	size_t n = got.len;
	notices_release(&got);
	return n;
}

TEST(a_surge_is_told_once_when_it_is_an_alarm_and_once_when_it_is_not_any_more)
{
	enum { NOW = 1010 * 60 };
	char path[600];
	struct vigil v;
	struct notices got;
	struct err e;
	struct surge_revision r = told(false, SURGE_OPEN, 1000 * 60, 0);

	(void)snprintf(path, sizeof path, "%s/log", test_dir());
	CHECK_OK(vigil_open(&v, path, &e));
	vigil_surges(&v, &r, 1, NOW);
	CHECK_WHOLE(lines(path), 0);    /* a watch: it is listed */
	r = told(true, SURGE_OPEN, 1005 * 60, 0);
	vigil_surges(&v, &r, 1, NOW);
	r = told(true, SURGE_SHIFTED, 1005 * 60, 0);
	vigil_surges(&v, &r, 1, NOW);
	CHECK_WHOLE(lines(path), 1);
	vigil_release(&v);
	CHECK_OK(vigil_open(&v, path, &e));     /* a keep that starts again */
	vigil_surges(&v, &r, 1, NOW);
	r = told(true, SURGE_WITHDRAWN, 1005 * 60, 0);
	vigil_surges(&v, &r, 1, NOW + 1);
	vigil_surges(&v, &r, 1, NOW + 2);
	r = told(true, SURGE_ENDED, 1005 * 60, 1008 * 60);
	vigil_surges(&v, &r, 1, NOW + 3);
	CHECK_OK(notices_read(path, 0, &got, &e));
	CHECK(got.len == 2 && got.list[0].kind == NOTICE_SURGE && got.list[1].kind == NOTICE_SURGE_GONE);
	CHECK_TEXT(got.list[1].sensor, "80-tcp-19700211T16");
	notices_release(&got);
	vigil_release(&v);
}
