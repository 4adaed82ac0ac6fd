/* combine: from an engine's cells to an answer: ranks, means, sums, medians, previous ranks, series. The only place that
 * knows what a value is (METHODS.md 1), so that every engine gives the same one. */
#ifndef TEITEN_COMBINE_H
#define TEITEN_COMBINE_H

#include "store/engine.h"

/* Settles q and answers it; the caller holds the book still meanwhile and releases the answer. */
bool combine(const struct engine_ops *ops, void *engine, const struct book *book, struct question *q, struct answer *a,
	struct err *e);
/* The question's sensor as a number (0: any); false: no such sensor. */
bool combine_sensor(const struct book *book, const struct question *q, uint16_t *number, struct err *e);
/* Whose packets are wanted, where the question is of known scanners; false: no such organisation. */
bool combine_scanners(const struct book *book, const struct question *q, struct want *w, struct err *e);

#endif
