#include "publish/chart.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/zone.h"
#include "core/series.h"
#include "publish/axis.h"
#include "publish/caption.h"
#include "publish/markup.h"
#include "publish/surge_words.h"
#include "publish/svg.h"

#include <assert.h>
#include <math.h>

enum { WIDE_FROM = 600, LINE_MAX = 1024 };

#define INK "#1f2933"
#define QUIET "#52606d"
#define GRID "#e4e7eb"
#define AXIS "#7b8794"
#define BAND "#fdf0d9"
#define BAND_EDGE "#b87a00"
#define BAND_TEXT "#7a4f00"
#define FONTS "'Helvetica Neue', Arial, 'Hiragino Sans', 'Noto Sans JP', IPAexGothic, sans-serif"

/* Okabe-Ito, the amber darkened to 3:1 on white; text gets darker twins above 4.5:1. The dash tells lines apart without
 * colour and in print. */
static const struct pen { const char *line, *text, *dash; } pens[CHART_SERIES_MAX] = {
	{ "#0072B2", "#0072B2", NULL }, { "#D55E00", "#B34700", "8 3" }, { "#009E73", "#00735A", "2 2.5" },
	{ "#CC79A7", "#A5517F", "10 3 2 3" }, { "#B87A00", "#8A5A00", "5 2" }, { "#767676", "#595959", "1.5 3.5" },
	{ "#0072B2", "#0072B2", "12 3 2 3 2 3" }, { "#D55E00", "#B34700", "3 3" },
};

/* Where things stand in this one picture. */
struct layout {
	const struct chart *chart;
	const struct answer *a;
	bool wide, gaps;
	double surge_row;               /* height of the row of surges' names that stands above that of gaps; 0 unless there are both */
	double size, title_size;        /* of small text, of the title */
	double x0, x1, y0, y1;          /* plot: y0 is value 0, y1 the top */
	double width, height;
	size_t drawn;                   /* series */
	struct value_axis values;
	double legend_column;           /* narrow: width of one legend column */
	size_t legend_columns;
};

static minute_t step_end(const struct answer *a, size_t i)
{
	return i + 1 < a->steps ? a->times[i + 1] : a->question.span.until;
}

static double at_time(const struct layout *l, double minute)
{
	struct span s = l->a->question.span;

	return l->x0 + (minute - s.from) / (double)(s.until - s.from) * (l->x1 - l->x0);
}

static double step_middle(const struct layout *l, size_t i)
{
	return at_time(l, ((double)l->a->times[i] + step_end(l->a, i)) / 2);
}

static double at_value(const struct layout *l, double v)
{
	return l->y0 + v / l->values.top * (l->y1 - l->y0);
}

/* Text over several lines; returns the y below the last. */
static double paragraph(struct buf *out, struct svg_text t, double width, double leading, const char *text)
{
	char line[LINE_MAX];

	while (*text) {
		size_t next, n = svg_fit(text, t.size, width, &next);

		(void)snprintf(line, sizeof line, "%.*s", (int)(n < LINE_MAX ? n : LINE_MAX - 1), text);
		svg_text(out, &t, line);
		t.y += leading;
		text += next;
	}
	return t.y;
}

static double title_height(const struct layout *l)
{
	struct buf title = buf_make(LINE_MAX);
	double height = 0;

	if (l->chart->alone)
		caption_title(&l->a->question, l->chart->zone, l->chart->lang, &title);
	for (const char *text = buf_cstr(&title); *text; height += l->title_size + 5) {
		size_t next;

		(void)svg_fit(text, l->title_size, l->width - 24, &next);
		text += next;
	}
	buf_release(&title);
	return height;
}

static double label_width(const struct layout *l)
{
	double width = 0;

	for (size_t i = 0; i < l->drawn; i++)
		width = fmax(width, svg_width(l->a->list[i].label, l->size));
	return width;
}

