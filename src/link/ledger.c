#include "link/ledger.h"

#include "base/bytes.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

void ledger_release(struct ledger *l)
{
	for (size_t i = 0; i < l->len; i++)
		free(l->epochs[i].runs);
	*l = (struct ledger){ 0 };
}

static const struct ledger_epoch *find(const struct ledger *l, uint64_t epoch)
{
	for (size_t i = l->len; i-- > 0; )
		if (l->epochs[i].epoch == epoch)
			return &l->epochs[i];
	return NULL;
}

/* The first run that ends behind the serial or at it. */
static size_t run_at(const struct ledger_epoch *e, uint64_t serial)
{
	size_t low = 0, high = e->len;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (e->runs[mid].until < serial)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool ledger_has(const struct ledger *l, uint64_t epoch, uint64_t serial)
{
	const struct ledger_epoch *e = find(l, epoch);

	if (!e)
		return false;
	size_t i = run_at(e, serial + 1);
	return i < e->len && e->runs[i].from <= serial;
}

/* Moves the epoch to the end, where the one used last is; a new one takes the place of the oldest. */
static struct ledger_epoch *use(struct ledger *l, uint64_t epoch)
{
	struct ledger_epoch one = { .epoch = epoch };
	size_t at = 0;

	while (at < l->len && l->epochs[at].epoch != epoch)
		at++;
	if (at < l->len) {
		one = l->epochs[at];
	} else if (l->len < LEDGER_EPOCHS_MAX) {
		l->len++;
	} else {
		at = 0;
		free(l->epochs[0].runs);
	}
	memmove(&l->epochs[at], &l->epochs[at + 1], (l->len - 1 - at) * sizeof *l->epochs);
	l->epochs[l->len - 1] = one;
	return &l->epochs[l->len - 1];
}

static void remove_runs(struct ledger_epoch *e, size_t at, size_t n)
{
	memmove(&e->runs[at], &e->runs[at + n], (e->len - at - n) * sizeof *e->runs);
	e->len -= n;
}

void ledger_add_run(struct ledger *l, uint64_t epoch, uint64_t from, uint64_t until)
{
	struct ledger_epoch *e = use(l, epoch);
	size_t at = run_at(e, from), joined = at;

	for (; joined < e->len && e->runs[joined].from <= until; joined++) {
		from = e->runs[joined].from < from ? e->runs[joined].from : from;
		until = e->runs[joined].until > until ? e->runs[joined].until : until;
	}
	if (joined == at) {
		MEM_GROW(e->runs, e->len, e->cap);
		memmove(&e->runs[at + 1], &e->runs[at], (e->len - at) * sizeof *e->runs);
		e->len++;
	} else {
		remove_runs(e, at + 1, joined - at - 1);
	}
	e->runs[at] = (struct serials){ from, until };
	if (e->len > LEDGER_RUNS_MAX)
		remove_runs(e, 0, 1);
}

void ledger_add(struct ledger *l, uint64_t epoch, uint64_t serial)
{
	ledger_add_run(l, epoch, serial, serial + 1);
}

void ledger_text(const struct ledger *l, const char *name, struct buf *out)
{
	for (size_t i = 0; i < l->len; i++)
		for (size_t k = 0; k < l->epochs[i].len; k++)
			buf_printf(out, "%s %016" PRIx64 " %" PRIu64 " %" PRIu64 "\n", name, l->epochs[i].epoch, l->epochs[i].runs[k].from,
				l->epochs[i].runs[k].until);
}
