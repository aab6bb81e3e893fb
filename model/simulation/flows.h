/* SimGrid: the platform of links, and transfers as flows over them. */
#ifndef WDDMSIM_SIMULATION_FLOWS_H
#define WDDMSIM_SIMULATION_FLOWS_H

#include "model/simulation/simulation.h"

struct flows;

/* What the shared ones of these share: the first of them; NULL: none is. */
const struct sim_link *sim_shared_link(const struct sim_link *links, uint32_t count);

struct flows *flows_create(struct sim *sim, const struct sim_link *links, uint32_t link_count);

/* Runs `conduct(owner)` as a SimGrid actor to its end. */
void flows_run(struct flows *flows, void (*conduct)(void *owner), void *owner);

/* From here on only inside conduct. */

/* Starts a flow now: of the whole transfer, or of what is left of it. Its transfer's timer is set
 * when it has arrived. */
void flows_start(struct flows *flows, struct sim_transfer *transfer, double bytes);

/* Flows under way. */
bool flows_active(const struct flows *flows);

/* Advances SimGrid to `next_ns` or to the end of the first flow before it, and sets the timers of
 * flows that ended. Returns the date reached. */
uint64_t flows_wait(struct flows *flows, uint64_t now_ns, uint64_t next_ns);

/* A duration in whole nanoseconds: nothing is over before it is over, but what only floating point
 * puts past a whole nanosecond (up to 0.01 ns) is not carried to the next. */
uint64_t flows_round_up_ns(double ns);

void flows_destroy(struct flows *flows);

#endif
