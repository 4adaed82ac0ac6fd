/* keep: holds the store. Spool to store with group commit; questions to answers on a unix socket. */
#include "cmd/cmd.h"
#include "cmd/ending.h"
#include "cmd/metrics.h"
#include "cmd/noticing.h"
#include "cmd/place.h"
#include "cmd/rights.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/zone.h"
#include "link/epochs.h"
#include "spool/room.h"
#include "spool/spool.h"
#include "store/duck.h"
#include "store/regions.h"
#include "store/scanners.h"
#include "store/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Group commit: what waits is put together, up to a number of rows that one fsync serves well (measured: 10,000 rows a
 * commit are 2.5 to 4 times faster than 1,000). */
enum { METRICS_MAX = 1 << 16, LEAVE_S = 10 };
enum { COMMIT_ROWS_MIN = 1000, GROUP_ROWS = 250000, GROUP_BATCHES = 4096, IDLE_MS = 50, FULL_MS = 5000, PEERS_MAX = 64 };
/* Minutes: how long after its end an hour is counted, and how often that is looked for. */
enum { RECKON_AFTER = 5, RECKON_EVERY = 5, FOLLOW_HOURS = 240 };
/* Who asks sends at once; who is answered may be slow to read. */
enum { REQUEST_TIMEOUT_S = 3, ANSWER_TIMEOUT_S = 30 };

struct keep {
	const char *dir, *user;
	bool prove;
	char spool[PATH_TEXT_MAX], socket[PATH_TEXT_MAX], lock[PATH_TEXT_MAX], file[PATH_TEXT_MAX + 8], table[PATH_TEXT_MAX];
	struct regions *regions;
	struct scanners_file scanners;  /* only to tell of it: the store has its own */
	struct store *store;
	int lock_fd, listen_fd;
	sem_t peers;
	char enrolled[PATH_TEXT_MAX], notices[PATH_TEXT_MAX], epochs_path[PATH_TEXT_MAX];
	size_t commit_rows;
	bool judged;                    /* the sensors were, in the minute of `looked` */
	bool caught_up;                 /* nothing waited when it looked last */
	struct vigil vigil;
	struct enrolled sensors;        /* as they were when it looked last */
	bool *entered;                  /* of each: the store knows what the list says of it */
	struct epochs epochs;
	minute_t looked, reckon_next;
	struct counts { uint64_t stored, known, rows, packets, lost, groups, failed, refused, commit_us, hours, reckon_us; } counts;
	char (*stuck)[SPOOL_NAME_MAX]; size_t stuck_len, stuck_cap;     /* files that can neither be taken nor put aside: told, and left */
	size_t states[LIVE_RETIRED + 1];
	uint64_t late;                  /* packets of the store, when it was looked at last */
	uint64_t peers_answered;        /* by many threads */
	int64_t left_s;                 /* when the counters were left last */
};

struct peer { struct keep *keep; int fd; };

static void *answer_peer(void *of)
{
	struct peer *p = of;
	struct err e;

	(void)wire_answer(p->keep->store, p->fd, &e);   /* a peer that hung up needs no word */
	(void)__atomic_add_fetch(&p->keep->peers_answered, 1, __ATOMIC_RELAXED);
	(void)close(p->fd);
	(void)sem_post(&p->keep->peers);
	free(p);
	return NULL;
}

static void wait_place(struct keep *k)
{
	while (sem_wait(&k->peers) != 0 && errno == EINTR)
		;
}

static void *accept_peers(void *of)
{
	struct keep *k = of;
	pthread_t thread;

	for (;;) {
		int fd = accept4(k->listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0)
			return NULL;    /* the socket was shut down: the keep ends */
		wire_patience(fd, REQUEST_TIMEOUT_S, ANSWER_TIMEOUT_S);
		wait_place(k);
		struct peer *p = mem_zero(1, sizeof *p);
		*p = (struct peer){ k, fd };
		if (pthread_create(&thread, NULL, answer_peer, p) == 0) {
			(void)pthread_detach(thread);
			continue;
		}
		(void)close(fd);
		(void)sem_post(&k->peers);
		free(p);
	}
}

