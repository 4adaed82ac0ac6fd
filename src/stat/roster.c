#include "stat/roster.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

const unsigned window_hours[WINDOWS] = { 1, 3, 6, 12, 24, 72, 168 };
enum { SETTLED_DAYS = 7 };

void roster_init(struct roster *r)
{
	*r = (struct roster){ .hour = -1 };
}

void roster_release(struct roster *r)
{
	free(r->posts);
	roster_init(r);
}

size_t roster_add(struct roster *r, uint32_t group)
{
	MEM_GROW(r->posts, r->len, r->cap);
	r->posts[r->len] = (struct post){ .group = group, .calm = NAN };
	return r->len++;
}

void roster_forget(struct roster *r, size_t place)
{
	for (unsigned d = 0; d < ROSTER_DAYS; d++)
		r->posts[place].coverage[d] = 0;
	r->posts[place].calm = NAN;
}

unsigned roster_largest(unsigned days)
{
	return days < 14 ? 1 : 3;
}

double roster_level(double sum_left, unsigned days)
{
	return days < LEVEL_DAYS_MIN ? NAN : (sum_left + .05) / (days - roster_largest(days));
}

/* The day before `day` is over. */
static void close_post(struct post *p, int64_t day)
{
	int64_t from = day - LEVEL_DAYS - LEVEL_GUARD_DAYS;
	unsigned n = 0;

	p->coverage[(day - 1) % ROSTER_DAYS] = (float)p->today / DAY_HOURS;
	p->today = 0;
	for (int64_t d = from > 0 ? from : 0; d < day - LEVEL_GUARD_DAYS; d++)
		n += p->coverage[d % ROSTER_DAYS] > 0;
	p->calm = (float)roster_level(0, n);
}

static void post_hour(struct post *p, int64_t hour, bool enrolled, bool up)
{
	p->enrolled = enrolled;
	p->up = enrolled && up;
	for (unsigned w = 0; w < WINDOWS; w++) {
		int64_t gone = hour - window_hours[w];

		p->watched[w] = (uint8_t)(p->watched[w] + p->up - (gone >= 0 && p->history[gone % WINDOW_HOURS_MAX]));
	}
	p->history[hour % WINDOW_HOURS_MAX] = p->up;
	p->today = (uint8_t)(p->today + p->up);
}

void roster_hour(struct roster *r, const bool *enrolled, const bool *up)
{
	r->hour++;
	r->closed_day = r->hour && r->hour % DAY_HOURS == 0;
	r->enrolled = r->up = 0;
	for (size_t i = 0; i < r->len; i++) {
		struct post *p = &r->posts[i];

		if (r->closed_day)
			close_post(p, r->hour / DAY_HOURS);
		post_hour(p, r->hour, enrolled[i], up[i]);
		r->enrolled += p->enrolled;
		r->up += p->up;
	}
	r->masked = 2 * r->up < r->enrolled || r->up == 0;
	if (5 * (r->enrolled > r->settled ? r->enrolled - r->settled : r->settled - r->enrolled) > r->settled) {
		r->changed = r->settled ? r->hour / DAY_HOURS : -SETTLED_DAYS;
		r->settled = r->enrolled;
	}
}

bool roster_unsettled(const struct roster *r)
{
	return r->hour / DAY_HOURS < r->changed + SETTLED_DAYS;
}
