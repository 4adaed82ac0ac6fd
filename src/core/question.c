#include "core/question.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/num.h"
#include "base/zone.h"
#include "core/tuple.h"

#include <ctype.h>
#include <strings.h>

enum { LAST_MAX = 4000 };

static const char *const each_names[] = {
	"nothing", "port", "sensor", "region", "source", "network", "kind", "mark", "proto", "scanner",
};
static const char *const across_names[] = { "mean", "sum", "median", "robust" };
static const char *const per_names[] = { "address", "sensor" };

const char *each_name(enum each e)
{
	return each_names[e];
}

const char *across_name(enum across a)
{
	return across_names[a];
}

const char *per_name(enum per p)
{
	return per_names[p];
}

void question_init(struct question *q)
{
	*q = (struct question){ .step = STEP_DAY, .across = ACROSS_ROBUST, .top = 5, .proto = -1, .port = -1 };
	memcpy(q->last, "3mo", 4);
}

static bool wrong(struct err *e, const char *value, const char *expected)
{
	err_asked(e, "not a value: \"%.60s\"", value);
	return err_expected(e, "%s", expected);
}

/* Index of value in a list of names, or -1. */
static int name_index(const char *value, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcasecmp(value, names[i]))
			return (int)i;
	return -1;
}

static bool set_each(struct question *q, const char *value, struct err *e)
{
	int i = name_index(value, each_names, sizeof each_names / sizeof *each_names);

	if (i < 0)
		return wrong(e, value, "nothing, port, sensor, region, source, network, kind, mark, proto or scanner");
	q->each = (enum each)i;
	return true;
}

static bool set_step(struct question *q, const char *value, struct err *e)
{
	return step_parse(value, &q->step) ? true : wrong(e, value, "minute, hour, day, week, month, quarter or all");
}

static bool set_across(struct question *q, const char *value, struct err *e)
{
	int i = name_index(value, across_names, sizeof across_names / sizeof *across_names);

	if (i < 0)
		return wrong(e, value, "robust, mean, sum or median");
	q->across = (enum across)i;
	return true;
}

static bool set_per(struct question *q, const char *value, struct err *e)
{
	int i = name_index(value, per_names, 2);

	if (i < 0)
		return wrong(e, value, "address or sensor");
	q->per = (enum per)i;
	return true;
}

static bool set_top(struct question *q, const char *value, struct err *e)
{
	uint64_t n = 0;

	if (strcmp(value, "all") != 0 && !num_whole(value, 1, QUESTION_TOP_MAX, &n))
		return wrong(e, value, "a number from 1 to 200000, or all");
	q->top = (unsigned)n;
	return true;
}

/* "3mo" → 3 and 'm'; the unit's letter is one of h d w m y. */
static bool last_parse(const char *value, uint64_t *n, char *unit)
{
	static const struct { const char *name; char unit; } units[] = {
		{ "h", 'h' }, { "d", 'd' }, { "w", 'w' }, { "mo", 'm' }, { "y", 'y' },
	};
	char digits[16];
	size_t len = strspn(value, "0123456789");

	if (len == 0 || len >= sizeof digits)
		return false;
	memcpy(digits, value, len);
	digits[len] = '\0';
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (!strcmp(value + len, units[i].name)) {
			*unit = units[i].unit;
			return num_whole(digits, 1, LAST_MAX, n);
		}
	return false;
}

static bool set_last(struct question *q, const char *value, struct err *e)
{
	uint64_t n;
	char unit;

	if (!last_parse(value, &n, &unit))
		return wrong(e, value, "a number and h, d, w, mo or y, such as 3mo, 1y or 90d");
	memcpy(q->last, value, strlen(value) + 1);
	q->from[0] = '\0';
	return true;
}

static bool set_time(char to[40], const char *value, struct err *e)
{
	struct zone utc = { .len = 1, .rules = &(struct zone_rule){ 0, 0 } };
	minute_t at;

	/* The store's zone is not known yet: here only the form is judged. */
	if (strlen(value) >= 40 || !calendar_parse(&utc, value, &at, e)) {
		err_asked(e, "not a time: \"%.60s\"", value);
		return err_expected(e, "2006-05-15, 2006-05-15T09:00 or 2006-05-15T00:00Z");
	}
	memcpy(to, value, strlen(value) + 1);
	return true;
}

