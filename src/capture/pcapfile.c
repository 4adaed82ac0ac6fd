#include "capture/pcapfile.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"
#include "capture/intake.h"

#include <endian.h>
#include <inttypes.h>

#define MAGIC_MICRO 0xa1b2c3d4u
#define MAGIC_NANO 0xa1b23c4du
#define MAGIC_PATCHED 0xa1b2cd34u       /* Kuznetzov's: eight more bytes a record */
#define BLOCK_SECTION 0x0a0d0d0au       /* reads the same in both orders */
#define ORDER_MAGIC 0x1a2b3c4du

enum {
	BLOCK_INTERFACE = 1, BLOCK_PACKET_OLD = 2, BLOCK_PACKET_SIMPLE = 3, BLOCK_PACKET = 6,
	OPTION_END = 0, OPTION_RESOLUTION = 9, OPTION_OFFSET = 14,
	PCAP_HEADER = 24, BLOCK_LEAST = 12,
	/* A block that we read whole: a frame and its options. Others may be of any length, they are passed. */
	BLOCK_MAX = PCAP_FRAME_MAX + (1 << 16),
};

struct interface {
	unsigned link;
	uint32_t snapshot;              /* 0: no limit */
	uint64_t units;                 /* per second; 0: finer than we can count, then time is whole seconds 0 */
	int64_t offset_s;
};

struct pcapfile {
	struct intake *in;              /* borrowed */
	bool blocks, swapped, patched;  /* blocks: pcapng. swapped: big endian */
	bool old_lengths;               /* before version 2.4 some wrote the two lengths the other way round */
	unsigned link;
	uint64_t frames;
	struct interface *interfaces; size_t len, cap;
};

static uint32_t u32(const struct pcapfile *f, struct reader *r)
{
	return f->swapped ? read_u32be(r) : read_u32le(r);
}

static uint16_t u16(const struct pcapfile *f, struct reader *r)
{
	return f->swapped ? read_u16be(r) : read_u16le(r);
}

static uint32_t magic_at(const uint8_t *bytes)
{
	struct reader r = reader_over(bytes, 4);

	return read_u32le(&r);
}

static bool is_pcap(uint32_t magic)
{
	return magic == MAGIC_MICRO || magic == MAGIC_NANO || magic == MAGIC_PATCHED;
}

bool pcapfile_begins(const uint8_t *bytes, size_t len)
{
	if (len < 4)
		return false;
	uint32_t magic = magic_at(bytes);
	return is_pcap(magic) || is_pcap(__builtin_bswap32(magic)) || magic == BLOCK_SECTION;
}

static bool open_pcap(struct pcapfile *f, const uint8_t *head, struct err *e)
{
	uint32_t magic = magic_at(head);

	f->swapped = !is_pcap(magic);
	f->patched = (f->swapped ? __builtin_bswap32(magic) : magic) == MAGIC_PATCHED;
	struct reader r = reader_over(head + 4, PCAP_HEADER - 4);
	unsigned major = u16(f, &r), minor = u16(f, &r);
	(void)read_bytes(&r, 12);       /* zone, accuracy, snapshot length: nobody keeps to them */
	f->link = u32(f, &r) & 0xffff;  /* above stands the length of the frame check sequence */
	if (major != 2) {
		err_set(e, "pcap version %u.%u", major, minor);
		return err_expected(e, "version 2");
	}
	f->old_lengths = minor < 4;
	return intake_skip(f->in, PCAP_HEADER);
}

struct pcapfile *pcapfile_open(struct intake *in, struct err *e)
{
	struct pcapfile *f;
	size_t len;
	const uint8_t *head = intake_ahead(in, PCAP_HEADER, &len);

	if (!pcapfile_begins(head, len)) {
		err_set(e, "not a capture");
		err_expected(e, "pcap or pcapng");
		return NULL;
	}
	if (len < PCAP_HEADER) {
		err_set(e, "the capture breaks off in its header");
		return NULL;
	}
	f = mem_zero(1, sizeof *f);
	f->in = in;
	f->blocks = magic_at(head) == BLOCK_SECTION;
	if (!f->blocks && !open_pcap(f, head, e)) {
		pcapfile_close(f);
		return NULL;
	}
	return f;
}

void pcapfile_close(struct pcapfile *f)
{
	if (f)
		free(f->interfaces);
	free(f);
}

static enum pcap_next broken(struct pcapfile *f, struct err *e, const char *what)
{
	if (!intake_broken(f->in, e))
		err_set(e, "%s", what);
	err_in(e, "frame %" PRIu64, f->frames + 1);
	return PCAP_BROKEN;
}

