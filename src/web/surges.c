#include "web/surges.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/num.h"
#include "core/calendar.h"
#include "core/tuple.h"
#include "publish/markup.h"
#include "publish/services.h"
#include "publish/surge_words.h"
#include "web/pages.h"

enum { ENDED_MAX = 100, BEFORE_DAYS = 14, AFTER_DAYS = 7, HOURLY_DAYS_MAX = 60, TEXT_MAX = 2048 };

bool surges_find(const struct visit *v, const char *id, struct surge_revision *now, struct surge_revision **history, size_t *n, struct err *e)
{
	struct surge_revision *list = NULL;
	char text[SURGE_ID_MAX];
	size_t len = 0;
	bool found = false;

	*history = NULL;
	*n = 0;
	if (!store_surges(v->site->store, NULL, &list, &len, e))
		return false;
	for (size_t i = 0; i < len && !found; i++) {
		found = !strcmp(surge_id(&list[i].row, text), id);
		*now = list[i];
	}
	free(list);
	return !found || store_surges(v->site->store, id, history, n, e);
}

static unsigned hours_after(const struct surge_row *r)
{
	return r->known > r->onset ? (r->known - r->onset) / 60 : 0;
}

static void time_cell(struct visit *v, minute_t at)
{
	struct buf *out = &v->reply->body;

	buf_str(out, "<td>");
	html_time(out, &v->facts.zone, at, true);
	buf_str(out, "</td>");
}

static void end_cell(struct visit *v, const struct surge_row *r)
{
	if (r->end)
		time_cell(v, r->end);
	else
		html_message(&v->reply->body, "td", v->lang, M_SURGE_ONGOING);
}

static void verdict_text(const struct visit *v, const struct surge_revision *s, struct buf *text)
{
	if (s->verdict)
		message_fill(text, v->lang, M_SURGE_VERDICT_BY, surge_verdict_words(s->verdict, v->lang), s->judge);
	else
		buf_str(text, surge_verdict_words(s->verdict, v->lang));
}

static void port_link(struct visit *v, const struct surge_row *r)
{
	struct buf *out = &v->reply->body;
	char label[SERIES_LABEL_MAX];
	const char *service = service_name(r->port >> 16, r->port & UINT16_MAX);

	buf_printf(out, "<a href=\"/%s/ports/", lang_code(v->lang));
	html_port_path(out, port_label(r->port >> 16, r->port & UINT16_MAX, label));
	buf_printf(out, "\">%s</a>", label);
	if (service[0]) {
		buf_str(out, " (");
		markup_text(out, service);
		buf_u8(out, ')');
	}
}

static void row(struct visit *v, const struct page *p, const struct surge_revision *s)
{
	struct buf *out = &v->reply->body, text = buf_make(TEXT_MAX);
	const struct surge_row *r = &s->row;
	char number[NUM_TEXT_MAX];

	buf_str(out, "<tr><th scope=\"row\">");
	html_surge_link(p, s, out);
	buf_str(out, "</th>");
	html_text(out, "td", surge_level_words(r, v->lang));
	verdict_text(v, s, &text);
	html_text(out, "td", buf_cstr(&text));
	html_text(out, "td", surge_class_words(r->class, v->lang));
	buf_str(out, "<td>");
	port_link(v, r);
	buf_str(out, "</td>");
	time_cell(v, r->onset);
	html_filled(out, "td", v->lang, M_SURGE_HOURS_AFTER, num_grouped(hours_after(r), number), "");
	end_cell(v, r);
	time_cell(v, r->peak);
	html_number(out, num_human(r->value, number));
	html_number(out, num_human(r->expected, number));
	html_number(out, num_grouped(r->sensors, number));
	html_text(out, "td", surge_state_words(r->state, v->lang));
	buf_str(out, "</tr>\n");
	buf_release(&text);
}

static void head(struct visit *v, const enum message *columns, size_t n, enum message first_number, enum message last_number)
{
	struct buf *out = &v->reply->body;
	bool number = false;

	buf_str(out, "<thead><tr>");
	for (size_t i = 0; i < n; i++) {
		number = number || columns[i] == first_number;
		html_column(out, number ? "n" : NULL, message(v->lang, columns[i]));
		number = number && columns[i] != last_number;
	}
	buf_str(out, "</tr></thead>\n<tbody>\n");
}

