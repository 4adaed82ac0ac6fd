/* logline: a line that a Linux firewall logged (iptables, nftables, UFW: the kernel's LOG format) → packet, or why not.
 *
 * Lines may begin with a syslog time ("Mar 17 00:00:54", which has no year) or an ISO 8601 one, then the host. The year
 * is that of the first line; a month that is up to three before the last line's is a straggler's, every other one comes
 * after it, in the next year where it must (so a log may be silent for up to nine months). A field counts where it stands
 * first: the second LEN of a line is UDP's, an ICMP error's quoted packet stands in brackets behind. */
#ifndef TEITEN_LOGLINE_H
#define TEITEN_LOGLINE_H

#include "capture/refusal.h"
#include "core/batch.h"

struct packet;
struct zone;

struct logclock {
	const struct zone *zone;        /* of times that name none; borrowed */
	int year;                       /* of the line before; 0: not known */
	int month;                      /* of the line before; 0: none yet */
	bool zone_heeded, year_heeded;  /* whether a line's time depended on them */
};

/* Fills out and the host's name (cut to its room). REFUSAL_NONE: counted. */
enum refusal logline_read(struct logclock *clock, const char *text, struct packet *out, char host[SENSOR_NAME_MAX + 1]);
/* Whether a text has what such a line has. */
bool logline_seems(const char *text);

#endif
