#include "cmd/sensing.h"

#include "cmd/alone.h"
#include "cmd/asking.h"
#include "cmd/cmd.h"
#include "cmd/ending.h"
#include "cmd/metrics.h"
#include "cmd/parts.h"
#include "cmd/place.h"
#include "cmd/rights.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/num.h"
#include "base/sign.h"
#include "capture/account.h"
#include "capture/canary.h"
#include "capture/eye.h"
#include "capture/intake.h"
#include "capture/minutes.h"
#include "capture/packet.h"
#include "capture/pcapfile.h"
#include "capture/reading.h"
#include "capture/ring.h"
#include "link/epochs.h"
#include "link/identity.h"
#include "link/sender.h"
#include "spool/room.h"
#include "spool/spool.h"

#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SING_S = 3600, SING_AGAIN_S = 15, HEAR_S = 5, LEAVE_S = 10, GONE_S = 60 };
enum { BURST = 64, WAIT_MS = 200, LATE_S = 5, WORKERS_MAX = 16, CATCH_UP_S = 5, DAY_S = 86400, GAP_S = 3600, BACK_S = 180, STEPS_MAX = 1000 };
enum { METRICS_MAX = 1 << 16, REPORT_MAX = 1 << 20, WATCHED_TEXT_MAX = 1 << 16, KEPT_BYTES = 64 << 20, ROOM_MIB = 1024, ROOM_MIB_MAX = 1 << 24, ROOM_DAYS_MAX = 3660 };

const struct option sensing_options[] = {
	{ "interface", "NAME", "observe: the interface whose packets are counted" },
	{ "read", "FILE", "observe: a capture instead, on the path of live packets (- for standard input)" },
	{ "watch", "CIDR,...", "observe: the addresses that are ours; what is sent elsewhere is not counted" },
	{ "name", "NAME", "observe: the sensor's name" },
	{ "filter", "EXPRESSION", "observe: only packets that tcpdump's language describes" },
	{ "snaplen", "BYTES", "observe: how much of each packet is looked at (default 256)" },
	{ "promiscuous", NULL, "observe: also packets that are sent to other machines" },
	{ "workers", "N", "observe: threads that share the packets (default 1)" },
	{ "user", "NAME", "observe: become this user once the interface is open" },
	{ "prove", NULL, "observe: try at the start what must not work any more, and say so" },
	{ "batch", "SECONDS", "observe: hand on what was counted so often, 1 to 60 (default 60: whole minutes)" },
	{ "spool-max", "MIB", "observe: how much may wait in the spool (default 1024); the oldest goes first, and is told as lost" },
	{ "spool-days", "N", "observe: and for how many days (default: no limit)" },
	{ "to", "URL", "observe: bring the batches to this centre: https://HOST:PORT" },
	{ "ca", "FILE", "observe: the authority of the centre's certificate (PEM)" },
	{ "proxy", "URL", "observe: a proxy on the way to the centre" },
	{ "metrics", "ADDRESS:PORT", "observe: with --to, where the counters can be read on this machine" },
	{ "check", NULL, "observe: only read the settings and say whether they are right" },
	{ "no-canary", NULL, "observe: send no frame once an hour that the sensor must see itself" },
	{ "bandwidth", "KIB", "observe: at most so many KiB a second to the centre" },
	{ "config", "FILE", "observe: settings: interface, watch, name, data, filter, snaplen, user, batch, spool-max, spool-days, to, ca, proxy, bandwidth, metrics, no-canary" },
	{ NULL, NULL, NULL },
};

static const char *const keys[] = { "interface", "watch", "name", "data", "filter", "snaplen", "user", "batch", "spool-max", "spool-days", "to", "ca", "proxy", "bandwidth", "metrics", "no-canary", NULL };

struct sensor_run;

/* All workers together, or one of them. */
struct sums { uint64_t read, counted, refused[REFUSALS], lost, untold, steps, errors, foreign; };

/* One thread's way from frames to batches. */
struct worker {
	struct sensor_run *run;
	unsigned number;
	uint64_t epoch;                 /* of its batches */
	struct ring *ring;
	struct eye *eye;
	struct minutes *minutes;
	struct account account;
	int64_t second, offset_s, cut;  /* the last one that was noted; wall clock minus steady clock; when it last handed on */
	uint64_t steps, lost, untold;   /* times that the clock was set; packets lost; those that no batch tells of */
	bool was_up;
	struct sums told;               /* a second old at most; under the run's lock */
	pthread_t thread;
};

/* Whether the sensor sees its own canary; the first worker's affair. */
struct hearing {
	struct canary *canary;
	bool singing, deaf, mute;       /* sung and not heard yet; not heard; could not sing */
	int interface;
	uint64_t came;                  /* frames by the time that it sang */
	int64_t since_s, due_s;         /* of the steady clock */
};

