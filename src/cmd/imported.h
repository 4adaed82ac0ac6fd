/* imported: what became of one file that was imported, and how that is told: as text and as JSON. */
#ifndef TEITEN_IMPORTED_H
#define TEITEN_IMPORTED_H

#include "base/err.h"
#include "capture/account.h"

#include <stdbool.h>

struct buf;
struct json;
struct tally;
struct zone;

struct imported {
	const char *path;                       /* as given; "-" for standard input */
	const char *format, *compression, *row_name;    /* NULL until known */
	struct account account;
	const struct tally *tally;              /* the sensors' names; NULL until there are some */
	struct span looked;                     /* when every sensor was looking, as stored */
	bool looked_given, watched_given, names_sensors, dry;
	uint64_t epoch, batches, tuples;
	uint64_t known;                         /* batches of it that the store had before */
	bool refused, broke_off;                /* not imported at all; imported up to a place */
	struct err why;                         /* of either */
};

/* zone: that of the store, in which times are told. */
void imported_text(const struct imported *f, const struct zone *zone, struct buf *out);
void imported_json(const struct imported *f, const struct zone *zone, struct json *j);

#endif
