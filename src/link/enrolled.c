#include "link/enrolled.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/zone.h"
#include "core/calendar.h"

static bool read_name(const char *text, char out[SENSOR_NAME_MAX], struct err *e)
{
	if (!sensor_name_check(text, e))
		return false;
	memcpy(out, text, strlen(text) + 1);
	return true;
}

static bool read_count(const char *text, uint64_t max, uint64_t *out, struct err *e)
{
	if (num_whole(text, 0, max, out))
		return true;
	err_set(e, "not a number: \"%.40s\"", text);
	return err_expected(e, "0 to %llu", (unsigned long long)max);
}

/* "FROM/UNTIL", times in UTC unless they say another offset. */
static bool read_outage(struct enrolment *one, char *text, struct err *e)
{
	char *until = strchr(text, '/');
	struct span s = { 0, 0 };

	if (one->outages_len == OUTAGES_MAX)
		return err_set(e, "more than %d outages", OUTAGES_MAX);
	if (until)
		*until++ = '\0';
	if (!until || !calendar_parse(&zone_utc, text, &s.from, e) || !calendar_parse(&zone_utc, until, &s.until, e) || span_empty(s)) {
		err_set(e, "not an outage: \"%.40s%s%.40s\"", text, until ? "/" : "", until ? until : "");
		return err_expected(e, "FROM/UNTIL, as 2026-11-25T22:00Z/2026-11-26T02:00Z");
	}
	one->outages[one->outages_len++] = s;
	return true;
}

/* What is told twice is a mistake, whichever of them was meant; only outages may be several. */
static bool is_first(const char *name, unsigned *given, struct err *e)
{
	static const char *const once[] = { "number", "addresses", "addresses6", "group", "from", "until" };

	for (unsigned i = 0; i < sizeof once / sizeof *once; i++) {
		if (strcmp(name, once[i]) != 0)
			continue;
		if (*given & 1u << i)
			return err_set(e, "%s= comes twice", name);
		*given |= 1u << i;
	}
	return true;
}

/* One "name=value". */
static bool read_setting(struct enrolment *one, char *text, unsigned *given, struct err *e)
{
	char *value = strchr(text, '=');
	uint64_t n = 0;
	bool ok;

	if (!value) {
		err_set(e, "not a setting: \"%.40s\"", text);
		return err_expected(e, "number=, addresses=, addresses6=, group=, from=, until= or outage=; a note begins with #");
	}
	*value++ = '\0';
	if (!is_first(text, given, e))
		return false;
	if (!strcmp(text, "number")) {
		ok = read_count(value, UINT16_MAX, &n, e);
		one->number = (unsigned)n;
	} else if (!strcmp(text, "addresses")) {
		ok = read_count(value, UINT32_MAX, &n, e);
		one->addresses = (uint32_t)n;
	} else if (!strcmp(text, "addresses6")) {
		ok = read_count(value, UINT32_MAX, &n, e);
		one->addresses6 = (uint32_t)n;
	} else if (!strcmp(text, "group")) {
		ok = read_name(value, one->group, e);
	} else if (!strcmp(text, "from")) {
		ok = calendar_parse(&zone_utc, value, &one->valid.from, e);
	} else if (!strcmp(text, "until")) {
		ok = calendar_parse(&zone_utc, value, &one->valid.until, e);
	} else if (!strcmp(text, "outage")) {
		ok = read_outage(one, value, e);
	} else {
		return err_set(e, "unknown setting \"%.40s\"", text);
	}
	return ok ? true : err_in(e, "%s", text);
}

static bool is_text(const char *line, struct err *e)
{
	size_t n;

	for (const char *c = line; *c; c += n) {
		if (((unsigned char)*c < ' ' && *c != '\t' && *c != '\r') || *c == 127)
			return err_set(e, "a control character");
		if (!(n = utf8_character(c)))
			return err_set(e, "not UTF-8: byte %zu", (size_t)(c - line) + 1);
	}
	return true;
}

