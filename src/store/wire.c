#include "store/wire.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/days.h"
#include "store/history.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

void wire_patience(int fd, unsigned receive_s, unsigned send_s)
{
	struct timeval receive = { .tv_sec = receive_s }, send = { .tv_sec = send_s };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &receive, sizeof receive);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &send, sizeof send);
}

static bool too_slow(struct err *e)
{
	err_set(e, "the keep does not answer");
	return err_expected(e, "try again; if it stays so, its log or its disk may say why");
}

static bool send_all(int fd, const void *bytes, size_t len, struct err *e)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? too_slow(e) : err_errno(e, "cannot send to the keep");
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static bool receive_all(int fd, void *bytes, size_t len, struct err *e)
{
	char *at = bytes;

	while (len > 0) {
		ssize_t n = recv(fd, at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? too_slow(e) : err_errno(e, "cannot receive from the keep");
		if (n == 0) {
			err_set(e, "the keep has ended in the middle of its answer");
			return err_expected(e, "when it runs again, try again: what waits in its spool goes in, and nothing counts twice");
		}
		at += n;
		len -= (size_t)n;
	}
	return true;
}

bool wire_send(int fd, enum wire kind, const struct buf *payload, struct err *e)
{
	uint8_t head[5] = { (uint8_t)payload->len, (uint8_t)(payload->len >> 8), (uint8_t)(payload->len >> 16),
		(uint8_t)(payload->len >> 24), (uint8_t)kind };

	if (!payload->ok || payload->len > WIRE_BYTES_MAX)
		return err_set(e, "the message is too large (over %d bytes)", WIRE_BYTES_MAX);
	return send_all(fd, head, sizeof head, e) && send_all(fd, payload->at, payload->len, e);
}

bool wire_receive(int fd, uint8_t *kind, struct buf *payload, struct err *e)
{
	uint8_t head[5], block[65536];

	buf_clear(payload);
	if (!receive_all(fd, head, sizeof head, e))
		return false;
	size_t left = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
	*kind = head[4];
	if (left > WIRE_BYTES_MAX)
		return err_set(e, "the peer's message is too large");
	while (left > 0) {
		size_t n = left < sizeof block ? left : sizeof block;

		if (!receive_all(fd, block, n, e))
			return false;
		buf_bytes(payload, block, n);
		left -= n;
	}
	return payload->ok ? true : err_set(e, "the peer's message does not fit");
}

void sensor_encode(const struct sensor *s, struct buf *out)
{
	buf_u16le(out, s->number);
	buf_text(out, s->name);
	buf_u32le(out, s->addresses);
	buf_text(out, s->group);
	buf_text(out, s->region);
}

bool sensor_decode(struct sensor *s, struct reader *r)
{
	*s = (struct sensor){ .number = read_u16le(r) };
	(void)read_text(r, s->name, sizeof s->name);
	s->addresses = read_u32le(r);
	(void)read_text(r, s->group, sizeof s->group);
	(void)read_text(r, s->region, sizeof s->region);
	return r->ok;
}

void facts_encode(const struct facts *f, struct buf *out)
{
	const uint64_t numbers[] = { (uint64_t)f->made_s, f->held.from, f->held.until, f->batches, f->rows, f->packets, f->lost,
		f->late, f->followed, f->revision };

	buf_text(out, f->zone.name);
	buf_varint(out, f->zone.len);
	for (size_t i = 0; i < f->zone.len; i++) {
		buf_u32le(out, f->zone.rules[i].from);
		buf_u32le(out, (uint32_t)f->zone.rules[i].offset);
	}
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		buf_u64le(out, numbers[i]);
	buf_text(out, f->scanners);
	buf_varint(out, f->len);
	for (size_t i = 0; i < f->len; i++) {
		sensor_encode(&f->sensors[i], out);
		buf_u32le(out, f->watched[i].from);
		buf_u32le(out, f->watched[i].until);
		buf_u64le(out, f->watched_s[i]);
	}
}

static bool zone_decode(struct zone *z, struct reader *r)
{
	(void)read_text(r, z->name, sizeof z->name);
	uint64_t rules = read_varint(r);
	if (!r->ok || rules == 0 || rules > reader_left(r) / 8)
		return false;
	z->len = (size_t)rules;
	z->rules = mem_zero(z->len, sizeof *z->rules);
	for (size_t i = 0; i < z->len; i++) {
		z->rules[i].from = read_u32le(r);
		z->rules[i].offset = (int)read_u32le(r);
		if (z->rules[i].offset < -1500 || z->rules[i].offset > 1500 || (i == 0 ? z->rules[i].from != 0 :
			z->rules[i].from <= z->rules[i - 1].from))
			return false;
	}
	return r->ok;
}

bool facts_decode(struct facts *f, struct reader *r, struct err *e)
{
	enum { SENSOR_BYTES_MIN = 2 + 1 + 4 + 1 + 1 + 16 };
	uint64_t len = 0;

	*f = (struct facts){ 0 };
	bool ok = zone_decode(&f->zone, r);
	f->made_s = (int64_t)read_u64le(r);
	f->held.from = (minute_t)read_u64le(r);
	f->held.until = (minute_t)read_u64le(r);
	f->batches = read_u64le(r);
	f->rows = read_u64le(r);
	f->packets = read_u64le(r);
	f->lost = read_u64le(r);
	f->late = read_u64le(r);
	f->followed = (minute_t)read_u64le(r);
	f->revision = read_u64le(r);
	(void)read_text(r, f->scanners, sizeof f->scanners);
	len = read_varint(r);
	ok = ok && r->ok && len <= reader_left(r) / SENSOR_BYTES_MIN;
	f->len = ok ? (size_t)len : 0;
	f->sensors = mem_zero(f->len, sizeof *f->sensors);
	f->watched = mem_zero(f->len, sizeof *f->watched);
	f->watched_s = mem_zero(f->len, sizeof *f->watched_s);
	for (size_t i = 0; ok && i < f->len; i++) {
		ok = sensor_decode(&f->sensors[i], r);
		f->watched[i].from = read_u32le(r);
		f->watched[i].until = read_u32le(r);
		f->watched_s[i] = read_u64le(r);
	}
	if (ok && r->ok)
		return true;
	facts_release(f);
	return err_set(e, "the store's facts are cut");
}

static bool address_of(const char *path, struct sockaddr_un *to, struct err *e)
{
	*to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof to->sun_path) {
		err_set(e, "socket path too long: %.120s", path);
		return err_expected(e, "at most %zu characters: a data folder nearer the root, or a relative one", sizeof to->sun_path - 1);
	}
	memcpy(to->sun_path, path, strlen(path) + 1);
	return true;
}

