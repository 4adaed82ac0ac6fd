#include "cmd/rights.h"

#include "cmd/parts.h"

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"

#include <stdio.h>
#include <unistd.h>

static bool may_write(const char *folder, struct err *e)
{
	char path[PATH_TEXT_MAX], name[32];

	(void)snprintf(name, sizeof name, ".probe-%d", (int)getpid());
	if (file_path(path, folder, name, e) && file_write(path, "", 0, e) && file_remove(path, e))
		return true;
	if (e->kind == ERR_FULL) {
		log_err(e);     /* it may be for us to make room */
		return true;
	}
	return err_expected(e, "a folder that its user may write, and folders above it that let that user pass");
}

static const char *const proved[] = {
	[NETWORK_NONE] = "no other file, no new socket, no other program",
	[NETWORK_SERVES] = "no other file, no new socket, no other program",
	[NETWORK_ASKS] = "no other file, no new socket but to this machine's own, no other program",
	[NETWORK_CONNECTS] = "no other file to write, no other program",
};

bool rights_give_up(const struct confine_how *how, bool prove, struct err *e)
{
	struct confined rights;
	const char *what;

	if (!confine(how, &rights, e))
		return false;
	parts_follow_parent();
	log_line("rights given up: capabilities, system calls%s%s", !rights.landlock ? "" : how->folder ? ", other folders" : ", all files",
		rights.user ? "" : "; still root by name: --user NAME changes that");
	if (!rights.landlock)
		log_line("this kernel has no landlock: other files are only as safe as their permissions");
	if (how->folder && !may_write(how->folder, e))
		return false;
	if (!prove)
		return true;
	if (!confine_holds(how->network, &what))
		return err_set(e, "rights were not given up: %s", what);
	log_line("proved: %s", proved[how->network]);
	return true;
}
