#include "web/aside.h"
#include "web/pages.h"

#include "base/err.h"
#include "base/num.h"
#include "core/tuple.h"
#include "publish/caption.h"
#include "publish/markup.h"
#include "web/surges.h"
#include "web/visit.h"

enum { TOP_PORTS = 5, TOP_REGIONS = 10, TITLE_MAX = 512 };

extern const char asset_style[];

static const char html_type[] = "text/html; charset=utf-8";

void page_begin(struct visit *v, const struct page *p, unsigned status)
{
	v->reply->status = status;
	v->reply->type = html_type;
	html_begin(p, &v->reply->body);
}

/* A page that says one thing; what stands below it is written by the caller. */
static void begin_notice(struct visit *v, const struct page *p, unsigned status, enum message title, enum message text)
{
	page_begin(v, p, status);
	html_message(&v->reply->body, "h1", v->lang, title);
	html_message(&v->reply->body, "p", v->lang, text);
}

static void end_notice(struct visit *v, const struct page *p)
{
	buf_printf(&v->reply->body, "<p><a href=\"/%s/\">%s</a></p>\n", lang_code(v->lang), message(v->lang, M_BACK_HOME));
	html_end(p, &v->reply->body);
}

/* What may stand for a key of the question, in the reader's language. */
static enum message expected_of(const char *key)
{
	static const struct { const char *key; enum message message; } list[] = {
		{ "each", M_ASK_EACH }, { "step", M_ASK_STEP }, { "across", M_ASK_ACROSS }, { "per", M_ASK_PER }, { "top", M_ASK_TOP },
		{ "last", M_ASK_LAST }, { "from", M_ASK_SPAN }, { "until", M_ASK_SPAN }, { "proto", M_ASK_PROTO }, { "port", M_ASK_PORT },
		{ "kind", M_ASK_KIND }, { "mark", M_ASK_MARK }, { "sensor", M_ASK_SENSOR }, { "region", M_ASK_REGION },
		{ "source", M_ASK_SOURCE }, { "without", M_ASK_WITHOUT }, { "scanners", M_ASK_SCANNERS },
	};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (!strcmp(list[i].key, key))
			return list[i].message;
	return M_ASK_KEYS;
}

void page_not_found(struct visit *v)
{
	struct page p = visit_page(v, NULL, message(v->lang, M_NOT_FOUND));

	begin_notice(v, &p, 404, M_NOT_FOUND, M_NOT_FOUND_TEXT);
	end_notice(v, &p);
}

void page_wrong(struct visit *v, const struct err *e)
{
	struct page p = visit_page(v, NULL, message(v->lang, M_BAD_QUESTION));
	enum message expected = expected_of(e->where);

	begin_notice(v, &p, 400, M_BAD_QUESTION, M_BAD_QUESTION_TEXT);
	if (expected != M_ASK_KEYS)
		html_filled(&v->reply->body, "p", v->lang, M_BAD_KEY, e->where, "");
	html_filled(&v->reply->body, "p", v->lang, M_EXPECTED, message(v->lang, expected), "");
	end_notice(v, &p);
}

void page_unavailable(struct visit *v)
{
	struct page p = visit_page(v, NULL, message(v->lang, M_UNAVAILABLE));

	p.facts = NULL;
	buf_clear(&v->reply->body);
	page_begin(v, &p, 503);
	html_message(&v->reply->body, "h1", v->lang, M_UNAVAILABLE);
	html_message(&v->reply->body, "p", v->lang, M_UNAVAILABLE_TEXT);
	html_end(&p, &v->reply->body);
}

void page_root(struct visit *v)
{
	v->reply->status = 302;
	(void)snprintf(v->reply->location, sizeof v->reply->location, "/%s/", lang_code(v->lang));
}

void page_style(struct visit *v)
{
	v->reply->type = "text/css; charset=utf-8";
	buf_str(&v->reply->body, asset_style);
}

/* A fixed point on a grid. */
void page_icon(struct visit *v)
{
	v->reply->type = "image/svg+xml; charset=utf-8";
	buf_str(&v->reply->body, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\">"
		"<rect width=\"32\" height=\"32\" rx=\"6\" fill=\"#0072B2\"/><path d=\"M16 4v24M4 16h24\" stroke=\"#fff\" "
		"stroke-width=\"2\"/><circle cx=\"16\" cy=\"16\" r=\"6\" fill=\"#fff\"/></svg>\n");
}

