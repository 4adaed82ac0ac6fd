/* room: keeps a sensor's spool within bounds. What is given up is told by the next batch: between the two, the name of an empty
 * file says how many packets it was, so that no crash makes them disappear (one may make them be told twice). */
#ifndef TEITEN_ROOM_H
#define TEITEN_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct batch;
struct err;

struct room { uint64_t bytes_max; int64_t age_max_s; };         /* 0: no limit */
/* Batches that went for want of room; for their age alone; packets of both, with those that they told as lost. */
struct room_gone { size_t full, old; uint64_t packets; };

/* Puts the batch, after the oldest ones had to go for it where the bounds or the disk demand that; its own loss grows by what they
 * held. Those that somebody is sending (room_hold) are left alone. */
bool room_put(const char *dir, const struct room *r, const struct batch *b, struct room_gone *gone, struct err *e);
/* Who takes many files at once, as a keep does, has them all for as long as this descriptor is open; -1: it cannot be had. */
int room_begin_taking(const char *dir);
/* Holds a file while it is sent: nobody gives it up meanwhile. True with -1: it is gone, or somebody else holds it. */
bool room_hold(const char *dir, const char *name, int *fd, struct err *e);

#endif
