/* telescope: captures as a telescope would take them, invented from a seed, with the truth about them. The same plan gives
 * the same bytes. Sources are heavy-tailed (the density of their ranks falls as 1/rank), each has one habit: a tool, a
 * protocol, a kind of answer. Pure: frames go into a buf, what was made is counted in the truth. */
#ifndef TEITEN_TELESCOPE_H
#define TEITEN_TELESCOPE_H

#include "core/addr.h"
#include "core/tuple.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct json;
struct telescope;

enum { TELESCOPE_SOURCES_MAX = 1 << 24, TELESCOPE_FRAME_MAX = 2048 };

struct telescope_plan {
	uint64_t seed, packets;
	uint32_t sources;               /* that may speak; how many did is in the truth */
	int64_t from_s;                 /* time of the first packet */
	uint32_t length_s;              /* the packets are spread over it evenly, in order */
	struct prefix watched, watched6;        /* where packets go; IPv4 and IPv6 */
	double odd;                     /* share of frames that are damaged on purpose, on top of the natural ones */
};

/* What a frame that carries no countable packet is, in the words of an import's refusals. */
enum telescope_refused { ODD_NOT_IP, ODD_FRAGMENT, ODD_PROTO, ODD_IP_HEADER, ODD_CUT, ODD_REFUSED };

struct telescope_truth {
	uint64_t packets;               /* frames written */
	uint64_t counted, bytes;        /* those that carry a packet of ours, and their bytes by the IP length */
	uint64_t refused[ODD_REFUSED];
	uint64_t kinds[KINDS];
	uint64_t protos[4];             /* by proto_index */
	uint64_t v6, tagged;            /* packets over IPv6; frames with a VLAN tag */
	uint64_t sources;               /* distinct ones of counted packets */
	/* labelled: packets of sources that sent at least two */
	struct { uint64_t packets, sources, labelled; } tools[MARKS];
	uint64_t *ports;                /* packets by [proto of four][port], as tuples name it */
	unsigned char *spoke;           /* of each source: 0, 1, or 2 packets and more */
};

/* Owns a table of 24 bytes a source. Freed with telescope_close. */
struct telescope *telescope_open(const struct telescope_plan *plan);
void telescope_close(struct telescope *t);              /* NULL is fine */
/* Appends a pcap's header (microseconds, Ethernet, little endian). */
void telescope_head(struct buf *out);
/* Appends the next frame with its record's header; false at the end. */
bool telescope_next(struct telescope *t, struct buf *out);
const struct telescope_truth *telescope_truth(const struct telescope *t);
/* Writes the plan and the truth as one object. */
void telescope_json(const struct telescope *t, struct json *j);

#endif
