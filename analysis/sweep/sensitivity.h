/* How much of a metric's variance each key of a sweep explains.
 *
 * Sobol's indices: the first-order index of a key is the share of the variance that it explains on
 * its own, the total index the share that goes when everything but it is known: its interactions
 * included. Between the two lies what it does only together with others. */
#ifndef WDDMSIM_ANALYSIS_SWEEP_SENSITIVITY_H
#define WDDMSIM_ANALYSIS_SWEEP_SENSITIVITY_H

#include <stdbool.h>
#include <stddef.h>

struct sensitivity {
    double first;
    double total; /* NaN where the design does not say */
};

/* From the values at a Saltelli design's rows (design.h): first order after Saltelli et al. 2010,
 * total after Jansen 1999. Samples of which a value is NaN are left out. False if the values do not
 * vary, or too few are left. */
bool sensitivity_of_saltelli(const double *values, size_t samples, size_t keys,
                             struct sensitivity *indices);

/* From the values at every combination of levels, the last key running fastest: exact for that
 * grid, every level weighing the same (analysis of variance). False if a value is NaN or they do
 * not vary. */
bool sensitivity_of_grid(const double *values, const size_t *levels, size_t keys,
                         struct sensitivity *indices);

/* From values at any sample: the variance of the means of classes of the key's coordinates, less
 * what chance alone would give them (Plischke, Borgonovo and Smith 2013). First order only. False
 * if there are fewer than 16 values or they do not vary. */
bool sensitivity_of_sample(const double *coordinates, const double *values, size_t count,
                           struct sensitivity *index);

#endif