/* A group on its way from the spool into the store. */
struct group { struct spool_taken taken; const char **names; size_t names_len; };

static bool is_stuck(const struct keep *k, const char *name)
{
	for (size_t i = 0; i < k->stuck_len; i++)
		if (!strcmp(k->stuck[i], name))
			return true;
	return false;
}

static bool is_listed(const struct spool_list *list, const char *name)
{
	for (size_t i = 0; i < list->len; i++)
		if (!strcmp(list->names[i], name))
			return true;
	return false;
}

/* Those that are gone by now are forgotten, so that no more are remembered than are listed. */
static void look_at_stuck(struct keep *k, const struct spool_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < k->stuck_len; i++)
		if (is_listed(list, k->stuck[i]))
			memmove(k->stuck[kept++], k->stuck[i], SPOOL_NAME_MAX);
	k->stuck_len = kept;
}

static void put_aside(struct keep *k, const char *name)
{
	struct err e;

	k->counts.refused++;
	if (spool_refuse(k->spool, name, &e))
		return;
	err_expected(&e, "it is left where it is, and told this once");
	log_err(&e);
	MEM_GROW(k->stuck, k->stuck_len, k->stuck_cap);
	memcpy(k->stuck[k->stuck_len++], name, strlen(name) + 1);
}

/* Takes the oldest files up to a group; what cannot be a batch is put aside and told. */
static void take_group(struct keep *k, const struct spool_list *list, struct group *g)
{
	size_t rows = 0;
	struct err e;

	g->names = mem_zero(list->len + 1, sizeof *g->names);
	for (size_t i = 0; i < list->len && g->taken.len < GROUP_BATCHES && rows < GROUP_ROWS; i++) {
		size_t before = g->taken.len;

		if (is_stuck(k, list->names[i]))
			continue;
		if (spool_take(k->spool, list->names[i], &g->taken, &e)) {
			while (before < g->taken.len)
				rows += g->taken.list[before++].len;
			g->names[g->names_len++] = list->names[i];
			continue;
		}
		log_err(&e);
		put_aside(k, list->names[i]);
	}
}

/* Of those that are enrolled: what another brings under a mark is nobody's to judge. */
static void note_epochs(struct keep *k, const struct batch *const *list, size_t n)
{
	bool changed = false;
	struct err e;

	for (size_t i = 0; i < n; i++) {
		uint32_t mark = batch_mark(list[i]->epoch);
		enum epoch_news news = mark && enrolled_find(&k->sensors, list[i]->sensor) ? epochs_note(&k->epochs, list[i]->sensor, mark, list[i]->span.from) :
			EPOCH_SAME;

		changed |= news != EPOCH_SAME;
		if (news == EPOCH_MOVED)
			vigil_moved(&k->vigil, list[i]->sensor, (minute_t)(clock_wall_s() / 60));
	}
	if (changed && !epochs_write(&k->epochs, k->epochs_path, &e))
		log_err(&e);
}

/* Addresses and group are as the list says; where a sensor stands is not in it, and stays. */
static void enter_sensor(struct keep *k, const struct enrolment *one, const struct sensor *known)
{
	struct sensor s = *known;
	struct err e;

	s.addresses = enrolment_addresses(one);
	memcpy(s.group, one->group, sizeof s.group);
	if (s.addresses == known->addresses && !strcmp(s.group, known->group))
		return;
	if (store_sensor(k->store, &s, &e))
		log_line("sensor %s: %u addresses, group %s, as the list says", s.name, s.addresses, s.group[0] ? s.group : "none");
	else
		log_err(&e);
}

static void enter_sensors(struct keep *k, const struct facts *f)
{
	for (size_t i = 0; i < k->sensors.len; i++) {
		size_t at = facts_sensor(f, k->sensors.list[i].name);

		k->entered[i] = at < f->len;
		if (k->entered[i])
			enter_sensor(k, &k->sensors.list[i], &f->sensors[at]);
	}
}

