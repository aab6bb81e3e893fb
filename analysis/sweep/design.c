#include "analysis/sweep/design.h"
#include "analysis/heap.h"

#include <ctype.h>
#include <errno.h>
#include <gsl/gsl_qrng.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <inttypes.h>

enum { SAMPLES_MAX = 1 << 20 };

static const struct {
    const char *name;
    bool samples;
} designs[] = {
    [DESIGN_GRID] = {"grid", false},  [DESIGN_ONE_AT_A_TIME] = {"one-at-a-time", false},
    [DESIGN_SOBOL] = {"sobol", true}, [DESIGN_HALTON] = {"halton", true},
    [DESIGN_LHS] = {"lhs", true},     [DESIGN_SALTELLI] = {"saltelli", true},
};

bool design_parse(const char *text, struct design *design, char *error, size_t error_size)
{
    size_t length = strcspn(text, ":");
    for (size_t i = 0; i < sizeof designs / sizeof *designs; i++) {
        if (strlen(designs[i].name) != length || strncmp(designs[i].name, text, length) != 0)
            continue;
        *design = (struct design){.kind = (enum design_kind)i};
        if (!designs[i].samples && text[length] == 0)
            return true;
        if (!designs[i].samples)
            break;
        char *end;
        errno = 0;
        unsigned long count = text[length] == ':' && isdigit((unsigned char)text[length + 1])
                                  ? strtoul(text + length + 1, &end, 10)
                                  : 0;
        if (count >= 2 && count <= SAMPLES_MAX && *end == 0 && errno == 0) {
            design->samples = count;
            return true;
        }
        snprintf(error, error_size, "expected %s:N with N from 2 to %d, got \"%.60s\"",
                 designs[i].name, (int)SAMPLES_MAX, text);
        return false;
    }
    snprintf(error, error_size,
             "expected grid, one-at-a-time, sobol:N, halton:N, lhs:N or saltelli:N, got \"%.60s\"",
             text);
    return false;
}

void design_print(const struct design *design, char text[48])
{
    if (design_samples(design))
        snprintf(text, 48, "%s:%zu", designs[design->kind].name, design->samples);
    else
        snprintf(text, 48, "%s", designs[design->kind].name);
}

bool design_samples(const struct design *design)
{
    return designs[design->kind].samples;
}

size_t design_rows(const struct design *design, size_t keys)
{
    return design->kind == DESIGN_SALTELLI ? design->samples * (keys + 2) : design->samples;
}

/* `rows` points of a quasi-random sequence, row by row. */
static double *sequence(const gsl_qrng_type *type, size_t rows, size_t columns, char *error,
                        size_t error_size)
{
    gsl_qrng *generator = gsl_qrng_alloc(type, (unsigned)columns);
    if (generator == NULL) {
        snprintf(error, error_size, "%zu keys are too many for this design", columns);
        return NULL;
    }
    double *unit = heap_new(rows * columns, sizeof *unit);
    for (size_t row = 0; row < rows; row++)
        gsl_qrng_get(generator, unit + row * columns);
    gsl_qrng_free(generator);
    return unit;
}

/* Each column has one point in each of `rows` equal strata, in an order of its own. */
static double *latin_hypercube(size_t rows, size_t columns, uint64_t seed)
{
    gsl_rng *generator = heap_check(gsl_rng_alloc(gsl_rng_mt19937));
    gsl_rng_set(generator, (unsigned long)seed);
    double *unit = heap_new(rows * columns, sizeof *unit);
    size_t *stratum = heap_new(rows, sizeof *stratum);
    for (size_t column = 0; column < columns; column++) {
        for (size_t row = 0; row < rows; row++)
            stratum[row] = row;
        gsl_ran_shuffle(generator, stratum, rows, sizeof *stratum);
        for (size_t row = 0; row < rows; row++)
            unit[row * columns + column] =
                ((double)stratum[row] + gsl_rng_uniform(generator)) / (double)rows;
    }
    free(stratum);
    gsl_rng_free(generator);
    return unit;
}

static double *saltelli(size_t samples, size_t keys, char *error, size_t error_size)
{
    double *halves = sequence(gsl_qrng_sobol, samples, 2 * keys, error, error_size);
    if (halves == NULL)
        return NULL;
    double *unit = heap_new(samples * (keys + 2) * keys, sizeof *unit);
    for (size_t block = 0; block < keys + 2; block++)
        for (size_t row = 0; row < samples; row++)
            for (size_t key = 0; key < keys; key++) {
                bool from_b = block == 1 || block == key + 2;
                unit[(block * samples + row) * keys + key] =
                    halves[row * 2 * keys + (from_b ? keys : 0) + key];
            }
    free(halves);
    return unit;
}

double *design_unit_cube(const struct design *design, size_t keys, uint64_t seed, char *error,
                         size_t error_size)
{
    switch (design->kind) {
    case DESIGN_SOBOL:
        return sequence(gsl_qrng_sobol, design->samples, keys, error, error_size);
    case DESIGN_HALTON:
        return sequence(gsl_qrng_halton, design->samples, keys, error, error_size);
    case DESIGN_LHS:
        return latin_hypercube(design->samples, keys, seed);
    case DESIGN_SALTELLI:
        return saltelli(design->samples, keys, error, error_size);
    case DESIGN_GRID:
    case DESIGN_ONE_AT_A_TIME:
        break;
    }
    snprintf(error, error_size, "a grid is not sampled");
    return NULL;
}
