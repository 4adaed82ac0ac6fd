/* streams: one port's sources, hour by hour, beside what was to be expected (METHODS.md 2.1): new ones (N), the sensors' counts, each cut at what is
 * usual there (V), and all distinct ones (U). Baselines by day of the week and hour of the day from four weeks, the last three days left out. Of the
 * hours before this one only the sensors' counts of a week are kept. */
#ifndef TEITEN_STREAMS_H
#define TEITEN_STREAMS_H

#include "stat/roster.h"

enum { BASELINE_DAYS = 10 };

/* Sources that one sensor counted in an hour: all of them, and as many as enter V. */
struct sighting { uint32_t sources, capped; uint16_t sensor, hour /* modulo 65536 */; };

/* A port's hour: who counted (the hours of the sightings, and what is capped, are set where they are kept), distinct and new sources over all sensors,
 * packets, and those of the source with the most. */
struct counted { const struct sighting *seen; size_t n; double sources, new_sources, packets, top_packets; };

/* N or V. Rings by day; NAN: no such day. */
struct stream {
	float today[DAY_HOURS];                         /* NAN: masked */
	float day[ROSTER_DAYS], level_then[ROSTER_DAYS], cut[ROSTER_DAYS][DAY_HOURS];
	double level, dow[7], hod[DAY_HOURS];           /* in force; level NAN: none yet */
	double now, mu_now;                             /* this hour, as if all enrolled sensors had watched it; what was to be expected, 0 without a baseline */
};

/* A sensor's history on this port: its sums of hourly sources by day, beside which the roster knows how much of the day it watched. */
enum { REACH_NONE = UINT16_MAX /* did not watch */ };
struct reach { float today, level /* NAN: none yet */; int32_t last /* hour with a count; -1 */; uint16_t day[ROSTER_DAYS]; };

struct streams {
	struct stream n, v;
	float all[WINDOW_HOURS_MAX], all_today, all_day[ROSTER_DAYS];   /* U; an hour that leaves every window is 0 */
	double all_level;
	bool counts;                                            /* this hour is in the windows: neither masked nor without a baseline */
	struct reach *reaches; size_t len;
	struct sighting *recent; size_t recent_len, recent_cap; /* of the longest window, in order of hours, and those of a day before it */
	float packets[DAY_HOURS], top_packets[DAY_HOURS];       /* rings */
	float unscaled[WINDOW_HOURS_MAX]; double unscaled_sum;  /* N as counted, for the gate */
	bool left_out[ROSTER_DAYS];                             /* days of surges: they do not enter levels */
};

void streams_init(struct streams *s, const struct roster *r);
void streams_release(struct streams *s);
/* The roster's hour on this port. */
void streams_hour(struct streams *s, const struct roster *r, const struct counted *c);
/* The sensor observes other addresses from now on: its history says nothing more. The roster is told, too. */
void streams_forget(struct streams *s, size_t sensor);
/* Day of the ring: whether it enters levels. To be set before the hour that begins a day. */
void streams_leave_out(struct streams *s, int64_t day, bool out);

/* How many hours before the roster's hour that was; 0: in it. */
unsigned sighting_age(const struct sighting *s, const struct roster *r);

#endif
