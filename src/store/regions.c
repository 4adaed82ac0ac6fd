/* regions: the table as a file and in memory. Look-ups of IPv4 addresses, which are nearly all, go through an index of
 * the first 16 bits and then a short binary search over starts alone. */
#include "store/regions.h"

#include "base/bytes.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/flatten.h"

#include <sys/stat.h>

enum {
	VERSION = 1,
	RANGE_BYTES = 16 + 16 + 2 + 4,
	RANGES_MAX = 1 << 22,           /* ten times what the whole Internet's AS table has today */
	FILE_MAX = RANGES_MAX * RANGE_BYTES + 4096,
	BLOCKS = 1 << 16,               /* IPv4 /16s */
	ID_BYTES = 6,
};

static const uint8_t magic[4] = { 'T', 'T', 'N', 'R' };

struct regions {
	char path[PATH_TEXT_MAX];
	struct stat file;               /* as it was when it was read; all zero: not there */
	char id[REGIONS_ID_MAX], source[REGIONS_SOURCE_MAX];
	struct range *list; size_t len;
	size_t v4, v4_len;              /* where the IPv4 ranges lie in the list */
	uint32_t *starts;               /* of the IPv4 ranges */
	uint32_t block[BLOCKS + 1];     /* number of IPv4 ranges that start before the /16 */
};

static void put_range(struct buf *out, const struct range *r)
{
	buf_bytes(out, r->from.b, 16);
	buf_bytes(out, r->to.b, 16);
	buf_bytes(out, r->region, 2);
	buf_u32le(out, r->as_number);
}

static bool get_range(struct reader *r, struct range *out)
{
	const uint8_t *from = read_bytes(r, 16), *to = read_bytes(r, 16), *region = read_bytes(r, 2);

	*out = (struct range){ .as_number = read_u32le(r) };
	if (!r->ok)
		return false;
	memcpy(out->from.b, from, 16);
	memcpy(out->to.b, to, 16);
	memcpy(out->region, region, 2);
	return range_sound(out);
}

static bool get_ranges(struct regions *t, struct reader *r, struct err *e)
{
	uint32_t n = read_u32le(r);

	if (!r->ok || n > RANGES_MAX || reader_left(r) != (size_t)n * RANGE_BYTES)
		return err_set(e, "the table of regions is not as long as it says");
	t->list = mem_zero(n, sizeof *t->list);
	for (; t->len < n; t->len++) {
		struct range *one = &t->list[t->len];

		if (!get_range(r, one) || (t->len && addr_cmp(&one[-1].to, &one->from) >= 0))
			return err_set(e, "range %zu of the table of regions is not sound", t->len + 1);
	}
	return true;
}

static bool decode(struct regions *t, const struct buf *bytes, struct err *e)
{
	uint8_t check[DIGEST_BYTES];
	size_t len = bytes->len < DIGEST_BYTES ? 0 : bytes->len - DIGEST_BYTES;
	struct reader r = reader_over(bytes->at, len);
	const uint8_t *head = read_bytes(&r, sizeof magic);

	if (!head || memcmp(head, magic, sizeof magic) != 0) {
		err_set(e, "not a table of regions");
		return err_expected(e, "`teiten geo build` makes one");
	}
	digest_of(bytes->at, len, check);
	if (memcmp(check, bytes->at + len, DIGEST_BYTES) != 0)
		return err_set(e, "the table of regions is damaged or cut: its digest does not fit");
	if (read_u8(&r) != VERSION) {
		err_set(e, "the table of regions is of a version unknown here");
		return err_expected(e, "build it anew with `teiten geo build`");
	}
	if (!read_text(&r, t->source, sizeof t->source))
		return err_set(e, "the table of regions does not say what it was made from");
	for (int i = 0; i < ID_BYTES; i++)
		(void)snprintf(t->id + 2 * i, 3, "%02x", check[i]);
	return get_ranges(t, &r, e);
}

static void index_v4(struct regions *t)
{
	uint32_t n = 0;

	while (t->v4 < t->len && !addr_is_v4(&t->list[t->v4].from))
		t->v4++;
	while (t->v4 + t->v4_len < t->len && addr_is_v4(&t->list[t->v4 + t->v4_len].from))
		t->v4_len++;
	if (t->v4_len == 0)
		t->v4 = 0;
	t->starts = mem_zero(t->v4_len, sizeof *t->starts);
	for (size_t i = 0; i < t->v4_len; i++)
		t->starts[i] = addr_to_v4(&t->list[t->v4 + i].from);
	for (uint32_t b = 0; b < BLOCKS; b++) {
		while (n < t->v4_len && t->starts[n] < b << 16)
			n++;
		t->block[b] = n;
	}
	t->block[BLOCKS] = (uint32_t)t->v4_len;
}

