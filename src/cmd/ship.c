/* ship: brings a sensor's batches to a centre, for as long as it takes. */
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
#include "base/secret.h"
#include "link/identity.h"
#include "link/sender.h"
#include "spool/spool.h"

#include <inttypes.h>

enum { TICK_MS = 250, BACKOFF_FIRST_MS = 1000, BACKOFF_MAX_MS = 300000, SAY_AGAIN_S = 600 };

struct ship {
	char spool[PATH_TEXT_MAX], key[PATH_TEXT_MAX], agent[64];
	struct sender_how how;
	const char *user;
	bool once, prove;
	unsigned backoff_ms;
	bool troubled;                  /* and said so */
	uint64_t said_us;
	struct metrics metrics;
	/* another thread reads them, for /metrics */
	uint64_t sent, refused, failed, waiting;
	int64_t last_s;
	char said[ERR_TEXT_MAX];
};

static void tell_metrics(void *of, struct buf *out)
{
	struct ship *s = of;

	metrics_head(out, "teiten_ship_batches_total", "counter", "Batches by what became of the attempt to deliver them.");
	buf_printf(out, "teiten_ship_batches_total{result=\"delivered\"} %" PRIu64 "\n", __atomic_load_n(&s->sent, __ATOMIC_RELAXED));
	buf_printf(out, "teiten_ship_batches_total{result=\"refused\"} %" PRIu64 "\n", __atomic_load_n(&s->refused, __ATOMIC_RELAXED));
	buf_printf(out, "teiten_ship_batches_total{result=\"failed\"} %" PRIu64 "\n", __atomic_load_n(&s->failed, __ATOMIC_RELAXED));
	metrics_head(out, "teiten_ship_waiting_batches", "gauge", "Batches that wait to be delivered.");
	buf_printf(out, "teiten_ship_waiting_batches %" PRIu64 "\n", __atomic_load_n(&s->waiting, __ATOMIC_RELAXED));
	metrics_head(out, "teiten_ship_last_delivery_timestamp_seconds", "gauge", "When the centre took a batch last; 0: not yet.");
	buf_printf(out, "teiten_ship_last_delivery_timestamp_seconds %" PRId64 "\n", __atomic_load_n(&s->last_s, __ATOMIC_RELAXED));
	metrics_left(s->spool, out);
}

static bool read_settings(const struct args *a, struct ship *s, struct err *e)
{
	const char *dir = place_dir(a);
	uint64_t kib = 0;

	s->how.centre = args_value(a, "to");
	if (!s->how.centre) {
		err_asked(e, "nothing says where the centre is");
		return err_expected(e, "--to https://HOST:PORT");
	}
	if (!sender_may_go_to(s->how.centre, e) || !args_whole("bandwidth", args_value(a, "bandwidth"), SENDER_KIB_MIN, SENDER_KIB_MAX, &kib, e) ||
		!file_path(s->spool, dir, "spool", e) || !spool_open(s->spool, e) || !file_path(s->key, dir, "sensor.key", e) || !identity_has_key(dir, e))
		return false;
	(void)snprintf(s->agent, sizeof s->agent, "teiten/%s", teiten_version);
	s->how.spool = s->spool;
	s->how.client = (struct client_how){ .ca = args_value(a, "ca"), .proxy = args_value(a, "proxy"), .bytes_a_second = (size_t)kib << 10,
		.agent = s->agent, .ending = ending };
	s->once = args_given(a, "once");
	s->user = args_value(a, "user");
	s->prove = args_given(a, "prove");
	s->metrics = (struct metrics){ .listen = args_value(a, "metrics"), .fn = tell_metrics, .of = s };
	return sign_secret_read(s->key, &s->how.secret, e);
}

/* The key is read; it goes on with the spool, and what a TLS connection needs to know of the system. */
static bool give_up_rights(struct ship *s, struct err *e)
{
	const char *const readable[] = { RIGHTS_OF_WHO_CONNECTS, s->how.client.ca, NULL };
	struct confine_how how = { .user = s->user, .folder = s->spool, .readable = readable, .network = NETWORK_CONNECTS };

	return metrics_listen(&s->metrics, e) && rights_give_up(&how, s->prove, e);
}

/* The same trouble once in ten minutes is enough. */
static void say(struct ship *s, const struct err *e)
{
	char text[ERR_TEXT_MAX];

	(void)err_text(e, text);
	if (s->troubled && !strcmp(text, s->said) && clock_steady_us() - s->said_us < (uint64_t)SAY_AGAIN_S * 1000000)
		return;
	log_err(e);
	memcpy(s->said, text, sizeof s->said);
	s->said_us = clock_steady_us();
	s->troubled = true;
}

