/* What calls of about the same latency consist of: what the slow ones are slow for. Every power of
 * two is cut into BLAME_LEVELS equal levels (those below 256 ns are one power); a level keeps the
 * sums of its calls. Levels are allocated a power at a time: 800 bytes. */
#ifndef WDDMSIM_ANALYSIS_BLAME_LEVELS_H
#define WDDMSIM_ANALYSIS_BLAME_LEVELS_H

#include "analysis/histogram.h"
#include "model/probe.h"

enum { BLAME_LEVELS = 8, BLAME_LEAST = 10 };

struct blame_level {
    uint64_t count, ns[PROBE_CAUSES];
};

/* All zero is empty. */
struct blame_levels {
    struct blame_level *octave[HISTOGRAM_OCTAVES];
};

/* Returns the sum of the causes. */
uint64_t blame_levels_add(struct blame_levels *levels, uint64_t latency_ns,
                          const uint64_t blame_ns[PROBE_CAUSES]);

/* Adds all that `from` has. */
void blame_levels_merge(struct blame_levels *into, const struct blame_levels *from);

/* What all calls together consist of. */
void blame_levels_sum(const struct blame_levels *levels, uint64_t sum_ns[PROBE_CAUSES]);

/* What `latency_ns` consists of, as in the calls that took about as long: those of its level and,
 * until there are BLAME_LEAST of them, of the ones around it. The parts add up to latency_ns. */
void blame_levels_at(const struct blame_levels *levels, uint64_t latency_ns,
                     uint64_t part_ns[PROBE_CAUSES]);

void blame_levels_clear(struct blame_levels *levels);

#endif
