#include "capture/source.h"

#include "base/bytes.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/zone.h"
#include "capture/account.h"
#include "capture/decode.h"
#include "capture/eye.h"
#include "capture/intake.h"
#include "capture/logline.h"
#include "capture/pcapfile.h"
#include "capture/stamp.h"
#include "core/tuple.h"

#include <assert.h>

enum { SNIFF = 1 << 18 /* a log may begin with many lines of other programs */, SNIFF_TEXT = 512, DIGEST_TEXT_MAX = 1 << 18 };

struct source {
	struct intake *in;              /* borrowed */
	const struct reading *how;      /* borrowed */
	enum format format;
	struct pcapfile *pcap;
	struct csvfile *csv;
	struct logclock clock;
	bool sensor_heeded;
	struct eye *eye;                /* for a capture's frames */
	char host[SENSOR_NAME_MAX + 1];
};

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

static void link_refused(int link, struct err *e)
{
	const char *name = link_name((unsigned)link);

	err_set(e, "link type %d%s%s%s is not read", link, name ? " (" : "", name ? name : "", name ? ")" : "");
	err_expected(e, "Ethernet, Linux cooked, raw IP, loopback or PPP");
}

static bool open_pcap(struct source *s, bool *wrong_use, struct err *e)
{
	if (!(s->pcap = pcapfile_open(s->in, e)))
		return false;
	s->eye = eye_open(s->how);
	if (pcapfile_link(s->pcap) >= 0 && !decode_knows((unsigned)pcapfile_link(s->pcap))) {
		link_refused(pcapfile_link(s->pcap), e);
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
	eye_close(s->eye);
	csvfile_close(s->csv);
	free(s);
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
	return reading_judge(how, &row->packet);
}

enum source_next source_next(struct source *s, struct row_read *out, struct err *e)
{
	enum source_next next = s->csv ? next_csv(s, out, e) : next_line(s, out, e);

	assert(!s->pcap);
	if (next == SOURCE_ROW && !out->refusal)
		out->refusal = judge_row(s, out);
	return next;
}

enum source_next source_packets(struct source *s, struct packet *out, size_t max, size_t *n, struct account *a, struct err *e)
{
	enum pcap_next next = PCAP_FRAME;
	struct frame frame;

	assert(s->pcap);
	*n = 0;
	while (*n < max && (next = pcapfile_next(s->pcap, &frame, e)) == PCAP_FRAME)
		*n += eye_see(s->eye, &frame, a, &out[*n]) == REFUSAL_NONE;
	eye_relate(s->eye, out, *n);
	return next == PCAP_FRAME ? SOURCE_ROW : next == PCAP_END ? SOURCE_END : SOURCE_BROKEN;
}

void source_link_refused(const struct source *s, struct err *e)
{
	link_refused(eye_unknown_link(s->eye), e);
}

void source_digest(const struct source *s, struct digest *d)
{
	const struct reading *how = s->how;
	struct buf b = buf_make(DIGEST_TEXT_MAX);

	buf_printf(&b, "format=%s looked=%u,%u", format_name(s->format), how->looked.from, how->looked.until);
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
	return s->pcap ? pcapfile_format(s->pcap) : format_name(s->format);
}

bool source_names_sensors(const struct source *s)
{
	return s->csv ? csvfile_has(s->csv, CSV_SENSOR) : s->format == FORMAT_LOG && s->how->sensor[0] == '\0';
}

const char *source_row_name(const struct source *s)
{
	return s->pcap ? "packets" : s->csv ? "rows" : "lines";
}
