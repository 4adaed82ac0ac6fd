/* robust: the value of a port on a day that no odd sensor can bend: TND-2, the truncated negative-binomial deviance location
 * (METHODS.md 1.1; ours). A day is fitted with what is remembered of the sensors' habits on that port, and then remembered.
 *
 * Arrays in, arrays out: knows neither store nor calendar. Places in the arrays are sensors, the same ones every day. */
#ifndef TEITEN_ROBUST_H
#define TEITEN_ROBUST_H

#include "core/series.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ROBUST_SENSORS_MIN = 3, ROBUST_WEAK_MAX = 4, ROBUST_CALIBRATING_DAYS = 14 };

/* What holds for a sensor on a day, on every port. */
struct seat {
	bool enrolled, calibrating;
	double addresses;               /* a_i, 1 or more */
	double coverage;                /* c_i, 0 to 1: watched share of the day */
	uint32_t group;                 /* who counts once; 0: on its own */
};

/* The day's sensors, reckoned once for all ports. fleet_release frees. */
struct fleet {
	size_t len;
	const struct seat *seats;       /* borrowed */
	size_t *panel, panel_len;       /* places of those enrolled that watched a quarter of the day or more */
	double *share;                  /* p_i: addresses over the median of the enrolled */
	double *voice;                  /* w_i: one over the panel's sensors of the group */
	bool all_calibrate;             /* every enrolled one does */
};
void fleet_init(struct fleet *f, const struct seat *seats, size_t n);
void fleet_release(struct fleet *f);

/* What is remembered of a sensor on a port, and of a port. Zero is a good start for habits; port_habit_init for the port. */
struct habit { double packets, exposure /* A, E */, run_packets, run_exposure; uint16_t run /* rejected days in a row */; int8_t odd /* on its last day: 1 up, -1 down */; };
struct port_habit { double phi, level /* L; NAN: not known */; unsigned high /* days in a row far above it */; };
void port_habit_init(struct port_habit *p);

enum finding_kind { FINDING_ODD, FINDING_ASIDE, FINDING_SHIFT, FINDING_PARTIAL, FINDING_SPLIT, FINDING_FAULT, FINDING_SILENCE,
	FINDING_SOURCE /* a rise of which one source has at least half of the packets; found by store/days, who knows the sources */ };
/* Odd: far from what was expected; aside: not accepted, but not as far. sensor: its place (odd, aside, shift, fault, silence). Of the others: level is theta, other the level of those that disagree. */
struct finding {
	enum finding_kind kind;
	size_t sensor;
	int direction;                  /* 1 up, -1 down, 0 neither */
	double packets, expected;       /* odd, aside; expected of silence: how unlikely, as -ln of the chance */
	bool continues;                 /* odd: also on the sensor's day before, in the same direction */
	unsigned n, of;                 /* partial: sensors that disagree, of how many; fault: ports */
	double level, other;
	bool coherent;                  /* partial: their levels lie within a factor of four: one thing that part of the fleet sees */
};

/* A fitted day. theta and se NAN where there was no fit; packets per address and day where a value is meant. */
struct fitted {
	double theta, se /* of theta */, phi, level;    /* as used in the fit */
	double plain_b, headline_b;
	double plain;                   /* the plain mean; NAN when nobody watched */
	double value;                   /* the headline; the plain mean where there was no fit */
	size_t looked, accepted;        /* sensors of the panel; accepted ones (all, without a fit) */
	unsigned flags;                 /* enum robust_flag */
};

/* One sensor's part in a day, filled by robust_day; NAN and false for who was not in the panel. */
struct verdict { double b, exposure /* e_i */, residual, voice /* v_i: what it weighs in theta */; bool seated, accepted; };

/* Room for findings: for each sensor at most an odd and a shift, and three more. */
enum { FINDINGS_MORE = 3 };
#define FINDINGS_MAX(sensors) (2 * (sensors) + FINDINGS_MORE)

/* Workspace of a fit for fleets of up to n sensors; one a thread. */
struct robust;
struct robust *robust_open(size_t sensors);
void robust_close(struct robust *r);

/* Fits a port's day: packets[i] of each sensor, habits as of the evening before (read only). verdicts[fleet->len]. */
void robust_fit(struct robust *r, const struct fleet *f, const double *packets, const struct port_habit *port, const struct habit *habits,
	struct fitted *day, struct verdict *verdicts);
/* Writes what the day showed into findings (room for FINDINGS_MAX), without changing anything; returns how many. */
size_t robust_findings(struct robust *r, const struct fleet *f, const double *packets, const struct habit *habits, const struct fitted *day,
	const struct verdict *verdicts, struct finding *findings);
/* Remembers the day. */
void robust_learn(const struct fleet *f, const double *packets, const struct fitted *day, const struct verdict *verdicts, struct port_habit *port,
	struct habit *habits);

/* What all ports say of one sensor's day (METHODS.md 1.1 step 7). Zero at the start; `quiet` lasts from day to day. */
struct sensor_day { unsigned judged, up, down, seen; double unlikely, quiet; };
void sensor_day_add(struct sensor_day *s, double packets, const struct fitted *day, const struct verdict *part);
/* At the end of a day on which the sensor was of the panel: 0 to 2 findings. A fault takes two ports at least (ours: of one port it is odd). */
size_t sensor_day_end(struct sensor_day *s, size_t sensor, bool calibrating, struct finding findings[2]);

#endif
