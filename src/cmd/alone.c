#include "cmd/alone.h"

#include "base/err.h"
#include "base/file.h"

bool alone_in(const char *dir, const char *name, const char *who, struct err *e)
{
	char path[PATH_TEXT_MAX];
	bool held;
	int fd;         /* for as long as we live */

	if (!file_path(path, dir, name, e) || !file_lock(path, &fd, &held, e))
		return e->kind == ERR_FULL;
	if (held)
		return true;
	err_set(e, "%s here already", who);
	return err_expected(e, "end it, or another --data");
}