/* Those that the store has just met do not wait for the next look at the list. */
static void enter_new(struct keep *k, const struct batch *const *list, size_t n)
{
	bool any = false;
	struct facts f;
	struct err e;

	for (size_t i = 0; i < n && !any; i++) {
		const struct enrolment *one = enrolled_find(&k->sensors, list[i]->sensor);

		any = one && !k->entered[one - k->sensors.list];
	}
	if (!any)
		return;
	if (!store_facts(k->store, &f, &e)) {
		log_err(&e);
		return;
	}
	enter_sensors(k, &f);
	facts_release(&f);
}

static void count(struct keep *k, const struct batch *b, enum stored what)
{
	if (what != STORED_NOW) {
		k->counts.known++;
		return;
	}
	k->counts.stored++;
	k->counts.rows += b->len;
	k->counts.packets += b->seen;
	k->counts.lost += b->lost;
	vigil_count(&k->vigil, b);
}

/* One commit; true also when all of them were there already. */
static bool commit(struct keep *k, const struct batch *const *list, size_t n, enum stored *each, struct err *e)
{
	uint64_t began_us = clock_steady_us();
	bool ok = store_put(k->store, list, n, each, e);

	k->counts.commit_us += clock_steady_us() - began_us;
	*(ok ? &k->counts.groups : &k->counts.failed) += 1;
	for (size_t i = 0; ok && i < n; i++)
		count(k, list[i], each[i]);
	if (ok) {
		note_epochs(k, list, n);
		enter_new(k, list, n);
	}
	return ok;
}

/* In commits of so many rows as the store could take last: one that has no memory for them would refuse them for ever. */
static bool put_group(struct keep *k, const struct group *g, struct err *e)
{
	const struct batch **list = mem_zero(g->taken.len, sizeof *list);
	enum stored *each = mem_zero(g->taken.len, sizeof *each);
	bool ok = true;

	for (size_t i = 0, n, rows; ok && i < g->taken.len; i += n) {
		for (n = rows = 0; i + n < g->taken.len && (n == 0 || rows < k->commit_rows); n++) {
			list[n] = &g->taken.list[i + n];
			rows += list[n]->len;
		}
		ok = commit(k, list, n, each, e);
		if (!ok && e->kind != ERR_FULL)
			k->commit_rows = rows / 2 > COMMIT_ROWS_MIN ? rows / 2 : COMMIT_ROWS_MIN;
		else if (ok && k->commit_rows < GROUP_ROWS)
			k->commit_rows += k->commit_rows / 8;
	}
	free(list);
	free(each);
	return ok;
}

/* One group from the spool into the store; false when there was none, or it must be tried again later. */
static bool drain_once(struct keep *k)
{
	struct spool_list waiting;
	struct group g = { 0 };
	struct err e;
	bool ok = false, dropped = true;

	int taking = room_begin_taking(k->spool);

	if (!spool_waiting(k->spool, &waiting, &e)) {
		log_err(&e);
		if (taking >= 0)
			(void)close(taking);
		return false;
	}
	look_at_stuck(k, &waiting);
	k->caught_up = waiting.len == k->stuck_len;
	take_group(k, &waiting, &g);
	ok = g.taken.len > 0 && put_group(k, &g, &e);
	if (g.taken.len > 0 && !ok) {
		log_err(&e);
		clock_sleep_ms(e.kind == ERR_FULL ? FULL_MS : IDLE_MS);
	}
	for (size_t i = 0; ok && dropped && i < g.names_len; i++)
		dropped = spool_drop(k->spool, g.names[i], &e);
	if (!dropped) {         /* it would come again and again; the store knows it, so nothing counts twice meanwhile */
		log_err(&e);
		clock_sleep_ms(FULL_MS);
	}
	if (taking >= 0)
		(void)close(taking);
	spool_taken_release(&g.taken);
	free(g.names);
	spool_list_release(&waiting);
	return ok;
}

