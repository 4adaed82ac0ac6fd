/* regions_build: delegation files line by line, MMDBs by a walk over their tree. The only includer of libmaxminddb. */
#include "store/regions_build.h"

#include "base/compress.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/zone.h"
#include "core/calendar.h"
#include "store/flatten.h"

#include <fcntl.h>
#include <maxminddb.h>
#include <stdarg.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = 512,
	FIELDS_MAX = 16,
	BUILD_RANGES_MAX = 1 << 24,
	MMDB_VISITS_PER_NODE = 4,       /* a tree's node is met once, an alias of IPv4 space a few times; a loop for ever */
};

void regions_build_release(struct regions_build *b)
{
	free(b->list);
	*b = (struct regions_build){ 0 };
}

__attribute__((format(printf, 2, 3)))
static void refuse(struct regions_build *b, const char *fmt, ...)
{
	va_list ap;

	if (b->refused++)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(b->refusal, sizeof b->refusal, fmt, ap);
	va_end(ap);
}

static bool add(struct regions_build *b, const struct range *r)
{
	if (!range_sound(r) || b->len == BUILD_RANGES_MAX)
		return false;
	MEM_GROW(b->list, b->len, b->cap);
	b->list[b->len++] = *r;
	return true;
}

__attribute__((format(printf, 2, 3)))
static void name_source(struct regions_build *b, const char *fmt, ...)
{
	size_t len = strlen(b->source);
	va_list ap;

	if (len && len < sizeof b->source - 3) {
		memcpy(b->source + len, ", ", 3);
		len += 2;
	}
	va_start(ap, fmt);
	(void)vsnprintf(b->source + len, sizeof b->source - len, fmt, ap);
	va_end(ap);
}

/* --- delegation files: registry|cc|type|start|value|date|status[|opaque-id[|extensions]] --- */

struct delegations { struct regions_build *build; const char *path; uint64_t line; size_t taken; bool named; };

static size_t split(char *line, const char *field[FIELDS_MAX])
{
	size_t n = 0;

	for (char *at = line; at && n < FIELDS_MAX; ) {
		char *bar = strchr(at, '|');

		field[n++] = at;
		if (bar)
			*bar++ = '\0';
		at = bar;
	}
	return n;
}

/* The value of an IPv4 line is a count of addresses, which need not be a power of two; of an IPv6 line a length. */
static bool ends_of(const char *type, const char *start, const char *value, struct range *r)
{
	bool v4 = !strcmp(type, "ipv4");
	struct prefix p;
	uint64_t n;

	if (!addr_parse(start, &r->from) || addr_is_v4(&r->from) != v4)
		return false;
	if (v4) {
		uint64_t first = addr_to_v4(&r->from);

		if (!num_whole(value, 1, (1ull << 32) - first, &n))
			return false;
		r->to = addr_v4((uint32_t)(first + n - 1));
		return true;
	}
	if (!num_whole(value, 1, 128, &n))
		return false;
	p = (struct prefix){ addr_masked(&r->from, (unsigned)n), (unsigned)n };
	r->to = addr_last(&p);
	return addr_cmp(&p.addr, &r->from) == 0;
}

/* The version line: 2|apnic|20260101|records|from|until|UTC offset. */
static void take_version(struct delegations *d, const char *registry, const char *serial)
{
	if (!d->named)
		name_source(d->build, "%.16s %.16s", registry, serial);
	d->named = true;
}

