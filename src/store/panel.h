/* panel: who was looking in each slot of time, and how many address-days stand below a mean there. Pure.
 *
 * A slot is a day, an hour or a minute, cut to the span. c_i is the watched share of the day (METHODS.md 1: of an hour,
 * its share / 24); a sensor that watched less than a quarter of the slot is left out of means and medians. */
#ifndef TEITEN_PANEL_H
#define TEITEN_PANEL_H

#include "store/engine.h"

struct panel {
	const struct book *book;
	const struct question *question;
	uint16_t only;                  /* the one sensor in play, or 0: all */
	size_t slots;
	struct slot {
		struct span span;
		double whole_s;         /* seconds that make c_i one */
		uint64_t judged_s;      /* who watched less than a quarter of these is left out: the step's, or the span's if shorter */
		double below;           /* sum of a_i c_i over those that count */
		unsigned counted;       /* sensors that count */
		bool seen;              /* anybody watched at all */
	} *list;
	uint32_t *watched_s;            /* slots × sensors of the book */
	size_t *seen_mean, *seen_sum;   /* slots with a value: [0] of all together, [number] of one sensor */
};

/* False: more slots × sensors than PANEL_MAX. The book and question are borrowed. */
enum { PANEL_MAX = 1 << 25 };
bool panel_make(struct panel *p, const struct book *book, const struct question *q, uint16_t only, struct span span,
	enum grain grain, struct err *e);
void panel_release(struct panel *p);
size_t panel_slot(const struct panel *p, minute_t at);                  /* the slot that holds the minute */
bool panel_counts(const struct panel *p, size_t slot, uint16_t sensor); /* watched a quarter of it */
double panel_weight(const struct panel *p, size_t slot, uint16_t sensor);       /* a_i c_i; a_i = 1 per sensor */
unsigned panel_sensors(const struct panel *p);                          /* sensors that watched any slot */

/* One sensor's count in one slot. */
struct part { uint16_t sensor; uint64_t packets; };
/* The slot's value by `across` from the sensors that saw anything, ascending; alone: the sensor that the series is
 * about, or 0. NAN when nobody looked. Sorts nothing of the caller's; scratch has room for the book's sensors. */
double panel_value(const struct panel *p, enum across across, size_t slot, uint16_t alone, const struct part *parts, size_t n,
	double *scratch);

#endif
