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
 * Nmap: seq ^ seq has equal halves, which for a retry is 0; 0 counts too where port or address differ (Nmap 7.93 gives all
 * first tries one number, measured in November 2026), with one of its windows and the segment size as the one option. */
void relations_note(struct relations *r, struct packet *list, size_t n);

#endif
