/* collect: takes the batches that enrolled sensors deliver, and puts them into the spool of the centre's keep. */
#include "cmd/alone.h"
#include "cmd/commands.h"
#include "cmd/ending.h"
#include "cmd/metrics.h"
#include "cmd/place.h"
#include "cmd/rights.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/num.h"
#include "link/receiver.h"
#include "spool/spool.h"

#include <inttypes.h>

enum { TICK_MS = 200, PEM_MAX = 1 << 20, SPOOL_GIB = 4, SPOOL_GIB_MAX = 1 << 20 };

struct collect {
	char spool[PATH_TEXT_MAX], sensors[PATH_TEXT_MAX], enrolled[PATH_TEXT_MAX], ledger[PATH_TEXT_MAX];
	const char *user;
	bool prove;
	struct buf certificate, key;
	struct receiver_how how;
	struct http_how server;
	struct metrics metrics;
	struct receiver *receiver;
	struct http *http;
};

static bool read_pem(const char *path, struct buf *out, struct err *e)
{
	*out = buf_make(PEM_MAX);
	if (!file_regular(path))
		return err_set(e, "%s is not a file", path);
	return file_read(path, out, e) && buf_cstr(out);
}

/* With a certificate it speaks TLS itself; without, it stands behind a server on this machine that does. */
static bool read_tls(const struct args *a, struct collect *c, struct err *e)
{
	const char *certificate = args_value(a, "certificate"), *key = args_value(a, "key");

	if (!certificate != !key) {
		err_asked(e, "a certificate and its key belong together");
		return err_expected(e, "--certificate FILE --key FILE");
	}
	if (!certificate && !http_may_listen(c->server.listen, false, e)) {
		err_asked(e, "without a certificate it listens on this machine only");
		return err_expected(e, "--certificate FILE --key FILE, or 127.0.0.1:PORT behind a server that speaks TLS");
	}
	if (!certificate)
		return true;
	if (!read_pem(certificate, &c->certificate, e) || !read_pem(key, &c->key, e))
		return false;
	c->server.certificate = buf_cstr(&c->certificate);
	c->server.key = buf_cstr(&c->key);
	return http_tls_right(c->server.certificate, c->server.key, e) || err_in(e, "%s, %s", certificate, key);
}

static void tell_metrics(void *of, struct buf *out)
{
	struct collect *c = of;
	uint64_t counts[RECEIPTS];

	receiver_counts(c->receiver, counts);
	metrics_head(out, "teiten_collect_requests_total", "counter", "Requests of sensors, by what became of them.");
	for (unsigned i = 0; i < RECEIPTS; i++)
		buf_printf(out, "teiten_collect_requests_total{result=\"%s\"} %" PRIu64 "\n", receipt_name((enum receipt)i), counts[i]);
	for (unsigned i = 0; i < HTTP_REFUSED; i++)
		buf_printf(out, "teiten_collect_requests_total{result=\"%s\"} %llu\n", http_refused_name((enum http_refused)i), http_refused(c->http, (enum http_refused)i));
	metrics_head(out, "teiten_collect_cut_off_total", "counter", "Connections that were cut off because a request did not end in time.");
	buf_printf(out, "teiten_collect_cut_off_total %llu\n", http_cut_off(c->http));
	metrics_head(out, "teiten_collect_spool_bytes", "gauge", "Bytes that wait for the keep.");
	buf_printf(out, "teiten_collect_spool_bytes %" PRIu64 "\n", spool_bytes(c->spool));
	metrics_left(c->spool, out);
}

/* What the command line says, by itself. */
static bool read_words(const struct args *a, struct collect *c, uint64_t *gib, struct err *e)
{
	const char *listen = args_value(a, "listen");

	c->server = (struct http_how){ .listen = listen ? listen : "127.0.0.1:8026", .outside = true,
		.body_max = RECEIVER_BODY_MAX, .greet = receiver_greet, .leave = receiver_leave, .fn = receiver_take };
	*gib = SPOOL_GIB;
	return args_whole("spool-max", args_value(a, "spool-max"), 1, SPOOL_GIB_MAX, gib, e) && read_tls(a, c, e);
}

static void release_words(struct collect *c)
{
	buf_release(&c->certificate);
	buf_release(&c->key);
}

static bool is_right(const struct args *a, struct err *e)
{
	const char *metrics = args_value(a, "metrics");
	struct collect c = { 0 };
	uint64_t gib;
	bool ok = read_words(a, &c, &gib, e) && (http_may_listen(c.server.listen, true, e) || err_in(e, "--listen")) &&
		(!metrics || metrics_may_listen(metrics, e) || err_in(e, "--metrics")) && confine_knows(args_value(a, "user"), e);

	release_words(&c);
	return ok;
}

