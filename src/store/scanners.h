/* scanners: networks of organisations that are known to scan, as the operator lists them, and since when and until when.
 *
 * A text (doc/scanners-format.md), a network a line:
 *
 *     CIDR NAME [from=YYYY-MM-DD] [until=YYYY-MM-DD] [# note]
 *
 * A line holds for packets of the days from `from` on, before `until`. Lists come later than packets and are corrected, so
 * they are looked into when a question is asked, never when a packet is stored. */
#ifndef TEITEN_SCANNERS_H
#define TEITEN_SCANNERS_H

#include "base/err.h"
#include "base/file.h"
#include "core/addr.h"
#include "core/question.h"

#include <sys/stat.h>

struct buf;

enum { SCANNERS_MAX = 1 << 18, ORGANISATIONS_MAX = 1024, SCANNERS_BYTES_MAX = 32 << 20 };

/* One network; days are numbers of days since 1970-01-01. */
struct scanning { struct prefix net; uint32_t from, until /* UINT32_MAX: it goes on */; uint16_t by /* its organisation, from 1 */; };

struct scanners {
	struct scanning *list; size_t len, cap;                         /* in the order of the file */
	char (*names)[SCANNER_NAME_MAX]; size_t names_len, names_cap;   /* names[by - 1], in the order in which they first come */
	char id[SCANNERS_ID_MAX];                                       /* of what it says, not of its notes; "none": no file */
	struct scanners_tree *tree;
};

/* False for a line that is not one; e says which. */
bool scanners_parse(struct scanners *s, const char *text, struct err *e);
bool scanners_read(struct scanners *s, const char *path, struct err *e);        /* no file is the empty list "none" */
bool scanners_gather(struct scanners *s, const char *const *paths, size_t len, struct err *e);         /* files as one list */
bool scanners_write(const struct scanners *s, const char *path, struct err *e); /* whole and atomically; notes are not in it */
void scanners_release(struct scanners *s);
void scanners_text(const struct scanning *one, const struct scanners *s, struct buf *out);     /* appends its line */

/* The organisation that the address belonged to on that day: of the narrowest network that held then, of equal ones the first in
 * the file; 0: of none. */
unsigned scanners_find(const struct scanners *s, const struct addr *a, uint32_t day);
unsigned scanners_named(const struct scanners *s, const char *name);            /* 0: not in the list */

/* Networks as others publish them: one a line and nothing else, "#" begins a note. The caller frees *nets. */
bool scanners_nets(const char *path, struct prefix **nets, size_t *len, struct err *e);
/* From that day on the organisation's networks are these and no others; what held before is kept. Day 0: at all times. */
bool scanners_renew(struct scanners *s, const char *name, const struct prefix *nets, size_t len, uint32_t from, struct err *e);

/* A list in a file that may be written anew at any time. scanners_release(&f->now) frees. */
struct scanners_file {
	char path[PATH_TEXT_MAX];               /* "": there is none, and never will be */
	struct stat seen;                       /* as it was when it was looked at; all zero: not there */
	bool wrong; struct err why;             /* what is there is no list; the one before goes on to hold */
	struct scanners now;
};
void scanners_watch(struct scanners_file *f, const char *path);                 /* "none" until it is looked at; path "": for ever */
bool scanners_changed(const struct scanners_file *f);                           /* since it was looked at */
void scanners_look(struct scanners_file *f);                                    /* reads it; nobody may be using f->now meanwhile */

#endif
