/* conf: a configuration file: "key = value" a line, "#" begins a comment, blank lines are free. */
#ifndef TEITEN_CONF_H
#define TEITEN_CONF_H

#include <stdbool.h>
#include <stddef.h>

struct err;

enum { CONF_LINES_MAX = 256, CONF_TEXT_MAX = 512 };

struct conf { size_t len; struct { unsigned line; char key[64], value[CONF_TEXT_MAX]; } list[CONF_LINES_MAX]; };

/* keys: the NULL-ended list of those that are known; another is refused with its line, as is a key given twice. */
bool conf_read(struct conf *c, const char *path, const char *const *keys, struct err *e);
const char *conf_value(const struct conf *c, const char *key);          /* NULL: not given */

#endif
