#include "cmd/place.h"

#include "cmd/ending.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "spool/spool.h"
#include "store/regions.h"

#include <unistd.h>

#define PLACE_OPTIONS \
	{ "data", "DIR", "the observatory's folder (default ./teiten-data)" }, \
	{ "store", "ADDRESS", "a store by its address instead: duckdb:PATH, unix:PATH" }, \
	{ "wait", "SECONDS", "how long to wait for others that work there, or for the keep (default 60)" }

const struct option place_options[] = { PLACE_OPTIONS, { NULL, NULL, NULL } };
const struct option place_making_options[] = {
	PLACE_OPTIONS,
	{ "zone", "ZONE", "time zone of a store that is made now, such as Asia/Tokyo (default UTC)" },
	{ NULL, NULL, NULL },
};

enum { WAIT_S = 60, QUICK_S = 30, WAIT_MAX_S = 86400, RETRY_MS = 50, SAY_AFTER_MS = 1000, PUT_POLL_MS = 20 };

static bool load_regions(struct place *p, struct err *e)
{
	char path[PATH_TEXT_MAX];

	if (!file_path(path, p->dir, "regions.table", e))
		return false;
	p->regions = regions_open(path, e);
	return p->regions != NULL;
}

/* One step of waiting for whoever holds the store's file; false when it has been long enough. */
static bool wait_more(const struct place *p, const char *file, uint64_t *waited_ms, struct err *e)
{
	long pid = file_holder(file);
	char who[64] = "another teiten command";

	if (pid > 0)
		(void)snprintf(who, sizeof who, "process %ld", pid);
	if (*waited_ms >= p->wait_ms) {
		err_set(e, "%s has been working with %s for %llu s", who, file, (unsigned long long)p->wait_ms / 1000);
		return err_expected(e, "a longer --wait SECONDS; under `teiten center` commands work beside each other");
	}
	if (*waited_ms == SAY_AFTER_MS)
		log_line("waiting for %s, which works with %s", who, file);
	clock_sleep_ms(RETRY_MS);
	*waited_ms += RETRY_MS;
	return true;
}

static bool spool_waits(const struct place *p)
{
	char spool[PATH_TEXT_MAX];
	struct err e;

	return p->dir[0] && file_path(spool, p->dir, "spool", &e) && spool_bytes(spool) > 0;
}

static bool awaits_sensors(const struct place *p)
{
	char enrolled[PATH_TEXT_MAX];
	struct err e;

	return p->dir[0] && !spool_waits(p) && file_path(enrolled, p->dir, "sensors/enrolled", &e) && file_size(enrolled) > 0;
}

/* A store by its address. One that another process holds is waited for. */
static bool open_address(struct place *p, const char *address, const char *zone, bool making, struct err *e)
{
	const char *file = !strncmp(address, "duckdb:", 7) ? address + 7 : "";
	uint64_t waited_ms = 0;

	if (!strcmp(address, "memory:")) {
		err_asked(e, "memory: keeps nothing");
		return err_expected(e, "duckdb:PATH or unix:PATH");
	}
	if (!making && *file && !file_exists(file)) {
		err_set(e, "no store at %s", file);
		return err_expected(e, awaits_sensors(p) ? "sensors are enrolled: `teiten center` takes what they deliver" : spool_waits(p) ? "`teiten keep` or `teiten center` makes one of the batches that wait in its spool" :
			"`teiten import` and `teiten simulate` make one");
	}
	for (;;) {
		if (!*file || file_holder(file) == 0) {
			p->store = store_open(address, zone, p->regions, e);
			if (p->store || !*file || file_holder(file) == 0)
				return p->store != NULL;
		}
		if (!wait_more(p, file, &waited_ms, e))
			return false;
	}
}

/* The folder's lock; one that we may not even read, in a folder that we may not write, is nobody's. */
static bool take_lock(struct place *p, const char *lock, bool making, bool *held, struct err *e)
{
	if (!making && !file_exists(lock) && !file_writable(p->dir))
		return *held = true;
	return file_lock(lock, &p->lock_fd, held, e);
}

/* Where a keep answers; *there is false when none does. */
static bool reach_keep(struct place *p, bool *there, struct err *e)
{
	char socket[PATH_TEXT_MAX], address[PATH_TEXT_MAX + 8];
	struct facts f;

	*there = false;
	if (!file_path(socket, p->dir, "keep.sock", e))
		return false;
	(void)snprintf(address, sizeof address, "unix:%s", socket);
	if (!file_exists(socket) || !(p->store = store_open(address, NULL, NULL, e)))
		return true;
	*there = p->through_keep = true;
	store_patience(p->store, (unsigned)(p->wait_ms / 1000));
	if (!store_facts(p->store, &f, e))
		return err_in(e, "%s", p->dir);
	facts_release(&f);
	store_patience(p->store, QUICK_S);
	return true;
}

/* A keep's socket first; else the folder's lock, which another command gives back soon. Repeated, because a keep may
 * start or end meanwhile. */
