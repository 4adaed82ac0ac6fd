/* packet: one sighting of one packet, from the wire or from a record of it, and the tuple that counts it. Pure.
 *
 * Not every record says everything: `known` tells which of the fields were read. What is not known is zero. */
#ifndef TEITEN_PACKET_H
#define TEITEN_PACKET_H

#include "core/addr.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	PACKET_DST = 1,                 /* dst */
	PACKET_FLAGS = 2,               /* flags */
	PACKET_IP_ID = 4,               /* ip_id; IPv4 only */
	PACKET_SEQ = 8,                 /* seq; TCP only */
	PACKET_WINDOW = 16,             /* window; TCP only */
	PACKET_PORTS = 64,              /* sport and dport of TCP whose header is cut behind them */
	PACKET_STATED = 32,             /* a record states that somebody knocked: not for us to call it an answer */
};

#define PACKET_BYTES_MAX (((uint64_t)1 << 40) - 1)     /* of one packet and of one row of a tally: 1 TiB a minute */

struct packet {
	int64_t time_s;                 /* seconds since 1970-01-01 UTC */
	struct addr src, dst;
	uint64_t bytes;                 /* by the IP length, of all `packets`, up to PACKET_BYTES_MAX; 0 unknown */
	uint32_t packets;               /* how many alike it stands for: 1 from the wire */
	uint32_t seq;
	uint16_t sport, dport;          /* 0 for ICMP; sport 0 unknown */
	uint16_t ip_id, window;
	uint8_t proto, flags, ttl;      /* ttl 0 unknown */
	uint8_t icmp_type, icmp_code;
	bool sent;                      /* the link's header says that the machine sent it */
	uint8_t tcp_header;             /* bytes with options; 0 unknown */
	uint8_t known;                  /* PACKET_ bits */
	uint8_t kind, mark;             /* enum kind and MARK_ bits, told by packet_tell; relations may add marks */
	uint16_t port;                  /* under which it is counted: see tuple.h */
	uint16_t quoted_len;            /* of an ICMP error: the bytes it quotes, from an IP header on; 0 none */
	const uint8_t *quoted;          /* borrowed from the frame */
};

/* Whether its minute is one that we keep (1970 to 2099). */
bool packet_in_time(const struct packet *p);
/* Fills port, kind and mark from the rest: the last step of whoever makes a packet. */
void packet_tell(struct packet *p);

#endif
