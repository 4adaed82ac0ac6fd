#include "capture/source.h"

#include "base/bytes.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/zone.h"
#include "capture/account.h"
#include "capture/decode.h"
#include "capture/intake.h"
#include "capture/logline.h"
#include "capture/pcapfile.h"
#include "capture/relations.h"
#include "capture/stamp.h"
#include "core/tuple.h"

#include <assert.h>

enum { SNIFF = 1 << 18 /* a log may begin with many lines of other programs */, SNIFF_TEXT = 512, DIGEST_TEXT_MAX = 1 << 18 };

/* 1990-01-01: what is older comes from a clock that was not set. */
static const int64_t EARLIEST_S = 631152000;

struct source {
	struct intake *in;              /* borrowed */
	const struct reading *how;      /* borrowed */
	enum format format;
	struct pcapfile *pcap;
	struct csvfile *csv;
	struct logclock clock;
	int unknown_link;
	unsigned link;                  /* of the frame before: it is known */
	bool sensor_heeded;
	struct relations *relations;    /* of a capture's packets */
	char host[SENSOR_NAME_MAX + 1];
};

static const char *const format_names[] = { "unknown", "pcap", "log", "csv" };

const char *format_name(enum format f)
{
	return format_names[f];
}

bool format_parse(const char *text, enum format *out)
{
	for (unsigned f = FORMAT_PCAP; f <= FORMAT_CSV; f++)
		if (!strcmp(text, format_names[f])) {
			*out = (enum format)f;
			return true;
		}
	return false;
}

static int prefix_order(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;
	int by_address = addr_cmp(&x->addr, &y->addr);

	return by_address ? by_address : x->bits < y->bits ? -1 : x->bits > y->bits;
}

/* In their own order and each once: how the list was written is nobody's concern. */
static void put_in_order(struct reading *r)
{
	size_t n = 0;

	qsort(r->watched, r->watched_len, sizeof *r->watched, prefix_order);
	for (size_t i = 0; i < r->watched_len; i++)
		if (n == 0 || prefix_order(&r->watched[n - 1], &r->watched[i]) != 0)
			r->watched[n++] = r->watched[i];
	r->watched_len = n;
}

bool reading_watch(struct reading *r, const char *text, struct err *e)
{
	char one[PREFIX_TEXT_MAX];

	while (*text) {
		size_t n = strcspn(text, ",");

		if (r->watched_len == WATCHED_MAX)
			return err_set(e, "--watched: more than %d networks", WATCHED_MAX);
		(void)snprintf(one, sizeof one, "%.*s", (int)(n < sizeof one ? n : sizeof one - 1), text);
		if (n >= sizeof one || !prefix_parse(one, &r->watched[r->watched_len])) {
			err_set(e, "--watched: not a network: \"%.50s\"", one);
			return err_expected(e, "192.0.2.0/24 or 2001:db8::/32, the bits behind the length 0");
		}
		r->watched_len++;
		text += n;
		text += *text == ',';
	}
	if (r->watched_len == 0)
		return err_set(e, "--watched names no network");
	put_in_order(r);
	return true;
}

static bool is_text(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((bytes[i] < ' ' && bytes[i] != '\n' && bytes[i] != '\r' && bytes[i] != '\t' && bytes[i] != '\0') || bytes[i] == 127)
			return false;           /* zeroes are what a machine that went down leaves in its logs */
	return true;
}

static enum format sniff_text(const uint8_t *bytes, size_t len)
{
	char *text = mem_zero(len + 1, 1);
	enum format f = FORMAT_UNKNOWN;

	for (size_t i = 0; i < len; i++)
		text[i] = bytes[i] ? (char)bytes[i] : ' ';
	if (logline_seems(text)) {
		f = FORMAT_LOG;
	} else {
		text[strcspn(text, "\r\n")] = '\0';
		if (strchr(text, ','))
			f = FORMAT_CSV;
	}
	free(text);
	return f;
}

/* What the first bytes say it is. */
static enum format sniff(struct intake *in, struct err *e)
{
	size_t len;
	const uint8_t *bytes = intake_ahead(in, SNIFF, &len);
	enum format f = FORMAT_UNKNOWN;

	if (len == 0) {
		if (!intake_broken(in, e))
			err_set(e, "the file is empty");
		return FORMAT_UNKNOWN;
	}
	if (pcapfile_begins(bytes, len))
		return FORMAT_PCAP;
	if (is_text(bytes, len < SNIFF_TEXT ? len : SNIFF_TEXT))
		f = sniff_text(bytes, len);
	if (f)
		return f;
	if (len > 3 && !memcmp(bytes, "BZh", 3))
		err_set(e, "compressed with bzip2");
	else
		err_set(e, "neither a capture, a firewall's log nor CSV");
	err_expected(e, "pcap, pcapng, lines with SRC= and PROTO=, or a first line that names columns; plain, gz, xz or zst; --format says it");
	return FORMAT_UNKNOWN;
}