static double peak(const struct layout *l)
{
	double max = 0;

	for (size_t i = 0; i < l->drawn; i++)
		for (size_t k = 0; k < l->a->steps; k++)
			max = fmax(max, l->a->list[i].values[k]);
	return max;
}

static double tick_width(const struct layout *l)
{
	char text[NUM_TEXT_MAX];
	double width = 0;

	for (unsigned i = 0; i * l->values.step <= l->values.top * (1 + 1e-9); i++) {
		value_axis_text(&l->values, i * l->values.step, text);
		width = fmax(width, svg_width(text, l->size));
	}
	return width;
}

static void basis_line(const struct layout *l, struct buf *out)
{
	char count[NUM_TEXT_MAX];

	caption_basis(l->a, l->chart->zone, l->chart->lang, out);
	if (l->drawn < l->a->len) {
		buf_str(out, message(l->chart->lang, M_LIST_COMMA));
		message_fill(out, l->chart->lang, M_DRAWN_FIRST, num_grouped(l->drawn, count), "");
	}
}

static struct layout lay_out(const struct chart *c)
{
	struct layout l = { .chart = c, .a = c->answer, .wide = c->width >= WIDE_FROM, .width = c->width };
	double labels;

	l.size = l.wide ? 13 : 12;
	l.title_size = l.wide ? 18 : 15;
	l.drawn = l.a->len < CHART_SERIES_MAX ? l.a->len : CHART_SERIES_MAX;
	for (size_t i = 0; i < l.a->steps; i++)
		l.gaps = l.gaps || l.a->looked[i] == 0;
	for (size_t i = 0; l.gaps && i < c->surges_len; i++)
		if (!span_empty(surge_span(&c->surges[i].row, l.a->question.span)))
			l.surge_row = l.size + 5;
	l.values = value_axis(peak(&l), l.wide ? 5 : 4);
	labels = label_width(&l);
	l.x0 = 12 + tick_width(&l) + 8;
	l.x1 = l.wide ? l.width - fmin(52 + labels, l.width / 3) - 8 : l.width - 12;
	l.y1 = 12 + title_height(&l) + l.size + 24 + l.surge_row;
	l.y0 = l.y1 + (l.wide ? 270 : 200);
	l.legend_column = fmin(40 + labels + 14, l.width - 24);
	l.legend_columns = (size_t)fmax(1, floor((l.width - 24) / l.legend_column));
	return l;
}

static void group(struct buf *out, const char *class)
{
	buf_str(out, "<g");
	markup_attribute(out, "class", class);
	buf_str(out, ">\n");
}

static void draw_values(const struct layout *l, struct buf *out)
{
	char text[NUM_TEXT_MAX];

	group(out, "values");
	for (unsigned i = 0; i * l->values.step <= l->values.top * (1 + 1e-9); i++) {
		double v = i * l->values.step, y = at_value(l, v);
		struct svg_text t = { l->x0 - 8, y + l->size * .36, l->size, QUIET, SVG_END };

		svg_line(out, l->x0, y, l->x1, y, i ? GRID : AXIS);
		value_axis_text(&l->values, v, text);
		svg_text(out, &t, text);
	}
	buf_str(out, "</g>\n");
}

/* Labels in the order of time; one that would run into the one before it is left out, its tick stays. */
static void draw_times(const struct layout *l, struct buf *out)
{
	struct time_axis *axis = mem_zero(1, sizeof *axis);
	double free_from = 0;

	time_axis(axis, l->a->question.span, l->chart->zone, l->chart->lang, (unsigned)((l->x1 - l->x0) / (l->wide ? 52 : 46)));
	group(out, "times");
	for (size_t i = 0; i < axis->len; i++) {
		const struct time_tick *tick = &axis->list[i];
		double x = at_time(l, tick->at), half = svg_width(tick->text, l->size) / 2;
		/* the first and last label may not leave the picture */
		double middle = fmin(fmax(x, half + 4), l->width - half - 4);
		struct svg_text t = { middle, l->y0 + l->size + 9, l->size, QUIET, SVG_MIDDLE };

		svg_line(out, x, l->y0, x, l->y0 + 5, AXIS);
		if (middle - half < free_from)
			continue;
		svg_text(out, &t, tick->text);
		free_from = middle + half + 6;
	}
	buf_str(out, "</g>\n");
	free(axis);
}

