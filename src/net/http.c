#include "net/http.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ETAG_MAX = 2 * DIGEST_BYTES + 3, SAY_MAX = 240, CUT_OFF_TICK_S = 1 };

/* Somebody who is connected, outside. */
struct peer { struct peer *next, *before; int fd; uint64_t since_us, more_us; bool ours; /* it is we who let the other wait */ };

struct http {
	struct MHD_Daemon *daemon;
	struct http_how how;
	char address[HTTP_ADDRESS_MAX];
	pthread_mutex_t lock;           /* of what follows */
	pthread_cond_t ending;
	pthread_t watching;             /* cuts off who does not finish */
	bool ends;
	struct peer *peers;
	unsigned long long cut_off;
	unsigned long long refused[HTTP_REFUSED];       /* by many threads */
};

/* One request: made when its first line is read, freed when its reply is sent. */
struct exchange {
	struct http *http;
	struct MHD_Connection *connection;
	bool begun, too_long, greeted, whole, later, finished;
	struct buf body;
	size_t told;                    /* how long the body was said to be */
	void *guest;
	struct reply early;             /* status 0: none */
	unsigned status, retry_after_s; char text[SAY_MAX];     /* of a reply that came later */
	char url[HTTP_URL_MAX + 1];
};

/* Host and port of a listening address or a Host header; the port may be absent (then ""). */
struct authority { char host[HTTP_ADDRESS_MAX], port[8]; };

static bool split_authority(const char *text, struct authority *out)
{
	bool bracketed = text[0] == '[';
	const char *host = text + bracketed, *end = bracketed ? strchr(text, ']') : text + strcspn(text, ":");
	const char *rest = end ? end + bracketed : NULL;
	size_t len = end ? (size_t)(end - host) : 0;

	if (!end || len == 0 || len >= sizeof out->host || (*rest != '\0' && *rest != ':'))
		return false;
	rest += *rest == ':';
	if (strlen(rest) >= sizeof out->port)
		return false;
	memcpy(out->host, host, len);
	out->host[len] = '\0';
	(void)snprintf(out->port, sizeof out->port, "%s", rest);
	return true;
}

/* "localhost" is taken for 127.0.0.1 without asking anybody. */
static bool loopback_v4(const char *host, struct in_addr *out)
{
	if (!strcasecmp(host, "localhost"))
		host = "127.0.0.1";
	return inet_pton(AF_INET, host, out) == 1 && ntohl(out->s_addr) >> 24 == 127;
}

static bool loopback_v6(const char *host, struct in6_addr *out)
{
	return inet_pton(AF_INET6, host, out) == 1 && IN6_IS_ADDR_LOOPBACK(out);
}

bool http_host_is_local(const char *host)
{
	struct authority a;
	struct in_addr v4;
	struct in6_addr v6;
	uint64_t port;

	if (!split_authority(host, &a) || (a.port[0] && !num_whole(a.port, 0, UINT16_MAX, &port)))
		return false;
	return host[0] == '[' ? loopback_v6(a.host, &v6) : loopback_v4(a.host, &v4);
}

static const char *header(struct MHD_Connection *c, const char *name)
{
	const char *value = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);

	return value ? value : "";
}

