#include "cmd/imported.h"

#include "base/bytes.h"
#include "base/json.h"
#include "base/num.h"
#include "capture/tally.h"
#include "core/calendar.h"

#include <inttypes.h>

enum { NAMES_SHOWN = 12 };

/* The line or frame on which a reason was first met is said in the file's own terms. */
static const char *place_name(const struct imported *f)
{
	return !strcmp(f->row_name, "packets") ? "frame" : "line";
}

static void rows_text(const struct imported *f, struct buf *out)
{
	const struct account *a = &f->account;
	char read[NUM_TEXT_MAX], counted[NUM_TEXT_MAX], n[NUM_TEXT_MAX];

	buf_printf(out, "  %-9s %s read, %s counted", f->row_name, num_grouped(a->read, read),
		num_grouped(a->counted, counted));
	if (a->packets != a->counted)
		buf_printf(out, " (%s packets)", num_grouped(a->packets, n));
	buf_printf(out, ", %s refused\n", num_grouped(account_refused(a), n));
	for (unsigned r = 0; r < REFUSALS; r++)
		if (a->refused[r])
			buf_printf(out, "  refused   %s: %s (first: %s %" PRIu64 ")\n", num_grouped(a->refused[r], n),
				refusal_text((enum refusal)r), place_name(f), a->first[r]);
}

static void errors_text(const struct imported *f, struct buf *out)
{
	char errors[NUM_TEXT_MAX], foreign[NUM_TEXT_MAX];

	if (f->account.errors && f->watched_given)
		buf_printf(out, "  errors    %s ICMP errors, of which %s quote no packet of a watched address\n",
			num_grouped(f->account.errors, errors), num_grouped(f->account.foreign, foreign));
}

static void gaps_text(const struct imported *f, const struct zone *zone, struct buf *out)
{
	struct span gaps[GAPS_SHOWN];
	size_t all, n = account_gaps(&f->account, gaps, &all);
	char from[CALENDAR_TEXT_MAX], until[CALENDAR_TEXT_MAX];

	if (n == 0)
		buf_printf(out, "  gaps      none of an hour or more without any packet\n");
	else
		buf_printf(out, "  gaps      %zu of an hour or more without any packet%s\n", all, all > n ? "; the longest:" : ":");
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "            %s to %s (%u h %02u min)\n", calendar_rfc3339(zone, gaps[i].from, from),
			calendar_rfc3339(zone, gaps[i].until, until), span_minutes(gaps[i]) / 60, span_minutes(gaps[i]) % 60);
}

static void sensors_text(const struct imported *f, struct buf *out)
{
	size_t n = tally_sensors(f->tally);
	bool by_host = f->names_sensors && !strcmp(f->format, "log");

	buf_printf(out, "  sensors   %zu:", n);
	for (size_t i = 0; i < n && i < NAMES_SHOWN; i++)
		buf_printf(out, "%s %s", i ? "," : "", tally_sensor_name(f->tally, i));
	buf_printf(out, "%s%s\n", n > NAMES_SHOWN ? " ..." : "", by_host ? " (the host that logged; --sensor says otherwise)" : "");
}

static void stored_text(const struct imported *f, struct buf *out)
{
	char tuples[NUM_TEXT_MAX], batches[NUM_TEXT_MAX];

	if (f->dry)
		buf_printf(out, "  stored    nothing: a dry run\n");
	else if (f->batches == 0)
		buf_printf(out, "  stored    nothing\n");
	else if (f->known >= f->batches)
		buf_printf(out, "  stored    already imported: nothing changed\n");
	else
		buf_printf(out, "  stored    %s tuple%s in %s batch%s%s\n", num_grouped(f->tuples, tuples), f->tuples == 1 ? "" : "s",
			num_grouped(f->batches, batches), f->batches == 1 ? "" : "es",
			f->known ? "; the rest of an import that was begun before" : "");
}