struct sensor_run {
	struct reading how;
	struct ring_how ring;
	const char *dir;
	char spool[PATH_TEXT_MAX];
	struct room room;
	unsigned batch_s;               /* how long a batch gathers; from 60 on a minute is whole */
	const char *file, *user;
	bool prove, sings;
	struct worker workers[WORKERS_MAX]; size_t len;
	bool broke_off;
	struct hearing hearing;
	pthread_mutex_t lock;           /* of what workers tell, and of the next two */
	struct room_gone gone;          /* batches that were given up and are not told yet */
	uint64_t given_up, given_up_packets;    /* all of them; by the writing threads */
	int64_t gone_told_s;            /* when they were told last, by the steady clock; 0 never */
	int64_t left_s;                 /* when the counters were left last */
	uint64_t watched_s, came;       /* came: frames, as last added up */
	uint64_t unwritten;             /* times that a batch could not be written; by the writing threads */
	struct err why;
};

/* The command line first, then the configuration. */
static const char *setting(const struct args *a, const struct conf *c, const char *name)
{
	const char *given = args_value(a, name);

	return given ? given : conf_value(c, name);
}

static bool read_name(struct sensor_run *s, const char *name, struct err *e)
{
	if (!name) {
		err_asked(e, "the sensor has no name");
		return err_expected(e, "--name NAME");
	}
	if (!sensor_name_check(name, e)) {
		e->kind = ERR_ASKED;
		return err_in(e, "--name");
	}
	memcpy(s->how.sensor, name, strlen(name) + 1);
	return true;
}

static bool belong_together(const struct args *a, bool file, struct err *e)
{
	static const char *const others[] = { "addresses", "group", "region", "store", "wait" };
	static const char *const live[] = { "filter", "snaplen", "promiscuous", "workers", "batch", "no-canary", "metrics" };

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (args_given(a, others[i])) {
			err_asked(e, "--%s means nothing for a sensor that observes", others[i]);
			return err_expected(e, "`teiten sensor set NAME` changes what a store knows of one");
		}
	for (size_t i = 0; file && i < sizeof live / sizeof *live; i++)
		if (args_given(a, live[i])) {
			err_asked(e, "--%s means nothing for a file", live[i]);
			return err_expected(e, "--interface NAME, or tcpdump before it");
		}
	return true;
}

/* Where a key is there, batches are marked by the set of addresses that is watched; before rights are given up. */
static bool name_epochs(struct sensor_run *s, struct err *e)
{
	char path[PATH_TEXT_MAX], text[PREFIX_TEXT_MAX];
	struct sign_secret secret;
	struct buf watched = buf_make(WATCHED_TEXT_MAX);

	if (!file_path(path, s->dir, "sensor.key", e))
		return false;
	bool marked = file_exists(path);
	if (marked && !sign_secret_read(path, &secret, e))
		return false;
	for (size_t i = 0; i < s->how.watched_len; i++)
		buf_printf(&watched, "%s ", prefix_format(&s->how.watched[i], text));
	for (size_t i = 0; i < WORKERS_MAX; i++)
		s->workers[i] = (struct worker){ .run = s, .number = (unsigned)i,
			.epoch = marked ? epoch_marked(&secret, watched.at, watched.len) : epoch_unmarked() };
	explicit_bzero(&secret, sizeof secret);
	buf_release(&watched);
	return true;
}

static bool says_yes(const char *value)
{
	return value && !strcmp(value, "yes");
}

static bool is_yes_or_no(const char *key, const char *value, struct err *e)
{
	if (!value || says_yes(value) || !strcmp(value, "no"))
		return true;
	err_asked(e, "%s = %.20s", key, value);
	return err_expected(e, "yes or no");
}

