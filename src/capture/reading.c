#include "capture/reading.h"

#include "base/err.h"
#include "capture/packet.h"

/* 1990-01-01: what is older comes from a clock that was not set. */
static const int64_t EARLIEST_S = 631152000;

static const char *const format_names[] = { "unknown", "pcap", "log", "csv" };

const char *format_name(enum format f)
{
	return format_names[f];
}

bool format_parse(const char *text, enum format *out)
{
	for (unsigned f = FORMAT_PCAP; f <= FORMAT_CSV; f++)
		if (!strcmp(text, format_names[f])) {
			*out = (enum format)f;
			return true;
		}
	return false;
}

static int prefix_order(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;
	int by_address = addr_cmp(&x->addr, &y->addr);

	return by_address ? by_address : x->bits < y->bits ? -1 : x->bits > y->bits;
}

/* In their own order and each once: how the list was written is nobody's concern. */
static void put_in_order(struct reading *r)
{
	size_t n = 0;

	qsort(r->watched, r->watched_len, sizeof *r->watched, prefix_order);
	for (size_t i = 0; i < r->watched_len; i++)
		if (n == 0 || prefix_order(&r->watched[n - 1], &r->watched[i]) != 0)
			r->watched[n++] = r->watched[i];
	r->watched_len = n;
	for (size_t i = 0; i < n; i++) {
		struct addr ones = addr_of(UINT64_MAX, UINT64_MAX), mask = addr_masked(&ones, r->watched[i].bits);

		r->masked[i].hi = addr_hi(&r->watched[i].addr);
		r->masked[i].lo = addr_lo(&r->watched[i].addr);
		r->masked[i].mask_hi = addr_hi(&mask);
		r->masked[i].mask_lo = addr_lo(&mask);
	}
}

bool reading_watch(struct reading *r, const char *text, struct err *e)
{
	char one[PREFIX_TEXT_MAX];

	while (*text) {
		text += strspn(text, " \t");
		size_t n = strcspn(text, ", \t");

		if (r->watched_len == WATCHED_MAX)
			return err_asked(e, "more than %d networks to watch", WATCHED_MAX);
		(void)snprintf(one, sizeof one, "%.*s", (int)(n < sizeof one ? n : sizeof one - 1), text);
		if (n >= sizeof one || !prefix_parse(one, &r->watched[r->watched_len])) {
			err_asked(e, "not a network to watch: \"%.50s\"", one);
			return err_expected(e, "192.0.2.0/24 or 2001:db8::/32, the bits behind the length 0");
		}
		r->watched_len++;
		text += n;
		text += strspn(text, " \t");
		text += *text == ',';
	}
	if (r->watched_len == 0)
		return err_asked(e, "no network to watch is named");
	put_in_order(r);
	return true;
}

bool reading_watches(const struct reading *r, const struct addr *a)
{
	uint64_t hi = addr_hi(a), lo = addr_lo(a);

	for (size_t i = 0; i < r->watched_len; i++)
		if ((hi & r->masked[i].mask_hi) == r->masked[i].hi && (lo & r->masked[i].mask_lo) == r->masked[i].lo)
			return true;
	return r->watched_len == 0;
}

enum refusal reading_judge_time(const struct reading *r, int64_t time_s)
{
	bool known = time_s >= EARLIEST_S && time_s < (int64_t)MINUTE_MAX * 60 && !(r->latest_s && time_s > r->latest_s);

	return known ? REFUSAL_NONE : REFUSAL_TIME_RANGE;
}

enum refusal reading_judge(const struct reading *r, const struct packet *p)
{
	enum refusal refusal = reading_judge_time(r, p->time_s);

	if (refusal)
		return refusal;
	if (p->known & PACKET_DST && !reading_watches(r, &p->dst))
		return REFUSAL_NOT_WATCHED;
	if (span_empty(r->looked))
		return REFUSAL_NONE;
	minute_t minute = (minute_t)(p->time_s / 60);
	return minute < r->looked.from || minute >= r->looked.until ? REFUSAL_NOT_LOOKED : REFUSAL_NONE;
}
