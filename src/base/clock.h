/* clock: the only place that asks what time it is. TEITEN_CLOCK_OFFSET (seconds) shifts the wall clock for tests. */
#ifndef TEITEN_CLOCK_H
#define TEITEN_CLOCK_H

#include <stdint.h>

int64_t clock_wall_s(void);             /* seconds since 1970-01-01 UTC */
uint64_t clock_steady_us(void);         /* microseconds of a clock that only goes forward */
void clock_sleep_ms(unsigned ms);       /* may return early on a signal */

#endif