/* A command may hold the folder for a moment; another keep holds it for good. */
static bool take_lock(struct keep *k, struct err *e)
{
	enum { WAIT_MS = 10000 };
	bool held = false;

	for (unsigned waited = 0; !held && waited < WAIT_MS && !ending(); waited += IDLE_MS) {
		int fd = file_exists(k->socket) ? wire_connect(k->socket, e) : -1;

		if (fd >= 0) {
			(void)close(fd);
			return err_set(e, "a keep is already running here");
		}
		if (!file_lock(k->lock, &k->lock_fd, &held, e))
			return false;
		if (!held)
			clock_sleep_ms(IDLE_MS);
	}
	return held ? true : err_set(e, "another teiten command has been working here for %d s", WAIT_MS / 1000);
}

/* What is broken there costs a notice told twice or a date, and holds up no batch. */
static bool begin_anew(struct err *e)
{
	log_err(e);
	log_line("it is begun anew");
	return true;
}

static bool open_notices(struct keep *k, struct err *e)
{
	char folder[PATH_TEXT_MAX];

	return file_path(folder, k->dir, "notices", e) && file_make_dir(folder, e) && file_path(k->notices, folder, "log", e) &&
		file_path(k->epochs_path, k->dir, "epochs", e) && (vigil_open(&k->vigil, k->notices, e) || begin_anew(e)) &&
		(epochs_read(&k->epochs, k->epochs_path, e) || begin_anew(e));
}

static bool name_files(struct keep *k, struct err *e)
{
	return file_path(k->spool, k->dir, "spool", e) && file_path(k->socket, k->dir, "keep.sock", e) && file_path(k->lock, k->dir, "lock", e) &&
		file_path(k->file, k->dir, "store.duckdb", e) && file_path(k->table, k->dir, "regions.table", e) &&
		file_path(k->enrolled, k->dir, "sensors/enrolled", e) && file_path(k->scanners.path, k->dir, PLACE_SCANNERS, e);
}

/* What was made here by another user: the store would open to be read only, and batches would stay in the spool. */
static bool may_write(const struct keep *k, struct err *e)
{
	static const char *const written[] = { "spool", "spool/refused", "spool/.taking", "notices", "notices/log", "epochs", "store.duckdb",
		"store.duckdb.wal", "store.duckdb.tmp" };
	struct buf names = buf_make(256);
	char path[PATH_TEXT_MAX];

	for (size_t i = 0; i < sizeof written / sizeof *written; i++)
		if (file_path(path, k->dir, written[i], e) && file_exists(path) && !file_writable(path))
			buf_printf(&names, " %s", written[i]);
	bool ok = names.len == 0;
	if (!ok) {
		err_set(e, "belongs to another user:%s", buf_cstr(&names));
		err_expected(e, "`cd %s && chown %s:%s`", k->dir, k->user ? k->user : "USER", buf_cstr(&names));
	}
	buf_release(&names);
	return ok;
}

/* Everything here is made as the user that it becomes. That user's main group may ask, and so it may put batches here too: the
 * collector of a centre is somebody else. */
static bool become_user(const struct keep *k, struct err *e)
{
	struct stat st;

	if (k->user && !confine_become(k->user, k->dir, e))
		return false;
	if (!spool_open(k->spool, e) || !may_write(k, e))
		return false;
	if (k->user && stat(k->spool, &st) == 0 && st.st_uid == geteuid() && chmod(k->spool, (st.st_mode & 0777) | S_IWGRP) != 0)
		return err_errno(e, "cannot let the group of %s write %s", k->user, k->spool);
	return true;
}