/* Everything a page of ours needs is its own style sheet and pictures, so nothing else is allowed. */
static const struct { const char *name, *value; } security_headers[] = {
	{ "Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
		"frame-ancestors 'none'; base-uri 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Embedder-Policy", "require-corp" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Permissions-Policy", "camera=(), geolocation=(), microphone=()" },
	/* inside pages are asked for again each time; the entity tag makes that cheap */
	{ "Cache-Control", "private, no-cache" },
};

static void etag_of(const struct buf *body, char out[ETAG_MAX])
{
	uint8_t digest[DIGEST_BYTES];
	int len = 1;

	digest_of(body->at, body->len, digest);
	out[0] = '"';
	for (int i = 0; i < DIGEST_BYTES; i++)
		len += snprintf(out + len, (size_t)(ETAG_MAX - len), "%02x", digest[i]);
	out[len] = '"';
	out[len + 1] = '\0';
}

/* If-None-Match (RFC 9110 13.1.2): our tags hold no comma, so a search for the whole tag is enough. */
static bool unchanged(const char *if_none_match, const char *etag)
{
	return !strcmp(if_none_match, "*") || strstr(if_none_match, etag) != NULL;
}

static void add_headers(struct MHD_Response *r, const struct reply *rp, const char *etag)
{
	char text[128];

	for (size_t i = 0; i < sizeof security_headers / sizeof *security_headers; i++)
		(void)MHD_add_response_header(r, security_headers[i].name, security_headers[i].value);
	if (rp->type)
		(void)MHD_add_response_header(r, "Content-Type", rp->type);
	if (etag[0])
		(void)MHD_add_response_header(r, "ETag", etag);
	if (rp->location[0]) {
		(void)MHD_add_response_header(r, "Location", rp->location);
		(void)MHD_add_response_header(r, "Vary", "Accept-Language");
	}
	if (rp->status == 405)
		(void)MHD_add_response_header(r, "Allow", rp->allow ? rp->allow : "GET, HEAD");
	if (rp->status == 503 || rp->retry_after_s) {
		(void)snprintf(text, sizeof text, "%u", rp->retry_after_s ? rp->retry_after_s : 5);
		(void)MHD_add_response_header(r, "Retry-After", text);
	}
	if (rp->file_name) {
		(void)snprintf(text, sizeof text, "attachment; filename=\"%s\"", rp->file_name);
		(void)MHD_add_response_header(r, "Content-Disposition", text);
	}
}

/* Sends the reply and releases it. The body's memory goes over to the library. */
static enum MHD_Result send_reply(struct MHD_Connection *c, const char *method, struct reply *rp)
{
	char etag[ETAG_MAX] = "";

	if (rp->status == 200 && strcmp(method, "PUT") != 0)
		etag_of(&rp->body, etag);
	if (etag[0] && unchanged(header(c, "If-None-Match"), etag)) {
		rp->status = 304;
		rp->type = NULL;
		rp->file_name = NULL;
		buf_release(&rp->body);
	}
	struct MHD_Response *r = MHD_create_response_from_buffer(rp->body.len, rp->body.at, MHD_RESPMEM_MUST_FREE);
	if (!r) {
		buf_release(&rp->body);
		return MHD_NO;
	}
	rp->body = (struct buf){ 0 };
	add_headers(r, rp, etag);
	enum MHD_Result sent = MHD_queue_response(c, rp->status, r);
	MHD_destroy_response(r);
	return sent;
}

void http_say(struct reply *rp, unsigned status, const char *text)
{
	rp->status = status;
	rp->type = "text/plain; charset=utf-8";
	buf_clear(&rp->body);
	buf_printf(&rp->body, "%s\n", text);
}

const char *http_header(const struct request *rq, const char *name)
{
	return header(rq->exchange->connection, name);
}

/* From now on the other waits for us, or we for the other; as much longer as a body of that length may take. */
static void note_wait(struct exchange *x, bool ours, size_t len)
{
	const union MHD_ConnectionInfo *known = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct peer *p = known ? known->socket_context : NULL;

	if (!p)
		return;
	(void)pthread_mutex_lock(&x->http->lock);
	p->ours = ours;
	p->since_us = clock_steady_us();
	p->more_us = (uint64_t)len * 1000000 / HTTP_SLOWEST;
	(void)pthread_mutex_unlock(&x->http->lock);
}

void http_later(const struct request *rq)
{
	rq->exchange->later = true;
	MHD_suspend_connection(rq->exchange->connection);
}

void http_finish(struct exchange *x, unsigned status, const char *text, unsigned retry_after_s)
{
	x->status = status;
	x->retry_after_s = retry_after_s;
	(void)snprintf(x->text, sizeof x->text, "%s", text);
	x->finished = true;
	MHD_resume_connection(x->connection);
}

static struct reply empty_reply(void)
{
	return (struct reply){ .status = 200, .body = buf_make(HTTP_BODY_MAX) };
}

static bool is_read(const struct http *h, const char *method)
{
	return !strcmp(method, "GET") || !strcmp(method, "HEAD") || (h->how.outside && !strcmp(method, "PUT"));
}

static void refuse(struct http *h, enum http_refused which, struct reply *rp, unsigned status, const char *text)
{
	(void)__atomic_add_fetch(&h->refused[which], 1, __ATOMIC_RELAXED);
	http_say(rp, status, text);
}

static void say_not_allowed(struct http *h, struct reply *rp)
{
	rp->allow = h->how.outside ? "GET, HEAD, PUT" : "GET, HEAD";
	refuse(h, HTTP_NOT_ALLOWED, rp, 405, h->how.outside ? "Only GET, HEAD and PUT are understood here." : "Only GET and HEAD are understood here.");
}

static enum MHD_Result answer(struct http *h, const char *method, struct exchange *x)
{
	struct reply rp = empty_reply();
	char *query = strchr(x->url, '?');
	struct request rq = { .method = method, .path = x->url, .query = query ? query + 1 : "", .body = &x->body, .exchange = x,
		.accept_language = header(x->connection, "Accept-Language") };

	if (query)
		*query = '\0';
	if (x->too_long)
		refuse(h, HTTP_LONG_ADDRESS, &rp, 414, "The address is too long.");
	else if (!h->how.outside && !http_host_is_local(header(x->connection, "Host")))
		http_say(&rp, 421, "These pages are shown on this machine only: ask for localhost.");
	else if (!is_read(h, method))
		say_not_allowed(h, &rp);
	else
		h->how.fn(h->how.to, &rq, &rp);
	if (x->later) {                 /* the reply's body belongs to nobody any more */
		buf_release(&rp.body);
		return MHD_YES;
	}
	if (!rp.body.ok)
		http_say(&rp, 500, "The reply became too large.");
	return send_reply(x->connection, method, &rp);
}

/* Before the body of a PUT: how long it will be, and whether anybody wants it. */
static void greet(struct http *h, struct exchange *x)
{
	struct request rq = { .method = "PUT", .path = x->url, .query = "", .body = &x->body, .accept_language = "", .exchange = x };
	uint64_t told = 0;

	x->early = empty_reply();
	if (x->too_long)
		refuse(h, HTTP_LONG_ADDRESS, &x->early, 414, "The address is too long.");
	else if (header(x->connection, "Transfer-Encoding")[0] || !num_whole(header(x->connection, "Content-Length"), 0, UINT64_MAX, &told))
		refuse(h, HTTP_NO_LENGTH, &x->early, 411, "How long the body is must be told, and be so.");
	else
		x->greeted = h->how.greet(h->how.to, &rq, (size_t)told, &x->early, &x->guest);
	assert(!x->greeted || told <= h->how.body_max);
	x->told = (size_t)told;
	x->body = buf_make(h->how.body_max);
	if (x->greeted)
		note_wait(x, false, x->told);
}

static enum MHD_Result take_body(struct exchange *x, const char *bytes, size_t *len)
{
	if (x->greeted && x->body.len + *len <= x->told)
		buf_bytes(&x->body, bytes, *len);
	*len = 0;
	return MHD_YES;
}

static enum MHD_Result send_later(struct exchange *x)
{
	struct reply rp = empty_reply();

	http_say(&rp, x->status, x->text);
	rp.retry_after_s = x->retry_after_s;
	return send_reply(x->connection, "PUT", &rp);
}

/* A reply queued in the first call, before the library has read the request to its end, would cost the connection, and the
 * other would not read it; so a refusal waits for the body's end, unless that is too far off. */
static enum MHD_Result on_request(void *of, struct MHD_Connection *c, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_len, void **state)
{
	struct exchange *x = *state;
	struct http *h = of;

	(void)url;
	(void)version;
	if (!x)
		return MHD_NO;
	if (x->finished)
		return send_later(x);
	if (!x->begun) {
		x->begun = true;
		if (h->how.outside && !strcmp(method, "PUT"))
			greet(h, x);
		return x->early.status == 413 ? send_reply(c, method, &x->early) : MHD_YES;
	}
	if (*upload_len)
		return take_body(x, upload, upload_len);
	x->whole = true;
	note_wait(x, true, 0);
	return x->early.status && !x->greeted ? send_reply(c, method, &x->early) : answer(h, method, x);
}

/* The address as it was sent, before the library takes it apart. */
static void *on_url(void *of, const char *url, struct MHD_Connection *c)
{
	struct exchange *x = mem_zero(1, sizeof *x);
	int len = snprintf(x->url, sizeof x->url, "%s", url);

	x->http = of;
	x->connection = c;
	x->too_long = len > HTTP_URL_MAX;
	return x;
}

static void on_end(void *of, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
	struct exchange *x = *state;
	struct http *h = of;

	(void)c;
	if (!x)
		return;
	if (!x->begun && why == MHD_REQUEST_TERMINATED_WITH_ERROR)      /* the library has answered by itself */
		(void)__atomic_add_fetch(&h->refused[HTTP_MALFORMED], 1, __ATOMIC_RELAXED);
	note_wait(x, false, 0);
	if (x->greeted && h->how.leave)
		h->how.leave(h->how.to, x->guest, x->told, x->whole);
	buf_release(&x->early.body);
	buf_release(&x->body);
	free(x);
	*state = NULL;
}

static void on_peer(void *of, struct MHD_Connection *c, void **state, enum MHD_ConnectionNotificationCode what)
{
	struct http *h = of;
	struct peer *p = *state;

	(void)pthread_mutex_lock(&h->lock);
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		p = mem_zero(1, sizeof *p);
		*p = (struct peer){ .next = h->peers, .fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
			.since_us = clock_steady_us() };
		if (p->next)
			p->next->before = p;
		h->peers = p;
		*state = p;
	} else if (p) {
		*(p->before ? &p->before->next : &h->peers) = p->next;
		if (p->next)
			p->next->before = p->before;
		free(p);
		*state = NULL;
	}
	(void)pthread_mutex_unlock(&h->lock);
}

