/* tuple: one kind of packet in one minute: who knocked where and how, and how often. The sensor's own addresses are not
 * in it, so they can never leave the sensor. Pure. */
#ifndef TEITEN_TUPLE_H
#define TEITEN_TUPLE_H

#include "core/addr.h"
#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMPV6 = 58 };      /* IANA protocol numbers */
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32, TCP_ECE = 64, TCP_CWR = 128 };
enum kind { KIND_SCAN, KIND_BACKSCATTER, KIND_ERROR, KIND_OTHER, KINDS };
enum { MARK_ZMAP = 1, MARK_MASSCAN = 2, MARK_MIRAI = 4, MARK_NMAP = 8, MARK_UNICORN = 16, MARKS = 5 };  /* candidate bits */
enum { DSTS_MORE = 5, PORT_LABEL_MAX = 16 };

struct tuple {
	/* the key */
	struct addr src;
	minute_t minute;
	uint16_t port;          /* destination port; TCP and UDP backscatter: the SOURCE port; ICMP: type << 8 | code */
	uint8_t proto;
	uint8_t flags;          /* TCP flags of the packet; 0 where unknown or not TCP */
	uint8_t mark;           /* candidate tool bits: the centre asks for two that agree */
	uint8_t kind;           /* enum kind */
	/* the counts */
	uint8_t ttl;            /* largest; 0 unknown */
	uint8_t dsts;           /* own addresses hit: 1 to 4 exactly, DSTS_MORE for more, 0 unknown; of several batches the largest */
	uint16_t sport;         /* 0 if it varied or is unknown */
	uint32_t packets;
	uint64_t bytes;         /* by the IP length; 0 unknown */
};

bool proto_is_icmp(unsigned proto);
unsigned proto_index(unsigned proto);                   /* 0 to 3 in the order of the numbers: icmp, tcp, udp, icmpv6 */
unsigned proto_numbered(unsigned index);                /* and back */
/* Kind by METHODS.md 3: backscatter is SYN+ACK or RST, an ICMP answer, or UDP from port 53; an ICMP error quotes a packet;
 * TCP with SYN alone, UDP and ICMP requests are scans; the rest is other. */
enum kind tuple_kind(unsigned proto, unsigned flags, unsigned sport, unsigned icmp_type);
/* Whether the port is one that somebody reached for (TCP and UDP backscatter carries a source port instead). */
bool tuple_reaches(const struct tuple *t);
/* The port under which a tuple is ranked: ICMP by type, so the code's bits are cut. */
uint16_t port_ranked(unsigned proto, unsigned port);
/* Order by minute, port, proto, src, and the rest of the key. */
int tuple_cmp(const struct tuple *a, const struct tuple *b);
/* Adds b's counts to a's (same key). */
void tuple_merge(struct tuple *a, const struct tuple *b);
/* What the order begins with, in 43 bits: minute and port. */
static inline uint64_t tuple_rank(minute_t minute, uint16_t port) { return (uint64_t)minute << 16 | port; }
/* Sorts and merges equal keys in place; returns the new length. */
size_t tuples_settle(struct tuple *list, size_t len);
bool tuples_settled(const struct tuple *list, size_t len);              /* whether it is so already */

/* "1433/tcp", "53/udp", "icmp/8", "icmpv6/128". Parsing also takes "1433/TCP", "icmp" is refused. */
const char *port_label(unsigned proto, unsigned port, char out[PORT_LABEL_MAX]);
bool port_parse(const char *text, unsigned *proto, unsigned *port);
const char *proto_name(unsigned proto);                 /* "tcp", "udp", "icmp", "icmpv6", or NULL */
bool proto_parse(const char *text, unsigned *proto);    /* a name of either case, or a number of those */
const char *kind_name(unsigned kind);                   /* "scan" "backscatter" "error" "other" */
const char *mark_name(unsigned bit_index);              /* "zmap" "masscan" "mirai" "nmap" "unicornscan" */

#endif
