#include "capture/logline.h"

#include "base/num.h"
#include "capture/packet.h"
#include "capture/stamp.h"
#include "core/tuple.h"

#include <ctype.h>
#include <strings.h>

enum { STRAGGLE_MONTHS = 3, TOKEN_MAX = 64, STAMP_MAX = 64 };

/* What the tokens of one line said, each the first time it was said. */
struct said {
	bool src, dst, len, ttl, id, proto, spt, dpt, type, code, seq, window;
	bool urgp;                      /* the last field of a TCP line: its flags are all there */
	bool in_given, in_empty, fragment, incomplete, other_proto;
};

bool logline_seems(const char *text)
{
	return strstr(text, "SRC=") && strstr(text, "PROTO=");
}

/* "<4>" of the wire, and the version that RFC 5424 puts behind it. */
static const char *past_priority(const char *text)
{
	const char *end = *text == '<' ? strchr(text, '>') : NULL;

	if (!end || end - text > 4)
		return text;
	return end[1] == '1' && end[2] == ' ' ? end + 3 : end + 1;
}

static void follow(struct logclock *clock, int month)
{
	int ahead = (month - clock->month + 12) % 12;
	bool straggles = ahead >= 12 - STRAGGLE_MONTHS;

	if (clock->month && !straggles && month < clock->month)
		clock->year++;
	else if (clock->month && straggles && month > clock->month)
		clock->year--;
	clock->month = month;
}

/* Reads the time at *text, which moves behind it. */
static enum refusal read_time(struct logclock *clock, const char **text, int64_t *seconds)
{
	char stamp[STAMP_MAX];
	size_t n;
	int month = stamp_syslog_month(*text);

	if (month) {
		if (!clock->year)
			return REFUSAL_NO_YEAR;
		follow(clock, month);
		clock->zone_heeded = clock->year_heeded = true;
		if (!stamp_syslog(*text, clock->year, clock->zone, seconds, &month, &n))
			return REFUSAL_BAD_TIME;
		*text += n;
		return REFUSAL_NONE;
	}
	n = strcspn(*text, " ");
	if (n >= sizeof stamp || !memchr(*text, 'T', n))
		return REFUSAL_BAD_TIME;
	memcpy(stamp, *text, n);
	stamp[n] = '\0';
	*text += n;
	return stamp_parse(stamp, clock->zone, seconds, &clock->zone_heeded) ? REFUSAL_NONE : REFUSAL_BAD_TIME;
}

static void read_host(const char *text, char host[SENSOR_NAME_MAX + 1])
{
	while (*text == ' ')
		text++;
	size_t n = strcspn(text, " ");
	if (n > SENSOR_NAME_MAX)
		n = SENSOR_NAME_MAX;    /* one too many: no valid name, rather than half of one */
	memcpy(host, text, n);
	host[n] = '\0';
}

static bool whole(const char *value, uint64_t max, uint64_t *out)
{
	return num_whole(value, 0, max, out);
}

static uint8_t flag_of(const char *token)
{
	static const struct { const char *name; uint8_t bit; } flags[] = {
		{ "SYN", TCP_SYN }, { "ACK", TCP_ACK }, { "RST", TCP_RST }, { "FIN", TCP_FIN }, { "PSH", TCP_PSH },
		{ "URG", TCP_URG }, { "ECE", TCP_ECE }, { "CWR", TCP_CWR },
	};

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (!strcmp(token, flags[i].name))
			return flags[i].bit;
	return 0;
}

static void read_proto(struct said *s, struct packet *p, const char *value)
{
	unsigned proto;

	s->other_proto = !proto_parse(value, &proto);
	if (!s->other_proto)
		p->proto = (uint8_t)proto;
}

/* Fields that hold a whole number: where they go and how large they may be. */
static bool read_number(struct said *s, struct packet *p, const char *name, const char *value)
{
	const struct { const char *name; bool *said; uint64_t max; void *to; size_t size; } fields[] = {
		{ "TTL", &s->ttl, UINT8_MAX, &p->ttl, sizeof p->ttl },
		{ "HOPLIMIT", &s->ttl, UINT8_MAX, &p->ttl, sizeof p->ttl },
		{ "ID", &s->id, UINT16_MAX, &p->ip_id, sizeof p->ip_id },
		{ "SPT", &s->spt, UINT16_MAX, &p->sport, sizeof p->sport },
		{ "DPT", &s->dpt, UINT16_MAX, &p->dport, sizeof p->dport },
		{ "TYPE", &s->type, UINT8_MAX, &p->icmp_type, sizeof p->icmp_type },
		{ "CODE", &s->code, UINT8_MAX, &p->icmp_code, sizeof p->icmp_code },
		{ "WINDOW", &s->window, UINT16_MAX, &p->window, sizeof p->window },
		{ "SEQ", &s->seq, UINT32_MAX, &p->seq, sizeof p->seq },
		{ "LEN", &s->len, UINT32_MAX, &p->bytes, sizeof p->bytes },
	};
	uint64_t v;

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (strcmp(name, fields[i].name) != 0)
			continue;
		if (*fields[i].said || !whole(value, fields[i].max, &v))
			return true;
		*fields[i].said = true;
		switch (fields[i].size) {
		case 1: *(uint8_t *)fields[i].to = (uint8_t)v; break;
		case 2: *(uint16_t *)fields[i].to = (uint16_t)v; break;
		case 4: *(uint32_t *)fields[i].to = (uint32_t)v; break;
		default: *(uint64_t *)fields[i].to = v; break;
		}
		return true;
	}
	return false;
}

