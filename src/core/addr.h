/* addr: an IPv6 address, or an IPv4 one as ::ffff:a.b.c.d; and prefixes of either. Pure. */
#ifndef TEITEN_ADDR_H
#define TEITEN_ADDR_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct addr { uint8_t b[16]; };
struct prefix { struct addr addr; unsigned bits; };     /* bits of the 128: an IPv4 /24 has 120 */

enum { ADDR_TEXT_MAX = 46, PREFIX_TEXT_MAX = 50 };

/* In the header because every packet passes through them. The first and last eight bytes as big-endian numbers: */
static inline uint64_t addr_hi(const struct addr *a)
{
	uint64_t v;

	memcpy(&v, a->b, sizeof v);
	return be64toh(v);
}

static inline uint64_t addr_lo(const struct addr *a)
{
	uint64_t v;

	memcpy(&v, a->b + 8, sizeof v);
	return be64toh(v);
}

static inline struct addr addr_of(uint64_t hi, uint64_t lo)
{
	struct addr a;

	hi = htobe64(hi);
	lo = htobe64(lo);
	memcpy(a.b, &hi, sizeof hi);
	memcpy(a.b + 8, &lo, sizeof lo);
	return a;
}

static inline struct addr addr_v4(uint32_t host_order)
{
	return addr_of(0, (uint64_t)0xffff << 32 | host_order);
}

static inline bool addr_is_v4(const struct addr *a)
{
	return addr_hi(a) == 0 && addr_lo(a) >> 32 == 0xffff;
}

static inline uint32_t addr_to_v4(const struct addr *a)         /* only for IPv4 ones */
{
	return (uint32_t)addr_lo(a);
}

static inline int addr_cmp(const struct addr *a, const struct addr *b)
{
	return memcmp(a->b, b->b, sizeof a->b);
}

static inline struct addr addr_masked(const struct addr *a, unsigned bits)      /* bits of the 128 */
{
	uint64_t hi = bits >= 64 ? UINT64_MAX : bits ? UINT64_MAX << (64 - bits) : 0;
	uint64_t lo = bits >= 128 ? UINT64_MAX : bits > 64 ? UINT64_MAX << (128 - bits) : 0;

	return addr_of(addr_hi(a) & hi, addr_lo(a) & lo);
}

static inline bool prefix_holds(const struct prefix *p, const struct addr *a)
{
	struct addr m = addr_masked(a, p->bits);

	return addr_cmp(&m, &p->addr) == 0;
}

/* Text of either family (RFC 4291 2.2, also ::ffff:1.2.3.4), nothing around it. */
bool addr_parse(const char *text, struct addr *out);
const char *addr_format(const struct addr *a, char out[ADDR_TEXT_MAX]);         /* RFC 5952; IPv4 dotted */

/* "192.0.2.0/24", "2001:db8::/32"; an address alone is its own prefix. Bits behind the length must be 0. */
bool prefix_parse(const char *text, struct prefix *out);
const char *prefix_format(const struct prefix *p, char out[PREFIX_TEXT_MAX]);
struct addr addr_last(const struct prefix *p);                                  /* the highest address in it */
/* The network that a source is shown under: /24 for IPv4, /48 for IPv6. */
struct prefix addr_network(const struct addr *a);

#endif
