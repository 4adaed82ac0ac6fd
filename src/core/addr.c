#include "core/addr.h"

#include "base/num.h"

#include <arpa/inet.h>

bool addr_parse(const char *text, struct addr *out)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		*out = addr_v4(ntohl(v4.s_addr));
		return true;
	}
	if (inet_pton(AF_INET6, text, &v6) != 1)
		return false;
	memcpy(out->b, v6.s6_addr, 16);
	return true;
}

const char *addr_format(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	struct in_addr v4 = { htonl(addr_to_v4(a)) };
	struct in6_addr v6;

	memcpy(v6.s6_addr, a->b, 16);
	/* glibc writes RFC 5952 text; both calls can only fail for want of room, of which there is enough */
	if (addr_is_v4(a))
		(void)inet_ntop(AF_INET, &v4, out, ADDR_TEXT_MAX);
	else
		(void)inet_ntop(AF_INET6, &v6, out, ADDR_TEXT_MAX);
	return out;
}

bool prefix_parse(const char *text, struct prefix *out)
{
	char host[ADDR_TEXT_MAX];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	uint64_t bits = 128;
	struct prefix p;

	if (len >= sizeof host)
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (!addr_parse(host, &p.addr))
		return false;
	unsigned before = strchr(host, ':') ? 0 : 96;
	if (slash && !num_whole(slash + 1, 0, 128 - before, &bits))
		return false;
	p.bits = slash ? (unsigned)bits + before : 128;
	struct addr whole = addr_masked(&p.addr, p.bits);
	if (addr_cmp(&whole, &p.addr) != 0)
		return false;
	*out = p;
	return true;
}

const char *prefix_format(const struct prefix *p, char out[PREFIX_TEXT_MAX])
{
	char host[ADDR_TEXT_MAX];
	bool v4 = addr_is_v4(&p->addr) && p->bits >= 96;

	(void)snprintf(out, PREFIX_TEXT_MAX, "%s/%u", addr_format(&p->addr, host), v4 ? p->bits - 96 : p->bits);
	return out;
}

struct addr addr_last(const struct prefix *p)
{
	struct addr last = p->addr;

	for (unsigned i = p->bits; i < 128; i++)
		last.b[i / 8] = (uint8_t)(last.b[i / 8] | 0x80u >> i % 8);
	return last;
}

struct prefix addr_network(const struct addr *a)
{
	unsigned bits = addr_is_v4(a) ? 120 : 48;

	return (struct prefix){ addr_masked(a, bits), bits };
}
