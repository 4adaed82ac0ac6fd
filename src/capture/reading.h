/* reading: how packets are to be read: what is ours, when we looked, what options say where rows do not. The same for all
 * files of one import, and for a sensor while it runs. */
#ifndef TEITEN_READING_H
#define TEITEN_READING_H

#include "capture/refusal.h"
#include "core/addr.h"
#include "core/batch.h"
#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csv_map;
struct err;
struct packet;
struct zone;

enum format { FORMAT_UNKNOWN, FORMAT_PCAP, FORMAT_LOG, FORMAT_CSV };
enum { WATCHED_MAX = 1024 };

struct reading {
	enum format format;                     /* UNKNOWN: by the first bytes */
	const struct csv_map *map;              /* NULL: columns by our own names */
	const struct zone *zone;                /* of times that say none */
	char sensor[SENSOR_NAME_MAX];           /* of rows that do not say: a valid name, or "" for none */
	int year;                               /* of log lines without one; 0 not given */
	unsigned proto;                         /* of CSV rows that do not say; 0 none */
	struct prefix watched[WATCHED_MAX]; size_t watched_len;         /* 0: every direction counts */
	struct { uint64_t hi, lo, mask_hi, mask_lo; } masked[WATCHED_MAX];      /* the same, as they are compared */
	struct span looked;                     /* rows outside are refused; empty: all times */
	int64_t latest_s;                       /* later rows are refused; 0: no limit */
};

const char *format_name(enum format f);                                 /* "pcap", "log", "csv" */
bool format_parse(const char *text, enum format *out);
/* "192.0.2.0/24,2001:db8::/32": sorted, each once. */
bool reading_watch(struct reading *r, const char *text, struct err *e);
bool reading_watches(const struct reading *r, const struct addr *a);    /* whether it is ours; all are where none are named */
/* Whether a time can be: not before 1990, not in the future. */
enum refusal reading_judge_time(const struct reading *r, int64_t time_s);
/* What holds for packets of every format: times, direction. */
enum refusal reading_judge(const struct reading *r, const struct packet *p);

#endif
