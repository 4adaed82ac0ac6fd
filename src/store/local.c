/* local: a store whose engine lives in this process. Holds the book and the lock: questions share, a put is alone. */
#include "store/engine.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/combine.h"
#include "store/days.h"
#include "store/history.h"
#include "store/regions.h"
#include "store/scanners.h"

#include <assert.h>
#include <pthread.h>

enum { ANEW_EVERY_S = 3600 };

struct local {
	struct store store;
	const struct engine_ops *ops;
	void *engine;
	struct book book;
	struct regions *regions;
	struct scanners_file scanners;
	pthread_rwlock_t lock;
	struct surges surges; bool late /* hours behind it came anew */; uint64_t anew_s /* when it began anew last, by the steady clock */;
	struct history history; bool recalled;  /* read from the engine when it is asked for first */
	minute_t followed;              /* as facts have it */
	pthread_mutex_t watching;       /* of surges and history; taken before the lock */
};

/* Numbers for the group's sensors; those not met before are entered. */
static bool number_all(struct local *l, const struct batch *const *batches, size_t n, uint16_t *numbers, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (!batch_sound(batches[i], e))
			return false;
		const struct sensor *s = book_find(&l->book, batches[i]->sensor);
		if (!s && l->book.len == UINT16_MAX - 1)
			return err_set(e, "the store holds as many sensors as it can (65,534)");
		numbers[i] = s ? s->number : book_enter(&l->book, batches[i]->sensor)->number;
	}
	return true;
}

/* Leaves out what the ledger knows, and doubles within the group; returns how many are fresh. */
static size_t sort_out(const struct book *book, const struct batch *const *batches, const uint16_t *numbers, size_t n,
	enum stored *each, const struct batch **fresh, uint16_t *fresh_numbers)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		bool known = book_knows(book, numbers[i], batches[i]->epoch, batches[i]->serial);

		for (size_t k = 0; k < len && !known; k++)
			known = fresh_numbers[k] == numbers[i] && fresh[k]->epoch == batches[i]->epoch &&
				fresh[k]->serial == batches[i]->serial;
		each[i] = known ? STORED_ALREADY : STORED_NOW;
		if (!known) {
			fresh[len] = batches[i];
			fresh_numbers[len++] = numbers[i];
		}
	}
	return len;
}

static void note(struct book *book, const struct group *g)
{
	for (size_t i = 0; i < g->len; i++) {
		const struct batch *b = g->batches[i];
		struct watch *w = &book->watches[g->numbers[i] - 1];

		book_note(book, g->numbers[i], b->epoch, b->serial);
		book_note_mark(book, g->numbers[i], b->epoch, b->span.from);
		for (size_t k = 0; k < b->watched.len; k++)
			watch_add(w, b->watched.runs[k]);
		book->batches++;
		book->rows += b->len;
		book->lost += b->lost;
		for (size_t k = 0; k < b->len; k++)
			book->packets += b->rows[k].packets;
	}
	book->revision++;
}

/* The commit said neither yes nor no: everything is read again, and the ledger decides. */
static bool settle(struct local *l, const struct group *g, struct err *e)
{
	struct book found = { .scanners = l->book.scanners };
	struct err reopening;

	if (!l->ops->reopen(l->engine, &found, &reopening)) {
		book_release(&found);
		*e = reopening;
		return err_in(e, "reopening the store after a failed commit");
	}
	found.revision = l->book.revision + 1;
	book_release(&l->book);
	l->book = found;
	for (size_t i = 0; i < g->len; i++) {
		const struct sensor *s = book_find(&l->book, g->batches[i]->sensor);

		if (!s || !book_knows(&l->book, s->number, g->batches[i]->epoch, g->batches[i]->serial))
			return false;   /* e is still the commit's */
	}
	return true;
}

static bool commit(struct local *l, const struct group *g, size_t sensors_before, struct err *e)
{
	if (g->len == 0)
		return true;
	switch (l->ops->commit(l->engine, g, e)) {
	case COMMIT_DONE:
		note(&l->book, g);
		return true;
	case COMMIT_UNKNOWN:
		return settle(l, g, e);
	case COMMIT_NOT:
		break;
	}
	book_forget_after(&l->book, sensors_before);
	return false;
}

