#include "base/args.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/num.h"

#include <inttypes.h>

static const struct option *find(const struct option *const tables[ARGS_TABLES_MAX], const char *name, size_t len)
{
	static const struct option help = { "help", NULL, "" };

	for (int t = 0; t < ARGS_TABLES_MAX && tables[t]; t++)
		for (const struct option *o = tables[t]; o->name; o++)
			if (strlen(o->name) == len && !strncmp(o->name, name, len))
				return o;
	return len == 4 && !strncmp(name, "help", 4) ? &help : NULL;
}

/* One option at argv[*i]; takes the next word too when the value is not behind "=". */
static bool take(struct args *a, const struct option *const tables[ARGS_TABLES_MAX], int argc, char **argv, int *i,
	struct err *e)
{
	const char *name = argv[*i] + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option *o = find(tables, name, len);
	const char *value = "";

	if (!o) {
		err_set(e, "unknown option %.60s", argv[*i]);
		return err_expected(e, "--help lists them");
	}
	if (!o->value && equals)
		return err_set(e, "--%s takes no value", o->name);
	if (o->value && equals)
		value = equals + 1;
	else if (o->value && *i + 1 < argc)
		value = argv[++*i];
	else if (o->value) {
		err_set(e, "--%s lacks its value", o->name);
		return err_expected(e, "--%s %s", o->name, o->value);
	}
	a->list[a->len].name = o->name;
	a->list[a->len++].value = value;
	return true;
}

bool args_parse(struct args *a, const struct option *const tables[ARGS_TABLES_MAX], int argc, char **argv, struct err *e)
{
	bool options = true;

	a->len = a->words = 0;
	for (int i = 0; i < argc; i++) {
		if (a->len == ARGS_MAX || a->words == ARGS_MAX)
			return err_set(e, "too many arguments (at most %d)", ARGS_MAX);
		if (options && !strcmp(argv[i], "--")) {
			options = false;
		} else if (options && !strcmp(argv[i], "-h")) {
			a->list[a->len].name = "help";
			a->list[a->len++].value = "";
		} else if (options && !strncmp(argv[i], "--", 2)) {
			if (!take(a, tables, argc, argv, &i, e))
				return false;
		} else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
			err_set(e, "unknown option %.60s", argv[i]);
			return err_expected(e, "options have two dashes; --help lists them");
		} else {
			a->word[a->words++] = argv[i];
		}
	}
	return true;
}

const char *args_value(const struct args *a, const char *name)
{
	for (size_t i = a->len; i-- > 0; )
		if (!strcmp(a->list[i].name, name))
			return a->list[i].value;
	return NULL;
}

bool args_given(const struct args *a, const char *name)
{
	return args_value(a, name) != NULL;
}

bool args_whole(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *out, struct err *e)
{
	if (!text || num_whole(text, min, max, out))
		return true;
	err_asked(e, "--%s: not a number that it can be: \"%.40s\"", name, text);
	return err_expected(e, "%" PRIu64 " to %" PRIu64, min, max);
}

void args_help(struct buf *out, const struct option *const tables[ARGS_TABLES_MAX])
{
	char left[80];

	for (int t = 0; t < ARGS_TABLES_MAX && tables[t]; t++)
		for (const struct option *o = tables[t]; o->name; o++) {
			(void)snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
			buf_printf(out, "  %-24s %s\n", left, o->help);
		}
}
