#include "link/receiver.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "core/batch.h"
#include "link/enrolled.h"
#include "link/ledger.h"
#include "link/letter.h"
#include "spool/spool.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sys/stat.h>

enum { STATIONS_MAX = ENROLLED_MAX, LOOK_S = 1, LEDGER_S = 60, RETRY_S = 60, TROUBLES_MAX = 8, SAY_MAX = LETTER_PATH_MAX + 16, SHARE = 4, FREE_MIN = 160 << 20, LEDGER_BYTES_MAX = 256 << 20 };

/* What we remember of a sensor while we run. */
struct station { char name[SENSOR_NAME_MAX]; struct ledger ledger; double tokens; uint64_t at_us, waiting; size_t flight; };

/* A batch that is not on the disk yet, and who waits for the word that it is. */
struct pending { struct exchange *exchange; struct station *station; struct letter letter; struct buf bytes; };

/* A file of the spool that nobody has taken yet: whose bytes are in it. */
struct filed { char name[SPOOL_NAME_MAX]; size_t len; struct part { struct station *station; uint64_t bytes; } *parts; };

struct receiver {
	struct receiver_how how;
	pthread_mutex_t lock;           /* of all that follows */
	pthread_cond_t changed;
	pthread_t writer;
	bool stopping;
	struct enrolled enrolled;
	struct stat read;               /* the list, as it was read */
	char said[ERR_TEXT_MAX];        /* what is wrong with the list, as it was told last; "" nothing */
	uint64_t looked_us, saved_us;
	uint64_t spool_bytes;
	struct station *stations[STATIONS_MAX]; size_t stations_len;
	struct pending *pending; size_t pending_len, pending_cap;
	struct filed *filed; size_t filed_len, filed_cap;
	size_t flight;
	uint64_t counts[RECEIPTS];
	struct err troubles[TROUBLES_MAX]; size_t troubles_len;         /* to be told, the oldest first; beyond the limit the last gives way */
};

const char *receipt_name(enum receipt r)
{
	static const char *const names[RECEIPTS] = { "taken", "known", "no_letter", "unknown", "forged", "not_valid", "clock", "large", "fast",
		"busy", "full", "altered", "damaged", "unsound", "cut", "not_found" };

	return names[r];
}

static void note_trouble(struct receiver *r, const struct err *e)
{
	if (r->troubles_len == TROUBLES_MAX)
		r->troubles_len--;
	r->troubles[r->troubles_len++] = *e;
}

/* NULL: too many sensors have come and gone since we began. */
static struct station *station_of(struct receiver *r, const char *name)
{
	for (size_t i = 0; i < r->stations_len; i++)
		if (!strcmp(r->stations[i]->name, name))
			return r->stations[i];
	if (r->stations_len == STATIONS_MAX)
		return NULL;
	struct station *s = mem_zero(1, sizeof *s);
	memcpy(s->name, name, strlen(name) + 1);
	s->tokens = RECEIVER_BURST;
	s->at_us = clock_steady_us();
	r->stations[r->stations_len++] = s;
	return s;
}

static bool read_run(struct receiver *r, const char *line)
{
	char name[SENSOR_NAME_MAX];
	uint64_t epoch, from, until;
	struct station *s;

	if (sscanf(line, "%39s %" SCNx64 " %" SCNu64 " %" SCNu64, name, &epoch, &from, &until) != 4 || !sensor_name_valid(name) || from >= until)
		return false;
	if ((s = station_of(r, name)))
		ledger_add_run(&s->ledger, epoch, from, until);
	return true;
}

