/* surges: every port of a store watched hour by hour (METHODS.md 2), from the sources that store/reckoning counted. Lives beside the engine
 * in the process that holds it, and goes through all hours anew when the process begins, or when something came late. */
#ifndef TEITEN_SURGES_H
#define TEITEN_SURGES_H

#include "stat/lookout.h"
#include "store/engine.h"

/* Shifted: it has lasted so long that it is the port's level. Withdrawn: from what is held now it is not found any more. */
enum surge_state { SURGE_OPEN, SURGE_ENDED, SURGE_SHIFTED, SURGE_WITHDRAWN, SURGE_STATES };
const char *surge_state_name(enum surge_state s);       /* "open", "closed", "level-shift", "withdrawn" */

/* One surge as it is known at a moment. Minutes since 1970; end 0: it goes on. Rates are sources an hour over all sensors, each sensor's count
 * cut at what is usual there. */
struct surge_row {
	uint32_t port;                  /* proto << 16 | ranked port */
	minute_t found;                 /* the hour in which it became known first: with its port this names it */
	bool alarm;                     /* else a watch: worth a look */
	enum surge_class class;
	enum surge_state state;
	minute_t known;                 /* the hour in which it reached the level that it has */
	minute_t onset, peak, end;
	double value, expected;         /* at the peak; before the onset */
	unsigned sensors;               /* that counted a source on it since the onset */
	uint64_t new_sources;           /* since the onset, or a week before it was known */
};

/* 5900-tcp-20060516T09: its port, and the hour of UTC in which it became known first. */
enum { SURGE_ID_MAX = 40 };
const char *surge_id(const struct surge_row *r, char out[SURGE_ID_MAX]);
bool surge_goes_on(const struct surge_row *r);          /* open, or a level shift */

/* What befell it in an hour, and how it was known then. The first five are found while following; see store/history for the others. */
enum surge_reason { SURGE_FOUND, SURGE_UPGRADED, SURGE_CONTINUED, SURGE_CLOSED, SURGE_BECAME_SHIFT, SURGE_RECOMPUTED, SURGE_WAS_WITHDRAWN, SURGE_JUDGED,
	SURGE_REASONS };
struct surge_event { minute_t hour; enum surge_reason reason; struct surge_row row; };

/* Room for ports that are followed. From half of it on a port gets a place only in an hour with a few sources at more than one sensor: a
 * telescope hears a little on every port. */
enum { SURGES_BYTES_MAX = 192 << 20, SURGES_SOURCES_MIN = 3, SURGES_SENSORS_MIN = 2 };

struct surges {
	struct roster roster;
	struct lookout blank;           /* of a port that nobody ever reached for */
	struct lookouts { uint32_t port; struct lookout lookout; size_t watch, alarm /* places in rows + 1; 0: none */, now /* which of those that the hour brought, + 1 */; } *ports; size_t len, cap;
	uint32_t *index[UINT8_MAX + 1]; /* by protocol and port: places in ports + 1; made where needed */
	struct found {
		struct surge_row now;                                   /* also between events */
		struct surge_event *events; size_t len, cap;            /* one at least, in their order */
		minute_t named;                                         /* the hour that names it in the store's history; 0: not there yet */
	} *found; size_t found_len, found_cap;                          /* in the order in which they became known */
	minute_t first, next;           /* the roster's first hour, and the one that comes next; 0: none yet */
};

void surges_init(struct surges *s);
void surges_release(struct surges *s);
/* Goes on with what was reckoned, by at most so many hours; *behind: there is more. */
bool surges_follow(struct surges *s, const struct engine_ops *ops, void *engine, const struct book *book, unsigned hours, bool *behind, struct err *e);

#endif
