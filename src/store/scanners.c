#include "store/scanners.h"

#include "base/bytes.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/zone.h"
#include "core/calendar.h"

#include <assert.h>

#define GOES_ON UINT32_MAX
enum { BLOCKS = 1 << 16 /* IPv4 /16s */, ID_BYTES = 6, DATE_LEN = 10 };

/* Networks either lie within one another or apart, so those that hold an address are the ancestors of the last one that begins at or
 * before it, or that one itself. */
struct scanners_tree {
	const struct scanning **order;          /* by address, width (the widest first) and place in the file */
	struct node { struct addr from, to; uint32_t parent, first, len; /* of order: the same network */ } *nodes; size_t len;
	uint32_t v4, block[BLOCKS + 1];         /* the first IPv4 node, and how many nodes begin before each /16 */
};

static int net_cmp(const struct prefix *a, const struct prefix *b)
{
	int by_addr = addr_cmp(&a->addr, &b->addr);

	return by_addr ? by_addr : a->bits < b->bits ? -1 : a->bits > b->bits;
}

static int tree_order(const void *a, const void *b)
{
	const struct scanning *x = *(const struct scanning *const *)a, *y = *(const struct scanning *const *)b;
	int by_net = net_cmp(&x->net, &y->net);

	return by_net ? by_net : x < y ? -1 : x > y;
}

static void grow_nodes(struct scanners_tree *t, size_t n)
{
	uint32_t inner = UINT32_MAX;

	t->nodes = mem_zero(n, sizeof *t->nodes);
	for (uint32_t i = 0; i < n; i++) {
		const struct prefix *net = &t->order[i]->net;

		if (i && net_cmp(&t->order[i - 1]->net, net) == 0) {
			t->nodes[t->len - 1].len++;
			continue;
		}
		while (inner != UINT32_MAX && addr_cmp(&t->nodes[inner].to, &net->addr) < 0)
			inner = t->nodes[inner].parent;
		t->nodes[t->len] = (struct node){ net->addr, addr_last(net), inner, i, 1 };
		inner = (uint32_t)t->len++;
	}
}

static void index_v4(struct scanners_tree *t)
{
	uint32_t n = 0;

	while (n < t->len && !addr_is_v4(&t->nodes[n].from))
		n++;
	t->v4 = n;
	for (uint32_t b = 0; b < BLOCKS; b++) {
		while (n < t->len && addr_is_v4(&t->nodes[n].from) && addr_to_v4(&t->nodes[n].from) < b << 16)
			n++;
		t->block[b] = n;
	}
	while (n < t->len && addr_is_v4(&t->nodes[n].from))
		n++;
	t->block[BLOCKS] = n;
}

static void make_tree(struct scanners *s)
{
	struct scanners_tree *t = s->tree = mem_zero(1, sizeof *t);

	t->order = mem_zero(s->len, sizeof *t->order);
	for (size_t i = 0; i < s->len; i++)
		t->order[i] = &s->list[i];
	if (s->len)
		qsort(t->order, s->len, sizeof *t->order, tree_order);
	grow_nodes(t, s->len);
	index_v4(t);
}

static void fell_tree(struct scanners *s)
{
	if (s->tree) {
		free(s->tree->order);
		free(s->tree->nodes);
	}
	free(s->tree);
	s->tree = NULL;
}