/* What is damaged in it is forgotten, and told: the store knows what came. */
static void read_ledger(struct receiver *r)
{
	struct buf text = buf_make(LEDGER_BYTES_MAX);
	size_t damaged = 0;
	struct err e;

	if (!file_exists(r->how.ledger))
		return;
	if (!file_read(r->how.ledger, &text, &e)) {
		err_expected(&e, "begun anew: what comes once more is stored once all the same");
		note_trouble(r, &e);
		buf_release(&text);
		return;
	}
	const char *end = buf_cstr(&text) + text.len;
	for (char *line = (char *)text.at; line && line < end; ) {
		char *next = memchr(line, '\n', (size_t)(end - line));

		if (next)
			*next++ = '\0';
		damaged += !read_run(r, line);
		line = next;
	}
	if (damaged) {
		err_set(&e, "%s: %zu lines are damaged and forgotten", r->how.ledger, damaged);
		err_expected(&e, "what comes once more is stored once all the same");
		note_trouble(r, &e);
	}
	buf_release(&text);
}

static void save_ledger(struct receiver *r)
{
	struct buf text = buf_make(LEDGER_BYTES_MAX);
	struct err e;

	for (size_t i = 0; i < r->stations_len; i++)
		ledger_text(&r->stations[i]->ledger, r->stations[i]->name, &text);
	if (!file_write(r->how.ledger, text.at, text.len, &e))
		note_trouble(r, &e);
	buf_release(&text);
	r->saved_us = clock_steady_us();
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
		a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Each mistake once, when it appears, and the end of them: it is read every second. */
static void tell_of_list(struct receiver *r, const struct err *mistake)
{
	char text[ERR_TEXT_MAX] = "";
	struct err e;

	if (mistake)
		(void)err_text(mistake, text);
	if (!strcmp(text, r->said))
		return;
	memcpy(r->said, text, sizeof text);
	if (!mistake)
		err_set(&e, "%s: the list is right again, with %zu sensors", r->how.enrolled, r->enrolled.len);
	note_trouble(r, mistake ? mistake : &e);
}

static void hold(struct receiver *r, const struct enrolled *all)
{
	enrolled_release(&r->enrolled);
	r->enrolled = *all;
}

/* Reads the list anew when it has changed; one that is wrong changes nothing, one that is gone lets nobody in. */
static void read_enrolled(struct receiver *r)
{
	struct stat st = { 0 };
	struct enrolled all = { 0 };
	struct err e;

	if (stat(r->how.enrolled, &st) == 0 && is_same(&st, &r->read))
		return;
	if (!st.st_ino && errno == ENOENT) {
		hold(r, &all);
		err_set(&e, "%s is not there: nobody is let in", r->how.enrolled);
		err_expected(&e, "`teiten sensor add`");
		tell_of_list(r, &e);
	} else if (st.st_ino ? enrolled_read(&all, r->how.enrolled, &e) : err_errno(&e, "cannot look at %s", r->how.enrolled)) {
		hold(r, &all);
		tell_of_list(r, NULL);
	} else {
		err_in(&e, r->enrolled.len ? "the list before goes on to hold" : "nobody is let in");
		tell_of_list(r, &e);
		return;
	}
	r->read = st;
}

/* Files that have been taken are nobody's burden any more. */
static void look_at_spool(struct receiver *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->filed_len; i++) {
		if (spool_holds(r->how.spool, r->filed[i].name)) {
			r->filed[kept++] = r->filed[i];
			continue;
		}
		for (size_t k = 0; k < r->filed[i].len; k++)
			r->filed[i].parts[k].station->waiting -= r->filed[i].parts[k].bytes;
		free(r->filed[i].parts);
	}
	r->filed_len = kept;
	r->spool_bytes = spool_bytes(r->how.spool);
}

static void look_around(struct receiver *r)
{
	uint64_t now = clock_steady_us();

	if (r->looked_us && now - r->looked_us < (uint64_t)LOOK_S * 1000000)
		return;
	r->looked_us = now;
	look_at_spool(r);
	read_enrolled(r);
}