void imported_text(const struct imported *f, const struct zone *zone, struct buf *out)
{
	char from[CALENDAR_TEXT_MAX], until[CALENDAR_TEXT_MAX];

	if (f->refused)
		return;
	buf_printf(out, "%s: %s, %s\n", f->path, f->format, f->compression);
	rows_text(f, out);
	errors_text(f, out);
	if (!span_empty(f->account.span)) {
		buf_printf(out, "  span      %s to %s\n", calendar_rfc3339(zone, f->account.span.from, from),
			calendar_rfc3339(zone, f->account.span.until, until));
		sensors_text(f, out);
		gaps_text(f, zone, out);
	}
	if (f->looked_given)
		buf_printf(out, "  looking   every sensor from %s to %s, as --looked says\n",
			calendar_rfc3339(zone, f->looked.from, from), calendar_rfc3339(zone, f->looked.until, until));
	else if (!span_empty(f->looked))
		buf_printf(out, "  looking   assumed: every sensor, from the file's first to its last minute "
			"(--looked says otherwise)\n");
	if (!f->watched_given)
		buf_printf(out, "  direction every direction counts (--watched says which addresses are ours)\n");
	stored_text(f, out);
}

static void refused_json(const struct imported *f, struct json *j)
{
	json_array(j, "refused");
	for (unsigned r = 0; r < REFUSALS; r++) {
		if (!f->account.refused[r])
			continue;
		json_object(j, NULL);
		json_string(j, "reason", refusal_name((enum refusal)r));
		json_string(j, "text", refusal_text((enum refusal)r));
		json_whole(j, "rows", f->account.refused[r]);
		json_whole(j, "first", f->account.first[r]);
		json_end_object(j);
	}
	json_end_array(j);
}

static void span_json(struct json *j, const char *key, const struct zone *zone, struct span s)
{
	char text[CALENDAR_TEXT_MAX];

	if (key && span_empty(s)) {
		json_null(j, key);
		return;
	}
	json_object(j, key);
	json_string(j, "from", calendar_rfc3339(zone, s.from, text));
	json_string(j, "until", calendar_rfc3339(zone, s.until, text));
	json_end_object(j);
}

static void gaps_json(const struct imported *f, const struct zone *zone, struct json *j)
{
	struct span gaps[GAPS_SHOWN];
	size_t all, n = account_gaps(&f->account, gaps, &all);

	json_whole(j, "gaps_found", all);
	json_array(j, "gaps");
	for (size_t i = 0; i < n; i++)
		span_json(j, NULL, zone, gaps[i]);
	json_end_array(j);
}

static void counts_json(const struct imported *f, const struct zone *zone, struct json *j)
{
	char epoch[NUM_TEXT_MAX];

	(void)snprintf(epoch, sizeof epoch, "%016" PRIx64, f->epoch);
	json_string(j, "epoch", epoch);
	json_string(j, "rows_are", f->row_name);
	json_whole(j, "read", f->account.read);
	json_whole(j, "counted", f->account.counted);
	json_whole(j, "packets", f->account.packets);
	refused_json(f, j);
	json_whole(j, "icmp_errors", f->account.errors);
	json_whole(j, "icmp_errors_foreign", f->account.foreign);
	span_json(j, "span", zone, f->account.span);
	gaps_json(f, zone, j);
	json_array(j, "sensors");
	for (size_t i = 0; f->tally && i < tally_sensors(f->tally); i++)
		json_string(j, NULL, tally_sensor_name(f->tally, i));
	json_end_array(j);
	span_json(j, "looked", zone, f->looked);
	json_bool(j, "looked_assumed", !f->looked_given);
	json_bool(j, "every_direction", !f->watched_given);
	json_whole(j, "tuples", f->tuples);
	json_whole(j, "batches", f->batches);
	json_whole(j, "batches_known", f->known);
	json_bool(j, "already_imported", !f->dry && f->batches > 0 && f->known >= f->batches);
}

void imported_json(const struct imported *f, const struct zone *zone, struct json *j)
{
	char why[ERR_TEXT_MAX];

	json_object(j, NULL);
	json_string(j, "file", f->path);
	json_string(j, "status", f->refused ? "refused" : f->broke_off ? "broke-off" : "done");
	json_string(j, "error", f->refused || f->broke_off ? err_text(&f->why, why) : NULL);
	json_string(j, "format", f->format);
	json_string(j, "compression", f->compression);
	if (f->row_name)
		counts_json(f, zone, j);
	json_end_object(j);
}
