#include "publish/answer_json.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/json.h"
#include "base/zone.h"
#include "core/calendar.h"
#include "core/series.h"

static void span_json(struct json *j, const struct span *s, const struct zone *z)
{
	char text[CALENDAR_TEXT_MAX];

	json_object(j, "span");
	json_string(j, "from", calendar_rfc3339(z, s->from, text));
	json_string(j, "until", calendar_rfc3339(z, s->until, text));
	json_end_object(j);
}

static void measure_json(struct json *j, const struct answer *a)
{
	json_string(j, "across", across_name(a->question.across));
	if (a->question.fell_back)
		json_string(j, "asked", across_name(ACROSS_ROBUST));
	json_string(j, "per", per_name(a->question.per));
	json_string(j, "unit", answer_unit(&a->question));
	json_whole(j, "sensors", a->sensors);
	if (a->question.scanners[0])
		json_string(j, "scanners", a->question.scanners);
	if (a->scanners[0])
		json_string(j, "scanners_list", a->scanners);
}

static void rank_json(struct json *j, const char *key, unsigned rank)
{
	if (rank)
		json_whole(j, key, rank);
	else
		json_null(j, key);
}

static void row_json(struct json *j, const struct series *s)
{
	json_object(j, NULL);
	rank_json(j, "rank", s->rank);
	rank_json(j, "previous_rank", s->previous_rank);
	json_string(j, "label", s->label);
	json_number(j, "value", s->value);
	json_number(j, "plain", s->plain);
	json_whole(j, "packets", s->packets);
	json_whole(j, "sources", s->sources);
	json_whole(j, "sensors", s->sensors);
	json_end_object(j);
}

void answer_top_json(const struct answer *a, const struct zone *z, struct buf *out)
{
	struct json j = json_to(out);

	json_object(&j, NULL);
	span_json(&j, &a->question.span, z);
	json_string(&j, "zone", z->name);
	measure_json(&j, a);
	json_array(&j, "rows");
	for (size_t i = 0; i < a->len; i++)
		row_json(&j, &a->list[i]);
	json_end_array(&j);
	json_end_object(&j);
	buf_u8(out, '\n');
}

static void numbers_json(struct json *j, const char *key, const double *list, size_t n)
{
	json_array(j, key);
	for (size_t i = 0; i < n; i++)
		json_number(j, NULL, list[i]);
	json_end_array(j);
}

static void flags_json(struct json *j, unsigned flags)
{
	static const char *const names[ROBUST_FLAGS] = { "no cross-check possible", "weak cross-check", "contamination not detectable at this level", "unreliable" };

	json_array(j, NULL);
	for (unsigned k = 0; k < ROBUST_FLAGS; k++)
		if (flags >> k & 1)
			json_string(j, NULL, names[k]);
	json_end_array(j);
}

/* How sure each robust value is; null and 0 where there is none. */
static void sure_json(struct json *j, const struct answer *a, const struct series *s)
{
	json_array(j, "standard_error");
	for (size_t i = 0; i < a->steps; i++)
		json_number(j, NULL, s->sure[i].se);
	json_end_array(j);
	json_array(j, "judged");
	for (size_t i = 0; i < a->steps; i++)
		json_whole(j, NULL, s->sure[i].looked);
	json_end_array(j);
	json_array(j, "accepted");
	for (size_t i = 0; i < a->steps; i++)
		json_whole(j, NULL, s->sure[i].accepted);
	json_end_array(j);
	json_array(j, "remarks");
	for (size_t i = 0; i < a->steps; i++)
		flags_json(j, s->sure[i].flags);
	json_end_array(j);
	json_array(j, "revision");
	for (size_t i = 0; i < a->steps; i++)
		json_whole(j, NULL, s->sure[i].revision);
	json_end_array(j);
}

static void steps_json(struct json *j, const struct answer *a, const struct series *s, const struct zone *z)
{
	char text[CALENDAR_TEXT_MAX];

	json_object(j, NULL);
	json_string(j, "label", s->label);
	json_array(j, "times");
	for (size_t i = 0; i < a->steps; i++)
		json_string(j, NULL, calendar_rfc3339(z, a->times[i], text));
	json_end_array(j);
	numbers_json(j, "values", s->values, a->steps);
	json_array(j, "looked");
	for (size_t i = 0; i < a->steps; i++)
		json_whole(j, NULL, a->looked[i]);
	json_end_array(j);
	if (a->question.across != ACROSS_MEAN)
		numbers_json(j, "plain", s->plains, a->steps);
	if (s->sure)
		sure_json(j, a, s);
	json_end_object(j);
}

void answer_series_json(const struct answer *a, const struct zone *z, struct buf *out)
{
	struct json j = json_to(out);
	char final[CALENDAR_TEXT_MAX];

	json_object(&j, NULL);
	span_json(&j, &a->question.span, z);
	json_string(&j, "zone", z->name);
	json_string(&j, "step", step_name(a->question.step));
	measure_json(&j, a);
	if (a->final)
		json_string(&j, "provisional_from", calendar_rfc3339(z, a->final, final));
	json_array(&j, "series");
	for (size_t i = 0; i < a->len; i++)
		steps_json(&j, a, &a->list[i], z);
	json_end_array(&j);
	json_end_object(&j);
	buf_u8(out, '\n');
}

void error_json(const struct err *e, struct buf *out)
{
	struct json j = json_to(out);

	json_object(&j, NULL);
	json_object(&j, "error");
	json_string(&j, "what", e->what);
	json_string(&j, "where", e->where);
	json_string(&j, "expected", e->expected);
	json_end_object(&j);
	json_end_object(&j);
	buf_u8(out, '\n');
}
