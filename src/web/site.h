/* site: what all pages of one server share. */
#ifndef TEITEN_SITE_H
#define TEITEN_SITE_H

#include "publish/messages.h"

struct store;
struct cache;

struct site {
	struct store *store;            /* asked from several threads */
	struct cache *cache;
	const char *name[LANGS];        /* the observatory's */
	const char *version;            /* of the program; may be empty */
	const char *enrolled;           /* the list of sensors that may deliver; NULL: there is none */
};

#endif
