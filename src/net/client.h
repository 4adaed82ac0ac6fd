/* client: puts bytes under an address of somebody else's HTTP server; the only includer of libcurl. One thread at a time. */
#ifndef TEITEN_CLIENT_H
#define TEITEN_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct client;
struct err;

enum { CLIENT_TEXT_MAX = 240, CLIENT_HEADERS_MAX = 8, CLIENT_CONNECT_S = 15, CLIENT_TIMEOUT_S = 120, CLIENT_SLOWEST = 4096 /* bytes a second */ };

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

/* For the whole process, before threads start. */
void client_prepare(void);
struct client *client_open(const struct client_how *how);       /* borrowed while it is open */
void client_close(struct client *c);                            /* NULL is fine */
/* headers: "Name: value", NULL-ended. True when there was an answer, whatever its status; false: none came, e says why in
 * words that an operator can act on. */
bool client_put(struct client *c, const char *url, const char *const *headers, const void *body, size_t len, struct client_reply *out,
	struct err *e);

#endif