static bool local_put(struct store *s, const struct batch *const *batches, size_t n, enum stored *each, struct err *e)
{
	struct local *l = (struct local *)s;
	uint16_t *numbers = mem_zero(2 * n, sizeof *numbers);
	const struct batch **fresh = mem_zero(n, sizeof *fresh);
	bool ok = false;

	(void)pthread_rwlock_wrlock(&l->lock);
	if (l->regions)
		regions_refresh(l->regions);
	size_t before = l->book.len;
	if (!number_all(l, batches, n, numbers, e)) {
		book_forget_after(&l->book, before);
	} else {
		struct group g = { .book = &l->book, .regions = l->regions, .batches = fresh, .numbers = numbers + n,
			.new_sensors = before };

		g.len = sort_out(&l->book, batches, numbers, n, each, fresh, numbers + n);
		ok = commit(l, &g, before, e);
	}
	(void)pthread_rwlock_unlock(&l->lock);
	for (size_t i = 0; i < n && !ok; i++)
		each[i] = STORED_NOT;
	free(numbers);
	free(fresh);
	return ok;
}

/* A list that is another one by now holds from this question on. */
static void look_at_scanners(struct local *l)
{
	(void)pthread_rwlock_rdlock(&l->lock);
	bool changed = scanners_changed(&l->scanners);
	(void)pthread_rwlock_unlock(&l->lock);
	if (!changed)
		return;
	(void)pthread_rwlock_wrlock(&l->lock);
	scanners_look(&l->scanners);
	l->book.revision++;
	(void)pthread_rwlock_unlock(&l->lock);
}

/* A figure that is to be free from known scanners is not told where nobody listed any. */
static bool has_scanners(const struct local *l, const struct question *q, struct err *e)
{
	if (!question_of_scanners(q) || strcmp(l->scanners.now.id, "none") != 0)
		return true;
	if (l->scanners.wrong) {
		*e = l->scanners.why;
		return false;
	}
	err_asked(e, "there is no list of known scanners");
	err_expected(e, "`teiten scanner import` makes one");
	return err_in(e, q->scanners[0] ? "scanners" : "each");
}

static bool local_ask(struct store *s, struct question *q, struct answer *a, struct err *e)
{
	struct local *l = (struct local *)s;

	look_at_scanners(l);
	(void)pthread_rwlock_rdlock(&l->lock);
	bool ok = has_scanners(l, q, e) && combine(l->ops, l->engine, &l->book, q, a, e);
	(void)pthread_rwlock_unlock(&l->lock);
	return ok;
}

static bool local_rows(struct store *s, struct question *q, row_fn *fn, void *to, struct err *e)
{
	struct local *l = (struct local *)s;
	struct want w = { .question = q, .zone = &l->book.zone };

	look_at_scanners(l);
	(void)pthread_rwlock_rdlock(&l->lock);
	q->step = STEP_ALL;
	bool ok = has_scanners(l, q, e) && question_settle(q, &l->book.zone, book_held(&l->book), e) && combine_sensor(&l->book, q, &w.sensor, e) &&
		combine_scanners(&l->book, q, &w, e);
	w.span = q->span;
	ok = ok && l->ops->rows(l->engine, &w, &l->book, fn, to, e);
	(void)pthread_rwlock_unlock(&l->lock);
	return ok;
}

static bool local_facts(struct store *s, struct facts *f, struct err *e)
{
	struct local *l = (struct local *)s;

	(void)e;
	look_at_scanners(l);
	(void)pthread_rwlock_rdlock(&l->lock);
	const struct book *b = &l->book;
	*f = (struct facts){ .made_s = b->made_s, .held = book_held(b), .late = b->days.late, .batches = b->batches, .rows = b->rows,
		.packets = b->packets, .lost = b->lost, .revision = b->revision, .followed = l->followed, .len = b->len };
	memcpy(f->scanners, l->scanners.now.id, sizeof f->scanners);
	f->zone = b->zone;
	f->zone.rules = mem_resize(NULL, b->zone.len, sizeof *f->zone.rules);
	memcpy(f->zone.rules, b->zone.rules, b->zone.len * sizeof *f->zone.rules);
	f->sensors = mem_zero(b->len, sizeof *f->sensors);
	f->watched = mem_zero(b->len, sizeof *f->watched);
	f->watched_s = mem_zero(b->len, sizeof *f->watched_s);
	for (size_t i = 0; i < b->len; i++) {
		f->sensors[i] = b->sensors[i];
		f->watched[i] = watch_span(&b->watches[i]);
		f->watched_s[i] = watch_seconds(&b->watches[i], f->watched[i]);
	}
	(void)pthread_rwlock_unlock(&l->lock);
	return true;
}