static bool read_settings(struct sensor_run *s, const struct args *a, const struct conf *c, struct err *e)
{
	const char *watch, *dir = setting(a, c, "data");
	uint64_t workers = 1, snaplen = RING_SNAPLEN, mib = ROOM_MIB, days = 0, batch_s = 60;

	s->file = args_value(a, "read");
	s->user = setting(a, c, "user");
	s->prove = args_given(a, "prove");
	s->sings = !args_given(a, "no-canary") && !says_yes(conf_value(c, "no-canary"));
	s->ring = (struct ring_how){ .interface = setting(a, c, "interface"), .filter = setting(a, c, "filter"),
		.promiscuous = args_given(a, "promiscuous") };
	if (!s->file == !s->ring.interface) {
		err_asked(e, s->file ? "--read and an interface exclude each other" : "nothing to observe");
		return err_expected(e, "--interface NAME or --read FILE; `teiten sensor list` lists the sensors of a store");
	}
	if (!belong_together(a, s->file != NULL, e))
		return false;
	if (!s->file && !setting(a, c, "to") && setting(a, c, "metrics")) {
		err_asked(e, "who observes has no network: the counters are in the spool's file .metrics-NAME");
		return err_expected(e, "--to URL with --metrics: who delivers shows them");
	}
	s->ring.sings = s->sings;
	if (!is_yes_or_no("no-canary", conf_value(c, "no-canary"), e) || !read_name(s, setting(a, c, "name"), e) ||
		!args_whole("snaplen", setting(a, c, "snaplen"), RING_SNAPLEN_MIN, RING_SNAPLEN_MAX, &snaplen, e) ||
		!args_whole("spool-max", setting(a, c, "spool-max"), 1, ROOM_MIB_MAX, &mib, e) ||
		!args_whole("batch", setting(a, c, "batch"), 1, 60, &batch_s, e) ||
		!args_whole("spool-days", setting(a, c, "spool-days"), 1, ROOM_DAYS_MAX, &days, e) ||
		!args_whole("workers", args_value(a, "workers"), 1, WORKERS_MAX, &workers, e))
		return false;
	s->room = (struct room){ .bytes_max = s->file && !setting(a, c, "spool-max") ? 0 : mib << 20, .age_max_s = (int64_t)days * DAY_S };
	s->batch_s = (unsigned)batch_s;
	s->ring.snaplen = (unsigned)snaplen;
	s->ring.workers = (unsigned)workers;
	s->len = s->file ? 1 : workers;
	watch = setting(a, c, "watch");
	if (!watch) {
		err_asked(e, "nothing says which addresses are ours");
		return err_expected(e, "--watch CIDR,...: what is sent to others is not counted");
	}
	s->dir = dir ? dir : PLACE_DEFAULT;
	s->how.latest_s = s->file ? clock_wall_s() + DAY_S : 0;
	return (reading_watch(&s->how, watch, e) || err_in(e, "watch")) && identity_is(s->dir, s->how.sensor, e);
}

static bool open_folder(struct sensor_run *s, struct err *e)
{
	return file_path(s->spool, s->dir, "spool", e) && spool_open(s->spool, e) && name_epochs(s, e);
}

/* A full spool gives up one batch for another: that is told at once, and then once a minute. */
static void tell_gone(struct sensor_run *s, const struct room_gone *more, bool at_last)
{
	int64_t now_s = (int64_t)(clock_steady_us() / 1000000) + 1;

	(void)pthread_mutex_lock(&s->lock);
	s->gone.full += more->full;
	s->gone.old += more->old;
	bool due = at_last || s->gone_told_s == 0 || now_s - s->gone_told_s >= GONE_S;
	if (due && s->gone.full)
		log_line("the spool is full: %zu of the oldest batches were given up; the next ones tell their packets as lost", s->gone.full);
	if (due && s->gone.old)
		log_line("too old: %zu batches were given up; the next ones tell their packets as lost", s->gone.old);
	if (due && (s->gone.full || s->gone.old)) {
		s->gone = (struct room_gone){ 0 };
		s->gone_told_s = now_s;
	}
	(void)pthread_mutex_unlock(&s->lock);
}

/* Called by the writing threads. */
static bool put(void *of, const struct batch *b)
{
	struct sensor_run *s = of;
	struct room_gone gone;
	struct err e;
	bool ok = room_put(s->spool, &s->room, b, &gone, &e);

	(void)__atomic_add_fetch(&s->given_up, gone.full + gone.old, __ATOMIC_RELAXED);
	(void)__atomic_add_fetch(&s->given_up_packets, gone.packets, __ATOMIC_RELAXED);
	tell_gone(s, &gone, false);
	if (ok)
		return true;
	log_err(&e);
	(void)__atomic_add_fetch(&s->unwritten, 1, __ATOMIC_RELAXED);
	return false;
}

static void begin(struct worker *w)
{
	account_init(&w->account);
	w->eye = eye_open(&w->run->how);
	w->minutes = minutes_open(w->run->how.sensor, w->epoch, w->run->file != NULL, put, w->run);
}

static void end(struct worker *w)
{
	w->untold = minutes_end(w->minutes);
	eye_close(w->eye);
	ring_close(w->ring);
}

static void take(struct worker *w, struct packet *packets, size_t n)
{
	eye_relate(w->eye, packets, n);
	minutes_add(w->minutes, packets, n, &w->account);
}

/* Frames that came together. */
static void look(struct worker *w, const struct frame *frames, size_t n)
{
	struct packet packets[BURST];
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		if (w->run->hearing.canary && canary_hears(w->run->hearing.canary, &frames[i]))
			account_refuse(&w->account, REFUSAL_CANARY, frames[i].number);
		else
			len += eye_see(w->eye, &frames[i], &w->account, &packets[len]) == REFUSAL_NONE;
	take(w, packets, len);
}