static bool set_proto(struct question *q, const char *value, struct err *e)
{
	unsigned proto;

	if (!proto_parse(value, &proto))
		return wrong(e, value, "tcp, udp, icmp or icmpv6");
	if (q->port >= 0 && q->proto != (int)proto)
		return wrong(e, value, "that of the port which is asked for, or none");
	q->proto = (int)proto;
	return true;
}

static bool set_port(struct question *q, const char *value, struct err *e)
{
	unsigned proto, port;

	if (!port_parse(value, &proto, &port))
		return wrong(e, value, "1433/tcp, 53/udp or icmp/8");
	if (q->proto >= 0 && q->port < 0 && q->proto != (int)proto)
		return wrong(e, value, "a port of the protocol that is asked for");
	q->proto = (int)proto;
	q->port = (int)port;
	return true;
}

/* A list of names with commas into bits; "all" is those of `all`, and nothing where that is 0. */
static bool set_bits(unsigned *bits, const char *value, const char *(*name)(unsigned), unsigned n, unsigned all,
	struct err *e)
{
	char list[128];
	unsigned found = 0;

	for (const char *at = value; ; at++) {
		size_t len = strcspn(at, ",");
		unsigned i = 0;

		while (i < n && (strlen(name(i)) != len || strncasecmp(at, name(i), len) != 0))
			i++;
		if (i < n)
			found |= 1u << i;
		else if (all && len == 3 && !strncasecmp(at, "all", 3))
			found |= all;
		else
			break;
		at += len;
		if (*at == '\0') {
			*bits = found;
			return true;
		}
	}
	list[0] = '\0';
	for (unsigned i = 0, used = 0; i < n; i++)
		used += (unsigned)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", name(i));
	err_asked(e, "not a value: \"%.60s\"", value);
	return err_expected(e, "%s%s; several with commas", list, all ? " or all" : "");
}

/* Kinds, and behind them marks: no two of them have the same name. */
static const char *without_name(unsigned i)
{
	return i < KINDS ? kind_name(i) : mark_name(i - KINDS);
}

static bool set_without(struct question *q, const char *value, struct err *e)
{
	unsigned bits = 0;

	if (!set_bits(&bits, value, without_name, KINDS + MARKS, 0, e))
		return false;
	q->without_kinds = bits & ((1u << KINDS) - 1);
	q->without_marks = bits >> KINDS;
	return true;
}

static bool set_sensor(struct question *q, const char *value, struct err *e)
{
	if (!sensor_name_valid(value))
		return wrong(e, value, "a sensor's name; `teiten sensor list` shows them");
	memcpy(q->sensor, value, strlen(value) + 1);
	return true;
}

static bool set_region(struct question *q, const char *value, struct err *e)
{
	if (!isalpha((unsigned char)value[0]) || !isalpha((unsigned char)value[1]) || value[2] != '\0')
		return wrong(e, value, "two letters such as JP; ZZ is unknown");
	q->region[0] = (char)toupper((unsigned char)value[0]);
	q->region[1] = (char)toupper((unsigned char)value[1]);
	q->region[2] = '\0';
	return true;
}

static bool set_source(struct question *q, const char *value, struct err *e)
{
	if (!prefix_parse(value, &q->src))
		return wrong(e, value, "an address or a prefix such as 192.0.2.0/24, no bits behind its length");
	q->has_src = true;
	return true;
}

bool scanner_name_valid(const char *name)
{
	static const char *const words[] = { "all", "without", "only" };
	size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	return name[len] == '\0' && len < SCANNER_NAME_MAX && isalnum((unsigned char)name[0]) && name_index(name, words, sizeof words / sizeof *words) < 0;
}

bool question_of_scanners(const struct question *q)
{
	return q->scanners[0] || q->each == EACH_SCANNER;
}

