#include "stat/tracker.h"

#include <math.h>

enum { DAY = 24, BASE_FROM = 168, BASE_UNTIL = 24, CLOSE_HOURS = 24, AGAIN_HOURS = 72, SHIFT_HOURS = 672 };

void tracker_init(struct tracker *t)
{
	*t = (struct tracker){ .armed = true };
}

struct surge *tracker_open(struct tracker *t)
{
	struct surge *last = t->len ? &t->surges[t->len - 1] : NULL;

	return last && last->closed < 0 ? last : NULL;
}

/* Of the unmasked hours of [from, until]; NAN when there is none. */
static double mean_v(const struct past *p, int64_t from, int64_t until)
{
	double sum = 0;
	unsigned n = 0;

	for (int64_t h = from < 0 ? 0 : from; h <= until; h++)
		if (!isnan(p->v[h % ONSET_HOURS])) {
			sum += (double)p->v[h % ONSET_HOURS];
			n++;
		}
	return n ? sum / n : NAN;
}

/* A sum of what is above k, least where it began to rise (CUSUM; Page 1954). */
static int64_t onset_of(const struct past *p, int64_t hour, double k)
{
	int64_t from = hour - ONSET_HOURS + 1 < 0 ? 0 : hour - ONSET_HOURS + 1, onset = from;
	double sum = 0, least = 0;

	for (int64_t h = from; h <= hour; h++) {
		sum += isnan(p->v[h % ONSET_HOURS]) ? 0 : (double)p->v[h % ONSET_HOURS] - k;
		if (sum < least) {
			least = sum;
			onset = h + 1;
		}
	}
	return onset;
}

static void open_surge(struct tracker *t, const struct past *p, int64_t hour)
{
	double before = mean_v(p, hour - BASE_FROM, hour - BASE_UNTIL - 1), base = fmax(fmax(isnan(before) ? 0 : before, (double)p->mu[hour % ONSET_HOURS]), .001);

	if (t->len == SURGES_KEPT) {
		for (unsigned i = 1; i < t->len; i++)
			t->surges[i - 1] = t->surges[i];
		t->len--;
	}
	struct surge *s = &t->surges[t->len++];
	*s = (struct surge){ .alarm = hour, .closed = -1, .end = -1, .shift = -1, .continued = -1, .last_active = hour, .base = base,
		.k = fmax(fmax(1.3 * base, base + .3 * sqrt(base)), .02), .w = 6 * base < 2 ? 24 : 6 };
	s->onset = onset_of(p, hour, s->k);
}

static void reopen(struct surge *s, int64_t hour)
{
	s->closed = s->end = -1;
	s->below = 0;
	s->continued = hour;
}

/* One more hour of an open one. */
static enum tracked follow(struct surge *s, const struct past *p, int64_t hour)
{
	double rate = mean_v(p, hour - s->w + 1, hour);

	if (isnan(rate))
		return TRACKED_NOTHING;
	s->value = rate;
	s->peak_hour = rate >= .995 * s->peak ? hour : s->peak_hour;
	s->peak = fmax(.995 * s->peak, rate);
	bool active = rate > s->base + fmax(.3 * (s->peak - s->base), sqrt(s->base / s->w) + .5 / s->w);
	if (active || hour == s->alarm) {
		s->last_active = active ? hour : s->last_active;
		s->below = 0;
	} else if (!isnan(p->v[hour % ONSET_HOURS]) && ++s->below == CLOSE_HOURS) {
		int64_t end = s->last_active - (s->w == 6 ? 3 : 8);

		s->closed = hour;
		s->end = end > s->onset ? end : s->onset;
		return TRACKED_CLOSED;
	}
	if (s->shift < 0 && hour > s->alarm + SHIFT_HOURS) {
		s->shift = hour;
		return TRACKED_SHIFT;
	}
	return TRACKED_NOTHING;
}

void past_hour(struct past *p, int64_t hour, double v, double mu_v, bool masked)
{
	p->mu[hour % ONSET_HOURS] = (float)mu_v;
	p->v[hour % ONSET_HOURS] = masked ? NAN : (float)v;
}

enum tracked tracker_hour(struct tracker *t, const struct past *p, int64_t hour, bool over, bool may_alarm)
{
	struct surge *open = tracker_open(t), *last = t->len ? &t->surges[t->len - 1] : NULL;
	enum tracked what = TRACKED_NOTHING;

	t->armed |= !over;
	if (!open && over && t->armed && may_alarm) {
		if (last && hour - last->end <= AGAIN_HOURS) {
			reopen(last, hour);
			what = TRACKED_CONTINUED;
		} else {
			open_surge(t, p, hour);
			what = TRACKED_OPENED;
		}
		open = tracker_open(t);
	}
	if (!open)
		return what;
	enum tracked then = follow(open, p, hour);
	if (then == TRACKED_CLOSED)
		t->armed = !over;
	return then == TRACKED_NOTHING ? what : then;
}

bool tracker_leaves_out(const struct tracker *t, int64_t day, int64_t today)
{
	for (unsigned i = 0; i < t->len; i++) {
		const struct surge *s = &t->surges[i];
		int64_t last = s->closed < 0 ? today - 1 : s->end / DAY;

		if (s->shift < 0 && day >= s->onset / DAY && day <= last)
			return true;
	}
	return false;
}