static void hatch_box(const struct layout *l, double from, double until, struct buf *out)
{
	/* a gap of minutes in a year must still be seen */
	double wide = fmax(until - from, 2.5);

	buf_str(out, "<rect x=\"");
	svg_number(out, from);
	buf_str(out, "\" y=\"");
	svg_number(out, l->y1);
	buf_str(out, "\" width=\"");
	svg_number(out, wide);
	buf_str(out, "\" height=\"");
	svg_number(out, l->y0 - l->y1);
	buf_printf(out, "\" fill=\"url(#%s-hatch)\"/>\n", l->chart->id);
}

static void draw_unobserved(const struct layout *l, struct buf *out)
{
	const struct answer *a = l->a;
	double said_until = -1;

	if (!l->gaps)
		return;
	group(out, "unobserved");
	for (size_t i = 0, end; i < a->steps; i = end) {
		end = i + 1;
		if (a->looked[i])
			continue;
		while (end < a->steps && a->looked[end] == 0)
			end++;
		double from = at_time(l, a->times[i]), until = at_time(l, step_end(a, end - 1));
		const char *words = message(l->chart->lang, M_UNOBSERVED);
		double half = svg_width(words, l->size) / 2, middle = (from + until) / 2;
		struct svg_text t = { middle, l->y1 - 6, l->size, QUIET, SVG_MIDDLE };

		hatch_box(l, from, until, out);
		t.x = fmin(fmax(middle, l->x0 + half), l->x1 - half);
		if (t.x - half > said_until) {
			svg_text(out, &t, words);
			said_until = t.x + half + 8;
		}
	}
	buf_str(out, "</g>\n");
}

static void box(double x, double y, double width, double height, const char *fill, struct buf *out)
{
	buf_str(out, "<rect x=\"");
	svg_number(out, x);
	buf_str(out, "\" y=\"");
	svg_number(out, y);
	buf_str(out, "\" width=\"");
	svg_number(out, width);
	buf_str(out, "\" height=\"");
	svg_number(out, height);
	buf_printf(out, "\" fill=\"%s\"/>", fill);
}

/* The band, and along its top a bar that is seen in print too: of a watch a thin one. */
static void draw_band(const struct layout *l, const struct surge_revision *s, const char *label, double from, double until, struct buf *out)
{
	double wide = fmax(until - from, 2.5);
	char id[SURGE_ID_MAX];

	buf_str(out, "<g class=\"surge\"");
	markup_attribute(out, "data-id", surge_id(&s->row, id));
	buf_str(out, "><title>");
	markup_text(out, label);
	buf_str(out, "</title>");
	box(from, l->y1, wide, l->y0 - l->y1, BAND, out);
	box(from, l->y1, wide, s->row.alarm ? 4 : 1.5, BAND_EDGE, out);
	buf_str(out, "</g>\n");
}

static void draw_surges(const struct layout *l, struct buf *out)
{
	struct buf label = buf_make(LINE_MAX);
	double said_until = -1;

	for (size_t i = 0; i < l->chart->surges_len; i++) {
		const struct surge_revision *s = &l->chart->surges[i];
		struct span span = surge_span(&s->row, l->a->question.span);

		if (span_empty(span))
			continue;
		double from = at_time(l, span.from), until = at_time(l, span.until);
		buf_clear(&label);
		surge_label(s, l->chart->lang, &label);
		draw_band(l, s, buf_cstr(&label), from, until, out);
		double half = svg_width(buf_cstr(&label), l->size) / 2;
		struct svg_text t = { fmin(fmax((from + until) / 2, l->x0 + half), l->x1 - half), l->y1 - 6 - l->surge_row, l->size, BAND_TEXT, SVG_MIDDLE };
		if (t.x - half > said_until && t.x - half >= 4) {
			svg_text(out, &t, buf_cstr(&label));
			said_until = t.x + half + 8;
		}
	}
	buf_release(&label);
}

