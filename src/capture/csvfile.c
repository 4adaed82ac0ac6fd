#include "capture/csvfile.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "capture/intake.h"
#include "capture/packet.h"
#include "capture/stamp.h"
#include "core/tuple.h"

#include <ctype.h>

enum { ABSENT = -1 };

struct csvfile {
	struct intake *in;              /* borrowed */
	const struct zone *zone;        /* borrowed */
	unsigned proto;
	bool zone_heeded, proto_heeded;
	int at[CSV_FIELDS];             /* column of each field, or ABSENT */
	size_t columns;                 /* of the header */
	char *field[CSV_COLUMNS_MAX];   /* of the record at hand, into `record` */
	size_t len;
	char record[CSV_RECORD_MAX + 1];
};

static const char *const field_names[CSV_FIELDS] = {
	"time", "sensor", "src", "dst", "proto", "dport", "sport", "type", "code", "flags", "packets", "bytes", "ttl",
};

const char *csv_field_name(enum csv_field f)
{
	return field_names[f];
}

static bool field_named(const char *name, size_t len, enum csv_field *out)
{
	for (unsigned f = 0; f < CSV_FIELDS; f++)
		if (strlen(field_names[f]) == len && !strncmp(field_names[f], name, len)) {
			*out = (enum csv_field)f;
			return true;
		}
	return false;
}

bool csv_map_parse(struct csv_map *m, const char *text, struct err *e)
{
	*m = (struct csv_map){ 0 };
	while (*text) {
		size_t len = strcspn(text, ","), name = strcspn(text, "=");
		enum csv_field f;

		if (name >= len || !field_named(text, name, &f)) {
			err_set(e, "--map: \"%.*s\" names no field", (int)(len > 60 ? 60 : len), text);
			return err_expected(e, "time=COLUMN,src=COLUMN and so on; fields are time sensor src dst proto dport sport type "
				"code flags packets bytes ttl");
		}
		if (len - name - 1 == 0 || len - name - 1 >= CSV_NAME_MAX)
			return err_set(e, "--map: the column of %s is empty or too long", field_names[f]);
		if (m->column[f][0] != '\0')
			return err_set(e, "--map: %s is named twice", field_names[f]);
		memcpy(m->column[f], text + name + 1, len - name - 1);
		text += len;
		text += *text == ',';
	}
	return true;
}

/* Whether a quoted field is open at the end of the text: an odd number of quotes. */
static bool quote_open(const char *text, size_t len, bool open)
{
	for (size_t i = 0; i < len; i++)
		open ^= text[i] == '"';
	return open;
}

/* The lines of one record, which may hold line breaks in quotes. False at the end. */
static bool next_record(struct csvfile *f, uint64_t *number, enum refusal *refusal)
{
	struct line line;
	size_t len = 0;
	bool open = false;

	*refusal = REFUSAL_NONE;
	f->record[0] = '\0';
	*number = 0;
	do {
		if (!intake_line(f->in, &line)) {
			if (*number)
				*refusal = REFUSAL_LINE_CUT;
			return *number != 0;
		}
		if (*number == 0)
			*number = line.number;
		if (line.too_long || len + line.len + 1 > CSV_RECORD_MAX) {
			*refusal = REFUSAL_TOO_LONG;
			return true;
		}
		if (len > 0)
			f->record[len++] = '\n';
		memcpy(f->record + len, line.text, line.len + 1);
		len += line.len;
		open = quote_open(line.text, line.len, open);
		if (line.cut)
			*refusal = REFUSAL_LINE_CUT;
	} while (open);
	return true;
}

/* Takes the quotes off the field at `text` in place; returns where its separator (or the record's end) stands. */
static char *unquote(char *text)
{
	char *to = text, *at = text + 1;

	while (*at && !(at[0] == '"' && at[1] != '"')) {
		at += *at == '"';
		*to++ = *at++;
	}
	if (*at == '"')
		at++;
	while (*at && *at != ',')       /* bytes between the closing quote and the comma: kept, as most readers do */
		*to++ = *at++;
	char *end = at;
	if (to < end)
		*to = '\0';
	return end;
}

static char *trimmed(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		text[--len] = '\0';
	return text;
}

/* Splits the record into fields; false for more than we take. */
static bool split(struct csvfile *f)
{
	char *text = f->record;

	f->len = 0;
	for (;;) {
		char *end = *text == '"' ? unquote(text) : text + strcspn(text, ",");
		bool more = *end == ',';

		if (f->len == CSV_COLUMNS_MAX)
			return false;
		*end = '\0';
		f->field[f->len++] = trimmed(text);
		if (!more)
			return true;
		text = end + 1;
	}
}

