#include "publish/html.h"

#include "base/bytes.h"
#include "base/num.h"
#include "core/series.h"
#include "core/tuple.h"
#include "publish/caption.h"
#include "publish/chart.h"
#include "publish/markup.h"
#include "publish/services.h"
#include "publish/surge_words.h"
#include "store/store.h"

#include <math.h>

enum { TEXT_MAX = 4096 };

void html_text(struct buf *out, const char *tag, const char *text)
{
	buf_printf(out, "<%s>", tag);
	markup_text(out, text);
	buf_printf(out, "</%s>\n", tag);
}

void html_message(struct buf *out, const char *tag, enum lang l, enum message m)
{
	html_text(out, tag, message(l, m));
}

void html_filled(struct buf *out, const char *tag, enum lang l, enum message m, const char *first, const char *second)
{
	struct buf text = buf_make(TEXT_MAX);

	message_fill(&text, l, m, first, second);
	html_text(out, tag, buf_cstr(&text));
	buf_release(&text);
}

static void link_to(struct buf *out, const char *href, const char *text)
{
	buf_str(out, "<a");
	markup_attribute(out, "href", href);
	buf_u8(out, '>');
	markup_text(out, text);
	buf_str(out, "</a>");
}

/* The same page in another language. */
static void other_path(const struct page *p, enum lang l, struct buf *out)
{
	buf_printf(out, "/%s/%s", lang_code(l), p->path ? p->path : "");
	if (p->path && p->query[0])
		buf_printf(out, "?%s", p->query);
}

static void head(const struct page *p, struct buf *out)
{
	struct buf path = buf_make(TEXT_MAX);

	buf_printf(out, "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n<title>", lang_code(p->lang));
	if (p->title) {
		markup_text(out, p->title);
		buf_str(out, " - ");
	}
	markup_text(out, p->site);
	buf_str(out, "</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"robots\" content=\"noindex\">\n<link rel=\"stylesheet\" href=\"/style.css\">\n"
		"<link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\">\n");
	for (int l = 0; l < LANGS; l++) {
		buf_clear(&path);
		other_path(p, (enum lang)l, &path);
		buf_printf(out, "<link rel=\"alternate\" hreflang=\"%s\"", lang_code((enum lang)l));
		markup_attribute(out, "href", buf_cstr(&path));
		buf_str(out, ">\n");
	}
	buf_str(out, "</head>\n");
	buf_release(&path);
}

static void language_switch(const struct page *p, struct buf *out)
{
	struct buf path = buf_make(TEXT_MAX);

	for (int l = 0; l < LANGS; l++) {
		const char *code = lang_code((enum lang)l);

		if ((enum lang)l == p->lang)
			continue;
		other_path(p, (enum lang)l, &path);
		buf_printf(out, "<a lang=\"%s\" hreflang=\"%s\"", code, code);
		markup_attribute(out, "href", buf_cstr(&path));
		buf_u8(out, '>');
		markup_text(out, message((enum lang)l, M_LANGUAGE_NAME));
		buf_str(out, "</a>\n");
	}
	buf_release(&path);
}

static void nav_link(const struct page *p, const char *path, enum message m, struct buf *out)
{
	buf_printf(out, "<a href=\"/%s/%s\"%s>", lang_code(p->lang), path,
		p->path && !strcmp(p->path, path) && !p->query[0] ? " aria-current=\"page\"" : "");
	markup_text(out, message(p->lang, m));
	buf_str(out, "</a>\n");
}

static void archive_notice(const struct page *p, struct buf *out)
{
	char date[MESSAGE_DATE_MAX];

	if (!p->archive || !p->facts)
		return;
	buf_str(out, "<div class=\"archive\" role=\"note\">");
	html_filled(out, "p", p->lang, M_ARCHIVE, message_date(p->lang, &p->facts->zone, p->facts->held.until - 1, date), "");
	buf_str(out, "</div>\n");
}

