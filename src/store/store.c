#include "store/engine.h"

#include "base/err.h"
#include "base/zone.h"
#include "core/calendar.h"
#include "store/surges.h"

struct store *store_open(const char *address, const char *zone, struct regions *regions, struct err *e)
{
	if (!strcmp(address, "memory:"))
		return local_open(&engine_memory, "", zone, regions, e);
	if (!strncmp(address, "duckdb:", 7) && address[7])
		return local_open(&engine_duckdb, address + 7, zone, regions, e);
	if (!strncmp(address, "unix:", 5) && address[5])
		return remote_open(address + 5, e);
	err_set(e, "not a store's address: \"%.100s\"", address);
	err_expected(e, "duckdb:PATH, unix:PATH or memory:");
	return NULL;
}

void store_close(struct store *s)
{
	if (s)
		s->ops->close(s);
}

bool store_has_zone(struct store *s, const char *zone, struct err *e)
{
	struct facts f;

	if (!zone)
		return true;
	if (!store_facts(s, &f, e))
		return false;
	bool same = !strcmp(f.zone.name, zone);
	if (!same) {
		err_asked(e, "the store's days are of %s, not of %.60s", f.zone.name, zone);
		err_expected(e, "the same zone or none; a store of another zone in another folder");
	}
	facts_release(&f);
	return same;
}

bool store_scanners(struct store *s, const char *path, struct err *e)
{
	return !s->ops->scanners || s->ops->scanners(s, path, e);
}

void store_patience(struct store *s, unsigned seconds)
{
	if (s->ops->patience)
		s->ops->patience(s, seconds);
}

bool store_put(struct store *s, const struct batch *const *batches, size_t n, enum stored *each, struct err *e)
{
	return s->ops->put(s, batches, n, each, e);
}

bool store_ask(struct store *s, struct question *q, struct answer *a, struct err *e)
{
	return s->ops->ask(s, q, a, e);
}

bool store_rows(struct store *s, struct question *q, row_fn *fn, void *to, struct err *e)
{
	return s->ops->rows(s, q, fn, to, e);
}

bool store_facts(struct store *s, struct facts *f, struct err *e)
{
	return s->ops->facts(s, f, e);
}

size_t facts_sensor(const struct facts *f, const char *name)
{
	size_t i = 0;

	while (i < f->len && strcmp(f->sensors[i].name, name) != 0)
		i++;
	return i;
}

struct span facts_watched(const struct facts *f, const char *name)
{
	size_t i = facts_sensor(f, name);

	return i < f->len ? f->watched[i] : (struct span){ 0, 0 };
}

void facts_release(struct facts *f)
{
	free(f->sensors);
	free(f->watched);
	free(f->watched_s);
	zone_release(&f->zone);
	*f = (struct facts){ 0 };
}

bool store_sensor(struct store *s, const struct sensor *one, struct err *e)
{
	return s->ops->sensor(s, one, e);
}

bool store_epoch(struct store *s, uint64_t epoch, uint64_t *batches, struct err *e)
{
	return s->ops->epoch(s, epoch, batches, e);
}

bool store_reckon(struct store *s, minute_t until, struct span *what, struct err *e)
{
	*what = (struct span){ 0, 0 };
	return !s->ops->reckon || s->ops->reckon(s, until, what, e);
}

bool store_settle(struct store *s, minute_t now, struct err *e)
{
	return !s->ops->settle || s->ops->settle(s, now, e);
}

bool store_findings(struct store *s, uint32_t from, uint32_t until, uint32_t port, struct robust_finding **list, size_t *n, struct err *e)
{
	return s->ops->findings(s, from, until, port, list, n, e);
}

bool store_follow(struct store *s, unsigned hours, bool *behind, struct err *e)
{
	*behind = false;
	return !s->ops->follow || s->ops->follow(s, hours, behind, e);
}

bool store_surges(struct store *s, const char *id, struct surge_revision **list, size_t *n, struct err *e)
{
	return s->ops->surges(s, id, list, n, e);
}

bool store_surge_sources(struct store *s, const struct surge_row *r, uint64_t *sources, struct err *e)
{
	char label[SERIES_LABEL_MAX], from[CALENDAR_TEXT_MAX], until[CALENDAR_TEXT_MAX];
	struct question q;
	struct answer a;

	question_init(&q);
	q.step = STEP_ALL;
	q.across = ACROSS_MEAN;
	*sources = 0;
	if (!question_set(&q, "port", port_label(r->port >> 16, r->port & UINT16_MAX, label), e) ||
		!question_set(&q, "from", calendar_rfc3339(&zone_utc, r->onset, from), e) ||
		!question_set(&q, "until", calendar_rfc3339(&zone_utc, r->end ? r->end + 60 : MINUTE_MAX - 1, until), e) || !store_ask(s, &q, &a, e))
		return false;
	*sources = a.len ? a.list[0].sources : 0;
	answer_release(&a);
	return true;
}

bool store_judge(struct store *s, const struct surge_judgement *j, struct err *e)
{
	return s->ops->judge(s, j, e);
}

bool store_check(struct store *s, uint64_t *differences, struct buf *report, struct err *e)
{
	return s->ops->check(s, differences, report, e);
}