/* It goes on with its folder and a socket in it; it reads time zones too, and the bounds that a container sets. */
static bool give_up_rights(const struct keep *k, struct err *e)
{
	const char *const readable[] = { "/usr/share/zoneinfo", "/proc/self/cgroup", "/sys/fs/cgroup", "/sys/devices/system/cpu", getenv("TZDIR"), NULL };
	struct confine_how how = { .folder = k->dir, .of_others = !k->user, .readable = readable, .network = NETWORK_SERVES };

	return rights_give_up(&how, k->prove, e);
}

/* Rights go before the store is opened, since that starts threads; the socket answers when there is a store to ask. */
static bool open_keep(struct keep *k, const char *zone, struct err *e)
{
	char address[PATH_TEXT_MAX + 16];

	char sensors[PATH_TEXT_MAX];
	struct err wrong;

	/* before it becomes anybody: the list is the operator's, and the pages read it */
	if (!name_files(k, e) || !file_path(sensors, k->dir, "sensors", e) || !file_make_dir(sensors, e) || !duck_prepare(e) || !become_user(k, e) || !take_lock(k, e) || !open_notices(k, e))
		return false;
	if (!(k->regions = regions_open(k->table, e)) || (k->listen_fd = wire_bind(k->socket, e)) < 0 || !give_up_rights(k, e))
		return false;
	(void)snprintf(address, sizeof address, "duckdb:%s", k->file);
	k->store = store_open(address, zone, k->regions, e);
	if (k->store)
		(void)store_scanners(k->store, k->scanners.path, &wrong);       /* told when it is looked at */
	return k->store && store_has_zone(k->store, zone, e) && wire_listen(k->listen_fd, e);
}

/* Ends the threads that answer by letting them finish: the store is closed only when nobody asks any more. */
static void close_keep(struct keep *k, bool answering, pthread_t acceptor)
{
	if (k->listen_fd >= 0) {
		(void)unlink(k->socket);
		(void)shutdown(k->listen_fd, SHUT_RDWR);
	}
	if (answering) {
		(void)pthread_join(acceptor, NULL);
		for (int i = 0; i < PEERS_MAX; i++)
			wait_place(k);
	}
	free(k->stuck);
	vigil_release(&k->vigil);
	enrolled_release(&k->sensors);
	free(k->entered);
	epochs_release(&k->epochs);
	store_close(k->store);
	regions_close(k->regions);
	if (k->listen_fd >= 0)
		(void)close(k->listen_fd);
	if (k->lock_fd >= 0)
		(void)close(k->lock_fd);
}

static void count_states(struct keep *k, const struct facts *f, minute_t now)
{
	memset(k->states, 0, sizeof k->states);
	for (size_t i = 0; i < k->sensors.len; i++)
		k->states[liveness_of(&k->sensors.list[i], facts_watched(f, k->sensors.list[i].name), now)]++;
}

