#include "publish/surge_json.h"

#include "base/bytes.h"
#include "base/json.h"
#include "base/zone.h"
#include "core/calendar.h"
#include "core/series.h"
#include "core/tuple.h"
#include "store/history.h"
#include "store/store.h"

static void time_json(struct json *j, const char *key, minute_t at, const struct zone *z)
{
	char text[CALENDAR_TEXT_MAX];

	json_string(j, key, at ? calendar_rfc3339(z, at, text) : NULL);
}

/* What a revision says of the surge. */
static void state_json(struct json *j, const struct surge_row *r, const struct zone *z)
{
	json_string(j, "class", surge_class_name(r->class));
	json_string(j, "level", r->alarm ? "alarm" : "watch");
	time_json(j, "known", r->known, z);
	json_whole(j, "known_after_hours", r->known > r->onset ? (r->known - r->onset) / 60 : 0);
	time_json(j, "onset", r->onset, z);
	time_json(j, "peak", r->peak, z);
	time_json(j, "end", r->end, z);
	json_string(j, "state", surge_state_name(r->state));
	json_number(j, "value", r->value);
	json_number(j, "expected", r->expected);
	json_whole(j, "sensors", r->sensors);
}

static void verdict_json(struct json *j, const struct surge_revision *r)
{
	json_string(j, "judged_by", surge_judge(r));
	json_string(j, "verdict", surge_verdict_name(r->verdict));
	json_string(j, "note", r->note[0] ? r->note : NULL);
}

static void now_json(struct json *j, const struct surge_revision *r, uint64_t sources, const struct zone *z)
{
	char id[SURGE_ID_MAX], label[SERIES_LABEL_MAX];

	json_string(j, "id", surge_id(&r->row, id));
	json_string(j, "label", port_label(r->row.port >> 16, r->row.port & UINT16_MAX, label));
	state_json(j, &r->row, z);
	json_whole(j, "sources", sources);
	json_whole(j, "new_sources", r->row.new_sources);
	json_whole(j, "revision", r->revision);
	verdict_json(j, r);
}

static void revision_json(struct json *j, const struct surge_revision *r, const struct zone *z)
{
	json_object(j, NULL);
	json_whole(j, "revision", r->revision);
	time_json(j, "said", (minute_t)(r->said_s / 60), z);
	json_string(j, "by", r->by);
	json_string(j, "reason", surge_reason_name(r->reason));
	time_json(j, "hour", r->hour, z);
	state_json(j, &r->row, z);
	json_whole(j, "new_sources", r->row.new_sources);
	verdict_json(j, r);
	json_end_object(j);
}

void surges_json(const struct surge_revision *list, const uint64_t *sources, size_t n, const struct facts *f, struct buf *out)
{
	struct json j = json_to(out);

	json_object(&j, NULL);
	json_string(&j, "zone", f->zone.name);
	time_json(&j, "looked_until", f->followed, &f->zone);
	json_array(&j, "surges");
	for (size_t i = 0; i < n; i++) {
		json_object(&j, NULL);
		now_json(&j, &list[i], sources[i], &f->zone);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_end_object(&j);
	buf_u8(out, '\n');
}

void surge_json(const struct surge_revision *now, uint64_t sources, const struct surge_revision *history, size_t n, const struct zone *z, struct buf *out)
{
	struct json j = json_to(out);

	json_object(&j, NULL);
	now_json(&j, now, sources, z);
	json_array(&j, "revisions");
	for (size_t i = 0; i < n; i++)
		revision_json(&j, &history[i], z);
	json_end_array(&j);
	json_end_object(&j);
	buf_u8(out, '\n');
}
