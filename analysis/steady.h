/* Means of what goes on for long: with the warm-up taken off, and how far from the truth they may
 * be.
 *
 * The rule. Observations are kept as means of consecutive batches of equal size. Of these the
 * beginning is cut off where the standard error of what remains is least (MSER-5: White, Cobb,
 * Spratt, "A comparison of five steady-state truncation heuristics for simulation", 2000), within
 * the first half, unless that lowers its square by less than a fifth. If it still falls at the
 * half, the run was warming up and has no steady state to speak of. What remains is cut into 20
 * batches; their means are nearly independent, and the interval around their mean is Student's. */
#ifndef WDDMSIM_ANALYSIS_STEADY_H
#define WDDMSIM_ANALYSIS_STEADY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BATCHES = 1024, STEADY_BATCHES = 20, STEADY_LEAST = 5 * STEADY_BATCHES };

/* Sums of consecutive batches of 2^shift observations: between 512 and 1,024 of them, however many
 * observations follow. All zero is empty. */
struct batches {
    uint32_t shift, count;
    uint64_t open, open_count; /* the batch being filled */
    uint64_t sum[BATCHES];
};

/* Closes the batch that is full. */
void batches_turn(struct batches *batches);

static inline void batches_add(struct batches *batches, uint64_t value)
{
    batches->open += value;
    if (++batches->open_count >> batches->shift != 0)
        batches_turn(batches);
}

/* The means of the full batches: `means` has room for BATCHES; returns how many. */
size_t batches_means(const struct batches *batches, double *means);

/* A mean, and the half width of its 95 % confidence interval: NAN where there is none. */
struct estimate {
    double mean, half_width;
};

/* Of independent observations: at least two, for an interval. */
struct estimate estimate_mean(const double *values, size_t count);

/* How many of the observations, from the first, are warm-up: less than half of them. False if the
 * rule wants more than that, or if there are fewer than fifty. */
bool steady_warm_up(const double *values, size_t count, size_t *warm_up);

/* The steady state of consecutive, equally weighty observations. False if there is none: fewer than
 * STEADY_LEAST of them behind the warm-up. */
bool steady_estimate(const double *values, size_t count, struct estimate *estimate,
                     size_t *warm_up);

#endif
