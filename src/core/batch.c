#include "core/batch.h"

#include "base/bytes.h"
#include "base/compress.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"

#include <assert.h>
#include <ctype.h>

enum { VERSION = 1, HEAD_BYTES = 9, FAMILY_V4 = 4, FAMILY_V6 = 6, ROW_BYTES_MAX = 5 + 2 + 17 + 6 + 2 + 5 + 10 };
/* A hundred million packets a second for a month are a little less. */
static const uint64_t PACKETS_MAX = (uint64_t)1 << 48;
static const uint8_t magic[4] = { 'T', 'T', 'N', 'B' };

void batch_release(struct batch *b)
{
	free(b->rows);
	watch_release(&b->watched);
	*b = (struct batch){ 0 };
}

void batch_add(struct batch *b, const struct tuple *t)
{
	assert(t->minute >= b->span.from && t->minute < b->span.until);
	MEM_GROW(b->rows, b->len, b->cap);
	b->rows[b->len++] = *t;
}

bool sensor_name_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < SENSOR_NAME_MAX && isalnum((unsigned char)name[0]) &&
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-") == len;
}

bool sensor_name_check(const char *name, struct err *e)
{
	if (sensor_name_valid(name))
		return true;
	err_set(e, "not a sensor's name: \"%.40s\"", name);
	return err_expected(e, "1 to %d letters, digits and . _ : -, not one of these first", SENSOR_NAME_MAX - 1);
}

static bool row_sound(const struct tuple *t, struct span span)
{
	return t->minute >= span.from && t->minute < span.until && t->kind < KINDS && t->mark < 1 << MARKS &&
		t->dsts <= DSTS_MORE && t->packets > 0 && proto_name(t->proto) != NULL;
}

bool batch_sound(const struct batch *b, struct err *e)
{
	struct span watched = watch_span(&b->watched);

	if (!sensor_name_check(b->sensor, e))
		return false;
	if (span_empty(b->span) || b->span.until > MINUTE_MAX || span_minutes(b->span) > BATCH_MINUTES_MAX)
		return err_set(e, "the batch's span is empty, too long or outside 1970 to 2099");
	if (b->len > BATCH_ROWS_MAX || b->watched.len > BATCH_RUNS_MAX)
		return err_set(e, "the batch has more rows or runs than it may (%d)", BATCH_ROWS_MAX);
	if (b->watched.len && (watched.from < b->span.from || watched.until > b->span.until))
		return err_set(e, "the batch watched outside its span");
	for (size_t i = 0; i < b->len; i++)
		if (!row_sound(&b->rows[i], b->span) || (i && b->rows[i].minute < b->rows[i - 1].minute))
			return err_set(e, "row %zu of the batch is not sound", i + 1);
	return true;
}

bool batch_plausible(const struct batch *b, struct err *e)
{
	uint64_t packets = 0;

	if (b->span.from < BATCH_LIVE_FROM || span_minutes(b->span) > BATCH_LIVE_MINUTES_MAX)
		return err_set(e, "the batch's span begins before 2000 or is longer than 31 days");
	for (size_t i = 0; i < b->len; i++)     /* at most 2^20 rows of less than 2^32 */
		packets += b->rows[i].packets;
	if (b->seen < packets)
		return err_set(e, "the batch's rows hold more packets than were seen");
	if (b->seen > PACKETS_MAX || b->lost > PACKETS_MAX)
		return err_set(e, "the batch tells of more packets than can be");
	return true;
}

static uint8_t *put_varint(uint8_t *at, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*at++ = (uint8_t)(v | 0x80);
	*at++ = (uint8_t)v;
	return at;
}

static uint8_t *put_u16(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)v;
	at[1] = (uint8_t)(v >> 8);
	return at + 2;
}

static uint8_t *put_sources(uint8_t *at, const struct tuple *r, size_t len)
{
	for (size_t i = 0; i < len; i++)
		*at++ = addr_is_v4(&r[i].src) ? FAMILY_V4 : FAMILY_V6;
	for (size_t i = 0; i < len; i++) {
		size_t n = addr_is_v4(&r[i].src) ? 4 : 16;

		memcpy(at, r[i].src.b + 16 - n, n);
		at += n;
	}
	return at;
}