/* Once an hour the canary sings. Who does not hear it, and sees nothing else either, does not see what comes: nothing is watched
 * until it does. */
static void hear(struct hearing *h, struct ring *ring, bool up, uint64_t came)
{
	int64_t now_s = (int64_t)(clock_steady_us() / 1000000);
	struct err e = { 0 };

	if (!h->canary || !up || !ring_is_ethernet(ring)) {
		h->singing = false;
		h->due_s = now_s;
		return;
	}
	if (h->interface != ring_interface(ring))
		h->due_s = now_s;
	h->interface = ring_interface(ring);
	if (h->singing && (canary_heard(h->canary) || came != h->came)) {
		if (h->deaf)
			log_line("packets are seen again");
		h->due_s = canary_heard(h->canary) ? now_s + SING_S : now_s + SING_AGAIN_S;
		h->singing = h->deaf = false;
	} else if (h->singing && now_s - h->since_s > HEAR_S) {
		if (!h->deaf)
			log_line("a frame of our own was sent and not seen: what comes is not observed");
		h->singing = false;
		h->deaf = true;
		h->due_s = now_s + SING_AGAIN_S;
	} else if (!h->singing && now_s >= h->due_s) {
		h->since_s = now_s;
		h->came = came;
		h->singing = canary_sing(h->canary, h->interface, &e);
		h->due_s = now_s + SING_AGAIN_S;
		if (!h->singing && !h->mute)
			log_err(&e);
		h->mute = !h->singing;
	}
}

/* A clock that was set goes apart from the one that only goes forward. */
static bool clock_was_set(struct worker *w, int64_t now)
{
	int64_t offset = now - (int64_t)(clock_steady_us() / 1000000), by = offset - w->offset_s;

	if (by >= -1 && by <= 1)
		return false;
	if (w->number == 0)
		log_line("the clock was set by %+" PRId64 " s", by);
	w->offset_s = offset;
	w->steps++;
	if (by < 0)
		minutes_reopen(w->minutes);
	w->second = now;
	return true;
}

static void note_lost(struct worker *w)
{
	uint64_t lost = ring_lost(w->ring);

	minutes_lost(w->minutes, lost);
	w->lost += lost;
}

static void say_state(const struct worker *w, bool up)
{
	if (w->number == 0)
		log_line("%s is %s", w->run->ring.interface, up ? "up" : "down: what it would have brought is not observed");
}

static struct sums sums_of_one(const struct worker *w)
{
	struct sums u = { .read = w->account.read, .counted = w->account.counted, .lost = w->lost, .untold = w->untold, .errors = w->account.errors,
		.foreign = w->account.foreign, .steps = w->steps };

	memcpy(u.refused, w->account.refused, sizeof u.refused);
	return u;
}

static void add_sums(struct sums *u, const struct sums *one)
{
	u->read += one->read;
	u->counted += one->counted;
	for (unsigned r = 0; r < REFUSALS; r++)
		u->refused[r] += one->refused[r];
	u->lost += one->lost;
	u->untold += one->untold;
	u->errors += one->errors;
	u->foreign += one->foreign;
	u->steps = one->steps > u->steps ? one->steps : u->steps;
}

static struct sums sums_of(const struct sensor_run *s)
{
	struct sums u = { 0 };

	for (size_t i = 0; i < s->len; i++) {
		struct sums one = sums_of_one(&s->workers[i]);

		add_sums(&u, &one);
	}
	return u;
}

