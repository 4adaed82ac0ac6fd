/* scenario: what an invented observatory sees: sensors, background, rises. Read from text (doc/scenario-format.md);
 * a scenario and a seed name every packet. Levels are packets per observed address and day. */
#ifndef TEITEN_SCENARIO_H
#define TEITEN_SCENARIO_H

#include "base/digest.h"
#include "base/zone.h"
#include "core/batch.h"

#include <stdbool.h>
#include <stddef.h>

struct err;

enum {
	SCENARIO_BYTES_MAX = 1 << 20,
	SCENARIO_LINE_MAX = 1024,
	SCENARIO_ITEMS_MAX = 1024,              /* of each list */
	SCENARIO_DAYS_MAX = 4000,
	SCENARIO_TAIL_MAX = 8192,
	SCENARIO_ADDRESSES_MAX = 65536,         /* of one sensor */
	MIX_REGIONS_MAX = 64,
	MIX_NAME_MAX = 32,
};

enum shape { SHAPE_STEP, SHAPE_WORM, SHAPE_RAMP, SHAPE_BURST };

/* Regions that sources come from, with weights. */
struct mix {
	char name[MIX_NAME_MAX];
	size_t len;
	struct { char region[3]; double weight; } list[MIX_REGIONS_MAX];
};

struct post {                                   /* a sensor, and how much more than others it is knocked at */
	char name[SENSOR_NAME_MAX], group[SENSOR_NAME_MAX], region[3];
	unsigned addresses;
	double factor;
	minute_t joined, left;
};

/* What background ports, rises and the tail have in common: how the packets of one source look. */
struct habit {
	double packets;                         /* of one source at one sensor in one go, on average */
	double returning;                       /* share of sources that were here before */
	unsigned bytes;                         /* IP length of a packet; 0: by the protocol */
	unsigned mix;                           /* index into mixes */
};

struct stream {                                 /* background on one port */
	unsigned proto, port;
	bool backscatter;                       /* answers from victims; port is their source port */
	double level;
	double trend;                           /* factor a year */
	double spread;                          /* sigma of the log of a sensor's own factor on this port */
	double week, day;                       /* amplitudes of the rhythms, 0 to 1 */
	double noise;                           /* sigma of the log of the port's level from day to day */
	double sweeps;                          /* sources a day that touch many sensors within an hour */
	struct habit habit;
};

struct rise { unsigned proto, port; enum shape shape; struct span span; double level, share; struct habit habit; };
struct oddity { unsigned sensor, stream; double factor; struct span span; };
struct outage { unsigned sensor; struct span span; };

struct scenario {
	uint8_t digest[DIGEST_BYTES];           /* of the text */
	struct zone zone;
	struct span span;                       /* whole days of the zone */
	double level;                           /* factor on everything */
	struct mix *mixes; size_t mixes_len, mixes_cap;
	struct post *sensors; size_t sensors_len, sensors_cap;
	struct stream *streams; size_t streams_len, streams_cap;
	struct rise *rises; size_t rises_len, rises_cap;
	struct oddity *oddities; size_t oddities_len, oddities_cap;
	struct outage *outages; size_t outages_len, outages_cap;
	struct { double every, hours; } chance_outages;         /* one a sensor in so many days, on average; 0: none */
	struct { double every, packets; } hammers;              /* one source hammering one sensor, likewise */
	struct { unsigned ports; double level; struct habit habit; } tail;      /* random ports, level over all of them */
};

/* Fills s, which scenario_release frees (also after false). Loads the zone: see zone_load about threads. */
bool scenario_read(struct scenario *s, const char *path, struct err *e);
bool scenario_parse(struct scenario *s, const char *text, size_t len, struct err *e);
void scenario_release(struct scenario *s);

#endif