/* Of many pending ones as many as one file takes; all of them are at most what may be on its way. */
static size_t group_of(const struct receiver *r)
{
	size_t n = 0, bytes = 0;

	while (n < r->pending_len && (n == 0 || bytes + r->pending[n].bytes.len <= RECEIVER_GROUP_MAX))
		bytes += r->pending[n++].bytes.len;
	return n;
}

static void note_filed(struct receiver *r, const char *name, const struct pending *list, size_t n)
{
	struct filed f = { .len = n, .parts = mem_zero(n, sizeof *f.parts) };

	memcpy(f.name, name, strlen(name) + 1);
	for (size_t i = 0; i < n; i++) {
		f.parts[i] = (struct part){ list[i].station, list[i].bytes.len };
		list[i].station->waiting += list[i].bytes.len;
		ledger_add(&list[i].station->ledger, list[i].letter.epoch, list[i].letter.serial);
		r->spool_bytes += list[i].bytes.len;
	}
	MEM_GROW(r->filed, r->filed_len, r->filed_cap);
	r->filed[r->filed_len++] = f;
	r->counts[RECEIPT_TAKEN] += n;
}

/* Without the lock: the disk is slow. */
static bool write_group(const struct receiver *r, const struct pending *list, size_t n, char name[SPOOL_NAME_MAX], struct err *e)
{
	struct buf all = buf_make(RECEIVER_GROUP_MAX + RECEIVER_BODY_MAX);

	for (size_t i = 0; i < n; i++)
		buf_bytes(&all, list[i].bytes.at, list[i].bytes.len);
	bool ok = spool_put_group(r->how.spool, all.at, all.len, name, e);
	buf_release(&all);
	return ok;
}

/* Names what was taken, so that nobody's "200 OK" is mistaken for it. */
static const char *receipt_text(const char *word, const struct letter *l, char out[SAY_MAX])
{
	char path[LETTER_PATH_MAX];

	(void)snprintf(out, SAY_MAX, "%s %s", word, letter_path(l, path));
	return out;
}

static void answer_group(struct pending *list, size_t n, bool ok)
{
	char text[SAY_MAX];

	for (size_t i = 0; i < n; i++) {
		if (ok)
			http_finish(list[i].exchange, 200, receipt_text("taken", &list[i].letter, text), 0);
		else
			http_finish(list[i].exchange, 507, "the centre could not write it: keep it and try again later", RETRY_S);
		buf_release(&list[i].bytes);
	}
	free(list);
}

static void write_some(struct receiver *r)
{
	size_t n = group_of(r);
	struct pending *list = mem_zero(n, sizeof *list);
	char name[SPOOL_NAME_MAX] = "";
	struct err e;

	memcpy(list, r->pending, n * sizeof *list);
	memmove(r->pending, r->pending + n, (r->pending_len - n) * sizeof *list);
	r->pending_len -= n;
	(void)pthread_mutex_unlock(&r->lock);
	bool ok = write_group(r, list, n, name, &e);
	(void)pthread_mutex_lock(&r->lock);
	if (ok) {
		note_filed(r, name, list, n);
	} else {
		r->counts[RECEIPT_FULL] += n;
		note_trouble(r, &e);
	}
	(void)pthread_mutex_unlock(&r->lock);
	answer_group(list, n, ok);
	(void)pthread_mutex_lock(&r->lock);
}

/* While one group is synced the next one gathers: the slower the disk, the larger the groups. */
static void *write_groups(void *of)
{
	struct receiver *r = of;

	(void)pthread_mutex_lock(&r->lock);
	while (!r->stopping || r->pending_len > 0) {
		struct timespec until;

		if (r->pending_len > 0) {
			write_some(r);
			continue;
		}
		if (clock_steady_us() - r->saved_us > (uint64_t)LEDGER_S * 1000000)
			save_ledger(r);
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += LEDGER_S;
		(void)pthread_cond_timedwait(&r->changed, &r->lock, &until);
	}
	save_ledger(r);
	(void)pthread_mutex_unlock(&r->lock);
	return NULL;
}

