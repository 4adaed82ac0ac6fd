#include "publish/axis.h"

#include "base/num.h"
#include "base/zone.h"

#include <math.h>

struct value_axis value_axis(double max, unsigned ticks)
{
	static const double rounds[] = { 1, 2, 2.5, 5, 10 };

	if (!(max > 0) || ticks == 0)
		return (struct value_axis){ 1, 1 };
	double rough = max / ticks, power = pow(10, floor(log10(rough)));
	for (unsigned i = 0; i < sizeof rounds / sizeof *rounds; i++) {
		double step = rounds[i] * power, top = ceil(max / step - 1e-9) * step;

		if (step >= rough * (1 - 1e-9))
			return (struct value_axis){ step, top };
	}
	return (struct value_axis){ 10 * power, 10 * power * ticks };
}

void value_axis_text(const struct value_axis *v, double at, char out[NUM_TEXT_MAX])
{
	int digits = 0;

	if (v->step >= 1 && fabs(v->step - round(v->step)) < 1e-9 && at >= 0 && at < 1e18) {
		(void)num_grouped((uint64_t)llround(at), out);
		return;
	}
	for (double step = v->step; digits < 12 && fabs(step - round(step)) > 1e-6; step *= 10)
		digits++;
	(void)snprintf(out, NUM_TEXT_MAX, "%.*f", digits, at);
}

/* A unit of ticks: `every` of the calendar's step. */
struct beat { enum step step; unsigned every; double minutes; };

static const struct beat beats[] = {
	{ STEP_MINUTE, 10, 10 }, { STEP_HOUR, 1, 60 }, { STEP_HOUR, 3, 180 }, { STEP_HOUR, 6, 360 }, { STEP_HOUR, 12, 720 },
	{ STEP_DAY, 1, 1440 }, { STEP_DAY, 2, 2880 }, { STEP_DAY, 5, 7200 }, { STEP_DAY, 10, 14400 },
	{ STEP_MONTH, 1, 43800 }, { STEP_MONTH, 2, 87600 }, { STEP_MONTH, 3, 131400 }, { STEP_MONTH, 6, 262800 },
	{ STEP_MONTH, 12, 525600 }, { STEP_MONTH, 24, 1051200 }, { STEP_MONTH, 60, 2628000 }, { STEP_MONTH, 120, 5256000 },
};

/* Whether a tick of the beat stands at this edge of its step. */
static bool on_beat(const struct beat *b, const struct civil *c)
{
	switch (b->step) {
	case STEP_MINUTE: return c->minute % (int)b->every == 0;
	case STEP_HOUR: return c->minute == 0 && c->hour % (int)b->every == 0;
	/* every fifth or tenth day counts from the first of the month, and 30 and 31 would crowd the next first */
	case STEP_DAY: return b->every == 1 || (b->every == 2 ? c->day % 2 == 1 && c->day < 31 :
		(c->day - 1) % (int)b->every == 0 && c->day < 30);
	default: return (c->year * 12 + c->month - 1) % (int)b->every == 0;
	}
}

/* The larger unit is told at the first tick and where it changes. */
static void tick_text(const struct beat *b, const struct civil *c, const struct civil *before, enum lang l,
	char out[TICK_TEXT_MAX])
{
	const char *month = message_month(l, c->month);
	bool year = !before || before->year != c->year, day = !before || before->day != c->day || before->month != c->month;

	if (b->step <= STEP_HOUR && !day)
		(void)snprintf(out, TICK_TEXT_MAX, "%02d:%02d", c->hour, c->minute);
	else if (b->step <= STEP_DAY && l == LANG_JA)
		(void)snprintf(out, TICK_TEXT_MAX, "%d/%d", c->month, c->day);
	else if (b->step <= STEP_DAY)
		(void)snprintf(out, TICK_TEXT_MAX, "%d %s", c->day, month);
	else if (b->every >= 12)
		(void)snprintf(out, TICK_TEXT_MAX, l == LANG_JA ? "%d年" : "%d", c->year);
	else if (year)
		(void)(l == LANG_JA ? snprintf(out, TICK_TEXT_MAX, "%d年%s", c->year, month) :
			snprintf(out, TICK_TEXT_MAX, "%s %d", month, c->year));
	else
		(void)snprintf(out, TICK_TEXT_MAX, "%s", month);
}

static const struct beat *beat_for(struct span s, unsigned labels)
{
	size_t i = 0;

	while (i + 1 < sizeof beats / sizeof *beats && span_minutes(s) / beats[i].minutes > labels)
		i++;
	return &beats[i];
}

void time_axis(struct time_axis *t, struct span s, const struct zone *z, enum lang l, unsigned labels)
{
	const struct beat *b = beat_for(s, labels);
	struct civil before = { 0 };
	minute_t at = calendar_floor(z, s.from, b->step);

	t->len = 0;
	if (at < s.from)
		at = calendar_next(z, at, b->step);
	for (; at <= s.until && t->len < TIME_TICKS_MAX; at = calendar_next(z, at, b->step)) {
		struct civil c = calendar_civil(z, at);

		if (!on_beat(b, &c))
			continue;
		t->list[t->len].at = at;
		tick_text(b, &c, t->len ? &before : NULL, l, t->list[t->len].text);
		t->len++;
		before = c;
	}
}
