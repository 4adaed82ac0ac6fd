#include "spool/room.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/num.h"
#include "base/secret.h"
#include "spool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".lost", putting[] = ".putting", taking[] = ".taking";

enum { MARKER_MAX = SPOOL_NAME_MAX };

bool room_hold(const char *dir, const char *name, int *fd, struct err *e)
{
	char path[PATH_TEXT_MAX];
	struct stat ours, named;

	*fd = -1;
	if (!file_path(path, dir, name, e))
		return false;
	*fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);    /* a pipe of that name has no other end */
	if (*fd < 0)
		return errno == ENOENT || err_errno(e, "cannot open %s", path);
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0 && fstat(*fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_ino == named.st_ino)
		return true;
	(void)close(*fd);
	*fd = -1;
	return true;
}

/* One at a time, of threads and processes; -1: the folder cannot be written. */
static int lock(const char *dir, const char *name, int how)
{
	char path[PATH_TEXT_MAX];
	struct err e;
	int fd = file_path(path, dir, name, &e) ? open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644) : -1;

	if (fd >= 0 && flock(fd, how) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

int room_begin_taking(const char *dir)
{
	return lock(dir, taking, LOCK_EX);
}

/* "PACKETS.SENSOR.CHANCE.lost" */
static bool marker_of(const char *dir, uint64_t packets, const char *sensor, char path[PATH_TEXT_MAX], struct err *e)
{
	char name[MARKER_MAX];
	uint64_t chance;

	secret_fill(&chance, sizeof chance);
	(void)snprintf(name, sizeof name, "%" PRIu64 ".%s.%016" PRIx64 "%s", packets, sensor, chance, suffix);
	return file_path(path, dir, name, e);
}

/* Whether the name is a marker of that sensor's, and of how many packets. */
static bool is_marker(const char *name, const char *sensor, uint64_t *packets)
{
	size_t digits = strcspn(name, "."), len = strlen(sensor);
	char text[NUM_TEXT_MAX];

	(void)snprintf(text, sizeof text, "%.*s", (int)digits, name);
	return num_whole(text, 0, UINT64_MAX >> 1, packets) && name[digits] == '.' && !strncmp(name + digits + 1, sensor, len) &&
		strlen(name + digits + 1) == len + 1 + 16 + sizeof suffix - 1 && !strcmp(name + digits + 1 + len + 1 + 16, suffix);
}

/* What the file's batches counted, and what they told as lost themselves; nothing when it cannot be read. */
static uint64_t packets_in(const char *dir, const char *name)
{
	struct spool_taken taken = { 0 };
	uint64_t n = 0;
	struct err e;

	if (spool_take(dir, name, &taken, &e))
		for (size_t i = 0; i < taken.len; i++)
			n += taken.list[i].seen + taken.list[i].lost;
	spool_taken_release(&taken);
	return n;
}

/* The name first, in one step, then the bytes. */
static bool give_up(const char *dir, const char *name, const char *sensor, struct room_gone *gone)
{
	char from[PATH_TEXT_MAX], to[PATH_TEXT_MAX];
	struct err e;
	int held = -1, fd = -1;
	uint64_t packets = 0;
	bool ok = room_hold(dir, name, &held, &e) && held >= 0 && file_path(from, dir, name, &e) &&
		marker_of(dir, packets = packets_in(dir, name), sensor, to, &e) && (fd = open(from, O_WRONLY | O_CLOEXEC)) >= 0 &&
		rename(from, to) == 0 && ftruncate(fd, 0) == 0;

	if (fd >= 0)
		(void)close(fd);
	if (held >= 0)
		(void)close(held);
	gone->packets += ok ? packets : 0;
	return ok;
}

/* The oldest first, until the bounds hold, or at least `least` of them; none while a keep takes them. Whether any went. */
static bool give_up_oldest(const char *dir, const struct room *r, const char *sensor, size_t least, struct room_gone *gone)
{
	struct spool_list list = { 0 };
	size_t n = 0;
	struct err e;
	bool bounded = r->bytes_max > 0 || r->age_max_s > 0 || least > 0;
	int fd = bounded ? lock(dir, taking, LOCK_EX | LOCK_NB) : -1;

	if (fd < 0)
		return false;
	(void)spool_waiting(dir, &list, &e);
	uint64_t bytes = list.bytes;
	for (size_t i = 0; i < list.len; i++) {
		bool full = r->bytes_max > 0 && bytes > r->bytes_max;
		bool old = r->age_max_s > 0 && clock_wall_s() - list.each[i].at_s > r->age_max_s;

		if (!full && !old && n >= least)
			break;
		if (!give_up(dir, list.names[i], sensor, gone))
			continue;
		bytes -= list.each[i].bytes;
		*(old && !full ? &gone->old : &gone->full) += 1;
		n++;
	}
	spool_list_release(&list);
	(void)close(fd);
	return n > 0;
}

/* Packets that the sensor's markers tell of. With `forget` they go: a batch on the disk tells of them now. */
static uint64_t marked(const char *dir, const char *sensor, bool forget)
{
	struct dirent *entry;
	uint64_t sum = 0, n;
	DIR *d = opendir(dir);

	while (d && (entry = readdir(d)) != NULL) {
		if (!is_marker(entry->d_name, sensor, &n))
			continue;
		sum += n;
		if (forget)
			(void)unlinkat(dirfd(d), entry->d_name, 0);
	}
	if (d)
		closedir(d);
	return sum;
}

static bool put(const char *dir, const struct room *r, const struct batch *b, struct room_gone *gone, struct err *e)
{
	struct batch told = *b;
	char name[SPOOL_NAME_MAX];
	struct err other;
	uint64_t before;

	spool_name(b, name);
	*gone = (struct room_gone){ 0 };
	bool any = give_up_oldest(dir, r, b->sensor, 0, gone);
	for (;;) {
		before = marked(dir, b->sensor, false);
		told.lost = b->lost + before;
		if (spool_put(dir, &told, e))
			break;
		(void)spool_drop(dir, name, &other);    /* it may be there, though not for good */
		if (e->kind != ERR_FULL || !give_up_oldest(dir, r, b->sensor, 1, gone))
			return false;
		any = true;
	}
	if (before || any)
		(void)marked(dir, b->sensor, true);
	return true;
}

bool room_put(const char *dir, const struct room *r, const struct batch *b, struct room_gone *gone, struct err *e)
{
	int fd = lock(dir, putting, LOCK_EX);
	bool ok = put(dir, r, b, gone, e);

	if (fd >= 0)
		(void)close(fd);
	return ok;
}