/* The library counts silence alone: who sends a byte now and then would hold a connection for ever. */
static void cut_off(struct http *h, uint64_t now_us)
{
	for (struct peer *p = h->peers; p; p = p->next)
		if (!p->ours && now_us > p->since_us && now_us - p->since_us > (uint64_t)HTTP_REQUEST_S * 1000000 + p->more_us) {
			(void)shutdown(p->fd, SHUT_RDWR);
			p->ours = true;         /* once is enough */
			h->cut_off++;
		}
}

static void *watch(void *of)
{
	struct http *h = of;

	(void)pthread_mutex_lock(&h->lock);
	while (!h->ends) {
		struct timespec until;

		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += CUT_OFF_TICK_S;
		(void)pthread_cond_timedwait(&h->ending, &h->lock, &until);
		cut_off(h, clock_steady_us());
	}
	(void)pthread_mutex_unlock(&h->lock);
	return NULL;
}

unsigned long long http_cut_off(struct http *h)
{
	(void)pthread_mutex_lock(&h->lock);
	unsigned long long n = h->cut_off;
	(void)pthread_mutex_unlock(&h->lock);
	return n;
}

unsigned long long http_refused(struct http *h, enum http_refused which)
{
	return __atomic_load_n(&h->refused[which], __ATOMIC_RELAXED);
}