void html_begin(const struct page *p, struct buf *out)
{
	head(p, out);
	buf_str(out, "<body>\n<a class=\"skip\" href=\"#content\">");
	markup_text(out, message(p->lang, M_SKIP));
	buf_printf(out, "</a>\n<header>\n<p class=\"site\"><a href=\"/%s/\">", lang_code(p->lang));
	markup_text(out, p->site);
	buf_str(out, "</a> <span class=\"view\">");
	markup_text(out, message(p->lang, M_INSIDE_VIEW));
	buf_str(out, "</span></p>\n<nav");
	markup_attribute(out, "aria-label", message(p->lang, M_NAVIGATION));
	buf_str(out, ">\n");
	nav_link(p, "", M_HOME, out);
	nav_link(p, "surges", M_SURGES, out);
	nav_link(p, "sensors", M_SENSORS, out);
	nav_link(p, "about", M_ABOUT, out);
	language_switch(p, out);
	buf_str(out, "</nav>\n</header>\n<main id=\"content\" tabindex=\"-1\">\n");
	archive_notice(p, out);
}

static void term(struct buf *out, enum lang l, enum message m, const char *text)
{
	buf_str(out, "<div><dt>");
	markup_text(out, message(l, m));
	buf_str(out, "</dt><dd>");
	markup_text(out, text);
	buf_str(out, "</dd></div>\n");
}

static void foot_facts(const struct page *p, struct buf *out)
{
	char text[MESSAGE_DATE_MAX];

	if (!p->facts)
		return;
	buf_str(out, "<dl>\n");
	if (!span_empty(p->facts->held))
		term(out, p->lang, M_UPDATED, message_moment(p->lang, &p->facts->zone, p->facts->held.until, text));
	term(out, p->lang, M_ZONE, p->facts->zone.name);
	term(out, p->lang, M_SENSORS, num_grouped(p->facts->len, text));
	if (p->version[0])
		term(out, p->lang, M_VERSION, p->version);
	buf_str(out, "</dl>\n");
}

void html_end(const struct page *p, struct buf *out)
{
	buf_str(out, "</main>\n<footer>\n");
	foot_facts(p, out);
	buf_str(out, "<p>");
	markup_text(out, message(p->lang, M_INSIDE_NOTE));
	buf_u8(out, ' ');
	markup_text(out, message(p->lang, M_NOT_JPCERT));
	buf_str(out, "</p>\n</footer>\n</body>\n</html>\n");
}

/* "PATH?QUESTION" with the question's canonical text, so that the link always means the same. */
static void question_link(struct buf *out, const struct page *p, const struct answer *a, const char *path, const char *more,
	const char *text)
{
	struct buf href = buf_make(TEXT_MAX);

	buf_printf(&href, "%s?", path);
	question_text(&a->question, &p->facts->zone, &href);
	buf_str(&href, more);
	link_to(out, buf_cstr(&href), text);
	buf_u8(out, '\n');
	buf_release(&href);
}

static void figure_links(const struct page *p, const struct answer *a, struct buf *out)
{
	char home[8], lang[16];

	(void)snprintf(home, sizeof home, "/%s/", lang_code(p->lang));
	(void)snprintf(lang, sizeof lang, "&lang=%s", lang_code(p->lang));
	buf_str(out, "<p class=\"links\">");
	markup_text(out, message(p->lang, M_SAVE_AS));
	buf_str(out, ": \n");
	question_link(out, p, a, "/figure.svg", lang, "SVG");
	question_link(out, p, a, "/api/v1/series.csv", "", "CSV");
	question_link(out, p, a, "/api/v1/series", "", "JSON");
	question_link(out, p, a, home, "", message(p->lang, M_PERMALINK));
	buf_str(out, "</p>\n");
}

void html_table_begin(struct buf *out, const char *name)
{
	buf_str(out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\"");
	markup_attribute(out, "aria-label", name);
	buf_str(out, ">\n<table>\n");
}

void html_table_end(struct buf *out)
{
	buf_str(out, "</tbody>\n</table>\n</div>\n");
}

void html_column(struct buf *out, const char *class, const char *text)
{
	buf_str(out, "<th scope=\"col\"");
	if (class)
		markup_attribute(out, "class", class);
	buf_u8(out, '>');
	markup_text(out, text);
	buf_str(out, "</th>");
}

void html_number(struct buf *out, const char *text)
{
	buf_str(out, "<td class=\"n\">");
	markup_text(out, text);
	buf_str(out, "</td>");
}

void html_time(struct buf *out, const struct zone *z, minute_t at, bool minutes)
{
	char time[CALENDAR_TEXT_MAX];

	buf_printf(out, "<time datetime=\"%s\">", calendar_rfc3339(z, at, time));
	time[minutes ? 16 : 10] = '\0';
	if (minutes)
		time[10] = ' ';
	buf_printf(out, "%s</time>", time);
}

