/* relations: what two SYNs of one source tell together: Nmap and unicornscan hide a key in their sequence numbers. Bounded
 * state: the last SYN of some thousands of sources; a source that was pushed out begins anew. */
#ifndef TEITEN_RELATIONS_H
#define TEITEN_RELATIONS_H

#include <stddef.h>

struct packet;
struct relations;

struct relations *relations_open(void);
void relations_close(struct relations *r);              /* NULL is fine */
/* Sets the mark of packets that have none and agree with the SYN of the same source before them (METHODS.md 3):
 * unicornscan: seq ^ dst ^ (dport << 16 | sport) is equal, in either byte order of dst, while seq is not;
 * Nmap: the two seqs differ by a number whose halves are equal, and the window is one of its four. */
void relations_note(struct relations *r, struct packet *list, size_t n);

#endif
