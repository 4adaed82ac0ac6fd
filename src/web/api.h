/* api: the same answers for programs: JSON, CSV and the figure as a file (doc/api.md). */
#ifndef TEITEN_API_H
#define TEITEN_API_H

struct visit;

void api_top(struct visit *v);
void api_top_csv(struct visit *v);
void api_series(struct visit *v);
void api_series_csv(struct visit *v);
void api_surges(struct visit *v);
void api_surge(struct visit *v);
void api_figure(struct visit *v);
void api_not_found(struct visit *v);
void api_unavailable(struct visit *v);

#endif
