/* refusal: why a row of a file was not counted. Every row is either counted or refused under exactly one of these, so
 * that counted plus refused is what was read. Pure. */
#ifndef TEITEN_REFUSAL_H
#define TEITEN_REFUSAL_H

enum refusal {
	REFUSAL_NONE,                   /* counted */
	/* frames */
	REFUSAL_CUT, REFUSAL_NOT_IP, REFUSAL_IP_HEADER, REFUSAL_FRAGMENT, REFUSAL_PROTO, REFUSAL_LINK, REFUSAL_NO_TIME,
	/* lines and records */
	REFUSAL_TOO_LONG, REFUSAL_NOT_FIREWALL, REFUSAL_LINE_CUT, REFUSAL_AUDIT, REFUSAL_LEAVING, REFUSAL_COLUMNS,
	REFUSAL_BAD_TIME, REFUSAL_NO_YEAR, REFUSAL_BAD_SOURCE, REFUSAL_BAD_DESTINATION, REFUSAL_NO_PROTO, REFUSAL_NO_PORT,
	REFUSAL_BAD_PORT, REFUSAL_NO_TYPE, REFUSAL_BAD_FIELD, REFUSAL_NO_SENSOR, REFUSAL_BAD_SENSOR,
	/* all of them */
	REFUSAL_TIME_RANGE, REFUSAL_NOT_WATCHED, REFUSAL_ANSWER, REFUSAL_NEIGHBOUR, REFUSAL_NOT_LOOKED, REFUSAL_SENSORS,
	/* live */
	REFUSAL_LATE, REFUSAL_FULL, REFUSAL_CANARY,
	REFUSALS
};

const char *refusal_name(enum refusal r);       /* "not-ip": for programs */
const char *refusal_text(enum refusal r);       /* "not IP": for people */

#endif
