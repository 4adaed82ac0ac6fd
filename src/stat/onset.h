/* onset: when a surge that has just become known began: ours, where METHODS.md 2.3 takes the least of a cumulative sum. V of the last ten days is
 * fitted by least squares as a share of what was to be expected and, from some hour on, a constant more or one that grows by the hour; the hour and
 * the shape with the least residue are taken. A cumulative sum finds a step as well and a slow rise a day late. */
#ifndef TEITEN_ONSET_H
#define TEITEN_ONSET_H

#include "stat/tracker.h"

/* The first hour of the rise; -1: nothing of V rises. */
int64_t onset_fit(const struct past *p, int64_t hour);

#endif