/* As many whole characters as there is room for. */
static void read_note(struct enrolment *one, char *line)
{
	char *note = strchr(line, '#');
	size_t len = 0, n;

	if (!note)
		return;
	*note++ = '\0';
	note += strspn(note, " \t");
	while ((n = utf8_character(note + len)) && len + n < sizeof one->note)
		len += n;
	while (len > 0 && strchr(" \t\r", note[len - 1]))
		len--;
	memcpy(one->note, note, len);
	one->note[len] = '\0';
}

static bool read_line(struct enrolment *one, char *line, struct err *e)
{
	static const char blanks[] = " \t\r";
	char *rest = NULL, *word;
	unsigned given = 0;

	*one = (struct enrolment){ .addresses = 1, .valid = { 0, MINUTE_MAX } };
	if (!is_text(line, e))
		return false;
	read_note(one, line);
	if (!(word = strtok_r(line, blanks, &rest)))
		return true;
	if (!read_name(word, one->name, e))
		return false;
	if (!(word = strtok_r(NULL, blanks, &rest)) || !sign_key_parse(word, &one->key)) {
		err_set(e, "no key behind the name");
		return err_expected(e, "ed25519: and 44 characters, as `teiten sensor key` prints them");
	}
	if (!sign_key_is_sound(&one->key))
		return err_set(e, "nobody's key behind the name: whoever signs, it would not hold");
	while ((word = strtok_r(NULL, blanks, &rest)))
		if (!read_setting(one, word, &given, e))
			return false;
	if (one->valid.from > one->valid.until)
		return err_set(e, "from= is after until=");
	if (one->addresses == 0 && one->addresses6 == 0)
		return err_set(e, "a sensor of no address");
	return true;
}

static bool first_of_its_kind(const struct enrolled *all, const struct enrolment *one, struct err *e)
{
	for (size_t i = 0; i < all->len; i++) {
		const struct enrolment *other = &all->list[i];

		if (!strcmp(other->name, one->name))
			return err_set(e, "%s is there twice", one->name);
		if (one->number && other->number == one->number)
			return err_set(e, "number %u is that of %s already", one->number, other->name);
		if (!memcmp(&other->key, &one->key, sizeof one->key)) {
			err_set(e, "the key is that of %s already", other->name);
			return err_expected(e, "one key for each sensor: `teiten sensor key` on its machine");
		}
	}
	return true;
}

bool enrolment_parse(struct enrolment *one, const char *line, struct err *e)
{
	char *copy = mem_text(line);
	bool ok = read_line(one, copy, e);

	free(copy);
	return ok && (one->name[0] || err_set(e, "no sensor is named"));
}

bool enrolled_parse(struct enrolled *all, const char *text, struct err *e)
{
	char *copy = mem_text(text);
	struct enrolment one;
	unsigned number = 0;
	size_t cap = 0;
	bool ok = true;

	*all = (struct enrolled){ 0 };
	for (char *line = copy, *next; ok && line; line = next) {
		number++;
		if ((next = strchr(line, '\n')))
			*next++ = '\0';
		ok = read_line(&one, line, e) && (!one.name[0] || first_of_its_kind(all, &one, e)) &&
			(all->len < ENROLLED_MAX || err_set(e, "more than %d sensors", ENROLLED_MAX));
		if (!ok)
			err_in(e, "line %u", number);
		if (!ok || !one.name[0])
			continue;
		MEM_GROW(all->list, all->len, cap);
		all->list[all->len++] = one;
	}
	free(copy);
	if (!ok)
		enrolled_release(all);
	return ok;
}

