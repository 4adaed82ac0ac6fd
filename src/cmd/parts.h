/* parts: the processes of a command that is made of several: started, watched over, started again when they end, ended together.
 * Each is this program with another command. */
#ifndef TEITEN_PARTS_H
#define TEITEN_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct args;
struct err;

enum { PARTS_MAX = 8, PART_WORDS_MAX = 48 };

struct part {
	bool optional;                  /* the others go on without it, also when it refuses its settings */
	const char *arg[PART_WORDS_MAX];        /* NULL-ended: "teiten", the command's name, its options */
	pid_t pid;                              /* 0: not running */
	uint64_t started_ms, again_ms;
	unsigned backoff_ms, starts;
};

struct parts {
	struct part list[PARTS_MAX]; int len;
	/* Whether the first part is ready for the others to start; NULL: they need not wait. */
	bool (*ready)(const void *of, pid_t first);
	const void *of;
	/* On SIGHUP: whether the settings, read anew, are right; it says what is not. Then all is started anew. NULL: they are. */
	bool (*right)(const struct args *a);
	const struct args *args;
	bool anew;                      /* parts_anew: one that cannot start is tried again, and takes no other down */
};

/* A part ends with the process that started it; to be said again after rights were given up, which makes the kernel forget. */
void parts_follow_parent(void);
/* Whether this process was begun anew for the sake of its settings; true once. */
bool parts_anew(void);
struct part *parts_add(struct parts *all, const char *command);
void part_option(struct part *p, const char *option, const char *value);        /* nothing for a value that is NULL */
void part_flag(struct part *p, const char *option);
/* Runs them until the process is asked to end (ending.h), then ends them, the last one first. False: one could not work at
 * all; e is empty where it has said so in a line of its own. */
bool parts_run(struct parts *all, struct err *e);

#endif
