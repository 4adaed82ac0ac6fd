/* tracker: a surge with a beginning and an end, followed hour by hour on one port (METHODS.md 2.3). Knows V and when an alarm was due;
 * what the alarm is about others say. Hours are the roster's. */
#ifndef TEITEN_TRACKER_H
#define TEITEN_TRACKER_H

#include <stdbool.h>
#include <stdint.h>

enum { ONSET_HOURS = 240, SURGES_KEPT = 4 };

struct surge {
	int64_t alarm, onset, last_active, peak_hour, closed /* -1: open */, end /* -1 */, shift /* when it became a level shift; -1 */, continued /* the last time; -1 */;
	double base, k, peak, value /* mean V of the last hours */;
	unsigned w;                     /* 6 or 24: the hours of which rates are means */
	unsigned below;                 /* hours in a row */
};

/* V of a port's last hours, ring (NAN: masked), and what was to be expected of it. Trackers of one port share it. */
struct past { float v[ONSET_HOURS], mu[ONSET_HOURS]; };

/* The last surges of a port, the newest last; older ones are nobody's business here. */
struct tracker {
	struct surge surges[SURGES_KEPT]; unsigned len;
	bool armed;                     /* there was an hour below the threshold since the last one closed */
};

enum tracked { TRACKED_NOTHING, TRACKED_OPENED, TRACKED_CONTINUED, TRACKED_CLOSED, TRACKED_SHIFT };

void tracker_init(struct tracker *t);
void past_hour(struct past *p, int64_t hour, double v, double mu_v, bool masked);
/* The next hour, which is the last of the past: whether its score is at or over the threshold, and whether that may raise an alarm (the gate, no cold
 * start). */
enum tracked tracker_hour(struct tracker *t, const struct past *p, int64_t hour, bool over, bool may_alarm);
struct surge *tracker_open(struct tracker *t);          /* the open one, or NULL */
/* Whether that day belongs to a surge, as known when the day `today` begins: it does not enter levels then. */
bool tracker_leaves_out(const struct tracker *t, int64_t day, int64_t today);

#endif