static bool find_column(struct csvfile *f, enum csv_field field, const char *name, bool must, struct err *e)
{
	for (size_t i = 0; i < f->len; i++)
		if (!strcmp(f->field[i], name)) {
			f->at[field] = (int)i;
			return true;
		}
	if (!must)
		return true;
	err_set(e, "no column named \"%.60s\" in the header", name);
	return err_expected(e, "--map %s=COLUMN with one of: %.40s, %.40s, %.40s ...", field_names[field], f->field[0],
		f->len > 1 ? f->field[1] : "", f->len > 2 ? f->field[2] : "");
}

static bool read_header(struct csvfile *f, const struct csv_map *map, struct err *e)
{
	static const char mark[] = "\xef\xbb\xbf";      /* the byte-order mark that some editors write */
	enum refusal refusal;
	uint64_t number;

	if (!next_record(f, &number, &refusal) || refusal) {
		err_set(e, "no header");
		return err_expected(e, "a first line that names the columns");
	}
	if (!strncmp(f->record, mark, 3))
		memmove(f->record, f->record + 3, strlen(f->record + 3) + 1);
	if (!split(f))
		return err_set(e, "more than %d columns", CSV_COLUMNS_MAX);
	f->columns = f->len;
	for (unsigned i = 0; i < CSV_FIELDS; i++) {
		const char *name = map ? map->column[i] : field_names[i];
		bool must = map ? *name != '\0' : i == CSV_TIME || i == CSV_SRC;

		f->at[i] = ABSENT;
		if (*name && !find_column(f, (enum csv_field)i, name, must, e))
			return false;
	}
	for (unsigned i = 0; i < CSV_FIELDS; i++)
		if ((i == CSV_TIME || i == CSV_SRC) && f->at[i] == ABSENT) {
			err_set(e, "--map does not say which column is %s", field_names[i]);
			return err_expected(e, "%s=COLUMN", field_names[i]);
		}
	return true;
}

struct csvfile *csvfile_open(struct intake *in, const struct csv_map *map, const struct zone *zone, unsigned proto,
	struct err *e)
{
	struct csvfile *f = mem_zero(1, sizeof *f);

	f->in = in;
	f->zone = zone;
	f->proto = proto;
	if (!read_header(f, map, e)) {
		csvfile_close(f);
		return NULL;
	}
	return f;
}

void csvfile_close(struct csvfile *f)
{
	free(f);
}

bool csvfile_has(const struct csvfile *f, enum csv_field field)
{
	return f->at[field] != ABSENT;
}

/* "" where the file has no such column. */
static const char *said(const struct csvfile *f, enum csv_field field)
{
	return f->at[field] == ABSENT ? "" : f->field[f->at[field]];
}

/* A whole number; "23.0" is one, as spreadsheets and data frames write it. */
static bool whole(const char *text, uint64_t max, uint64_t *out)
{
	char digits[NUM_TEXT_MAX];
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n >= sizeof digits)
		return false;
	if (text[n] == '.' && text[n + 1 + strspn(text + n + 1, "0")] != '\0')
		return false;
	if (text[n] != '.' && text[n] != '\0')
		return false;
	memcpy(digits, text, n);
	digits[n] = '\0';
	return num_whole(digits, 0, max, out);
}

static bool address(const char *text, struct addr *out)
{
	uint64_t v;

	if (num_whole(text, 0, UINT32_MAX, &v)) {
		*out = addr_v4((uint32_t)v);
		return true;
	}
	return addr_parse(text, out);
}

static bool unspecified(const struct addr *a)
{
	return addr_hi(a) == 0 && (addr_lo(a) == 0 || addr_lo(a) == (uint64_t)0xffff << 32);
}

/* A number (decimal or 0x), or letters: F S R P A U, E and C for ECE and CWR, "." for ACK as tcpdump writes it. */
static bool flags_of(const char *text, uint8_t *out)
{
	static const char letters[] = "FSRPAUECfsrpauec";
	unsigned flags = 0;
	uint64_t v;
	char *end;

	if (whole(text, UINT8_MAX, &v)) {
		*out = (uint8_t)v;
		return true;
	}
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && isxdigit((unsigned char)text[2])) {
		unsigned long hex = strtoul(text, &end, 16);

		*out = (uint8_t)hex;
		return *end == '\0' && hex <= UINT8_MAX;
	}
	for (; *text; text++) {
		const char *letter = strchr(letters, *text);

		if (letter)
			flags |= 1u << (letter - letters) % 8;
		else if (*text == '.')
			flags |= TCP_ACK;
		else
			return false;
	}
	*out = (uint8_t)flags;
	return true;
}

static enum refusal read_proto(struct csvfile *f, struct packet *p)
{
	const char *text = said(f, CSV_PROTO);
	unsigned proto = f->proto;
	uint64_t number;