static void stroke(struct buf *out, const struct pen *p, double width)
{
	buf_printf(out, " fill=\"none\" stroke=\"%s\" stroke-width=\"%g\" stroke-linejoin=\"round\"", p->line, width);
	if (p->dash)
		buf_printf(out, " stroke-dasharray=\"%s\"", p->dash);
	else
		buf_str(out, " stroke-linecap=\"round\"");
}

static void point(const struct layout *l, char command, double x, double v, struct buf *out)
{
	buf_u8(out, (uint8_t)command);
	svg_number(out, x);
	buf_u8(out, ',');
	svg_number(out, at_value(l, v));
}

static void draw_path(const struct layout *l, const struct series *s, struct buf *out)
{
	bool joined = false;

	buf_str(out, "<path d=\"");
	for (size_t i = 0; i < l->a->steps; i++) {
		if (!isnan(s->values[i]))
			point(l, joined ? 'L' : 'M', step_middle(l, i), s->values[i], out);
		joined = !isnan(s->values[i]);
	}
	buf_u8(out, '"');
}

/* A value between two gaps has no line to show it. */
static void draw_dots(const struct layout *l, const struct series *s, const char *colour, struct buf *out)
{
	for (size_t i = 0; i < l->a->steps; i++) {
		bool before = i && !isnan(s->values[i - 1]), after = i + 1 < l->a->steps && !isnan(s->values[i + 1]);

		if (!isnan(s->values[i]) && !before && !after)
			buf_printf(out, "<circle cx=\"%.2f\" cy=\"%.2f\" r=\"2\" fill=\"%s\"/>", step_middle(l, i),
				at_value(l, s->values[i]), colour);
	}
}

static void draw_series(const struct layout *l, size_t index, struct buf *out)
{
	const struct series *s = &l->a->list[index];

	buf_str(out, "<g class=\"series\"");
	markup_attribute(out, "data-label", s->label);
	buf_u8(out, '>');
	draw_path(l, s, out);
	stroke(out, &pens[index], l->wide ? 1.8 : 1.6);
	buf_str(out, "/>");
	draw_dots(l, s, pens[index].line, out);
	buf_str(out, "</g>\n");
}

/* A line's label, where the line ends and where the label may stand. */
struct tag { size_t index; double x, end, y; };

