/* history: what was said of each surge, revision by revision: by the machine as it found it, and by people. It only grows; engines keep it as
 * rows. The following of store/surges begins anew with every process and with what comes late: here it is held against what was said. */
#ifndef TEITEN_HISTORY_H
#define TEITEN_HISTORY_H

#include "store/surges.h"

/* What a person says that it is; unknown: nobody says, or nobody does any more. */
enum surge_verdict { SURGE_UNKNOWN, SURGE_REAL, SURGE_RESEARCH, SURGE_ARTEFACT, SURGE_VERDICTS };

/* Bytes, with the NUL. */
enum { SURGE_NOTE_MAX = 512, SURGE_NAME_MAX = 64 };

/* One line of it: how the surge was known then. row.found stays the same in all revisions of a surge. */
struct surge_revision {
	struct surge_row row;
	unsigned revision;              /* from 1 */
	int64_t said_s;                 /* when it was said, seconds since 1970 */
	minute_t hour;                  /* and of which hour, up to which it tells */
	enum surge_reason reason;
	char by[SURGE_NAME_MAX];        /* who said it: the machine, or a person */
	enum surge_verdict verdict;     /* the last one, whose, and why; "" with unknown that nobody said */
	char judge[SURGE_NAME_MAX], note[SURGE_NOTE_MAX];
};

#define SURGE_MACHINE "machine"
#define SURGE_UNCONFIRMED "machine, unconfirmed"

const char *surge_reason_name(enum surge_reason r);             /* "found", "upgraded", "level shift", ... */
const char *surge_verdict_name(enum surge_verdict v);           /* "unknown", "real", "research", "artefact" */
bool surge_verdict_parse(const char *text, enum surge_verdict *out);
/* SURGE_UNCONFIRMED, or who says what it is. */
const char *surge_judge(const struct surge_revision *r);

/* A person's word on a surge. */
struct surge_judgement { char id[SURGE_ID_MAX]; enum surge_verdict verdict; char by[SURGE_NAME_MAX], note[SURGE_NOTE_MAX]; };
/* Fills it; false: not an id, no such verdict, a name or a note that is empty, too long, not UTF-8, or with control characters. */
bool surge_judgement(struct surge_judgement *j, const char *id, const char *verdict, const char *by, const char *note, struct err *e);

struct history { struct told { struct surge_revision *list; size_t len, cap; bool met; } *surges; size_t len, cap; };    /* by port and found */

void history_release(struct history *h);
/* One more; those of a surge come in their order. One that is there already is not taken again. */
void history_add(struct history *h, const struct surge_revision *r);
/* All revisions of a surge; NULL: there is none of that name. */
const struct told *history_find(const struct history *h, const char *id);
/* What has to be said now that everything up to s->next was followed: what is new of surges that are known, those that are not, and those that
 * are not found any more. Names what was found. The caller frees the list, and adds it once it is kept. */
void history_news(struct history *h, struct surges *s, int64_t now_s, struct surge_revision **list, size_t *n);
/* The revision that a person's word makes. False: no such surge, or it was withdrawn. */
bool history_judge(const struct history *h, const struct surge_judgement *j, int64_t now_s, struct surge_revision *out, struct err *e);
/* The last revision of every surge, in the order in which they became known first, those that go on with the figures of the hour at hand. The
 * caller frees. */
void history_now(const struct history *h, const struct surges *s, struct surge_revision **list, size_t *n);

#endif