static bool local_sensor(struct store *s, const struct sensor *one, struct err *e)
{
	struct local *l = (struct local *)s;

	if (!sensor_name_check(one->name, e))
		return false;
	if (one->addresses == 0)
		return err_set(e, "a sensor has at least one address");
	(void)pthread_rwlock_wrlock(&l->lock);
	size_t before = l->book.len;
	const struct sensor *found = book_find(&l->book, one->name);
	struct sensor *kept = found ? &l->book.sensors[found->number - 1] : book_enter(&l->book, one->name);
	struct sensor changed = *one, old = *kept;
	changed.number = kept->number;
	*kept = changed;
	bool ok = l->ops->save_sensor(l->engine, kept, e);
	if (ok)
		l->book.revision++;
	else if (found)
		*kept = old;
	else
		book_forget_after(&l->book, before);
	(void)pthread_rwlock_unlock(&l->lock);
	return ok;
}

static bool local_epoch(struct store *s, uint64_t epoch, uint64_t *batches, struct err *e)
{
	struct local *l = (struct local *)s;

	(void)e;
	(void)pthread_rwlock_rdlock(&l->lock);
	*batches = book_epoch(&l->book, epoch);
	(void)pthread_rwlock_unlock(&l->lock);
	return true;
}

static bool local_reckon(struct store *s, minute_t until, struct span *what, struct err *e)
{
	struct local *l = (struct local *)s;

	(void)pthread_rwlock_rdlock(&l->lock);          /* questions go on; a put waits */
	bool ok = l->ops->reckon(l->engine, until, what, e);
	(void)pthread_rwlock_unlock(&l->lock);
	(void)pthread_mutex_lock(&l->watching);
	l->late = l->late || (what->from < what->until && what->from < l->surges.next);
	(void)pthread_mutex_unlock(&l->watching);
	return ok;
}

/* Under the mutex. */
static bool recall(struct local *l, struct err *e)
{
	struct surge_revision *list = NULL;
	size_t n = 0;

	if (l->recalled)
		return true;
	(void)pthread_rwlock_rdlock(&l->lock);
	l->recalled = l->ops->revisions(l->engine, &list, &n, e);
	(void)pthread_rwlock_unlock(&l->lock);
	for (size_t i = 0; i < n; i++)
		history_add(&l->history, &list[i]);
	free(list);
	return l->recalled;
}

/* Under the mutex. What failed may have been kept all the same: then everything is read again. */
static bool say(struct local *l, const struct surge_revision *list, size_t n, minute_t followed, struct err *e)
{
	(void)pthread_rwlock_wrlock(&l->lock);
	bool ok = n == 0 || l->ops->revise(l->engine, list, n, e);
	l->book.revision += n > 0 || l->followed != followed;
	l->followed = followed;
	(void)pthread_rwlock_unlock(&l->lock);
	for (size_t i = 0; ok && i < n; i++)
		history_add(&l->history, &list[i]);
	if (!ok)
		history_release(&l->history);
	l->recalled = ok;
	return ok;
}

/* Hours that were gone through came anew: so all of them are, but not for every line that is slow. Meanwhile the newest hours go on without. */
static void begin_anew_if_late(struct local *l)
{
	uint64_t now_s = clock_steady_us() / 1000000;

	if (!l->late || (l->anew_s && now_s - l->anew_s < ANEW_EVERY_S))
		return;
	surges_release(&l->surges);
	surges_init(&l->surges);
	l->late = false;
	l->anew_s = now_s;
}

static bool local_follow(struct store *s, unsigned hours, bool *behind, struct err *e)
{
	struct local *l = (struct local *)s;
	struct surge_revision *news = NULL;
	size_t n = 0;

	(void)pthread_mutex_lock(&l->watching);
	bool ok = recall(l, e);
	begin_anew_if_late(l);
	(void)pthread_rwlock_rdlock(&l->lock);
	ok = ok && surges_follow(&l->surges, l->ops, l->engine, &l->book, hours, behind, e);
	(void)pthread_rwlock_unlock(&l->lock);
	if (ok && !*behind) {
		history_news(&l->history, &l->surges, clock_wall_s(), &news, &n);
		ok = say(l, news, n, l->surges.next, e);
		free(news);
	}
	(void)pthread_mutex_unlock(&l->watching);
	return ok;
}

