/* Distributions that a workload's parameter chooses from. Each has the mean that is asked for;
 * `spread` says how far its values lie apart. */
#ifndef WDDMSIM_WORKLOADS_DISTRIBUTION_H
#define WDDMSIM_WORKLOADS_DISTRIBUTION_H

#include <gsl/gsl_rng.h>
#include <stdbool.h>
#include <stdint.h>

enum distribution_kind {
    DISTRIBUTION_FIXED,       /* the mean itself */
    DISTRIBUTION_UNIFORM,     /* mean x (1 - spread) to mean x (1 + spread) */
    DISTRIBUTION_EXPONENTIAL, /* knows no spread */
    DISTRIBUTION_LOGNORMAL,   /* sigma of the logarithm is the spread */
    DISTRIBUTION_PARETO,      /* shape 1 + 1 / spread */
    DISTRIBUTION_BIMODAL      /* nine of ten: mean x (1 - spread); the tenth: x (1 + 9 spread) */
};

struct distribution {
    enum distribution_kind kind;
    double spread;
};

double distribution_draw(const struct distribution *distribution, gsl_rng *random, double mean);

/* The same in whole units, at least 1. */
uint64_t distribution_whole(const struct distribution *distribution, gsl_rng *random, double mean);

/* Whether the spread would make values negative. */
bool distribution_wrong(const struct distribution *distribution);
#define DISTRIBUTION_WRONG "uniform and bimodal take spreads up to 1: beyond it values are negative"

/* The two rows of a table of parameters for a member that is a distribution: NAME and
 * NAME-spread. */
#define DISTRIBUTION_ROWS(structure, name, member, standard, spread_standard, what)                \
    {WORKLOAD_ROW(structure, name, CHOICE, member.kind,                                            \
                  "fixed, uniform, exponential, lognormal, pareto, bimodal", standard,             \
                  "distribution of " what)},                                                       \
    {                                                                                              \
        WORKLOAD_ROW(structure, name "-spread", NUMBER, member.spread, "0..100", spread_standard,  \
                     "how far apart they lie: uniform, mean x (1 - spread) to mean x (1 + "        \
                     "spread); lognormal, sigma; pareto, shape 1 + 1 / spread; bimodal, nine of "  \
                     "ten mean x (1 - spread), the tenth mean x (1 + 9 spread)")                   \
    }

#endif
