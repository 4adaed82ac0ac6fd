/* A scenario's text: read or refused; what is read can be played, a day of it at least. */
#include "base/err.h"
#include "base/mem.h"
#include "simulate/scenario.h"
#include "simulate/traffic.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void play(const struct scenario *s)
{
	struct traffic *t = traffic_open(s, 1, NULL);
	struct batch *list = mem_zero(s->sensors_len, sizeof *list);
	size_t n = traffic_day(t, 0, list);
	struct err e;

	assert(n <= s->sensors_len);
	for (size_t i = 0; i < n; i++) {
		assert(batch_sound(&list[i], &e));
		batch_release(&list[i]);
	}
	free(list);
	traffic_close(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct scenario s = { 0 };
	struct err e;

	if (scenario_parse(&s, (const char *)bytes, len, &e) && s.sensors_len < 8)
		play(&s);
	scenario_release(&s);
	return 0;
}