static bool local_findings(struct store *s, uint32_t from, uint32_t until, uint32_t port, struct robust_finding **list, size_t *n, struct err *e)
{
	struct local *l = (struct local *)s;

	(void)pthread_rwlock_rdlock(&l->lock);
	bool ok = l->ops->findings(l->engine, from, until, port, list, n, e);
	(void)pthread_rwlock_unlock(&l->lock);
	return ok;
}

static bool local_surges(struct store *s, const char *id, struct surge_revision **list, size_t *n, struct err *e)
{
	struct local *l = (struct local *)s;

	*list = NULL;
	*n = 0;
	(void)pthread_mutex_lock(&l->watching);
	bool ok = recall(l, e);
	const struct told *told = ok && id ? history_find(&l->history, id) : NULL;
	if (told) {
		*n = told->len;
		*list = mem_zero(*n, sizeof **list);
		memcpy(*list, told->list, *n * sizeof **list);
	} else if (ok && !id) {
		history_now(&l->history, &l->surges, list, n);
	}
	(void)pthread_mutex_unlock(&l->watching);
	return ok;
}

static bool local_judge(struct store *s, const struct surge_judgement *j, struct err *e)
{
	struct local *l = (struct local *)s;
	struct surge_revision r;

	(void)pthread_mutex_lock(&l->watching);
	bool ok = recall(l, e) && history_judge(&l->history, j, clock_wall_s(), &r, e) && say(l, &r, 1, l->followed, e);
	(void)pthread_mutex_unlock(&l->watching);
	return ok;
}

static bool local_settle(struct store *s, minute_t now, struct err *e)
{
	struct local *l = (struct local *)s;
	struct known_days known;

	(void)pthread_rwlock_rdlock(&l->lock);          /* questions go on; a put waits */
	bool ok = days_settle(l->ops, l->engine, &l->book, now, &known, e);
	(void)pthread_rwlock_unlock(&l->lock);
	(void)pthread_rwlock_wrlock(&l->lock);
	l->book.revision += !ok || known.passes != l->book.days.passes;
	if (ok)
		l->book.days = known;
	(void)pthread_rwlock_unlock(&l->lock);
	return ok;
}

static bool local_check(struct store *s, uint64_t *differences, struct buf *report, struct err *e)
{
	struct local *l = (struct local *)s;

	(void)pthread_rwlock_rdlock(&l->lock);
	bool ok = l->ops->check(l->engine, &l->book.zone, differences, report, e);
	(void)pthread_rwlock_unlock(&l->lock);
	return ok;
}

static void local_close(struct store *s)
{
	struct local *l = (struct local *)s;

	l->ops->close(l->engine);
	scanners_release(&l->scanners.now);
	book_release(&l->book);
	surges_release(&l->surges);
	history_release(&l->history);
	(void)pthread_mutex_destroy(&l->watching);
	(void)pthread_rwlock_destroy(&l->lock);
	free(l);
}

static bool local_scanners(struct store *s, const char *path, struct err *e)
{
	struct local *l = (struct local *)s;

	(void)pthread_rwlock_wrlock(&l->lock);
	scanners_release(&l->scanners.now);
	scanners_watch(&l->scanners, path);
	scanners_look(&l->scanners);
	l->book.revision++;
	bool ok = !l->scanners.wrong;
	if (!ok)
		*e = l->scanners.why;
	(void)pthread_rwlock_unlock(&l->lock);
	return ok;
}

static const struct store_ops local_ops = {
	local_put, local_ask, local_rows, local_facts, local_sensor, local_epoch, local_settle, local_follow, local_findings, local_surges, local_judge, local_reckon, local_check, local_close, NULL, local_scanners,
};

struct store *local_open(const struct engine_ops *ops, const char *path, const char *zone, struct regions *regions,
	struct err *e)
{
	struct local *l = mem_zero(1, sizeof *l);

	l->store.ops = &local_ops;
	l->ops = ops;
	l->regions = regions;
	scanners_watch(&l->scanners, "");
	l->book.scanners = &l->scanners.now;
	l->engine = ops->open(path, zone, &l->book, e);
	if (!l->engine) {
		book_release(&l->book);
		free(l);
		return NULL;
	}
	surges_init(&l->surges);
	if (pthread_rwlock_init(&l->lock, NULL) != 0 || pthread_mutex_init(&l->watching, NULL) != 0)
		abort();        /* only for want of memory */
	l->book.revision++;
	return &l->store;
}
