#include "spool/spool.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/secret.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".batch", aside[] = "refused";

/* Whoever writes a file holds its lock. */
static void tidy(int dir_fd, const char *name)
{
	size_t len = strlen(name);
	int fd = len > 4 && !strcmp(name + len - 4, ".new") ? openat(dir_fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)unlinkat(dir_fd, name, 0);
	(void)close(fd);
}

bool spool_open(const char *dir, struct err *e)
{
	struct dirent *entry;
	DIR *d;

	if (!file_make_dir(dir, e))
		return false;
	d = opendir(dir);
	while (d && (entry = readdir(d)) != NULL)
		tidy(dirfd(d), entry->d_name);
	if (d)
		closedir(d);
	return true;
}

void spool_name(const struct batch *b, char out[SPOOL_NAME_MAX])
{
	(void)snprintf(out, SPOOL_NAME_MAX, "%016" PRIx64 ".%010" PRIu64 ".%s%s", b->epoch, b->serial, b->sensor, suffix);
}

bool spool_put(const char *dir, const struct batch *b, struct err *e)
{
	char name[SPOOL_NAME_MAX], path[PATH_TEXT_MAX];
	struct buf bytes = buf_make(SPOOL_FILE_MAX);
	bool ok = false;

	spool_name(b, name);
	batch_encode(b, &bytes);
	ok = file_path(path, dir, name, e) && file_write(path, bytes.at, bytes.len, e);
	buf_release(&bytes);
	return ok;
}

/* The time first, so that groups of one moment lie together; the rest is chance. */
bool spool_put_group(const char *dir, const void *bytes, size_t len, char name[SPOOL_NAME_MAX], struct err *e)
{
	char path[PATH_TEXT_MAX];
	uint64_t chance[2];

	secret_fill(chance, sizeof chance);
	(void)snprintf(name, SPOOL_NAME_MAX, "group.%010" PRId64 ".%016" PRIx64 "%016" PRIx64 "%s", clock_wall_s(), chance[0], chance[1], suffix);
	return file_path(path, dir, name, e) && file_write(path, bytes, len, e);
}

struct aged { struct timespec when; uint64_t bytes; char name[SPOOL_NAME_MAX]; };

static int oldest_first(const void *a, const void *b)
{
	const struct aged *x = a, *y = b;

	if (x->when.tv_sec != y->when.tv_sec)
		return x->when.tv_sec < y->when.tv_sec ? -1 : 1;
	if (x->when.tv_nsec != y->when.tv_nsec)
		return x->when.tv_nsec < y->when.tv_nsec ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Ours end in .batch; a name still being written ends in .new and is nobody's business. */
static bool is_batch(const char *name)
{
	size_t len = strlen(name);

	return len > sizeof suffix - 1 && len < SPOOL_NAME_MAX && !strcmp(name + len - (sizeof suffix - 1), suffix);
}

bool spool_waiting(const char *dir, struct spool_list *list, struct err *e)
{
	struct aged *found = NULL;
	size_t len = 0, cap = 0;
	struct dirent *entry;
	struct stat st;
	DIR *d = opendir(dir);

	*list = (struct spool_list){ 0 };
	if (!d)
		return err_errno(e, "cannot read %s", dir);
	while ((entry = readdir(d)) != NULL) {
		if (!is_batch(entry->d_name) || fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		MEM_GROW(found, len, cap);
		found[len].when = st.st_mtim;
		found[len].bytes = st.st_size > 0 ? (uint64_t)st.st_size : 0;
		list->bytes += S_ISREG(st.st_mode) ? found[len].bytes : 0;      /* a link or a pipe holds nothing up */
		memcpy(found[len++].name, entry->d_name, strlen(entry->d_name) + 1);
	}
	closedir(d);
	if (len)
		qsort(found, len, sizeof *found, oldest_first);
	list->len = len < SPOOL_LIST_MAX ? len : SPOOL_LIST_MAX;
	list->names = mem_zero(list->len, sizeof *list->names);
	list->each = mem_zero(list->len, sizeof *list->each);
	if (len > list->len)
		found[list->len - 1] = found[len - 1];
	for (size_t i = 0; i < list->len; i++) {
		memcpy(list->names[i], found[i].name, sizeof found[i].name);
		list->each[i] = (struct spool_file){ found[i].bytes, found[i].when.tv_sec };
	}
	free(found);
	return true;
}

void spool_list_release(struct spool_list *list)
{
	free(list->names);
	free(list->each);
	*list = (struct spool_list){ 0 };
}

bool spool_holds(const char *dir, const char *name)
{
	char path[PATH_TEXT_MAX];
	struct err e;

	return file_path(path, dir, name, &e) && file_exists(path);
}

/* One batch or more fill the file to its end. */
bool spool_decode(const struct buf *bytes, struct spool_taken *to, struct err *e)
{
	size_t at = 0, before = to->len;

	do {
		size_t left = bytes->len - at, whole = batch_length(bytes->at + at, left);
		struct batch b;

		if (!batch_decode(&b, bytes->at + at, whole ? whole : left, e)) {
			while (to->len > before)
				batch_release(&to->list[--to->len]);
			return false;
		}
		MEM_GROW(to->list, to->len, to->cap);
		to->list[to->len++] = b;
		at += whole;
	} while (at < bytes->len);
	return true;
}

bool spool_take(const char *dir, const char *name, struct spool_taken *to, struct err *e)
{
	struct buf bytes = buf_make(SPOOL_FILE_MAX);
	char path[PATH_TEXT_MAX];
	bool ok = file_path(path, dir, name, e) && (file_regular(path) || err_set(e, "not a file")) && file_read(path, &bytes, e) &&
		spool_decode(&bytes, to, e);

	buf_release(&bytes);
	return ok ? true : err_in(e, "%s", name);
}

void spool_taken_release(struct spool_taken *t)
{
	for (size_t i = 0; i < t->len; i++)
		batch_release(&t->list[i]);
	free(t->list);
	*t = (struct spool_taken){ 0 };
}

uint64_t spool_bytes(const char *dir)
{
	struct spool_list list;
	struct err e;

	if (!spool_waiting(dir, &list, &e))
		return 0;
	uint64_t bytes = list.bytes;
	spool_list_release(&list);
	return bytes;
}

bool spool_drop(const char *dir, const char *name, struct err *e)
{
	char path[PATH_TEXT_MAX];

	return file_path(path, dir, name, e) && file_remove(path, e);
}

static bool aside_path(const char *dir, const char *name, char out[PATH_TEXT_MAX], struct err *e)
{
	char folder[PATH_TEXT_MAX];

	return file_path(folder, dir, aside, e) && file_path(out, folder, name, e);
}

bool spool_refuse(const char *dir, const char *name, struct err *e)
{
	char path[PATH_TEXT_MAX], folder[PATH_TEXT_MAX], to[PATH_TEXT_MAX];

	if (!file_path(folder, dir, aside, e) || !file_make_dir(folder, e) || !file_path(path, dir, name, e) ||
		!aside_path(dir, name, to, e))
		return false;
	return rename(path, to) == 0 ? true : err_errno(e, "cannot put %s aside", path);
}

bool spool_refused(const char *dir, const char *name)
{
	char path[PATH_TEXT_MAX];
	struct err e;

	return aside_path(dir, name, path, &e) && file_exists(path);
}
