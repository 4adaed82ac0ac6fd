/* pages: the HTML that people read. Each writes the reply of its visit. */
#ifndef TEITEN_PAGES_H
#define TEITEN_PAGES_H

#include <stdbool.h>

struct err;
struct page;
struct visit;

/* The reply becomes an HTML page of that status, up to its content. */
void page_begin(struct visit *v, const struct page *p, unsigned status);
/* A figure with its bands and its ranking, or for a question without steps the ranking alone. False: a page that says why has taken the reply's
 * place. */
struct question;
bool page_figure(struct visit *v, const struct page *p, struct question q, unsigned number);

void page_root(struct visit *v);                /* to the language of the path, or that the browser prefers */
void page_home(struct visit *v);                /* both figures; with a question in the query, that one */
void page_port(struct visit *v);
void page_surges(struct visit *v);
void page_surge(struct visit *v);
void page_sensors(struct visit *v);
void page_about(struct visit *v);
void page_not_found(struct visit *v);
void page_wrong(struct visit *v, const struct err *e);
void page_unavailable(struct visit *v);
void page_style(struct visit *v);
void page_icon(struct visit *v);

#endif