const char *http_refused_name(enum http_refused which)
{
	static const char *const names[HTTP_REFUSED] = { "malformed", "no_length", "long_address", "not_allowed" };

	return names[which];
}

union address { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; };

static bool read_address(const char *listen, bool outside, union address *out, socklen_t *len, struct err *e)
{
	struct authority a;
	uint64_t port;

	*out = (union address){ 0 };
	if (!split_authority(listen, &a) || !num_whole(a.port, 0, UINT16_MAX, &port)) {
		err_set(e, "not an address to listen on: \"%.60s\"", listen);
		return err_expected(e, "ADDRESS:PORT such as 127.0.0.1:8025 or [::1]:8025");
	}
	if (loopback_v4(a.host, &out->v4.sin_addr) || (outside && inet_pton(AF_INET, a.host, &out->v4.sin_addr) == 1)) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons((uint16_t)port);
		*len = sizeof out->v4;
	} else if (loopback_v6(a.host, &out->v6.sin6_addr) || (outside && inet_pton(AF_INET6, a.host, &out->v6.sin6_addr) == 1)) {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons((uint16_t)port);
		*len = sizeof out->v6;
	} else if (outside) {
		err_set(e, "not an address to listen on: \"%.60s\"", listen);
		return err_expected(e, "ADDRESS:PORT such as 0.0.0.0:8443 or [::]:8443");
	} else {
		err_set(e, "%.60s is not an address of this machine alone", listen);
		return err_expected(e, "127.0.0.0/8, [::1] or localhost: the inside pages name sensors, and nobody signs in yet");
	}
	return true;
}

static void write_address(int fd, char out[HTTP_ADDRESS_MAX])
{
	union address a = { 0 };
	socklen_t len = sizeof a;
	char host[INET6_ADDRSTRLEN] = "";

	(void)getsockname(fd, &a.any, &len);
	if (a.any.sa_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &a.v6.sin6_addr, host, sizeof host);
		(void)snprintf(out, HTTP_ADDRESS_MAX, "[%s]:%u", host, ntohs(a.v6.sin6_port));
	} else {
		(void)inet_ntop(AF_INET, &a.v4.sin_addr, host, sizeof host);
		(void)snprintf(out, HTTP_ADDRESS_MAX, "%s:%u", host, ntohs(a.v4.sin_port));
	}
}

int http_listen(const char *listen_text, bool outside, struct err *e)
{
	union address a;
	socklen_t len = 0;
	int one = 1;

	if (!read_address(listen_text, outside, &a, &len, e))
		return -1;
	int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		err_errno(e, "cannot make a socket");
		return -1;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, &a.any, len) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	if (errno == EADDRINUSE) {
		err_set(e, "%s is taken", listen_text);
		err_expected(e, outside ? "another port: --collect ADDRESS:PORT" : "choose another with --listen ADDRESS:PORT, or make run PORT=8026");
	} else {
		err_errno(e, "cannot listen on %s", listen_text);
	}
	(void)close(fd);
	return -1;
}

