#include "link/epochs.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/sign.h"
#include "base/zone.h"
#include "core/calendar.h"

#include <inttypes.h>

uint64_t epoch_unmarked(void)
{
	uint64_t chance;

	secret_fill(&chance, sizeof chance);
	return chance >> BATCH_MARK_BITS;
}

uint64_t epoch_marked(const struct sign_secret *secret, const void *addresses, size_t len)
{
	uint64_t mark = sign_pseudonym(secret, addresses, len) >> (64 - BATCH_MARK_BITS);

	return (mark ? mark : 1) << (64 - BATCH_MARK_BITS) | epoch_unmarked();
}

uint64_t epoch_without_mark(uint64_t epoch)
{
	return epoch >> BATCH_MARK_BITS;
}

/* "NAME MARK FROM" a line. */
static bool read_line(const char *line, struct address_epoch *out, struct err *e)
{
	char date[CALENDAR_TEXT_MAX];

	if (sscanf(line, "%39s %6" SCNx32 " %31s", out->sensor, &out->mark, date) != 3 || !sensor_name_valid(out->sensor))
		return err_set(e, "not a sensor, a mark and a time: \"%.80s\"", line);
	return calendar_parse(&zone_utc, date, &out->from, e);
}

bool epochs_read(struct epochs *all, const char *path, struct err *e)
{
	struct buf text = buf_make(EPOCHS_BYTES_MAX);
	struct address_epoch one;
	bool ok = !file_exists(path) || file_read(path, &text, e);
	char *rest = NULL, *copy = mem_text(buf_cstr(&text));

	*all = (struct epochs){ 0 };
	for (char *line = strtok_r(copy, "\n", &rest); ok && line; line = strtok_r(NULL, "\n", &rest)) {
		if (!(ok = read_line(line, &one, e) || err_in(e, "%s", path)))
			break;
		MEM_GROW(all->list, all->len, all->cap);
		all->list[all->len++] = one;
	}
	free(copy);
	buf_release(&text);
	if (!ok)
		epochs_release(all);
	return ok;
}

bool epochs_write(const struct epochs *all, const char *path, struct err *e)
{
	struct buf text = buf_make(EPOCHS_BYTES_MAX);
	char date[CALENDAR_TEXT_MAX];

	for (size_t i = 0; i < all->len; i++)
		buf_printf(&text, "%s %06" PRIx32 " %s\n", all->list[i].sensor, all->list[i].mark, calendar_rfc3339(&zone_utc, all->list[i].from, date));
	bool ok = (text.ok || err_set(e, "%s becomes too large", path)) && file_write(path, text.at, text.len, e);
	buf_release(&text);
	return ok;
}

/* The sensor's last one that begins by then, of two that begin just then the one of that mark; and the first one after it. How
 * many it has. */
static size_t around(struct epochs *all, const char *sensor, uint32_t mark, minute_t at, struct address_epoch **before, struct address_epoch **after)
{
	size_t n = 0;

	*before = *after = NULL;
	for (size_t i = 0; i < all->len; i++) {
		struct address_epoch *one = &all->list[i];

		if (strcmp(one->sensor, sensor) != 0)
			continue;
		n++;
		if (one->from <= at && (!*before || one->from > (*before)->from || (one->from == at && one->mark == mark)))
			*before = one;
		if (one->from > at && (!*after || one->from < (*after)->from))
			*after = one;
	}
	return n;
}

enum epoch_news epochs_note(struct epochs *all, const char *sensor, uint32_t mark, minute_t at)
{
	struct address_epoch *before, *after;

	size_t n = around(all, sensor, mark, at, &before, &after);
	if ((before && before->mark == mark) || n >= EPOCHS_OF_SENSOR_MAX)
		return EPOCH_SAME;
	if (after && after->mark == mark) {
		after->from = at;
		return EPOCH_EARLIER;
	}
	bool first = !before && !after;
	MEM_GROW(all->list, all->len, all->cap);
	struct address_epoch *one = &all->list[all->len++];
	*one = (struct address_epoch){ .mark = mark, .from = at };
	memcpy(one->sensor, sensor, strlen(sensor) + 1);
	return first ? EPOCH_FIRST : EPOCH_MOVED;
}

const struct address_epoch *epochs_newest(const struct epochs *all, const char *sensor)
{
	const struct address_epoch *newest = NULL;

	for (size_t i = 0; i < all->len; i++)
		if (!strcmp(all->list[i].sensor, sensor) && (!newest || all->list[i].from > newest->from))
			newest = &all->list[i];
	return newest;
}

void epochs_release(struct epochs *all)
{
	free(all->list);
	*all = (struct epochs){ 0 };
}
