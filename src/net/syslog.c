#include "net/syslog.h"

#include "base/err.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FACILITY_DAEMON = 3 };

bool syslog_tell(const char *socket_path, enum syslog_severity severity, const char *text, struct err *e)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char line[SYSLOG_LINE_MAX];

	if (strlen(socket_path) >= sizeof to.sun_path)
		return err_set(e, "a socket's path that is too long: %.100s", socket_path);
	memcpy(to.sun_path, socket_path, strlen(socket_path) + 1);
	int n = snprintf(line, sizeof line, "<%d>teiten[%d]: %s", FACILITY_DAEMON << 3 | (int)severity, (int)getpid(), text);
	size_t len = n < (int)sizeof line ? (size_t)n : sizeof line - 1;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 && send(fd, line, len, MSG_NOSIGNAL) == (ssize_t)len;
	if (!ok)
		err_errno(e, "cannot tell %s", socket_path);
	if (fd >= 0)
		(void)close(fd);
	return ok;
}