static bool set_scanners(struct question *q, const char *value, struct err *e)
{
	static const char *const words[] = { "without", "only" };
	int i = name_index(value, words, sizeof words / sizeof *words);

	if (strcasecmp(value, "all") != 0 && i < 0 && !scanner_name_valid(value))
		return wrong(e, value, "without, only, all, or an organisation of the list; `teiten scanner list` shows them");
	const char *kept = !strcasecmp(value, "all") ? "" : i < 0 ? value : words[i];
	memcpy(q->scanners, kept, strlen(kept) + 1);
	return true;
}

static const char *const keys[] = {
	"each", "step", "across", "per", "top", "last", "from", "until", "proto", "port", "kind", "mark", "sensor", "region",
	"source", "without", "scanners",
};
enum key { EACH, STEP, ACROSS, PER, TOP, LAST, FROM, UNTIL, PROTO, PORT, KIND, MARK, SENSOR, REGION, SOURCE, WITHOUT, SCANNERS, KEYS };

bool question_knows(const char *key)
{
	return name_index(key, keys, KEYS) >= 0;
}

static bool set(struct question *q, enum key key, const char *value, struct err *e)
{
	switch (key) {
	case EACH: return set_each(q, value, e);
	case STEP: return set_step(q, value, e);
	case ACROSS: return set_across(q, value, e);
	case PER: return set_per(q, value, e);
	case TOP: return set_top(q, value, e);
	case LAST: return set_last(q, value, e);
	case FROM: return set_time(q->from, value, e);
	case UNTIL: return set_time(q->until, value, e);
	case PROTO: return set_proto(q, value, e);
	case PORT: return set_port(q, value, e);
	case KIND: return set_bits(&q->kinds, value, kind_name, KINDS, (1u << KINDS) - 1, e);
	case MARK: return set_bits(&q->marks, value, mark_name, MARKS, (1u << MARKS) - 1, e);
	case SCANNERS: return set_scanners(q, value, e);
	case WITHOUT: return set_without(q, value, e);
	case SENSOR: return set_sensor(q, value, e);
	case REGION: return set_region(q, value, e);
	default: return set_source(q, value, e);
	}
}