/* The newest first: those that go on, or those that have ended. */
static size_t table(struct visit *v, const struct page *p, const struct surge_revision *list, size_t n, bool open, enum message name)
{
	static const enum message columns[] = { M_SURGE, M_SURGE_LEVEL, M_SURGE_VERDICT, M_SURGE_CLASS, M_PORT, M_SURGE_ONSET, M_SURGE_KNOWN, M_SURGE_END,
		M_SURGE_PEAK, M_SURGE_VALUE, M_SURGE_EXPECTED, M_SENSORS_SAW, M_SURGE_STATE };
	struct buf *out = &v->reply->body;
	size_t shown = 0, all = 0;

	for (size_t i = n; i-- > 0; ) {
		if (surge_goes_on(&list[i].row) != open || list[i].row.state == SURGE_WITHDRAWN || (all++ >= ENDED_MAX && !open))
			continue;
		if (shown++ == 0) {
			html_table_begin(out, message(v->lang, name));
			head(v, columns, sizeof columns / sizeof *columns, M_SURGE_VALUE, M_SENSORS_SAW);
		}
		row(v, p, &list[i]);
	}
	if (shown)
		html_table_end(out);
	return all - shown;
}

static bool any(const struct surge_revision *list, size_t n, bool open)
{
	for (size_t i = 0; i < n; i++)
		if (surge_goes_on(&list[i].row) == open && list[i].row.state != SURGE_WITHDRAWN)
			return true;
	return false;
}

static void looked_until(struct visit *v)
{
	char text[MESSAGE_DATE_MAX];

	if (v->facts.followed)
		html_filled(&v->reply->body, "p", v->lang, M_SURGES_LOOKED, message_moment(v->lang, &v->facts.zone, v->facts.followed, text), "");
	else
		html_message(&v->reply->body, "p", v->lang, M_SURGES_NOT_LOOKED);
}

static void section(struct visit *v, const struct page *p, const struct surge_revision *list, size_t n, bool open)
{
	struct buf *out = &v->reply->body;
	enum message name = open ? M_SURGES_OPEN : M_SURGES_ENDED;
	char number[NUM_TEXT_MAX];
	size_t more;

	html_message(out, "h2", v->lang, name);
	if (!any(list, n, open))
		html_message(out, "p", v->lang, open ? M_SURGES_NONE_OPEN : M_SURGES_NONE_ENDED);
	else if ((more = table(v, p, list, n, open, name)))
		html_filled(out, "p", v->lang, M_SURGES_MORE, num_grouped(more, number), "");
}

void page_surges(struct visit *v)
{
	struct page p = visit_page(v, "surges", message(v->lang, M_SURGES));
	struct surge_revision *list = NULL;
	size_t n = 0;
	struct err e;

	if (!store_surges(v->site->store, NULL, &list, &n, &e)) {
		page_unavailable(v);
		return;
	}
	page_begin(v, &p, 200);
	html_message(&v->reply->body, "h1", v->lang, M_SURGES);
	looked_until(v);
	section(v, &p, list, n, true);
	section(v, &p, list, n, false);
	html_message(&v->reply->body, "p", v->lang, M_SURGES_METHOD);
	html_end(&p, &v->reply->body);
	free(list);
}

bool surges_on_top(struct visit *v, const struct page *p)
{
	struct buf *out = &v->reply->body;
	struct surge_revision *list = NULL;
	size_t n = 0, open = 0;
	struct err e;

	if (!store_surges(v->site->store, NULL, &list, &n, &e)) {
		page_unavailable(v);
		return false;
	}
	buf_str(out, "<section class=\"surges\">\n");
	html_message(out, "h2", v->lang, M_SURGES_OPEN);
	for (size_t i = n; i-- > 0; ) {
		const struct surge_row *r = &list[i].row;
		char number[NUM_TEXT_MAX];

		if (!surge_goes_on(r))
			continue;
		buf_str(out, open++ ? "<li>" : "<ul>\n<li>");
		html_surge_link(p, &list[i], out);
		buf_printf(out, "%s%s%s", message(v->lang, M_LIST_COMMA), surge_level_words(r, v->lang), message(v->lang, M_LIST_COMMA));
		buf_printf(out, "%s ", message(v->lang, M_SURGE_ONSET));
		html_time(out, &v->facts.zone, r->onset, true);
		buf_printf(out, "%s%s ", message(v->lang, M_LIST_COMMA), message(v->lang, M_SURGE_KNOWN));
		struct buf after = buf_make(TEXT_MAX);
		message_fill(&after, v->lang, M_SURGE_HOURS_AFTER, num_grouped(hours_after(r), number), "");
		buf_printf(out, "%s%s%s</li>\n", buf_cstr(&after), message(v->lang, M_LIST_COMMA), surge_verdict_words(list[i].verdict, v->lang));
		buf_release(&after);
	}
	if (open)
		buf_str(out, "</ul>\n");
	else
		html_message(out, "p", v->lang, M_SURGES_NONE_OPEN);
	if (!v->facts.followed)
		looked_until(v);
	buf_printf(out, "<p class=\"links\"><a href=\"/%s/surges\">%s</a></p>\n</section>\n", lang_code(v->lang), message(v->lang, M_SURGES_ALL));
	free(list);
	return true;
}

