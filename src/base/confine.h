/* confine: gives up rights for good: another user, no capabilities, one folder, few system calls. The only includer of
 * libcap-ng and libseccomp. */
#ifndef TEITEN_CONFINE_H
#define TEITEN_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

struct err;

/* None; on a socket that is open already; and to unix sockets; to anywhere. */
enum network { NETWORK_NONE, NETWORK_SERVES, NETWORK_ASKS, NETWORK_CONNECTS };

struct confine_how {
	const char *user;               /* becomes it, where we may; NULL: stays who we are */
	const char *folder;             /* the one place where files are read and written; NULL: none */
	bool of_others;                 /* who stays root goes on to have what others own in the folder */
	const char *const *readable;    /* NULL-ended: folders and files that are read too, those that are there; NULL: none */
	enum network network;           /* what is spoken over sockets that are open does not count */
	const unsigned long *ioctls; size_t ioctls_len;         /* requests that sockets already open are still asked */
};

/* What holds beyond what always does: we are not root any more; files elsewhere are out of reach, on kernels with landlock. */
struct confined { bool user, landlock; };

/* Whether there is such a user; NULL is nobody, and fine. */
bool confine_knows(const char *user, struct err *e);
/* The first step of it, for who makes files as that user before the others; the folder is given to it, unless it is NULL or
 * shared with its group. */
bool confine_become(const char *user, const char *folder, struct err *e);
/* For this thread and all that it starts: call it before there are others. */
bool confine(const struct confine_how *how, struct confined *out, struct err *e);
/* Tries what must fail now: opening a file elsewhere (to write it, for who connects), a new socket (but for who connects),
 * running a program. True when all of them were refused; else what names the first that was not. */
bool confine_holds(enum network network, const char **what);

#endif
