#include "cmd/place.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "spool/spool.h"
#include "store/regions.h"

#include <unistd.h>

#define PLACE_OPTIONS \
	{ "data", "DIR", "the observatory's folder (default ./teiten-data)" }, \
	{ "store", "ADDRESS", "a store by its address instead: duckdb:PATH, unix:PATH" }

const struct option place_options[] = { PLACE_OPTIONS, { NULL, NULL, NULL } };
const struct option place_making_options[] = {
	PLACE_OPTIONS,
	{ "zone", "ZONE", "time zone of a store that is made now, such as Asia/Tokyo (default UTC)" },
	{ NULL, NULL, NULL },
};

enum { RETRY_MS = 50, SAY_AFTER_MS = 1000, PUT_POLL_MS = 20 };

static bool load_regions(struct place *p, struct err *e)
{
	char path[PATH_TEXT_MAX];

	if (!file_path(path, p->dir, "regions.table", e))
		return false;
	if (!file_exists(path))
		return true;
	p->regions = regions_open(path, e);
	return p->regions != NULL;
}

static bool open_address(struct place *p, const char *address, const char *zone, bool making, struct err *e)
{
	if (!making && !strncmp(address, "duckdb:", 7) && !file_exists(address + 7)) {
		err_set(e, "no store at %s", address + 7);
		return err_expected(e, "`teiten import` and `teiten simulate` make one");
	}
	p->store = store_open(address, zone, p->regions, e);
	return p->store != NULL;
}

/* A keep's socket first; else the folder's lock, which another command gives back soon. Repeated, because a keep may
 * start or end meanwhile. */
static bool reach(struct place *p, const char *zone, bool making, struct err *e)
{
	char socket[PATH_TEXT_MAX], lock[PATH_TEXT_MAX], file[PATH_TEXT_MAX], address[PATH_TEXT_MAX + 8];
	unsigned waited_ms = 0;
	bool held = false;

	if (!file_path(socket, p->dir, "keep.sock", e) || !file_path(lock, p->dir, "lock", e) ||
		!file_path(file, p->dir, "store.duckdb", e))
		return false;
	for (;; waited_ms += RETRY_MS) {
		(void)snprintf(address, sizeof address, "unix:%s", socket);
		if (file_exists(socket) && (p->store = store_open(address, NULL, NULL, e)) != NULL) {
			p->through_keep = true;
			return true;
		}
		if (!file_lock(lock, &p->lock_fd, &held, e))
			return false;
		if (held)
			break;
		if (waited_ms == SAY_AFTER_MS)
			log_line("waiting for another teiten command that works in %s", p->dir);
		clock_sleep_ms(RETRY_MS);
	}
	(void)snprintf(address, sizeof address, "duckdb:%s", file);
	return (!making || load_regions(p, e)) && open_address(p, address, zone, making, e);
}

bool place_open(struct place *p, const struct args *a, bool making, struct err *e)
{
	const char *dir = args_value(a, "data"), *address = args_value(a, "store"), *zone = args_value(a, "zone");
	bool ok;

	*p = (struct place){ .lock_fd = -1 };
	if (dir && address) {
		err_set(e, "--data and --store exclude each other");
		return err_expected(e, "one of them");
	}
	if (address)
		return open_address(p, address, zone, making, e);
	dir = dir ? dir : "./teiten-data";
	if (strlen(dir) >= sizeof p->dir - 32)
		return err_set(e, "the name of --data is too long");
	memcpy(p->dir, dir, strlen(dir) + 1);
	if (!making && !file_exists(dir)) {
		err_set(e, "no folder %s", dir);
		return err_expected(e, "--data DIR names an observatory's folder; `teiten import` makes one");
	}
	ok = (!making || file_make_dir(dir, e)) && reach(p, zone, making, e);
	if (!ok)
		place_close(p);
	return ok;
}

void place_close(struct place *p)
{
	store_close(p->store);
	regions_close(p->regions);
	if (p->lock_fd >= 0)
		(void)close(p->lock_fd);
	*p = (struct place){ .lock_fd = -1 };
}

/* Waits until the keep has taken the names; tells apart taken, refused and a keep that is gone. */
static bool wait_taken(struct place *p, const char *spool, char (*names)[SPOOL_NAME_MAX], size_t n, struct err *e)
{
	struct facts f;

	for (size_t i = 0; i < n; ) {
		if (spool_refused(spool, names[i]))
			return err_set(e, "the keep refused batch %s; its log says why", names[i]);
		if (!spool_holds(spool, names[i])) {
			i++;
			continue;
		}
		clock_sleep_ms(PUT_POLL_MS);
		if (!store_facts(p->store, &f, e)) {
			err_set(e, "the keep has stopped; %zu batches wait in %s", n - i, spool);
			return err_expected(e, "they go in when it runs again: nothing is lost");
		}
		facts_release(&f);
	}
	return true;
}

static bool put_through_keep(struct place *p, const struct batch *const *batches, size_t n, enum stored *each, struct err *e)
{
	char spool[PATH_TEXT_MAX], (*names)[SPOOL_NAME_MAX] = mem_zero(n, sizeof *names);
	bool ok = file_path(spool, p->dir, "spool", e) && spool_open(spool, e);

	for (size_t i = 0; ok && i < n; i++) {
		struct batch copy = *batches[i];        /* encoding settles the rows, which are the caller's */

		copy.rows = mem_resize(NULL, copy.len, sizeof *copy.rows);
		if (copy.len)
			memcpy(copy.rows, batches[i]->rows, copy.len * sizeof *copy.rows);
		spool_name(&copy, names[i]);
		ok = spool_put(spool, &copy, e);
		free(copy.rows);
	}
	ok = ok && wait_taken(p, spool, names, n, e);
	for (size_t i = 0; i < n; i++)
		each[i] = ok ? STORED_NOW : STORED_NOT;
	free(names);
	return ok;
}

bool place_put(struct place *p, const struct batch *const *batches, size_t n, enum stored *each, struct err *e)
{
	return p->through_keep ? put_through_keep(p, batches, n, each, e) : store_put(p->store, batches, n, each, e);
}