static enum pcap_next next_pcap(struct pcapfile *f, struct frame *out, struct err *e)
{
	size_t header = f->patched ? 24 : 16;
	const uint8_t *head = intake_peek(f->in, header);

	if (!head)
		return broken(f, e, "the file breaks off in the frame's header");
	uint32_t field[4];              /* seconds, their fraction, captured and original length */
	memcpy(field, head, sizeof field);
	for (int i = 0; i < 4; i++)
		field[i] = f->swapped ? be32toh(field[i]) : le32toh(field[i]);
	uint32_t seconds = field[0], captured = field[2], original = field[3];
	if (f->old_lengths && captured > original) {
		uint32_t swap = captured;

		captured = original;
		original = swap;
	}
	if (captured > PCAP_FRAME_MAX) {
		err_set(e, "the frame's length of %" PRIu32 " cannot be: the file is damaged from here", captured);
		err_in(e, "frame %" PRIu64, f->frames + 1);
		return PCAP_BROKEN;
	}
	const uint8_t *whole = intake_peek(f->in, header + captured);
	if (!whole)
		return broken(f, e, "the file breaks off in the frame");
	(void)intake_skip(f->in, header + captured);
	*out = (struct frame){ whole + header, captured, ++f->frames, f->link, seconds, true, false, false };
	return PCAP_FRAME;
}

/* The byte order of the section that begins here; interfaces of the one before are no more. */
static bool begin_section(struct pcapfile *f, struct err *e)
{
	const uint8_t *head = intake_peek(f->in, 16);

	if (!head)
		return err_set(e, "the file breaks off in a section's header");
	uint32_t order = magic_at(head + 8);
	if (order != ORDER_MAGIC && order != __builtin_bswap32(ORDER_MAGIC))
		return err_set(e, "the section's byte-order magic is damaged");
	f->swapped = order != ORDER_MAGIC;
	struct reader r = reader_over(head + 12, 4);
	unsigned major = u16(f, &r), minor = u16(f, &r);
	if (major != 1) {
		err_set(e, "pcapng version %u.%u", major, minor);
		return err_expected(e, "version 1");
	}
	f->len = 0;
	return true;
}

static uint64_t units_of(uint8_t resolution)
{
	unsigned power = resolution & 127;
	uint64_t units = 1;

	if (resolution & 128)
		return power < 64 ? (uint64_t)1 << power : 0;
	if (power > 19)                 /* 10^20 does not fit, and no clock counts so finely */
		return 0;
	while (power-- > 0)
		units *= 10;
	return units;
}

static bool add_interface(struct pcapfile *f, struct reader r, struct err *e)
{
	struct interface one = { .units = 1000000 };

	one.link = u16(f, &r);
	(void)u16(f, &r);
	one.snapshot = u32(f, &r);
	if (!r.ok)
		return err_set(e, "an interface's block is too short");
	while (reader_left(&r) >= 4) {
		unsigned code = u16(f, &r), length = u16(f, &r);
		const uint8_t *value = read_bytes(&r, length);

		if (code == OPTION_END || !value)
			break;
		if (code == OPTION_RESOLUTION && length >= 1)
			one.units = units_of(*value);
		if (code == OPTION_OFFSET && length >= 8) {
			struct reader v = reader_over(value, 8);
			uint64_t first = u32(f, &v), second = u32(f, &v);

			one.offset_s = (int64_t)(f->swapped ? first << 32 | second : second << 32 | first);
		}
		(void)read_bytes(&r, (4 - length % 4) % 4);
	}
	if (f->len == PCAP_INTERFACES_MAX)
		return err_set(e, "more than %d interfaces", PCAP_INTERFACES_MAX);
	MEM_GROW(f->interfaces, f->len, f->cap);
	f->interfaces[f->len++] = one;
	return true;
}

static int64_t seconds_of(const struct interface *i, uint64_t stamp)
{
	int64_t seconds = i->units ? (int64_t)(stamp / i->units) : 0, sum;

	return __builtin_add_overflow(seconds, i->offset_s, &sum) ? -1 : sum;
}

