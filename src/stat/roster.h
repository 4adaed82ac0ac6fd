/* roster: who was enrolled and who watched, hour by hour: what all ports share (METHODS.md 2.1). Hours count from the first one, days of
 * 24 of them; places are sensors. */
#ifndef TEITEN_ROSTER_H
#define TEITEN_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DAY_HOURS = 24, WINDOWS = 7, WINDOW_HOURS_MAX = 168 };
/* Levels stand on four weeks, the last three days left out. */
enum { ROSTER_DAYS = 32, LEVEL_DAYS = 28, LEVEL_GUARD_DAYS = 3, LEVEL_DAYS_MIN = 7 };
extern const unsigned window_hours[WINDOWS];    /* 1, 3, 6, 12, 24, 72, 168 */

/* A sensor as the roster holds it. */
struct post {
	bool enrolled, up;
	uint32_t group;                 /* 0: on its own */
	uint8_t watched[WINDOWS];       /* hours of each window in which it watched, this one included */
	uint8_t today;                  /* hours of the day so far */
	float coverage[ROSTER_DAYS];    /* of days, ring: which share it watched */
	float calm;                     /* the level where it saw nothing in four weeks; NAN: too few days */
	bool history[WINDOW_HOURS_MAX]; /* by hour modulo that */
};

struct roster {
	struct post *posts; size_t len, cap;
	size_t enrolled, up;
	int64_t hour;                   /* -1 before the first */
	bool masked;                    /* fewer than half of those enrolled watched */
	bool closed_day;                /* this hour begins a day, and there was one before */
	size_t settled;                 /* how many were enrolled when that changed by more than a fifth last */
	int64_t changed;                /* the day on which it did */
};

void roster_init(struct roster *r);
void roster_release(struct roster *r);
/* A place more; a sensor keeps its own for good. */
size_t roster_add(struct roster *r, uint32_t group);
/* A sensor observes other addresses from now on: the days before say nothing more. */
void roster_forget(struct roster *r, size_t place);
/* The next hour: who is enrolled and who watched (up says nothing of who is not enrolled). */
void roster_hour(struct roster *r, const bool *enrolled, const bool *up);
/* Whether so few days passed since the fleet changed that an alarm would be about the fleet: 7 days of levels are needed. */
bool roster_unsettled(const struct roster *r);
/* A level from the sum of so many days, without the largest of them: the mean of those left, and a little more than nothing. NAN where they are too few. */
double roster_level(double sum_left, unsigned days);
/* How many of the largest days are left out. */
unsigned roster_largest(unsigned days);

#endif
