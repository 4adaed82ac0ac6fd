#include "cmd/trial.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 8, HOURS_MAX = 24 * 366 * 20 };

/* A line's fields, and where it stands, for errors. */
struct line { char *field[FIELDS_MAX]; const char *file; size_t number; };
typedef bool line_fn(struct trial *t, const struct line *l, struct err *e);

static bool whole(const struct line *l, unsigned field, uint64_t max, uint64_t *out, struct err *e)
{
	if (num_whole(l->field[field], 0, max, out))
		return true;
	err_set(e, "%s: line %zu: %.40s is no whole number up to %" PRIu64, l->file, l->number, l->field[field], max);
	return false;
}

static bool real(const struct line *l, unsigned field, double *out, struct err *e)
{
	return (num_real(l->field[field], out) && *out >= 0) || err_set(e, "%s: line %zu: %.40s is no number", l->file, l->number, l->field[field]);
}

/* A name's place in a list; names come in runs, so the last one is looked at first. */
static bool place_of(char (**list)[TRIAL_LABEL_MAX], size_t *len, size_t *cap, const char *name, const struct line *l, size_t *place, struct err *e)
{
	if (strlen(name) >= TRIAL_LABEL_MAX)
		return err_set(e, "%s: line %zu: %.20s... is too long for a name", l->file, l->number, name);
	for (size_t i = *len; i-- > 0; )
		if (!strcmp((*list)[i], name)) {
			*place = i;
			return true;
		}
	MEM_GROW(*list, *len, *cap);
	memcpy((*list)[*len], name, strlen(name) + 1);
	*place = (*len)++;
	return true;
}

static bool sensor_of(struct trial *t, const struct line *l, const char *name, uint16_t *sensor, struct err *e)
{
	size_t place;

	if (!place_of(&t->sensors, &t->sensors_len, &t->sensors_cap, name, l, &place, e))
		return false;
	if (place >= TRIAL_SENSORS_MAX)
		return err_set(e, "%s: line %zu: more than %d sensors", l->file, l->number, TRIAL_SENSORS_MAX);
	*sensor = (uint16_t)place;
	return true;
}

static bool port_of(struct trial *t, const struct line *l, unsigned field, uint32_t *port, struct err *e)
{
	char name[2 * TRIAL_LABEL_MAX];
	size_t place;

	(void)snprintf(name, sizeof name, "%.8s/%.8s", l->field[field], l->field[field + 1]);
	if (!place_of(&t->ports, &t->ports_len, &t->ports_cap, name, l, &place, e))
		return false;
	*port = (uint32_t)place;
	return true;
}

static bool take_seen(struct trial *t, const struct line *l, struct err *e)
{
	struct trial_seen s = { 0 };
	uint64_t hour, sources;

	if (!whole(l, 0, HOURS_MAX, &hour, e) || !sensor_of(t, l, l->field[1], &s.sensor, e) || !port_of(t, l, 2, &s.at.port, e) ||
		!whole(l, 4, UINT64_MAX / 2, &s.packets, e) || !whole(l, 5, UINT32_MAX, &sources, e))
		return false;
	s.at.hour = (uint32_t)hour;
	s.sources = (uint32_t)sources;
	MEM_GROW(t->seen, t->seen_len, t->seen_cap);
	t->seen[t->seen_len++] = s;
	return true;
}

static bool take_net(struct trial *t, const struct line *l, struct err *e)
{
	struct trial_net n = { 0 };
	uint64_t hour, sources, fresh;

	if (!whole(l, 0, HOURS_MAX, &hour, e) || !port_of(t, l, 1, &n.at.port, e) || !whole(l, 3, UINT32_MAX, &sources, e) ||
		!whole(l, 4, UINT32_MAX, &fresh, e) || !whole(l, 5, UINT64_MAX / 2, &n.top_packets, e))
		return false;
	n.at.hour = (uint32_t)hour;
	n.sources = (uint32_t)sources;
	n.new_sources = (uint32_t)fresh;
	MEM_GROW(t->net, t->net_len, t->net_cap);
	t->net[t->net_len++] = n;
	return true;
}

static bool take_up(struct trial *t, const struct line *l, struct err *e)
{
	struct trial_up u = { 0 };
	uint64_t from, until;

	if (!sensor_of(t, l, l->field[0], &u.sensor, e) || !whole(l, 1, HOURS_MAX, &from, e) || !whole(l, 2, HOURS_MAX, &until, e))
		return false;
	u.from = (uint32_t)from;
	u.until = (uint32_t)until;
	t->hours = u.until > t->hours ? u.until : t->hours;
	MEM_GROW(t->up, t->up_len, t->up_cap);
	t->up[t->up_len++] = u;
	return true;
}

static bool take_day(struct trial *t, const struct line *l, struct err *e)
{
	struct trial_day d = { 0 };
	uint64_t day;

	if (!whole(l, 0, HOURS_MAX / 24, &day, e) || !sensor_of(t, l, l->field[1], &d.sensor, e) || !real(l, 2, &d.packets, e))
		return false;
	d.day = (uint32_t)day;
	t->days_n = d.day + 1 > t->days_n ? d.day + 1 : t->days_n;
	MEM_GROW(t->days, t->days_len, t->days_cap);
	t->days[t->days_len++] = d;
	return true;
}