static void fact(struct visit *v, enum message name, const char *text)
{
	struct buf *out = &v->reply->body;

	buf_str(out, "<div>");
	html_message(out, "dt", v->lang, name);
	html_text(out, "dd", text);
	buf_str(out, "</div>\n");
}

static void facts_list(struct visit *v, const struct surge_revision *s, uint64_t sources)
{
	struct buf *out = &v->reply->body, text = buf_make(TEXT_MAX);
	const struct surge_row *r = &s->row;
	const struct zone *z = &v->facts.zone;
	char moment[MESSAGE_DATE_MAX], number[NUM_TEXT_MAX];

	buf_str(out, "<dl class=\"facts\">\n<div>");
	html_message(out, "dt", v->lang, M_PORT);
	buf_str(out, "<dd>");
	port_link(v, r);
	buf_str(out, "</dd></div>\n");
	fact(v, M_SURGE_LEVEL, surge_level_words(r, v->lang));
	fact(v, M_SURGE_CLASS, surge_class_words(r->class, v->lang));
	fact(v, M_SURGE_STATE, surge_state_words(r->state, v->lang));
	fact(v, M_SURGE_ONSET, message_moment(v->lang, z, r->onset, moment));
	message_fill(&text, v->lang, M_SURGE_KNOWN_AT, message_moment(v->lang, z, r->known, moment), num_grouped(hours_after(r), number));
	fact(v, M_SURGE_KNOWN, buf_cstr(&text));
	fact(v, M_SURGE_PEAK, message_moment(v->lang, z, r->peak, moment));
	fact(v, M_SURGE_END, r->end ? message_moment(v->lang, z, r->end, moment) : message(v->lang, M_SURGE_ONGOING));
	fact(v, M_SURGE_VALUE, num_human(r->value, number));
	fact(v, M_SURGE_EXPECTED, num_human(r->expected, number));
	fact(v, M_SENSORS_SAW, num_grouped(r->sensors, number));
	fact(v, M_SOURCES, num_grouped(sources, number));
	fact(v, M_SURGE_NEW_SOURCES, num_grouped(r->new_sources, number));
	buf_clear(&text);
	verdict_text(v, s, &text);
	fact(v, M_SURGE_VERDICT, buf_cstr(&text));
	if (s->note[0])
		fact(v, M_SURGE_NOTE, s->note);
	fact(v, M_SURGE_REVISION, num_grouped(s->revision, number));
	buf_str(out, "</dl>\n");
	buf_release(&text);
}

static void revision_row(struct visit *v, const struct surge_revision *s)
{
	struct buf *out = &v->reply->body;
	char number[NUM_TEXT_MAX];

	buf_printf(out, "<tr><th scope=\"row\" class=\"n\">%u</th>", s->revision);
	time_cell(v, (minute_t)(s->said_s / 60));
	html_text(out, "td", strcmp(s->by, SURGE_MACHINE) ? s->by : message(v->lang, M_SURGE_BY_MACHINE));
	html_text(out, "td", surge_reason_words(s->reason, v->lang));
	time_cell(v, s->hour);
	html_text(out, "td", surge_level_words(&s->row, v->lang));
	html_text(out, "td", surge_state_words(s->row.state, v->lang));
	time_cell(v, s->row.onset);
	end_cell(v, &s->row);
	html_number(out, num_human(s->row.value, number));
	html_text(out, "td", surge_verdict_words(s->verdict, v->lang));
	buf_str(out, "<td class=\"text\">");
	markup_text(out, s->reason == SURGE_JUDGED ? s->note : "");
	buf_str(out, "</td></tr>\n");
}

