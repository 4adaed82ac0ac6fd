/* html: the frame of a page and the pieces that pages are made of: figures with their captions, tables. Pure.
 *
 * Everything works without scripts; nothing comes from elsewhere; no inline styles (the Content-Security-Policy allows
 * none). Text from outside is escaped here. */
#ifndef TEITEN_HTML_H
#define TEITEN_HTML_H

#include "publish/messages.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answer;
struct buf;
struct facts;
struct surge_revision;
struct zone;

struct page {
	enum lang lang;
	const char *site;               /* the observatory's name in that language */
	const char *title;              /* of this page; NULL on the home page */
	const char *path;               /* behind the language: "" or "ports/1433-tcp"; NULL: no place (an error) */
	const char *query;              /* as sent: kept when the language is switched */
	const char *version;            /* of the program; may be empty */
	const struct facts *facts;      /* NULL: the store did not answer */
	bool archive;                   /* the newest data are old: the page says so */
};

void html_begin(const struct page *p, struct buf *out);
void html_end(const struct page *p, struct buf *out);

/* An element with a message in it, or with text from outside. */
void html_message(struct buf *out, const char *tag, enum lang l, enum message m);
void html_filled(struct buf *out, const char *tag, enum lang l, enum message m, const char *first, const char *second);
void html_text(struct buf *out, const char *tag, const char *text);

/* A table that may be wider than the screen: it scrolls in its own box, also by keyboard. Between begin and end stand a thead and an open
 * tbody. */
void html_table_begin(struct buf *out, const char *name);
void html_table_end(struct buf *out);
void html_column(struct buf *out, const char *class, const char *text);         /* a heading; class may be NULL, "n" for numbers */
void html_number(struct buf *out, const char *text);                            /* a cell */

/* A date, or date and time of day, on the zone's clock. */
void html_time(struct buf *out, const struct zone *z, minute_t at, bool minutes);

/* The surges that a figure shows as bands; none for one that does not show one port. */
struct bands { struct surge_revision *list; size_t len; };

/* A figure: title, picture wide and narrow, caption, its bands and the values as tables, links to SVG, CSV, JSON and to itself.
 * number is its place in the page, from 1. */
void html_figure(const struct page *p, const struct answer *a, struct bands b, unsigned number, struct buf *out);
/* A link to a surge's page; level, class and so on stand elsewhere. */
void html_surge_link(const struct page *p, const struct surge_revision *s, struct buf *out);
/* The ranking table of an answer, ports linked to their pages. heading names it for those who cannot see it. */
void html_top(const struct page *p, const struct answer *a, const char *heading, struct buf *out);
/* Links to an answer's CSV and JSON as a table (/api/v1/top). */
void html_top_links(const struct page *p, const struct answer *a, struct buf *out);
/* "1433/tcp" as the last part of a path and back: "1433-tcp". */
void html_port_path(struct buf *out, const char *label);

#endif
