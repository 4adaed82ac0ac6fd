/* trial: what a simulator of observations wrote into a folder, read for judging the statistics: never the truth beside it. */
#ifndef TEITEN_TRIAL_H
#define TEITEN_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum { TRIAL_SENSORS_MAX = 4096, TRIAL_LABEL_MAX = 16 };

/* Hours of ports: a line of obs.csv, and of net.csv, in order of port and hour, with which both begin. */
struct trial_at { uint32_t port, hour; };
struct trial_seen { struct trial_at at; uint32_t sources; uint64_t packets; uint16_t sensor; };
struct trial_net { struct trial_at at; uint32_t sources, new_sources; uint64_t top_packets; };
/* A line of a value simulator's obs.csv and status.csv. */
struct trial_day { uint32_t day; uint16_t sensor; double packets, addresses, coverage; };

struct trial {
	bool by_day;                    /* of the value simulator: one port, days */
	char (*ports)[TRIAL_LABEL_MAX]; size_t ports_len, ports_cap;    /* "tcp/445" */
	char (*sensors)[TRIAL_LABEL_MAX]; size_t sensors_len, sensors_cap;
	struct trial_seen *seen; size_t seen_len, seen_cap;
	struct trial_net *net; size_t net_len, net_cap;
	struct trial_up { uint16_t sensor; uint32_t from, until; } *up; size_t up_len, up_cap;
	struct trial_day *days; size_t days_len, days_cap;              /* in order of day and sensor */
	uint32_t hours, days_n;         /* how long */
};

/* obs.csv, status.csv and, of hours, net.csv. */
bool trial_read(struct trial *t, const char *dir, struct err *e);
void trial_release(struct trial *t);

#endif
