/* spool: batches on disk until someone has them. The folder is the protocol between processes: a batch is there whole,
 * under its final name, or not at all, and stays until it is dropped. */
#ifndef TEITEN_SPOOL_H
#define TEITEN_SPOOL_H

#include "core/batch.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

enum { SPOOL_NAME_MAX = 96, SPOOL_LIST_MAX = 4096 };

enum { SPOOL_FILE_MAX = BATCH_BYTES_MAX + (2 << 20) };

/* bytes: of all that waits; each: of the names. */
struct spool_list { size_t len; uint64_t bytes; char (*names)[SPOOL_NAME_MAX]; struct spool_file { uint64_t bytes; int64_t at_s; } *each; };
struct spool_taken { size_t len, cap; struct batch *list; };             /* batches of one file or several */

/* Makes the folder, and removes what was left half written by somebody who is gone. */
bool spool_open(const char *dir, struct err *e);
void spool_name(const struct batch *b, char out[SPOOL_NAME_MAX]);       /* the file's name says which batch it is */
/* Durable on true. */
bool spool_put(const char *dir, const struct batch *b, struct err *e);
/* Encoded batches, one behind the other, as one file that is synced once; name: how it was called. */
bool spool_put_group(const char *dir, const void *bytes, size_t len, char name[SPOOL_NAME_MAX], struct err *e);
/* Names waiting, oldest first; of more than SPOOL_LIST_MAX the oldest, and the newest of all as the last. The caller frees with
 * spool_list_release. */
bool spool_waiting(const char *dir, struct spool_list *list, struct err *e);
void spool_list_release(struct spool_list *list);
bool spool_holds(const char *dir, const char *name);
/* All batches of a file's bytes, or none. */
bool spool_decode(const struct buf *bytes, struct spool_taken *to, struct err *e);
/* Reads all batches of the file, or none; the file stays. The caller frees with spool_taken_release. */
bool spool_take(const char *dir, const char *name, struct spool_taken *to, struct err *e);
void spool_taken_release(struct spool_taken *t);
uint64_t spool_bytes(const char *dir);                                  /* of all that waits */
bool spool_drop(const char *dir, const char *name, struct err *e);
/* Puts a file that cannot be a batch aside, into dir/refused. */
bool spool_refuse(const char *dir, const char *name, struct err *e);
bool spool_refused(const char *dir, const char *name);

#endif
