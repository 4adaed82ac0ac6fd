/* clock: the only place that asks what time it is. Tests shift the wall clock: TEITEN_CLOCK_OFFSET by so many seconds for good,
 * TEITEN_CLOCK_FILE by what stands in that file (8 bytes, a number as this machine lays it out), which they may change at any
 * moment; TEITEN_CLOCK_RATE=N:SECONDS makes all clocks and sleeps N times as fast, the wall clock from that moment on. */
#ifndef TEITEN_CLOCK_H
#define TEITEN_CLOCK_H

#include <stdint.h>

void clock_prepare(void);               /* while files can still be opened */
int64_t clock_wall_s(void);             /* seconds since 1970-01-01 UTC */
int64_t clock_shift_s(void);            /* what a test adds to it; times that the kernel wrote down are shifted by as much */
uint64_t clock_steady_us(void);         /* microseconds of a clock that only goes forward */
void clock_sleep_ms(unsigned ms);       /* may return early on a signal */

#endif
