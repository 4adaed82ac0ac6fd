#include "simulate/chance.h"

#include <assert.h>
#include <math.h>

/* splitmix64: spreads the bits of a name, and fills the state. */
static uint64_t mix(uint64_t z)
{
	z += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

struct chance chance_of(uint64_t seed, uint64_t purpose, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t name = mix(mix(mix(mix(mix(seed) ^ purpose) ^ a) ^ b) ^ c);
	struct chance made;

	for (int i = 0; i < 4; i++)
		made.s[i] = name = mix(name);
	return made;
}

static uint64_t turned(uint64_t v, int bits)
{
	return v << bits | v >> (64 - bits);
}

uint64_t chance_next(struct chance *c)
{
	uint64_t out = turned(c->s[1] * 5, 7) * 9, t = c->s[1] << 17;

	c->s[2] ^= c->s[0];
	c->s[3] ^= c->s[1];
	c->s[1] ^= c->s[2];
	c->s[0] ^= c->s[3];
	c->s[2] ^= t;
	c->s[3] = turned(c->s[3], 45);
	return out;
}

double chance_share(struct chance *c)
{
	return (double)(chance_next(c) >> 11) * 0x1p-53;
}

uint32_t chance_below(struct chance *c, uint32_t n)
{
	assert(n > 0);
	return (uint32_t)((chance_next(c) >> 32) * n >> 32);    /* off from uniform by less than n in 2^32 */
}

bool chance_hits(struct chance *c, double probability)
{
	return chance_share(c) < probability;
}

double chance_normal(struct chance *c)
{
	double u = 1 - chance_share(c), v = chance_share(c);    /* Box and Muller 1958, one of the pair */

	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

double chance_exponential(struct chance *c, double mean)
{
	return -mean * log(1 - chance_share(c));
}

double chance_lognormal(struct chance *c, double sigma)
{
	return sigma > 0 ? exp(sigma * chance_normal(c) - sigma * sigma / 2) : 1;
}

/* Small means by counting arrivals; large ones by the normal law, whose error is far below the noise we model. */
uint32_t chance_poisson(struct chance *c, double mean)
{
	enum { LARGE = 30, MOST = 1 << 30 };
	uint32_t n = 0;

	assert(mean >= 0);
	if (mean > LARGE) {
		double v = floor(mean + sqrt(mean) * chance_normal(c) + .5);

		return v < 0 ? 0 : v > MOST ? MOST : (uint32_t)v;
	}
	for (double left = exp(-mean), p = chance_share(c); p > left; p *= chance_share(c))
		n++;
	return n;
}

uint32_t chance_geometric(struct chance *c, double mean)
{
	enum { MOST = 1 << 20 };

	assert(mean >= 1);
	if (mean <= 1)
		return 1;
	double v = 1 + floor(log(1 - chance_share(c)) / log(1 - 1 / mean));
	return v > MOST ? MOST : (uint32_t)v;
}