struct receiver *receiver_open(const struct receiver_how *how)
{
	struct receiver *r = mem_zero(1, sizeof *r);

	r->how = *how;
	r->saved_us = clock_steady_us();
	read_enrolled(r);
	read_ledger(r);
	if (pthread_mutex_init(&r->lock, NULL) != 0 || pthread_cond_init(&r->changed, NULL) != 0 ||
		pthread_create(&r->writer, NULL, write_groups, r) != 0)
		abort();        /* only for want of memory */
	return r;
}

/* A stranger is told one thing only, whichever it is: which names are enrolled is nobody's business. */
static const char stranger[] = "not enrolled here, or not signed with the key that is enrolled: "
	"the centre's list needs the line that `teiten sensor key` prints";

static const struct { unsigned status, retry_s; const char *text; } replies[RECEIPTS] = {
	[RECEIPT_NO_LETTER] = { 400, 0, "not a signed batch" },
	[RECEIPT_UNKNOWN] = { 401, 0, stranger },
	[RECEIPT_FORGED] = { 401, 0, stranger },
	[RECEIPT_NOT_VALID] = { 403, 0, "enrolled, but not for today: see from= and until= in the centre's list" },
	[RECEIPT_CLOCK] = { 422, 0, "the clocks differ by more than ten minutes: set the sensor's" },
	[RECEIPT_LARGE] = { 413, 0, "too large for a batch" },
	[RECEIPT_FAST] = { 429, 10, "too much at once from this sensor: wait" },
	[RECEIPT_BUSY] = { 503, 5, "too much at once from all sensors: wait" },
	[RECEIPT_FULL] = { 507, 60, "no room at the centre: keep it and try again later" },
	[RECEIPT_ALTERED] = { 400, 0, "altered on its way: the body is not the one that was signed" },
	[RECEIPT_DAMAGED] = { 400, 0, "not a batch, or another one than its address says, or too large unpacked" },
	[RECEIPT_UNSOUND] = { 422, 0, "of a time or of numbers that cannot be: before 2000, longer than 31 days, or other packets than its rows say" },
	[RECEIPT_CUT] = { 408, 0, "broken off" },
	[RECEIPT_NOT_FOUND] = { 404, 0, "nothing to read here: sensors deliver with PUT" },
};

static void say(struct reply *rp, enum receipt what, const struct letter *l)
{
	char text[SAY_MAX];

	if (what == RECEIPT_KNOWN) {
		http_say(rp, 200, receipt_text("known", l, text));
		return;
	}
	http_say(rp, replies[what].status, replies[what].text);
	rp->retry_after_s = replies[what].retry_s;
}

static bool copy_head(const struct request *rq, const char *name, char out[LETTER_HEAD_MAX])
{
	return (size_t)snprintf(out, LETTER_HEAD_MAX, "%s", http_header(rq, name)) < LETTER_HEAD_MAX && out[0] != '\0';
}

static bool read_letter(const struct request *rq, struct letter *l, struct letter_heads *heads)
{
	int64_t created;

	return letter_parse(rq->path, l) && copy_head(rq, "Content-Digest", heads->content_digest) &&
		copy_head(rq, "Signature-Input", heads->signature_input) && copy_head(rq, "Signature", heads->signature) &&
		letter_created(l, heads, &created);
}

/* More than ten minutes apart, one of the clocks is wrong. */
static bool clock_agrees(int64_t then_s, int64_t now_s)
{
	return then_s - now_s <= RECEIVER_CLOCK_S && now_s - then_s <= RECEIVER_CLOCK_S;
}

static bool has_tokens(struct station *s, size_t len)
{
	uint64_t now = clock_steady_us();

	s->tokens += (double)(now - s->at_us) / 1e6 * RECEIVER_RATE;
	s->tokens = s->tokens > RECEIVER_BURST ? RECEIVER_BURST : s->tokens;
	s->at_us = now;
	if (s->tokens < (double)len)
		return false;
	s->tokens -= (double)len;
	return true;
}

