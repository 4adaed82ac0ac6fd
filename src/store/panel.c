#include "store/panel.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/calendar.h"

#include <assert.h>
#include <math.h>

static const enum step steps[] = { STEP_MINUTE, STEP_HOUR, STEP_DAY };

static size_t cut(struct slot *list, const struct zone *z, struct span span, enum grain grain)
{
	size_t n = 0;

	for (minute_t at = calendar_floor(z, span.from, steps[grain]); at < span.until; n++) {
		minute_t next = calendar_next(z, at, steps[grain]);

		if (list) {
			list[n].span = span_both(span, (struct span){ at, next });
			list[n].judged_s = (next - at < span_minutes(span) ? next - at : span_minutes(span)) * 60ull;
			list[n].whole_s = (grain == GRAIN_DAY ? next - at : MINUTES_PER_DAY) * 60.0;
		}
		at = next;
	}
	return n;
}

/* Walks a sensor's runs and the slots together. */
static void fill(struct panel *p, size_t sensor)
{
	const struct watch *w = &p->book->watches[sensor];
	size_t run = 0;

	for (size_t i = 0; i < p->slots; i++) {
		struct span s = p->list[i].span;
		uint64_t seconds = 0;

		while (run < w->len && w->runs[run].until <= s.from)
			run++;
		for (size_t r = run; r < w->len && w->runs[r].from < s.until; r++)
			seconds += (uint64_t)span_minutes(span_both(s, (struct span){ w->runs[r].from, w->runs[r].until })) *
				w->runs[r].seconds;
		p->watched_s[i * p->book->len + sensor] = (uint32_t)seconds;
	}
}

static void add_up(struct panel *p)
{
	for (size_t i = 0; i < p->slots; i++) {
		struct slot *s = &p->list[i];

		for (uint16_t number = 1; number <= p->book->len; number++) {
			bool counts = panel_counts(p, i, number), seen = p->watched_s[i * p->book->len + number - 1u] > 0;

			s->below += counts ? panel_weight(p, i, number) : 0;
			s->counted += counts;
			s->seen = s->seen || seen;
			p->seen_mean[number] += counts;
			p->seen_sum[number] += seen;
		}
		p->seen_mean[0] += s->counted > 0;
		p->seen_sum[0] += s->seen;
	}
}

bool panel_make(struct panel *p, const struct book *book, const struct question *q, uint16_t only, struct span span,
	enum grain grain, struct err *e)
{
	*p = (struct panel){ .book = book, .question = q, .only = only };
	p->slots = cut(NULL, &book->zone, span, grain);
	if (p->slots * (book->len + 1) > PANEL_MAX) {
		err_asked(e, "too many steps for %zu sensors", book->len);
		err_expected(e, "a coarser step or a shorter span");
		return err_in(e, "step");
	}
	p->list = mem_zero(p->slots, sizeof *p->list);
	p->watched_s = mem_zero(p->slots * book->len, sizeof *p->watched_s);
	p->seen_mean = mem_zero(book->len + 1, sizeof *p->seen_mean);
	p->seen_sum = mem_zero(book->len + 1, sizeof *p->seen_sum);
	(void)cut(p->list, &book->zone, span, grain);
	for (size_t i = 0; i < book->len; i++)
		if (!only || only == i + 1)
			fill(p, i);
	add_up(p);
	return true;
}

void panel_release(struct panel *p)
{
	free(p->list);
	free(p->watched_s);
	free(p->seen_mean);
	free(p->seen_sum);
	*p = (struct panel){ 0 };
}

size_t panel_slot(const struct panel *p, minute_t at)
{
	size_t low = 0, high = p->slots;

	assert(p->slots > 0);
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (p->list[middle].span.from <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}

bool panel_counts(const struct panel *p, size_t slot, uint16_t sensor)
{
	uint64_t watched = p->watched_s[slot * p->book->len + sensor - 1];

	return watched > 0 && watched * 4 >= p->list[slot].judged_s;
}

double panel_weight(const struct panel *p, size_t slot, uint16_t sensor)
{
	double addresses = p->question->per == PER_SENSOR ? 1 : p->book->sensors[sensor - 1].addresses;

	return addresses * p->watched_s[slot * p->book->len + sensor - 1] / p->list[slot].whole_s;
}

unsigned panel_sensors(const struct panel *p)
{
	unsigned n = 0;

	for (size_t i = 1; i <= p->book->len; i++)
		n += p->seen_sum[i] > 0;
	return n;
}

static double sum_of(const struct panel *p, size_t slot, uint16_t alone, const struct part *parts, size_t n)
{
	uint64_t sum = 0;
	bool seen = alone ? p->watched_s[slot * p->book->len + alone - 1u] > 0 : p->list[slot].seen;

	for (size_t i = 0; i < n; i++)
		sum += parts[i].packets;
	return seen ? (double)sum : NAN;
}

static double mean_of(const struct panel *p, size_t slot, uint16_t alone, const struct part *parts, size_t n)
{
	double below = alone ? (panel_counts(p, slot, alone) ? panel_weight(p, slot, alone) : 0) : p->list[slot].below;
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		if (panel_counts(p, slot, parts[i].sensor))
			sum += parts[i].packets;
	return below > 0 ? (double)sum / below : NAN;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Sensors that saw nothing are zeroes in front, so they need no places in the list. */
static double median_of(const struct panel *p, size_t slot, const struct part *parts, size_t n, double *rates)
{
	size_t counted = p->list[slot].counted, len = 0;

	for (size_t i = 0; i < n; i++)
		if (panel_counts(p, slot, parts[i].sensor) && parts[i].packets)
			rates[len++] = (double)parts[i].packets / panel_weight(p, slot, parts[i].sensor);
	if (counted == 0)
		return NAN;
	if (len)
		qsort(rates, len, sizeof *rates, ascending);
	size_t zeroes = counted - len, low = (counted - 1) / 2, high = counted / 2;
	double a = low < zeroes ? 0 : rates[low - zeroes], b = high < zeroes ? 0 : rates[high - zeroes];
	return (a + b) / 2;
}

double panel_value(const struct panel *p, enum across across, size_t slot, uint16_t alone, const struct part *parts, size_t n,
	double *scratch)
{
	if (across == ACROSS_SUM)
		return sum_of(p, slot, alone, parts, n);
	if (across == ACROSS_MEAN || across == ACROSS_ROBUST || alone)  /* the median of one is its mean; robust values come otherwise */
		return mean_of(p, slot, alone, parts, n);
	return median_of(p, slot, parts, n, scratch);
}
