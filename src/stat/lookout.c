#include "stat/lookout.h"

#include <math.h>

void lookout_init(struct lookout *l, const struct roster *r)
{
	streams_init(&l->streams, r);
	tracker_init(&l->tracker);
}

void lookout_release(struct lookout *l)
{
	streams_release(&l->streams);
}

enum tracked lookout_hour(struct lookout *l, const struct roster *r, const struct sighting *seen, size_t n, double new_sources, double alarm_r,
	struct score *score)
{
	struct streams *s = &l->streams;
	int64_t today = r->hour / DAY_HOURS;

	for (int64_t d = today - STREAM_DAYS + 1; r->closed_day && d < today; d++)
		if (d >= 0)
			streams_leave_out(s, d, tracker_leaves_out(&l->tracker, d, today));
	streams_hour(s, r, seen, n, new_sources);
	score_hour(s, r, SCORE_LEAST, NULL, score);
	bool over = score->r >= alarm_r, may = over && r->hour >= COLD_HOURS && r->enrolled > 2 && !roster_unsettled(r) && score_gate(s, r);
	return tracker_hour(&l->tracker, r->hour, s->v_now, s->v.mu_now, r->masked, over, may);
}
