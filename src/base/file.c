#include "base/file.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

bool file_path(char out[PATH_TEXT_MAX], const char *dir, const char *name, struct err *e)
{
	int n = snprintf(out, PATH_TEXT_MAX, "%s/%s", dir, name);

	return n > 0 && n < PATH_TEXT_MAX ? true : err_set(e, "path too long: %.100s...", dir);
}

bool file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

bool file_regular(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

unsigned long long file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size > 0 ? (unsigned long long)st.st_size : 0;
}

bool file_remove(const char *path, struct err *e)
{
	return unlink(path) == 0 || errno == ENOENT ? true : err_errno(e, "cannot remove %s", path);
}

void file_folder(char out[PATH_TEXT_MAX], const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (!slash || len >= PATH_TEXT_MAX)
		memcpy(out, ".", 2);
	else if (len == 0)
		memcpy(out, "/", 2);
	else
		(void)snprintf(out, PATH_TEXT_MAX, "%.*s", (int)len, path);
}

bool file_make_dir(const char *path, struct err *e)
{
	char part[PATH_TEXT_MAX];
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof part)
		return err_set(e, "not a folder's name: \"%.100s\"", path);
	memcpy(part, path, len + 1);
	for (char *slash = strchr(part + 1, '/'); ; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(part, 0755) != 0 && errno != EEXIST)
			return err_errno(e, "cannot make %s", part);
		if (!slash)
			return true;
		*slash = '/';
	}
}

bool file_read(const char *path, struct buf *out, struct err *e)
{
	unsigned char block[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	while ((n = read(fd, block, sizeof block)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_errno(e, "cannot read %s", path);
			(void)close(fd);
			return false;
		}
		buf_bytes(out, block, (size_t)n);
	}
	(void)close(fd);
	if (!out->ok) {
		err_set(e, "%s is too large", path);
		return err_expected(e, "at most %zu bytes", out->max);
	}
	return true;
}

static bool write_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static bool sync_folder_of(const char *path)
{
	char dir[PATH_TEXT_MAX];

	file_folder(dir, path);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool ok = fsync(fd) == 0;
	(void)close(fd);
	return ok;
}

/* Never what a link points at, and no waiting for the other end of a pipe: the folder may be somebody else's too. */
#define OURS_ALONE (O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

/* Opens a file that others may be writing too, empty and ours until it is closed. Who waited for the lock may find that
 * the name has become another file meanwhile, or none: then again. how: LOCK_EX, or LOCK_EX | LOCK_NB not to wait. */
static int open_alone(const char *path, int how)
{
	struct stat ours, named;

	for (;;) {
		int fd = open(path, O_WRONLY | O_CREAT | OURS_ALONE, 0644);

		if (fd < 0)
			return -1;
		while (flock(fd, how) != 0)
			if (errno != EINTR)
				goto failed;
		if (fstat(fd, &ours) == 0 && S_ISREG(ours.st_mode) && stat(path, &named) == 0 && ours.st_dev == named.st_dev && ours.st_ino == named.st_ino) {
			if (ftruncate(fd, 0) == 0)
				return fd;
			goto failed;
		}
		(void)close(fd);
		continue;
failed:
		(void)close(fd);
		return -1;
	}
}

/* A step that a test may make fail, after it was done: as a full disk does. */
static bool may(bool done)
{
	if (!done || !fault_here("disk"))
		return done;
	errno = ENOSPC;
	return false;
}

bool file_write(const char *path, const void *bytes, size_t len, struct err *e)
{
	char tmp[PATH_TEXT_MAX + 8];
	int fd;

	(void)snprintf(tmp, sizeof tmp, "%s.new", path);
	fd = open_alone(tmp, LOCK_EX);
	if (fd < 0)
		return err_errno(e, "cannot write %s", tmp);
	bool moved = false, ok = may(fd >= 0) && write_all(fd, bytes, len) && may(fsync(fd) == 0) && may(moved = rename(tmp, path) == 0) &&
		may(sync_folder_of(path));
	if (!ok)
		err_errno(e, "cannot write %s", path);
	if (!moved)
		(void)unlink(tmp);
	(void)close(fd);        /* after the rename: the lock goes with it */
	return ok;
}

/* Who holds the name at the moment may have it: the next comes soon. */
bool file_leave(const char *path, const void *bytes, size_t len, struct err *e)
{
	char tmp[PATH_TEXT_MAX + 8];

	(void)snprintf(tmp, sizeof tmp, "%s.new", path);
	int fd = open_alone(tmp, LOCK_EX | LOCK_NB);
	bool ok = (fd >= 0 && write_all(fd, bytes, len) && rename(tmp, path) == 0) || err_errno(e, "cannot write %s", path);
	if (fd >= 0)
		(void)close(fd);
	return ok;
}

bool file_lock(const char *path, int *fd, bool *held, struct err *e)
{
	*held = false;
	*fd = open(path, O_RDWR | O_CREAT | OURS_ALONE, 0644);
	if (*fd < 0 && (errno == EACCES || errno == EROFS))
		*fd = open(path, O_RDONLY | OURS_ALONE);         /* a lock needs no right to write */
	if (*fd < 0)
		return err_errno(e, "cannot open %s", path);
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0) {
		*held = true;
		return true;
	}
	int code = errno;
	(void)close(*fd);
	*fd = -1;
	errno = code;
	return code == EWOULDBLOCK ? true : err_errno(e, "cannot lock %s", path);
}

bool file_writable(const char *path)
{
	return access(path, W_OK) == 0;
}

long file_holder(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CLOEXEC);
	long pid = 0;

	if (fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		pid = lock.l_pid;
	if (fd >= 0)
		(void)close(fd);
	return pid;
}

unsigned long long file_free_bytes(const char *path)
{
	struct statvfs fs;

	return statvfs(path, &fs) == 0 ? (unsigned long long)fs.f_bavail * fs.f_frsize : ULLONG_MAX;
}