static void take_line(struct delegations *d, char *line)
{
	const char *f[FIELDS_MAX];
	struct range r = { .region = "ZZ" };

	line[strcspn(line, "\r")] = '\0';
	if (line[0] == '#' || line[0] == '\0')
		return;
	size_t n = split(line, f);
	if (n >= 3 && f[0][0] >= '0' && f[0][0] <= '9') {
		take_version(d, f[1], f[2]);
		return;
	}
	if ((n >= 6 && !strcmp(f[5], "summary")) || (n >= 3 && !strcmp(f[2], "asn")) ||
		(n >= 7 && (!strcmp(f[6], "reserved") || !strcmp(f[6], "available")))) {
		d->build->skipped++;
		return;
	}
	if (n < 7 || (strcmp(f[2], "ipv4") != 0 && strcmp(f[2], "ipv6") != 0) ||
		(strcmp(f[6], "allocated") != 0 && strcmp(f[6], "assigned") != 0)) {
		refuse(d->build, "%.100s: line %llu: not a delegation", d->path, (unsigned long long)d->line);
		return;
	}
	if (strlen(f[1]) == 2)
		memcpy(r.region, f[1], 3);
	if (strlen(f[1]) != 2 || !ends_of(f[2], f[3], f[4], &r) || !add(d->build, &r))
		refuse(d->build, "%.100s: line %llu: region, start or size make no sense", d->path,
			(unsigned long long)d->line);
	else
		d->taken++;
}

/* A block of plain bytes; what stands in `line` from the block before goes on here. */
static void take_block(struct delegations *d, const char *block, size_t len, char line[LINE_MAX_BYTES], size_t *line_len)
{
	for (size_t i = 0; i < len; i++) {
		if (block[i] != '\n') {
			if (*line_len < LINE_MAX_BYTES)
				line[*line_len] = block[i];
			++*line_len;
			continue;
		}
		d->line++;
		if (*line_len >= LINE_MAX_BYTES || memchr(line, '\0', *line_len)) {
			refuse(d->build, "%.100s: line %llu: too long, or not text", d->path, (unsigned long long)d->line);
		} else {
			line[*line_len] = '\0';
			take_line(d, line);
		}
		*line_len = 0;
	}
}

static bool read_delegations(struct delegations *d, struct inflow *in, struct err *e)
{
	char block[65536], line[LINE_MAX_BYTES];
	size_t got, line_len = 0;

	for (;;) {
		if (!inflow_read(in, block, sizeof block, &got, e))
			return false;
		if (got == 0)
			break;
		take_block(d, block, got, line, &line_len);
	}
	if (line_len)
		take_block(d, "\n", 1, line, &line_len);
	if (d->taken == 0) {
		err_set(e, "no delegation in it");
		return err_expected(e, "a registry's file such as delegated-apnic-extended-latest");
	}
	if (!d->named)
		take_version(d, "delegations", "of no date");
	return true;
}

bool regions_build_delegations(struct regions_build *b, const char *path, struct err *e)
{
	struct delegations d = { .build = b, .path = path };
	struct inflow *in = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return err_errno(e, "cannot open %s", path);
	in = inflow_open(fd, e);
	ok = in && read_delegations(&d, in, e);
	if (!ok)
		err_in(e, "%s", path);
	inflow_close(in);
	(void)close(fd);
	return ok;
}

/* --- MMDB --- */

struct walk {
	struct regions_build *build;
	const MMDB_s *db;
	bool v6;
	uint64_t visits;
	size_t taken;
};

static bool text_at(MMDB_entry_s *entry, const char *const *path, char region[3])
{
	MMDB_entry_data_s found;

	if (MMDB_aget_value(entry, &found, path) != MMDB_SUCCESS || !found.has_data ||
		found.type != MMDB_DATA_TYPE_UTF8_STRING || found.data_size != 2)
		return false;
	memcpy(region, found.utf8_string, 2);
	return true;
}

static void take_record(struct walk *w, const struct prefix *p, MMDB_entry_s *entry)
{
	static const char *const country[][3] = {
		{ "country_code" }, { "registered_country", "iso_code" }, { "country", "iso_code" },
	};
	static const char *const number[] = { "autonomous_system_number", NULL };
	struct range r = { .from = p->addr, .to = addr_last(p), .region = "ZZ" };
	MMDB_entry_data_s found;
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < sizeof country / sizeof *country; i++)
		if (text_at(entry, country[i], r.region))
			break;
	if (MMDB_aget_value(entry, &found, number) == MMDB_SUCCESS && found.has_data && found.type == MMDB_DATA_TYPE_UINT32)
		r.as_number = found.uint32;
	if (!memcmp(r.region, "ZZ", 2) && !r.as_number)
		w->build->skipped++;
	else if (!add(w->build, &r))
		refuse(w->build, "%s: its record makes no sense", prefix_format(p, text));
	else
		w->taken++;
}

