/* scenario: one line, one thing: a word that says what it is, what it is about, then key=value pairs. Which keys there
 * are, their ranges and where they go stands in tables. */
#include "simulate/scenario.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "core/calendar.h"

#include <math.h>
#include <stddef.h>

enum { WORDS_MAX = 80, PACKETS_A_DAY_MAX = 300000 /* of one sensor, expected: a batch has to hold them */ };

enum as { AS_REAL, AS_WHOLE, AS_NAME, AS_REGION, AS_MOMENT, AS_MIX, AS_SHAPE };

struct field {
	const char *key;
	enum as as;
	size_t offset;
	bool required;
	double min, max;                /* of AS_REAL and AS_WHOLE */
};

struct parser {
	struct scenario *s;
	char *word[WORDS_MAX]; size_t words;
};

static const char *const shape_names[] = { "step", "worm", "ramp", "burst" };

#define HABIT_FIELDS(type, habit) \
	{ "packets", AS_REAL, offsetof(type, habit.packets), false, 1, 1000 }, \
	{ "returning", AS_REAL, offsetof(type, habit.returning), false, 0, 1 }, \
	{ "bytes", AS_WHOLE, offsetof(type, habit.bytes), false, 28, 1500 }, \
	{ "mix", AS_MIX, offsetof(type, habit.mix), false, 0, 0 }

static const struct field sensor_fields[] = {
	{ "addresses", AS_WHOLE, offsetof(struct post, addresses), true, 1, SCENARIO_ADDRESSES_MAX },
	{ "region", AS_REGION, offsetof(struct post, region), false, 0, 0 },
	{ "group", AS_NAME, offsetof(struct post, group), false, 0, 0 },
	{ "factor", AS_REAL, offsetof(struct post, factor), false, 0, 1000 },
	{ "joined", AS_MOMENT, offsetof(struct post, joined), false, 0, 0 },
	{ "left", AS_MOMENT, offsetof(struct post, left), false, 0, 0 },
	{ NULL, AS_REAL, 0, false, 0, 0 },
};

static const struct field stream_fields[] = {
	{ "level", AS_REAL, offsetof(struct stream, level), true, 0, 100000 },
	{ "trend", AS_REAL, offsetof(struct stream, trend), false, .001, 1000 },
	{ "spread", AS_REAL, offsetof(struct stream, spread), false, 0, 3 },
	{ "week", AS_REAL, offsetof(struct stream, week), false, 0, 1 },
	{ "day", AS_REAL, offsetof(struct stream, day), false, 0, 1 },
	{ "noise", AS_REAL, offsetof(struct stream, noise), false, 0, 2 },
	{ "sweeps", AS_REAL, offsetof(struct stream, sweeps), false, 0, 1000 },
	HABIT_FIELDS(struct stream, habit),
	{ NULL, AS_REAL, 0, false, 0, 0 },
};

static const struct field rise_fields[] = {
	{ "shape", AS_SHAPE, offsetof(struct rise, shape), true, 0, 0 },
	{ "from", AS_MOMENT, offsetof(struct rise, span.from), true, 0, 0 },
	{ "until", AS_MOMENT, offsetof(struct rise, span.until), true, 0, 0 },
	{ "level", AS_REAL, offsetof(struct rise, level), true, 0, 100000 },
	{ "share", AS_REAL, offsetof(struct rise, share), false, 0, 1 },
	HABIT_FIELDS(struct rise, habit),
	{ NULL, AS_REAL, 0, false, 0, 0 },
};

static const struct field oddity_fields[] = {
	{ "factor", AS_REAL, offsetof(struct oddity, factor), true, 0, 1000 },
	{ "from", AS_MOMENT, offsetof(struct oddity, span.from), false, 0, 0 },
	{ "until", AS_MOMENT, offsetof(struct oddity, span.until), false, 0, 0 },
	{ NULL, AS_REAL, 0, false, 0, 0 },
};

static const struct field outage_fields[] = {
	{ "from", AS_MOMENT, offsetof(struct outage, span.from), true, 0, 0 },
	{ "until", AS_MOMENT, offsetof(struct outage, span.until), true, 0, 0 },
	{ NULL, AS_REAL, 0, false, 0, 0 },
};

static const struct field chance_outage_fields[] = {
	{ "every", AS_REAL, offsetof(struct scenario, chance_outages.every), true, 1, 100000 },
	{ "hours", AS_REAL, offsetof(struct scenario, chance_outages.hours), true, 0, 10000 },
	{ NULL, AS_REAL, 0, false, 0, 0 },
};

