/* A probe that passes on what it is told, in the same order, on a thread of its own: what watches a
 * model then takes none of its time, as long as there is a processor for it.
 *
 * What is told lies in blocks that go from the model's thread to the other one and come back empty;
 * when all are full the model waits. Of the model nothing is read but in its own thread: segments
 * are looked at ahead, at the instants at which a sampler (series.h) asks for them. */
#ifndef WDDMSIM_ANALYSIS_RELAY_H
#define WDDMSIM_ANALYSIS_RELAY_H

#include "model/probe.h"

struct relay;

/* Starts the thread. `to` must outlive the relay; it is called by nobody else from now on. NULL: no
 * thread can be had. */
struct relay *relay_start(struct probe *to);

/* What to hand to the model; it has the same callbacks as `to`. Owned by the relay. */
struct probe *relay_probe(struct relay *relay);

/* Returns when everything that was told has been passed on. The caller may then touch what `to`
 * writes to until it tells more. */
void relay_catch_up(struct relay *relay);

/* Catches up, ends the thread and frees the relay; NULL is allowed. */
void relay_end(struct relay *relay);

#endif
