#include "base/compress.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"

#include <errno.h>
#include <lzma.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { LEVEL = -1 /* 5 % larger than 1, in two thirds of the time */, IN_BYTES = 1 << 16, XZ_MEMORY_MAX = 128 << 20, WINDOW_LOG_MAX = 27 };

void compress_zstd(struct buf *out, const void *bytes, size_t len)
{
	size_t bound = ZSTD_compressBound(len);
	void *room = mem_resize(NULL, bound, 1);
	size_t n = ZSTD_compress(room, bound, bytes, len, LEVEL);

	if (ZSTD_isError(n))            /* the bound rules everything else out */
		abort();
	buf_bytes(out, room, n);
	free(room);
}

size_t zstd_unpacked(const void *bytes, size_t len)
{
	unsigned long long n = ZSTD_getFrameContentSize(bytes, len);

	return n == ZSTD_CONTENTSIZE_UNKNOWN || n == ZSTD_CONTENTSIZE_ERROR || n > SIZE_MAX ? SIZE_MAX : (size_t)n;
}

bool decompress_zstd(struct buf *out, const void *bytes, size_t len, size_t max, struct err *e)
{
	unsigned long long size = ZSTD_getFrameContentSize(bytes, len);
	bool ok = false;
	void *room;

	if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
		return err_set(e, "not a zstd frame of known size");
	if (size > max)
		return err_set(e, "%llu bytes unpacked, more than the limit of %zu", size, max);
	if (ZSTD_findFrameCompressedSize(bytes, len) != len)
		return err_set(e, "compressed bytes are cut or followed by others");
	room = mem_resize(NULL, (size_t)size, 1);
	size_t n = ZSTD_decompress(room, (size_t)size, bytes, len);
	if (ZSTD_isError(n) || n != size) {
		err_set(e, "compressed bytes are damaged");
		goto out;
	}
	buf_bytes(out, room, n);
	ok = out->ok;
	if (!ok)
		err_set(e, "unpacked bytes do not fit");
out:
	free(room);
	return ok;
}

enum form { PLAIN, GZIP, XZ, ZSTD };

struct inflow {
	int fd;
	enum form form;
	bool fd_ended, ended, between;          /* between: a member has ended and none begun */
	uint8_t in[IN_BYTES];
	size_t at, len;                         /* unread part of `in` */
	uint64_t taken;
	z_stream gz;
	lzma_stream xz;
	ZSTD_DCtx *zstd;
};

static bool read_fd(struct inflow *f, void *out, size_t cap, size_t *got, struct err *e)
{
	ssize_t n;

	do
		n = read(f->fd, out, cap);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, "cannot read");
	f->fd_ended = n == 0 && cap > 0;
	f->ended = f->ended || (f->form == PLAIN && f->fd_ended);
	*got = (size_t)n;
	f->taken += (uint64_t)n;
	return true;
}

static bool refill(struct inflow *f, struct err *e)
{
	if (f->at < f->len || f->fd_ended)
		return true;
	f->at = f->len = 0;
	return read_fd(f, f->in, sizeof f->in, &f->len, e);
}

/* The first bytes decide; a pipe may give them one by one. */
static bool detect(struct inflow *f, struct err *e)
{
	static const uint8_t xz[6] = { 0xfd, '7', 'z', 'X', 'Z', 0 }, zstd[4] = { 0x28, 0xb5, 0x2f, 0xfd };

	while (f->len < 6 && !f->fd_ended) {
		ssize_t n = read(f->fd, f->in + f->len, sizeof f->in - f->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "cannot read");
		f->fd_ended = n == 0;
		f->len += (size_t)n;
		f->taken += (uint64_t)n;
	}
	if (f->len >= 2 && f->in[0] == 0x1f && f->in[1] == 0x8b)
		f->form = GZIP;
	else if (f->len >= 6 && !memcmp(f->in, xz, 6))
		f->form = XZ;
	else if (f->len >= 4 && !memcmp(f->in, zstd, 4))
		f->form = ZSTD;
	return true;
}

struct inflow *inflow_open(int fd, struct err *e)
{
	struct inflow *f = mem_zero(1, sizeof *f);