static bool take_node(struct walk *w, const struct prefix *p, uint32_t node, struct err *e);

static bool take_side(struct walk *w, struct prefix p, bool right, const MMDB_search_node_s *n, struct err *e)
{
	uint64_t record = right ? n->right_record : n->left_record;
	MMDB_entry_s entry = right ? n->right_record_entry : n->left_record_entry;

	if (right)
		p.addr.b[p.bits / 8] = (uint8_t)(p.addr.b[p.bits / 8] | 0x80u >> p.bits % 8);
	p.bits++;
	switch (right ? n->right_record_type : n->left_record_type) {
	case MMDB_RECORD_TYPE_EMPTY:
		return true;
	case MMDB_RECORD_TYPE_DATA:
		take_record(w, &p, &entry);
		return true;
	case MMDB_RECORD_TYPE_SEARCH_NODE:
		return take_node(w, &p, (uint32_t)record, e);
	default:
		return err_set(e, "its search tree is damaged");
	}
}

/* As deep as an address has bits. In a tree for both families IPv4 hangs at ::/96, and 6to4 and the like are aliases. */
static bool take_node(struct walk *w, const struct prefix *p, uint32_t node, struct err *e)
{
	static const struct addr zero = { { 0 } };
	struct prefix here = *p;
	MMDB_search_node_s n;

	if (p->bits >= 128 || ++w->visits > (uint64_t)MMDB_VISITS_PER_NODE * w->db->metadata.node_count)
		return err_set(e, "its search tree is not a tree");
	if (w->v6 && p->bits > 0 && node == w->db->ipv4_start_node.node_value) {
		if (p->bits != 96 || addr_cmp(&p->addr, &zero) != 0)
			return true;
		here.addr = addr_v4(0);
	}
	if (MMDB_read_node(w->db, node, &n) != MMDB_SUCCESS)
		return err_set(e, "its search tree is damaged");
	return take_side(w, here, false, &n, e) && take_side(w, here, true, &n, e);
}

/* The file's name says more than the type inside, which is often just "country". */
static void name_database(struct regions_build *b, const char *path, const MMDB_metadata_s *m)
{
	char date[CALENDAR_TEXT_MAX];
	const char *slash = strrchr(path, '/');
	uint64_t minute = m->build_epoch / 60;

	name_source(b, "%.60s of %s", slash ? slash + 1 : path,
		minute < MINUTE_MAX ? calendar_date(&zone_utc, (minute_t)minute, date) : "no date");
}

/* The library multiplies these in 32 bits (1.7.1), and would read behind the file. */
static bool tree_fits(const MMDB_s *db)
{
	return (uint64_t)db->metadata.node_count * db->full_record_byte_size + 16 <= (uint64_t)db->file_size;
}

bool regions_build_mmdb(struct regions_build *b, const char *path, struct err *e)
{
	MMDB_s db;
	int code = MMDB_open(path, MMDB_MODE_MMAP, &db);
	struct walk w = { .build = b, .db = &db };
	struct prefix all = { .bits = 0 };

	if (code != MMDB_SUCCESS)
		return err_set(e, "%.150s: %s", path, MMDB_strerror(code));
	w.v6 = db.metadata.ip_version == 6;
	if (!w.v6)
		all = (struct prefix){ addr_v4(0), 96 };
	bool ok = tree_fits(&db) ? take_node(&w, &all, 0, e) : err_set(e, "its search tree does not fit into the file");
	if (ok && w.taken == 0) {
		ok = err_set(e, "no country and no AS number in it");
		err_expected(e, "an MMDB with country_code, registered_country, country or autonomous_system_number");
	}
	if (ok)
		name_database(b, path, &db.metadata);
	else
		err_in(e, "%s", path);
	MMDB_close(&db);
	return ok;
}
