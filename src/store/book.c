#include "store/book.h"

#include "base/mem.h"

#include <assert.h>

void book_release(struct book *b)
{
	for (size_t i = 0; i < b->len; i++)
		watch_release(&b->watches[i]);
	free(b->watches);
	free(b->sensors);
	free(b->ledger);
	free(b->marks);
	zone_release(&b->zone);
	*b = (struct book){ 0 };
}

const struct sensor *book_find(const struct book *b, const char *name)
{
	for (size_t i = 0; i < b->len; i++)
		if (!strcmp(b->sensors[i].name, name))
			return &b->sensors[i];
	return NULL;
}

struct sensor *book_enter(struct book *b, const char *name)
{
	struct sensor *s;

	assert(b->len < UINT16_MAX && strlen(name) < SENSOR_NAME_MAX);
	MEM_GROW(b->sensors, b->len, b->cap);
	MEM_GROW(b->watches, b->len, b->watches_cap);
	b->watches[b->len] = (struct watch){ 0 };
	s = &b->sensors[b->len++];
	*s = (struct sensor){ .number = (uint16_t)b->len, .addresses = 1, .region = "ZZ" };
	memcpy(s->name, name, strlen(name) + 1);
	return s;
}

void book_forget_after(struct book *b, size_t len)
{
	while (b->len > len)
		watch_release(&b->watches[--b->len]);
}

static int run_order(const struct ledger_run *r, uint16_t sensor, uint64_t epoch)
{
	if (r->epoch != epoch)
		return r->epoch < epoch ? -1 : 1;
	return r->sensor == sensor ? 0 : r->sensor < sensor ? -1 : 1;
}

/* First run that is not wholly before (sensor, epoch, serial). */
static size_t run_at(const struct book *b, uint16_t sensor, uint64_t epoch, uint64_t serial)
{
	size_t low = 0, high = b->ledger_len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = run_order(&b->ledger[middle], sensor, epoch);

		if (order < 0 || (order == 0 && b->ledger[middle].last < serial))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool same_line(const struct book *b, size_t i, uint16_t sensor, uint64_t epoch)
{
	return i < b->ledger_len && run_order(&b->ledger[i], sensor, epoch) == 0;
}

bool book_knows(const struct book *b, uint16_t sensor, uint64_t epoch, uint64_t serial)
{
	size_t i = run_at(b, sensor, epoch, serial);

	return same_line(b, i, sensor, epoch) && b->ledger[i].first <= serial;
}

void book_note(struct book *b, uint16_t sensor, uint64_t epoch, uint64_t serial)
{
	size_t i = run_at(b, sensor, epoch, serial);
	bool behind = i > 0 && same_line(b, i - 1, sensor, epoch) && b->ledger[i - 1].last + 1 == serial;
	bool before = same_line(b, i, sensor, epoch) && b->ledger[i].first == serial + 1;

	assert(!book_knows(b, sensor, epoch, serial));
	if (behind && before) {
		b->ledger[i - 1].last = b->ledger[i].last;
		memmove(b->ledger + i, b->ledger + i + 1, (b->ledger_len - i - 1) * sizeof *b->ledger);
		b->ledger_len--;
	} else if (behind) {
		b->ledger[i - 1].last = serial;
	} else if (before) {
		b->ledger[i].first = serial;
	} else {
		MEM_GROW(b->ledger, b->ledger_len, b->ledger_cap);
		memmove(b->ledger + i + 1, b->ledger + i, (b->ledger_len - i) * sizeof *b->ledger);
		b->ledger[i] = (struct ledger_run){ sensor, epoch, serial, serial };
		b->ledger_len++;
	}
}

void book_note_mark(struct book *b, uint16_t sensor, uint64_t epoch, minute_t from)
{
	uint32_t mark = batch_mark(epoch);

	for (size_t i = 0; i < b->marks_len; i++)
		if (b->marks[i].sensor == sensor && b->marks[i].mark == mark) {
			b->marks[i].from = from < b->marks[i].from ? from : b->marks[i].from;
			return;
		}
	if (mark == 0)
		return;
	MEM_GROW(b->marks, b->marks_len, b->marks_cap);
	b->marks[b->marks_len++] = (struct marked){ sensor, mark, from };
}

bool book_moved(const struct book *b, uint16_t sensor, struct span s)
{
	minute_t first = MINUTE_MAX;

	for (size_t i = 0; i < b->marks_len; i++)
		if (b->marks[i].sensor == sensor && b->marks[i].from < first)
			first = b->marks[i].from;
	for (size_t i = 0; i < b->marks_len; i++)
		if (b->marks[i].sensor == sensor && b->marks[i].from > first && b->marks[i].from >= s.from && b->marks[i].from < s.until)
			return true;
	return false;
}

uint64_t book_epoch(const struct book *b, uint64_t epoch)
{
	uint64_t n = 0;

	for (size_t i = run_at(b, 0, epoch, 0); i < b->ledger_len && b->ledger[i].epoch == epoch; i++)
		n += b->ledger[i].last - b->ledger[i].first + 1;
	return n;
}

struct span book_held(const struct book *b)
{
	struct span held = { 0, 0 };

	for (size_t i = 0; i < b->len; i++) {
		struct span s = watch_span(&b->watches[i]);

		if (span_empty(s))
			continue;
		if (span_empty(held))
			held = s;
		held.from = s.from < held.from ? s.from : held.from;
		held.until = s.until > held.until ? s.until : held.until;
	}
	return held;
}

uint32_t book_group(const struct book *b, size_t place)
{
	if (!b->sensors[place].group[0])
		return 0;
	for (size_t i = 0; i < place; i++)
		if (!strcmp(b->sensors[i].group, b->sensors[place].group))
			return (uint32_t)i + 1;
	return (uint32_t)place + 1;
}
