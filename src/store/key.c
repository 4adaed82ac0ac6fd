/* key: what a row counts under, and how that is written for people. */
#include "store/engine.h"

#include "store/scanners.h"

#include <assert.h>

int key_cmp(const struct key *a, const struct key *b)
{
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	return a->lo == b->lo ? 0 : a->lo < b->lo ? -1 : 1;
}

bool want_takes(const struct want *w, const struct key *k)
{
	if (!w->only_len)
		return true;
	for (size_t low = 0, high = w->only_len; low < high; ) {
		size_t middle = low + (high - low) / 2;
		int order = key_cmp(&w->only[middle], k);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static unsigned one(struct key *out, uint64_t lo)
{
	out[0] = (struct key){ 0, lo };
	return 1;
}

static unsigned of_address(struct key *out, struct addr a)
{
	out[0] = (struct key){ addr_hi(&a), addr_lo(&a) };
	return 1;
}

unsigned row_keys(enum each each, const struct tuple *t, uint16_t sensor, uint16_t region, unsigned by, struct key out[ROW_KEYS_MAX])
{
	unsigned n = 0;

	switch (each) {
	case EACH_NOTHING: return one(out, 0);
	case EACH_PORT: return one(out, (uint64_t)t->proto << 16 | port_ranked(t->proto, t->port));
	case EACH_SENSOR: return one(out, sensor);
	case EACH_REGION: return one(out, region);
	case EACH_SOURCE: return of_address(out, t->src);
	case EACH_NETWORK: return of_address(out, addr_network(&t->src).addr);
	case EACH_KIND: return one(out, t->kind);
	case EACH_PROTO: return one(out, t->proto);
	case EACH_SCANNER: return one(out, by);
	case EACH_MARK:
		for (unsigned bit = 0; bit < MARKS; bit++)
			if (t->mark >> bit & 1)
				out[n++] = (struct key){ 0, bit };
		return n;
	}
	assert(0 && "each is one of the above");
	return 0;
}

void key_label(enum each each, const struct key *k, const struct book *book, char out[SERIES_LABEL_MAX])
{
	struct addr a = addr_of(k->hi, k->lo);
	struct prefix p = addr_network(&a);
	char text[PREFIX_TEXT_MAX];

	switch (each) {
	case EACH_NOTHING: (void)snprintf(out, SERIES_LABEL_MAX, "all"); return;
	case EACH_PORT: (void)port_label((unsigned)(k->lo >> 16), (unsigned)(k->lo & 0xffff), out); return;
	case EACH_SENSOR:
		assert(k->lo >= 1 && k->lo <= book->len);
		(void)snprintf(out, SERIES_LABEL_MAX, "%s", book->sensors[k->lo - 1].name);
		return;
	case EACH_REGION: (void)snprintf(out, SERIES_LABEL_MAX, "%c%c", (char)(k->lo >> 8), (char)(k->lo & 0xff)); return;
	case EACH_SOURCE: (void)snprintf(out, SERIES_LABEL_MAX, "%s", addr_format(&a, text)); return;
	case EACH_NETWORK: (void)snprintf(out, SERIES_LABEL_MAX, "%s", prefix_format(&p, text)); return;
	case EACH_KIND: (void)snprintf(out, SERIES_LABEL_MAX, "%s", kind_name((unsigned)k->lo)); return;
	case EACH_MARK: (void)snprintf(out, SERIES_LABEL_MAX, "%s", mark_name((unsigned)k->lo)); return;
	case EACH_PROTO: (void)snprintf(out, SERIES_LABEL_MAX, "%s", proto_name((unsigned)k->lo)); return;
	case EACH_SCANNER: (void)snprintf(out, SERIES_LABEL_MAX, "%s", k->lo ? book->scanners->names[k->lo - 1] : SCANNER_UNKNOWN); return;
	}
}

bool want_whole_ports(const struct want *w)
{
	const struct question *q = w->question;

	return (q->each == EACH_PORT || q->each == EACH_NOTHING || q->each == EACH_PROTO) && !q->region[0] && !q->kinds && !q->marks &&
		!q->without_kinds && !q->without_marks && !q->has_src && !w->sensor &&
		!w->by.until;
}

bool want_one_port(const struct want *w)
{
	return w->question->each == EACH_PORT || (w->question->port >= 0 && w->question->proto >= 0);
}