static bool has_room(const struct receiver *r, const struct station *s, size_t len)
{
	return r->spool_bytes + len <= r->how.spool_max && s->waiting + len <= r->how.spool_max / SHARE &&
		file_free_bytes(r->how.spool) > FREE_MIN;
}

/* Whoever it is, the signature is looked at: how long an answer takes tells no name. Without the lock: it is most of the work. */
static enum receipt identify(struct receiver *r, const struct letter *l, const struct letter_heads *heads, size_t len, struct enrolment *out)
{
	static const struct enrolment nobody = { .name = "" };
	const struct enrolment *one;

	(void)pthread_mutex_lock(&r->lock);
	look_around(r);
	one = enrolled_find(&r->enrolled, l->sensor);
	*out = one ? *one : nobody;
	(void)pthread_mutex_unlock(&r->lock);
	bool holds = letter_holds(l, heads, len, &out->key);
	return !out->name[0] ? RECEIPT_UNKNOWN : holds ? RECEIPT_TAKEN : RECEIPT_FORGED;
}

/* With the lock. RECEIPT_TAKEN lets the body in. */
static enum receipt admit(struct receiver *r, const struct letter *l, const struct letter_heads *heads, size_t len, const struct enrolment *one,
	void **guest)
{
	int64_t now = clock_wall_s(), created = 0;
	struct station *s;

	if (now / 60 < one->valid.from || now / 60 >= one->valid.until)
		return RECEIPT_NOT_VALID;
	if (!letter_created(l, heads, &created) || !clock_agrees(created, now))
		return RECEIPT_CLOCK;
	if (!(s = station_of(r, l->sensor)) || r->stopping)
		return RECEIPT_BUSY;
	if (!has_tokens(s, len))
		return RECEIPT_FAST;
	if (ledger_has(&s->ledger, l->epoch, l->serial))
		return RECEIPT_KNOWN;
	if (r->flight + len > RECEIVER_FLIGHT_MAX || s->flight + len > RECEIVER_GUEST_MAX)
		return RECEIPT_BUSY;
	if (!has_room(r, s, len))
		return RECEIPT_FULL;
	r->flight += len;
	s->flight += len;
	*guest = s;
	return RECEIPT_TAKEN;
}

bool receiver_greet(void *to, const struct request *rq, size_t len, struct reply *rp, void **guest)
{
	struct receiver *r = to;
	struct letter letter = { 0 };
	struct letter_heads heads;
	struct enrolment one;
	enum receipt what = len > RECEIVER_BODY_MAX ? RECEIPT_LARGE : read_letter(rq, &letter, &heads) ? RECEIPT_TAKEN : RECEIPT_NO_LETTER;

	if (what == RECEIPT_TAKEN)
		what = identify(r, &letter, &heads, len, &one);
	(void)pthread_mutex_lock(&r->lock);
	if (what == RECEIPT_TAKEN)
		what = admit(r, &letter, &heads, len, &one, guest);
	r->counts[what] += what != RECEIPT_TAKEN;
	(void)pthread_mutex_unlock(&r->lock);
	if (what != RECEIPT_TAKEN)
		say(rp, what, &letter);
	return what == RECEIPT_TAKEN;
}

void receiver_leave(void *to, void *guest, size_t len, bool whole)
{
	struct receiver *r = to;
	struct station *s = guest;

	(void)pthread_mutex_lock(&r->lock);
	r->flight -= len;
	s->flight -= len;
	r->counts[RECEIPT_CUT] += !whole;
	(void)pthread_mutex_unlock(&r->lock);
}

/* Nothing is put into the spool that is not a batch, and of that sensor, and of a time that has been, and like a sensor's. */
static enum receipt look_into(const struct letter *l, const struct buf *body)
{
	struct batch b;
	struct err e;