void source_link_refused(const struct source *s, struct err *e)
{
	const char *name = link_name((unsigned)s->unknown_link);

	err_set(e, "link type %d%s%s%s is not read", s->unknown_link, name ? " (" : "", name ? name : "", name ? ")" : "");
	err_expected(e, "Ethernet, Linux cooked, raw IP, loopback or PPP");
}

static bool open_pcap(struct source *s, bool *wrong_use, struct err *e)
{
	if (!(s->pcap = pcapfile_open(s->in, e)))
		return false;
	s->relations = relations_open();
	if (pcapfile_link(s->pcap) >= 0 && !decode_knows((unsigned)pcapfile_link(s->pcap))) {
		s->unknown_link = pcapfile_link(s->pcap);
		source_link_refused(s, e);
		return false;
	}
	if (s->how->sensor[0] == '\0') {
		*wrong_use = true;
		err_set(e, "a capture does not say which sensor saw it");
		return err_expected(e, "--sensor NAME");
	}
	return true;
}

static bool open_log(struct source *s, bool *wrong_use, struct err *e)
{
	size_t len;
	const char *text = (const char *)intake_ahead(s->in, 4, &len);
	char month[5] = "";

	s->clock = (struct logclock){ .zone = s->how->zone, .year = s->how->year };
	memcpy(month, text, len);
	if (!s->how->year && stamp_syslog_month(month)) {
		*wrong_use = true;
		err_set(e, "the lines' times have no year");
		return err_expected(e, "--year YEAR, that of the first line");
	}
	return true;
}

static bool open_csv(struct source *s, bool *wrong_use, struct err *e)
{
	if (!(s->csv = csvfile_open(s->in, s->how->map, s->how->zone, s->how->proto, e)))
		return false;
	if (!csvfile_has(s->csv, CSV_SENSOR) && s->how->sensor[0] == '\0') {
		*wrong_use = true;
		err_set(e, "no column says which sensor saw a row");
		return err_expected(e, "--map sensor=COLUMN, or --sensor NAME for all");
	}
	return true;
}

struct source *source_open(struct intake *in, const struct reading *r, bool *wrong_use, struct err *e)
{
	struct source *s = mem_zero(1, sizeof *s);
	bool ok = false;

	*wrong_use = false;
	s->in = in;
	s->how = r;
	s->unknown_link = -1;
	s->link = LINK_RAW;
	s->format = r->format ? r->format : sniff(in, e);
	switch (s->format) {
	case FORMAT_UNKNOWN:
		break;
	case FORMAT_PCAP:
		ok = open_pcap(s, wrong_use, e);
		break;
	case FORMAT_LOG:
		ok = open_log(s, wrong_use, e);
		break;
	case FORMAT_CSV:
		ok = open_csv(s, wrong_use, e);
		break;
	}
	if (ok)
		return s;
	source_close(s);
	return NULL;
}

void source_close(struct source *s)
{
	if (!s)
		return;
	pcapfile_close(s->pcap);
	relations_close(s->relations);
	csvfile_close(s->csv);
	free(s);
}

/* The next frame, as a packet where it is one. */
static enum source_next next_frame(struct source *s, struct packet *p, enum refusal *refusal, uint64_t *number, struct err *e)
{
	struct frame frame;
	enum pcap_next next = pcapfile_next(s->pcap, &frame, e);

	if (next != PCAP_FRAME)
		return next == PCAP_END ? SOURCE_END : SOURCE_BROKEN;
	*number = frame.number;
	if (frame.link != s->link && !decode_knows(frame.link)) {
		s->unknown_link = (int)frame.link;
		*refusal = REFUSAL_LINK;
		return SOURCE_ROW;
	}
	s->link = frame.link;
	*refusal = decode_frame(frame.link, frame.bytes, frame.captured, p);
	p->time_s = frame.time_s;
	if (!*refusal && !frame.timed)
		*refusal = REFUSAL_NO_TIME;
	return SOURCE_ROW;
}

static enum source_next text_end(const struct source *s, struct err *e)
{
	return intake_broken(s->in, e) ? SOURCE_BROKEN : SOURCE_END;
}

static enum source_next next_line(struct source *s, struct row_read *out, struct err *e)
{
	struct line line;

	if (!intake_line(s->in, &line))
		return text_end(s, e);
	out->line = line.number;
	if (line.too_long)
		out->refusal = REFUSAL_TOO_LONG;
	else if (line.cut)
		out->refusal = REFUSAL_LINE_CUT;
	else
		out->refusal = logline_read(&s->clock, line.text, &out->packet, s->host);
	out->sensor = s->host;
	return SOURCE_ROW;
}

static enum source_next next_csv(struct source *s, struct row_read *out, struct err *e)
{
	return csvfile_next(s->csv, &out->packet, &out->refusal, &out->sensor, &out->line) ? SOURCE_ROW : text_end(s, e);
}

static bool addr_watched(const struct reading *how, const struct addr *a)
{
	for (size_t i = 0; i < how->watched_len; i++)
		if (prefix_holds(&how->watched[i], a))
			return true;
	return how->watched_len == 0;
}

static bool watched(const struct reading *how, const struct packet *p)
{
	return !(p->known & PACKET_DST) || addr_watched(how, &p->dst);
}