/* Lines of status.csv stand in the order of those of obs.csv, or are looked for. */
static bool take_status(struct trial *t, const struct line *l, struct err *e)
{
	uint64_t day;
	uint16_t sensor;

	if (!whole(l, 0, HOURS_MAX / 24, &day, e) || !sensor_of(t, l, l->field[1], &sensor, e))
		return false;
	size_t at = l->number - 2;
	if (at >= t->days_len || t->days[at].day != day || t->days[at].sensor != sensor)
		for (at = 0; at < t->days_len && (t->days[at].day != day || t->days[at].sensor != sensor); at++)
			;
	if (at == t->days_len)
		return err_set(e, "%s: line %zu: obs.csv has no such day and sensor", l->file, l->number);
	return real(l, 2, &t->days[at].addresses, e) && real(l, 3, &t->days[at].coverage, e);
}

static unsigned split(char *text, struct line *l)
{
	unsigned n = 0;

	text[strcspn(text, "\r\n")] = '\0';
	for (char *at = text; at && n < FIELDS_MAX; n++) {
		l->field[n] = at;
		at = strchr(at, ',');
		if (at)
			*at++ = '\0';
	}
	return n;
}

static bool take_lines(struct trial *t, FILE *f, const char *name, unsigned fields, line_fn *take, struct err *e)
{
	struct line l = { .file = name };
	char *text = NULL;
	size_t cap = 0;
	bool ok = true;

	while (ok && getline(&text, &cap, f) > 0) {
		l.number++;
		unsigned n = split(text, &l);
		if (n != fields)
			ok = err_set(e, "%s: line %zu has %u fields, not %u", name, l.number, n, fields);
		else if (l.number > 1)
			ok = take(t, &l, e);
	}
	free(text);
	return ok && (l.number > 0 || err_set(e, "%s is empty", name));
}

static bool read_lines(struct trial *t, const char *dir, const char *name, unsigned fields, line_fn *take, struct err *e)
{
	char path[PATH_TEXT_MAX];
	FILE *f;

	if (!file_path(path, dir, name, e))
		return false;
	if (!(f = fopen(path, "re")))
		return err_errno(e, "cannot read %s", name);
	bool ok = take_lines(t, f, name, fields, take, e);
	(void)fclose(f);
	return ok;
}

static int by_port_and_hour(const void *a, const void *b)
{
	const struct trial_at *x = a, *y = b;

	return x->port != y->port ? (x->port < y->port ? -1 : 1) : x->hour < y->hour ? -1 : x->hour > y->hour;
}

static int day_order(const void *a, const void *b)
{
	const struct trial_day *x = a, *y = b;

	return x->day != y->day ? (x->day < y->day ? -1 : 1) : x->sensor < y->sensor ? -1 : x->sensor > y->sensor;
}

/* Which of the two simulators wrote it shows in the head of its observations. */
static bool is_by_day(const char *dir, bool *by_day, struct err *e)
{
	char path[PATH_TEXT_MAX], head[256] = "";
	FILE *f;

	if (!file_path(path, dir, "obs.csv", e))
		return false;
	if (!(f = fopen(path, "re")))
		return err_errno(e, "cannot read obs.csv");
	(void)!fgets(head, sizeof head, f);
	(void)fclose(f);
	*by_day = !strncmp(head, "day,sensor,packets", 18);
	if (*by_day || !strncmp(head, "time_hour,sensor,proto,dport,packets,distinct_sources", 53))
		return true;
	err_set(e, "obs.csv begins with columns of no simulator");
	return err_expected(e, "time_hour,sensor,proto,dport,packets,distinct_sources or day,sensor,packets");
}

static bool read_all(struct trial *t, const char *dir, struct err *e)
{
	if (!is_by_day(dir, &t->by_day, e))
		return false;
	if (t->by_day)
		return read_lines(t, dir, "obs.csv", 3, take_day, e) && read_lines(t, dir, "status.csv", 4, take_status, e);
	return read_lines(t, dir, "status.csv", 3, take_up, e) && read_lines(t, dir, "obs.csv", 6, take_seen, e) &&
		read_lines(t, dir, "net.csv", 6, take_net, e);
}

bool trial_read(struct trial *t, const char *dir, struct err *e)
{
	*t = (struct trial){ 0 };
	if (!read_all(t, dir, e)) {
		trial_release(t);
		return err_in(e, "%s", dir);
	}
	if (t->seen_len)
		qsort(t->seen, t->seen_len, sizeof *t->seen, by_port_and_hour);
	if (t->net_len)
		qsort(t->net, t->net_len, sizeof *t->net, by_port_and_hour);
	if (t->days_len)
		qsort(t->days, t->days_len, sizeof *t->days, day_order);
	return true;
}

void trial_release(struct trial *t)
{
	free(t->ports);
	free(t->sensors);
	free(t->seen);
	free(t->net);
	free(t->up);
	free(t->days);
	*t = (struct trial){ 0 };
}