static bool read_settings(const struct args *a, struct collect *c, struct err *e)
{
	const char *dir = place_dir(a);
	uint64_t gib;

	if (!read_words(a, c, &gib, e) || !file_path(c->spool, dir, "spool", e) || !spool_open(c->spool, e) ||
		!file_path(c->ledger, c->spool, "received", e) ||
		!file_path(c->sensors, dir, "sensors", e) || !file_make_dir(c->sensors, e) || !file_path(c->enrolled, c->sensors, "enrolled", e))
		return false;
	c->user = args_value(a, "user");
	c->prove = args_given(a, "prove");
	c->metrics = (struct metrics){ .listen = args_value(a, "metrics"), .fn = tell_metrics, .of = c };
	c->how = (struct receiver_how){ .spool = c->spool, .enrolled = c->enrolled, .ledger = c->ledger, .spool_max = gib << 30 };
	return true;
}

static void tell_one(struct buf *out, const char *what, unsigned long long n)
{
	if (n)
		buf_printf(out, "%s%s %llu", out->len ? ", " : "", what, n);
}

static void tell(struct receiver *r, struct http *h)
{
	uint64_t counts[RECEIPTS];
	struct buf out = buf_make(1 << 12);

	receiver_counts(r, counts);
	for (unsigned i = 0; i < RECEIPTS; i++)
		tell_one(&out, receipt_name((enum receipt)i), counts[i]);
	for (unsigned i = 0; i < HTTP_REFUSED; i++)
		tell_one(&out, http_refused_name((enum http_refused)i), http_refused(h, (enum http_refused)i));
	tell_one(&out, "cut off", http_cut_off(h));
	log_line("ending: %s", out.len ? buf_cstr(&out) : "nothing came");
	buf_release(&out);
}

/* It goes on with a socket that listens, the list of sensors to read, and the spool to write; the store is out of reach. */
static bool give_up_rights(struct collect *c, struct err *e)
{
	const char *const readable[] = { c->sensors, NULL };
	struct confine_how how = { .user = c->user, .folder = c->spool, .readable = readable, .network = NETWORK_SERVES };

	c->server.socket = http_listen(c->server.listen, true, e);
	return c->server.socket >= 0 && metrics_listen(&c->metrics, e) && rights_give_up(&how, c->prove, e) &&
		alone_in(c->spool, ".collects", "a collector works", e);
}

static void wait_for_end(struct collect *c)
{
	struct err trouble;

	while (!ending()) {
		while (receiver_trouble(c->receiver, &trouble))
			log_err(&trouble);
		clock_sleep_ms(TICK_MS);
	}
}

static bool serve(struct collect *c, struct err *e)
{
	struct http *metrics = NULL;

	c->receiver = receiver_open(&c->how);
	c->server.to = c->receiver;
	c->http = http_open(&c->server, e);
	bool ok = c->http && metrics_serve(&c->metrics, &metrics, e);
	if (ok) {
		log_line("collecting on %s%s", http_address(c->http), c->server.certificate ? " with TLS" : ", without TLS: behind a server that has it");
		printf("ready: %s://%s\n", c->server.certificate ? "https" : "http", http_address(c->http));
		if (metrics)
			printf("metrics: http://%s/metrics\n", http_address(metrics));
		(void)fflush(stdout);
		wait_for_end(c);
	}
	http_close(metrics);
	receiver_stop(c->receiver);
	if (ok)
		tell(c->receiver, c->http);
	http_close(c->http);
	receiver_close(c->receiver);
	return ok;
}

static int run_collect(const struct args *a)
{
	static struct collect c;
	struct err e;

	ending_catch();
	log_daemon("collect");
	bool ok = read_settings(a, &c, &e) && give_up_rights(&c, &e) && serve(&c, &e);
	release_words(&c);
	if (ok)
		return EXIT_DONE;
	log_err(&e);
	return e.kind == ERR_ASKED ? EXIT_WRONG_USE : EXIT_REFUSED;
}

static const struct option options[] = {
	{ "data", "DIR", "the observatory's folder (default ./teiten-data): its file sensors/enrolled says who may deliver" },
	{ "listen", "ADDRESS:PORT", "where sensors deliver (default 127.0.0.1:8026)" },
	{ "certificate", "FILE", "speak TLS with this certificate (PEM, with its chain)" },
	{ "key", "FILE", "the certificate's key (PEM)" },
	{ "user", "NAME", "become this user once it listens" },
	{ "prove", NULL, "try at the start what must not work any more, and say so" },
	{ "metrics", "ADDRESS:PORT", "where its counters can be read on this machine: /metrics, /healthz" },
	{ "spool-max", "GIB", "how much may wait for the keep (default 4); one sensor may have a quarter of it" },
	{ NULL, NULL, NULL },
};

const struct command command_collect = {
	.name = "collect",
	.usage = "[OPTION]...",
	.summary = "take the batches that enrolled sensors deliver",
	.options = { options },
	.run = run_collect,
	.right = is_right,
	.wordless = true,
};