static void step_cell(struct buf *out, const struct answer *a, const struct zone *z, size_t i)
{
	buf_str(out, "<th scope=\"row\">");
	/* a day or more is told by its date, finer steps by the minute */
	html_time(out, z, a->times[i], a->question.step <= STEP_HOUR);
	buf_str(out, "</th>");
}

static void sure_head(const struct page *p, struct buf *out)
{
	static const enum message columns[] = { M_PLAIN, M_STANDARD_ERROR, M_ACCEPTED };

	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		html_column(out, "n", message(p->lang, columns[i]));
	html_column(out, NULL, message(p->lang, M_REMARKS));
}

/* What stands beside a single robust series. */
static void sure_cells(const struct page *p, const struct answer *a, const struct series *s, size_t i, struct buf *out)
{
	static const enum message flags[ROBUST_FLAGS] = { M_ROBUST_ALONE, M_ROBUST_WEAK, M_ROBUST_FAINT, M_ROBUST_UNRELIABLE };
	char text[NUM_TEXT_MAX], accepted[2 * NUM_TEXT_MAX] = "-";
	const struct sureness *sure = &s->sure[i];
	struct buf remarks = buf_make(TEXT_MAX);

	if (sure->revision)
		(void)snprintf(accepted, sizeof accepted, "%u/%u", sure->accepted, sure->looked);
	html_number(out, num_human(s->plains[i], text));
	html_number(out, num_human(sure->se, text));
	html_number(out, accepted);
	if (a->times[i] >= a->final)
		buf_str(&remarks, message(p->lang, M_PROVISIONAL));
	for (unsigned k = 0; k < ROBUST_FLAGS; k++)
		if (sure->flags >> k & 1) {
			buf_str(&remarks, remarks.len ? message(p->lang, M_LIST_COMMA) : "");
			buf_str(&remarks, message(p->lang, flags[k]));
		}
	if (sure->revision > 1) {
		buf_str(&remarks, remarks.len ? message(p->lang, M_LIST_COMMA) : "");
		message_fill(&remarks, p->lang, M_REVISION, num_grouped(sure->revision, text), "");
	}
	html_text(out, "td", buf_cstr(&remarks));
	buf_release(&remarks);
}

static void values_table(const struct page *p, const struct answer *a, const char *name, struct buf *out)
{
	char text[NUM_TEXT_MAX];
	bool sure = a->len == 1 && a->list[0].sure;

	html_table_begin(out, name);
	buf_str(out, "<thead><tr>");
	html_column(out, NULL, message(p->lang, M_TIME));
	for (size_t k = 0; k < a->len; k++)
		html_column(out, "n", a->list[k].label);
	if (sure)
		sure_head(p, out);
	html_column(out, "n", message(p->lang, M_LOOKED));
	buf_str(out, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < a->steps; i++) {
		buf_printf(out, "<tr%s>", a->looked[i] ? "" : " class=\"unobserved\"");
		step_cell(out, a, &p->facts->zone, i);
		for (size_t k = 0; k < a->len; k++)
			html_number(out, num_human(a->list[k].values[i], text));
		if (sure)
			sure_cells(p, a, &a->list[0], i, out);
		html_number(out, num_grouped(a->looked[i], text));
		buf_str(out, "</tr>\n");
	}
	html_table_end(out);
}

static void picture(const struct page *p, const struct answer *a, struct bands b, unsigned number, unsigned width, struct buf *out)
{
	char id[32];
	struct chart c = { .answer = a, .zone = &p->facts->zone, .lang = p->lang, .id = id, .source = p->site, .surges = b.list, .surges_len = b.len,
		.width = width };

	(void)snprintf(id, sizeof id, "f%u%s", number, width == CHART_WIDE ? "w" : "n");
	buf_printf(out, "<div class=\"%s\">\n", width == CHART_WIDE ? "wide" : "narrow");
	chart_svg(&c, out);
	buf_str(out, "</div>\n");
}

static void figure_caption(const struct page *p, const struct answer *a, const char *title, unsigned number, struct buf *out)
{
	struct buf text = buf_make(TEXT_MAX);
	char n[NUM_TEXT_MAX], updated[MESSAGE_DATE_MAX];
	const char *comma = message(p->lang, M_LIST_COMMA);

	message_fill(&text, p->lang, M_FIGURE, num_grouped(number, n), "");
	buf_str(&text, ". ");
	buf_printf(&text, "%s%s%s%s", title, comma, caption_unit(&a->question, p->lang), comma);
	caption_basis(a, &p->facts->zone, p->lang, &text);
	buf_str(&text, comma);
	message_fill(&text, p->lang, M_ZONE_IS, p->facts->zone.name, "");
	buf_str(&text, comma);
	message_fill(&text, p->lang, M_UPDATED_AT, message_moment(p->lang, &p->facts->zone, p->facts->held.until, updated), "");
	html_text(out, "figcaption", buf_cstr(&text));
	buf_release(&text);
}

