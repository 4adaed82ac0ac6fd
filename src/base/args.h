/* args: a command line against a table. The same table prints --help, feeds tab completion and is held against the manual. */
#ifndef TEITEN_ARGS_H
#define TEITEN_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct buf;

struct option {
	const char *name;       /* without the dashes; NULL ends a table */
	const char *value;      /* what its value is called in the help ("DIR"); NULL: a flag */
	const char *help;       /* one line */
};

enum { ARGS_MAX = 256, ARGS_TABLES_MAX = 4 };

struct args {
	size_t len;
	struct arg { const char *name, *value; } list[ARGS_MAX];        /* options in the order given; value "" for a flag */
	size_t words;
	const char *word[ARGS_MAX];                                     /* what is not an option */
};

/* Sorts argv (without the command's name) by the tables; `--name value`, `--name=value`, `--` ends options, a lone `-`
 * is a word. Borrows argv. `help` is always known. */
bool args_parse(struct args *a, const struct option *const tables[ARGS_TABLES_MAX], int argc, char **argv, struct err *e);
const char *args_value(const struct args *a, const char *name);         /* the last one given, or NULL */
bool args_given(const struct args *a, const char *name);
/* An option's whole number from its text; NULL leaves *out as it is. False: not one, or outside min to max. */
bool args_whole(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *out, struct err *e);
/* "  --name VALUE   help" lines of the tables. */
void args_help(struct buf *out, const struct option *const tables[ARGS_TABLES_MAX]);

#endif