static bool reach(struct place *p, const char *zone, bool making, struct err *e)
{
	char lock[PATH_TEXT_MAX], file[PATH_TEXT_MAX], address[PATH_TEXT_MAX + 8], list[PATH_TEXT_MAX];
	uint64_t waited_ms = 0;
	struct err wrong;
	bool there, held = false;

	if (!file_path(lock, p->dir, "lock", e) || !file_path(file, p->dir, "store.duckdb", e))
		return false;
	for (;;) {
		if (!reach_keep(p, &there, e))
			return false;
		if (there)
			return true;
		if (!take_lock(p, lock, making, &held, e))
			return false;
		if (held)
			break;
		if (!wait_more(p, file, &waited_ms, e))
			return false;
	}
	(void)snprintf(address, sizeof address, "duckdb:%s", file);
	if ((making && !load_regions(p, e)) || !open_address(p, address, zone, making, e) || !file_path(list, p->dir, PLACE_SCANNERS, e))
		return false;
	(void)store_scanners(p->store, list, &wrong);           /* told to who asks about it */
	return true;
}

static bool set_folder(struct place *p, const char *dir, struct err *e)
{
	if (strlen(dir) >= sizeof p->dir - 32)
		return err_asked(e, "the name of --data is too long");
	memcpy(p->dir, dir, strlen(dir) + 1);
	return true;
}

static bool open_folder(struct place *p, const char *dir, const char *zone, bool making, struct err *e)
{
	return set_folder(p, dir, e) && (making ? file_make_dir(dir, e) : place_exists(dir, e)) && reach(p, zone, making, e);
}

const char *place_dir(const struct args *a)
{
	const char *dir = args_value(a, "data");

	return dir ? dir : PLACE_DEFAULT;
}

bool place_exists(const char *dir, struct err *e)
{
	if (file_exists(dir))
		return true;
	err_set(e, "no folder %s", dir);
	return err_expected(e, "--data DIR names an observatory's folder; `teiten import` makes one");
}

static bool read_wait(struct place *p, const struct args *a, struct err *e)
{
	const char *wait = args_value(a, "wait");
	uint64_t seconds = WAIT_S;

	if (wait && !num_whole(wait, 0, WAIT_MAX_S, &seconds)) {
		err_asked(e, "--wait: not a number of seconds: \"%.20s\"", wait);
		return err_expected(e, "0 to %d", WAIT_MAX_S);
	}
	p->wait_ms = seconds * 1000;
	return true;
}

bool place_open(struct place *p, const struct args *a, bool making, struct err *e)
{
	const char *dir = args_value(a, "data"), *address = args_value(a, "store"), *zone = args_value(a, "zone");

	*p = (struct place){ .lock_fd = -1 };
	if (dir && address) {
		err_asked(e, "--data and --store exclude each other");
		return err_expected(e, "one of them");
	}
	if (!read_wait(p, a, e))
		return false;
	bool ok = (address ? open_address(p, address, zone, making, e) : open_folder(p, place_dir(a), zone, making, e)) &&
		store_has_zone(p->store, zone, e);
	if (!ok)
		place_close(p);
	return ok;
}

static bool wait_for_keep(struct place *p, struct err *e)
{
	bool there = false;

	for (uint64_t waited_ms = 0; waited_ms <= p->wait_ms && !ending(); waited_ms += RETRY_MS) {
		if (!reach_keep(p, &there, e))
			return false;
		if (there)
			return true;
		if (waited_ms == SAY_AFTER_MS)
			log_line("waiting for the keep of %s", p->dir);
		clock_sleep_ms(RETRY_MS);
	}
	err_set(e, ending() ? "asked to end before the keep of %s answered" : "no keep answers in %s", p->dir);
	return err_expected(e, "`teiten keep` or `teiten center`");
}

bool place_ask(struct place *p, const struct args *a, struct err *e)
{
	*p = (struct place){ .lock_fd = -1 };
	if (args_given(a, "store")) {
		err_asked(e, "--keep and --store exclude each other");
		return err_expected(e, "one of them");
	}
	bool ok = read_wait(p, a, e) && set_folder(p, place_dir(a), e) && wait_for_keep(p, e);
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

static bool keep_stalled(const char *spool, size_t waiting, uint64_t seconds, struct err *e)
{
	err_set(e, "the keep has taken none of %zu batches for %llu s", waiting, (unsigned long long)seconds);
	return err_expected(e, "they wait in %s and go in when it can; its log says why (a full disk?)", spool);
}

/* Waits until the keep has taken the names; tells apart taken, refused, a keep that takes nothing and one that is gone. */
static bool wait_taken(struct place *p, const char *spool, char (*names)[SPOOL_NAME_MAX], size_t n, struct err *e)
{
	uint64_t since_us = clock_steady_us();
	struct facts f;

	for (size_t i = 0; i < n; ) {
		if (spool_refused(spool, names[i]))
			return err_set(e, "the keep refused batch %s; its log says why", names[i]);
		if (!spool_holds(spool, names[i])) {
			i++;
			since_us = clock_steady_us();
			continue;
		}
		if (clock_steady_us() - since_us > p->wait_ms * 1000)
			return keep_stalled(spool, n - i, p->wait_ms / 1000, e);
		clock_sleep_ms(PUT_POLL_MS);
		if (!store_facts(p->store, &f, e)) {
			err_set(e, "the keep has stopped or does not answer; %zu batches wait in %s", n - i, spool);
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
		spool_name(batches[i], names[i]);
		ok = spool_put(spool, batches[i], e);
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