static const struct field hammer_fields[] = {
	{ "every", AS_REAL, offsetof(struct scenario, hammers.every), true, 1, 100000 },
	{ "packets", AS_REAL, offsetof(struct scenario, hammers.packets), true, 1, 100000 },
	{ NULL, AS_REAL, 0, false, 0, 0 },
};

static const struct field tail_fields[] = {
	{ "ports", AS_WHOLE, offsetof(struct scenario, tail.ports), true, 1, SCENARIO_TAIL_MAX },
	{ "level", AS_REAL, offsetof(struct scenario, tail.level), true, 0, 100000 },
	HABIT_FIELDS(struct scenario, tail.habit),
	{ NULL, AS_REAL, 0, false, 0, 0 },
};

static bool read_region(const char *text, char out[3])
{
	if (strlen(text) != 2 || text[0] < 'A' || text[0] > 'Z' || text[1] < 'A' || text[1] > 'Z')
		return false;
	memcpy(out, text, 3);
	return true;
}

static bool find_mix(const struct scenario *s, const char *name, unsigned *out)
{
	for (size_t i = 0; i < s->mixes_len; i++)
		if (!strcmp(s->mixes[i].name, name)) {
			*out = (unsigned)i;
			return true;
		}
	return false;
}

static bool find_shape(const char *name, enum shape *out)
{
	for (size_t i = 0; i < sizeof shape_names / sizeof *shape_names; i++)
		if (!strcmp(shape_names[i], name)) {
			*out = (enum shape)i;
			return true;
		}
	return false;
}

static bool real_in(const char *text, double min, double max, double *out)
{
	double v;

	if (!num_real(text, &v) || v < min || v > max)
		return false;
	*out = v;
	return true;
}

static bool whole_in(const char *text, double min, double max, unsigned *out)
{
	uint64_t v;

	if (!num_whole(text, (uint64_t)min, (uint64_t)max, &v))
		return false;
	*out = (unsigned)v;
	return true;
}

static bool name_in(const char *text, char *out)
{
	if (!sensor_name_valid(text))
		return false;
	memcpy(out, text, strlen(text) + 1);
	return true;
}

static bool set_field(const struct scenario *s, const struct field *f, const char *value, void *base, struct err *e)
{
	void *at = (char *)base + f->offset;
	bool ok = false;

	switch (f->as) {
	case AS_REAL: ok = real_in(value, f->min, f->max, at); break;
	case AS_WHOLE: ok = whole_in(value, f->min, f->max, at); break;
	case AS_NAME: ok = name_in(value, at); break;
	case AS_REGION: ok = read_region(value, at); break;
	case AS_MIX: ok = find_mix(s, value, at); break;
	case AS_SHAPE: ok = find_shape(value, at); break;
	case AS_MOMENT: return calendar_parse(&s->zone, value, at, e);
	}
	if (ok)
		return true;
	err_set(e, "%s cannot be \"%.40s\"", f->key, value);
	if (f->as == AS_REAL || f->as == AS_WHOLE)
		err_expected(e, "a%s number from %g to %g", f->as == AS_WHOLE ? " whole" : "", f->min, f->max);
	else if (f->as == AS_MIX)
		err_expected(e, "the name of a mix that stands above");
	else if (f->as == AS_SHAPE)
		err_expected(e, "step, worm, ramp or burst");
	return false;
}

/* key=value from word number `first` on, each key once, all those that are required. */
static bool set_fields(struct parser *p, const struct field *fields, size_t first, void *base, struct err *e)
{
	unsigned given = 0;

	for (size_t i = first; i < p->words; i++) {
		char *equals = strchr(p->word[i], '=');
		unsigned k = 0;

		if (!equals) {
			err_set(e, "\"%.40s\" is not key=value", p->word[i]);
			return err_expected(e, "no blanks around the =");
		}
		*equals = '\0';
		while (fields[k].key && strcmp(fields[k].key, p->word[i]) != 0)
			k++;
		if (!fields[k].key)
			return err_set(e, "unknown key \"%.40s\"", p->word[i]);
		if (given >> k & 1)
			return err_set(e, "%s is given twice", fields[k].key);
		given |= 1u << k;
		if (!set_field(p->s, &fields[k], equals + 1, base, e))
			return false;
	}
	for (unsigned k = 0; fields[k].key; k++)
		if (fields[k].required && !(given >> k & 1))
			return err_set(e, "%s is missing", fields[k].key);
	return true;
}

