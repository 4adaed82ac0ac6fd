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

static const char suffix[] = ".lost";

bool room_hold(const char *dir, const char *name, int *fd, struct err *e)
{
	char path[PATH_TEXT_MAX];
	struct stat ours, named;

	*fd = -1;
	if (!file_path(path, dir, name, e))
		return false;
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return errno == ENOENT || err_errno(e, "cannot open %s", path);
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0 && fstat(*fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_ino == named.st_ino)
		return true;
	(void)close(*fd);
	*fd = -1;
	return true;
}

/* "PACKETS.CHANCE.lost" */
static bool marker_of(const char *dir, uint64_t packets, char path[PATH_TEXT_MAX], struct err *e)
{
	char name[SPOOL_NAME_MAX];
	uint64_t chance;

	secret_fill(&chance, sizeof chance);
	(void)snprintf(name, sizeof name, "%" PRIu64 ".%016" PRIx64 "%s", packets, chance, suffix);
	return file_path(path, dir, name, e);
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
static bool give_up(const char *dir, const char *name)
{
	char from[PATH_TEXT_MAX], to[PATH_TEXT_MAX];
	struct err e;
	int fd;
	bool ok = room_hold(dir, name, &fd, &e) && fd >= 0 && file_path(from, dir, name, &e) && marker_of(dir, packets_in(dir, name), to, &e) && rename(from, to) == 0;

	if (ok)
		(void)!truncate(to, 0);
	if (fd >= 0)
		(void)close(fd);
	return ok;
}

static bool too_old(const char *dir, const char *name, int64_t age_max_s)
{
	char path[PATH_TEXT_MAX];
	struct stat st;
	struct err e;

	return age_max_s > 0 && file_path(path, dir, name, &e) && stat(path, &st) == 0 && clock_wall_s() - st.st_mtim.tv_sec > age_max_s;
}

/* The oldest first, until the bounds hold, or at least `least` of them. */
static size_t give_up_oldest(const char *dir, const struct room *r, size_t least)
{
	struct spool_list list;
	size_t n = 0;
	struct err e;

	if (!spool_waiting(dir, &list, &e))
		return 0;
	for (size_t i = 0; i < list.len; i++) {
		bool full = r->bytes_max > 0 && spool_bytes(dir) > r->bytes_max;

		if (!full && n >= least && !too_old(dir, list.names[i], r->age_max_s))
			break;
		n += give_up(dir, list.names[i]);
	}
	spool_list_release(&list);
	return n;
}

/* Packets that markers tell of. With `forget` the markers go: a batch on the disk tells of them now. */
static uint64_t marked(const char *dir, bool forget)
{
	struct dirent *entry;
	uint64_t sum = 0, n;
	DIR *d = opendir(dir);

	while (d && (entry = readdir(d)) != NULL) {
		size_t len = strlen(entry->d_name);
		char digits[NUM_TEXT_MAX];

		if (len <= sizeof suffix - 1 || strcmp(entry->d_name + len - (sizeof suffix - 1), suffix) != 0)
			continue;
		(void)snprintf(digits, sizeof digits, "%.*s", (int)strcspn(entry->d_name, "."), entry->d_name);
		if (!num_whole(digits, 0, UINT64_MAX >> 1, &n))
			continue;
		sum += n;
		if (forget)
			(void)unlinkat(dirfd(d), entry->d_name, 0);
	}
	if (d)
		closedir(d);
	return sum;
}

bool room_put(const char *dir, const struct room *r, const struct batch *b, size_t *given_up, struct err *e)
{
	struct batch told = *b;
	char name[SPOOL_NAME_MAX];
	struct err other;

	spool_name(b, name);
	*given_up = give_up_oldest(dir, r, 0);
	for (;;) {
		told.lost = b->lost + marked(dir, false);
		if (spool_put(dir, &told, e))
			break;
		(void)spool_drop(dir, name, &other);    /* it may be there, though not for good */
		size_t went = e->kind == ERR_FULL ? give_up_oldest(dir, r, 1) : 0;
		if (went == 0)
			return false;
		*given_up += went;
	}
	(void)marked(dir, true);
	return true;
}
