/* What transfers lose to each other: over which stretches of time a transfer got on, and over which
 * another one on the same link did in its place. */
#ifndef WDDMSIM_SIMULATION_SHARING_H
#define WDDMSIM_SIMULATION_SHARING_H

#include "model/simulation/simulation.h"

/* To be called before a transfer joins or leaves: what there was until now is noted in each of the
 * list (by `next`). */
void sharing_note(struct sim_transfer *list, const struct sim_link *links, uint64_t now_ns);

/* The transfer, which alone would have taken alone_ns, ends: fills in what it lost to whom. */
void sharing_settle(struct sim_transfer *transfer, uint64_t alone_ns, uint64_t now_ns);

#endif