/* A part of a page that needs an answer; false: a page that says why has taken the reply's place. */
static bool ask(struct visit *v, struct question *q, struct answer *a)
{
	struct err e = { 0 };

	switch (visit_ask(v, q, a, &e)) {
	case ASKED: return true;
	case WRONG:
		buf_clear(&v->reply->body);
		page_wrong(v, &e);
		return false;
	default:
		page_unavailable(v);
		return false;
	}
}

static bool set(struct question *q, const char *last, enum step step)
{
	struct err e;

	q->step = step;
	return question_set(q, "last", last, &e);
}

/* A figure and its ranking, or for a question without steps the ranking alone. */
bool page_figure(struct visit *v, const struct page *p, struct question q, unsigned number)
{
	struct answer a = { 0 };
	struct bands bands = { NULL, 0 };
	struct err e;
	bool ok = false;
	struct buf title = buf_make(TITLE_MAX);
	struct buf *out = &v->reply->body;

	if (!ask(v, &q, &a))
		return false;
	if (!visit_bands(v, &a, &bands, &e)) {
		page_unavailable(v);
		goto out;
	}
	caption_title(&q, &v->facts.zone, v->lang, &title);
	if (q.step == STEP_ALL)
		html_text(out, "h2", buf_cstr(&title));
	else
		html_figure(p, &a, bands, number, out);
	if (a.len)
		html_top(p, &a, buf_cstr(&title), out);
	if (q.step == STEP_ALL)
		html_top_links(p, &a, out);
	ok = true;
out:
	free(bands.list);
	buf_release(&title);
	answer_release(&a);
	return ok;
}

/* A ranking over three months under a heading of its own. */
static bool ranking(struct visit *v, const struct page *p, struct question q, const char *heading)
{
	struct answer a = { 0 };
	struct buf *out = &v->reply->body;

	q.step = STEP_ALL;
	if (!ask(v, &q, &a))
		return false;
	html_text(out, "h2", heading);
	if (q.each == EACH_REGION)
		html_message(out, "p", v->lang, M_NOT_ATTACKERS_PLACE);
	if (q.each == EACH_SENSOR) {
		char saw[NUM_TEXT_MAX], all[NUM_TEXT_MAX];

		html_filled(out, "p", v->lang, M_PORT_SENSORS_COUNT, num_grouped(a.len, saw), num_grouped(a.sensors, all));
	}
	html_top(p, &a, heading, out);
	html_top_links(p, &a, out);
	answer_release(&a);
	return true;
}

struct choice { const char *value; enum message words; };

static const struct choice spans[] = {
	{ "1w", M_LAST_WEEK }, { "1mo", M_LAST_MONTH }, { "3mo", M_LAST_MONTHS }, { "1y", M_LAST_YEAR }, { NULL, M_SHOW },
};
static const struct choice steps[] = {
	{ "hour", M_BY_HOUR }, { "day", M_BY_DAY }, { "week", M_BY_WEEK }, { "month", M_BY_MONTH }, { NULL, M_SHOW },
};
static const struct choice acrosses[] = {
	{ "robust", M_ACROSS_IS_ROBUST }, { "mean", M_ACROSS_IS_MEAN }, { "median", M_ACROSS_IS_MEDIAN }, { "sum", M_ACROSS_IS_SUM }, { NULL, M_SHOW },
};
static const struct choice pers[] = {
	{ "address", M_PER_IS_ADDRESS }, { "sensor", M_PER_IS_SENSOR }, { NULL, M_SHOW },
};

static const struct choice scanners[] = {
	{ "all", M_ANY_SCANNERS }, { "without", M_WITHOUT_SCANNERS }, { "only", M_ONLY_SCANNERS }, { NULL, M_SHOW },
};

static void choose(struct buf *out, enum lang l, const char *key, enum message label, const struct choice *list,
	const char *chosen)
{
	buf_printf(out, "<label for=\"choose-%s\">", key);
	markup_text(out, message(l, label));
	buf_printf(out, "</label> <select id=\"choose-%s\" name=\"%s\">", key, key);
	for (; list->value; list++) {
		buf_printf(out, "<option value=\"%s\"%s>", list->value, !strcmp(list->value, chosen) ? " selected" : "");
		/* the digits are the value's own: "3mo" is three months */
		struct buf text = buf_make(TITLE_MAX);
		message_fill(&text, l, list->words, "3", "");
		markup_text(out, buf_cstr(&text));
		buf_release(&text);
		buf_str(out, "</option>");
	}
	buf_str(out, "</select>\n");
}

