#include "stat/lookout.h"
#include "stat/onset.h"
#include "test.h"

enum { SENSORS = 12, DAYS = 60, CALM_HOURS = DAYS * DAY_HOURS };

/* A port watched by SENSORS sensors, and what each of them counts in the hour at hand. */
struct scene { struct roster roster; struct lookout port; uint32_t sources[SENSORS]; double fresh; uint64_t seed; };

static void scene_begin(struct scene *s)
{
	*s = (struct scene){ .seed = 7 };
	roster_init(&s->roster);
	for (unsigned i = 0; i < SENSORS; i++)
		(void)roster_add(&s->roster, 0);
	lookout_init(&s->port, &s->roster);
}

static void scene_end(struct scene *s)
{
	lookout_release(&s->port);
	roster_release(&s->roster);
}

/* Each sensor has a visitor in so many of a hundred hours, two of three of them new. */
static void visitors(struct scene *s, unsigned percent)
{
	for (unsigned i = 0; i < SENSORS; i++)
		if (test_random(&s->seed) % 100 < percent) {
			s->sources[i]++;
			s->fresh += test_random(&s->seed) % 3 < 2 ? 1 : 0;
		}
}

static struct seen_hour scene_hour(struct scene *s)
{
	bool all[SENSORS];
	struct sighting seen[SENSORS];
	struct counted c = { .seen = seen, .new_sources = s->fresh };
	struct seen_hour told;

	for (unsigned i = 0; i < SENSORS; i++) {
		all[i] = true;
		if (s->sources[i])
			seen[c.n++] = (struct sighting){ .sensor = (uint16_t)i, .sources = s->sources[i] };
		c.sources += s->sources[i];
		s->sources[i] = 0;
	}
	s->fresh = 0;
	roster_hour(&s->roster, all, all);
	lookout_hour(&s->port, &s->roster, &c, 0, &told);
	return told;
}

static void calm(struct scene *s, unsigned percent)
{
	for (unsigned h = 0; h < CALM_HOURS; h++) {
		visitors(s, percent);
		(void)scene_hour(s);
	}
}

/* Of `hours` hours in each of which `more` happens beside the usual visitors: the greatest R, and how many alarms were opened. */
struct outcome { double r; unsigned alarms; };

static struct outcome spend(struct scene *s, unsigned hours, unsigned percent, void (*more)(struct scene *s, unsigned hour))
{
	struct outcome o = { 0 };

	for (unsigned h = 0; h < hours; h++) {
		visitors(s, percent);
		more(s, h);
		struct seen_hour told = scene_hour(s);
		o.r = fmax(o.r, told.r);
		o.alarms += told.alarm == TRACKED_OPENED;
	}
	return o;
}

static void everywhere(struct scene *s, unsigned hour)
{
	for (unsigned i = hour % 2; i < SENSORS; i += 2) {
		s->sources[i]++;
		s->fresh += i % 3 ? 1 : 0;
	}
}

/* Two days of many sources at one sensor, then half a day of one source at all of them. */
static void flood_then_sweep(struct scene *s, unsigned hour)
{
	if (hour < 48) {
		s->sources[3] += 30;
		s->fresh += 20;
	} else if (hour < 60) {
		for (unsigned i = 0; i < SENSORS; i++)
			s->sources[i]++;
		s->fresh += hour == 48;
	}
}

/* One after the other, six new sources go round all sensors. */
static void six_go_round(struct scene *s, unsigned hour)
{
	for (unsigned i = 0; hour < 6 && i < SENSORS; i++)
		s->sources[i]++;
	s->fresh += hour < 6;
}

TEST(lookout_alarms_a_rise_at_all_sensors_once)
{
	struct scene s;

	scene_begin(&s);
	calm(&s, 4);
	struct outcome o = spend(&s, 24, 4, everywhere);
	CHECK(o.r >= ALARM_R);
	CHECK_WHOLE(o.alarms, 1);
	CHECK(tracker_open(&s.port.alarms)->onset >= CALM_HOURS - 3 && tracker_open(&s.port.alarms)->onset <= CALM_HOURS + 1);
	scene_end(&s);
}

TEST(lookout_does_not_join_a_flood_at_one_sensor_with_a_sweep_of_all)
{
	struct scene s;

	scene_begin(&s);
	calm(&s, 4);
	struct outcome o = spend(&s, 96, 4, flood_then_sweep);
	CHECK(o.r < WATCH_NV);
	CHECK_WHOLE(o.alarms, 0);
	scene_end(&s);
}

TEST(lookout_calls_six_sources_on_an_empty_port_no_broad_surge)
{
	struct scene s;

	scene_begin(&s);
	calm(&s, 0);
	struct outcome o = spend(&s, 24, 0, six_go_round);
	CHECK(o.r >= ALARM_R);
	CHECK_WHOLE(o.alarms, 0);
	CHECK(lookout_class(&s.port, &s.roster) != SURGE_BROAD);
	scene_end(&s);
}