/* For Prometheus. What came is what was counted, plus each refusal. */
static void leave_metrics(const struct sensor_run *s, const struct sums *u, bool up, int64_t now)
{
	struct buf out = buf_make(METRICS_MAX);

	metrics_head(&out, "teiten_sensor_packets_total", "counter", "Packets that came, by what became of them.");
	buf_printf(&out, "teiten_sensor_packets_total{sensor=\"%s\",result=\"counted\"} %" PRIu64 "\n", s->how.sensor, u->counted);
	for (unsigned r = 1; r < REFUSALS; r++)
		if (u->refused[r])
			buf_printf(&out, "teiten_sensor_packets_total{sensor=\"%s\",result=\"%s\"} %" PRIu64 "\n", s->how.sensor, refusal_name((enum refusal)r), u->refused[r]);
	metrics_head(&out, "teiten_sensor_lost_packets_total", "counter", "Packets that the kernel had no room for.");
	buf_printf(&out, "teiten_sensor_lost_packets_total{sensor=\"%s\"} %" PRIu64 "\n", s->how.sensor, u->lost);
	metrics_head(&out, "teiten_sensor_unwritten_batches_total", "counter", "Times that a batch could not be written.");
	buf_printf(&out, "teiten_sensor_unwritten_batches_total{sensor=\"%s\"} %" PRIu64 "\n", s->how.sensor, __atomic_load_n(&s->unwritten, __ATOMIC_RELAXED));
	metrics_head(&out, "teiten_sensor_given_up_batches_total", "counter", "Batches that were given up for want of room, or for their age, in the spool.");
	buf_printf(&out, "teiten_sensor_given_up_batches_total{sensor=\"%s\"} %" PRIu64 "\n", s->how.sensor, __atomic_load_n(&s->given_up, __ATOMIC_RELAXED));
	metrics_head(&out, "teiten_sensor_given_up_packets_total", "counter", "Packets of these, which later batches tell as lost.");
	buf_printf(&out, "teiten_sensor_given_up_packets_total{sensor=\"%s\"} %" PRIu64 "\n", s->how.sensor, __atomic_load_n(&s->given_up_packets, __ATOMIC_RELAXED));
	metrics_head(&out, "teiten_sensor_clock_steps_total", "counter", "Times that the clock was set.");
	buf_printf(&out, "teiten_sensor_clock_steps_total{sensor=\"%s\"} %" PRIu64 "\n", s->how.sensor, u->steps);
	metrics_head(&out, "teiten_sensor_watched_seconds_total", "counter", "Seconds in which it was looking.");
	buf_printf(&out, "teiten_sensor_watched_seconds_total{sensor=\"%s\"} %" PRIu64 "\n", s->how.sensor, s->watched_s);
	metrics_head(&out, "teiten_sensor_up", "gauge", "Whether it sees what comes: the interface is up, its own canary was heard.");
	buf_printf(&out, "teiten_sensor_up{sensor=\"%s\"} %d\n", s->how.sensor, up && !s->hearing.deaf);
	metrics_head(&out, "teiten_sensor_told_timestamp_seconds", "gauge", "When these lines were written.");
	buf_printf(&out, "teiten_sensor_told_timestamp_seconds{sensor=\"%s\"} %" PRId64 "\n", s->how.sensor, now);
	metrics_leave(s->spool, s->how.sensor, &out);
	buf_release(&out);
}

/* What the counters are by now; the first worker leaves them for others to read. */
static void tell_sums(struct worker *w, int64_t now)
{
	struct sensor_run *s = w->run;
	struct sums u = { 0 };

	(void)pthread_mutex_lock(&s->lock);
	w->told = sums_of_one(w);
	for (size_t i = 0; w->number == 0 && i < s->len; i++)
		add_sums(&u, &s->workers[i].told);
	(void)pthread_mutex_unlock(&s->lock);
	if (w->number == 0)
		s->came = u.read;
	if (w->number || (now - s->left_s >= 0 && now - s->left_s < LEAVE_S))
		return;
	s->left_s = now;
	leave_metrics(s, &u, w->was_up, now);
}

/* Once a second: what was looked at, what was lost, which minutes end. */
static void tick(struct worker *w, int64_t now)
{
	if (clock_was_set(w, now))
		return;
	bool up = ring_up(w->ring);
	if (up != w->was_up)
		say_state(w, up);
	/* before the second that has just ended: its last packets may still be on their way to us, and a batch that told it without
	 * them would not be true if they never came */
	if (w->run->batch_s < 60 && now / w->run->batch_s != w->cut)
		minutes_cut(w->minutes);
	w->cut = now / w->run->batch_s;
	/* only one of several workers tells the time that was watched */
	if (w->number == 0)
		hear(&w->run->hearing, w->ring, up, w->run->came);
	if (w->number == 0)
		tell_gone(w->run, &(struct room_gone){ 0 }, false);
	if (w->number == 0 && ending_hangup())
		log_line("asked to read its settings anew: they are those of the command line, and stay");
	for (int64_t s = now - w->second > CATCH_UP_S ? now - 1 : w->second; w->number == 0 && up && w->was_up && !w->run->hearing.deaf && s < now; s++) {
		minutes_watched(w->minutes, s);
		w->run->watched_s++;
	}
	note_lost(w);
	tell_sums(w, now);
	w->was_up = up;
	w->second = now;
	minutes_close_before(w->minutes, (minute_t)((now - LATE_S) / 60));
}

static void *observe(void *of)
{
	struct worker *w = of;
	struct frame frames[BURST];

	w->second = clock_wall_s() + 1;         /* the second at hand is not whole */
	w->offset_s = w->second - 1 - (int64_t)(clock_steady_us() / 1000000);
	w->was_up = ring_up(w->ring);
	if (!w->was_up)
		say_state(w, false);
	while (!ending()) {
		size_t n = ring_frames(w->ring, frames, BURST);

		if (n)
			look(w, frames, n);
		else
			ring_wait(w->ring, WAIT_MS);
		int64_t now = clock_wall_s();
		if (now > w->second || now < w->second - 1)
			tick(w, now);
	}
	for (size_t n; (n = ring_frames(w->ring, frames, BURST)) > 0; )         /* what had come by then */
		look(w, frames, n);
	note_lost(w);
	return NULL;
}

