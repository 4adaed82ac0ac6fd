/* routes: which path leads where. One table; nothing else knows paths. */
#ifndef TEITEN_ROUTES_H
#define TEITEN_ROUTES_H

struct request;
struct reply;

/* An http_fn over a struct site. */
void routes_serve(void *site, const struct request *rq, struct reply *rp);

#endif