/* The frame in a packet's block: the three kinds differ in what stands before its bytes. */
static bool read_packet(struct pcapfile *f, unsigned kind, struct reader r, struct frame *out, struct err *e)
{
	uint32_t number = 0, captured, high, low;
	uint64_t stamp = 0;

	if (kind == BLOCK_PACKET)
		number = u32(f, &r);
	if (kind == BLOCK_PACKET_OLD) {
		number = u16(f, &r);
		(void)u16(f, &r);
	}
	if (kind != BLOCK_PACKET_SIMPLE) {
		high = u32(f, &r);
		low = u32(f, &r);
		stamp = (uint64_t)high << 32 | low;
	}
	captured = u32(f, &r);
	if (!r.ok)
		return err_set(e, "a packet's block is too short");
	if (number >= f->len)
		return err_set(e, "a packet of interface %" PRIu32 ", which was never described", number);
	const struct interface *i = &f->interfaces[number];
	if (kind != BLOCK_PACKET_SIMPLE) {
		(void)u32(f, &r);
	} else {                        /* it has the original length alone: what was captured follows from the limits */
		if (i->snapshot && captured > i->snapshot)
			captured = i->snapshot;
		if (captured > reader_left(&r))
			captured = (uint32_t)reader_left(&r);
	}
	const uint8_t *bytes = read_bytes(&r, captured);
	if (!bytes)
		return err_set(e, "a packet is longer than its block");
	*out = (struct frame){ bytes, captured, ++f->frames, i->link, seconds_of(i, stamp), kind != BLOCK_PACKET_SIMPLE,
		false, false };
	return true;
}

static bool known_block(uint32_t kind)
{
	return kind == BLOCK_INTERFACE || kind == BLOCK_PACKET_OLD || kind == BLOCK_PACKET_SIMPLE || kind == BLOCK_PACKET;
}

/* One block that we read: peeks it whole, checks the length at its end, which must repeat the one at its head. */
static bool read_block(struct pcapfile *f, uint32_t kind, uint32_t length, struct frame *out, bool *found, struct err *e)
{
	const uint8_t *block = length <= BLOCK_MAX ? intake_peek(f->in, length) : NULL;

	if (length > BLOCK_MAX)
		return err_set(e, "a block of %" PRIu32 " bytes: the file is damaged from here", length);
	if (!block)
		return err_set(e, "the file breaks off in a block");
	struct reader tail = reader_over(block + length - 4, 4), body = reader_over(block + 8, length - BLOCK_LEAST);
	if (u32(f, &tail) != length)
		return err_set(e, "a block's two lengths differ: the file is damaged from here");
	(void)intake_skip(f->in, length);
	*found = kind != BLOCK_INTERFACE;
	return *found ? read_packet(f, kind, body, out, e) : add_interface(f, body, e);
}

/* One block; *found: it held a frame. */
static bool next_block(struct pcapfile *f, struct frame *out, bool *found, struct err *e)
{
	const uint8_t *head = intake_peek(f->in, BLOCK_LEAST);

	*found = false;
	if (!head)
		return err_set(e, "the file breaks off in a block's header");
	if (magic_at(head) == BLOCK_SECTION && !begin_section(f, e))
		return false;
	head = intake_peek(f->in, BLOCK_LEAST);
	struct reader r = reader_over(head, BLOCK_LEAST);
	uint32_t kind = u32(f, &r), length = u32(f, &r);
	if (length < BLOCK_LEAST || length % 4 != 0)
		return err_set(e, "a block's length of %" PRIu32 " cannot be: the file is damaged from here", length);
	if (known_block(kind))
		return read_block(f, kind, length, out, found, e);
	if (!intake_skip(f->in, length))
		return err_set(e, "the file breaks off in a block");
	return true;
}

static enum pcap_next next_pcapng(struct pcapfile *f, struct frame *out, struct err *e)
{
	bool found = false;

	while (!found) {
		if (!intake_peek(f->in, 1))
			return intake_broken(f->in, e) ? broken(f, e, "") : PCAP_END;
		if (!next_block(f, out, &found, e)) {
			struct err stream;

			if (intake_broken(f->in, &stream) && intake_ended(f->in))
				*e = stream;
			err_in(e, "after frame %" PRIu64, f->frames);
			return PCAP_BROKEN;
		}
	}
	return PCAP_FRAME;
}

enum pcap_next pcapfile_next(struct pcapfile *f, struct frame *out, struct err *e)
{
	if (f->blocks)
		return next_pcapng(f, out, e);
	if (!intake_peek(f->in, 1))
		return intake_broken(f->in, e) ? broken(f, e, "") : PCAP_END;
	return next_pcap(f, out, e);
}

const char *pcapfile_format(const struct pcapfile *f)
{
	return f->blocks ? "pcapng" : "pcap";
}

int pcapfile_link(const struct pcapfile *f)
{
	return f->blocks ? -1 : (int)f->link;
}
