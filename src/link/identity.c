#include "link/identity.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"
#include "core/batch.h"

#include <stdio.h>
#include <string.h>

static const char file_name[] = "sensor.name";

enum { TEXT_MAX = SENSOR_NAME_MAX + 2 };

static bool read_name(const char *path, char out[SENSOR_NAME_MAX], struct err *e)
{
	struct buf text = buf_make(TEXT_MAX);
	bool ok = file_read(path, &text, e);

	if (ok) {
		(void)snprintf(out, SENSOR_NAME_MAX, "%.*s", (int)strcspn(buf_cstr(&text), "\r\n"), buf_cstr(&text));
		ok = sensor_name_check(out, e) || err_in(e, "%s", path);
	}
	buf_release(&text);
	return ok;
}

bool identity_is(const char *dir, const char *name, struct err *e)
{
	char key[PATH_TEXT_MAX], path[PATH_TEXT_MAX], owner[SENSOR_NAME_MAX];

	if (!file_path(key, dir, "sensor.key", e) || !file_path(path, dir, file_name, e))
		return false;
	if (!file_exists(key) || !file_exists(path))
		return true;
	if (!read_name(path, owner, e))
		return false;
	if (!strcmp(owner, name))
		return true;
	err_set(e, "%s is that of %s", key, owner);
	return err_expected(e, "--name %s; or another --data, with a key of its own", owner);
}

bool identity_has_key(const char *dir, struct err *e)
{
	char key[PATH_TEXT_MAX];

	if (!file_path(key, dir, "sensor.key", e))
		return false;
	if (file_exists(key))
		return true;
	err_set(e, "%s has no key", dir);
	return err_expected(e, "`teiten sensor key --name NAME --data %s` makes one", dir);
}

bool identity_write(const char *dir, const char *name, struct err *e)
{
	char path[PATH_TEXT_MAX], text[TEXT_MAX];
	int len = snprintf(text, sizeof text, "%s\n", name);

	return file_path(path, dir, file_name, e) && file_write(path, text, (size_t)len, e);
}
