#include "base/zone.h"

static struct zone_rule utc_rule = { 0, 0 };
const struct zone zone_utc = { .name = "UTC", .len = 1, .rules = &utc_rule };

#include "base/err.h"
#include "base/mem.h"

#include <assert.h>
#include <math.h>

enum { MINUTES_A_DAY = 1440, LAST_MINUTE = 68374080 /* 2100-01-01 */ };

static int offset_now(uint32_t minute)
{
	time_t t = (time_t)minute * 60;
	struct tm tm;

	localtime_r(&t, &tm);
	return (int)lround((double)tm.tm_gmtoff / 60);
}

static void rule_add(struct zone *z, size_t *cap, uint32_t from, int offset)
{
	MEM_GROW(z->rules, z->len, *cap);
	z->rules[z->len].from = from;
	z->rules[z->len++].offset = offset;
}

/* Steps through the days and halves the day in which the offset changes down to the minute. */
static void scan(struct zone *z)
{
	size_t cap = 0;

	rule_add(z, &cap, 0, offset_now(0));
	for (uint32_t day = 0; day < LAST_MINUTE; day += MINUTES_A_DAY) {
		uint32_t low = day, high = day + MINUTES_A_DAY;

		if (offset_now(high) == z->rules[z->len - 1].offset)
			continue;
		while (high - low > 1) {
			uint32_t middle = low + (high - low) / 2;

			if (offset_now(middle) == z->rules[z->len - 1].offset)
				low = middle;
			else
				high = middle;
		}
		rule_add(z, &cap, high, offset_now(high));
	}
}

static bool name_safe(const char *name)
{
	return strlen(name) < ZONE_NAME_MAX && name[0] != '/' && !strstr(name, "..") &&
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/") == strlen(name);
}

/* A file of the database, and not one of its tables, templates or other clocks. */
static bool is_zone(const char *path, const char *name)
{
	static const char *const others[] = { "posixrules", "Factory", "localtime" };
	char magic[4] = "";
	FILE *f = fopen(path, "rbe");
	bool ok = f && fread(magic, 1, 4, f) == 4 && !memcmp(magic, "TZif", 4) && strncmp(name, "right/", 6) && strncmp(name, "posix/", 6);

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		ok = ok && strcmp(name, others[i]) != 0;
	if (f)
		(void)fclose(f);
	return ok;
}

bool zone_load(struct zone *z, const char *name, struct err *e)
{
	char path[256], *old = getenv("TZ");
	size_t cap = 0;

	*z = (struct zone){ 0 };
	if (!name_safe(name) || *name == '\0')
		goto unknown;
	memcpy(z->name, name, strlen(name) + 1);
	if (!strcmp(name, "UTC")) {
		rule_add(z, &cap, 0, 0);
		return true;
	}
	(void)snprintf(path, sizeof path, "%s/%s", getenv("TZDIR") ? getenv("TZDIR") : "/usr/share/zoneinfo", name);
	if (!is_zone(path, name))
		goto unknown;
	old = old ? mem_text(old) : NULL;
	(void)setenv("TZ", name, 1);
	tzset();
	scan(z);
	if (old)
		(void)setenv("TZ", old, 1);
	else
		(void)unsetenv("TZ");
	tzset();
	free(old);
	return true;
unknown:
	err_set(e, "no such time zone: %.40s", name);
	return err_expected(e, "a name of the tz database such as Asia/Tokyo, or UTC");
}

void zone_release(struct zone *z)
{
	free(z->rules);
	*z = (struct zone){ 0 };
}

/* The last rule that begins at or before the minute. */
static size_t rule_at(const struct zone *z, uint32_t minute)
{
	size_t low = 0, high = z->len;

	assert(z->len > 0);
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (z->rules[middle].from <= minute)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int zone_offset(const struct zone *z, uint32_t minute)
{
	return z->rules[rule_at(z, minute)].offset;
}

uint32_t zone_next_change(const struct zone *z, uint32_t minute)
{
	size_t i = rule_at(z, minute) + 1;

	return i < z->len ? z->rules[i].from : UINT32_MAX;
}