/* A file's own times take the place of the clock: seconds up to the newest were watched, and all but two minutes end. Over
 * more than an hour without a packet nobody knows whether anybody looked. */
static void pass_time(struct worker *w, int64_t newest)
{
	if (w->second == 0 || newest - w->second > GAP_S) {
		minutes_close_before(w->minutes, (minute_t)(newest / 60 - 1));
		w->second = newest;
	}
	for (int64_t s = w->second; s <= newest; s++) {
		minutes_watched(w->minutes, s);
		if (s % 60 == 0)
			minutes_close_before(w->minutes, (minute_t)(s / 60 - 1));
	}
	w->second = newest >= w->second ? newest + 1 : w->second;
}

/* Before a frame of that time is counted: so far back is a clock that was set, or one frame before it that was wrong. A file
 * whose times go to and fro for ever is not for us: what is then too late is refused as such. */
static void step_back(struct worker *w, int64_t time_s)
{
	if (w->second - time_s <= BACK_S || w->steps == STEPS_MAX)
		return;
	minutes_reopen(w->minutes);
	w->steps++;
	w->second = 0;
}

/* Whether the frame held a packet with a time that can be, ours to count or not. */
static bool is_packet(enum refusal r)
{
	return r == REFUSAL_NONE || r == REFUSAL_LEAVING || r == REFUSAL_NOT_WATCHED || r == REFUSAL_ANSWER || r == REFUSAL_NEIGHBOUR;
}

/* Up to a burst of a file's frames. When a new minute begins, what came so far is counted before older ones end. */
static enum pcap_next look_at_file(struct worker *w, struct pcapfile *f, struct err *e)
{
	struct packet packets[BURST + 1];
	struct frame frame;
	enum pcap_next next = PCAP_FRAME;
	int64_t newest = w->second - 1;
	size_t len = 0;

	for (size_t n = 0; n < BURST && (next = pcapfile_next(f, &frame, e)) == PCAP_FRAME; n++) {
		enum refusal refusal = eye_see(w->eye, &frame, &w->account, &packets[len]);
		bool tells = is_packet(refusal);        /* the time too: damaged bytes move no clock */

		if (tells && (frame.time_s / 60 > newest / 60 || newest - frame.time_s > BACK_S)) {
			take(w, packets, len);
			packets[0] = packets[len];
			len = 0;
			if (newest >= w->second)
				pass_time(w, newest);
			step_back(w, frame.time_s);
			pass_time(w, frame.time_s);
			newest = frame.time_s;
		}
		newest = tells && frame.time_s > newest ? frame.time_s : newest;
		len += refusal == REFUSAL_NONE;
	}
	take(w, packets, len);
	if (newest >= w->second)
		pass_time(w, newest);
	return next;
}

static bool give_up_rights(const struct sensor_run *s, struct err *e)
{
	static const unsigned long ioctls[] = { SIOCGIFINDEX, SIOCGIFFLAGS, SIOCGIFNAME, SIOCGIFHWADDR };
	struct confine_how how = { .user = s->user, .folder = s->spool, .ioctls = ioctls, .ioctls_len = sizeof ioctls / sizeof *ioctls };

	return rights_give_up(&how, s->prove, e);
}

static bool observe_file(struct worker *w, struct err *e)
{
	bool pipe = !strcmp(w->run->file, "-");
	int fd = pipe ? dup(STDIN_FILENO) : open(w->run->file, O_RDONLY | O_CLOEXEC);
	struct intake *in = NULL;
	struct pcapfile *f = NULL;
	enum pcap_next next = PCAP_BROKEN;

	if (fd < 0)
		return err_errno(e, "cannot open %s", w->run->file);
	if (!give_up_rights(w->run, e))
		goto out;
	ending_catch();
	begin(w);
	if ((in = intake_open(fd, UINT64_MAX, e)) && (f = pcapfile_open(in, e)))
		do
			next = look_at_file(w, f, e);
		while (next == PCAP_FRAME && !ending());
	end(w);
	if (next == PCAP_BROKEN)
		err_in(e, "%s", w->run->file);
out:
	pcapfile_close(f);
	intake_close(in);
	(void)close(fd);
	return next != PCAP_BROKEN;
}