static bool find_sensor(const struct scenario *s, const char *name, unsigned *out)
{
	for (size_t i = 0; i < s->sensors_len; i++)
		if (!strcmp(s->sensors[i].name, name)) {
			*out = (unsigned)i;
			return true;
		}
	return false;
}

static bool find_stream(const struct scenario *s, unsigned proto, unsigned port, bool backscatter, unsigned *out)
{
	for (size_t i = 0; i < s->streams_len; i++) {
		const struct stream *one = &s->streams[i];

		if (one->proto == proto && one->port == port && one->backscatter == backscatter) {
			*out = (unsigned)i;
			return true;
		}
	}
	return false;
}

static bool read_port(const char *text, unsigned *proto, unsigned *port, struct err *e)
{
	if (port_parse(text, proto, port) && *proto != PROTO_ICMPV6)    /* sources are IPv4 */
		return true;
	err_set(e, "not a port: \"%.40s\"", text);
	return err_expected(e, "such as 445/tcp, 1026/udp or icmp/8");
}

static bool span_inside(const struct scenario *s, struct span span, struct err *e)
{
	return !span_empty(span_both(s->span, span)) && !span_empty(span) ? true :
		err_set(e, "its time is empty or outside the scenario's span");
}

static bool take_zone(struct parser *p, struct err *e)
{
	if (p->words != 2 || p->s->zone.len)
		return err_set(e, "zone is given once, with a name such as Asia/Tokyo");
	return zone_load(&p->s->zone, p->word[1], e);
}

static bool take_span(struct parser *p, struct err *e)
{
	struct scenario *s = p->s;
	struct span span;

	if (p->words != 3 || !span_empty(s->span))
		return err_set(e, "span is given once, with its first date and the one after its last");
	if (!calendar_parse(&s->zone, p->word[1], &span.from, e) || !calendar_parse(&s->zone, p->word[2], &span.until, e))
		return false;
	if (span_empty(span) || calendar_floor(&s->zone, span.from, STEP_DAY) != span.from ||
		calendar_floor(&s->zone, span.until, STEP_DAY) != span.until ||
		calendar_day(&s->zone, span.until) - calendar_day(&s->zone, span.from) > SCENARIO_DAYS_MAX)
		return err_set(e, "a span is 1 to %d whole days", SCENARIO_DAYS_MAX);
	s->span = span;
	return true;
}

static bool take_level(struct parser *p, struct err *e)
{
	if (p->words == 2 && real_in(p->word[1], 0, 1000, &p->s->level))
		return true;
	return err_set(e, "level is a number from 0 to 1000");
}

static bool take_mix(struct parser *p, struct err *e)
{
	struct mix m = { 0 };
	unsigned known;

	if (strlen(p->word[1]) >= MIX_NAME_MAX || find_mix(p->s, p->word[1], &known))
		return err_set(e, "a mix named \"%.40s\" is there already, or the name is too long", p->word[1]);
	memcpy(m.name, p->word[1], strlen(p->word[1]) + 1);
	for (size_t i = 2; i < p->words; i++) {
		char *equals = strchr(p->word[i], '=');

		if (equals)
			*equals = '\0';
		if (!equals || m.len == MIX_REGIONS_MAX || !read_region(p->word[i], m.list[m.len].region) ||
			!real_in(equals + 1, 0, 1e6, &m.list[m.len].weight)) {
			err_set(e, "\"%.20s\" is no region with a weight, or there are too many", p->word[i]);
			return err_expected(e, "such as JP=14");
		}
		m.len++;
	}
	if (m.len == 0)
		return err_set(e, "a mix has at least one region");
	MEM_GROW(p->s->mixes, p->s->mixes_len, p->s->mixes_cap);
	p->s->mixes[p->s->mixes_len++] = m;
	return true;
}

static bool take_sensor(struct parser *p, struct err *e)
{
	struct scenario *s = p->s;
	struct post one = { .region = "ZZ", .factor = 1, .joined = s->span.from, .left = s->span.until };
	unsigned known;

	if (!name_in(p->word[1], one.name) || find_sensor(s, one.name, &known))
		return err_set(e, "not a sensor's name, or there already: \"%.40s\"", p->word[1]);
	if (!set_fields(p, sensor_fields, 2, &one, e) || !span_inside(s, (struct span){ one.joined, one.left }, e))
		return false;
	MEM_GROW(s->sensors, s->sensors_len, s->sensors_cap);
	s->sensors[s->sensors_len++] = one;
	return true;
}