/* What holds for packets of every format. */
static enum refusal judge_packet(const struct reading *how, const struct packet *p)
{
	if (!packet_in_time(p) || p->time_s < EARLIEST_S || (how->latest_s && p->time_s > how->latest_s))
		return REFUSAL_TIME_RANGE;
	if (!watched(how, p))
		return REFUSAL_NOT_WATCHED;
	if (!span_empty(how->looked)) {
		minute_t minute = (minute_t)(p->time_s / 60);

		return minute < how->looked.from || minute >= how->looked.until ? REFUSAL_NOT_LOOKED : REFUSAL_NONE;
	}
	return REFUSAL_NONE;
}

/* A log's host names the sensor only where --sensor does not. */
static enum refusal judge_row(struct source *s, struct row_read *row)
{
	const struct reading *how = s->how;

	if (how->sensor[0] && (s->format != FORMAT_CSV || row->sensor[0] == '\0')) {
		row->sensor = how->sensor;
		s->sensor_heeded = true;
	}
	if (row->sensor[0] == '\0')
		return REFUSAL_NO_SENSOR;
	if (row->sensor != how->sensor && !sensor_name_valid(row->sensor))
		return REFUSAL_BAD_SENSOR;
	if (proto_is_icmp(row->packet.proto) && (row->packet.proto == PROTO_ICMP) != addr_is_v4(&row->packet.src))
		return REFUSAL_PROTO;
	return judge_packet(how, &row->packet);
}

enum source_next source_next(struct source *s, struct row_read *out, struct err *e)
{
	enum source_next next = s->csv ? next_csv(s, out, e) : next_line(s, out, e);

	assert(!s->pcap);
	if (next == SOURCE_ROW && !out->refusal)
		out->refusal = judge_row(s, out);
	return next;
}

/* An error about a packet that one of ours sent is an answer; about another it was meant for somebody whose address we
 * have, or is made up. */
static void note_quoted(const struct reading *how, const struct packet *p, struct account *a)
{
	struct packet quoted;
	bool known = decode_quoted(p, &quoted) == REFUSAL_NONE;

	a->errors++;
	a->foreign += !known || !addr_watched(how, &quoted.src);
}

/* The next frames into out, those that can be counted; returns why it stopped. */
static enum source_next take_frames(struct source *s, struct packet *out, size_t max, size_t *n, struct account *a, struct err *e)
{
	while (*n < max) {
		struct packet *p = &out[*n];
		enum refusal refusal;
		uint64_t number;
		enum source_next next = next_frame(s, p, &refusal, &number, e);

		if (next != SOURCE_ROW)
			return next;
		refusal = refusal ? refusal : judge_packet(s->how, p);
		if (refusal) {
			account_refuse(a, refusal, number);
			continue;
		}
		account_count(a, p);
		if (p->quoted_len)
			note_quoted(s->how, p, a);
		(*n)++;
	}
	return SOURCE_ROW;
}

enum source_next source_packets(struct source *s, struct packet *out, size_t max, size_t *n, struct account *a, struct err *e)
{
	assert(s->pcap);
	*n = 0;
	enum source_next next = take_frames(s, out, max, n, a, e);
	relations_note(s->relations, out, *n);
	return next;
}

void source_digest(const struct source *s, struct digest *d)
{
	const struct reading *how = s->how;
	struct buf b = buf_make(DIGEST_TEXT_MAX);

	buf_printf(&b, "format=%s looked=%u,%u", format_names[s->format], how->looked.from, how->looked.until);
	if (s->sensor_heeded || s->pcap)
		buf_printf(&b, " sensor=%s", how->sensor);
	if (s->clock.zone_heeded || (s->csv && csvfile_heeds_zone(s->csv)))
		buf_printf(&b, " zone=%s", how->zone->name);
	if (s->clock.year_heeded)
		buf_printf(&b, " year=%d", how->year);
	if (s->csv && csvfile_heeds_proto(s->csv))
		buf_printf(&b, " proto=%u", how->proto);
	for (unsigned f = 0; s->csv && how->map && f < CSV_FIELDS; f++)
		buf_printf(&b, " %s=\"%s\"", csv_field_name((enum csv_field)f), how->map->column[f]);
	for (size_t i = 0; i < how->watched_len; i++) {
		char text[PREFIX_TEXT_MAX];

		buf_printf(&b, " watched=%s", prefix_format(&how->watched[i], text));
	}
	assert(b.ok);
	digest_add(d, b.at, b.len);
	buf_release(&b);
}

enum format source_format(const struct source *s)
{
	return s->format;
}

const char *source_format_name(const struct source *s)
{
	return s->pcap ? pcapfile_format(s->pcap) : format_names[s->format];
}

bool source_names_sensors(const struct source *s)
{
	return s->csv ? csvfile_has(s->csv, CSV_SENSOR) : s->format == FORMAT_LOG && s->how->sensor[0] == '\0';
}

const char *source_row_name(const struct source *s)
{
	return s->pcap ? "packets" : s->csv ? "rows" : "lines";
}
