/* tally: gathers packets into the tuples of each sensor's minutes, and hands them over as batches.
 *
 * What it holds is bounded: when it is full, tally_cut() hands over all rows so far as batches without watched time;
 * tally_end() hands over the rest with the time that every sensor was looking. The same packets in the same order give
 * the same batches, so an import that is repeated is known by its serials. */
#ifndef TEITEN_TALLY_H
#define TEITEN_TALLY_H

#include "core/batch.h"

struct packet;
struct tally;

enum { TALLY_ROWS_MAX = 1 << 17, TALLY_SENSORS_MAX = 4096 };

/* rows_max: when it is full; up to TALLY_ROWS_MAX. */
struct tally *tally_open(size_t rows_max);
void tally_close(struct tally *t);                              /* NULL is fine */
/* The number in this tally of a sensor by its (valid) name, entered when new; -1 when there are too many. */
int tally_sensor(struct tally *t, const char *name);
const char *tally_sensor_name(const struct tally *t, size_t number);
size_t tally_sensors(const struct tally *t);
/* Counts packets of one sensor, which must be in time; returns how many, fewer than n only when it has become full. Bursts
 * of some dozens are much faster than single ones: their places in the table are fetched together. */
size_t tally_add(struct tally *t, int sensor, const struct packet *list, size_t n);
bool tally_full(const struct tally *t);
/* Batches of that epoch of what is held, in the order of the sensors, serials counting up from 1 within each, their rows
 * by minute and port; the tally is empty afterwards. Caller frees with batches_free. NULL when *len is 0. */
struct batch *tally_cut(struct tally *t, uint64_t epoch, size_t *len);
/* The same, and every sensor watched all of `looked`. */
struct batch *tally_end(struct tally *t, uint64_t epoch, struct span looked, size_t *len);
void batches_free(struct batch *list, size_t len);

#endif