/* Two that observe under one name would count everything twice. */
static bool be_the_only_one(const struct sensor_run *s, struct err *e)
{
	char name[SENSOR_NAME_MAX + 16], who[SENSOR_NAME_MAX + 32];

	(void)snprintf(name, sizeof name, ".observes-%s", s->how.sensor);
	(void)snprintf(who, sizeof who, "a sensor named %s observes", s->how.sensor);
	return alone_in(s->spool, name, who, e);
}

static bool run_live(struct sensor_run *s, struct err *e)
{
	for (size_t i = 0; i < s->len; i++) {
		if (!(s->workers[i].ring = ring_open(&s->ring, e)))
			return false;
		s->ring.joins = true;           /* the others join the first one's group */
		s->ring.group = ring_group(s->workers[0].ring);
	}
	if (s->sings && ring_is_ethernet(s->workers[0].ring) && !(s->hearing.canary = canary_open(e)))
		return false;
	if (!give_up_rights(s, e) || !be_the_only_one(s, e))
		return false;
	ending_catch();         /* not before: who wrote a filter that takes for ever may want to end it */
	ending_catch_hangup();
	log_line("observing %s as sensor %s", s->ring.interface, s->how.sensor);
	for (size_t i = 0; i < s->len; i++) {
		begin(&s->workers[i]);
		if (pthread_create(&s->workers[i].thread, NULL, observe, &s->workers[i]) != 0)
			abort();        /* only for want of memory */
	}
	for (size_t i = 0; i < s->len; i++)
		(void)pthread_join(s->workers[i].thread, NULL);
	for (size_t i = 0; i < s->len; i++)
		end(&s->workers[i]);
	struct sums u = sums_of(s);
	leave_metrics(s, &u, false, clock_wall_s());
	canary_close(s->hearing.canary);
	return true;
}

static bool run_file(struct sensor_run *s, struct err *e)
{
	bool ok = observe_file(&s->workers[0], e);

	if (ok || s->workers[0].account.read == 0)
		return ok;
	s->broke_off = true;            /* what came before stands */
	s->why = *e;
	return true;
}

static void tell_text(const struct sensor_run *s, const struct sums *u, struct buf *out)
{
	char a[NUM_TEXT_MAX], b[NUM_TEXT_MAX];

	buf_printf(out, "%s: sensor %s\n  packets   %s came, %s counted\n", s->file ? s->file : s->ring.interface, s->how.sensor,
		num_grouped(u->read, a), num_grouped(u->counted, b));
	for (unsigned r = 0; r < REFUSALS; r++)
		if (u->refused[r])
			buf_printf(out, "  refused   %s: %s\n", num_grouped(u->refused[r], a), refusal_text((enum refusal)r));
	buf_printf(out, "  lost      %s before they could be seen\n", num_grouped(u->lost, a));
	if (u->untold)
		buf_printf(out, "  untold    %s that no batch could be written for\n", num_grouped(u->untold, a));
	if (s->unwritten)
		buf_printf(out, "  unwritten %s batches, with the time that was watched\n", num_grouped(s->unwritten, a));
	if (u->errors)
		buf_printf(out, "  errors    %s ICMP errors, of which %s quote no packet of a watched address\n", num_grouped(u->errors, a),
			num_grouped(u->foreign, b));
	if (u->steps)
		buf_printf(out, "  clock     set %s times\n", num_grouped(u->steps, a));
}

static void tell_json(const struct sensor_run *s, const struct sums *u, struct buf *out)
{
	struct json j = json_to(out);

	json_object(&j, NULL);
	json_string(&j, "sensor", s->how.sensor);
	json_whole(&j, "came", u->read);
	json_whole(&j, "counted", u->counted);
	json_object(&j, "refused");
	for (unsigned r = 0; r < REFUSALS; r++)
		if (u->refused[r])
			json_whole(&j, refusal_name((enum refusal)r), u->refused[r]);
	json_end_object(&j);
	json_whole(&j, "lost", u->lost);
	json_whole(&j, "untold", u->untold);
	json_whole(&j, "batches_unwritten", s->unwritten);
	json_whole(&j, "icmp_errors", u->errors);
	json_whole(&j, "icmp_errors_foreign", u->foreign);
	json_whole(&j, "clock_steps", u->steps);
	json_end_object(&j);
	buf_str(out, "\n");
}

/* What came in is what was counted plus each reason: else we have a bug, and say so. */
static bool adds_up(const struct sums *u)
{
	uint64_t sum = u->counted;

	for (unsigned r = 0; r < REFUSALS; r++)
		sum += u->refused[r];
	return sum == u->read;
}

