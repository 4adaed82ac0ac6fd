#include "core/tuple.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/radix.h"

#include <strings.h>

static const char *const kind_names[KINDS] = { "scan", "backscatter", "error", "other" };
static const char *const mark_names[MARKS] = { "zmap", "masscan", "mirai", "nmap", "unicornscan" };
static const struct { const char *name; unsigned proto; } protos[] = {
	{ "tcp", PROTO_TCP }, { "udp", PROTO_UDP }, { "icmp", PROTO_ICMP }, { "icmpv6", PROTO_ICMPV6 },
};
enum { PROTOS = sizeof protos / sizeof *protos };

bool proto_is_icmp(unsigned proto)
{
	return proto == PROTO_ICMP || proto == PROTO_ICMPV6;
}

static enum kind icmp_kind(unsigned type)
{
	switch (type) {
	case 3: case 4: case 5: case 11: case 12:
		return KIND_ERROR;
	case 0: case 14: case 16: case 18:
		return KIND_BACKSCATTER;
	case 8: case 13: case 15: case 17:
		return KIND_SCAN;
	default:
		return KIND_OTHER;
	}
}

/* RFC 4443: below 128 are errors; 128 and 129 echo. */
static enum kind icmpv6_kind(unsigned type)
{
	return type < 128 ? KIND_ERROR : type == 128 ? KIND_SCAN : type == 129 ? KIND_BACKSCATTER : KIND_OTHER;
}

enum kind tuple_kind(unsigned proto, unsigned flags, unsigned sport, unsigned icmp_type)
{
	if (proto == PROTO_ICMP)
		return icmp_kind(icmp_type);
	if (proto == PROTO_ICMPV6)
		return icmpv6_kind(icmp_type);
	if (proto == PROTO_UDP)
		return sport == 53 ? KIND_BACKSCATTER : KIND_SCAN;
	if (flags & TCP_RST || (flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))
		return KIND_BACKSCATTER;
	return (flags & (TCP_SYN | TCP_FIN)) == TCP_SYN ? KIND_SCAN : KIND_OTHER;
}

bool tuple_reaches(const struct tuple *t)
{
	return t->kind != KIND_BACKSCATTER || proto_is_icmp(t->proto);
}

uint16_t port_ranked(unsigned proto, unsigned port)
{
	return (uint16_t)(proto_is_icmp(proto) ? port & 0xff00u : port);
}

#define BY(field) if (a->field != b->field) return a->field < b->field ? -1 : 1

int tuple_cmp(const struct tuple *a, const struct tuple *b)
{
	BY(minute);
	BY(port);
	BY(proto);
	int by_src = addr_cmp(&a->src, &b->src);
	if (by_src)
		return by_src;
	BY(flags);
	BY(mark);
	BY(kind);
	return 0;
}

void tuple_merge(struct tuple *a, const struct tuple *b)
{
	unsigned dsts = a->dsts && b->dsts ? (a->dsts > b->dsts ? a->dsts : b->dsts) : 0;

	a->packets += b->packets;
	a->bytes += b->bytes;
	a->ttl = a->ttl > b->ttl ? a->ttl : b->ttl;
	a->dsts = (uint8_t)dsts;
	if (a->sport != b->sport)
		a->sport = 0;
}

static int for_qsort(const void *a, const void *b)
{
	return tuple_cmp(a, b);
}

unsigned proto_index(unsigned proto)
{
	return proto == PROTO_ICMP ? 0 : proto == PROTO_TCP ? 1 : proto == PROTO_UDP ? 2 : 3;
}

unsigned proto_numbered(unsigned index)
{
	static const uint8_t numbers[4] = { PROTO_ICMP, PROTO_TCP, PROTO_UDP, PROTO_ICMPV6 };

	return numbers[index & 3];
}

/* Runs of one minute and port. */
static void sort_runs(struct tuple *list, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		for (n = 1; i + n < len && list[i].minute == list[i + n].minute && list[i].port == list[i + n].port; n++)
			;
		if (n > 1)
			qsort(list + i, n, sizeof *list, for_qsort);
	}
}

