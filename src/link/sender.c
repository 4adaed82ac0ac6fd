#include "link/sender.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "core/batch.h"
#include "link/letter.h"
#include "spool/room.h"
#include "spool/spool.h"

#include <string.h>
#include <unistd.h>

enum { URL_MAX = 512, REFUSED_MAX = 1024, REFUSED_S = 300 };

struct sender {
	struct sender_how how;
	struct client *client;
	bool newest;                    /* whose turn it is */
	size_t waiting;
	/* those that the centre refused for what they are: not before that time again, and nobody waits for them */
	struct refused { char name[SPOOL_NAME_MAX]; uint64_t until_us; } refused[REFUSED_MAX]; size_t refused_len;
};

bool sender_may_go_to(const char *centre, struct err *e)
{
	static const char secure[] = "https://", plain[] = "http://";
	size_t len = strlen(centre);

	if (!strpbrk(centre, "@?#") && len < URL_MAX - LETTER_PATH_MAX && ((!strncmp(centre, secure, sizeof secure - 1) && len > sizeof secure - 1) ||
		(!strncmp(centre, plain, sizeof plain - 1) && client_local(centre + sizeof plain - 1))))
		return true;
	err_asked(e, "not a centre's address: \"%.100s\"", centre);
	return err_expected(e, "https://HOST:PORT; http:// only for this machine");
}

struct sender *sender_open(const struct sender_how *how)
{
	struct sender *s = mem_zero(1, sizeof *s);

	s->how = *how;
	s->client = client_open(&s->how.client);
	s->newest = true;
	return s;
}

void sender_close(struct sender *s)
{
	if (s)
		client_close(s->client);
	free(s);
}

static bool put(struct sender *s, const struct letter *l, const struct buf *body, struct client_reply *reply, struct err *e)
{
	char url[URL_MAX], path[LETTER_PATH_MAX], text[LETTER_LINES][LETTER_LINE_MAX];
	size_t len = strlen(s->how.centre);
	struct letter_heads heads;

	letter_sign(l, body->at, body->len, &s->how.secret, clock_wall_s(), &heads);
	letter_lines(&heads, text);
	(void)snprintf(url, sizeof url, "%.*s%s", (int)(len - (s->how.centre[len - 1] == '/')), s->how.centre, letter_path(l, path));
	return client_send(s->client, "PUT", url, (const char *const[]){ "Content-Type: application/octet-stream", text[0], text[1], text[2], NULL }, body->at, body->len, reply, e);
}

/* What the file holds: its bytes, and which batch it says it is. */
static bool read_one(const struct sender *s, const char *name, struct buf *bytes, struct letter *l, struct err *e)
{
	char path[PATH_TEXT_MAX];
	struct batch b;

	if (!file_path(path, s->how.spool, name, e) || !(file_regular(path) || err_set(e, "not a file")) || !file_read(path, bytes, e) ||
		!batch_decode(&b, bytes->at, bytes->len, e))
		return err_in(e, "%s", name);
	memcpy(l->sensor, b.sensor, sizeof l->sensor);
	l->epoch = b.epoch;
	l->serial = b.serial;
	batch_release(&b);
	return true;
}

/* Only who has it on the disk says so in these words, and of which one. */
static bool is_receipt(const struct client_reply *reply, const struct letter *l)
{
	char path[LETTER_PATH_MAX], taken[LETTER_PATH_MAX + 8], known[LETTER_PATH_MAX + 8];

	(void)snprintf(taken, sizeof taken, "taken %s", letter_path(l, path));
	(void)snprintf(known, sizeof known, "known %s", path);
	return reply->status == 200 && (!strcmp(reply->text, taken) || !strcmp(reply->text, known));
}

/* What waiting will not change. */
static bool is_final(unsigned status)
{
	return status == 400 || status == 401 || status == 403 || status == 411 || status == 413 || status == 422;
}

static enum sent judge(const struct client_reply *reply, const struct letter *l, unsigned *retry_after_s, struct err *e)
{
	if (is_receipt(reply, l))
		return SENT_ONE;
	*retry_after_s = reply->retry_after_s;
	if (reply->status == 200) {
		err_set(e, "an answer that is no receipt of a centre's");
		err_expected(e, "the address of a collector: what answers there is something else");
		return SENT_LATER;
	}
	err_set(e, "%u: %s", reply->status, reply->text[0] ? reply->text : "no reason given");
	return is_final(reply->status) ? SENT_REFUSED : SENT_LATER;
}

static enum sent send_held(struct sender *s, const char *name, unsigned *retry_after_s, struct err *e)
{
	struct buf bytes = buf_make(SPOOL_FILE_MAX);
	struct client_reply reply;
	struct letter l = { 0 };
	enum sent what = SENT_LATER;
	struct err other;

	if (!read_one(s, name, &bytes, &l, e)) {
		what = SENT_ASIDE;
		if (!spool_refuse(s->how.spool, name, &other)) {
			*e = other;
			what = SENT_REFUSED;
		}
	} else if (!put(s, &l, &bytes, &reply, e)) {
		err_in(e, "%s", s->how.centre);
	} else if ((what = judge(&reply, &l, retry_after_s, e)) != SENT_ONE) {
		err_in(e, "%s", s->how.centre);
	} else if (!spool_drop(s->how.spool, name, e)) {
		what = SENT_LATER;
	}
	buf_release(&bytes);
	return what;
}

static enum sent send_one(struct sender *s, const char *name, unsigned *retry_after_s, struct err *e)
{
	int held;

	if (!room_hold(s->how.spool, name, &held, e))
		return SENT_REFUSED;
	if (held < 0)
		return SENT_GONE;
	enum sent what = send_held(s, name, retry_after_s, e);
	(void)close(held);
	return what;
}

/* Whether it was refused a short while ago. */
static bool must_wait(struct sender *s, const char *name)
{
	for (size_t i = 0; i < s->refused_len; i++) {
		if (strcmp(s->refused[i].name, name) != 0)
			continue;
		if (clock_steady_us() < s->refused[i].until_us)
			return true;
		s->refused[i] = s->refused[--s->refused_len];
		return false;
	}
	return false;
}

static void note_refused(struct sender *s, const char *name)
{
	struct refused *one = &s->refused[s->refused_len < REFUSED_MAX ? s->refused_len++ : 0];

	memcpy(one->name, name, strlen(name) + 1);
	one->until_us = clock_steady_us() + (uint64_t)REFUSED_S * 1000000;
}

/* The newest or the oldest that may go; NULL for none. */
static const char *choose(struct sender *s, const struct spool_list *list)
{
	for (size_t i = 0; i < list->len; i++) {
		const char *name = list->names[s->newest ? list->len - 1 - i : i];

		if (!must_wait(s, name))
			return name;
	}
	return NULL;
}

enum sent sender_next(struct sender *s, unsigned *retry_after_s, struct err *e)
{
	struct spool_list list;
	enum sent what = SENT_NONE;

	*retry_after_s = 0;
	if (!spool_waiting(s->how.spool, &list, e))
		return SENT_LATER;
	const char *name = choose(s, &list);
	s->waiting = list.len;
	if (name)
		what = send_one(s, name, retry_after_s, e);
	if (name && what == SENT_REFUSED)
		note_refused(s, name);
	s->newest = !s->newest;
	spool_list_release(&list);
	return what;
}

size_t sender_waiting(const struct sender *s)
{
	return s->waiting;
}
