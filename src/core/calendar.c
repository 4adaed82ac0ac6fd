#include "core/calendar.h"

#include "base/err.h"
#include "base/zone.h"

#include <ctype.h>

/* Days and civil dates: the proleptic Gregorian calendar in eras of 400 years, years counted from 1 March. */
long calendar_days_from_civil(int year, int month, int day)
{
	long y = month <= 2 ? year - 1 : year;
	long era = (y >= 0 ? y : y - 399) / 400;
	long year_of_era = y - era * 400;
	long day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	long day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

void calendar_civil_from_days(long days, int *year, int *month, int *day)
{
	long z = days + 719468;
	long era = (z >= 0 ? z : z - 146096) / 146097;
	long day_of_era = z - era * 146097;
	long year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	long day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	long m = (5 * day_of_year + 2) / 153;

	*day = (int)(day_of_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static long floor_div(long a, long b)
{
	return a >= 0 ? a / b : -((b - 1 - a) / b);
}

struct civil calendar_civil(const struct zone *z, minute_t at)
{
	struct civil c = { .offset = zone_offset(z, at) };
	long local = (long)at + c.offset, days = floor_div(local, MINUTES_PER_DAY);
	long rest = local - days * MINUTES_PER_DAY;

	calendar_civil_from_days(days, &c.year, &c.month, &c.day);
	c.hour = (int)(rest / 60);
	c.minute = (int)(rest % 60);
	c.weekday = (int)(((days + 3) % 7 + 7) % 7);    /* 1970-01-01 was a Thursday */
	return c;
}

/* The first minute at which the zone's clock shows `local` or later. */
static minute_t at_local(const struct zone *z, long local)
{
	/* Offsets lie within a day of UTC, so the rule in force a day before bounds the search from below. */
	long start = local - MINUTES_PER_DAY;
	minute_t from = start < 0 ? 0 : start > (long)MINUTE_MAX ? MINUTE_MAX : (minute_t)start;

	for (;;) {
		long at = local - zone_offset(z, from);
		uint32_t change = zone_next_change(z, from);

		if (at < (long)from)
			return from;
		if (at < (long)change)
			return at > (long)MINUTE_MAX ? MINUTE_MAX : (minute_t)at;
		from = change;
	}
}

minute_t calendar_minute(const struct zone *z, int year, int month, int day, int hour, int minute)
{
	return at_local(z, calendar_days_from_civil(year, month, day) * MINUTES_PER_DAY + hour * 60 + minute);
}

uint32_t calendar_day(const struct zone *z, minute_t at)
{
	long days = floor_div((long)at + zone_offset(z, at), MINUTES_PER_DAY);

	return days < 0 ? 0 : (uint32_t)days;
}

minute_t calendar_day_start(const struct zone *z, uint32_t day)
{
	return at_local(z, (long)day * MINUTES_PER_DAY);
}

/* Hours are aligned to the local clock and cut at a change of offset that is not a whole number of hours. */
static minute_t hour_floor(const struct zone *z, minute_t at)
{
	int offset = zone_offset(z, at);
	long start = floor_div((long)at + offset, 60) * 60 - offset;

	if (start < 0)
		return 0;
	if (zone_offset(z, (minute_t)start) == offset)
		return (minute_t)start;
	uint32_t change = zone_next_change(z, (minute_t)start);
	return (zone_offset(z, change) - zone_offset(z, (minute_t)start)) % 60 == 0 ? (minute_t)start : change;
}

static minute_t hour_next(const struct zone *z, minute_t at)
{
	minute_t start = hour_floor(z, at);
	uint32_t change = zone_next_change(z, start);
	int offset = zone_offset(z, start);
	minute_t end = (minute_t)(floor_div((long)start + offset, 60) * 60 + 60 - offset);

	if (change < end && (zone_offset(z, change) - offset) % 60 != 0)
		return change;
	return end;
}

/* Local day number of the first day of the week, month or quarter that holds the local day. */
static long first_day(long day, enum step step)
{
	int y, m, d;

	if (step == STEP_WEEK)
		return day - ((day + 3) % 7 + 7) % 7;
	calendar_civil_from_days(day, &y, &m, &d);
	if (step == STEP_QUARTER)
		m = (m - 1) / 3 * 3 + 1;
	return step == STEP_DAY ? day : calendar_days_from_civil(y, m, 1);
}

static long next_first_day(long first, enum step step)
{
	int y, m, d;

	if (step == STEP_DAY || step == STEP_WEEK)
		return first + (step == STEP_DAY ? 1 : 7);
	calendar_civil_from_days(first, &y, &m, &d);
	m += step == STEP_QUARTER ? 3 : 1;
	return calendar_days_from_civil(m > 12 ? y + 1 : y, m > 12 ? m - 12 : m, 1);
}

minute_t calendar_floor(const struct zone *z, minute_t at, enum step step)
{
	if (step == STEP_MINUTE)
		return at;
	if (step == STEP_HOUR)
		return hour_floor(z, at);
	if (step == STEP_ALL)
		return 0;
	long first = first_day(floor_div((long)at + zone_offset(z, at), MINUTES_PER_DAY), step);
	return first < 0 ? 0 : at_local(z, first * MINUTES_PER_DAY);
}

minute_t calendar_next(const struct zone *z, minute_t at, enum step step)
{
	if (step == STEP_MINUTE)
		return at + 1;
	if (step == STEP_HOUR)
		return hour_next(z, at);
	if (step == STEP_ALL)
		return MINUTE_MAX;
	long first = first_day(floor_div((long)at + zone_offset(z, at), MINUTES_PER_DAY), step);
	return at_local(z, next_first_day(first, step) * MINUTES_PER_DAY);
}

minute_t calendar_shift(const struct zone *z, minute_t day, int months)
{
	struct civil c = calendar_civil(z, day);
	int index = c.year * 12 + c.month - 1 + months, y = index / 12, m = index % 12 + 1;
	long first = calendar_days_from_civil(y, m, 1);
	long length = next_first_day(first, STEP_MONTH) - first;
	long at = (first + (c.day > length ? length : c.day) - 1) * MINUTES_PER_DAY;

	return at < 0 ? 0 : at_local(z, at);
}

/* Two digits in [min, max] at *text, which moves on. */
static bool two(const char **text, int min, int max, int *out)
{
	const char *t = *text;

	if (!isdigit((unsigned char)t[0]) || !isdigit((unsigned char)t[1]))
		return false;
	*out = (t[0] - '0') * 10 + t[1] - '0';
	*text += 2;
	return *out >= min && *out <= max;
}

static bool date_part(const char **t, int *year, int *month, int *day)
{
	int century, rest;

	if (!two(t, 19, 20, &century) || !two(t, 0, 99, &rest) || *(*t)++ != '-' || !two(t, 1, 12, month) || *(*t)++ != '-' ||
		!two(t, 1, 31, day))
		return false;
	*year = century * 100 + rest;
	long first = calendar_days_from_civil(*year, *month, 1);
	return *year >= 1970 && *day <= next_first_day(first, STEP_MONTH) - first;
}

static bool offset_part(const char **t, bool *given, int *offset)
{
	int hours, minutes;

	*given = **t != '\0';
	*offset = 0;
	if (!*given)
		return true;
	if ((**t == 'Z' || **t == 'z')) {
		(*t)++;
		return true;
	}
	int sign = *(*t)++;
	/* the "+" of a URL's query arrives as a blank */
	if ((sign != '+' && sign != '-' && sign != ' ') || !two(t, 0, 23, &hours))
		return false;
	if (**t == ':')
		(*t)++;
	if (!two(t, 0, 59, &minutes))
		return false;
	*offset = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
	return true;
}

bool calendar_parse(const struct zone *z, const char *text, minute_t *out, struct err *e)
{
	const char *t = text;
	int year, month, day, hour = 0, minute = 0, second, offset = 0;
	bool given = false;

	if (!date_part(&t, &year, &month, &day))
		goto wrong;
	if (*t == 'T' || *t == 't' || *t == ' ') {
		t++;
		if (!two(&t, 0, 23, &hour) || *t++ != ':' || !two(&t, 0, 59, &minute))
			goto wrong;
		if (*t == ':') {
			t++;
			if (!two(&t, 0, 60, &second))
				goto wrong;
			if (*t == '.' && isdigit((unsigned char)t[1]))
				t += 1 + strspn(t + 1, "0123456789");
		}
		if (!offset_part(&t, &given, &offset))
			goto wrong;
	}
	if (*t != '\0')
		goto wrong;
	long local = calendar_days_from_civil(year, month, day) * MINUTES_PER_DAY + hour * 60 + minute;
	long at = given ? local - offset : (long)at_local(z, local);
	if (at < 0 || at > (long)MINUTE_MAX)
		goto wrong;
	*out = (minute_t)at;
	return true;
wrong:
	err_asked(e, "not a time: \"%.60s\"", text);
	return err_expected(e, "2006-05-15, 2006-05-15T09:00 or 2006-05-15T00:00Z, from 1970 to 2099");
}

const char *calendar_rfc3339(const struct zone *z, minute_t at, char out[CALENDAR_TEXT_MAX])
{
	struct civil c = calendar_civil(z, at);
	int size = c.offset < 0 ? -c.offset : c.offset;

	(void)snprintf(out, CALENDAR_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:00%c%02d:%02d", c.year, c.month, c.day, c.hour,
		c.minute, c.offset < 0 ? '-' : '+', size / 60 % 100, size % 60);
	return out;
}

const char *calendar_date(const struct zone *z, minute_t at, char out[CALENDAR_TEXT_MAX])
{
	struct civil c = calendar_civil(z, at);

	(void)snprintf(out, CALENDAR_TEXT_MAX, "%04d-%02d-%02d", c.year, c.month, c.day);
	return out;
}

static const char *const step_names[] = { "minute", "hour", "day", "week", "month", "quarter", "all" };

const char *step_name(enum step s)
{
	return step_names[s];
}

bool step_parse(const char *text, enum step *out)
{
	for (unsigned i = 0; i < sizeof step_names / sizeof *step_names; i++)
		if (!strcmp(text, step_names[i])) {
			*out = (enum step)i;
			return true;
		}
	return false;
}
