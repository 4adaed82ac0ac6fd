/* regions_build: gathers ranges for a table of regions from the files that registries and operators have.
 *
 * A line or record that makes no sense is counted and left out, the first one is kept in words; only a file that cannot
 * be read, or is not of its kind at all, is a failure. */
#ifndef TEITEN_REGIONS_BUILD_H
#define TEITEN_REGIONS_BUILD_H

#include "store/regions.h"

struct err;

enum { REGIONS_REFUSAL_MAX = 256 };

struct regions_build {
	struct range *list; size_t len, cap;
	uint64_t skipped;                       /* sums, AS numbers, free and reserved space: right, but not wanted */
	uint64_t refused;
	char refusal[REGIONS_REFUSAL_MAX];      /* the first one refused: where and why; "" for none */
	char source[REGIONS_SOURCE_MAX];        /* "apnic 20260101, ripencc 20260102": cut short when there are many */
};

void regions_build_release(struct regions_build *b);
/* An RIR's delegated-* or delegated-*-extended file, plain or compressed (gzip, xz, zstd). */
bool regions_build_delegations(struct regions_build *b, const char *path, struct err *e);
/* An MMDB with country_code, registered_country.iso_code or country.iso_code, and autonomous_system_number, whatever
 * of these is there. Registration goes before location. */
bool regions_build_mmdb(struct regions_build *b, const char *path, struct err *e);

#endif
