#include "cmd/noticing.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/history.h"

#include <math.h>

enum { TEXT_MAX = 512 };

void notice_text(const struct notice *n, enum lang l, struct buf *out)
{
	static const enum message texts[NOTICES] = { M_NOTICE_SILENT, M_NOTICE_CAPTURING, M_NOTICE_LOSING, M_NOTICE_WHOLE, M_NOTICE_MOVED, M_NOTICE_SURGE,
		M_NOTICE_SURGE_OVER, M_NOTICE_SURGE_GONE, M_NOTICE_TRIAL };
	char amount[NUM_TEXT_MAX];

	message_fill(out, l, texts[n->kind], n->sensor, num_grouped(n->amount, amount));
}

static struct watched_over *place_of(struct vigil *v, const char *name)
{
	for (size_t i = 0; i < v->len; i++)
		if (!strcmp(v->list[i].name, name))
			return &v->list[i];
	MEM_GROW(v->list, v->len, v->cap);
	v->list[v->len] = (struct watched_over){ .state = LIVE_NEVER };
	memcpy(v->list[v->len].name, name, strlen(name) + 1);
	return &v->list[v->len++];
}

static void note(struct watched_over *w, enum notice_kind kind)
{
	switch (kind) {
	case NOTICE_SILENT: w->state = LIVE_SILENT; break;
	case NOTICE_CAPTURING: w->state = LIVE_CAPTURING; break;
	case NOTICE_LOSING: w->losing = true; break;
	case NOTICE_WHOLE: w->losing = false; break;
	case NOTICE_SURGE: w->surge = SURGE_TOLD; break;
	case NOTICE_SURGE_OVER:
	case NOTICE_SURGE_GONE: w->surge = SURGE_OVER_TOLD; break;
	default: break;
	}
}

bool vigil_open(struct vigil *v, const char *path, struct err *e)
{
	struct notices told;

	*v = (struct vigil){ .path = path };
	if (!notices_read(path, 0, &told, e))
		return false;
	for (size_t i = 0; i < told.len; i++)
		note(place_of(v, told.list[i].sensor), told.list[i].kind);
	notices_release(&told);
	return true;
}

/* What cannot be written is told in the log at least, and tried again with the next look. */
static bool tell(const struct vigil *v, const char *sensor, enum notice_kind kind, uint64_t amount, minute_t now)
{
	struct notice n = { .at_s = (int64_t)now * 60, .kind = kind, .amount = amount };
	struct buf text = buf_make(TEXT_MAX);
	struct err e;

	memcpy(n.sensor, sensor, strlen(sensor) + 1);
	notice_text(&n, LANG_EN, &text);
	log_line("%s", buf_cstr(&text));
	buf_release(&text);
	bool ok = notices_append(v->path, &n, &e);
	if (!ok)
		log_err(&e);
	return ok;
}

void vigil_count(struct vigil *v, const struct batch *b)
{
	struct watched_over *w = place_of(v, b->sensor);

	w->seen += b->seen;
	w->lost += b->lost;
}

void vigil_moved(struct vigil *v, const char *sensor, minute_t now)
{
	struct watched_over *w = place_of(v, sensor);

	if (w->moved && now - w->moved < MOVED_AGAIN_MINUTES)
		return;
	w->moved = now;
	(void)tell(v, sensor, NOTICE_MOVED, 0, now);
}

static void look_at_state(const struct vigil *v, struct watched_over *w, enum liveness is, minute_t silent, minute_t now)
{
	enum notice_kind kind = is == LIVE_SILENT ? NOTICE_SILENT : NOTICE_CAPTURING;

	if ((is == LIVE_SILENT || is == LIVE_CAPTURING) && w->state != is && tell(v, w->name, kind, is == LIVE_SILENT ? silent : 0, now))
		note(w, kind);
}

static void look_at_loss(const struct vigil *v, struct watched_over *w, bool hour_over, bool whole_hour, minute_t now)
{
	double all = (double)w->seen + (double)w->lost;
	uint64_t per_mille = all >= LOSS_PACKETS_MIN ? (uint64_t)((double)w->lost / all * 1000) : 0;

	if (!w->losing && per_mille >= LOSS_PER_MILLE && tell(v, w->name, NOTICE_LOSING, per_mille, now))
		note(w, NOTICE_LOSING);
	if (whole_hour && w->losing && w->seen && w->lost == 0 && tell(v, w->name, NOTICE_WHOLE, 0, now))
		note(w, NOTICE_WHOLE);
	if (hour_over)
		w->seen = w->lost = 0;
}

void vigil_look(struct vigil *v, const struct enrolled *all, const struct facts *f, minute_t now)
{
	bool hour_over = now / 60 != v->hour;

	for (size_t i = 0; i < all->len; i++) {
		struct watched_over *w = place_of(v, all->list[i].name);
		struct span watched = facts_watched(f, all->list[i].name);

		look_at_state(v, w, liveness_of(&all->list[i], watched, now), now - watched.until, now);
		look_at_loss(v, w, hour_over, hour_over && v->hours > 1, now);
	}
	v->hours += hour_over;
	v->hour = now / 60;
}

/* Those of the past are history: a keep that goes through all hours anew tells nobody of them. One that was withdrawn and is found again was told
 * already. */
void vigil_surges(struct vigil *v, const struct surge_revision *list, size_t n, minute_t now)
{
	char id[SURGE_ID_MAX];

	for (size_t i = 0; i < n; i++) {
		const struct surge_row *r = &list[i].row;
		bool is_news = r->known + SURGE_NEWS_MINUTES >= now, goes_on = surge_goes_on(r), gone = r->state == SURGE_WITHDRAWN;
		uint64_t rate = (uint64_t)ceil(r->value);

		if (!r->alarm || !(is_news || goes_on || gone || r->end + SURGE_NEWS_MINUTES >= now))
			continue;
		struct watched_over *w = place_of(v, surge_id(r, id));
		if (w->surge == SURGE_UNTOLD && is_news && !gone && tell(v, id, NOTICE_SURGE, rate, now))
			note(w, NOTICE_SURGE);
		if (w->surge == SURGE_TOLD && !goes_on && tell(v, id, gone ? NOTICE_SURGE_GONE : NOTICE_SURGE_OVER, rate, now))
			note(w, NOTICE_SURGE_OVER);
	}
}

void vigil_release(struct vigil *v)
{
	free(v->list);
	*v = (struct vigil){ 0 };
}
