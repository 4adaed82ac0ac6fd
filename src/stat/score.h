/* score: how surprising the last hours of a port are (METHODS.md 2.2): more new sources and more reach than was to be expected, and at more
 * than a few sensors, each by its own habits. Scan statistics over windows of an hour to a week; R needs all of them. */
#ifndef TEITEN_SCORE_H
#define TEITEN_SCORE_H

#include "stat/streams.h"

struct score {
	double nv;                      /* the best window in which both N and V are surprising */
	double pc;                      /* partial conjunction over the sensors, on the scale of nv; 0 with two sensors or fewer */
	double r;                       /* the lesser of them */
	unsigned window;                /* that one */
	double llr_n[WINDOWS], llr_v[WINDOWS], pc_w[PC_WINDOWS];
};

/* From the streams as of the roster's hour. z takes the sensors' z, PC_WINDOWS times roster->len of them. */
void score_hour(const struct streams *s, const struct roster *r, double *z, struct score *out);
/* The part of it that is about the sensors, and dear; z may be NULL. */
void score_conjunctions(const struct streams *s, const struct roster *r, double *z, double pc_w[PC_WINDOWS]);
/* How surprising x is where m was expected, as a log likelihood ratio of Poisson, for sums that spread f times as wide; 0 where it is no more. */
double score_surprise(double x, double m, double f);
/* At least three new sources in a week, and two sensors with a count in it, of different groups (the gate). */
bool score_gate(const struct streams *s, const struct roster *r);

/* How much wider than Poisson a window spreads, 1 or more; 1 until two weeks are known. */
double score_dispersion(const struct stream *x, unsigned window, int64_t hour);
/* Phi^-1(1 - P(X >= x) + P(X = x)/2) for a negative binomial X of mean m and variance m + phi m^2: the mid-p normal score. */
double negative_binomial_z(double x, double m, double phi);

/* How surprising all distinct sources are, in the best window: who comes back makes U rise and not N. */
double score_all_sources(const struct streams *s, const struct roster *r);

#endif