void html_surge_link(const struct page *p, const struct surge_revision *s, struct buf *out)
{
	char id[SURGE_ID_MAX], href[SURGE_ID_MAX + 16];

	(void)snprintf(href, sizeof href, "/%s/surges/%s", lang_code(p->lang), surge_id(&s->row, id));
	link_to(out, href, id);
}

static void time_cell(struct buf *out, const struct zone *z, minute_t at)
{
	buf_str(out, "<td>");
	html_time(out, z, at, true);
	buf_str(out, "</td>");
}

static void bands_head(const struct page *p, unsigned number, struct buf *out)
{
	static const enum message columns[] = { M_SURGE, M_SURGE_LEVEL, M_SURGE_ONSET, M_SURGE_END, M_SURGE_VERDICT };
	struct buf name = buf_make(TEXT_MAX);
	char n[NUM_TEXT_MAX];

	message_fill(&name, p->lang, M_FIGURE, num_grouped(number, n), "");
	buf_printf(&name, ": %s", message(p->lang, M_SURGE_IN_FIGURE));
	html_table_begin(out, buf_cstr(&name));
	buf_release(&name);
	buf_str(out, "<thead><tr>");
	for (size_t k = 0; k < sizeof columns / sizeof *columns; k++)
		html_column(out, NULL, message(p->lang, columns[k]));
	buf_str(out, "</tr></thead>\n<tbody>\n");
}

static void bands_table(const struct page *p, const struct answer *a, struct bands b, unsigned number, struct buf *out)
{
	bool begun = false;

	for (size_t i = 0; i < b.len; i++) {
		const struct surge_row *r = &b.list[i].row;

		if (span_empty(surge_span(r, a->question.span)))
			continue;
		if (!begun) {
			bands_head(p, number, out);
			begun = true;
		}
		buf_str(out, "<tr><th scope=\"row\">");
		html_surge_link(p, &b.list[i], out);
		buf_str(out, "</th>");
		html_text(out, "td", surge_level_words(r, p->lang));
		time_cell(out, &p->facts->zone, r->onset);
		if (r->end)
			time_cell(out, &p->facts->zone, r->end);
		else
			html_message(out, "td", p->lang, M_SURGE_ONGOING);
		html_text(out, "td", surge_verdict_words(b.list[i].verdict, p->lang));
		buf_str(out, "</tr>\n");
	}
	if (begun)
		html_table_end(out);
}

void html_figure(const struct page *p, const struct answer *a, struct bands b, unsigned number, struct buf *out)
{
	struct buf title = buf_make(TEXT_MAX);

	caption_title(&a->question, &p->facts->zone, p->lang, &title);
	html_text(out, "h2", buf_cstr(&title));
	if (a->len == 0) {
		html_message(out, "p", p->lang, M_NO_ROWS);
		goto out;
	}
	buf_str(out, "<figure>\n");
	picture(p, a, b, number, CHART_WIDE, out);
	picture(p, a, b, number, CHART_NARROW, out);
	figure_caption(p, a, buf_cstr(&title), number, out);
	buf_str(out, "</figure>\n");
	figure_links(p, a, out);
	bands_table(p, a, b, number, out);
	buf_str(out, "<details><summary>");
	markup_text(out, message(p->lang, M_VALUES_TABLE));
	buf_str(out, "</summary>\n");
	values_table(p, a, buf_cstr(&title), out);
	buf_str(out, "</details>\n");
out:
	buf_release(&title);
}

void html_port_path(struct buf *out, const char *label)
{
	for (; *label; label++)
		buf_u8(out, (uint8_t)(*label == '/' ? '-' : *label));
}