/* For Prometheus: what came out of the spool, and what became of it. */
static void leave_counts(struct keep *k)
{
	static const char *const states[] = { NULL, "capturing", "silent", "outage", "never", "retired" };
	struct counts *c = &k->counts;
	struct buf out = buf_make(METRICS_MAX);

	metrics_head(&out, "teiten_keep_batches_total", "counter", "Batches from the spool, by what became of them.");
	buf_printf(&out, "teiten_keep_batches_total{result=\"stored\"} %" PRIu64 "\nteiten_keep_batches_total{result=\"known\"} %" PRIu64
		"\nteiten_keep_batches_total{result=\"refused\"} %" PRIu64 "\n", c->stored, c->known, c->refused);
	metrics_head(&out, "teiten_keep_tuples_total", "counter", "Tuples of the batches that were stored.");
	buf_printf(&out, "teiten_keep_tuples_total %" PRIu64 "\n", c->rows);
	metrics_head(&out, "teiten_keep_packets_total", "counter", "Packets of the batches that were stored.");
	buf_printf(&out, "teiten_keep_packets_total %" PRIu64 "\n", c->packets);
	metrics_head(&out, "teiten_keep_lost_packets_total", "counter", "Packets that these batches tell as lost.");
	buf_printf(&out, "teiten_keep_lost_packets_total %" PRIu64 "\n", c->lost);
	metrics_head(&out, "teiten_keep_commits_total", "counter", "Groups of batches, by whether they could be committed.");
	buf_printf(&out, "teiten_keep_commits_total{result=\"done\"} %" PRIu64 "\nteiten_keep_commits_total{result=\"failed\"} %" PRIu64 "\n", c->groups, c->failed);
	metrics_head(&out, "teiten_keep_commit_seconds_total", "counter", "Time that commits took.");
	buf_printf(&out, "teiten_keep_commit_seconds_total %.3f\n", (double)c->commit_us / 1e6);
	metrics_head(&out, "teiten_keep_reckoned_hours_total", "counter", "Hours whose sources were counted; again when something came late.");
	buf_printf(&out, "teiten_keep_reckoned_hours_total %" PRIu64 "\n", c->hours);
	metrics_head(&out, "teiten_keep_reckon_seconds_total", "counter", "Time that this took.");
	buf_printf(&out, "teiten_keep_reckon_seconds_total %.3f\n", (double)c->reckon_us / 1e6);
	metrics_head(&out, "teiten_keep_late_packets", "gauge", "Stored packets that came after their day's robust values were final.");
	buf_printf(&out, "teiten_keep_late_packets %" PRIu64 "\n", k->late);
	metrics_head(&out, "teiten_keep_answers_total", "counter", "Connections on the inside socket that were answered.");
	buf_printf(&out, "teiten_keep_answers_total %" PRIu64 "\n", __atomic_load_n(&k->peers_answered, __ATOMIC_RELAXED));
	metrics_head(&out, "teiten_keep_store_bytes", "gauge", "Bytes of the store's file.");
	buf_printf(&out, "teiten_keep_store_bytes %llu\n", file_size(k->file));
	metrics_head(&out, "teiten_keep_sensors", "gauge", "Enrolled sensors, by state.");
	for (unsigned s = LIVE_CAPTURING; s <= LIVE_RETIRED; s++)
		buf_printf(&out, "teiten_keep_sensors{state=\"%s\"} %zu\n", states[s], k->states[s]);
	metrics_head(&out, "teiten_keep_told_timestamp_seconds", "gauge", "When these lines were written.");
	buf_printf(&out, "teiten_keep_told_timestamp_seconds %" PRId64 "\n", clock_wall_s());
	metrics_leave(k->spool, "keep", &out);
	buf_release(&out);
}

/* A list that is wrong is the collector's to tell; the one before goes on to hold. */
static bool read_sensors(struct keep *k)
{
	struct enrolled all;
	struct err e;

	if (!enrolled_read(&all, k->enrolled, &e))
		return false;
	enrolled_release(&k->sensors);
	free(k->entered);
	k->sensors = all;
	k->entered = mem_zero(all.len, sizeof *k->entered);
	return true;
}

/* Questions take a new list by themselves; here it is told what became of it. */
static void look_at_scanners(struct keep *k)
{
	if (!scanners_changed(&k->scanners))
		return;
	scanners_look(&k->scanners);
	if (k->scanners.wrong) {
		err_expected(&k->scanners.why, "the list before it goes on to hold; `teiten scanner import` writes only what is right");
		log_err(&k->scanners.why);
	} else {
		log_line("known scanners: list %s, %zu networks of %zu organisations", k->scanners.now.id, k->scanners.now.len, k->scanners.now.names_len);
	}
	scanners_release(&k->scanners.now);
}

static void tell_surges(struct keep *k, minute_t now)
{
	struct surge_revision *list = NULL;
	struct err e;
	size_t n;

	if (store_surges(k->store, NULL, &list, &n, &e))
		vigil_surges(&k->vigil, list, n, now);
	else
		log_err(&e);
	free(list);
}

/* Sources of the hours that are over, and robust values of the days, when nothing waits that would have to be counted as well; what
 * comes late for older ones is gathered for a while. */