	if (batch_unpacked(body->at, body->len) > RECEIVER_UNPACKED_MAX || !batch_decode(&b, body->at, body->len, &e))
		return RECEIPT_DAMAGED;
	bool same = !strcmp(b.sensor, l->sensor) && b.epoch == l->epoch && b.serial == l->serial;
	bool been = (int64_t)b.span.until * 60 - 60 <= clock_wall_s() + RECEIVER_CLOCK_S;
	bool plausible = batch_plausible(&b, &e);
	batch_release(&b);
	return !same ? RECEIPT_DAMAGED : !been ? RECEIPT_CLOCK : !plausible ? RECEIPT_UNSOUND : RECEIPT_TAKEN;
}

static enum receipt queue(struct receiver *r, const struct letter *l, const struct request *rq)
{
	struct station *s = station_of(r, l->sensor);
	struct pending p = { .exchange = rq->exchange, .station = s, .letter = *l,
		.bytes = buf_make(RECEIVER_BODY_MAX) };

	if (!s || r->stopping)
		return RECEIPT_BUSY;
	if (ledger_has(&s->ledger, l->epoch, l->serial))
		return RECEIPT_KNOWN;
	for (size_t i = 0; i < r->pending_len; i++)
		if (r->pending[i].station == s && r->pending[i].letter.epoch == l->epoch && r->pending[i].letter.serial == l->serial)
			return RECEIPT_BUSY;    /* the same one is on its way: ask again */
	buf_bytes(&p.bytes, rq->body->at, rq->body->len);
	http_later(rq);
	MEM_GROW(r->pending, r->pending_len, r->pending_cap);
	r->pending[r->pending_len++] = p;
	(void)pthread_cond_signal(&r->changed);
	return RECEIPT_TAKEN;
}

void receiver_take(void *to, const struct request *rq, struct reply *rp)
{
	struct receiver *r = to;
	struct letter letter;
	struct letter_heads heads;
	bool reads = strcmp(rq->method, "PUT") != 0;
	enum receipt what = reads ? RECEIPT_NOT_FOUND : RECEIPT_NO_LETTER;

	if (!reads && read_letter(rq, &letter, &heads))
		what = letter_body_holds(&heads, rq->body->at, rq->body->len) ? look_into(&letter, rq->body) : RECEIPT_ALTERED;
	(void)pthread_mutex_lock(&r->lock);
	if (what == RECEIPT_TAKEN)
		what = queue(r, &letter, rq);
	r->counts[what] += what != RECEIPT_TAKEN;
	(void)pthread_mutex_unlock(&r->lock);
	if (what != RECEIPT_TAKEN)
		say(rp, what, &letter);
}

void receiver_counts(struct receiver *r, uint64_t out[RECEIPTS])
{
	(void)pthread_mutex_lock(&r->lock);
	memcpy(out, r->counts, sizeof r->counts);
	(void)pthread_mutex_unlock(&r->lock);
}

bool receiver_trouble(struct receiver *r, struct err *e)
{
	(void)pthread_mutex_lock(&r->lock);
	look_around(r);
	bool any = r->troubles_len > 0;
	if (any) {
		*e = r->troubles[0];
		memmove(r->troubles, r->troubles + 1, --r->troubles_len * sizeof *r->troubles);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return any;
}

void receiver_stop(struct receiver *r)
{
	(void)pthread_mutex_lock(&r->lock);
	r->stopping = true;
	(void)pthread_cond_signal(&r->changed);
	(void)pthread_mutex_unlock(&r->lock);
	(void)pthread_join(r->writer, NULL);
}

void receiver_close(struct receiver *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->stations_len; i++) {
		ledger_release(&r->stations[i]->ledger);
		free(r->stations[i]);
	}
	for (size_t i = 0; i < r->filed_len; i++)
		free(r->filed[i].parts);
	enrolled_release(&r->enrolled);
	free(r->pending);
	free(r->filed);
	free(r);
}