static void form_begin(struct visit *v, const char *path)
{
	buf_printf(&v->reply->body, "<form method=\"get\" action=\"/%s/%s\">\n<fieldset><legend>", lang_code(v->lang), path);
	markup_text(&v->reply->body, message(v->lang, M_CHOOSE));
	buf_str(&v->reply->body, "</legend>\n");
}

static void form_end(struct visit *v)
{
	buf_str(&v->reply->body, "<button>");
	markup_text(&v->reply->body, message(v->lang, M_SHOW));
	buf_str(&v->reply->body, "</button>\n</fieldset>\n</form>\n");
}

/* Offered where somebody is listed. */
static bool may_free(const struct visit *v)
{
	return strcmp(v->facts.scanners, "none") != 0;
}

static void choose_scanners(struct visit *v, const struct question *q)
{
	choose(&v->reply->body, v->lang, "scanners", M_CHOOSE_SCANNERS, scanners, q->scanners[0] ? q->scanners : "all");
}

static void form(struct visit *v, const struct question *q)
{
	struct buf *out = &v->reply->body;
	enum lang l = v->lang;

	form_begin(v, "");
	choose(out, l, "last", M_CHOOSE_SPAN, spans, q->last);
	choose(out, l, "step", M_CHOOSE_STEP, steps, step_name(q->step));
	choose(out, l, "across", M_CHOOSE_ACROSS, acrosses, across_name(q->across));
	choose(out, l, "per", M_CHOOSE_PER, pers, per_name(q->per));
	if (may_free(v))
		choose_scanners(v, q);
	form_end(v);
}

static void empty(struct visit *v)
{
	struct page p = visit_page(v, "", NULL);
	struct buf *out = &v->reply->body;

	page_begin(v, &p, 200);
	html_message(out, "h1", v->lang, M_EMPTY_TITLE);
	html_message(out, "p", v->lang, M_EMPTY_HOW);
	buf_str(out, "<pre><code>teiten import --sensor NAME capture.pcap.gz</code></pre>\n");
	html_message(out, "p", v->lang, M_EMPTY_HELP);
	buf_str(out, "<pre><code>teiten import --help</code></pre>\n");
	html_message(out, "p", v->lang, M_EMPTY_RELOAD);
	html_end(&p, out);
}

/* Whether the query asks for more than another measure of the usual figures. */
static bool asks_for_one(const struct visit *v)
{
	static const char *const keys[] = { "each", "step", "top", "last", "from", "until", "proto", "port", "kind", "mark",
		"sensor", "region", "source" };
	char text[128];

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (visit_value(v, keys[i], text, sizeof text))
			return true;
	return false;
}

static void home_figures(struct visit *v, const struct page *p, struct question q)
{
	struct buf heading = buf_make(TITLE_MAX);
	struct question year = q;

	message_fill(&heading, v->lang, M_REGIONS_TOP, "10", "");
	(void)set(&q, "3mo", STEP_DAY);
	(void)set(&year, "1y", STEP_WEEK);
	if (page_figure(v, p, q, 1) && page_figure(v, p, year, 2)) {
		q.each = EACH_REGION;
		q.top = TOP_REGIONS;
		q.step = STEP_ALL;
		buf_clear(&heading);
		caption_title(&q, &v->facts.zone, v->lang, &heading);
		if (ranking(v, p, q, buf_cstr(&heading)))
			html_end(p, &v->reply->body);
	}
	buf_release(&heading);
}

void page_home(struct visit *v)
{
	struct page p = visit_page(v, "", NULL);
	struct buf *out = &v->reply->body;
	struct question q;
	struct err e;

	question_init(&q);
	q.each = EACH_PORT;
	q.top = TOP_PORTS;
	if (!question_parse(&q, v->request->query, NULL, &e)) {
		page_wrong(v, &e);
		return;
	}
	if (span_empty(v->facts.held)) {
		empty(v);
		return;
	}
	page_begin(v, &p, 200);
	html_text(out, "h1", v->site->name[v->lang]);
	html_message(out, "p", v->lang, M_TAGLINE);
	html_message(out, "p", v->lang, M_INTRO);
	if (!surges_on_top(v, &p))
		return;
	form(v, &q);
	if (!asks_for_one(v))
		home_figures(v, &p, q);
	else if (page_figure(v, &p, q, 1))
		html_end(&p, out);
}

