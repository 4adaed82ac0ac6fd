/* pcapfile: frames from a capture file as it streams by: pcap in all its byte orders and resolutions (also the variant of
 * Kuznetzov's patch), pcapng with any number of sections and interfaces. Decompression and buffering are intake's affair,
 * what a frame holds is decode's. */
#ifndef TEITEN_PCAPFILE_H
#define TEITEN_PCAPFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct intake;
struct pcapfile;

enum { PCAP_FRAME_MAX = 262144, PCAP_INTERFACES_MAX = 65536 };  /* the first is libpcap's own limit for what we decode */

struct frame {
	const uint8_t *bytes; size_t captured;          /* valid until the next call */
	uint64_t number;                                /* from 1 */
	unsigned link;                                  /* LINK_ of decode.h, or one that is not read */
	int64_t time_s;                                 /* seconds since 1970 */
	bool timed;                                     /* false: the block carries no time */
	bool outgoing, elsewhere;                       /* sent by the machine that captured, or to another one; files do not say */
};

enum pcap_next { PCAP_FRAME, PCAP_END, PCAP_BROKEN };

bool pcapfile_begins(const uint8_t *bytes, size_t len);         /* whether the first bytes are a capture's */
/* Reads the header of `in` (borrowed). NULL: not a capture, or one of a version that is not read. */
struct pcapfile *pcapfile_open(struct intake *in, struct err *e);
void pcapfile_close(struct pcapfile *f);                        /* NULL is fine */
/* PCAP_BROKEN: cut or damaged here, e says how; what came before stands. */
enum pcap_next pcapfile_next(struct pcapfile *f, struct frame *out, struct err *e);
const char *pcapfile_format(const struct pcapfile *f);          /* "pcap", "pcapng" */
/* The link type that all of a pcap shares; -1 for pcapng, whose frames each say their own. */
int pcapfile_link(const struct pcapfile *f);

#endif
