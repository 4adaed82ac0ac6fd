/* series: numbers over time, and the answer that holds them. NAN is "nobody was looking", 0 is "saw none". Pure. */
#ifndef TEITEN_SERIES_H
#define TEITEN_SERIES_H

#include "core/question.h"

#include <stddef.h>
#include <stdint.h>

struct reader;

enum { SERIES_LABEL_MAX = 64 };
#define SCANNER_UNKNOWN "not known"     /* the label of who is in no list; no organisation has a name with a blank */

/* What is to be known of a robust value: too few sensors to hold against each other; few; so few packets that an odd sensor cannot be told from chance;
 * spread at its bound, or too many sensors set aside. */
enum robust_flag { ROBUST_ALONE = 1, ROBUST_WEAK = 2, ROBUST_FAINT = 4, ROBUST_UNRELIABLE = 8, ROBUST_FLAGS = 4 /* bits */ };

/* How sure a robust value is. */
struct sureness {
	double se;                              /* its standard error, in its unit; NAN: none */
	unsigned looked, accepted;              /* sensors of the day's fit; accepted: those that were not set aside */
	unsigned flags;                         /* enum robust_flag */
	unsigned revision;                      /* from 1; 0: there is no such value */
};

struct series {
	char label[SERIES_LABEL_MAX];           /* "1433/tcp", "icmp/8", a region, a sensor, an address, "all" */
	unsigned rank, previous_rank;           /* from 1; 0: not ranked then */
	double value, plain;                    /* over the whole span: by `across`, and the plain mean beside it */
	uint64_t packets, bytes, sources;       /* exact totals over the span, odd sensors and short watches included */
	unsigned sensors;                       /* sensors that saw any of it */
	double *values, *plains;                /* one a step; NULL when the question has no steps */
	struct sureness *sure;                  /* the same, where the value is robust and of one whole port; else NULL */
};

struct answer {
	struct question question;               /* as settled */
	size_t steps;                           /* 0 for STEP_ALL */
	minute_t *times;                        /* starts of the steps; cut to the span */
	unsigned *looked;                       /* sensors behind each step's value */
	unsigned sensors;                       /* sensors that looked within the span */
	minute_t final;                         /* robust values of days from here on may still change; 0: none are robust */
	char scanners[SCANNERS_ID_MAX];         /* the list of known scanners that was looked into; "": none was */
	size_t found;                           /* labels there were, before `top` cut them */
	struct series *list; size_t len;
};

void answer_release(struct answer *a);
/* For the wire between our own processes; decode refuses anything malformed. */
void answer_encode(const struct answer *a, struct buf *out);
bool answer_decode(struct answer *a, struct reader *r, struct err *e);
/* "packets per observed address and day" and its kin, in English; pages translate by the question itself. */
const char *answer_unit(const struct question *q);

#endif
