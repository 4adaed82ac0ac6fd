#include "stat/roster.h"

#include "base/mem.h"

#include <stdlib.h>

const unsigned pc_hours[PC_WINDOWS] = { 6, 24, 72 };
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
	r->posts[r->len] = (struct post){ .group = group };
	return r->len++;
}

static void post_hour(struct post *p, int64_t hour, bool enrolled, bool up)
{
	p->enrolled = enrolled;
	p->up = enrolled && up;
	for (unsigned w = 0; w < PC_WINDOWS; w++) {
		int64_t gone = hour - pc_hours[w];

		p->watched[w] = (uint8_t)(p->watched[w] + p->up - (gone >= 0 && p->history[gone % PC_HOURS_MAX]));
	}
	p->history[hour % PC_HOURS_MAX] = p->up;
	p->today = (uint8_t)(p->today + p->up);
}

void roster_hour(struct roster *r, const bool *enrolled, const bool *up)
{
	r->hour++;
	r->closed_day = r->hour && r->hour % DAY_HOURS == 0;
	r->enrolled = r->up = 0;
	for (size_t i = 0; i < r->len; i++) {
		struct post *p = &r->posts[i];

		if (r->closed_day) {
			p->coverage = (float)p->today / DAY_HOURS;
			p->today = 0;
		}
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
