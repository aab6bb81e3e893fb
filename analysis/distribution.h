/* Latency distributions as latency-cdf.csv keeps them: values and how often each was seen. Those of
 * several runs add up to that of all their calls. */
#ifndef WDDMSIM_ANALYSIS_DISTRIBUTION_H
#define WDDMSIM_ANALYSIS_DISTRIBUTION_H

#include "analysis/result.h"

struct distribution {
    char *op;
    bool recorded; /* else simulated */
    size_t count, room;
    double *value, *times; /* value rising */
    double total;          /* of times */
};

struct distributions {
    size_t count;
    struct distribution *of;
};

/* Reads all of a result's. False and a message if the file is missing or not ours. */
bool distributions_load(struct distributions *all, const struct result *result, char *error,
                        size_t error_size);
void distributions_free(struct distributions *all);

/* NULL: there is none. */
const struct distribution *distributions_find(const struct distributions *all, const char *op,
                                              bool recorded);

/* Adds another run's. */
void distributions_merge(struct distributions *into, const struct distributions *from);

/* By nearest rank, 0 < share <= 1; NAN if it is empty. */
double distribution_quantile(const struct distribution *distribution, double share);

/* Calls `visit` for points of the cumulative distribution: as many as a figure can show, ever finer
 * towards the slow end. `share`: of those that took so long or less. */
void distribution_points(const struct distribution *distribution,
                         void (*visit)(void *self, double value, double share), void *self);

#endif