	f->fd = fd;
	f->xz = (lzma_stream)LZMA_STREAM_INIT;
	if (!detect(f, e)) {
		free(f);
		return NULL;
	}
	if (f->form == GZIP && inflateInit2(&f->gz, 15 + 32) != Z_OK)
		abort();        /* only for want of memory */
	if (f->form == XZ && lzma_stream_decoder(&f->xz, XZ_MEMORY_MAX, LZMA_CONCATENATED) != LZMA_OK)
		abort();
	if (f->form == ZSTD) {
		f->zstd = ZSTD_createDCtx();
		if (!f->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(f->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
			abort();
	}
	return f;
}

static bool broken(const struct inflow *f, const char *why, struct err *e)
{
	return err_set(e, "the %s stream %s", inflow_format(f), why);
}

static bool step_gzip(struct inflow *f, void *out, size_t cap, size_t *got, struct err *e)
{
	int rc;

	if (f->between && inflateReset(&f->gz) != Z_OK)         /* the next member of a concatenation */
		abort();
	f->between = false;
	f->gz.next_in = f->in + f->at;
	f->gz.avail_in = (uInt)(f->len - f->at);
	f->gz.next_out = out;
	f->gz.avail_out = (uInt)cap;
	rc = inflate(&f->gz, Z_NO_FLUSH);
	f->at = f->len - f->gz.avail_in;
	*got = cap - f->gz.avail_out;
	if (rc == Z_STREAM_END)
		f->between = true;
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		return broken(f, "is damaged", e);
	return true;
}

static bool step_xz(struct inflow *f, void *out, size_t cap, size_t *got, struct err *e)
{
	lzma_ret rc;

	f->xz.next_in = f->in + f->at;
	f->xz.avail_in = f->len - f->at;
	f->xz.next_out = out;
	f->xz.avail_out = cap;
	rc = lzma_code(&f->xz, f->fd_ended ? LZMA_FINISH : LZMA_RUN);
	f->at = f->len - f->xz.avail_in;
	*got = cap - f->xz.avail_out;
	if (rc == LZMA_STREAM_END)
		f->ended = true;
	else if (rc == LZMA_MEMLIMIT_ERROR)
		return broken(f, "wants more memory than we give (128 MiB)", e);
	else if (rc != LZMA_OK && rc != LZMA_BUF_ERROR)
		return broken(f, "is damaged", e);
	else if (rc == LZMA_BUF_ERROR && f->fd_ended && *got == 0)
		return broken(f, "breaks off", e);
	return true;
}

static bool step_zstd(struct inflow *f, void *out, size_t cap, size_t *got, struct err *e)
{
	ZSTD_inBuffer in = { f->in, f->len, f->at };
	ZSTD_outBuffer to = { out, cap, 0 };
	size_t rc = ZSTD_decompressStream(f->zstd, &to, &in);

	f->at = in.pos;
	*got = to.pos;
	f->between = rc == 0;
	return ZSTD_isError(rc) ? broken(f, "is damaged", e) : true;
}

bool inflow_read(struct inflow *f, void *out, size_t cap, size_t *got, struct err *e)
{
	*got = 0;
	if (f->form == PLAIN && f->at == f->len && !f->ended)   /* nothing to unpack: straight to where it is wanted */
		return read_fd(f, out, cap, got, e);
	while (*got == 0 && !f->ended && cap > 0) {
		if (!refill(f, e))
			return false;
		if (f->form == PLAIN) {
			*got = f->len - f->at < cap ? f->len - f->at : cap;
			memcpy(out, f->in + f->at, *got);
			f->at += *got;
			f->ended = f->fd_ended && f->at == f->len;
			continue;
		}
		bool nothing_left = f->at == f->len && f->fd_ended;
		if (nothing_left && f->between) {
			f->ended = true;
			break;
		}
		if (f->form == GZIP ? !step_gzip(f, out, cap, got, e) :
			f->form == XZ ? !step_xz(f, out, cap, got, e) : !step_zstd(f, out, cap, got, e))
			return false;
		if (nothing_left && *got == 0 && !f->between && !f->ended)
			return broken(f, "breaks off", e);
	}
	return true;
}

const char *inflow_format(const struct inflow *f)
{
	static const char *const names[] = { "plain", "gzip", "xz", "zstd" };

	return names[f->form];
}

uint64_t inflow_taken(const struct inflow *f)
{
	return f->taken;
}

void inflow_close(struct inflow *f)
{
	if (!f)
		return;
	if (f->form == GZIP)
		(void)inflateEnd(&f->gz);
	lzma_end(&f->xz);
	(void)ZSTD_freeDCtx(f->zstd);
	free(f);
}
