/* test: a test is a function that registers itself; the runner gives each a process of its own.
 *
 *     TEST(store_counts_a_batch_once) { CHECK(...); CHECK_WHOLE(got, 3); }
 *
 * Output, one line a test: "ok NAME", "not ok NAME", "skip NAME: why". Tests set clock and seed; none sleeps. */
#ifndef TEITEN_TEST_H
#define TEITEN_TEST_H

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

void test_register(const char *name, void (*run)(void));
/* Prints file, line and text, and ends the test's process. */
void test_failed(const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4), noreturn));
void test_skip(const char *why) __attribute__((noreturn));
/* A folder of the test's own, emptied afterwards by the runner; the same for the whole test. */
const char *test_dir(void);
/* A small seeded generator (splitmix64), so that "random" tests say the same everywhere. */
uint64_t test_random(uint64_t *state);
/* Folder of the real captures and logs, or NULL where it is absent (then skip). */
const char *test_shared_data(void);

#define TEST(name) \
	static void test_##name(void); \
	__attribute__((constructor)) static void enter_##name(void) { test_register(#name, test_##name); } \
	static void test_##name(void)

#define CHECK(truth) do { if (!(truth)) test_failed(__FILE__, __LINE__, "%s", #truth); } while (0)
#define CHECK_WHOLE(got, want) do { \
	long long g_ = (long long)(got), w_ = (long long)(want); \
	if (g_ != w_) test_failed(__FILE__, __LINE__, "%s is %lld, want %lld", #got, g_, w_); } while (0)
#define CHECK_TEXT(got, want) do { \
	const char *g_ = (got), *w_ = (want); \
	if (strcmp(g_, w_) != 0) test_failed(__FILE__, __LINE__, "%s is \"%s\", want \"%s\"", #got, g_, w_); } while (0)
/* Within 1e-9 of want, relative; NAN equals NAN. */
#define CHECK_NEAR(got, want) do { \
	double g_ = (got), w_ = (want); \
	if (isnan(g_) != isnan(w_) || (!isnan(g_) && fabs(g_ - w_) > 1e-9 * (fabs(w_) + 1e-9))) \
		test_failed(__FILE__, __LINE__, "%s is %.17g, want %.17g", #got, g_, w_); } while (0)
/* A call that fills a struct err `e` must hold. */
#define CHECK_OK(call) do { if (!(call)) { char t_[ERR_TEXT_MAX]; \
	test_failed(__FILE__, __LINE__, "%s: %s", #call, err_text(&e, t_)); } } while (0)

#endif
