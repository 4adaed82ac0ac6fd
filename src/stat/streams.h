/* streams: one port's sources, hour by hour, beside what was to be expected (METHODS.md 2.1): all distinct ones (U), new ones (N) and the
 * sensors' counts, each cut at what is usual there (V). Baselines by day of the week and hour of the day from four weeks, the last three days left
 * out; dispersion for each window. */
#ifndef TEITEN_STREAMS_H
#define TEITEN_STREAMS_H

#include "stat/roster.h"

enum { WINDOWS = 7, WINDOW_HOURS_MAX = 168, STREAM_HOURS = 256, STREAM_DAYS = 32, DISPERSION_LAG = 72, BASELINE_DAYS = 10, DISPERSION_FROM = 336 };
extern const unsigned window_hours[WINDOWS];    /* 1, 3, 6, 12, 24, 72, 168 */

/* Sources that one sensor counted in an hour. */
struct sighting { uint32_t hour; uint32_t sources; uint16_t sensor; };

/* A port's hour: who counted (hours of the sightings are set where they are kept), distinct and new sources over all sensors, packets, and those
 * of the source with the most. */
struct counted { const struct sighting *seen; size_t n; double sources, new_sources, packets, top_packets; };

/* U, N or V. Rings by hour and by day; NAN: no such day. */
struct stream {
	float x[STREAM_HOURS], mu[STREAM_HOURS];        /* 0 where the hour leaves every window */
	float today[DAY_HOURS];                         /* NAN: masked */
	float day[STREAM_DAYS], level_then[STREAM_DAYS], cut[STREAM_DAYS][DAY_HOURS];
	double level, dow[7], hod[DAY_HOURS];           /* in force; level NAN: none yet */
	double mu_now;                                  /* what this hour lets expect, masked or not; 0 without a baseline */
	double x_sum[WINDOWS], mu_sum[WINDOWS], s[WINDOWS];
	float e2[WINDOWS][DISPERSION_LAG];              /* NAN: does not count */
};

/* A sensor's history on this port; level NAN: none yet. */
struct reach { float day[STREAM_DAYS]; float today; float level; int32_t last /* hour with a count; -1 */; };

struct streams {
	struct stream u, n, v;
	struct reach *reaches; size_t len;
	struct sighting *recent; size_t recent_len, recent_cap; /* of the longest window of PC */
	double n_now, v_now;                                    /* of this hour, as if all enrolled sensors had watched it */
	float packets[DAY_HOURS], top_packets[DAY_HOURS];       /* rings */
	float unscaled[WINDOW_HOURS_MAX]; double unscaled_sum;  /* N as counted, for the gate */
	bool left_out[STREAM_DAYS];                             /* days of surges: they do not enter levels */
};

void streams_init(struct streams *s, const struct roster *r);
void streams_release(struct streams *s);
/* The roster's hour on this port. */
void streams_hour(struct streams *s, const struct roster *r, const struct counted *c);
/* The sensor observes other addresses from now on: its history says nothing more. */
void streams_forget(struct streams *s, size_t sensor);
/* Day of the ring: whether it enters levels. To be set before the hour that begins a day. */
void streams_leave_out(struct streams *s, int64_t day, bool out);

#endif