bool http_may_listen(const char *listen, bool outside, struct err *e)
{
	union address a;
	socklen_t len;

	return read_address(listen, outside, &a, &len, e);
}

bool http_is_free(const char *listen, bool outside, struct err *e)
{
	int fd = http_listen(listen, outside, e);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static bool is_any(const union address *a)
{
	return a->any.sa_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr) : a->v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

/* [::] takes the port of IPv4 too. */
bool http_clash(const char *listen, const char *other)
{
	union address a, b;
	socklen_t len;
	struct err e;

	if (!read_address(listen, true, &a, &len, &e) || !read_address(other, true, &b, &len, &e) || a.v4.sin_port != b.v4.sin_port || a.v4.sin_port == 0)
		return false;
	if (a.any.sa_family != b.any.sa_family)
		return is_any(a.any.sa_family == AF_INET6 ? &a : &b);
	return is_any(&a) || is_any(&b) || !memcmp(&a, &b, len);
}

/* A server that listens nowhere, for a moment. */
bool http_tls_right(const char *certificate, const char *key, struct err *e)
{
	struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_NO_LISTEN_SOCKET | MHD_USE_TLS, 0, NULL, NULL, on_request, NULL,
		MHD_OPTION_HTTPS_MEM_CERT, certificate, MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_END);

	if (d) {
		MHD_stop_daemon(d);
		return true;
	}
	err_set(e, "TLS is not possible with this certificate and key");
	return err_expected(e, "both PEM, and belonging together");
}

static bool is_loopback(const char *listen)
{
	struct err e;

	return http_may_listen(listen, false, &e);
}

/* Options that only some servers have: outside, and with TLS. */
static void choose(const struct http *h, struct MHD_OptionItem out[8])
{
	const struct http_how *how = &h->how;
	size_t n = 0;

	/* behind another server all come from one address */
	if (how->outside && !is_loopback(how->listen))
		out[n++] = (struct MHD_OptionItem){ MHD_OPTION_PER_IP_CONNECTION_LIMIT, HTTP_PER_ADDRESS, NULL };
	if (how->certificate) {
		out[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)how->certificate };
		out[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)how->key };
		out[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" };
	}
	out[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
}

static struct MHD_Daemon *start(struct http *h, int fd)
{
	struct MHD_OptionItem more[8];
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME;

	choose(h, more);
	return MHD_start_daemon(h->how.certificate ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, on_request, h,
		MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd,
		MHD_OPTION_THREAD_POOL_SIZE, (unsigned)HTTP_THREADS,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(h->how.outside ? HTTP_MEMORY_OUTSIDE : HTTP_MEMORY_PER_CONNECTION),
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_TIMEOUT_S,
		MHD_OPTION_URI_LOG_CALLBACK, on_url, h,
		MHD_OPTION_NOTIFY_COMPLETED, on_end, h,
		MHD_OPTION_NOTIFY_CONNECTION, on_peer, h,
		MHD_OPTION_ARRAY, more,
		MHD_OPTION_END);
}

struct http *http_open(const struct http_how *how, struct err *e)
{
	int fd = how->socket ? how->socket : http_listen(how->listen, how->outside, e);

	if (fd < 0)
		return NULL;
	struct http *h = mem_zero(1, sizeof *h);
	h->how = *how;
	write_address(fd, h->address);
	if (pthread_mutex_init(&h->lock, NULL) != 0 || pthread_cond_init(&h->ending, NULL) != 0)
		abort();        /* only for want of memory */
	h->daemon = start(h, fd);
	if (h->daemon && (!how->outside || pthread_create(&h->watching, NULL, watch, h) == 0))
		return h;
	err_set(e, "the HTTP server did not start on %s", how->listen);
	if (how->certificate)
		err_expected(e, "a certificate and its key, both PEM, that belong together");
	if (h->daemon)
		MHD_stop_daemon(h->daemon);
	else
		(void)close(fd);
	free(h);
	return NULL;
}

const char *http_address(const struct http *h)
{
	return h->address;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	MHD_stop_daemon(h->daemon);
	(void)pthread_mutex_lock(&h->lock);
	h->ends = true;
	(void)pthread_cond_broadcast(&h->ending);
	(void)pthread_mutex_unlock(&h->lock);
	if (h->how.outside)
		(void)pthread_join(h->watching, NULL);
	(void)pthread_cond_destroy(&h->ending);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}
