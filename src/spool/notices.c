#include "spool/notices.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

/* "SECONDS KIND SENSOR AMOUNT ." a line; the full stop shows that it is whole. */
enum { LINE_BYTES_MAX = 128 };

static const char *const names[NOTICES] = { "silent", "capturing", "losing", "whole", "moved", "surge", "surge-over", "surge-gone", "trial" };

const char *notice_kind_name(enum notice_kind k)
{
	return names[k];
}

/* Whether the file ends in the middle of a line. */
static bool is_torn(int fd)
{
	struct stat st;
	char last;

	return fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

bool notices_append(const char *path, const struct notice *n, struct err *e)
{
	char line[LINE_BYTES_MAX];
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	int len = snprintf(line, sizeof line, "%s%" PRId64 " %s %s %" PRIu64 " .\n", is_torn(fd) ? "\n" : "", n->at_s, names[n->kind], n->sensor,
		n->amount);
	bool ok = (write(fd, line, (size_t)len) == len && fsync(fd) == 0) || err_errno(e, "cannot write %s", path);
	(void)close(fd);
	return ok;
}

static bool parse(const char *line, struct notice *out)
{
	char kind[16], sensor[SENSOR_NAME_MAX], stop[2];

	if (sscanf(line, "%" SCNd64 " %15s %39s %" SCNu64 " %1s", &out->at_s, kind, sensor, &out->amount, stop) != 5 || stop[0] != '.')
		return false;
	memcpy(out->sensor, sensor, sizeof out->sensor);
	for (out->kind = 0; out->kind < NOTICES; out->kind++)
		if (!strcmp(kind, names[out->kind]))
			return true;
	return false;
}

/* The file from that place on. */
static bool read_from(const char *path, uint64_t from, struct buf *out, struct err *e)
{
	char block[1 << 16];
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	for (; out->ok && (n = pread(fd, block, sizeof block, (off_t)from)) > 0; from += (uint64_t)n)
		buf_bytes(out, block, (size_t)n);
	bool ok = (n >= 0 || err_errno(e, "cannot read %s", path)) && (out->ok || err_set(e, "%s is too large", path));
	(void)close(fd);
	return ok;
}

bool notices_read(const char *path, uint64_t from, struct notices *out, struct err *e)
{
	struct buf text = buf_make(NOTICES_BYTES_MAX);
	struct notice one;
	size_t done = 0;

	*out = (struct notices){ .end = from };
	if (file_size(path) <= from)
		return true;
	bool ok = read_from(path, from, &text, e);
	const char *at = buf_cstr(&text);
	for (const char *end; ok && done < text.len && (end = memchr(at + done, '\n', text.len - done)); done = (size_t)(end - at) + 1) {
		if (!parse(at + done, &one))
			continue;
		MEM_GROW(out->list, out->len, out->cap);
		out->list[out->len++] = one;
	}
	out->end = from + done;
	buf_release(&text);
	return ok;
}

void notices_release(struct notices *n)
{
	free(n->list);
	*n = (struct notices){ 0 };
}
