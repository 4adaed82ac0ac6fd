/* client: sends bytes to somebody else's HTTP or mail server; the only includer of libcurl. One thread at a time. */
#ifndef TEITEN_CLIENT_H
#define TEITEN_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct client;
struct err;

enum { CLIENT_TEXT_MAX = 240, CLIENT_CONNECT_S = 15, CLIENT_TIMEOUT_S = 120, CLIENT_SLOWEST = 4096 /* bytes a second */ };

struct client_how {
	const char *ca;                 /* a PEM file with the authority of the server's certificate; NULL: the system's */
	const char *proxy;              /* NULL: as https_proxy and no_proxy of the environment say */
	size_t bytes_a_second;          /* at most; 0: no limit */
	const char *agent;              /* what the User-Agent header says */
	bool (*ending)(void);           /* asked now and then: true breaks it off; NULL: nothing does */
};

struct client_reply {
	unsigned status;
	unsigned retry_after_s;         /* 0: not said */
	char text[CLIENT_TEXT_MAX];     /* the body's first line, printable characters only */
};

/* Whether HOST[:PORT][/...] is this machine by name: then a line without TLS has no ears on it. */
bool client_local(const char *host);
/* Whether a file of authorities holds a certificate at all. */
bool client_ca_holds(const char *path, struct err *e);
/* For the whole process, before threads start. */
void client_prepare(void);
struct client *client_open(const struct client_how *how);       /* borrowed while it is open */
void client_close(struct client *c);                            /* NULL is fine */
/* method: "PUT" or "POST"; headers: "Name: value", NULL-ended. True when there was an answer, whatever its status; false: none
 * came, e says why in words that an operator can act on. */
bool client_send(struct client *c, const char *method, const char *url, const char *const *headers, const void *body, size_t len,
	struct client_reply *out, struct err *e);

struct client_mail {
	const char *from, *const *to; size_t to_len;    /* addresses alone */
	const char *user, *password;                    /* NULL: nobody signs in */
	bool plain;                                     /* without TLS, as to a server on this machine; else none goes out without it */
};
/* A message as it stands (RFC 5322, lines ended by CR LF) over smtp:// or smtps://; true: the server took it for all of them. */
bool client_mail(struct client *c, const char *url, const struct client_mail *m, const void *text, size_t len, struct err *e);

#endif
