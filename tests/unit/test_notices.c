/* notices and epochs: lines that survive whoever writes them, and sets of addresses that are told apart in any order. */
#include "test.h"

#include "base/err.h"
#include "base/file.h"
#include "base/sign.h"
#include "link/epochs.h"
#include "spool/notices.h"

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