/* "1433-tcp" → port 1433 of TCP. */
static bool port_of(const struct visit *v, struct question *q)
{
	char label[VISIT_PART_MAX];
	char *dash;
	struct err e;

	(void)snprintf(label, sizeof label, "%s", v->part);
	dash = strchr(label, '-');
	if (!dash)
		return false;
	*dash = '/';
	return question_set(q, "port", label, &e);
}

static bool set_aside(struct visit *v, struct question q)
{
	struct err e;

	if (question_settle(&q, &v->facts.zone, v->facts.held, &e) && aside_table(v, &q, &e))
		return true;
	page_unavailable(v);
	return false;
}

static void port_parts(struct visit *v, const struct page *p, struct question q)
{
	struct buf heading = buf_make(TITLE_MAX);
	struct question year = q, of = q;
	bool ok;

	(void)set(&q, "3mo", STEP_DAY);
	(void)set(&year, "1y", STEP_WEEK);
	(void)set(&of, "3mo", STEP_ALL);
	ok = page_figure(v, p, q, 1) && page_figure(v, p, year, 2);
	of.each = EACH_REGION;
	of.top = TOP_REGIONS;
	message_fill(&heading, v->lang, M_PORT_REGIONS, "10", "");
	ok = ok && ranking(v, p, of, buf_cstr(&heading));
	of.each = EACH_SENSOR;
	of.top = 0;
	ok = ok && ranking(v, p, of, message(v->lang, M_PORT_SENSORS)) && set_aside(v, q);
	if (ok)
		html_end(p, &v->reply->body);
	buf_release(&heading);
}

/* Its figures are what they are, of all packets or of some: keys that would make others of them are not heard. */
static const char *const not_of_a_port[] = { "each", "step", "top", "last", "from", "until", "proto", "port", "sensor", "region", "source", NULL };

void page_port(struct visit *v)
{
	char path[VISIT_PART_MAX + 8], label[PORT_LABEL_MAX], title[TITLE_MAX];
	struct buf text = buf_make(TITLE_MAX);
	struct question q;
	struct err e;

	question_init(&q);
	if (!port_of(v, &q)) {
		page_not_found(v);
		return;
	}
	if (!question_parse(&q, v->request->query, not_of_a_port, &e)) {
		page_wrong(v, &e);
		return;
	}
	if (span_empty(v->facts.held)) {
		empty(v);
		return;
	}
	(void)port_label((unsigned)q.proto, (unsigned)q.port, label);
	message_fill(&text, v->lang, M_PORT_PAGE, label, "");
	(void)snprintf(title, sizeof title, "%s", buf_cstr(&text));
	buf_release(&text);
	(void)snprintf(path, sizeof path, "ports/%s", v->part);
	struct page p = visit_page(v, path, title);
	page_begin(v, &p, 200);
	html_text(&v->reply->body, "h1", title);
	if (may_free(v)) {
		form_begin(v, path);
		choose_scanners(v, &q);
		form_end(v);
	}
	port_parts(v, &p, q);
}

void page_about(struct visit *v)
{
	static const enum message values[] = { M_ABOUT_PLAIN, M_ABOUT_PERIOD, M_ABOUT_HATCH, M_ABOUT_ICMP, M_NOT_ATTACKERS_PLACE };
	struct page p = visit_page(v, "about", message(v->lang, M_ABOUT));
	struct buf *out = &v->reply->body;

	page_begin(v, &p, 200);
	html_message(out, "h1", v->lang, M_ABOUT);
	html_message(out, "p", v->lang, M_INTRO);
	html_message(out, "h2", v->lang, M_ABOUT_VALUES);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		html_message(out, "p", v->lang, values[i]);
	html_message(out, "h2", v->lang, M_ABOUT_DATA);
	html_message(out, "p", v->lang, M_ABOUT_API);
	buf_str(out, "<pre tabindex=\"0\"><code>/api/v1/top?each=port&amp;last=3mo\n/api/v1/top.csv?each=region&amp;last=1y\n"
		"/api/v1/series?each=port&amp;step=day&amp;top=5&amp;last=3mo\n"
		"/api/v1/series?port=1433/tcp&amp;each=nothing&amp;step=week&amp;last=1y\n"
		"/figure.svg?each=port&amp;step=week&amp;last=1y&amp;lang=en&amp;w=960</code></pre>\n");
	html_end(&p, out);
}
