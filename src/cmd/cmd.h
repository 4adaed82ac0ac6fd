/* cmd: what a command is. One file per command defines one; main.c lists them. Only code in this folder logs or exits. */
#ifndef TEITEN_CMD_H
#define TEITEN_CMD_H

#include "base/args.h"

struct err;

struct command {
	const char *name;                                       /* "top" */
	const char *usage;                                      /* "[OPTION]... FILE..." */
	const char *summary;                                    /* one line, lower case, no full stop */
	const struct option *options[ARGS_TABLES_MAX];          /* tables, the shared ones last; unused are NULL */
	int (*run)(const struct args *a);                       /* returns the exit status */
	/* Whether it could work with these settings, as far as that shows before it acts on them; NULL: nobody asks. */
	bool (*right)(const struct args *a, struct err *e);
	bool wordless;                                          /* takes only options: a word is wrong use */
};

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_WRONG_USE = 2 };

#endif
