/* syslog: a line to the system's log daemon on this machine (RFC 3164, as /dev/log takes it). Unlike syslog(3) it says when nobody
 * took it. */
#ifndef TEITEN_SYSLOG_H
#define TEITEN_SYSLOG_H

#include <stdbool.h>

struct err;

enum { SYSLOG_LINE_MAX = 1024 };
enum syslog_severity { SYSLOG_WARNING = 4, SYSLOG_NOTICE = 5 };         /* the facility is daemon */

bool syslog_tell(const char *socket_path, enum syslog_severity severity, const char *text, struct err *e);

#endif