enum { PLACE_BITS = 21, RADIX_LEAST = 256 };

static void sort_tuples(struct tuple *list, size_t len)
{
	uint64_t *ranks = mem_resize(NULL, 2 * len, sizeof *ranks);
	struct tuple *sorted = mem_resize(NULL, len, sizeof *sorted);

	for (size_t i = 0; i < len; i++)
		ranks[i] = tuple_rank(list[i].minute, list[i].port) << PLACE_BITS | i;
	const uint64_t *order = radix_sort(ranks, ranks + len, len, PLACE_BITS);
	for (size_t i = 0; i < len; i++)
		sorted[i] = list[order[i] & ((1u << PLACE_BITS) - 1)];
	memcpy(list, sorted, len * sizeof *list);
	free(sorted);
	free(ranks);
	sort_runs(list, len);
}

size_t tuples_settle(struct tuple *list, size_t len)
{
	size_t kept = 0;

	if (tuples_settled(list, len))
		return len;
	if (len < RADIX_LEAST || len >> PLACE_BITS)
		qsort(list, len, sizeof *list, for_qsort);
	else
		sort_tuples(list, len);
	for (size_t i = 0; i < len; i++) {
		struct tuple *last = kept ? &list[kept - 1] : NULL;

		/* a count that would overflow stays a tuple of its own: two rows of one key add up in every answer */
		if (last && tuple_cmp(last, &list[i]) == 0 && last->packets <= UINT32_MAX - list[i].packets)
			tuple_merge(last, &list[i]);
		else if (kept++ < i)
			list[kept - 1] = list[i];
	}
	return kept;
}

bool tuples_settled(const struct tuple *list, size_t len)
{
	for (size_t i = 1; i < len; i++)
		if (tuple_cmp(&list[i - 1], &list[i]) >= 0)
			return false;
	return true;
}

const char *port_label(unsigned proto, unsigned port, char out[PORT_LABEL_MAX])
{
	const char *name = proto_name(proto);

	if (proto_is_icmp(proto))
		(void)snprintf(out, PORT_LABEL_MAX, "%s/%u", name, port >> 8 & 0xff);
	else
		(void)snprintf(out, PORT_LABEL_MAX, "%u/%s", port & 0xffff, name ? name : "?");
	return out;
}

const char *proto_name(unsigned proto)
{
	for (unsigned i = 0; i < PROTOS; i++)
		if (protos[i].proto == proto)
			return protos[i].name;
	return NULL;
}

static bool proto_named(const char *text, unsigned *proto)
{
	for (unsigned i = 0; i < PROTOS; i++)
		if (!strcasecmp(protos[i].name, text)) {
			*proto = protos[i].proto;
			return true;
		}
	return false;
}

bool port_parse(const char *text, unsigned *proto, unsigned *port)
{
	char left[PORT_LABEL_MAX];
	const char *slash = strchr(text, '/');
	uint64_t number;

	if (!slash || (size_t)(slash - text) >= sizeof left)
		return false;
	memcpy(left, text, (size_t)(slash - text));
	left[slash - text] = '\0';
	if (proto_named(left, proto) && proto_is_icmp(*proto)) {
		if (!num_whole(slash + 1, 0, 255, &number))
			return false;
		*port = (unsigned)number << 8;
		return true;
	}
	if (!num_whole(left, 0, 65535, &number) || !proto_named(slash + 1, proto) || proto_is_icmp(*proto))
		return false;
	*port = (unsigned)number;
	return true;
}

bool proto_parse(const char *text, unsigned *proto)
{
	uint64_t number;

	if (proto_named(text, proto))
		return true;
	if (!num_whole(text, 0, 255, &number) || !proto_name((unsigned)number))
		return false;
	*proto = (unsigned)number;
	return true;
}

const char *kind_name(unsigned kind)
{
	return kind < KINDS ? kind_names[kind] : "?";
}

const char *mark_name(unsigned bit_index)
{
	return bit_index < MARKS ? mark_names[bit_index] : "?";
}