static bool take_stream(struct parser *p, bool backscatter, struct err *e)
{
	struct scenario *s = p->s;
	struct stream one = { .backscatter = backscatter, .trend = 1, .spread = .5, .noise = .15, .habit.packets = 1.5 };
	unsigned known;

	if (!read_port(p->word[1], &one.proto, &one.port, e))
		return false;
	if (find_stream(s, one.proto, one.port, backscatter, &known))
		return err_set(e, "%.40s is there already", p->word[1]);
	if (!set_fields(p, stream_fields, 2, &one, e))
		return false;
	MEM_GROW(s->streams, s->streams_len, s->streams_cap);
	s->streams[s->streams_len++] = one;
	return true;
}

static bool take_port(struct parser *p, struct err *e)
{
	return take_stream(p, false, e);
}

static bool take_backscatter(struct parser *p, struct err *e)
{
	return take_stream(p, true, e);
}

static bool take_tail(struct parser *p, struct err *e)
{
	p->s->tail.habit.packets = 1.5;
	return set_fields(p, tail_fields, 1, p->s, e);
}

static bool take_rise(struct parser *p, struct err *e)
{
	struct scenario *s = p->s;
	struct rise one = { .share = .9, .habit.packets = 1.5, .habit.returning = .2 };

	if (!read_port(p->word[1], &one.proto, &one.port, e) || !set_fields(p, rise_fields, 2, &one, e) ||
		!span_inside(s, one.span, e))
		return false;
	MEM_GROW(s->rises, s->rises_len, s->rises_cap);
	s->rises[s->rises_len++] = one;
	return true;
}

static bool take_oddity(struct parser *p, struct err *e)
{
	struct scenario *s = p->s;
	struct oddity one = { .span = s->span };
	unsigned proto, port;

	if (p->words < 3 || !find_sensor(s, p->word[1], &one.sensor))
		return err_set(e, "odd is followed by a sensor and a port that stand above");
	if (!read_port(p->word[2], &proto, &port, e))
		return false;
	if (!find_stream(s, proto, port, false, &one.stream))
		return err_set(e, "no port %.40s stands above", p->word[2]);
	if (!set_fields(p, oddity_fields, 3, &one, e) || !span_inside(s, one.span, e))
		return false;
	MEM_GROW(s->oddities, s->oddities_len, s->oddities_cap);
	s->oddities[s->oddities_len++] = one;
	return true;
}

static bool take_outage(struct parser *p, struct err *e)
{
	struct scenario *s = p->s;
	struct outage one = { 0 };

	if (!find_sensor(s, p->word[1], &one.sensor))
		return err_set(e, "no sensor \"%.40s\" stands above", p->word[1]);
	if (!set_fields(p, outage_fields, 2, &one, e) || !span_inside(s, one.span, e))
		return false;
	MEM_GROW(s->outages, s->outages_len, s->outages_cap);
	s->outages[s->outages_len++] = one;
	return true;
}

static bool take_chance_outages(struct parser *p, struct err *e)
{
	return set_fields(p, chance_outage_fields, 1, p->s, e);
}

static bool take_hammers(struct parser *p, struct err *e)
{
	return set_fields(p, hammer_fields, 1, p->s, e);
}

static const struct directive {
	const char *word;
	bool (*take)(struct parser *p, struct err *e);
	int rank;               /* a line may stand only where those of lower rank are done: see rank_reached */
} directives[] = {
	{ "zone", take_zone, 0 },
	{ "span", take_span, 1 },
	{ "level", take_level, 2 },
	{ "mix", take_mix, 2 },
	{ "sensor", take_sensor, 2 },
	{ "outage", take_outage, 2 },
	{ "outages", take_chance_outages, 2 },
	{ "port", take_port, 3 },
	{ "backscatter", take_backscatter, 3 },
	{ "tail", take_tail, 3 },
	{ "rise", take_rise, 3 },
	{ "odd", take_oddity, 3 },
	{ "hammer", take_hammers, 3 },
};

/* How far the scenario has come: 0 nothing, 1 the zone, 2 the span, 3 a mix, which everything that sends needs. */
static int rank_reached(const struct scenario *s)
{
	return s->zone.len == 0 ? 0 : span_empty(s->span) ? 1 : s->mixes_len == 0 ? 2 : 3;
}

