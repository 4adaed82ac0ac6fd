/* chart: an answer with steps as a line chart in SVG, the same for pages, files and reports. Pure.
 *
 * Quiet by design: y from 0, few ticks, a dash pattern beside each colour, direct labels that never collide. Where
 * nobody looked there is hatching, and lines break instead of joining. From 600 units of width labels stand at the ends
 * of the lines; below that they stand under the plot. Surges of the one port that is shown are bands behind the lines, named above the plot where
 * the names do not collide; each <g class="surge" data-id="..."> has its label as its title.
 *
 * The picture can be read back: the root has data-x0, data-x1 (plot edges) for the times data-t0, data-t1 (minutes since
 * 1970), data-y0 for the value 0 and data-y1 for data-v1; each series is <g class="series" data-label="..."> with one
 * path of absolute "Mx,yLx,y" points, one for each step that has a value, at the middle of the step. */
#ifndef TEITEN_CHART_H
#define TEITEN_CHART_H

#include "publish/messages.h"

#include <stdbool.h>
#include <stddef.h>

struct answer;
struct buf;
struct surge_revision;
struct zone;

enum { CHART_WIDE = 960, CHART_NARROW = 360, CHART_WIDTH_MIN = 320, CHART_WIDTH_MAX = 1600, CHART_SERIES_MAX = 8 };

struct chart {
	const struct answer *answer;    /* with steps */
	const struct zone *zone;
	enum lang lang;
	const char *id;                 /* in front of every id in the picture: unique in the page */
	const char *source;             /* whose data: named under the plot */
	bool alone;                     /* says its title, basis and source itself; else the page around it does */
	const struct surge_revision *surges; size_t surges_len;         /* bands; those outside of the span are left out */
	unsigned width;                 /* CHART_WIDTH_MIN to CHART_WIDTH_MAX */
};

void chart_svg(const struct chart *c, struct buf *out);

#endif
