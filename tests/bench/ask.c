/* How long a question takes in a process that is warm. Usage: bench-ask ADDRESS QUESTION [LIST OF SCANNERS] */
#include "base/clock.h"
#include "base/err.h"
#include "store/store.h"

enum { TIMES = 21 };

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	double ms[TIMES];
	struct err e;
	char text[ERR_TEXT_MAX];

	if (argc != 3 && argc != 4)
		return 2;
	struct store *s = store_open(argv[1], NULL, NULL, &e);
	if (s && argc == 4 && !store_scanners(s, argv[3], &e)) {
		(void)fprintf(stderr, "bench: %s\n", err_text(&e, text));
		return 1;
	}
	for (int i = 0; s && i < TIMES; i++) {
		struct question q;
		struct answer a;
		uint64_t start = clock_steady_us();

		question_init(&q);
		if (!question_parse(&q, argv[2], NULL, &e) || !store_ask(s, &q, &a, &e)) {
			(void)fprintf(stderr, "bench: %s\n", err_text(&e, text));
			return 1;
		}
		ms[i] = (double)(clock_steady_us() - start) / 1e3;
		answer_release(&a);
	}
	store_close(s);
	if (!s)
		return 1;
	double first = ms[0];
	qsort(ms, TIMES, sizeof *ms, ascending);
	printf("first %.1f ms, median of %d %.1f ms\n", first, TIMES, ms[TIMES / 2]);
	return 0;
}