int wire_connect(const char *path, struct err *e)
{
	struct sockaddr_un to;
	int fd;

	if (!address_of(path, &to, e))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	bool forbidden = errno == EACCES;
	err_errno(e, "cannot reach the keep at %s", path);
	err_expected(e, forbidden ? "the keep's user and those of its main group may ask" : "is `teiten keep` or `teiten center` running?");
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

int wire_bind(const char *path, struct err *e)
{
	struct sockaddr_un to;
	int fd;

	if (!address_of(path, &to, e))
		return -1;
	(void)unlink(path);     /* a dead keep's: we hold the folder's lock */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mode_t mask = umask(0117);
	bool ok = fd >= 0 && bind(fd, (const struct sockaddr *)&to, sizeof to) == 0;
	(void)umask(mask);
	if (ok)
		return fd;
	err_errno(e, "cannot make the socket %s", path);
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

bool wire_listen(int fd, struct err *e)
{
	enum { BACKLOG = 64 };

	return listen(fd, BACKLOG) == 0 || err_errno(e, "cannot listen on the keep's socket");
}

static void surge_encode(const struct surge_row *r, struct buf *out)
{
	buf_u32le(out, r->port);
	buf_u32le(out, r->found);
	buf_u8(out, r->alarm);
	buf_u8(out, (uint8_t)r->class);
	buf_u8(out, (uint8_t)r->state);
	buf_u32le(out, r->known);
	buf_u32le(out, r->onset);
	buf_u32le(out, r->peak);
	buf_u32le(out, r->end);
	buf_double(out, r->value);
	buf_double(out, r->expected);
	buf_u32le(out, r->sensors);
	buf_u64le(out, r->new_sources);
}

static void surge_decode(struct surge_row *s, struct reader *r)
{
	s->port = read_u32le(r);
	s->found = read_u32le(r);
	s->alarm = read_u8(r);
	s->class = (enum surge_class)(read_u8(r) % SURGE_CLASSES);
	s->state = (enum surge_state)(read_u8(r) % SURGE_STATES);
	s->known = read_u32le(r);
	s->onset = read_u32le(r);
	s->peak = read_u32le(r);
	s->end = read_u32le(r);
	s->value = read_double(r);
	s->expected = read_double(r);
	s->sensors = read_u32le(r);
	s->new_sources = read_u64le(r);
}

void surges_encode(const struct surge_revision *list, size_t n, struct buf *out)
{
	buf_varint(out, n);
	for (size_t i = 0; i < n; i++) {
		const struct surge_revision *r = &list[i];

		surge_encode(&r->row, out);
		buf_u32le(out, r->revision);
		buf_u64le(out, (uint64_t)r->said_s);
		buf_u32le(out, r->hour);
		buf_u8(out, (uint8_t)r->reason);
		buf_u8(out, (uint8_t)r->verdict);
		buf_text(out, r->by);
		buf_text(out, r->judge);
		buf_text(out, r->note);
	}
}

bool surges_decode(struct surge_revision **list, size_t *n, struct reader *r, struct err *e)
{
	enum { BYTES_MIN = 55 + 18 + 3 };
	uint64_t len = read_varint(r);

	*list = NULL;
	*n = 0;
	if (!r->ok || len > reader_left(r) / BYTES_MIN)
		return err_set(e, "the keep's list of surges is cut");
	*list = mem_zero(len, sizeof **list);
	for (size_t i = 0; i < len && r->ok; i++) {
		struct surge_revision *s = &(*list)[(*n)++];

		surge_decode(&s->row, r);
		s->revision = read_u32le(r);
		s->said_s = (int64_t)read_u64le(r);
		s->hour = read_u32le(r);
		s->reason = (enum surge_reason)(read_u8(r) % SURGE_REASONS);
		s->verdict = (enum surge_verdict)(read_u8(r) % SURGE_VERDICTS);
		(void)read_text(r, s->by, sizeof s->by);
		(void)read_text(r, s->judge, sizeof s->judge);
		(void)read_text(r, s->note, sizeof s->note);
	}
	return r->ok || err_set(e, "the keep's list of surges is cut");
}

void findings_encode(const struct robust_finding *list, size_t n, struct buf *out)
{
	buf_varint(out, n);
	for (size_t i = 0; i < n; i++) {
		const struct robust_finding *f = &list[i];

		buf_u32le(out, (uint32_t)f->key.lo);
		buf_u32le(out, f->day);
		buf_u8(out, f->kind);
		buf_u8(out, f->up);
		buf_u16le(out, f->sensor);
		buf_double(out, f->packets);
		buf_double(out, f->expected);
		buf_u16le(out, f->n);
		buf_u16le(out, f->of);
		buf_double(out, f->level);
		buf_double(out, f->other);
	}
}

bool findings_decode(struct robust_finding **list, size_t *n, struct reader *r, struct err *e)
{
	enum { FINDING_BYTES = 48 };
	uint64_t len = read_varint(r);

	if (!r->ok || len > reader_left(r) / FINDING_BYTES)
		return err_set(e, "the keep's list of findings is cut");
	*n = len;
	*list = mem_zero(len, sizeof **list);
	for (size_t i = 0; i < len; i++) {
		struct robust_finding *f = &(*list)[i];

		f->key.lo = read_u32le(r);
		f->day = read_u32le(r);
		f->kind = read_u8(r);
		f->up = read_u8(r);
		f->sensor = read_u16le(r);
		f->packets = read_double(r);
		f->expected = read_double(r);
		f->n = read_u16le(r);
		f->of = read_u16le(r);
		f->level = read_double(r);
		f->other = read_double(r);
	}
	return r->ok;
}
