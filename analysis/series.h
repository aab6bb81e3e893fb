/* Time series of bounded size: whatever the length of the run, between 1,000 and 2,000 points. */
#ifndef WDDMSIM_ANALYSIS_SERIES_H
#define WDDMSIM_ANALYSIS_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SERIES_POINTS = 2000, SERIES_WIDTH = 7, SERIES_NEVER = UINT32_MAX };

/* The instants at which all series of a run are sampled. At first every instant at which something
 * changed is one; when there are more than SERIES_POINTS, one of every two is dropped and new ones
 * keep the resulting distance on average. Which of two, and how far each distance is from the
 * average, changes from one to the next (the same way in every run): a strict beat would show a
 * workload of the same beat, one frame like the other, always at the same point of its frame. A
 * point's time is the instant's own: it is true at that time. */
struct sampler {
    uint64_t *t_ns;
    uint32_t count;
    uint64_t interval_ns, next_ns;
    uint32_t repeats; /* of the latest instant */
};

/* One series of a sampler: its points are instants at which it differed from its last point. All
 * zero, with `width` (values per point, at most SERIES_WIDTH) set, is an empty one. */
struct series {
    uint32_t width, count, room;
    uint32_t *instant;
    uint64_t *values; /* width per point */
};

/* Whether a change at now_ns calls for a new instant. */
bool sampler_due(const struct sampler *sampler, uint64_t now_ns);

/* Adds an instant and returns its index. When SERIES_POINTS is exceeded, half of them are dropped
 * first and *thinned is set: the caller then thins every series. */
uint32_t sampler_add(struct sampler *sampler, uint64_t now_ns, bool *thinned);

/* Whether a change at now_ns is one more at the latest instant, where it is to be seen too. That is
 * so for the first few: tearing down a process may report thousands at the same time. */
bool sampler_again(struct sampler *sampler, uint64_t now_ns);

/* Halves the density of a series as sampler_add halved the instants: a point of a dropped instant
 * moves to the kept one behind it (where its values still hold) unless that has its own. */
void series_thin(struct series *series);

/* Sets the values at an instant, which must not lie before the last point. */
void series_put(struct series *series, uint32_t instant, const uint64_t *values);

void series_clear(struct series *series);

enum { BINS_LANES = 4 };

/* How much of up to four things (weights, in units of their own) there was over time, in equal bins
 * of a power of two nanoseconds that doubles whenever SERIES_POINTS bins do not reach any more.
 * Exact: the sum of the bins is the integral of the weight. */
struct bins {
    uint32_t shift; /* bins of 2^shift ns */
    uint32_t used;
    uint64_t value[SERIES_POINTS][BINS_LANES]; /* weight * ns */
};

/* Adds the weights over [from, to) that is not within one bin in use. */
void bins_add_slowly(struct bins *bins, uint64_t from_ns, uint64_t to_ns,
                     const uint64_t weights[BINS_LANES]);

static inline void bins_add_to(uint64_t bin[BINS_LANES], uint64_t ns,
                               const uint64_t weights[BINS_LANES])
{
    bin[0] += weights[0] * ns;
    bin[1] += weights[1] * ns;
    bin[2] += weights[2] * ns;
    bin[3] += weights[3] * ns;
}

/* Adds the weights over [from, to). */
static inline void bins_add(struct bins *bins, uint64_t from_ns, uint64_t to_ns,
                            const uint64_t weights[BINS_LANES])
{
    uint64_t first = from_ns >> bins->shift;
    if (from_ns < to_ns && first < bins->used && (to_ns - 1) >> bins->shift == first)
        bins_add_to(bins->value[first], to_ns - from_ns, weights);
    else
        bins_add_slowly(bins, from_ns, to_ns, weights);
}

/* Adds amounts at one instant. */
void bins_count(struct bins *bins, uint64_t now_ns, const uint64_t amounts[BINS_LANES]);

/* To bins of at least 2^shift ns. */
void bins_widen(struct bins *bins, uint32_t shift);

/* The integral of a lane. */
uint64_t bins_sum(const struct bins *bins, int lane);

#endif
