#include "link/liveness.h"

const char *liveness_name(enum liveness l)
{
	static const char *const names[] = { "", "capturing", "silent", "outage", "never heard", "retired" };

	return names[l];
}

/* Also shortly after one: who was switched on again needs as long as others to be heard. */
static bool in_outage(const struct enrolment *one, minute_t now)
{
	for (size_t i = 0; i < one->outages_len; i++)
		if (now >= one->outages[i].from && now < one->outages[i].until + SILENT_MINUTES)
			return true;
	return false;
}

enum liveness liveness_of(const struct enrolment *one, struct span watched, minute_t now)
{
	if (!one)
		return LIVE_NOT_ENROLLED;
	if (now < one->valid.from || now >= one->valid.until)
		return LIVE_RETIRED;
	if (span_empty(watched))
		return LIVE_NEVER;
	if (now <= watched.until + SILENT_MINUTES)
		return LIVE_CAPTURING;
	return in_outage(one, now) ? LIVE_OUTAGE : LIVE_SILENT;
}