static int tell(const struct args *a, struct sensor_run *s)
{
	struct buf out = buf_make(REPORT_MAX);
	struct sums u = sums_of(s);

	tell_gone(s, &(struct room_gone){ 0 }, true);
	(args_given(a, "json") ? tell_json : tell_text)(s, &u, &out);
	(void)fwrite(out.at, 1, out.len, stdout);
	buf_release(&out);
	for (size_t i = 0; i < s->len; i++)
		account_release(&s->workers[i].account);
	if (!adds_up(&u))
		log_line("the packets do not add up: a mistake of this program; please report it");
	if (s->broke_off)
		log_err(&s->why);
	return adds_up(&u) && !s->broke_off && u.untold == 0 && s->unwritten == 0 ? EXIT_DONE : EXIT_REFUSED;
}

static bool still_right(const struct args *a)
{
	static struct sensor_run s;
	static struct conf c;
	const char *config = args_value(a, "config");
	struct err e;

	/* what brings batches to a centre is for that process to say */
	if (!config || (conf_read(&c, config, keys, &e) && (setting(a, &c, "to") || read_settings(&s, a, &c, &e))))
		return true;
	log_err(&e);
	return false;
}

/* The process that observes knows no network, and one that delivers knows no interface; above them is one that can read its
 * settings anew. */
static int observe_in_parts(const struct args *a, const struct conf *c)
{
	static const char *const observes[] = { "--interface", "--watch", "--name", "--data", "--filter", "--snaplen", "--user", "--batch", "--spool-max",
		"--spool-days" };
	static const char *const ships[] = { "--data", "--user", "--to", "--ca", "--proxy", "--bandwidth", "--metrics" };
	struct parts all = { .right = still_right, .args = a, .anew = parts_anew() };
	struct err e;

	struct part *sensor = parts_add(&all, "sensor"), *ship = setting(a, c, "to") ? parts_add(&all, "ship") : NULL;
	for (size_t i = 0; i < sizeof observes / sizeof *observes; i++)
		part_option(sensor, observes[i], setting(a, c, observes[i] + 2));
	part_option(sensor, "--workers", args_value(a, "workers"));
	if (args_given(a, "no-canary") || says_yes(conf_value(c, "no-canary")))
		part_flag(sensor, "--no-canary");
	if (args_given(a, "promiscuous"))
		part_flag(sensor, "--promiscuous");
	if (args_given(a, "prove"))
		part_flag(sensor, "--prove");
	if (args_given(a, "json"))
		part_flag(sensor, "--json");
	for (size_t i = 0; ship && i < sizeof ships / sizeof *ships; i++)
		part_option(ship, ships[i], setting(a, c, ships[i] + 2));
	if (ship && args_given(a, "prove"))
		part_flag(ship, "--prove");
	ending_catch();
	log_daemon("sensor");
	if (parts_run(&all, &e))
		return EXIT_DONE;
	return e.what[0] ? asking_refused(a, &e) : EXIT_REFUSED;
}

/* What the process that delivers would refuse. */
static bool delivery_is_right(const struct sensor_run *s, const struct args *a, const struct conf *c, struct err *e)
{
	const char *to = setting(a, c, "to"), *ca = setting(a, c, "ca"), *metrics = setting(a, c, "metrics");
	uint64_t kib;

	if (!to || s->file)
		return true;
	return sender_may_go_to(to, e) && args_whole("bandwidth", setting(a, c, "bandwidth"), SENDER_KIB_MIN, SENDER_KIB_MAX, &kib, e) &&
		(!ca || client_ca_holds(ca, e)) && (!metrics || metrics_may_listen(metrics, e) || err_in(e, "metrics")) && identity_has_key(s->dir, e);
}

/* Nothing is made, opened or sent. */
static int check(const struct sensor_run *s, const struct args *a, const struct conf *c)
{
	const char *config = args_value(a, "config");
	struct err e;

	if (!ring_filter_holds(&s->ring, &e) || !delivery_is_right(s, a, c, &e))
		return asking_refused(a, &e);
	printf("%s: all %zu settings are right\n", config ? config : "no --config", c->len);
	return EXIT_DONE;
}

int sensing(const struct args *a)
{
	static struct sensor_run s = { .lock = PTHREAD_MUTEX_INITIALIZER };
	static struct conf c;
	const char *config = args_value(a, "config");
	struct err e;

	if (config && !conf_read(&c, config, keys, &e))
		return asking_refused(a, &e);
	if (!read_settings(&s, a, &c, &e))
		return asking_refused(a, &e);
	if (args_given(a, "check"))
		return check(&s, a, &c);
	if ((config || setting(a, &c, "to")) && !s.file)
		return observe_in_parts(a, &c);
	if (!open_folder(&s, &e))
		return asking_refused(a, &e);
	/* minute after minute asks for the same room: it is kept instead of given back and zeroed anew */
	(void)mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	log_daemon("sensor");
	if (s.file ? run_file(&s, &e) : run_live(&s, &e))
		return tell(a, &s);
	return asking_refused(a, &e);
}
