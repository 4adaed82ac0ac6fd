/* The runner: finds the registered tests, gives each a process, prints one line each. */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TESTS_MAX = 1024, SKIPPED = 77 };

static struct { const char *name; void (*run)(void); } tests[TESTS_MAX];
static size_t tests_len;
static char dir[256];

void test_register(const char *name, void (*run)(void))
{
	if (tests_len == TESTS_MAX)
		abort();
	tests[tests_len].name = name;
	tests[tests_len++].run = run;
}

void test_failed(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# %s:%d: ", file, line);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	exit(1);
}

void test_skip(const char *why)
{
	printf("# %s\n", why);
	exit(SKIPPED);
}

const char *test_dir(void)
{
	return dir;
}

const char *test_shared_data(void)
{
	static char path[512];
	const char *given = getenv("TEITEN_SHARED");
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/data", given ? given : "../shared");
	return stat(path, &st) == 0 ? path : NULL;
}

uint64_t test_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void empty(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	char inner[1024];

	while (d && (entry = readdir(d)) != NULL) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		(void)snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
		if (unlink(inner) != 0 && (errno == EISDIR || errno == EPERM)) {
			empty(inner);
			(void)rmdir(inner);
		}
	}
	if (d)
		closedir(d);
}

static int run_one(size_t i)
{
	int status;
	pid_t pid;

	(void)snprintf(dir, sizeof dir, "%s/teiten-unit-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(dir))
		abort();
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(300);
		tests[i].run();
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	empty(dir);
	(void)rmdir(dir);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		printf("skip %s\n", tests[i].name);
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		printf("ok %s\n", tests[i].name);
	else if (WIFSIGNALED(status))
		printf("not ok %s (signal %d)\n", tests[i].name, WTERMSIG(status));
	else
		printf("not ok %s\n", tests[i].name);
	return !WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != SKIPPED);
}

/* With arguments: only tests whose name contains one of them. */
int main(int argc, char **argv)
{
	int failed = 0;

	for (size_t i = 0; i < tests_len; i++) {
		bool wanted = argc < 2;

		for (int k = 1; k < argc; k++)
			wanted = wanted || strstr(tests[i].name, argv[k]);
		if (wanted)
			failed |= run_one(i);
	}
	return failed;
}