/* Columns: like stands beside like, which is what zstd lives on. */
static uint8_t *put_columns(uint8_t *at, const struct tuple *r, size_t len, minute_t before)
{
	for (size_t i = 0; i < len; before = r[i++].minute)
		at = put_varint(at, r[i].minute - before);
	for (size_t i = 0; i < len; i++)
		at = put_u16(at, r[i].port);
	at = put_sources(at, r, len);
	for (size_t i = 0; i < len; i++)
		*at++ = r[i].proto;
	for (size_t i = 0; i < len; i++)
		*at++ = r[i].flags;
	for (size_t i = 0; i < len; i++)
		*at++ = r[i].mark;
	for (size_t i = 0; i < len; i++)
		*at++ = r[i].kind;
	for (size_t i = 0; i < len; i++)
		*at++ = r[i].ttl;
	for (size_t i = 0; i < len; i++)
		*at++ = r[i].dsts;
	for (size_t i = 0; i < len; i++)
		at = put_u16(at, r[i].sport);
	for (size_t i = 0; i < len; i++)
		at = put_varint(at, r[i].packets);
	for (size_t i = 0; i < len; i++)
		at = put_varint(at, r[i].bytes);
	return at;
}

static void put_rows(const struct batch *b, struct buf *p)
{
	buf_varint(p, b->len);
	uint8_t *at = buf_room(p, b->len * ROW_BYTES_MAX);
	assert(at);
	buf_end(p, put_columns(at, b->rows, b->len, b->span.from));
}

static void put_payload(const struct batch *b, struct buf *p)
{
	minute_t before = b->span.from;

	buf_text(p, b->sensor);
	buf_u64le(p, b->epoch);
	buf_varint(p, b->serial);
	buf_u32le(p, b->span.from);
	buf_u32le(p, b->span.until);
	buf_varint(p, b->seen);
	buf_varint(p, b->lost);
	buf_varint(p, b->watched.len);
	for (size_t i = 0; i < b->watched.len; i++) {
		const struct run *r = &b->watched.runs[i];

		buf_varint(p, r->from - before);
		buf_varint(p, r->until - r->from);
		buf_u8(p, r->seconds);
		before = r->until;
	}
	put_rows(b, p);
}

void batch_encode(const struct batch *b, struct buf *out)
{
	struct buf payload = buf_make(BATCH_BYTES_MAX), packed = buf_make(BATCH_BYTES_MAX + (1 << 20));
	size_t start = out->len;
	uint8_t check[DIGEST_BYTES];

	put_payload(b, &payload);
	assert(payload.ok);
	compress_zstd(&packed, payload.at, payload.len);
	buf_bytes(out, magic, sizeof magic);
	buf_u8(out, VERSION);
	buf_u32le(out, (uint32_t)packed.len);
	buf_bytes(out, packed.at, packed.len);
	if (out->ok) {
		digest_of(out->at + start, out->len - start, check);
		buf_bytes(out, check, sizeof check);
	}
	buf_release(&payload);
	buf_release(&packed);
}

static bool get_runs(struct batch *b, struct reader *r)
{
	uint64_t n = read_varint(r), at = b->span.from;

	if (!r->ok || n > BATCH_RUNS_MAX || n > reader_left(r) / 3)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t gap = read_varint(r), length = read_varint(r);
		uint8_t seconds = read_u8(r);

		if (!r->ok || gap > MINUTE_MAX || length == 0 || length > MINUTE_MAX || seconds == 0 || seconds > 60 ||
			at + gap + length > b->span.until)
			return false;
		at += gap;
		watch_add(&b->watched, (struct run){ (minute_t)at, (minute_t)(at + length), seconds });
		at += length;
	}
	return b->watched.len == n;     /* runs that join were not written by us */
}

static void get_sources(struct batch *b, struct reader *r)
{
	const uint8_t *families = read_bytes(r, b->len);

	for (size_t i = 0; families && r->ok && i < b->len; i++) {
		bool v4 = families[i] == FAMILY_V4;
		const uint8_t *p = read_bytes(r, v4 ? 4 : 16);

		if (!p || (!v4 && families[i] != FAMILY_V6)) {
			r->ok = false;
			return;
		}
		if (v4)
			b->rows[i].src = addr_v4((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]);
		else
			memcpy(b->rows[i].src.b, p, 16);
	}
}

