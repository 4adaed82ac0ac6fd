#include "web/api.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "publish/answer_csv.h"
#include "publish/answer_json.h"
#include "publish/chart.h"
#include "publish/surge_json.h"
#include "store/history.h"
#include "web/surges.h"
#include "web/visit.h"

static void refuse(struct visit *v, unsigned status, const struct err *e)
{
	v->reply->status = status;
	v->reply->type = "application/json; charset=utf-8";
	error_json(e, &v->reply->body);
}

void api_unavailable(struct visit *v)
{
	struct err e = { 0 };

	/* the store's own words name places of this machine: they are for the log */
	err_set(&e, "the store does not answer");
	err_expected(&e, "try again in a moment");
	refuse(v, 503, &e);
}

/* Reads the question and asks it; false: the refusal is written. */
static bool ask(struct visit *v, struct question *q, const char *const *ignored, bool table, struct answer *a)
{
	struct err e = { 0 };
	char step[16];

	if (!question_parse(q, v->request->query, ignored, &e)) {
		refuse(v, 400, &e);
		return false;
	}
	if (table && visit_value(v, "step", step, sizeof step) && strcmp(step, "all") != 0) {
		err_asked(&e, "a ranking is of the whole span");
		err_expected(&e, "step=all or none; /api/v1/series has steps");
		err_in(&e, "step");
		refuse(v, 400, &e);
		return false;
	}
	if (table)
		q->step = STEP_ALL;
	else if (q->port >= 0 && !visit_value(v, "each", step, sizeof step))
		q->each = EACH_NOTHING;         /* one port is one series, also where nothing came */
	if (!table && q->step == STEP_ALL) {
		err_set(&e, "a series needs steps");
		err_expected(&e, "step=minute, hour, day, week, month or quarter; /api/v1/top has the whole span");
		refuse(v, 400, &e);
		return false;
	}
	enum outcome outcome = visit_ask(v, q, a, &e);
	if (outcome == WRONG)
		refuse(v, 400, &e);
	else if (outcome == UNAVAILABLE)
		api_unavailable(v);
	return outcome == ASKED;
}

/* Ports are what is asked for where nothing else is said. */
static struct question start(void)
{
	struct question q;

	question_init(&q);
	q.each = EACH_PORT;
	return q;
}

typedef void write_fn(const struct answer *a, const struct zone *z, struct buf *out);

static void serve(struct visit *v, bool table, write_fn *write, const char *type, const char *file_name)
{
	struct question q = start();
	struct answer a = { 0 };

	if (!ask(v, &q, NULL, table, &a))
		return;
	write(&a, &v->facts.zone, &v->reply->body);
	v->reply->type = type;
	v->reply->file_name = file_name;
	answer_release(&a);
}

static const char json[] = "application/json; charset=utf-8", csv[] = "text/csv; charset=utf-8; header=present";

void api_top(struct visit *v)
{
	serve(v, true, answer_top_json, json, NULL);
}

void api_top_csv(struct visit *v)
{
	serve(v, true, answer_top_csv, csv, "teiten-top.csv");
}

void api_series(struct visit *v)
{
	serve(v, false, answer_series_json, json, NULL);
}

void api_series_csv(struct visit *v)
{
	serve(v, false, answer_series_csv, csv, "teiten-series.csv");
}

/* Those of the list that are wanted, and how many sources each had. */
static bool count_sources(struct visit *v, const struct surge_revision *list, size_t n, uint64_t *sources)
{
	struct err e;

	for (size_t i = 0; i < n; i++)
		if (!store_surge_sources(v->site->store, &list[i].row, &sources[i], &e))
			return false;
	return true;
}

void api_surges(struct visit *v)
{
	struct surge_revision *list = NULL;
	bool all = !strcmp(v->request->query, "all=1");
	size_t n = 0, kept = 0;
	struct err e = { 0 };

	if (v->request->query[0] && !all) {
		err_asked(&e, "not a question about surges");
		err_expected(&e, "none, or all=1: watches and what was withdrawn too");
		refuse(v, 400, &e);
		return;
	}
	bool ok = store_surges(v->site->store, NULL, &list, &n, &e);
	for (size_t i = 0; i < n; i++)
		if (all || (list[i].row.alarm && list[i].row.state != SURGE_WITHDRAWN))
			list[kept++] = list[i];
	uint64_t *sources = mem_zero(kept, sizeof *sources);
	if (ok && count_sources(v, list, kept, sources)) {
		surges_json(list, sources, kept, &v->facts, &v->reply->body);
		v->reply->type = json;
	} else {
		api_unavailable(v);
	}
	free(sources);
	free(list);
}

void api_surge(struct visit *v)
{
	struct surge_revision *history = NULL, now;
	uint64_t sources = 0;
	size_t n = 0;
	struct err e = { 0 };

	if (!surges_find(v, v->part, &now, &history, &n, &e)) {
		api_unavailable(v);
	} else if (n == 0) {
		err_asked(&e, "no such surge");
		err_expected(&e, "/api/v1/surges?all=1 shows them");
		refuse(v, 404, &e);
	} else if (count_sources(v, &now, 1, &sources)) {
		surge_json(&now, sources, history, n, &v->facts.zone, &v->reply->body);
		v->reply->type = json;
	} else {
		api_unavailable(v);
	}
	free(history);
}

void api_figure(struct visit *v)
{
	static const char *const ours[] = { "lang", "w", NULL };
	struct question q = start();
	struct bands bands;
	struct answer a = { 0 };
	uint64_t width = CHART_WIDE;
	char text[16];
	struct err e = { 0 };

	if ((visit_value(v, "w", text, sizeof text) && !num_whole(text, CHART_WIDTH_MIN, CHART_WIDTH_MAX, &width)) ||
		(visit_value(v, "lang", text, sizeof text) && !lang_parse(text, &v->lang))) {
		err_set(&e, "not a figure's language or width");
		err_expected(&e, "lang=ja or en, w=%d to %d", CHART_WIDTH_MIN, CHART_WIDTH_MAX);
		refuse(v, 400, &e);
		return;
	}
	if (!ask(v, &q, ours, false, &a))
		return;
	if (!visit_bands(v, &a, &bands, &e)) {
		answer_release(&a);
		api_unavailable(v);
		return;
	}
	struct chart c = { .answer = &a, .zone = &v->facts.zone, .lang = v->lang, .id = "figure",
		.source = v->site->name[v->lang], .alone = true, .surges = bands.list, .surges_len = bands.len, .width = (unsigned)width };
	chart_svg(&c, &v->reply->body);
	v->reply->type = "image/svg+xml; charset=utf-8";
	free(bands.list);
	answer_release(&a);
}

void api_not_found(struct visit *v)
{
	struct err e = { 0 };

	err_set(&e, "nothing at this path");
	err_expected(&e, "/api/v1/top, /api/v1/series, both also with .csv; /api/v1/surges");
	refuse(v, 404, &e);
}
