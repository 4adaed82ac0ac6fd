/* The spool, and the room that is made in it. */
#include "test.h"

#include "base/bytes.h"
#include "base/err.h"
#include "spool/room.h"
#include "spool/spool.h"

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EACH = 100, ROOM_BYTES = 3000 };

static struct batch one_packet(const char *sensor, uint64_t epoch, uint64_t serial)
{
	struct batch b = { .epoch = epoch, .serial = serial, .span = { 20000000, 20000001 }, .seen = 1 };

	memcpy(b.sensor, sensor, strlen(sensor) + 1);
	batch_add(&b, &(struct tuple){ .src = addr_v4(0xc6336407), .minute = 20000000, .port = 23, .proto = PROTO_TCP, .packets = 1 });
	return b;
}

static void *put_many(void *epoch)
{
	const struct room room = { .bytes_max = ROOM_BYTES };
	struct room_gone gone;
	struct err e;

	for (uint64_t i = 1; i <= EACH; i++) {
		struct batch b = one_packet("a", *(const uint64_t *)epoch, i);

		CHECK_OK(room_put(test_dir(), &room, &b, &gone, &e));
		batch_release(&b);
	}
	return NULL;
}

/* Packets that are in the spool's batches, that they tell as lost, and that markers will make the next one tell. */
static void sums(uint64_t *here, uint64_t *lost)
{
	struct spool_taken taken = { 0 };
	struct spool_list list;
	struct dirent *entry;
	struct err e;

	*here = *lost = 0;
	CHECK_OK(spool_waiting(test_dir(), &list, &e));
	for (size_t i = 0; i < list.len; i++)
		CHECK_OK(spool_take(test_dir(), list.names[i], &taken, &e));
	for (size_t i = 0; i < taken.len; i++) {
		*here += taken.list[i].seen;
		*lost += taken.list[i].lost;
	}
	DIR *d = opendir(test_dir());
	while (d && (entry = readdir(d)) != NULL)
		if (strstr(entry->d_name, ".lost"))
			*lost += strtoull(entry->d_name, NULL, 10);
	closedir(d);
	spool_taken_release(&taken);
	spool_list_release(&list);
}

/* Several that write into one spool: what each gives up is told once. */
TEST(spool_that_is_full_tells_each_packet_once_whoever_writes)
{
	uint64_t epochs[2] = { 1, 2 }, here, lost;
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, put_many, &epochs[i]) != 0)
			test_skip("no threads here");
	for (int i = 0; i < 2; i++)
		(void)pthread_join(threads[i], NULL);
	sums(&here, &lost);
	CHECK(spool_bytes(test_dir()) < ROOM_BYTES + 1000);
	CHECK(here > 1 && lost > 1);
	CHECK_WHOLE(here + lost, 2 * EACH);
}

TEST(spool_keeps_what_somebody_is_sending_or_taking)
{
	const struct room room = { .bytes_max = 1 };
	struct batch first = one_packet("a", 1, 1), second = one_packet("a", 1, 2), third = one_packet("b", 1, 3);
	char name[SPOOL_NAME_MAX];
	struct room_gone gone;
	struct err e;
	int held;

	CHECK_OK(spool_put(test_dir(), &first, &e));
	spool_name(&first, name);
	CHECK_OK(room_hold(test_dir(), name, &held, &e));
	CHECK(held >= 0);
	CHECK_OK(room_put(test_dir(), &room, &second, &gone, &e));
	CHECK_WHOLE(gone.full + gone.old, 0);
	(void)close(held);
	int taking = room_begin_taking(test_dir());
	CHECK(taking >= 0);
	CHECK_OK(room_put(test_dir(), &room, &third, &gone, &e));
	CHECK_WHOLE(gone.full + gone.old, 0);
	(void)close(taking);
	third.serial = 4;
	CHECK_OK(room_put(test_dir(), &room, &third, &gone, &e));
	CHECK_WHOLE(gone.full, 3);
	CHECK_WHOLE(gone.packets, 3);
	batch_release(&first);
	batch_release(&second);
	batch_release(&third);
}

TEST(spool_files_may_hold_several_batches_or_none_of_them)
{
	struct batch a = one_packet("a", 1, 1), b = one_packet("b", 1, 1);
	struct spool_taken taken = { 0 };
	struct buf bytes = buf_make(1 << 20);
	char name[SPOOL_NAME_MAX];
	struct err e;

	batch_encode(&a, &bytes);
	batch_encode(&b, &bytes);
	CHECK_OK(spool_put_group(test_dir(), bytes.at, bytes.len, name, &e));
	CHECK_OK(spool_take(test_dir(), name, &taken, &e));
	CHECK_WHOLE(taken.len, 2);
	CHECK_TEXT(taken.list[1].sensor, "b");
	bytes.at[bytes.len - 1] ^= 1;
	CHECK_OK(spool_put_group(test_dir(), bytes.at, bytes.len, name, &e));
	CHECK(!spool_take(test_dir(), name, &taken, &e));
	CHECK_WHOLE(taken.len, 2);
	CHECK_OK(spool_put_group(test_dir(), bytes.at, bytes.len / 2 + 3, name, &e));
	CHECK(!spool_take(test_dir(), name, &taken, &e));
	spool_taken_release(&taken);
	buf_release(&bytes);
	batch_release(&a);
	batch_release(&b);
}