static void get_columns(struct batch *b, struct reader *r)
{
	struct tuple *t = b->rows;
	uint64_t minute = b->span.from, packets;

	for (size_t i = 0; i < b->len; i++) {
		minute += read_varint(r);
		if (minute >= b->span.until)
			r->ok = false;
		t[i].minute = (minute_t)minute;
		if (!r->ok)
			return;
	}
	for (size_t i = 0; i < b->len; i++)
		t[i].port = read_u16le(r);
	get_sources(b, r);
	for (size_t i = 0; i < b->len; i++)
		t[i].proto = read_u8(r);
	for (size_t i = 0; i < b->len; i++)
		t[i].flags = read_u8(r);
	for (size_t i = 0; i < b->len; i++)
		t[i].mark = read_u8(r);
	for (size_t i = 0; i < b->len; i++)
		t[i].kind = read_u8(r);
	for (size_t i = 0; i < b->len; i++)
		t[i].ttl = read_u8(r);
	for (size_t i = 0; i < b->len; i++)
		t[i].dsts = read_u8(r);
	for (size_t i = 0; i < b->len; i++)
		t[i].sport = read_u16le(r);
	for (size_t i = 0; i < b->len; i++) {
		packets = read_varint(r);
		if (packets > UINT32_MAX)
			r->ok = false;
		t[i].packets = (uint32_t)packets;
	}
	for (size_t i = 0; i < b->len; i++)
		t[i].bytes = read_varint(r);
}

enum { ROW_BYTES_MIN = 1 + 2 + 1 + 4 + 6 + 2 + 1 + 1 };

static bool get_payload(struct batch *b, struct reader *r, struct err *e)
{
	if (!read_text(r, b->sensor, sizeof b->sensor))
		return err_set(e, "the batch's sensor name is cut or too long");
	b->epoch = read_u64le(r);
	b->serial = read_varint(r);
	b->span.from = read_u32le(r);
	b->span.until = read_u32le(r);
	b->seen = read_varint(r);
	b->lost = read_varint(r);
	if (!r->ok || span_empty(b->span) || b->span.until > MINUTE_MAX || span_minutes(b->span) > BATCH_MINUTES_MAX)
		return err_set(e, "the batch's span is empty, too long or cut");
	if (!get_runs(b, r))
		return err_set(e, "the batch's watched seconds are not sound");
	uint64_t rows = read_varint(r);
	if (!r->ok || rows > BATCH_ROWS_MAX || rows > reader_left(r) / ROW_BYTES_MIN)
		return err_set(e, "the batch's number of rows does not fit its size");
	b->len = b->cap = (size_t)rows;
	b->rows = mem_zero(b->len, sizeof *b->rows);
	get_columns(b, r);
	if (!r->ok || reader_left(r) != 0)
		return err_set(e, "the batch's columns do not fit its size");
	return batch_sound(b, e);
}

size_t batch_length(const void *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	const uint8_t *head = read_bytes(&r, sizeof magic);

	(void)read_u8(&r);
	size_t whole = (size_t)read_u32le(&r) + HEAD_BYTES + DIGEST_BYTES;
	return r.ok && !memcmp(head, magic, sizeof magic) && whole <= len ? whole : 0;
}

size_t batch_unpacked(const void *bytes, size_t len)
{
	return len > HEAD_BYTES + DIGEST_BYTES ? zstd_unpacked((const uint8_t *)bytes + HEAD_BYTES, len - HEAD_BYTES - DIGEST_BYTES) : SIZE_MAX;
}

bool batch_decode(struct batch *b, const void *bytes, size_t len, struct err *e)
{
	struct buf payload = buf_make(BATCH_BYTES_MAX);
	struct reader r = reader_over(bytes, len);
	uint8_t check[DIGEST_BYTES];
	bool ok = false;

	*b = (struct batch){ 0 };
	const uint8_t *head = read_bytes(&r, sizeof magic);
	uint8_t version = read_u8(&r);
	uint32_t packed = read_u32le(&r);
	if (!r.ok || memcmp(head, magic, sizeof magic) != 0)
		return err_set(e, "not a batch of ours");
	if (version != VERSION) {
		err_set(e, "batch version %u", version);
		return err_expected(e, "version %u; a newer teiten may have written it", VERSION);
	}
	if (len < HEAD_BYTES + DIGEST_BYTES || packed != len - HEAD_BYTES - DIGEST_BYTES)
		return err_set(e, "the batch is cut or followed by other bytes");
	digest_of(bytes, len - DIGEST_BYTES, check);
	if (memcmp(check, (const uint8_t *)bytes + len - DIGEST_BYTES, DIGEST_BYTES) != 0)
		return err_set(e, "the batch is damaged (its checksum differs)");
	if (!decompress_zstd(&payload, (const uint8_t *)bytes + HEAD_BYTES, packed, BATCH_BYTES_MAX, e))
		goto out;
	r = reader_over(payload.at, payload.len);
	ok = get_payload(b, &r, e);
out:
	buf_release(&payload);
	if (!ok)
		batch_release(b);
	return ok;
}