struct regions *regions_open(const char *path, struct err *e)
{
	struct regions *t = mem_zero(1, sizeof *t);
	struct buf bytes = buf_make(FILE_MAX);
	bool ok = strlen(path) < sizeof t->path || err_set(e, "path too long: %.100s...", path);

	if (ok) {
		memcpy(t->path, path, strlen(path) + 1);
		memcpy(t->id, "none", 5);
		memcpy(t->source, "none", 5);
		if (stat(path, &t->file) != 0)
			t->file = (struct stat){ 0 };
		else
			ok = file_read(path, &bytes, e) && (decode(t, &bytes, e) || err_in(e, "%s", path));
	}
	buf_release(&bytes);
	if (!ok) {
		regions_close(t);
		return NULL;
	}
	index_v4(t);
	return t;
}

static void release(struct regions *r)
{
	free(r->list);
	free(r->starts);
}

void regions_refresh(struct regions *r)
{
	struct stat now = { 0 };
	struct err e;

	if (stat(r->path, &now) != 0 || (now.st_ino == r->file.st_ino && now.st_size == r->file.st_size &&
		now.st_mtim.tv_sec == r->file.st_mtim.tv_sec && now.st_mtim.tv_nsec == r->file.st_mtim.tv_nsec))
		return;
	struct regions *fresh = regions_open(r->path, &e);
	if (!fresh) {
		r->file = now;
		return;
	}
	release(r);
	*r = *fresh;
	free(fresh);
}

void regions_close(struct regions *r)
{
	if (!r)
		return;
	release(r);
	free(r);
}

const char *regions_id(const struct regions *r)
{
	return r ? r->id : "none";
}

const char *regions_source(const struct regions *r)
{
	return r ? r->source : "none";
}

size_t regions_len(const struct regions *r)
{
	return r ? r->len : 0;
}

struct range regions_at(const struct regions *r, size_t i)
{
	return r->list[i];
}

/* The last IPv4 range that starts at or before the address; NULL for none. */
static const struct range *find_v4(const struct regions *r, uint32_t a)
{
	uint32_t low = r->block[a >> 16], high = r->block[(a >> 16) + 1];

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (r->starts[middle] <= a)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &r->list[r->v4 + low - 1] : NULL;
}

static const struct range *find_v6(const struct regions *r, const struct addr *a)
{
	size_t low = 0, high = r->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (addr_cmp(&r->list[middle].from, a) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &r->list[low - 1] : NULL;
}

void regions_find(const struct regions *r, const struct addr *a, char region[3], uint32_t *as_number)
{
	const struct range *found = !r ? NULL : addr_is_v4(a) ? find_v4(r, addr_to_v4(a)) : find_v6(r, a);

	if (found && addr_cmp(a, &found->to) > 0)
		found = NULL;
	memcpy(region, found ? found->region : "ZZ", 3);
	*as_number = found ? found->as_number : 0;
}

static bool write_flat(const char *path, const struct range *list, size_t len, const char *source, struct err *e)
{
	struct buf out = buf_make(FILE_MAX);
	uint8_t check[DIGEST_BYTES];

	buf_bytes(&out, magic, sizeof magic);
	buf_u8(&out, VERSION);
	buf_text(&out, source);
	buf_u32le(&out, (uint32_t)len);
	for (size_t i = 0; i < len; i++)
		put_range(&out, &list[i]);
	digest_of(out.at, out.len, check);
	buf_bytes(&out, check, sizeof check);
	bool ok = file_write(path, out.at, out.len, e);
	buf_release(&out);
	return ok;
}

bool regions_write(const char *path, struct range *list, size_t len, const char *source, struct err *e)
{
	struct range *flat = NULL;
	bool ok;

	if (strlen(source) >= REGIONS_SOURCE_MAX) {
		err_set(e, "what a table of regions was made from is told too long");
		return err_expected(e, "at most %d characters", REGIONS_SOURCE_MAX - 1);
	}
	for (size_t i = 0; i < len; i++)
		if (!range_sound(&list[i]))
			return err_set(e, "range %zu is not sound: reversed, of two families, or not two letters", i + 1);
	size_t n = ranges_flatten(list, len, &flat);
	ok = n <= RANGES_MAX || err_set(e, "%zu ranges are more than a table may have (%d)", n, RANGES_MAX);
	ok = ok && write_flat(path, flat, n, source, e);
	free(flat);
	return ok;
}
