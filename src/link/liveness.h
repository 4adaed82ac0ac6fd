/* liveness: whether sensors that may deliver do. Alive means capturing: what counts is the last minute that one watched, not that it
 * sent something. */
#ifndef TEITEN_LIVENESS_H
#define TEITEN_LIVENESS_H

#include "link/enrolled.h"

enum { SILENT_MINUTES = 5 };            /* a minute, its five seconds, the way and a retry: later is silence */

enum liveness {
	LIVE_NOT_ENROLLED,              /* nobody expects anything: what was imported */
	LIVE_CAPTURING, LIVE_SILENT,
	LIVE_OUTAGE,                    /* silent, as somebody said beforehand */
	LIVE_NEVER,                     /* enrolled, and not heard of yet */
	LIVE_RETIRED,                   /* enrolled, but not for now */
};

const char *liveness_name(enum liveness l);             /* "capturing" ...; "" for LIVE_NOT_ENROLLED */
/* one: NULL when not enrolled. watched: from its first to its last watched minute, by the store. */
enum liveness liveness_of(const struct enrolment *one, struct span watched, minute_t now);

#endif
