#include "base/conf.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"

enum { CONF_BYTES_MAX = 1 << 20 };

static const char *trimmed(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r", text[len - 1]))
		text[--len] = '\0';
	return text;
}

static bool known(const char *const *keys, const char *key)
{
	for (; *keys; keys++)
		if (!strcmp(*keys, key))
			return true;
	return false;
}

static bool take_line(struct conf *c, char *line, unsigned number, const char *const *keys, struct err *e)
{
	char *equals;
	const char *key, *value;

	line[strcspn(line, "#")] = '\0';
	if (*trimmed(line) == '\0')
		return true;
	equals = strchr(line, '=');
	if (!equals) {
		err_set(e, "no \"=\" in \"%.60s\"", trimmed(line));
		err_expected(e, "key = value");
		return err_in(e, "line %u", number);
	}
	*equals = '\0';
	key = trimmed(line);
	value = trimmed(equals + 1);
	if (!known(keys, key))
		err_set(e, "unknown key \"%.60s\"", key);
	else if (conf_value(c, key))
		err_set(e, "%s is given twice", key);
	else if (*value == '\0')
		err_set(e, "%s has no value", key);
	else if (c->len == CONF_LINES_MAX || strlen(value) >= CONF_TEXT_MAX)
		err_set(e, "too many lines, or too long a value");
	else {
		c->list[c->len].line = number;
		memcpy(c->list[c->len].key, key, strlen(key) + 1);
		memcpy(c->list[c->len++].value, value, strlen(value) + 1);
		return true;
	}
	return err_in(e, "line %u", number);
}

bool conf_read(struct conf *c, const char *path, const char *const *keys, struct err *e)
{
	struct buf bytes = buf_make(CONF_BYTES_MAX);
	unsigned number = 0;
	bool ok = file_read(path, &bytes, e);

	*c = (struct conf){ 0 };
	if (ok && strlen(buf_cstr(&bytes)) != bytes.len)
		ok = err_set(e, "a zero byte: not a text");
	for (char *line = (char *)bytes.at, *next; ok && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		ok = take_line(c, line, ++number, keys, e);
	}
	if (!ok)
		err_in(e, "%s", path);
	buf_release(&bytes);
	return ok;
}

const char *conf_value(const struct conf *c, const char *key)
{
	for (size_t i = 0; i < c->len; i++)
		if (!strcmp(c->list[i].key, key))
			return c->list[i].value;
	return NULL;
}
