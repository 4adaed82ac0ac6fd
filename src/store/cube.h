/* cube: packets by (port, day, sensor) in memory, sparse and sorted: what ranking questions read instead of the file.
 *
 * Holds exactly what the roll-up port_day holds, or that without known scanners. Filled once, then told of every group that was
 * committed; what was told is merged in when the next question comes, or when it has become much. */
#ifndef TEITEN_CUBE_H
#define TEITEN_CUBE_H

#include "store/engine.h"

#include <pthread.h>

struct place_of { uint32_t port /* proto << 16 | ranked port */; uint16_t day, sensor; uint64_t packets; };

/* 16 bytes a cell: half a GiB at the most; a store with more answers from its file. */
enum { CUBE_CELLS_MAX = 32 << 20 };

struct cube {
	bool filled, too_large;
	uint64_t asked;                 /* questions that could have used it */
	struct place_of *cells; size_t len, cap;        /* ascending by port, day, sensor; each once */
	struct place_of *told; size_t told_len, told_cap;
	pthread_mutex_t lock;                           /* questions share the engine: the first one merges */
};

void cube_init(struct cube *c);
void cube_release(struct cube *c);
/* Empties it: it is to be filled anew. By who has its lock, while nobody reads it. */
void cube_forget(struct cube *c);
/* One count that was committed, or one read while filling. */
void cube_tell(struct cube *c, struct place_of one);
/* Merges what was told. False: too large, ask the file. */
bool cube_ready(struct cube *c);
/* As an engine's cells for each = port by day; days are numbers of local days. */
bool cube_cells(const struct cube *c, const struct want *w, cell_fn *fn, void *to);

#endif