static void reckon(struct keep *k)
{
	minute_t now = (minute_t)(clock_wall_s() / 60);
	struct span what = { 0, 0 };
	bool behind = false;
	struct err e;

	if (!k->caught_up || now < k->reckon_next)
		return;
	uint64_t began_us = clock_steady_us();
	bool ok = store_reckon(k->store, now - RECKON_AFTER, &what, &e);
	if (ok && what.until == what.from)
		ok = store_settle(k->store, now - RECKON_AFTER, &e) && store_follow(k->store, FOLLOW_HOURS, &behind, &e);
	if (!ok)
		log_err(&e);
	if (ok && !behind && what.until == what.from)
		tell_surges(k, now);
	if (behind)
		return;         /* goes on in the next round, after what may wait in the spool */
	if (!ok || what.until == what.from) {
		k->reckon_next = now + RECKON_EVERY;
		return;
	}
	k->counts.hours += (what.until - what.from) / 60;
	k->counts.reckon_us += clock_steady_us() - began_us;
}

/* Once a minute: who of those that may deliver is silent. */
static void look_at_sensors(struct keep *k)
{
	minute_t now = (minute_t)(clock_wall_s() / 60);
	struct facts f;
	struct err e;

	if (clock_wall_s() / LEAVE_S != k->left_s) {
		k->left_s = clock_wall_s() / LEAVE_S;
		leave_counts(k);
	}
	if (now == k->looked && (k->judged || !k->caught_up))
		return;
	k->looked = now;
	k->judged = k->caught_up;
	if (!read_sensors(k))
		return;
	if (k->sensors.len && store_facts(k->store, &f, &e)) {
		k->late = f.late;
		enter_sensors(k, &f);
		if (k->caught_up)       /* what still waits may say that somebody was not silent */
			vigil_look(&k->vigil, &k->sensors, &f, now);
		count_states(k, &f, now);
		facts_release(&f);
	}
}

static int run_keep(const struct args *a)
{
	struct keep k = { .dir = place_dir(a), .user = args_value(a, "user"), .prove = args_given(a, "prove"), .commit_rows = GROUP_ROWS, .lock_fd = -1, .listen_fd = -1 };
	pthread_t acceptor = 0;
	bool answering = false;
	struct err e;

	log_daemon("keep");
	ending_catch();
	if (sem_init(&k.peers, 0, PEERS_MAX) != 0)
		abort();
	if (!open_keep(&k, args_value(a, "zone"), &e)) {
		err_in(&e, "%s", k.dir);
		log_err(&e);
	} else {
		answering = pthread_create(&acceptor, NULL, accept_peers, &k) == 0;
		log_line("holding %s", k.file);
		(void)read_sensors(&k);
		while (answering && !ending()) {
			if (!drain_once(&k))
				clock_sleep_ms(IDLE_MS);
			look_at_sensors(&k);
			look_at_scanners(&k);
			reckon(&k);
		}
		log_line("ending");
	}
	close_keep(&k, answering, acceptor);
	return answering ? EXIT_DONE : EXIT_REFUSED;
}

static bool is_right(const struct args *a, struct err *e)
{
	const char *zone = args_value(a, "zone");
	struct zone z;

	if (zone && !zone_load(&z, zone, e))
		return err_in(e, "--zone");
	if (zone)
		zone_release(&z);
	return confine_knows(args_value(a, "user"), e);
}

static const struct option options[] = {
	{ "data", "DIR", "the observatory's folder (default ./teiten-data)" },
	{ "zone", "ZONE", "time zone of a store that is made now, such as Asia/Tokyo (default UTC)" },
	{ "user", "NAME", "become this user, to whom the folder is given" },
	{ "prove", NULL, "try at the start what must not work any more, and say so" },
	{ NULL, NULL, NULL },
};

const struct command command_keep = {
	.name = "keep",
	.usage = "[OPTION]...",
	.summary = "hold the store: take batches from the spool, answer questions on a socket",
	.options = { options },
	.run = run_keep,
	.right = is_right,
	.wordless = true,
};
