/* http: a small HTTP/1.1 server; the only includer of libmicrohttpd.
 *
 * Inside, it listens on the loopback interface alone, takes GET and HEAD, and refuses requests for hosts that are not this
 * machine (DNS rebinding). Outside, it may listen anywhere, with TLS of its own, takes bodies with PUT, and nobody can hold
 * it up: whoever does not finish a request in time is cut off. Security headers, entity tags and the limits below are the
 * same. What a path means is the handler's business. */
#ifndef TEITEN_HTTP_H
#define TEITEN_HTTP_H

#include "base/bytes.h"

#include <stdbool.h>

struct err;
struct exchange;
struct http;

enum {
	HTTP_URL_MAX = 4096,
	HTTP_BODY_MAX = 64 << 20,               /* of a reply */
	HTTP_CONNECTIONS_MAX = 800,             /* beyond it they wait */
	HTTP_PER_ADDRESS = 100,                 /* of them, outside */
	HTTP_MEMORY_PER_CONNECTION = 256 << 10,         /* what is not used is not touched; an address may be all parameters */
	HTTP_MEMORY_OUTSIDE = 32 << 10,         /* there, a connection has no long addresses */
	HTTP_TIMEOUT_S = 10,
	HTTP_REQUEST_S = 30,                    /* outside: for one request from its first byte to its last */
	HTTP_SLOWEST = 4096,                    /* bytes a second: so much longer for a body that is wanted */
	HTTP_THREADS = 4,
	HTTP_ADDRESS_MAX = 64,
};

/* Borrowed for the length of the call. Path and query are as sent: nothing is decoded. */
struct request {
	const char *method;             /* "GET", "HEAD"; outside also "PUT" */
	const char *path;
	const char *query;              /* behind the "?"; "" when there is none */
	const char *accept_language;    /* "" when not sent */
	const struct buf *body;         /* of a PUT; empty otherwise */
	struct exchange *exchange;
};

/* Comes empty; the handler fills it, the server releases it. */
struct reply {
	unsigned status;                /* 200 unless the handler says otherwise */
	const char *type;               /* "text/html; charset=utf-8"; outlives the reply */
	struct buf body;
	char location[256];             /* with a redirect; "" otherwise */
	const char *file_name;          /* offered for saving; NULL: shown */
	unsigned retry_after_s;         /* 0: not said */
	const char *allow;              /* with 405: the methods; NULL: GET and HEAD */
};

/* What the server refuses before any handler is asked; a first line that is none is not even counted. */
enum http_refused {
	HTTP_MALFORMED,                 /* heads that cannot be read, or say a length that cannot be: 400, 413, 431 */
	HTTP_NO_LENGTH,                 /* a body of a length that is not told: 411 */
	HTTP_LONG_ADDRESS,              /* 414 */
	HTTP_NOT_ALLOWED,               /* 405 */
	HTTP_REFUSED
};

/* Called from several threads at once. */
typedef void http_fn(void *to, const struct request *rq, struct reply *rp);

struct http_how {
	const char *listen;             /* "127.0.0.1:8025", "[::1]:8025" or "localhost:8025"; port 0 lets the system choose */
	bool outside;                   /* any address of this machine, and all of the following */
	int socket;                     /* one that http_listen made; 0: it makes its own */
	const char *certificate, *key;  /* PEM texts; NULL: no TLS, for who stands behind another server */
	size_t body_max;                /* of a PUT */
	/* Looks at a PUT before its body comes, body being empty. False: the body is read and forgotten, and rp is the reply; so
	 * bodies of strangers are kept out. True: it is wanted; *guest is whoever it is from. */
	bool (*greet)(void *to, const struct request *rq, size_t len, struct reply *rp, void **guest);
	/* One that was wanted is over, answered or not; len as it was told then. */
	void (*leave)(void *to, void *guest, size_t len, bool whole);
	http_fn *fn;
	void *to;
};

/* The socket alone, for who gives up the right to make sockets before it serves; the server takes it over. -1: e. */
int http_listen(const char *listen, bool outside, struct err *e);
/* Serves until http_close, which waits for running handlers. */
struct http *http_open(const struct http_how *how, struct err *e);
bool http_may_listen(const char *listen, bool outside, struct err *e);  /* whether http_open takes such an address */
bool http_is_free(const char *listen, bool outside, struct err *e);     /* and nobody listens there now */
const char *http_address(const struct http *h);         /* "127.0.0.1:8025", with the real port */
bool http_clash(const char *listen, const char *other);                 /* whether two that may listen cannot do so at once */
/* Whether http_open can speak TLS with these PEM texts. */
bool http_tls_right(const char *certificate, const char *key, struct err *e);
/* Requests that were cut off for want of time. */
unsigned long long http_cut_off(struct http *h);
unsigned long long http_refused(struct http *h, enum http_refused which);
const char *http_refused_name(enum http_refused which);  /* "malformed", "no_length" ...: for metrics */
void http_close(struct http *h);                        /* NULL is fine */

/* A header of the request; "" when not sent. */
const char *http_header(const struct request *rq, const char *name);
/* The handler answers later: called within it, before the exchange is handed to whom will call http_finish, once. */
void http_later(const struct request *rq);
void http_finish(struct exchange *x, unsigned status, const char *text, unsigned retry_after_s);       /* text: a line without its end */
/* A reply of one line. */
void http_say(struct reply *rp, unsigned status, const char *text);
/* Whether a Host header names this machine: localhost, 127.0.0.0/8 or [::1], with or without a port. */
bool http_host_is_local(const char *host);

#endif