/* Nodes that begin at or before the address. */
static uint32_t nodes_until(const struct scanners_tree *t, const struct addr *a)
{
	bool v4 = addr_is_v4(a);
	uint32_t low = v4 ? t->block[addr_to_v4(a) >> 16] : 0, high = v4 ? t->block[(addr_to_v4(a) >> 16) + 1] : (uint32_t)t->len;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (addr_cmp(&t->nodes[middle].from, a) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

unsigned scanners_find(const struct scanners *s, const struct addr *a, uint32_t day)
{
	const struct scanners_tree *t = s->tree;
	uint32_t n = t ? nodes_until(t, a) : 0;

	for (uint32_t at = n ? n - 1 : UINT32_MAX; at != UINT32_MAX; at = t->nodes[at].parent) {
		const struct node *node = &t->nodes[at];

		for (uint32_t i = 0; addr_cmp(a, &node->to) <= 0 && i < node->len; i++)
			if (t->order[node->first + i]->from <= day && day < t->order[node->first + i]->until)
				return t->order[node->first + i]->by;
	}
	return 0;
}

unsigned scanners_named(const struct scanners *s, const char *name)
{
	for (size_t i = 0; i < s->names_len; i++)
		if (!strcmp(s->names[i], name))
			return (unsigned)i + 1;
	return 0;
}

static bool enter_name(struct scanners *s, const char *name, uint16_t *by, struct err *e)
{
	if (!scanner_name_valid(name)) {
		err_set(e, "not a name of an organisation: \"%.60s\"", name);
		return err_expected(e, "1 to %d letters, digits and . _ - of which the first is none of these three; not all, only, without", SCANNER_NAME_MAX - 1);
	}
	/* neighbours mostly are of one organisation */
	*by = s->len && !strcmp(s->names[s->list[s->len - 1].by - 1], name) ? s->list[s->len - 1].by : (uint16_t)scanners_named(s, name);
	if (*by)
		return true;
	if (s->names_len == ORGANISATIONS_MAX)
		return err_set(e, "more than %d organisations", ORGANISATIONS_MAX);
	MEM_GROW(s->names, s->names_len, s->names_cap);
	memcpy(s->names[s->names_len], name, strlen(name) + 1);
	*by = (uint16_t)++s->names_len;
	return true;
}

static bool read_net(const char *text, struct prefix *net, struct err *e)
{
	static const struct prefix all_v4 = { { { [10] = 0xff, [11] = 0xff } }, 96 };

	if (!prefix_parse(text, net)) {
		err_set(e, "not a network: \"%.60s\"", text);
		return err_expected(e, "such as 192.0.2.0/24 or 2001:db8::/32, no bits behind its length");
	}
	return net->bits >= all_v4.bits || !prefix_holds(net, &all_v4.addr) || err_set(e, "%.60s reaches around all of IPv4", text);
}

/* "from=2026-01-31" of that key; a day has no time of day. */
static bool read_day(const char *text, const char *key, uint32_t *day, bool *given, struct err *e)
{
	minute_t at;

	text += strlen(key) + 1;
	if (*given)
		return err_set(e, "%s= comes twice", key);
	if (strlen(text) != DATE_LEN || !calendar_parse(&zone_utc, text, &at, e)) {
		err_set(e, "%s= is not a day: \"%.40s\"", key, text);
		return err_expected(e, "such as 2026-01-31");
	}
	*day = at / MINUTES_PER_DAY;
	return *given = true;
}

/* An empty line leaves by at 0. */
static bool read_line(struct scanners *s, char *line, struct scanning *one, struct err *e)
{
	static const char blanks[] = " \t\r";
	bool from = false, until = false, ok = true;
	char *rest = NULL, *word;

	*one = (struct scanning){ .until = GOES_ON };
	line[strcspn(line, "#")] = '\0';
	if (!(word = strtok_r(line, blanks, &rest)))
		return true;
	if (!read_net(word, &one->net, e))
		return false;
	if (!(word = strtok_r(NULL, blanks, &rest))) {
		err_set(e, "no organisation behind the network");
		return err_expected(e, "CIDR NAME [from=YYYY-MM-DD] [until=YYYY-MM-DD]");
	}
	if (!enter_name(s, word, &one->by, e))
		return false;
	while (ok && (word = strtok_r(NULL, blanks, &rest))) {
		if (!strncmp(word, "from=", 5)) {
			ok = read_day(word, "from", &one->from, &from, e);
		} else if (!strncmp(word, "until=", 6)) {
			ok = read_day(word, "until", &one->until, &until, e);
		} else {
			err_set(e, "not a setting: \"%.40s\"", word);
			ok = err_expected(e, "from=YYYY-MM-DD or until=YYYY-MM-DD; a note begins with #");
		}
	}
	return ok && (one->from < one->until || err_set(e, "from= is not before until="));
}

static bool push(struct scanners *s, const struct scanning *one, struct err *e)
{
	if (s->len == SCANNERS_MAX)
		return err_set(e, "more than %d networks", SCANNERS_MAX);
	MEM_GROW(s->list, s->len, s->cap);
	s->list[s->len++] = *one;
	return true;
}

void scanners_text(const struct scanning *one, const struct scanners *s, struct buf *out)
{
	char text[PREFIX_TEXT_MAX], date[CALENDAR_TEXT_MAX];

	buf_printf(out, "%s %s", prefix_format(&one->net, text), s->names[one->by - 1]);
	if (one->from)
		buf_printf(out, " from=%s", calendar_date(&zone_utc, one->from * MINUTES_PER_DAY, date));
	if (one->until != GOES_ON)
		buf_printf(out, " until=%s", calendar_date(&zone_utc, one->until * MINUTES_PER_DAY, date));
	buf_str(out, "\n");
}

static void all_text(const struct scanners *s, struct buf *out)
{
	for (size_t i = 0; i < s->len; i++)
		scanners_text(&s->list[i], s, out);
}

/* What can be asked of it once all lines are in. */
static void finish(struct scanners *s)
{
	struct buf text = buf_make(2 * SCANNERS_BYTES_MAX);
	uint8_t digest[DIGEST_BYTES];

	all_text(s, &text);
	digest_of(text.at, text.len, digest);
	for (int i = 0; i < ID_BYTES; i++)
		(void)snprintf(s->id + 2 * i, 3, "%02x", digest[i]);
	buf_release(&text);
	fell_tree(s);
	make_tree(s);
}

/* Each line goes to take(), which may cut it; false for the first that is refused. */
typedef bool line_fn(void *to, char *line, struct err *e);
static bool each_line(const char *text, line_fn *take, void *to, struct err *e)
{
	char *copy = mem_text(text);
	unsigned number = 0;
	bool ok = true;

	for (char *line = copy, *next; ok && line; line = next) {
		number++;
		if ((next = strchr(line, '\n')))
			*next++ = '\0';
		ok = take(to, line, e) || err_in(e, "line %u", number);
	}
	free(copy);
	return ok;
}

static bool take_line(void *to, char *line, struct err *e)
{
	struct scanning one;

	return read_line(to, line, &one, e) && (one.by == 0 || push(to, &one, e));
}

bool scanners_parse(struct scanners *s, const char *text, struct err *e)
{
	*s = (struct scanners){ 0 };
	if (!each_line(text, take_line, s, e)) {
		scanners_release(s);
		return false;
	}
	finish(s);
	return true;
}

void scanners_release(struct scanners *s)
{
	fell_tree(s);
	free(s->list);
	free(s->names);
	*s = (struct scanners){ 0 };
}

static bool load_text(const char *path, struct buf *text, struct err *e)
{
	*text = buf_make(SCANNERS_BYTES_MAX);
	if (file_exists(path) && (!file_regular(path) || file_size(path) > SCANNERS_BYTES_MAX)) {
		err_set(e, "%s is not a list of networks", path);
		return err_expected(e, "a text of up to %d bytes", SCANNERS_BYTES_MAX);
	}
	return file_read(path, text, e) && (strlen(buf_cstr(text)) == text->len || err_set(e, "%s holds a zero byte: not a text", path));
}

bool scanners_gather(struct scanners *s, const char *const *paths, size_t len, struct err *e)
{
	bool ok = true;

	*s = (struct scanners){ 0 };
	for (size_t i = 0; ok && i < len; i++) {
		struct buf text;

		ok = load_text(paths[i], &text, e) && (each_line(buf_cstr(&text), take_line, s, e) || err_in(e, "%s", paths[i]));
		buf_release(&text);
	}
	if (ok)
		finish(s);
	else
		scanners_release(s);
	return ok;
}

bool scanners_read(struct scanners *s, const char *path, struct err *e)
{
	*s = (struct scanners){ .id = "none" };
	return !file_exists(path) || scanners_gather(s, &path, 1, e);
}

bool scanners_write(const struct scanners *s, const char *path, struct err *e)
{
	struct buf text = buf_make(SCANNERS_BYTES_MAX);

	all_text(s, &text);
	bool ok = (text.ok || err_set(e, "%s becomes too large: over %d bytes", path, SCANNERS_BYTES_MAX)) && file_write(path, text.at, text.len, e);
	buf_release(&text);
	return ok;
}

struct nets { struct prefix *list; size_t len, cap; };

static bool take_net(void *to, char *line, struct err *e)
{
	struct nets *n = to;
	struct prefix net;

	line[strcspn(line, "#")] = '\0';
	char *rest = NULL, *word = strtok_r(line, " \t\r", &rest);
	if (!word)
		return true;
	if (!read_net(word, &net, e))
		return false;
	if (strtok_r(NULL, " \t\r", &rest)) {
		err_set(e, "something behind the network");
		return err_expected(e, "a network a line; without --name lines of CIDR NAME [from=YYYY-MM-DD] [until=YYYY-MM-DD]");
	}
	if (n->len == SCANNERS_MAX)
		return err_set(e, "more than %d networks", SCANNERS_MAX);
	MEM_GROW(n->list, n->len, n->cap);
	n->list[n->len++] = net;
	return true;
}

bool scanners_nets(const char *path, struct prefix **nets, size_t *len, struct err *e)
{
	struct nets n = { *nets, *len, *len };
	struct buf text;

	bool ok = load_text(path, &text, e) && (each_line(buf_cstr(&text), take_net, &n, e) || err_in(e, "%s", path));
	buf_release(&text);
	*nets = n.list;
	*len = n.len;
	return ok;
}

static int by_net(const void *a, const void *b)
{
	return net_cmp(a, b);
}

static bool among(const struct prefix *nets, size_t len, const struct prefix *net)
{
	return len && bsearch(net, nets, len, sizeof *nets, by_net) != NULL;
}

/* What the list says of other days and of others; of the new networks those that held up to that day go on, and leave `nets`. */
static bool keep_others(struct scanners *s, const struct scanners *old, uint16_t by, struct prefix *nets, size_t *len, uint32_t from, struct err *e)
{
	struct nets on = { 0 };
	size_t left = 0;
	bool ok = true;

	for (size_t i = 0; ok && i < old->len; i++) {
		struct scanning one = old->list[i];

		if (one.by == by && one.from >= from)
			continue;
		if (one.by == by && one.until >= from) {
			one.until = among(nets, *len, &one.net) ? GOES_ON : from;
			if (one.until == GOES_ON) {
				MEM_GROW(on.list, on.len, on.cap);
				on.list[on.len++] = one.net;
			}
		}
		ok = push(s, &one, e);
	}
	if (on.len)
		qsort(on.list, on.len, sizeof *on.list, by_net);
	for (size_t i = 0; i < *len; i++)
		if (!among(on.list, on.len, &nets[i]))
			nets[left++] = nets[i];
	*len = left;
	free(on.list);
	return ok;
}

bool scanners_renew(struct scanners *s, const char *name, const struct prefix *nets, size_t len, uint32_t from, struct err *e)
{
	struct scanners old = *s;
	struct prefix *fresh = mem_zero(len, sizeof *fresh);
	size_t n = 0;
	uint16_t by = 0;

	if (len) {
		memcpy(fresh, nets, len * sizeof *fresh);
		qsort(fresh, len, sizeof *fresh, by_net);
	}
	for (size_t i = 0; i < len; i++)
		if (n == 0 || net_cmp(&fresh[n - 1], &fresh[i]) != 0)
			fresh[n++] = fresh[i];
	bool ok = enter_name(s, name, &by, e);
	s->list = NULL;
	s->len = s->cap = 0;
	ok = ok && keep_others(s, &old, by, fresh, &n, from, e);
	for (size_t i = 0; ok && i < n; i++)
		ok = push(s, &(struct scanning){ fresh[i], from, GOES_ON, by }, e);
	if (ok)
		finish(s);
	free(old.list);
	free(fresh);
	return ok;
}

void scanners_watch(struct scanners_file *f, const char *path)
{
	*f = (struct scanners_file){ .now = { .id = "none" } };
	assert(strlen(path) < sizeof f->path);
	memcpy(f->path, path, strlen(path) + 1);
}

static struct stat look_at(const struct scanners_file *f)
{
	struct stat now = { 0 };

	return f->path[0] && stat(f->path, &now) == 0 ? now : (struct stat){ 0 };
}

bool scanners_changed(const struct scanners_file *f)
{
	struct stat now = look_at(f);

	return now.st_ino != f->seen.st_ino || now.st_size != f->seen.st_size || now.st_mtim.tv_sec != f->seen.st_mtim.tv_sec ||
		now.st_mtim.tv_nsec != f->seen.st_mtim.tv_nsec;
}

void scanners_look(struct scanners_file *f)
{
	struct scanners fresh;

	f->seen = look_at(f);
	f->wrong = !scanners_read(&fresh, f->path, &f->why);
	if (f->wrong)
		return;
	scanners_release(&f->now);
	f->now = fresh;
}
