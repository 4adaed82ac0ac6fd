/* noticing: what a keep notices of the sensors that may deliver, told once: one fell silent, captures again, loses packets, observes
 * other addresses. What was told already is read from the file of notices, so a keep that starts again repeats nothing. */
#ifndef TEITEN_NOTICING_H
#define TEITEN_NOTICING_H

#include "link/liveness.h"
#include "publish/messages.h"
#include "spool/notices.h"
#include "store/store.h"

struct buf;
struct surge_revision;

enum { LOSS_PER_MILLE = 10, LOSS_PACKETS_MIN = 100, MOVED_AGAIN_MINUTES = 60, SURGE_NEWS_MINUTES = 2 * 24 * 60 };        /* from which on losing is told; how often moving is */

/* One sensor, or one surge, as it was told last, and what it brought in the hour at hand. */
struct watched_over { char name[SENSOR_NAME_MAX]; enum liveness state; bool losing; enum { SURGE_UNTOLD, SURGE_TOLD, SURGE_OVER_TOLD } surge; minute_t moved; uint64_t seen, lost; };

struct vigil { const char *path; minute_t hour; unsigned hours; struct watched_over *list; size_t len, cap; };

bool vigil_open(struct vigil *v, const char *path, struct err *e);      /* path: of the file of notices; borrowed */
void vigil_count(struct vigil *v, const struct batch *b);               /* a batch that was stored now */
void vigil_moved(struct vigil *v, const char *sensor, minute_t now);    /* its batches say that it observes other addresses */
/* Once a minute. */
void vigil_look(struct vigil *v, const struct enrolled *all, const struct facts *f, minute_t now);
/* Alarms that are new, also of what was a watch, and those told that have ended or were withdrawn: each once. */
void vigil_surges(struct vigil *v, const struct surge_revision *list, size_t n, minute_t now);
void vigil_release(struct vigil *v);

/* The notice as a sentence without a full stop. */
void notice_text(const struct notice *n, enum lang l, struct buf *out);

#endif
