#include "capture/stamp.h"

#include "base/zone.h"
#include "core/calendar.h"

#include <ctype.h>

enum { YEAR_MIN = 1970, YEAR_MAX = 2099, DIGITS_MILLI = 13, DIGITS_MICRO = 16 };

struct clock_time { int year, month, day, hour, minute, second; };

/* A number of least to most digits at *text, which moves on. */
static bool number(const char **text, int least, int most, int *out)
{
	int n = 0;

	*out = 0;
	while (n < most && isdigit((unsigned char)**text)) {
		*out = *out * 10 + *(*text)++ - '0';
		n++;
	}
	return n >= least;
}

static bool sign(const char **text, const char *one_of)
{
	if (**text == '\0' || !strchr(one_of, **text))
		return false;
	(*text)++;
	return true;
}

static int month_days(int year, int month)
{
	return (int)(calendar_days_from_civil(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) -
		calendar_days_from_civil(year, month, 1));
}

static bool sound(const struct clock_time *t)
{
	return t->year >= YEAR_MIN && t->year <= YEAR_MAX && t->month >= 1 && t->month <= 12 && t->day >= 1 &&
		t->day <= month_days(t->year, t->month) && t->hour <= 23 && t->minute <= 59 && t->second <= 60;
}

static int64_t in_zone(const struct clock_time *t, const struct zone *z)
{
	return (int64_t)calendar_minute(z, t->year, t->month, t->day, t->hour, t->minute) * 60 + (t->second > 59 ? 59 : t->second);
}

static int64_t at_offset(const struct clock_time *t, int offset_minutes)
{
	int64_t days = calendar_days_from_civil(t->year, t->month, t->day);

	return ((days * 24 + t->hour) * 60 + t->minute - offset_minutes) * 60 + (t->second > 59 ? 59 : t->second);
}

/* "Z", "UTC", "+0900", "-03:00", "+09"; *given: there is one. */
static bool offset(const char *text, bool *given, int *minutes)
{
	int hours = 0, rest = 0;

	*given = true;
	*minutes = 0;
	if (*text == ' ')
		text++;
	if (*text == '\0')
		return !(*given = false);
	if (!strcmp(text, "Z") || !strcmp(text, "z") || !strcmp(text, "UTC") || !strcmp(text, "GMT"))
		return true;
	bool west = *text == '-';
	if (!sign(&text, "+-") || !number(&text, 2, 2, &hours))
		return false;
	(void)sign(&text, ":");
	if (*text != '\0' && !number(&text, 2, 2, &rest))
		return false;
	*minutes = (hours * 60 + rest) * (west ? -1 : 1);
	return *text == '\0' && hours <= 15 && rest <= 59;
}

static bool civil(const char *text, const struct zone *z, int64_t *seconds, bool *local)
{
	struct clock_time t = { 0 };
	bool given;
	int minutes;

	if (!number(&text, 4, 4, &t.year) || !sign(&text, "-/") || !number(&text, 1, 2, &t.month) || !sign(&text, "-/") ||
		!number(&text, 1, 2, &t.day) || !sign(&text, "Tt ") || !number(&text, 1, 2, &t.hour) || !sign(&text, ":") ||
		!number(&text, 2, 2, &t.minute))
		return false;
	if (sign(&text, ":")) {
		if (!number(&text, 2, 2, &t.second))
			return false;
		if (sign(&text, ".,"))
			while (isdigit((unsigned char)*text))
				text++;
	}
	if (!sound(&t) || !offset(text, &given, &minutes))
		return false;
	*seconds = given ? at_offset(&t, minutes) : in_zone(&t, z);
	*local = *local || !given;
	return true;
}

/* Seconds since 1970, by the number of digits also thousandths or millionths of them. */
static bool counted(const char *text, int64_t *seconds)
{
	int64_t v = 0;
	int digits = 0;

	for (; isdigit((unsigned char)*text) && digits <= DIGITS_MICRO; text++, digits++)
		v = v * 10 + *text - '0';
	if (digits == 0 || digits > DIGITS_MICRO)
		return false;
	if (*text == '.')
		for (text++; isdigit((unsigned char)*text); )
			text++;
	if (*text != '\0')
		return false;
	*seconds = digits == DIGITS_MICRO ? v / 1000000 : digits == DIGITS_MILLI ? v / 1000 : v;
	return true;
}

bool stamp_parse(const char *text, const struct zone *z, int64_t *seconds, bool *local)
{
	return counted(text, seconds) || civil(text, z, seconds, local);
}

int stamp_syslog_month(const char *text)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int m = 0; m < 12; m++)
		if (!strncmp(text, names + (size_t)m * 3, 3))
			return text[3] == ' ' ? m + 1 : 0;
	return 0;
}

bool stamp_syslog(const char *text, int year, const struct zone *z, int64_t *seconds, int *month, size_t *used)
{
	const char *start = text;
	struct clock_time t = { .year = year, .month = stamp_syslog_month(text) };

	*month = t.month;
	if (t.month == 0)
		return false;
	text += 4;
	if (*text == ' ')
		text++;
	if (!number(&text, 1, 2, &t.day) || !sign(&text, " ") || !number(&text, 2, 2, &t.hour) || !sign(&text, ":") ||
		!number(&text, 2, 2, &t.minute) || !sign(&text, ":") || !number(&text, 2, 2, &t.second) || !sound(&t))
		return false;
	*seconds = in_zone(&t, z);
	*used = (size_t)(text - start);
	return true;
}
