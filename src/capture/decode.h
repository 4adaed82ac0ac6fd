/* decode: the bytes of a frame → packet, or the reason why not. Pure: no allocation, no state, any bytes may come.
 *
 * What is read: Ethernet (also 802.3 with SNAP) under any stack of 802.1Q and 802.1ad tags, PPPoE and PPP, Linux cooked
 * (SLL, SLL2), raw IP, BSD NULL and LOOP; IPv4 with options, IPv6 with extension headers; TCP, UDP, ICMP, ICMPv6. Sizes
 * come from the IP header, not from the frame, which Ethernet pads. A first fragment counts, later ones have no ports. */
#ifndef TEITEN_DECODE_H
#define TEITEN_DECODE_H

#include "capture/refusal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packet;

/* Numbers of https://www.tcpdump.org/linktypes.html */
enum {
	LINK_NULL = 0, LINK_ETHERNET = 1, LINK_PPP = 9, LINK_RAW_BSD = 12, LINK_RAW_OPENBSD = 14, LINK_PPP_HDLC = 50,
	LINK_PPP_ETHER = 51, LINK_RAW = 101, LINK_LOOP = 108, LINK_LINUX_SLL = 113, LINK_IPV4 = 228, LINK_IPV6 = 229,
	LINK_LINUX_SLL2 = 276,
};

bool decode_knows(unsigned link);
/* What a link type is called, known or one of those that are met now and then; NULL for the rest. */
const char *link_name(unsigned link);
/* Fills all of *out but time_s. The link type must be a known one. */
enum refusal decode_frame(unsigned link, const uint8_t *bytes, size_t captured, struct packet *out);
/* The packet that an ICMP error quotes, from p->quoted: whose errors it is about. What it lacks stays zero. */
enum refusal decode_quoted(const struct packet *p, struct packet *out);
/* The same from the first byte of an IP header. */
enum refusal decode_ip(const uint8_t *bytes, size_t captured, struct packet *out);

#endif