static int higher_first(const void *a, const void *b)
{
	const struct tag *x = a, *y = b;

	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

static void find_end(const struct layout *l, struct tag *t)
{
	const double *values = l->a->list[t->index].values;
	size_t i = l->a->steps;

	while (i && isnan(values[i - 1]))
		i--;
	t->x = i ? step_middle(l, i - 1) : l->x1;
	t->end = i ? at_value(l, values[i - 1]) : l->y0;
	t->y = t->end;
}

/* Pushes labels apart from the top down, then back up from the bottom of the plot. */
static void spread(struct tag *tags, size_t n, double gap, double bottom)
{
	for (size_t i = 1; i < n; i++)
		tags[i].y = fmax(tags[i].y, tags[i - 1].y + gap);
	for (size_t i = n; i-- > 0; bottom -= gap) {
		if (tags[i].y <= bottom)
			break;
		tags[i].y = bottom;
	}
}

static void draw_tag(const struct layout *l, const struct tag *t, struct buf *out)
{
	const struct pen *p = &pens[t->index];
	struct svg_text label = { l->x1 + 44, t->y + l->size * .36, l->size, p->text, SVG_START };

	buf_printf(out, "<path d=\"M%.2f,%.2fL%.2f,%.2f\" fill=\"none\" stroke=\"%s\" stroke-width=\".7\" stroke-opacity=\".6\"/>",
		t->x, t->end, l->x1 + 12, t->y, p->line);
	buf_printf(out, "<path d=\"M%.2f,%.2fh26\"", l->x1 + 14, t->y);
	stroke(out, p, 2);
	buf_str(out, "/>");
	svg_text(out, &label, l->a->list[t->index].label);
}

static void draw_tags(const struct layout *l, struct buf *out)
{
	struct tag tags[CHART_SERIES_MAX] = { 0 };

	for (size_t i = 0; i < l->drawn; i++) {
		tags[i].index = i;
		find_end(l, &tags[i]);
	}
	qsort(tags, l->drawn, sizeof *tags, higher_first);
	spread(tags, l->drawn, l->size + 4, l->y0 - 2);
	group(out, "labels");
	for (size_t i = 0; i < l->drawn; i++)
		draw_tag(l, &tags[i], out);
	buf_str(out, "</g>\n");
}

/* Under the plot, for narrow pictures; returns the y below it. */
static double draw_legend(const struct layout *l, double y, struct buf *out)
{
	group(out, "labels");
	for (size_t i = 0; i < l->drawn; i++) {
		double x = 12 + l->legend_column * (double)(i % l->legend_columns);
		double at = y + (l->size + 7) * (double)(i / l->legend_columns);
		struct svg_text label = { x + 36, at, l->size, pens[i].text, SVG_START };

		buf_printf(out, "<path d=\"M%.2f,%.2fh28\"", x, at - l->size * .36);
		stroke(out, &pens[i], 2);
		buf_str(out, "/>");
		svg_text(out, &label, l->a->list[i].label);
	}
	buf_str(out, "</g>\n");
	return y + (l->size + 7) * (double)((l->drawn + l->legend_columns - 1) / l->legend_columns);
}

static void draw_head(const struct layout *l, struct buf *out)
{
	const struct question *q = &l->a->question;
	struct svg_text title = { 12, 10 + l->title_size, l->title_size, INK, SVG_START };
	/* the unit stands over its axis, where it can be read without turning the head */
	struct svg_text unit = { 12, l->y1 - 22 - l->surge_row, l->size, QUIET, SVG_START };
	struct buf text = buf_make(LINE_MAX);

	if (l->chart->alone) {
		caption_title(q, l->chart->zone, l->chart->lang, &text);
		(void)paragraph(out, title, l->width - 24, l->title_size + 5, buf_cstr(&text));
	}
	svg_text(out, &unit, caption_unit(q, l->chart->lang));
	buf_release(&text);
}

/* Axis words, legend, basis and source; returns the picture's height. */
static double draw_foot(const struct layout *l, struct buf *out)
{
	enum lang lang = l->chart->lang;
	struct svg_text t = { l->x1, l->y0 + 2 * l->size + 15, l->size, QUIET, SVG_END };
	struct buf text = buf_make(LINE_MAX);

	message_fill(&text, lang, l->a->question.step <= STEP_HOUR ? M_AXIS_TIME : M_AXIS_DATE, message_zone(l->chart->zone), "");
	svg_text(out, &t, buf_cstr(&text));
	buf_clear(&text);
	t.x = 12;
	t.anchor = SVG_START;
	t.y += l->size + 9;
	if (!l->wide)
		t.y = draw_legend(l, t.y + 2, out) + 2;
	if (l->chart->alone) {
		basis_line(l, &text);
		t.y = paragraph(out, t, l->width - 24, l->size + 5, buf_cstr(&text));
		buf_clear(&text);
		message_fill(&text, lang, M_SOURCE_LINE, l->chart->source, "");
		t.y = paragraph(out, t, l->width - 24, l->size + 5, buf_cstr(&text));
	}
	buf_release(&text);
	return t.y - l->size + 6;
}

static void describe_surges(const struct layout *l, struct buf *out)
{
	const struct chart *c = l->chart;
	size_t said = 0;

	for (size_t i = 0; i < c->surges_len; i++) {
		if (span_empty(surge_span(&c->surges[i].row, l->a->question.span)))
			continue;
		buf_printf(out, " %s", said++ ? "" : message(c->lang, M_SURGE_IN_FIGURE));
		buf_str(out, said == 1 ? ": " : "");
		surge_label(&c->surges[i], c->lang, out);
		buf_str(out, ".");
	}
}

static void describe(const struct layout *l, struct buf *out)
{
	const struct chart *c = l->chart;
	struct buf text = buf_make(4 * LINE_MAX);
	char number[NUM_TEXT_MAX];

	caption_title(&l->a->question, c->zone, c->lang, &text);
	buf_printf(out, "<title id=\"%s-title\">", c->id);
	markup_text(out, buf_cstr(&text));
	buf_printf(out, "</title>\n<desc id=\"%s-desc\">", c->id);
	buf_clear(&text);
	message_fill(&text, c->lang, M_CHART_DESCRIPTION, caption_unit(&l->a->question, c->lang), message_zone(c->zone));
	for (size_t i = 0; i < l->drawn; i++) {
		double max = NAN;

		for (size_t k = 0; k < l->a->steps; k++)
			max = fmax(max, l->a->list[i].values[k]);
		if (isnan(max))
			continue;
		buf_u8(&text, ' ');
		message_fill(&text, c->lang, M_CHART_PEAK, l->a->list[i].label, num_human(max, number));
	}
	describe_surges(l, &text);
	markup_text(out, buf_cstr(&text));
	buf_str(out, "</desc>\n");
	buf_release(&text);
}

static void open_root(const struct layout *l, struct buf *out)
{
	const struct chart *c = l->chart;
	struct span s = l->a->question.span;
	char top[NUM_TEXT_MAX];

	buf_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\"",
		l->width, l->height, l->width, l->height);
	buf_printf(out, " role=\"img\" lang=\"%s\" aria-labelledby=\"%s-title\" aria-describedby=\"%s-desc\"", lang_code(c->lang),
		c->id, c->id);
	buf_printf(out, " data-x0=\"%.2f\" data-x1=\"%.2f\" data-y0=\"%.2f\" data-y1=\"%.2f\"", l->x0, l->x1, l->y0, l->y1);
	buf_printf(out, " data-t0=\"%u\" data-t1=\"%u\" data-v1=\"%s\"", s.from, s.until, num_shortest(l->values.top, top));
	buf_str(out, " font-family=\"" FONTS "\">\n");
}