/* Between half of it and all of it, so that many sensors do not come back in one moment; longer if the centre asked for it. */
static unsigned jittered(const struct ship *s, unsigned retry_after_s)
{
	unsigned half = s->backoff_ms / 2;
	uint32_t chance;

	secret_fill(&chance, sizeof chance);
	unsigned wait_ms = half + chance % (half + 1);
	return wait_ms > retry_after_s * 1000 ? wait_ms : retry_after_s * 1000;
}

static void wait_ms(unsigned ms)
{
	uint64_t until_us = clock_steady_us() + (uint64_t)ms * 1000;

	while (!ending() && clock_steady_us() < until_us)
		clock_sleep_ms(ms < TICK_MS ? ms : TICK_MS);
}

static void fail(struct ship *s, unsigned retry_after_s, const struct err *e)
{
	if (ending())
		return;         /* it was we who broke it off */
	say(s, e);
	(void)__atomic_add_fetch(&s->failed, 1, __ATOMIC_RELAXED);
	s->backoff_ms = s->backoff_ms ? s->backoff_ms * 2 : BACKOFF_FIRST_MS;
	s->backoff_ms = s->backoff_ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : s->backoff_ms;
	if (!s->once)
		wait_ms(jittered(s, retry_after_s));
}

static void succeed(struct ship *s, const struct sender *sender)
{
	if (s->troubled)
		log_line("%s takes batches again; %zu wait", s->how.centre, sender_waiting(sender) - 1);
	s->troubled = false;
	s->backoff_ms = 0;
	(void)__atomic_add_fetch(&s->sent, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&s->last_s, clock_wall_s(), __ATOMIC_RELAXED);
}

/* Until there is no more to do, with --once; else until it is asked to end. */
static bool deliver(struct ship *s)
{
	struct sender *sender = sender_open(&s->how);
	enum sent what = SENT_ONE;

	while (!ending() && !(s->once && (what == SENT_NONE || what == SENT_LATER))) {
		unsigned retry_after_s;
		struct err e;

		what = sender_next(sender, &retry_after_s, &e);
		__atomic_store_n(&s->waiting, sender_waiting(sender) - (what == SENT_ONE), __ATOMIC_RELAXED);
		switch (what) {
		case SENT_NONE: wait_ms(s->once ? 0 : TICK_MS); break;
		case SENT_ONE: succeed(s, sender); break;
		case SENT_GONE: wait_ms(TICK_MS); break;
		case SENT_ASIDE: log_err(&e); break;
		case SENT_REFUSED: say(s, &e); (void)__atomic_add_fetch(&s->refused, 1, __ATOMIC_RELAXED); break;
		case SENT_LATER: fail(s, retry_after_s, &e); break;
		}
	}
	sender_close(sender);
	return !s->once || (what == SENT_NONE && s->refused == 0);
}

static int run_ship(const struct args *a)
{
	static struct ship s;
	char n[NUM_TEXT_MAX];
	struct err e;

	ending_catch();
	log_daemon("ship");
	if (!read_settings(a, &s, &e)) {
		log_err(&e);
		return e.kind == ERR_ASKED ? EXIT_WRONG_USE : EXIT_REFUSED;
	}
	client_prepare();
	if (!give_up_rights(&s, &e)) {
		log_err(&e);
		return EXIT_REFUSED;
	}
	struct http *metrics = NULL;
	if (!metrics_serve(&s.metrics, &metrics, &e)) {
		log_err(&e);
		return EXIT_REFUSED;
	}
	log_line("to %s", s.how.centre);
	if (metrics)
		log_line("metrics: http://%s/metrics", http_address(metrics));
	bool done = deliver(&s);
	http_close(metrics);
	log_line("ending: %s batches delivered", num_grouped(s.sent, n));
	return done ? EXIT_DONE : EXIT_REFUSED;
}

static const struct option options[] = {
	{ "to", "URL", "the centre's address: https://HOST:PORT" },
	{ "data", "DIR", "the sensor's folder, with its spool and its key (default ./teiten-data)" },
	{ "ca", "FILE", "the authority of the centre's certificate (PEM), where the system does not know it" },
	{ "proxy", "URL", "a proxy on the way; without it, https_proxy of the environment" },
	{ "bandwidth", "KIB", "at most so many KiB a second" },
	{ "user", "NAME", "become this user once the key is read" },
	{ "prove", NULL, "try at the start what must not work any more, and say so" },
	{ "metrics", "ADDRESS:PORT", "where counters, the sensor's too, can be read on this machine: /metrics, /healthz" },
	{ "once", NULL, "deliver what waits and end, instead of waiting for more" },
	{ NULL, NULL, NULL },
};

const struct command command_ship = {
	.name = "ship",
	.usage = "--to URL [OPTION]...",
	.summary = "bring a sensor's batches to a centre",
	.options = { options },
	.run = run_ship,
	.wordless = true,
};
