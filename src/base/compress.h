/* compress: the only includer of zstd, zlib and liblzma. Whole buffers for what we write, a stream for what we import. */
#ifndef TEITEN_COMPRESS_H
#define TEITEN_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* Appends the zstd frame of the bytes to out (whose limit must allow it). */
void compress_zstd(struct buf *out, const void *bytes, size_t len);
/* Appends what the one zstd frame holds. False: damaged, cut, followed by more, or larger than max bytes. */
bool decompress_zstd(struct buf *out, const void *bytes, size_t len, size_t max, struct err *e);

size_t zstd_unpacked(const void *bytes, size_t len);            /* what the frame says it holds; SIZE_MAX: nothing that can be */
/* A file or pipe, plain, gzip, xz or zstd by its first bytes, read as a stream of plain bytes. */
struct inflow;
struct inflow *inflow_open(int fd, struct err *e);              /* borrows fd */
/* Up to cap bytes; 0 is the end. False: the compressed stream is damaged or cut, or the file cannot be read;
 * what was delivered before stands. */
bool inflow_read(struct inflow *f, void *out, size_t cap, size_t *got, struct err *e);
const char *inflow_format(const struct inflow *f);              /* "plain", "gzip", "xz", "zstd" */
uint64_t inflow_taken(const struct inflow *f);                  /* bytes taken from fd so far: for progress */
void inflow_close(struct inflow *f);

#endif
