/* http: a small HTTP/1.1 server on the loopback interface; the only includer of libmicrohttpd.
 *
 * It takes GET and HEAD, refuses requests for hosts that are not this machine (DNS rebinding), sets the security headers
 * and entity tags, and keeps the limits below. What a path means is the handler's business. */
#ifndef TEITEN_HTTP_H
#define TEITEN_HTTP_H

#include "base/bytes.h"

#include <stdbool.h>

struct err;
struct http;

enum {
	HTTP_URL_MAX = 4096,
	HTTP_BODY_MAX = 64 << 20,               /* of a reply */
	HTTP_CONNECTIONS_MAX = 800,             /* all from this machine: beyond it they wait */
	HTTP_MEMORY_PER_CONNECTION = 256 << 10,         /* what is not used is not touched; an address may be all parameters */
	HTTP_TIMEOUT_S = 10,
	HTTP_THREADS = 4,
	HTTP_ADDRESS_MAX = 64,
};

/* Borrowed for the length of the call. Path and query are as sent: nothing is decoded. */
struct request {
	const char *path;
	const char *query;              /* behind the "?"; "" when there is none */
	const char *accept_language;    /* "" when not sent */
};

/* Comes empty; the handler fills it, the server releases it. */
struct reply {
	unsigned status;                /* 200 unless the handler says otherwise */
	const char *type;               /* "text/html; charset=utf-8"; outlives the reply */
	struct buf body;
	char location[256];             /* with a redirect; "" otherwise */
	const char *file_name;          /* offered for saving; NULL: shown */
};

/* Called from several threads at once. */
typedef void http_fn(void *to, const struct request *rq, struct reply *rp);

/* listen: "127.0.0.1:8025", "[::1]:8025" or "localhost:8025"; port 0 lets the system choose. Anything but loopback is
 * refused. Serves until http_close, which waits for running handlers. */
struct http *http_open(const char *listen, http_fn *fn, void *to, struct err *e);
bool http_may_listen(const char *listen, struct err *e);         /* whether http_open takes such an address */
bool http_is_free(const char *listen, struct err *e);            /* and nobody listens there now */
const char *http_address(const struct http *h);         /* "127.0.0.1:8025", with the real port */
void http_close(struct http *h);                        /* NULL is fine */
/* Whether a Host header names this machine: localhost, 127.0.0.0/8 or [::1], with or without a port. */
bool http_host_is_local(const char *host);

#endif
