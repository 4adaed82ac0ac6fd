/* Teiten: finds the command, sorts its options, runs it. */
#include "cmd/commands.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"

/* What was printed must have arrived: a full disk behind a redirection is a failure. */
static int ended(int status)
{
	bool lost = ferror(stdout) != 0;

	lost = fclose(stdout) != 0 || lost;
	if (lost && status == EXIT_DONE) {
		log_line("cannot write the output");
		return EXIT_REFUSED;
	}
	return status;
}

int main(int argc, char **argv)
{
	static struct args args;
	struct err e;
	const char *name = argc > 1 ? argv[1] : "help";

	if (!strcmp(name, "--version")) {
		printf("teiten %s\n", teiten_version);
		return ended(EXIT_DONE);
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	const struct command *c = command_named(name);
	if (!c) {
		log_line("no command named \"%.40s\"; `teiten help` lists them", name);
		return EXIT_WRONG_USE;
	}
	if (!args_parse(&args, c->options, argc > 2 ? argc - 2 : 0, argv + (argc > 2 ? 2 : argc), &e)) {
		err_in(&e, "%s", c->name);
		log_err(&e);
		return EXIT_WRONG_USE;
	}
	if (args_given(&args, "help")) {
		command_help(c);
		return ended(EXIT_DONE);
	}
	if (c->wordless && args.words) {
		log_line("%s takes no words, only options: \"%s\"", c->name, args.word[0]);
		return EXIT_WRONG_USE;
	}
	clock_prepare();
	return ended(c->run(&args));
}
