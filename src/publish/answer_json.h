/* answer_json: an answer as JSON (RFC 8259), the same bytes for `--json` and the API; doc/api.md gives the shapes. Pure.
 *
 * Times are RFC 3339 with the zone's offset, NAN is null, every text ends in a newline. */
#ifndef TEITEN_ANSWER_JSON_H
#define TEITEN_ANSWER_JSON_H

struct answer;
struct buf;
struct err;
struct zone;

void answer_top_json(const struct answer *a, const struct zone *z, struct buf *out);            /* the table */
void answer_series_json(const struct answer *a, const struct zone *z, struct buf *out);         /* the steps */
void error_json(const struct err *e, struct buf *out);

#endif
