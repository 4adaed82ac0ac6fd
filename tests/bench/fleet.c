/* Many sensors at once: fleet keys N DIR makes their keys (lines for a centre's list on standard output); fleet send URL CA DIR
 * BATCHES TUPLES THREADS delivers BATCHES minutes of each of them, the oldest first, as fast as the centre takes them. */
#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "link/enrolled.h"
#include "link/letter.h"
#include "net/client.h"

#include <inttypes.h>
#include <pthread.h>

enum { SOURCES = 1 << 20, SENSORS_MAX = 4096, NAME_CAP = 16, RETRY_MS = 200, BODY_MAX = 4 << 20 };

struct fleet {
	const char *url, *ca;
	struct sign_secret *secrets; size_t len;
	unsigned batches, tuples;
	uint64_t epoch, next, sent, again;      /* next and sums: by all threads */
	minute_t first;
};

static int make_keys(size_t n, const char *dir)
{
	char path[PATH_TEXT_MAX];
	struct sign_secret *secrets = mem_zero(n, sizeof *secrets);
	struct buf line = buf_make(1 << 20);
	struct err e;

	for (size_t i = 0; i < n; i++) {
		struct enrolment one = { .addresses = 1, .valid = { 0, MINUTE_MAX } };

		(void)snprintf(one.name, sizeof one.name, "s%zu", i);
		sign_make(&secrets[i]);
		one.key = sign_public(&secrets[i]);
		buf_clear(&line);
		enrolment_text(&one, &line);
		(void)fputs(buf_cstr(&line), stdout);
	}
	bool ok = file_path(path, dir, "secrets", &e) && file_write(path, secrets, n * sizeof *secrets, &e);
	free(secrets);
	buf_release(&line);
	return ok ? 0 : 1;
}

static uint64_t stirred(uint64_t v)
{
	v = (v ^ v >> 31) * 0x9e3779b97f4a7c15u;
	return v ^ v >> 29;
}

/* Of a million that knock, the same few at all sensors' doors again and again: half of the tuples are of one in eight. */
static uint32_t source_of(uint64_t r)
{
	uint64_t u = r >> 44;

	return 0x0b000000u + (uint32_t)(u * u / SOURCES * u / SOURCES);
}

/* A minute of one sensor: sources and ports as a telescope sees them, few often and many seldom. */
static void fill(const struct fleet *f, size_t sensor, unsigned minute, struct batch *b)
{
	static const uint16_t often[] = { 22, 23, 80, 443, 445, 1433, 2323, 3389, 5060, 8080 };

	*b = (struct batch){ .epoch = f->epoch, .serial = minute + 1, .span = { f->first + minute, f->first + minute + 1 }, .seen = f->tuples };
	(void)snprintf(b->sensor, sizeof b->sensor, "s%zu", sensor);
	for (unsigned i = 0; i < f->tuples; i++) {
		uint64_t r = stirred((uint64_t)sensor << 44 | (uint64_t)minute << 24 | i);
		uint16_t port = r % 10 < 8 ? often[r >> 8 & 7] : (uint16_t)(r >> 16 | 1);

		batch_add(b, &(struct tuple){ .src = addr_v4(source_of(r)), .minute = b->span.from, .port = port, .proto = PROTO_TCP,
			.flags = TCP_SYN, .ttl = 50, .dsts = 1, .packets = 1, .bytes = 40 });
	}
	watch_add(&b->watched, (struct run){ b->span.from, b->span.until, 60 });
}

static void deliver(struct fleet *f, struct client *c, size_t sensor, unsigned minute)
{
	char path[LETTER_PATH_MAX], url[512], text[LETTER_LINES][LETTER_LINE_MAX];
	struct buf body = buf_make(BODY_MAX);
	struct client_reply reply;
	struct letter_heads heads;
	struct letter l = { .epoch = f->epoch, .serial = minute + 1 };
	struct batch b;
	struct err e;

	fill(f, sensor, minute, &b);
	b.len = tuples_settle(b.rows, b.len);
	batch_encode(&b, &body);
	memcpy(l.sensor, b.sensor, sizeof l.sensor);
	(void)snprintf(url, sizeof url, "%s%s", f->url, letter_path(&l, path));
	for (;;) {
		letter_sign(&l, body.at, body.len, &f->secrets[sensor], clock_wall_s(), &heads);
		letter_lines(&heads, text);
		if (client_send(c, "PUT", url, (const char *const[]){ "Content-Type: application/octet-stream", text[0], text[1], text[2], NULL }, body.at, body.len, &reply, &e) && reply.status == 200)
			break;
		(void)__atomic_add_fetch(&f->again, 1, __ATOMIC_RELAXED);
		clock_sleep_ms(RETRY_MS);
	}
	(void)__atomic_add_fetch(&f->sent, b.len, __ATOMIC_RELAXED);
	batch_release(&b);
	buf_release(&body);
}

static void *send_some(void *of)
{
	struct fleet *f = of;
	struct client_how how = { .ca = f->ca, .agent = "bench" };
	struct client *c = client_open(&how);
	uint64_t all = (uint64_t)f->batches * f->len;

	for (uint64_t i; (i = __atomic_fetch_add(&f->next, 1, __ATOMIC_RELAXED)) < all; )
		deliver(f, c, (size_t)(i % f->len), (unsigned)(i / f->len));
	client_close(c);
	return NULL;
}

static int send_all(struct fleet *f, const char *dir, unsigned threads)
{
	struct buf secrets = buf_make(SENSORS_MAX * sizeof *f->secrets);
	char path[PATH_TEXT_MAX];
	pthread_t list[64];
	struct err e;

	if (!file_path(path, dir, "secrets", &e) || !file_read(path, &secrets, &e))
		return 1;
	f->secrets = (struct sign_secret *)(void *)secrets.at;
	f->len = secrets.len / sizeof *f->secrets;
	f->epoch = clock_steady_us();
	f->first = (minute_t)(clock_wall_s() / 60) - f->batches;
	client_prepare();
	uint64_t begun = clock_steady_us();
	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&list[i], NULL, send_some, f) != 0)
			abort();
	for (unsigned i = 0; i < threads; i++)
		(void)pthread_join(list[i], NULL);
	printf("{\"tuples\":%" PRIu64 ",\"seconds\":%.3f,\"again\":%" PRIu64 "}\n", f->sent, (double)(clock_steady_us() - begun) / 1e6, f->again);
	buf_release(&secrets);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "keys"))
		return make_keys(strtoul(argv[2], NULL, 10) % (SENSORS_MAX + 1), argv[3]);
	if (argc == 8 && !strcmp(argv[1], "send")) {
		struct fleet f = { .url = argv[2], .ca = argv[3], .batches = (unsigned)strtoul(argv[5], NULL, 10), .tuples = (unsigned)strtoul(argv[6], NULL, 10) };

		return send_all(&f, argv[4], (unsigned)strtoul(argv[7], NULL, 10) % 65);
	}
	(void)fprintf(stderr, "usage: fleet keys N DIR | fleet send URL CA DIR BATCHES TUPLES THREADS\n");
	return 2;
}