static bool load_text(const char *path, struct buf *text, struct err *e)
{
	*text = buf_make(ENROLLED_BYTES_MAX);
	if (file_exists(path) && (!file_regular(path) || file_size(path) > ENROLLED_BYTES_MAX)) {
		err_set(e, "%s is not a list of sensors", path);
		return err_expected(e, "a text of up to %d bytes", ENROLLED_BYTES_MAX);
	}
	if (file_exists(path) && !file_read(path, text, e))
		return false;
	return strlen(buf_cstr(text)) == text->len || err_set(e, "%s holds a zero byte: not a text", path);
}

bool enrolled_read(struct enrolled *all, const char *path, struct err *e)
{
	struct buf text;

	*all = (struct enrolled){ 0 };
	bool ok = load_text(path, &text, e) && (enrolled_parse(all, buf_cstr(&text), e) || err_in(e, "%s", path));
	buf_release(&text);
	return ok;
}

/* The line's first word is the name. */
static bool is_line_of(const char *line, const char *name)
{
	size_t n = strlen(name);

	line += strspn(line, " \t");
	return !strncmp(line, name, n) && strchr(" \t\r\n", line[n]) != NULL;
}

static void replace_line(const char *old, const struct enrolment *one, struct buf *out)
{
	bool there = false;

	while (*old) {
		size_t n = strcspn(old, "\n");

		if (is_line_of(old, one->name)) {
			enrolment_text(one, out);
			there = true;
		} else {
			buf_bytes(out, old, n);
			buf_str(out, "\n");
		}
		old += n + (old[n] == '\n');
	}
	if (!there)
		enrolment_text(one, out);
}

bool enrolled_put(const char *path, const struct enrolment *one, struct err *e)
{
	struct buf old, text = buf_make(ENROLLED_BYTES_MAX);
	struct enrolled all = { 0 };
	bool ok = load_text(path, &old, e);

	if (ok) {
		replace_line(buf_cstr(&old), one, &text);
		ok = (text.ok || err_set(e, "%s becomes too large", path)) && (enrolled_parse(&all, buf_cstr(&text), e) || err_in(e, "%s", path)) &&
			file_write(path, text.at, text.len, e);
	}
	enrolled_release(&all);
	buf_release(&old);
	buf_release(&text);
	return ok;
}

minute_t enrolment_today(minute_t now)
{
	return calendar_floor(&zone_utc, now, STEP_DAY);
}

void enrolled_release(struct enrolled *all)
{
	free(all->list);
	*all = (struct enrolled){ 0 };
}

const struct enrolment *enrolled_find(const struct enrolled *all, const char *name)
{
	for (size_t i = 0; i < all->len; i++)
		if (!strcmp(all->list[i].name, name))
			return &all->list[i];
	return NULL;
}

uint32_t enrolment_addresses(const struct enrolment *one)
{
	uint64_t n = (uint64_t)one->addresses + one->addresses6;

	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

void enrolment_text(const struct enrolment *one, struct buf *out)
{
	char key[SIGN_KEY_TEXT_MAX], date[CALENDAR_TEXT_MAX];

	buf_printf(out, "%s %s", one->name, sign_key_text(&one->key, key));
	if (one->number)
		buf_printf(out, " number=%u", one->number);
	buf_printf(out, " addresses=%u", one->addresses);
	if (one->addresses6)
		buf_printf(out, " addresses6=%u", one->addresses6);
	if (one->group[0])
		buf_printf(out, " group=%s", one->group);
	if (one->valid.from > 0)
		buf_printf(out, " from=%s", calendar_date(&zone_utc, one->valid.from, date));
	if (one->valid.until < MINUTE_MAX)
		buf_printf(out, " until=%s", calendar_date(&zone_utc, one->valid.until, date));
	for (size_t i = 0; i < one->outages_len; i++) {
		buf_printf(out, " outage=%s", calendar_rfc3339(&zone_utc, one->outages[i].from, date));
		buf_printf(out, "/%s", calendar_rfc3339(&zone_utc, one->outages[i].until, date));
	}
	if (one->note[0])
		buf_printf(out, " # %s", one->note);
	buf_str(out, "\n");
}
