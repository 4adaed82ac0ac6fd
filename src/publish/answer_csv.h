/* answer_csv: an answer as CSV (RFC 4180, CRLF): one header line that names the units, an empty field for NAN. Pure. */
#ifndef TEITEN_ANSWER_CSV_H
#define TEITEN_ANSWER_CSV_H

struct answer;
struct buf;
struct zone;

/* One row a label: from, until, rank, previous rank, label, value, plain mean, packets, sources, sensors. */
void answer_top_csv(const struct answer *a, const struct zone *z, struct buf *out);
/* One row a step: time, sensors that looked, one column a label; with the plain mean of each beside it where the value
 * is another. */
void answer_series_csv(const struct answer *a, const struct zone *z, struct buf *out);

#endif