	if (*text == '\0' && proto == 0)
		return REFUSAL_NO_PROTO;
	if (*text != '\0' && !proto_parse(text, &proto) &&
		!(whole(text, UINT8_MAX, &number) && (proto = (unsigned)number, proto_name(proto) != NULL)))
		return REFUSAL_PROTO;
	f->proto_heeded = f->proto_heeded || *text == '\0';
	p->proto = (uint8_t)proto;
	return REFUSAL_NONE;
}

static enum refusal read_ports(const struct csvfile *f, struct packet *p)
{
	const char *dport = said(f, CSV_DPORT), *sport = said(f, CSV_SPORT);
	uint64_t v = 0;

	if (*dport == '\0')
		return REFUSAL_NO_PORT;
	if (!whole(dport, UINT16_MAX, &v))
		return REFUSAL_BAD_PORT;
	p->dport = (uint16_t)v;
	v = 0;
	if (*sport != '\0' && !whole(sport, UINT16_MAX, &v))
		return REFUSAL_BAD_PORT;
	p->sport = (uint16_t)v;
	return REFUSAL_NONE;
}

static enum refusal read_type(const struct csvfile *f, struct packet *p)
{
	const char *type = said(f, CSV_TYPE), *code = said(f, CSV_CODE);
	uint64_t v = 0;

	if (*type == '\0')
		return REFUSAL_NO_TYPE;
	if (!whole(type, UINT8_MAX, &v))
		return REFUSAL_BAD_FIELD;
	p->icmp_type = (uint8_t)v;
	v = 0;
	if (*code != '\0' && !whole(code, UINT8_MAX, &v))
		return REFUSAL_BAD_FIELD;
	p->icmp_code = (uint8_t)v;
	return REFUSAL_NONE;
}

static enum refusal read_counts(const struct csvfile *f, struct packet *p)
{
	const char *packets = said(f, CSV_PACKETS), *bytes = said(f, CSV_BYTES);
	const char *ttl = said(f, CSV_TTL), *flags = said(f, CSV_FLAGS);
	uint64_t v = 1;

	if ((*packets && !whole(packets, UINT32_MAX, &v)) || v == 0)
		return REFUSAL_BAD_FIELD;
	p->packets = (uint32_t)v;
	v = 0;
	if (*bytes && !whole(bytes, PACKET_BYTES_MAX, &v))
		return REFUSAL_BAD_FIELD;
	p->bytes = v;
	v = 0;
	if (*ttl && !whole(ttl, UINT8_MAX, &v))
		return REFUSAL_BAD_FIELD;
	p->ttl = (uint8_t)v;
	if (p->proto == PROTO_TCP && *flags) {
		if (!flags_of(flags, &p->flags))
			return REFUSAL_BAD_FIELD;
		p->known |= PACKET_FLAGS;
	}
	return REFUSAL_NONE;
}

static enum refusal read_row(struct csvfile *f, struct packet *p)
{
	const char *dst = said(f, CSV_DST);
	enum refusal r;

	*p = (struct packet){ .packets = 1, .known = PACKET_STATED };
	if (f->len != f->columns)
		return REFUSAL_COLUMNS;
	if (!stamp_parse(said(f, CSV_TIME), f->zone, &p->time_s, &f->zone_heeded))
		return REFUSAL_BAD_TIME;
	if (!address(said(f, CSV_SRC), &p->src) || unspecified(&p->src))
		return REFUSAL_BAD_SOURCE;
	if (*dst && !address(dst, &p->dst))
		return REFUSAL_BAD_DESTINATION;
	if (*dst && !unspecified(&p->dst))      /* "::" is how honeypots write that they do not know */
		p->known |= PACKET_DST;
	r = read_proto(f, p);
	if (!r)
		r = proto_is_icmp(p->proto) ? read_type(f, p) : read_ports(f, p);
	return r ? r : read_counts(f, p);
}

bool csvfile_heeds_zone(const struct csvfile *f)
{
	return f->zone_heeded;
}

bool csvfile_heeds_proto(const struct csvfile *f)
{
	return f->proto_heeded;
}

bool csvfile_next(struct csvfile *f, struct packet *out, enum refusal *refusal, const char **sensor, uint64_t *line)
{
	*sensor = "";
	do {
		if (!next_record(f, line, refusal))
			return false;
	} while (!*refusal && f->record[0] == '\0');    /* an empty line is no row */
	if (*refusal)
		return true;
	if (!split(f)) {
		*refusal = REFUSAL_COLUMNS;
		return true;
	}
	*refusal = read_row(f, out);
	if (!*refusal)
		packet_tell(out);
	if (f->len == f->columns)
		*sensor = said(f, CSV_SENSOR);
	return true;
}
