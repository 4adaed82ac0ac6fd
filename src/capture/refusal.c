#include "capture/refusal.h"

#include <assert.h>

static const struct { const char *name, *text; } refusals[REFUSALS] = {
	[REFUSAL_NONE] = { "counted", "counted" },
	[REFUSAL_CUT] = { "cut", "captured too short for its headers" },
	[REFUSAL_NOT_IP] = { "not-ip", "not IP (ARP, spanning tree and the like)" },
	[REFUSAL_IP_HEADER] = { "ip-header", "the IP header is not sound" },
	[REFUSAL_FRAGMENT] = { "fragment", "a later fragment, which has no ports" },
	[REFUSAL_PROTO] = { "proto", "neither TCP, UDP nor the ICMP of its IP version" },
	[REFUSAL_LINK] = { "link", "from an interface whose link type is not read" },
	[REFUSAL_NO_TIME] = { "no-time", "without a time" },
	[REFUSAL_TOO_LONG] = { "too-long", "longer than a row may be" },
	[REFUSAL_NOT_FIREWALL] = { "not-firewall", "not a firewall's line (no SRC=)" },
	[REFUSAL_LINE_CUT] = { "line-cut", "the line is cut short" },
	[REFUSAL_AUDIT] = { "audit", "an audit line, which tells a packet a second time" },
	[REFUSAL_LEAVING] = { "leaving", "sent by the machine itself" },
	[REFUSAL_COLUMNS] = { "columns", "another number of columns than the header" },
	[REFUSAL_BAD_TIME] = { "bad-time", "the time is missing or not understood" },
	[REFUSAL_NO_YEAR] = { "no-year", "the time has no year (--year says it)" },
	[REFUSAL_BAD_SOURCE] = { "bad-source", "the source is missing or not an address" },
	[REFUSAL_BAD_DESTINATION] = { "bad-destination", "the destination is not an address" },
	[REFUSAL_NO_PROTO] = { "no-proto", "does not say its protocol (--proto says it)" },
	[REFUSAL_NO_PORT] = { "no-port", "has no destination port" },
	[REFUSAL_BAD_PORT] = { "bad-port", "a port that is none" },
	[REFUSAL_NO_TYPE] = { "no-type", "ICMP without its type" },
	[REFUSAL_BAD_FIELD] = { "bad-field", "flags, type, count, size or TTL not understood" },
	[REFUSAL_NO_SENSOR] = { "no-sensor", "does not say its sensor (--sensor says it)" },
	[REFUSAL_BAD_SENSOR] = { "bad-sensor", "the sensor's name has characters or a length that names may not have" },
	[REFUSAL_TIME_RANGE] = { "time-range", "before 1990 or in the future: the clock was not set" },
	[REFUSAL_NOT_WATCHED] = { "not-watched", "not sent to a watched address" },
	[REFUSAL_ANSWER] = { "answer", "an answer to what a watched address had asked for" },
	[REFUSAL_NEIGHBOUR] = { "neighbour", "router or neighbour discovery of its own wire" },
	[REFUSAL_NOT_LOOKED] = { "not-looked", "outside the time given by --looked" },
	[REFUSAL_LATE] = { "late", "came when its minute was closed" },
	[REFUSAL_CANARY] = { "canary", "the sensor's own, sent to see whether it is seen" },
	[REFUSAL_FULL] = { "full", "found no room while minutes were being written" },
	[REFUSAL_SENSORS] = { "sensors", "more sensors than one file may have" },
};

const char *refusal_name(enum refusal r)
{
	assert(r < REFUSALS && refusals[r].name);
	return refusals[r].name;
}

const char *refusal_text(enum refusal r)
{
	assert(r < REFUSALS && refusals[r].text);
	return refusals[r].text;
}
