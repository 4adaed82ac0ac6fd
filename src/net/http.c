#include "net/http.h"

#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ETAG_MAX = 2 * DIGEST_BYTES + 3 };

struct http {
	struct MHD_Daemon *daemon;
	http_fn *fn;
	void *to;
	char address[HTTP_ADDRESS_MAX];
};

/* One request: made when its first line is read, freed when its reply is sent. */
struct exchange { bool begun, too_long; char url[HTTP_URL_MAX + 1]; };

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
		(void)MHD_add_response_header(r, "Allow", "GET, HEAD");
	if (rp->status == 503)
		(void)MHD_add_response_header(r, "Retry-After", "5");
	if (rp->file_name) {
		(void)snprintf(text, sizeof text, "attachment; filename=\"%s\"", rp->file_name);
		(void)MHD_add_response_header(r, "Content-Disposition", text);
	}
}

/* Sends the reply and releases it. The body's memory goes over to the library. */
static enum MHD_Result send_reply(struct MHD_Connection *c, struct reply *rp)
{
	char etag[ETAG_MAX] = "";

	if (rp->status == 200)
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
	add_headers(r, rp, etag);
	enum MHD_Result sent = MHD_queue_response(c, rp->status, r);
	MHD_destroy_response(r);
	return sent;
}

static void refuse(struct reply *rp, unsigned status, const char *text)
{
	rp->status = status;
	rp->type = "text/plain; charset=utf-8";
	buf_clear(&rp->body);
	buf_printf(&rp->body, "%s\n", text);
}

static enum MHD_Result answer(struct http *h, struct MHD_Connection *c, const char *method, struct exchange *x)
{
	struct reply rp = { .status = 200, .body = buf_make(HTTP_BODY_MAX) };
	char *query = strchr(x->url, '?');
	struct request rq = { .path = x->url, .query = query ? query + 1 : "", .accept_language = header(c, "Accept-Language") };

	if (query)
		*query = '\0';
	if (x->too_long)
		refuse(&rp, 414, "The address is too long.");
	else if (!http_host_is_local(header(c, "Host")))
		refuse(&rp, 421, "These pages are shown on this machine only: ask for localhost.");
	else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		refuse(&rp, 405, "Only GET and HEAD are understood here.");
	else
		h->fn(h->to, &rq, &rp);
	if (!rp.body.ok)
		refuse(&rp, 500, "The reply became too large.");
	return send_reply(c, &rp);
}

/* A reply queued in the first call, before the library has read the request to its end, would cost the connection; so
 * the first call only takes note. A body is read and forgotten: no method that we answer has one. */
static enum MHD_Result on_request(void *of, struct MHD_Connection *c, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_len, void **state)
{
	struct exchange *x = *state;

	(void)url;
	(void)version;
	(void)upload;
	if (!x)
		return MHD_NO;
	if (!x->begun) {
		x->begun = true;
		return MHD_YES;
	}
	if (*upload_len) {
		*upload_len = 0;
		return MHD_YES;
	}
	return answer(of, c, method, x);
}

/* The address as it was sent, before the library takes it apart. */
static void *on_url(void *of, const char *url, struct MHD_Connection *c)
{
	struct exchange *x = mem_zero(1, sizeof *x);
	int len = snprintf(x->url, sizeof x->url, "%s", url);

	(void)of;
	(void)c;
	x->too_long = len > HTTP_URL_MAX;
	return x;
}

static void on_end(void *of, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
	(void)of;
	(void)c;
	(void)why;
	free(*state);
	*state = NULL;
}

union address { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; };

static bool read_address(const char *listen, union address *out, socklen_t *len, struct err *e)
{
	struct authority a;
	uint64_t port;

	*out = (union address){ 0 };
	if (!split_authority(listen, &a) || !num_whole(a.port, 0, UINT16_MAX, &port)) {
		err_set(e, "not an address to listen on: \"%.60s\"", listen);
		return err_expected(e, "ADDRESS:PORT such as 127.0.0.1:8025 or [::1]:8025");
	}
	if (loopback_v4(a.host, &out->v4.sin_addr)) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons((uint16_t)port);
		*len = sizeof out->v4;
	} else if (loopback_v6(a.host, &out->v6.sin6_addr)) {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons((uint16_t)port);
		*len = sizeof out->v6;
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

static int open_socket(const char *listen_text, struct err *e)
{
	union address a;
	socklen_t len = 0;
	int one = 1;

	if (!read_address(listen_text, &a, &len, e))
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
		err_expected(e, "choose another with --listen ADDRESS:PORT, or make run PORT=8026");
	} else {
		err_errno(e, "cannot listen on %s", listen_text);
	}
	(void)close(fd);
	return -1;
}

bool http_may_listen(const char *listen, struct err *e)
{
	union address a;
	socklen_t len;

	return read_address(listen, &a, &len, e);
}

bool http_is_free(const char *listen, struct err *e)
{
	int fd = open_socket(listen, e);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

struct http *http_open(const char *listen, http_fn *fn, void *to, struct err *e)
{
	int fd = open_socket(listen, e);

	if (fd < 0)
		return NULL;
	struct http *h = mem_zero(1, sizeof *h);
	h->fn = fn;
	h->to = to;
	write_address(fd, h->address);
	h->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_request, h,
		MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd,
		MHD_OPTION_THREAD_POOL_SIZE, (unsigned)HTTP_THREADS,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_MEMORY_PER_CONNECTION,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_TIMEOUT_S,
		MHD_OPTION_URI_LOG_CALLBACK, on_url, NULL,
		MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
		MHD_OPTION_END);
	if (h->daemon)
		return h;
	err_set(e, "the HTTP server did not start on %s", listen);
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
	free(h);
}