static void define_hatch(const struct layout *l, struct buf *out)
{
	buf_printf(out, "<defs><pattern id=\"%s-hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
		"patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"#f5f7fa\"/>"
		"<line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\" stroke=\"#9aa5b1\" stroke-width=\"1.6\"/></pattern></defs>\n", l->chart->id);
}

void chart_svg(const struct chart *c, struct buf *out)
{
	assert(c->answer->steps > 0 && c->width >= CHART_WIDTH_MIN && c->width <= CHART_WIDTH_MAX);
	struct layout l = lay_out(c);
	struct buf body = buf_make(out->max);

	draw_head(&l, &body);
	draw_surges(&l, &body);
	draw_values(&l, &body);
	draw_unobserved(&l, &body);
	draw_times(&l, &body);
	for (size_t i = l.drawn; i-- > 0;)      /* the first on top */
		draw_series(&l, i, &body);
	if (l.wide)
		draw_tags(&l, &body);
	l.height = ceil(draw_foot(&l, &body));
	open_root(&l, out);
	describe(&l, out);
	define_hatch(&l, out);
	buf_printf(out, "<rect width=\"%.0f\" height=\"%.0f\" fill=\"#ffffff\"/>\n", l.width, l.height);
	buf_bytes(out, body.at, body.len);
	out->ok = out->ok && body.ok;
	buf_str(out, "</svg>\n");
	buf_release(&body);
}
