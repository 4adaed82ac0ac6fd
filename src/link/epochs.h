/* epochs: since when each sensor has observed the addresses that it observes. The addresses themselves stay with the sensor: it
 * marks its batches with a keyed hash of them, in the upper bits of the batch's epoch, and another mark is another set. */
#ifndef TEITEN_EPOCHS_H
#define TEITEN_EPOCHS_H

#include "core/batch.h"

struct err;
struct sign_secret;

enum { EPOCHS_BYTES_MAX = 16 << 20, EPOCHS_OF_SENSOR_MAX = 512 };     /* what changes more often means nothing */

struct address_epoch { char sensor[SENSOR_NAME_MAX]; uint32_t mark; minute_t from; };   /* 24 bits of mark; never 0 */
struct epochs { struct address_epoch *list; size_t len, cap; };

enum epoch_news { EPOCH_SAME, EPOCH_FIRST, EPOCH_EARLIER, EPOCH_MOVED };

/* What a sensor puts into the upper 24 bits of its batches' epochs; the rest is chance. `addresses`: as text, in one order. */
uint64_t epoch_marked(const struct sign_secret *secret, const void *addresses, size_t len);
uint64_t epoch_unmarked(void);                          /* chance alone */
uint64_t epoch_without_mark(uint64_t epoch);            /* of who is no sensor */

bool epochs_read(struct epochs *all, const char *path, struct err *e);          /* no file: none */
bool epochs_write(const struct epochs *all, const char *path, struct err *e);
/* A batch of that sensor begins then and carries that mark: whether it is of the set that was known for then, of the first one, of
 * a known set earlier than it was known, or of another one. Batches may come in any order. */
enum epoch_news epochs_note(struct epochs *all, const char *sensor, uint32_t mark, minute_t at);
/* The sensor's newest, or NULL. */
const struct address_epoch *epochs_newest(const struct epochs *all, const char *sensor);
void epochs_release(struct epochs *all);

#endif