static bool full(const struct scenario *s)
{
	const size_t lens[] = {
		s->mixes_len, s->sensors_len, s->streams_len, s->rises_len, s->oddities_len, s->outages_len,
	};

	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
		if (lens[i] == SCENARIO_ITEMS_MAX)
			return true;
	return false;
}

static bool take_words(struct parser *p, struct err *e)
{
	for (size_t i = 0; i < sizeof directives / sizeof *directives; i++) {
		const struct directive *d = &directives[i];

		if (strcmp(d->word, p->word[0]) != 0)
			continue;
		if (p->words < 2)
			return err_set(e, "nothing stands behind \"%s\"", d->word);
		if (d->rank > rank_reached(p->s)) {
			err_set(e, "\"%s\" comes too early", d->word);
			return err_expected(e, "zone first, then span, a mix, and the rest");
		}
		if (full(p->s))
			return err_set(e, "there are more than %d of one kind", SCENARIO_ITEMS_MAX);
		return d->take(p, e);
	}
	return err_set(e, "unknown word \"%.40s\"", p->word[0]);
}

static bool take_line(struct parser *p, char *line, struct err *e)
{
	line[strcspn(line, "#\r")] = '\0';
	for (p->words = 0; ; p->words++) {
		line += strspn(line, " \t");
		if (*line == '\0')
			break;
		if (p->words == WORDS_MAX)
			return err_set(e, "more than %d words", WORDS_MAX);
		p->word[p->words] = line;
		line += strcspn(line, " \t");
		if (*line)
			*line++ = '\0';
	}
	return p->words == 0 || take_words(p, e);
}

static double busiest(const struct scenario *s, unsigned sensor)
{
	double years = (double)span_minutes(s->span) / MINUTES_PER_DAY / 365, sum = s->tail.level;

	for (unsigned i = 0; i < s->streams_len; i++) {
		const struct stream *one = &s->streams[i];
		double level = one->level * fmax(1, pow(one->trend, years));

		for (size_t k = 0; k < s->oddities_len; k++)
			if (s->oddities[k].sensor == sensor && s->oddities[k].stream == i)
				level *= fmax(1, s->oddities[k].factor);
		sum += level + one->sweeps * one->habit.packets;
	}
	for (size_t i = 0; i < s->rises_len; i++)
		sum += s->rises[i].level;
	return sum * s->level * s->sensors[sensor].factor * s->sensors[sensor].addresses;
}

static bool check(const struct scenario *s, struct err *e)
{
	if (rank_reached(s) < 3 || s->sensors_len == 0)
		return err_set(e, "a scenario has a zone, a span, a mix and at least one sensor");
	for (unsigned i = 0; i < s->sensors_len; i++)
		if (busiest(s, i) > PACKETS_A_DAY_MAX) {
			err_set(e, "sensor %s would see about %.3g packets a day", s->sensors[i].name, busiest(s, i));
			return err_expected(e, "at most %d", PACKETS_A_DAY_MAX);
		}
	return true;
}

bool scenario_parse(struct scenario *s, const char *text, size_t len, struct err *e)
{
	struct parser p = { .s = s };
	char line[SCENARIO_LINE_MAX];
	unsigned number = 0;

	*s = (struct scenario){ .level = 1 };
	digest_of(text, len, s->digest);
	for (size_t at = 0; at < len; ) {
		const char *newline = memchr(text + at, '\n', len - at);
		size_t n = newline ? (size_t)(newline - text) - at : len - at;
		bool ok = n < sizeof line && !memchr(text + at, '\0', n);

		number++;
		if (!ok)
			err_set(e, "longer than %d bytes, or not text", SCENARIO_LINE_MAX - 1);
		if (ok) {
			memcpy(line, text + at, n);
			line[n] = '\0';
			ok = take_line(&p, line, e);
		}
		if (!ok)
			return err_in(e, "line %u", number);
		at += n + 1;
	}
	return check(s, e);
}

bool scenario_read(struct scenario *s, const char *path, struct err *e)
{
	struct buf text = buf_make(SCENARIO_BYTES_MAX);
	bool ok = file_read(path, &text, e);

	*s = (struct scenario){ 0 };
	if (ok && !scenario_parse(s, buf_cstr(&text), text.len, e))
		ok = err_in(e, "%s", path);
	buf_release(&text);
	return ok;
}

void scenario_release(struct scenario *s)
{
	zone_release(&s->zone);
	free(s->mixes);
	free(s->sensors);
	free(s->streams);
	free(s->rises);
	free(s->oddities);
	free(s->outages);
	*s = (struct scenario){ 0 };
}
