/* What a year of a large observatory costs to reckon anew from its roll-ups, and what one more hour costs: statistics FOLDER [SENSORS PORTS DAYS].
 * The roll-ups are made up: each port is seen by 14 sensors a day, once or twice. */
#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/num.h"
#include "store/days.h"
#include "store/duck.h"
#include "store/surges.h"

#include <inttypes.h>
#include <stdlib.h>
#include <stdio.h>
#include <time.h>

enum { DAY0 = 15000, SEEN = 14, SQL_BYTES = 4096 };

static double cpu_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The most that was resident since it was asked last (proc(5): clear_refs). */
static long resident_mib(void)
{
	char line[128];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof line, f))
		(void)sscanf(line, "VmHWM: %ld", &kib);
	if (f)
		(void)fclose(f);
	f = fopen("/proc/self/clear_refs", "w");
	if (f) {
		(void)fputs("5", f);
		(void)fclose(f);
	}
	return kib / 1024;
}

static void must(bool ok, const struct err *e)
{
	char text[ERR_TEXT_MAX];

	if (ok)
		return;
	(void)fprintf(stderr, "statistics: %s\n", err_text(e, text));
	exit(1);
}

static void fill(const char *path, unsigned sensors, unsigned ports, unsigned days)
{
	char sql[SQL_BYTES];
	struct err e;
	struct duck *d = duck_open(path, false, &e);
	struct duck_con *c = d ? duck_connect(d, &e) : NULL;

	must(c != NULL, &e);
	(void)snprintf(sql, sizeof sql, "INSERT INTO sensor SELECT i + 1, 's' || i, 1, '', 'ZZ' FROM range(%u) t(i);"
		"INSERT INTO watched SELECT i + 1, %u, %u, 60 FROM range(%u) t(i)", sensors, DAY0 * 1440u, (DAY0 + days) * 1440u, sensors);
	must(duck_run(c, sql, &e), &e);
	for (unsigned day = 0; day < days; day++) {
		(void)snprintf(sql, sizeof sql, "CREATE OR REPLACE TEMP TABLE seen AS SELECT 6 AS proto, p AS port, %u AS day, 1 + hash(p, s) %% %u AS sensor,"
			" 1 + hash(p, s, %u) %% 3 AS packets, %u + 60 * (hash(s, %u, p) %% 24) AS hour, hash(p, %u, s) %% 24 < 22 AS there FROM range(%u) t(p), range(%u) u(s);"
			"INSERT INTO port_day SELECT proto, port, day, sensor, packets, packets * 40 FROM seen WHERE there;"
			"INSERT INTO unsettled SELECT day, sum(packets) FROM seen WHERE there GROUP BY day;"
			"INSERT INTO source_hour SELECT proto, port, hour, sensor, 1 FROM seen WHERE there;"
			"INSERT INTO new_hour SELECT proto, port, hour, count(*), ceil(count(*) * .7), sum(packets), max(packets) FROM seen WHERE there GROUP BY ALL",
			DAY0 + day, sensors, day, (DAY0 + day) * 1440u, day, day, ports, SEEN);
		must(duck_run(c, sql, &e), &e);
	}
	duck_disconnect(c);
	duck_close(d);
}

static unsigned size_of(int argc, char **argv, int i, unsigned otherwise)
{
	uint64_t n = otherwise;

	return i < argc && num_whole(argv[i], 1, 60000, &n) ? (unsigned)n : otherwise;
}

int main(int argc, char **argv)
{
	unsigned sensors = size_of(argc, argv, 2, 100), ports = size_of(argc, argv, 3, 5000), days = size_of(argc, argv, 4, 365);
	char path[PATH_TEXT_MAX];
	struct book book = { 0 };
	struct surges s;
	bool behind;
	struct err e;

	must(argc > 1 && file_path(path, argv[1], "year.duckdb", &e), &e);
	void *engine = engine_duckdb.open(path, "UTC", &book, &e);
	must(engine != NULL, &e);
	engine_duckdb.close(engine);
	book_release(&book);
	fill(path, sensors, ports, days);
	engine = engine_duckdb.open(path, NULL, &book, &e);
	must(engine != NULL, &e);
	printf("filled: %ld MiB resident at most\n", resident_mib());
	surges_init(&s);
	double began = cpu_s();
	must(surges_follow(&s, &engine_duckdb, engine, &book, (days - 1) * 24, &behind, &e), &e);
	double surges_s = cpu_s() - began, hour_s = 0;
	for (unsigned h = 0; h < 24; h++) {
		double from = cpu_s();

		must(surges_follow(&s, &engine_duckdb, engine, &book, 1, &behind, &e), &e);
		hour_s = cpu_s() - from > hour_s ? cpu_s() - from : hour_s;
	}
	printf("surges of %u days, %u ports, %u sensors: %.1f s CPU (%.2f us an hour and port), %zu found; one hour more %.2f s at most; %ld MiB resident at most\n", days, ports,
		sensors, surges_s, surges_s * 1e6 / (days * 24. * ports), s.found_len, hour_s, resident_mib());
	surges_release(&s);
	(void)resident_mib();
	began = cpu_s();
	must(days_settle(&engine_duckdb, engine, &book, (DAY0 + days - 8) * 1440u, &book.days, &e), &e);
	printf("robust values of the same: %.1f s CPU (%.1f us a day and port); %ld MiB resident at most\n", cpu_s() - began, (cpu_s() - began) * 1e6 / (days * (double)ports),
		resident_mib());
	/* a week later the first days are final: from then on a new day goes through the last eight */
	must(days_settle(&engine_duckdb, engine, &book, (DAY0 + days - 1) * 1440u, &book.days, &e), &e);
	began = cpu_s();
	must(days_settle(&engine_duckdb, engine, &book, (DAY0 + days) * 1440u, &book.days, &e), &e);
	printf("robust values when one more day is over: %.1f s CPU; %ld MiB resident at most\n", cpu_s() - began, resident_mib());
	engine_duckdb.close(engine);
	book_release(&book);
	return 0;
}
