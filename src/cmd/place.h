/* place: finds the store for a command: --store ADDRESS, or --data DIR (default ./teiten-data).
 *
 * Where a keep runs in DIR, questions go to its socket and batches go through its spool; where none runs, the command
 * takes the folder's lock (waiting for another command, up to --wait, and saying so) and opens the file itself. */
#ifndef TEITEN_PLACE_H
#define TEITEN_PLACE_H

#include "base/args.h"
#include "base/file.h"
#include "store/store.h"

extern const struct option place_options[];                     /* data, store, wait */
extern const struct option place_making_options[];              /* the same and zone */

#define PLACE_DEFAULT "./teiten-data"
const char *place_dir(const struct args *a);                    /* --data, or the default */

#define PLACE_SCANNERS "scanners"        /* the list of known scanners, in the folder */
bool place_exists(const char *dir, struct err *e);              /* for who makes none */

struct place {
	char dir[PATH_TEXT_MAX];                /* "" with --store */
	struct store *store;
	struct regions *regions;                /* DIR/regions.table; loaded only for putting, else NULL */
	bool through_keep;
	uint64_t wait_ms;                       /* for others that work there, or for the keep */
	int lock_fd;
};

/* `making`: a store that is not there yet is made (with --zone), and batches may be put; else it must be there. */
bool place_open(struct place *p, const struct args *a, bool making, struct err *e);
/* The keep's store and no other: where no keep answers it is waited for, up to --wait, or until the process is asked to end. */
bool place_ask(struct place *p, const struct args *a, struct err *e);
void place_close(struct place *p);
/* As store_put; with a keep running the batches are written to its spool and waited for until it has taken them (each[]
 * is then STORED_NOW for those it took or knew). */
bool place_put(struct place *p, const struct batch *const *batches, size_t n, enum stored *each, struct err *e);

#endif
