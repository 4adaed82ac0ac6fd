/* file: whole files, written so that a reader sees the old one or the new one, never half. */
#ifndef TEITEN_FILE_H
#define TEITEN_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct buf;

enum { PATH_TEXT_MAX = 4096 };

/* "a/b" into out; false when too long. */
bool file_path(char out[PATH_TEXT_MAX], const char *dir, const char *name, struct err *e);
bool file_exists(const char *path);
bool file_regular(const char *path);                            /* there, and neither folder, pipe nor device */
unsigned long long file_size(const char *path);                  /* 0 also when it is not there */
bool file_remove(const char *path, struct err *e);              /* true also when it is gone already */
void file_folder(char out[PATH_TEXT_MAX], const char *path);    /* "a/b" → "a", "b" → "." */
/* Makes the folder and its parents, mode 0755. */
bool file_make_dir(const char *path, struct err *e);
/* The whole file into out (up to out->max). */
bool file_read(const char *path, struct buf *out, struct err *e);
/* Writes PATH.new, fsync, rename, fsync of the folder. Several processes may write the same path: each whole, the last stays. */
bool file_write(const char *path, const void *bytes, size_t len, struct err *e);
/* The same without waiting for the disk, for what is written anew all the time: after a power loss it may be gone. */
bool file_leave(const char *path, const void *bytes, size_t len, struct err *e);
/* Opens or makes `path` and takes its exclusive lock. *held tells whether we have it; false only for real failures.
 * The lock lives until the descriptor in *fd is closed. */
bool file_lock(const char *path, int *fd, bool *held, struct err *e);
/* Whether this process may write it. */
bool file_writable(const char *path);
/* The process that holds a record lock (fcntl) on it, as DuckDB takes on its file; 0 for none. Never to be asked of a file
 * that this process has open itself: closing gives its own locks away. */
long file_holder(const char *path);
/* Free bytes on the file system of path; UINT64_MAX when it cannot be told. */
unsigned long long file_free_bytes(const char *path);

#endif
