#include "web/api.h"

#include "base/err.h"
#include "base/num.h"
#include "publish/answer_csv.h"
#include "publish/answer_json.h"
#include "publish/chart.h"
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

void api_figure(struct visit *v)
{
	static const char *const ours[] = { "lang", "w", NULL };
	struct question q = start();
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
	struct chart c = { .answer = &a, .zone = &v->facts.zone, .lang = v->lang, .id = "figure",
		.source = v->site->name[v->lang], .alone = true, .width = (unsigned)width };
	chart_svg(&c, &v->reply->body);
	v->reply->type = "image/svg+xml; charset=utf-8";
	answer_release(&a);
}

void api_not_found(struct visit *v)
{
	struct err e = { 0 };

	err_set(&e, "nothing at this path");
	err_expected(&e, "/api/v1/top, /api/v1/series, both also with .csv");
	refuse(v, 404, &e);
}
