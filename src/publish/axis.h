/* axis: where the ticks of a chart stand: round values from 0, and the calendar's own edges for time. Pure. */
#ifndef TEITEN_AXIS_H
#define TEITEN_AXIS_H

#include "publish/messages.h"

#include <stddef.h>

struct zone;

/* Values 0, step, 2 step ... top with top >= max; at most `ticks` steps; the step is 1, 2, 2.5 or 5 times a power of 10. */
struct value_axis { double step, top; };
struct value_axis value_axis(double max, unsigned ticks);
void value_axis_text(const struct value_axis *v, double at, char out[40]);

enum { TIME_TICKS_MAX = 64, TICK_TEXT_MAX = 32 };

/* Ticks of a span: labelled ones at most `labels`, first of all in the unit that fits (hours, days, months, years). */
struct time_axis {
	size_t len;
	struct time_tick { minute_t at; char text[TICK_TEXT_MAX]; } list[TIME_TICKS_MAX];
};
void time_axis(struct time_axis *t, struct span s, const struct zone *z, enum lang l, unsigned labels);

#endif