static void history_table(struct visit *v, const struct surge_revision *list, size_t n)
{
	static const enum message columns[] = { M_SURGE_REVISION, M_SURGE_SAID, M_SURGE_BY, M_SURGE_REASON, M_SURGE_HOUR, M_SURGE_LEVEL, M_SURGE_STATE,
		M_SURGE_ONSET, M_SURGE_END, M_SURGE_VALUE, M_SURGE_VERDICT, M_SURGE_NOTE };
	struct buf *out = &v->reply->body;

	html_message(out, "h2", v->lang, M_SURGE_HISTORY);
	html_table_begin(out, message(v->lang, M_SURGE_HISTORY));
	head(v, columns, sizeof columns / sizeof *columns, M_SURGE_VALUE, M_SURGE_VALUE);
	for (size_t i = 0; i < n; i++)
		revision_row(v, &list[i]);
	html_table_end(out);
}

/* The port from two weeks before the onset to a week after the end, as far as the store holds, in whole days of its zone. */
static bool port_figure(struct visit *v, const struct page *p, const struct surge_row *r)
{
	const struct zone *z = &v->facts.zone;
	char label[SERIES_LABEL_MAX], from[CALENDAR_TEXT_MAX], until[CALENDAR_TEXT_MAX];
	struct question q;
	struct err e;
	uint32_t first = calendar_day(z, r->onset) - BEFORE_DAYS, last = calendar_day(z, v->facts.held.until - 1);

	if (r->end && calendar_day(z, r->end) + AFTER_DAYS < last)
		last = calendar_day(z, r->end) + AFTER_DAYS;
	if (span_empty(v->facts.held))
		return true;
	question_init(&q);
	q.step = last - first <= HOURLY_DAYS_MAX ? STEP_HOUR : STEP_DAY;
	return !question_set(&q, "port", port_label(r->port >> 16, r->port & UINT16_MAX, label), &e) ||
		!question_set(&q, "from", calendar_date(z, calendar_day_start(z, first), from), &e) ||
		!question_set(&q, "until", calendar_date(z, calendar_day_start(z, last + 1), until), &e) || page_figure(v, p, q, 1);
}

static void one(struct visit *v, const struct surge_revision *now, const struct surge_revision *history, size_t n, uint64_t sources)
{
	char path[SURGE_ID_MAX + 8], title[TEXT_MAX], id[SURGE_ID_MAX];
	struct buf *out = &v->reply->body, text = buf_make(TEXT_MAX);

	message_fill(&text, v->lang, M_SURGE_PAGE, surge_id(&now->row, id), "");
	(void)snprintf(title, sizeof title, "%s", buf_cstr(&text));
	buf_release(&text);
	(void)snprintf(path, sizeof path, "surges/%s", id);
	struct page p = visit_page(v, path, title);
	page_begin(v, &p, 200);
	html_text(out, "h1", title);
	facts_list(v, now, sources);
	if (!port_figure(v, &p, &now->row))
		return;
	history_table(v, history, n);
	html_message(out, "p", v->lang, M_SURGES_JUDGE);
	buf_printf(out, "<pre tabindex=\"0\"><code>teiten surge verdict %s real --note \"...\"</code></pre>\n", id);
	html_message(out, "p", v->lang, M_SURGES_METHOD);
	buf_printf(out, "<p class=\"links\"><a href=\"/%s/surges\">%s</a> <a href=\"/api/v1/surges/%s\">JSON</a></p>\n", lang_code(v->lang),
		message(v->lang, M_SURGES_ALL), id);
	html_end(&p, out);
}

void page_surge(struct visit *v)
{
	struct surge_revision *history = NULL, now;
	uint64_t sources = 0;
	size_t n = 0;
	struct err e;

	if (!surges_find(v, v->part, &now, &history, &n, &e) || (n && !store_surge_sources(v->site->store, &now.row, &sources, &e)))
		page_unavailable(v);
	else if (n == 0)
		page_not_found(v);
	else
		one(v, &now, history, n, sources);
	free(history);
}
