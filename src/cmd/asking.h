/* asking: what the commands that ask a question share: options, the way to the store, and the three ways to print. */
#ifndef TEITEN_ASKING_H
#define TEITEN_ASKING_H

#include "base/args.h"
#include "core/question.h"

extern const struct option asking_options[];

/* Fills q from the options given (on top of what the command has set) and, when the command has one, from its word as the
 * value of word_key (else NULL); asks the store and prints: a table for people, or --json, or --csv; a question without
 * steps as a ranking, else as a series. Returns the exit status. */
int ask_and_print(const struct args *a, struct question *q, const char *word_key);
/* Tells a failure: a line on standard error, or with --json an object on standard output. Returns EXIT_WRONG_USE for what
 * was asked wrongly, else EXIT_REFUSED. */
int asking_refused(const struct args *a, const struct err *e);

#endif
