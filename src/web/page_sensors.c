#include "web/pages.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "link/liveness.h"
#include "publish/markup.h"
#include "web/visit.h"

static const enum message states[] = { M_STATE_IMPORTED, M_STATE_CAPTURING, M_STATE_SILENT, M_STATE_OUTAGE, M_STATE_NEVER, M_STATE_RETIRED };

static void last_cell(struct visit *v, struct span watched, struct buf *out)
{
	if (span_empty(watched)) {
		html_text(out, "td", "-");
		return;
	}
	buf_str(out, "<td>");
	html_time(out, &v->facts.zone, watched.until, true);
	buf_str(out, "</td>");
}

/* Who should be watching has watched nothing since its last minute, too. */
static void coverage_cell(enum liveness state, struct span watched, uint64_t watched_s, minute_t now, struct buf *out)
{
	bool owes = state == LIVE_CAPTURING || state == LIVE_SILENT || state == LIVE_OUTAGE;
	minute_t until = owes && now > watched.until ? now : watched.until;
	char text[32] = "-";

	if (!span_empty(watched))
		(void)snprintf(text, sizeof text, "%.1f %%", (double)watched_s / (60. * (until - watched.from)) * 100);
	html_number(out, text);
}

static void row(struct visit *v, const struct sensor *s, enum liveness state, struct span watched, uint64_t watched_s, minute_t now)
{
	struct buf *out = &v->reply->body;
	char text[NUM_TEXT_MAX];

	buf_str(out, "<tr><th scope=\"row\">");
	markup_text(out, s->name);
	buf_str(out, "</th>");
	html_message(out, "td", v->lang, states[state]);
	last_cell(v, watched, out);
	coverage_cell(state, watched, watched_s, now, out);
	html_number(out, num_grouped(s->addresses, text));
	html_text(out, "td", s->group[0] ? s->group : "-");
	html_text(out, "td", s->region[0] ? s->region : "-");
	buf_str(out, "</tr>\n");
}

/* Those that the store knows, and then those that may deliver and have not. */
static void rows(struct visit *v, const struct enrolled *all)
{
	minute_t now = (minute_t)(clock_wall_s() / 60);
	const struct facts *f = &v->facts;

	for (size_t i = 0; i < f->len; i++)
		row(v, &f->sensors[i], liveness_of(enrolled_find(all, f->sensors[i].name), f->watched[i], now), f->watched[i], f->watched_s[i], now);
	for (size_t i = 0; i < all->len; i++) {
		const struct enrolment *one = &all->list[i];
		struct sensor s = { .addresses = one->addresses };

		if (facts_sensor(f, one->name) < f->len)
			continue;
		memcpy(s.name, one->name, sizeof s.name);
		memcpy(s.group, one->group, sizeof s.group);
		row(v, &s, liveness_of(one, (struct span){ 0, 0 }, now), (struct span){ 0, 0 }, 0, now);
	}
}

void page_sensors(struct visit *v)
{
	static const enum message heads[] = { M_SENSORS, M_SENSOR_STATE, M_SENSOR_LAST, M_SENSOR_COVERAGE, M_SENSOR_ADDRESSES, M_SENSOR_GROUP, M_SENSOR_REGION };
	struct page p = visit_page(v, "sensors", message(v->lang, M_SENSORS));
	struct buf *out = &v->reply->body;
	struct enrolled all = { 0 };
	struct err e;

	/* a list with a mistake is told by those who let in; here it is as if there were none */
	if (v->site->enrolled && !enrolled_read(&all, v->site->enrolled, &e))
		all = (struct enrolled){ 0 };
	page_begin(v, &p, 200);
	html_message(out, "h1", v->lang, M_SENSORS);
	html_message(out, "p", v->lang, M_SENSORS_PAGE_TEXT);
	if (v->facts.len + all.len == 0) {
		html_message(out, "p", v->lang, M_NO_SENSORS);
	} else {
		html_table_begin(out, message(v->lang, M_SENSORS));
		buf_str(out, "<thead><tr>");
		for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
			html_column(out, heads[i] == M_SENSOR_COVERAGE || heads[i] == M_SENSOR_ADDRESSES ? "n" : NULL, message(v->lang, heads[i]));
		buf_str(out, "</tr></thead>\n<tbody>\n");
		rows(v, &all);
		html_table_end(out);
	}
	html_end(&p, out);
	enrolled_release(&all);
}
