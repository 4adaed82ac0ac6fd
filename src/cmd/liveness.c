#include "cmd/liveness.h"

#include "base/log.h"
#include "base/mem.h"

#include <string.h>

const char *liveness_name(enum liveness l)
{
	static const char *const names[] = { "", "capturing", "silent", "never heard", "retired" };

	return names[l];
}

enum liveness liveness_of(const struct enrolment *one, struct span watched, minute_t now)
{
	if (!one)
		return LIVE_NOT_ENROLLED;
	if (now < one->valid.from || now >= one->valid.until)
		return LIVE_RETIRED;
	if (span_empty(watched))
		return LIVE_NEVER;
	return now > watched.until + SILENT_MINUTES ? LIVE_SILENT : LIVE_CAPTURING;
}

static size_t place_of(struct vigil *v, const char *name)
{
	for (size_t i = 0; i < v->len; i++)
		if (!strcmp(v->list[i].name, name))
			return i;
	MEM_GROW(v->list, v->len, v->cap);
	memcpy(v->list[v->len].name, name, strlen(name) + 1);
	v->list[v->len].state = LIVE_NEVER;
	return v->len++;
}

void vigil_look(struct vigil *v, const struct enrolled *all, const struct facts *f, minute_t now)
{
	for (size_t i = 0; i < all->len; i++) {
		size_t at = place_of(v, all->list[i].name);
		enum liveness was = v->list[at].state, is;
		size_t known = facts_sensor(f, all->list[i].name);
		struct span watched = known < f->len ? f->watched[known] : (struct span){ 0, 0 };

		is = v->list[at].state = liveness_of(&all->list[i], watched, now);
		if (is == LIVE_SILENT && was != LIVE_SILENT)
			log_line("sensor %s is silent: nothing was watched for %u minutes", all->list[i].name, now - watched.until);
		else if (is == LIVE_CAPTURING && was != LIVE_CAPTURING)
			log_line("sensor %s is capturing", all->list[i].name);
	}
}

void vigil_release(struct vigil *v)
{
	free(v->list);
	*v = (struct vigil){ 0 };
}
