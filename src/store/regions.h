/* regions: source address → region of registration (two letters, ISO 3166-1; "ZZ" unknown) and AS number.
 *
 * A sorted table of ranges in one file (doc/regions-format.md), made by `teiten geo build` from RIR delegation files or
 * from an MMDB of the operator's. Its id goes into the store with every batch, so history is never mapped anew. */
#ifndef TEITEN_REGIONS_H
#define TEITEN_REGIONS_H

#include "core/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct regions;

enum { REGIONS_ID_MAX = 24, REGIONS_SOURCE_MAX = 200 };

struct range { struct addr from, to; char region[3]; uint32_t as_number; };     /* both ends belong to it */

/* Reads the file whole and checks it. A file that is not there is a table without ranges, whose id is "none". */
struct regions *regions_open(const char *path, struct err *e);
/* Reads the file anew when it has become another one since, or one. From a damaged one nothing is taken: the table stays
 * as it was. Nobody may be using r meanwhile. */
void regions_refresh(struct regions *r);
void regions_close(struct regions *r);                                  /* NULL is fine */
const char *regions_id(const struct regions *r);                        /* short digest of the table; "none" for NULL or no file */
const char *regions_source(const struct regions *r);                    /* what it was made from, for the pages */
/* region gets two letters; *as_number 0 when unknown. r NULL gives "ZZ". */
void regions_find(const struct regions *r, const struct addr *a, char region[3], uint32_t *as_number);
size_t regions_len(const struct regions *r);                              /* 0 for NULL */
struct range regions_at(const struct regions *r, size_t i);             /* the i-th range, ascending */

/* Sorts, checks (overlaps: the narrower range wins), merges neighbours and writes the file atomically. list is reordered. */
bool regions_write(const char *path, struct range *list, size_t len, const char *source, struct err *e);

#endif