static void read_field(struct said *s, struct packet *p, const char *name, const char *value)
{
	if (read_number(s, p, name, value))
		return;
	if (!strcmp(name, "SRC") && !s->src)
		s->src = addr_parse(value, &p->src);
	else if (!strcmp(name, "DST") && !s->dst)
		s->dst = addr_parse(value, &p->dst);
	else if (!strcmp(name, "PROTO") && !s->proto) {
		s->proto = true;
		read_proto(s, p, value);
	} else if (!strcmp(name, "IN")) {
		s->in_given = true;
		s->in_empty = *value == '\0';
	} else if (!strcmp(name, "URGP")) {
		s->urgp = true;
	}
}

static void read_token(struct said *s, struct packet *p, char *token)
{
	char *equals = strchr(token, '=');

	if (equals) {
		*equals = '\0';
		read_field(s, p, token, equals + 1);
	} else if (!strncmp(token, "FRAG:", 5)) {
		s->fragment = true;
	} else if (!strcmp(token, "INCOMPLETE")) {
		s->incomplete = true;
	} else if (s->proto) {          /* behind PROTO=: before it, "ACK" may be a word of the rule's own prefix */
		p->flags |= flag_of(token);
	}
}

/* Tokens from the fields' beginning to the end or to a quoted packet's bracket. DPT= as a line's
 * last token does not count: other fields always follow it, so "DPT=48" at the end may be half of 4899. */
static void read_tokens(struct said *s, struct packet *p, const char *text)
{
	char token[TOKEN_MAX];

	while (*text) {
		text += strspn(text, " ");
		size_t n = strcspn(text, " ");
		if (*text == '[')
			return;
		if (n > 0 && n < sizeof token && !(text[n] == '\0' && !strncmp(text, "DPT=", 4))) {
			memcpy(token, text, n);
			token[n] = '\0';
			read_token(s, p, token);
		}
		text += n;
	}
}

/* Where the fields begin: at IN=, which the kernel writes first, else at SRC=. */
static const char *fields_of(const char *text)
{
	const char *src = strstr(text, "SRC=");
	const char *in = strstr(text, "IN=");

	return in && in < src ? in : src;
}

static enum refusal judge(const struct said *s, struct packet *p)
{
	if (s->in_given && s->in_empty)
		return REFUSAL_LEAVING;
	if (!s->src)
		return REFUSAL_BAD_SOURCE;
	if (!s->proto)
		return REFUSAL_LINE_CUT;
	if (s->other_proto)
		return REFUSAL_PROTO;
	if (s->fragment)
		return REFUSAL_FRAGMENT;
	if (s->incomplete)
		return REFUSAL_CUT;
	if (proto_is_icmp(p->proto))
		return s->type && s->code ? REFUSAL_NONE : REFUSAL_LINE_CUT;
	if (!s->dpt || (p->proto == PROTO_TCP && !s->urgp))
		return REFUSAL_LINE_CUT;
	return REFUSAL_NONE;
}

static void note_known(const struct said *s, struct packet *p)
{
	bool tcp = p->proto == PROTO_TCP;
	unsigned known = (s->dst ? PACKET_DST : 0u) | (tcp ? PACKET_FLAGS : 0u) | (tcp && s->seq ? PACKET_SEQ : 0u) |
		(tcp && s->window ? PACKET_WINDOW : 0u) | (s->id && addr_is_v4(&p->src) ? PACKET_IP_ID : 0u);

	p->known = (uint8_t)known;
	if (!tcp)
		p->flags = 0;
}

enum refusal logline_read(struct logclock *clock, const char *text, struct packet *out, char host[SENSOR_NAME_MAX + 1])
{
	struct said s = { 0 };
	enum refusal r;

	*out = (struct packet){ .packets = 1 };
	host[0] = '\0';
	if (!strstr(text, "SRC="))
		return strstr(text, "IN=") && strstr(text, "OUT=") ? REFUSAL_LINE_CUT : REFUSAL_NOT_FIREWALL;
	if (strstr(text, "[UFW AUDIT"))
		return REFUSAL_AUDIT;
	text = past_priority(text);
	r = read_time(clock, &text, &out->time_s);
	if (r)
		return r;
	read_host(text, host);
	read_tokens(&s, out, fields_of(text));
	note_known(&s, out);
	r = judge(&s, out);
	if (!r)
		packet_tell(out);
	return r;
}