bool question_set(struct question *q, const char *key, const char *value, struct err *e)
{
	int i = name_index(key, keys, KEYS);

	if (i >= 0)
		return set(q, (enum key)i, value, e) || err_in(e, "%s", keys[i]);
	err_asked(e, "unknown key \"%.40s\" in the question", key);
	return err_expected(e, "each step across per top last from until proto port kind mark without sensor region source scanners");
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One percent-decoded piece up to a stop character; false for bad escapes, NUL and what does not fit. */
static bool decoded(const char **text, const char *stops, char *out, size_t cap)
{
	size_t n = 0;
	const char *t = *text;

	while (*t && !strchr(stops, *t)) {
		int c = (unsigned char)*t++;

		if (c == '+')
			c = ' ';
		if (c == '%') {
			if (hex(t[0]) < 0 || hex(t[1]) < 0)
				return false;
			c = hex(t[0]) << 4 | hex(t[1]);
			t += 2;
		}
		if (c == 0 || n + 1 >= cap)
			return false;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	*text = t;
	return true;
}

static bool listed(const char *const *list, const char *key)
{
	for (; list && *list; list++)
		if (!strcmp(*list, key))
			return true;
	return false;
}

bool question_parse(struct question *q, const char *text, const char *const *ignored, struct err *e)
{
	char key[32], value[128];

	if (strlen(text) > QUESTION_TEXT_MAX) {
		err_asked(e, "the question is too long");
		return err_expected(e, "at most %d characters", QUESTION_TEXT_MAX);
	}
	while (*text) {
		value[0] = '\0';
		if (!decoded(&text, "=&", key, sizeof key) || (*text == '=' && (text++, !decoded(&text, "&", value, sizeof value)))) {
			err_asked(e, "the question cannot be read");
			return err_expected(e, "key=value pairs with &, percent-encoded, values of at most 127 bytes");
		}
		if (*text == '&')
			text++;
		if (key[0] == '\0' && value[0] == '\0')
			continue;
		if (!listed(ignored, key) && !question_set(q, key, value, e))
			return false;
	}
	return true;
}

/* The end of the last local day that held is known to its end; held.until itself when there is no whole day. */
static minute_t last_whole_day(const struct zone *z, struct span held)
{
	minute_t end = calendar_floor(z, held.until, STEP_DAY);

	return end > held.from ? end : held.until;
}

static minute_t back(const struct zone *z, minute_t until, uint64_t n, char unit)
{
	uint64_t minutes = n * (unit == 'h' ? 60 : unit == 'w' ? 7 * MINUTES_PER_DAY : MINUTES_PER_DAY);

	if (unit == 'h')
		return until > minutes ? until - (minute_t)minutes : 0;
	if (unit == 'm' || unit == 'y')
		return calendar_shift(z, until, -(int)(unit == 'y' ? n * 12 : n));
	uint32_t day = calendar_day(z, until), days = (uint32_t)(minutes / MINUTES_PER_DAY);
	return day > days ? calendar_day_start(z, day - days) : 0;
}

static bool settle_span(struct question *q, const struct zone *z, struct span held, struct err *e)
{
	uint64_t n = 0;
	char unit = 'd';

	q->span.until = last_whole_day(z, held);
	if (q->until[0] && !calendar_parse(z, q->until, &q->span.until, e))
		return false;
	if (q->from[0]) {
		if (!calendar_parse(z, q->from, &q->span.from, e))
			return false;
		minute_t length = q->span.until > q->span.from ? q->span.until - q->span.from : 0;
		q->before = (struct span){ q->span.from > length ? q->span.from - length : 0, q->span.from };
	} else {
		(void)last_parse(q->last, &n, &unit);   /* question_set has judged it */
		q->span.from = back(z, q->span.until, n, unit);
		q->before = (struct span){ back(z, q->span.from, n, unit), q->span.from };
	}
	if (span_empty(q->span)) {
		char end[CALENDAR_TEXT_MAX];

		err_asked(e, "the span is empty: its end, %s, is not after its beginning", calendar_rfc3339(z, q->span.until, end));
		if (q->until[0])
			err_expected(e, "from before until; a span has its from and not its until");
		else
			err_expected(e, "an earlier --from, or --until: without it a span ends with the last whole day that is held");
		return err_in(e, q->until[0] ? "until" : "from");
	}
	return true;
}

/* Steps in the span, counted only as far as the limit. */
static size_t steps_in(const struct question *q, const struct zone *z)
{
	size_t n = 0;

	if (q->step == STEP_ALL)
		return 1;
	if (q->step == STEP_MINUTE)
		return span_minutes(q->span);
	for (minute_t at = q->span.from; at < q->span.until && n <= QUESTION_POINTS_MAX; n++)
		at = calendar_next(z, at, q->step);
	return n;
}

bool question_points(size_t steps, size_t series, struct err *e)
{
	if (steps <= QUESTION_POINTS_MAX && series <= QUESTION_POINTS_MAX / (steps ? steps : 1))
		return true;
	err_asked(e, "too many values: %zu steps for each of %zu series", steps, series);
	err_expected(e, "at most %d values; a coarser step, a shorter span or a smaller top", QUESTION_POINTS_MAX);
	return err_in(e, "step");
}

bool question_robust(const struct question *q, const struct zone *z)
{
	bool of_sensors = q->each == EACH_SENSOR || q->sensor[0], of_sources = q->each == EACH_SOURCE || q->each == EACH_NETWORK;
	bool of_one_port = q->each == EACH_PORT || (q->port >= 0 && q->proto >= 0);     /* hours have values there only: METHODS would have them everywhere */

	return q->per == PER_ADDRESS && q->step != STEP_MINUTE && (q->step != STEP_HOUR || of_one_port) && !of_sensors && !of_sources && q->each != EACH_KIND &&
		!(q->kinds & ~q->without_kinds & 1u << KIND_BACKSCATTER) && calendar_floor(z, q->span.from, STEP_DAY) == q->span.from &&
		calendar_floor(z, q->span.until, STEP_DAY) == q->span.until;
}

bool question_settle(struct question *q, const struct zone *z, struct span held, struct err *e)
{
	if (span_empty(held) && !(q->from[0] && q->until[0])) {
		err_asked(e, "the store is empty");
		return err_expected(e, "teiten import FILE puts packets into it");
	}
	if (!settle_span(q, z, held, e))
		return false;
	if (q->across == ACROSS_ROBUST && !question_robust(q, z)) {
		q->across = ACROSS_MEAN;
		q->fell_back = true;
	}
	size_t steps = steps_in(q, z), series = q->each == EACH_NOTHING || q->top == 0 ? 1 : q->top;
	return q->step == STEP_ALL || question_points(steps, series, e);
}

static void bits_text(struct buf *out, const char *key, unsigned bits, const char *(*name)(unsigned), unsigned n)
{
	const char *comma = "";

	buf_printf(out, "&%s=", key);
	for (unsigned i = 0; i < n; i++)
		if (bits & 1u << i) {
			buf_printf(out, "%s%s", comma, name(i));
			comma = ",";
		}
}

/* Of what is in a time only the "+" of an offset means something else in a query string. */
static void time_text(struct buf *out, const char *key, const char *time)
{
	buf_printf(out, "&%s=", key);
	for (; *time; time++)
		if (*time == '+')
			buf_str(out, "%2B");
		else
			buf_u8(out, (uint8_t)*time);
}

/* Everything but the span. */
static void rest_text(const struct question *q, struct buf *out)
{
	char text[PREFIX_TEXT_MAX];

	buf_printf(out, "each=%s&step=%s&across=%s&per=%s", each_names[q->each], step_name(q->step), across_names[q->across],
		per_names[q->per]);
	if (q->top)
		buf_printf(out, "&top=%u", q->top);
	else
		buf_str(out, "&top=all");
	if (q->port >= 0)
		buf_printf(out, "&port=%s", port_label((unsigned)q->proto, (unsigned)q->port, text));
	else if (q->proto >= 0)
		buf_printf(out, "&proto=%s", proto_name((unsigned)q->proto));
	if (q->kinds)
		bits_text(out, "kind", q->kinds, kind_name, KINDS);
	if (q->marks)
		bits_text(out, "mark", q->marks, mark_name, MARKS);
	if (q->without_kinds || q->without_marks)
		bits_text(out, "without", q->without_kinds | q->without_marks << KINDS, without_name, KINDS + MARKS);
	if (q->sensor[0])
		buf_printf(out, "&sensor=%s", q->sensor);
	if (q->region[0])
		buf_printf(out, "&region=%s", q->region);
	if (q->has_src)
		buf_printf(out, "&source=%s", prefix_format(&q->src, text));
	if (q->scanners[0])
		buf_printf(out, "&scanners=%s", q->scanners);
}

void question_text(const struct question *q, const struct zone *z, struct buf *out)
{
	char text[CALENDAR_TEXT_MAX];

	rest_text(q, out);
	time_text(out, "from", calendar_rfc3339(z, q->span.from, text));
	time_text(out, "until", calendar_rfc3339(z, q->span.until, text));
}

void question_asked(const struct question *q, struct buf *out)
{
	rest_text(q, out);
	buf_printf(out, "&last=%s", q->last);
	if (q->from[0])
		time_text(out, "from", q->from);
	if (q->until[0])
		time_text(out, "until", q->until);
}

bool question_takes(const struct question *q, const struct tuple *t)
{
	return (q->kinds ? (q->kinds >> t->kind & 1) != 0 : tuple_reaches(t)) && (!q->marks || (t->mark & q->marks)) &&
		!(q->without_kinds >> t->kind & 1) && !(t->mark & q->without_marks) && (q->proto < 0 || t->proto == q->proto) && (q->port < 0 || port_ranked(t->proto, t->port) == q->port) &&
		(!q->has_src || prefix_holds(&q->src, &t->src));
}
