/* purpose: what streams of chance are drawn for. A number here is part of what a scenario and a seed mean: new ones go
 * to the end. */
#ifndef TEITEN_PURPOSE_H
#define TEITEN_PURPOSE_H

enum purpose {
	FOR_OUTAGES, FOR_DAY_LEVEL, FOR_OWN_FACTOR, FOR_VISITS, FOR_SWEEP, FOR_SWEEP_HITS, FOR_TAIL_PORTS, FOR_TAIL,
	FOR_RISE, FOR_RISE_FACTOR, FOR_HAMMER, FOR_REGULARS,
};

#endif
