#include "web/aside.h"

#include "base/bytes.h"
#include "base/num.h"
#include "core/calendar.h"
#include "publish/html.h"
#include "publish/messages.h"
#include "stat/robust.h"
#include "store/days.h"
#include "web/site.h"

enum { ROWS_MAX = 30 };

static void row(struct visit *v, const struct robust_finding *f)
{
	static const enum message words[][2] = { { M_FOUND_ODD_DOWN, M_FOUND_ODD_UP }, { M_FOUND_ASIDE_DOWN, M_FOUND_ASIDE_UP } };
	struct buf *out = &v->reply->body;
	char text[NUM_TEXT_MAX];

	buf_str(out, "<tr><th scope=\"row\">");
	html_time(out, &v->facts.zone, calendar_day_start(&v->facts.zone, f->day), false);
	buf_str(out, "</th>");
	html_text(out, "td", f->sensor <= v->facts.len ? v->facts.sensors[f->sensor - 1].name : "");
	html_message(out, "td", v->lang, words[f->kind == FINDING_ASIDE][f->up]);
	html_number(out, num_human(f->packets, text));
	html_number(out, num_human(f->expected, text));
	html_number(out, num_human(f->packets / f->expected, text));
	buf_str(out, "</tr>\n");
}

static void table(struct visit *v, const struct robust_finding *list, size_t n)
{
	static const enum message columns[] = { M_TIME, M_SENSOR, M_FINDING, M_PACKETS, M_EXPECTED_PACKETS, M_FACTOR };
	struct buf *out = &v->reply->body;
	char text[NUM_TEXT_MAX];
	size_t shown = 0;

	html_table_begin(out, message(v->lang, M_SET_ASIDE));
	buf_str(out, "<thead><tr>");
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		html_column(out, i > 2 ? "n" : NULL, message(v->lang, columns[i]));
	buf_str(out, "</tr></thead>\n<tbody>\n");
	for (size_t i = n; i-- > 0 && shown < ROWS_MAX; shown++)
		row(v, &list[i]);
	html_table_end(out);
	if (n > shown)
		html_filled(out, "p", v->lang, M_SET_ASIDE_MORE, num_grouped(n - shown, text), "");
}

bool aside_table(struct visit *v, const struct question *q, struct err *e)
{
	const struct zone *z = &v->facts.zone;
	struct robust_finding *list = NULL;
	struct buf *out = &v->reply->body;
	size_t n = 0, kept = 0;

	if (!store_findings(v->site->store, calendar_day(z, q->span.from), calendar_day(z, q->span.until - 1) + 1, (uint32_t)q->proto << 16 | (uint32_t)q->port,
		&list, &n, e))
		return false;
	for (size_t i = 0; i < n; i++)
		if (list[i].sensor && (list[i].kind == FINDING_ODD || list[i].kind == FINDING_ASIDE))
			list[kept++] = list[i];
	html_message(out, "h2", v->lang, M_SET_ASIDE);
	html_message(out, "p", v->lang, kept ? M_SET_ASIDE_NOTE : M_SET_ASIDE_NONE);
	if (kept)
		table(v, list, kept);
	free(list);
	return true;
}
