/* score: how surprising the last hours of a port are by the letter of METHODS.md 2.2, which others computed too: more new sources and more reach than
 * was to be expected, and at more than a few sensors, each by its own habits. Scan statistics over windows of an hour to a week; R needs all of them.
 * What watches and alarms go by is the lift (stat/lift.h), which stands on the same parts. */
#ifndef TEITEN_SCORE_H
#define TEITEN_SCORE_H

#include "stat/streams.h"

enum { PC_WINDOWS = 3, DISPERSION_LAG = 72, DISPERSION_FROM = 336 };
extern const unsigned pc_windows[PC_WINDOWS];   /* which windows: those of 6, 24 and 72 hours */

/* A stream's hours and how widely it spread, as far as the score goes back. */
struct score_past {
	float x[WINDOW_HOURS_MAX], mu[WINDOW_HOURS_MAX];        /* rings; 0 where the hour leaves every window */
	double x_sum[WINDOWS], mu_sum[WINDOWS], s[WINDOWS];
	float e2[WINDOWS][DISPERSION_LAG];                      /* NAN: does not count */
};

struct score {
	struct score_past n, v;
	double nv;                      /* the best window in which both N and V are surprising */
	double pc;                      /* partial conjunction over the sensors, on the scale of nv; 0 with two sensors or fewer */
	double r;                       /* the lesser of them */
	double llr_n[WINDOWS], llr_v[WINDOWS], pc_w[PC_WINDOWS];
};

void score_init(struct score *s);
/* After each hour of the streams. z takes the sensors' z, PC_WINDOWS times roster->len of them. */
void score_hour(struct score *s, const struct streams *streams, const struct roster *r, double *z);

/* How surprising x is where m was expected, as a log likelihood ratio of Poisson, for sums that spread f times as wide; 0 where it is no more. */
double score_surprise(double x, double m, double f);
/* How much wider than Poisson a window spreads, 1 or more; 1 until two weeks are known. */
double score_dispersion(const struct score_past *x, unsigned window, int64_t hour);
/* How surprised each sensor is by the x sources that it counted in a window; 0 where it knows nothing. */
void score_sensors(const struct streams *s, const struct roster *r, unsigned window, double phi, const double *x, double *z);
/* Would it still be surprising without the most surprised quarter of the enrolled sensors (partial conjunction: Benjamini and Heller 2008)? A normal
 * score; 0 with two sensors or fewer. spare: room for roster->len numbers. */
double score_conjunction(const struct roster *r, const double *z, double *spare);
/* At least three new sources in a week, and two sensors with a count in it, of different groups (the gate). */
bool score_gate(const struct streams *s, const struct roster *r);
/* Phi^-1(1 - P(X >= x) + P(X = x)/2) for a negative binomial X of mean m and variance m + phi m^2: the mid-p normal score. */
double negative_binomial_z(double x, double m, double phi);

#endif
