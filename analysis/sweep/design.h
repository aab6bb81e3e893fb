/* Where in the space of its keys a sweep looks.
 *
 * A grid takes every combination of listed values. The others sample the unit cube, one dimension
 * per key; whoever asks turns a coordinate into a value of the key. */
#ifndef WDDMSIM_ANALYSIS_SWEEP_DESIGN_H
#define WDDMSIM_ANALYSIS_SWEEP_DESIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum design_kind {
    DESIGN_GRID,
    DESIGN_ONE_AT_A_TIME, /* one key leaves the baseline, the others stay */
    DESIGN_SOBOL,         /* quasi-random: covers the cube evenly */
    DESIGN_HALTON,
    DESIGN_LHS,     /* Latin hypercube: every key is stratified */
    DESIGN_SALTELLI /* pairs of samples that Sobol's sensitivity indices are estimated from */
};

enum { DESIGN_KEYS_MAX = 40 }; /* of the quasi-random sequences: GSL's Sobol has no more */

struct design {
    enum design_kind kind;
    size_t samples; /* of the sampling kinds */
};

/* "grid", "one-at-a-time", "sobol:64", "halton:64", "lhs:64", "saltelli:64". False and what was
 * expected if it is none. */
bool design_parse(const char *text, struct design *design, char *error, size_t error_size);

/* The text that design_parse reads. */
void design_print(const struct design *design, char text[48]);

bool design_samples(const struct design *design);

/* How many points a sampling design of that many keys has: the samples, or samples × (keys + 2). */
size_t design_rows(const struct design *design, size_t keys);

/* The coordinates, rows × keys numbers in [0, 1), row by row; free() them. Only a Latin hypercube
 * depends on the seed. NULL and a message if there are too many keys for the sequence.
 *
 * Saltelli's rows: A, B, then for each key A with that key's column taken from B; A and B are the
 * two halves of the columns of one Sobol sequence. */
double *design_unit_cube(const struct design *design, size_t keys, uint64_t seed, char *error,
                         size_t error_size);

#endif