TEST(lift_sums_are_those_of_the_hours)
{
	static double v[2 * CALM_HOURS];
	struct scene s;

	scene_begin(&s);
	for (unsigned h = 0; h < CALM_HOURS; h++) {
		visitors(&s, 20);
		(void)scene_hour(&s);
		v[h] = h >= BASELINE_DAYS * DAY_HOURS && s.port.streams.counts ? s.port.streams.v.now : 0;
	}
	for (unsigned w = 0; w < WINDOWS; w++) {
		double window = 0, before = 0;

		for (unsigned h = 0; h < window_hours[w]; h++)
			window += v[CALM_HOURS - 1 - h];
		for (unsigned h = 0; h < DAY_HOURS; h++)
			before += v[CALM_HOURS - 1 - window_hours[w] - h];
		CHECK(window > 0 && before > 0);
		CHECK_NEAR(s.port.lift.window[w][LIFT_V], window);
		CHECK_NEAR(s.port.lift.before[w][LIFT_V], before);
	}
	scene_end(&s);
}

/* A sensor that never counts anything has the level of nothing seen on so many days, by the short way as by the long one. */
TEST(streams_know_the_level_of_a_silent_sensor)
{
	struct scene s;

	scene_begin(&s);
	for (unsigned h = 0; h < CALM_HOURS; h++) {
		s.sources[1] = h % 5 == 0;
		s.sources[2] = h == 40 * DAY_HOURS;
		(void)scene_hour(&s);
	}
	CHECK(fabs((double)s.port.streams.reaches[0].level - .05 / 25) < 1e-7);
	CHECK(fabs((double)s.port.streams.reaches[2].level - .05 / 25) < 1e-7);      /* its one day is among the three largest */
	CHECK((double)s.port.streams.reaches[1].level > 4);
	streams_forget(&s.port.streams, 0);
	roster_forget(&s.roster, 0);
	for (unsigned h = 0; h < 9 * DAY_HOURS; h++)
		(void)scene_hour(&s);
	CHECK(isnan(s.port.streams.reaches[0].level));
	for (unsigned h = 0; h < 3 * DAY_HOURS; h++)
		(void)scene_hour(&s);
	CHECK(!isnan(s.port.streams.reaches[0].level));
	scene_end(&s);
}

/* V about what was expected, 2 an hour with a daily rhythm, and from `onset` on so much more. */
static struct past rise(int64_t onset, double step, double ramp, int64_t hour)
{
	struct past p = { 0 };
	uint64_t seed = 3;

	for (int64_t h = 0; h <= hour; h++) {
		double mu = h % 24 < 12 ? 1 : 3, more = h < onset ? 0 : step + ramp * (double)(h - onset + 1);

		past_hour(&p, h, mu + more + (double)(test_random(&seed) % 5) / 2 - 1, mu, h % 50 == 7);
	}
	return p;
}

TEST(onset_is_where_a_step_or_a_ramp_begins)
{
	struct past step = rise(1000, 4, 0, 1010), ramp = rise(1000, 0, .05, 1100), falls = rise(1000, -1, 0, 1100);
	int64_t found = onset_fit(&ramp, 1100);

	CHECK_WHOLE(onset_fit(&step, 1010), 1000);
	CHECK(found >= 1000 - 10 && found <= 1000 + 10);
	found = onset_fit(&falls, 1100);
	CHECK(found < 0 || found > 1090 || found < 1000);       /* not where it falls */
}

/* Sensors 0 and 1 are of one group, 2 of another; one hour in which these count a source each that was never seen. */
static void knock(struct lookout *port, struct roster *r, unsigned sensors)
{
	const bool all[3] = { true, true, true };
	struct sighting seen[3];
	struct counted c = { .seen = seen };
	struct seen_hour told;

	for (unsigned i = 0; i < 3; i++)
		if (sensors >> i & 1u)
			seen[c.n++] = (struct sighting){ .sensor = (uint16_t)i, .sources = 1 };
	c.sources = c.new_sources = (double)c.n;
	roster_hour(r, all, all);
	lookout_hour(port, r, &c, 0, &told);
}

TEST(gate_opens_to_three_sources_at_sensors_of_different_groups)
{
	struct lookout port;
	struct roster r;

	roster_init(&r);
	for (unsigned i = 0; i < 3; i++)
		(void)roster_add(&r, i < 2 ? 1 : 2);
	lookout_init(&port, &r);
	knock(&port, &r, 5);
	CHECK(!score_gate(&port.streams, &r));  /* two groups, two sources */
	knock(&port, &r, 1);
	CHECK(score_gate(&port.streams, &r));
	for (unsigned h = 0; h < 170; h++)
		knock(&port, &r, 0);
	CHECK(!score_gate(&port.streams, &r));  /* a week ago */
	for (unsigned h = 0; h < 3; h++)
		knock(&port, &r, 3);
	CHECK(!score_gate(&port.streams, &r));  /* six sources, one group */
	knock(&port, &r, 4);
	CHECK(score_gate(&port.streams, &r));
	lookout_release(&port);
	roster_release(&r);
}
