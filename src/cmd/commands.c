#include "cmd/commands.h"

#include "base/bytes.h"

static const struct command command_help_itself;

const struct command *const commands[] = {
	&command_import, &command_top, &command_port, &command_region, &command_source, &command_surge, &command_sensor,
	&command_center, &command_collect, &command_keep, &command_desk, &command_ship, &command_notify,
	&command_geo, &command_scanner, &command_simulate, &command_evaluate, &command_check, &command_dump, &command_help_itself,
	NULL,
};

const struct command *command_named(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

void command_help(const struct command *c)
{
	struct buf out = buf_make(1 << 16);

	args_help(&out, c->options);
	printf("usage: teiten %s %s\n\n%s\n\n%s  %-24s %s\n", c->name, c->usage, c->summary, buf_cstr(&out), "--help", "print this");
	buf_release(&out);
}

/* For the shell's completion: names of commands, or one command's options, a line each. */
static void print_words(const struct command *c)
{
	for (size_t i = 0; !c && commands[i]; i++)
		printf("%s\n", commands[i]->name);
	for (int t = 0; c && t < ARGS_TABLES_MAX && c->options[t]; t++)
		for (const struct option *o = c->options[t]; o->name; o++)
			printf("--%s\n", o->name);
}

static int run_help(const struct args *a)
{
	const struct command *c = a->words ? command_named(a->word[0]) : NULL;

	if (a->words > 1 || (a->words && !c)) {
		(void)fprintf(stderr, "teiten: no command named \"%s\"; `teiten help` lists them\n", a->word[a->words - 1]);
		return EXIT_WRONG_USE;
	}
	if (args_given(a, "words")) {
		print_words(c);
		return EXIT_DONE;
	}
	if (c) {
		command_help(c);
		return EXIT_DONE;
	}
	printf("Teiten %s: an open observatory of unsolicited Internet traffic.\n\nusage: teiten COMMAND [OPTION]...\n\n", teiten_version);
	for (size_t i = 0; commands[i]; i++)
		printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	printf("\nTo begin:   teiten import --sensor NAME FILE    then   teiten top    and   teiten center\n"
		"More:       teiten COMMAND --help, man teiten\n");
	return EXIT_DONE;
}

static const struct option help_options[] = {
	{ "words", NULL, "only names, a line each: for the shell's completion" },
	{ NULL, NULL, NULL },
};

static const struct command command_help_itself = {
	.name = "help",
	.usage = "[--words] [COMMAND]",
	.summary = "list the commands, or explain one",
	.options = { help_options },
	.run = run_help,
};
