/* chance: seeded random numbers, the same on every run. A stream is named by what it is for (purpose, day, sensor,
 * port), so the order in which streams are used does not matter. Pure. */
#ifndef TEITEN_CHANCE_H
#define TEITEN_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance { uint64_t s[4]; };       /* xoshiro256** (Blackman and Vigna 2018) */

/* The stream of that name; different names give unrelated streams. */
struct chance chance_of(uint64_t seed, uint64_t purpose, uint64_t a, uint64_t b, uint64_t c);
uint64_t chance_next(struct chance *c);
double chance_share(struct chance *c);                          /* uniform in [0, 1) */
uint32_t chance_below(struct chance *c, uint32_t n);            /* uniform in 0 .. n - 1; n > 0 */
bool chance_hits(struct chance *c, double probability);
double chance_normal(struct chance *c);                         /* mean 0, deviation 1 */
double chance_exponential(struct chance *c, double mean);
double chance_lognormal(struct chance *c, double sigma);        /* mean 1; sigma of its logarithm */
uint32_t chance_poisson(struct chance *c, double mean);
uint32_t chance_geometric(struct chance *c, double mean);       /* at least 1; mean at least 1 */

#endif