static void label_cell(const struct page *p, const struct answer *a, const struct series *s, struct buf *out)
{
	unsigned proto, port;
	bool is_port = a->question.each == EACH_PORT && port_parse(s->label, &proto, &port);

	buf_str(out, "<th scope=\"row\">");
	if (is_port) {
		buf_printf(out, "<a href=\"/%s/ports/", lang_code(p->lang));
		html_port_path(out, s->label);
		buf_printf(out, "\">%s</a>", s->label);
	} else if (a->question.each == EACH_SCANNER && !strcmp(s->label, SCANNER_UNKNOWN)) {
		markup_text(out, message(p->lang, M_SCANNER_NOT_KNOWN));
	} else {
		markup_text(out, s->label);
	}
	if (a->question.each == EACH_REGION && !strcmp(s->label, "ZZ"))
		buf_printf(out, " (%s)", message(p->lang, M_UNKNOWN_REGION));
	buf_str(out, "</th>");
	if (a->question.each == EACH_PORT)
		html_text(out, "td", is_port ? service_name(proto, port) : "");
}

static void bar_cell(struct buf *out, double v, double max)
{
	double share = max > 0 && v > 0 ? v / max * 100 : 0;

	/* decoration: the number stands beside it */
	buf_printf(out, "<td class=\"bar\"><svg aria-hidden=\"true\" width=\"100\" height=\"10\" viewBox=\"0 0 100 10\">"
		"<rect width=\"%.1f\" height=\"10\" fill=\"#0072B2\"/></svg></td>", share);
}

static void top_row(const struct page *p, const struct answer *a, const struct series *s, double max, struct buf *out)
{
	char text[NUM_TEXT_MAX];

	buf_str(out, "<tr>");
	if (a->question.each != EACH_NOTHING) {
		html_number(out, s->rank ? num_grouped(s->rank, text) : "-");
		html_number(out, s->previous_rank ? num_grouped(s->previous_rank, text) : "-");
	}
	label_cell(p, a, s, out);
	html_number(out, num_human(s->value, text));
	bar_cell(out, s->value, max);
	if (a->question.across != ACROSS_MEAN)
		html_number(out, num_human(s->plain, text));
	html_number(out, num_grouped(s->packets, text));
	html_number(out, num_grouped(s->sources, text));
	if (a->question.each != EACH_SENSOR)
		html_number(out, num_grouped(s->sensors, text));
	buf_str(out, "</tr>\n");
}

static void top_head(const struct page *p, const struct answer *a, struct buf *out)
{
	buf_str(out, "<thead><tr>");
	if (a->question.each != EACH_NOTHING) {
		html_column(out, "n", message(p->lang, M_RANK));
		html_column(out, "n", message(p->lang, M_PREVIOUS_RANK));
	}
	html_column(out, NULL, caption_labels(&a->question, p->lang));
	if (a->question.each == EACH_PORT)
		html_column(out, NULL, message(p->lang, M_SERVICE));
	html_column(out, "n", message(p->lang, M_VALUE));
	buf_str(out, "<td class=\"bar\"></td>");
	if (a->question.across != ACROSS_MEAN)
		html_column(out, "n", message(p->lang, M_PLAIN));
	html_column(out, "n", message(p->lang, M_PACKETS));
	html_column(out, "n", message(p->lang, M_SOURCES));
	if (a->question.each != EACH_SENSOR)
		html_column(out, "n", message(p->lang, M_SENSORS_SAW));
	buf_str(out, "</tr></thead>\n<tbody>\n");
}

void html_top(const struct page *p, const struct answer *a, const char *heading, struct buf *out)
{
	double max = 0;

	if (a->len == 0) {
		html_message(out, "p", p->lang, M_NO_ROWS);
		return;
	}
	for (size_t i = 0; i < a->len; i++)
		max = fmax(max, a->list[i].value);
	html_table_begin(out, heading);
	top_head(p, a, out);
	for (size_t i = 0; i < a->len; i++)
		top_row(p, a, &a->list[i], max, out);
	html_table_end(out);
	html_filled(out, "p", p->lang, M_TOTALS_NOTE, caption_across(&a->question, p->lang), caption_unit(&a->question, p->lang));
	if (a->question.fell_back)
		html_message(out, "p", p->lang, M_FELL_BACK);
	if (a->scanners[0]) {
		struct buf text = buf_make(TEXT_MAX);

		caption_scanners(a, p->lang, &text);
		html_text(out, "p", buf_cstr(&text));
		buf_release(&text);
	}
}

void html_top_links(const struct page *p, const struct answer *a, struct buf *out)
{
	buf_str(out, "<p class=\"links\">");
	question_link(out, p, a, "/api/v1/top.csv", "", "CSV");
	question_link(out, p, a, "/api/v1/top", "", "JSON");
	buf_str(out, "</p>\n");
}
