/* source: the rows of one file, whatever its format: each a packet that can be counted, or the reason why not. It knows
 * the formats and the options that change what rows mean; counting is tally's and account's affair. */
#ifndef TEITEN_SOURCE_H
#define TEITEN_SOURCE_H

#include "capture/csvfile.h"
#include "capture/packet.h"
#include "capture/reading.h"
#include "capture/refusal.h"

struct account;
struct digest;
struct err;
struct intake;
struct source;
struct zone;

struct row_read {
	struct packet packet;                   /* when not refused */
	enum refusal refusal;
	uint64_t line;                          /* or the frame's number */
	const char *sensor;                     /* a valid name, until the next call */
};

enum source_next { SOURCE_ROW, SOURCE_END, SOURCE_BROKEN };

/* in and r are borrowed. NULL: not what it seems, or not with these options; then *wrong_use tells whether options are
 * missing, rather than the file being wrong. */
struct source *source_open(struct intake *in, const struct reading *r, bool *wrong_use, struct err *e);
void source_close(struct source *s);                                    /* NULL is fine */
/* The next row of a log or CSV. SOURCE_BROKEN: the file breaks off here, or (when nothing was read before) is refused; e
 * says why. */
enum source_next source_next(struct source *s, struct row_read *out, struct err *e);
/* Adds to a digest of the file's bytes what changed the meaning of the rows so far: an option that no row heeded does not
 * make another file of it. */
void source_digest(const struct source *s, struct digest *d);
/* The same for captures, several at once: refused frames go into the account, packets into out (up to max, which are
 * counted); SOURCE_END and SOURCE_BROKEN may come with some. Their sensor is the reading's. */
enum source_next source_packets(struct source *s, struct packet *out, size_t max, size_t *n, struct account *a, struct err *e);
enum format source_format(const struct source *s);
const char *source_format_name(const struct source *s);                 /* "pcapng" too */
bool source_names_sensors(const struct source *s);                      /* rows say their sensor, at least some */
const char *source_row_name(const struct source *s);                    /* "packets", "lines", "rows" */
/* Fills e with the link type that was met and is not read. */
void source_link_refused(const struct source *s, struct err *e);

#endif
