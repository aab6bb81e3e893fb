#include "analysis/sweep/sensitivity.h"
#include "analysis/heap.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

/* Values that differ by rounding only do not vary. */
static bool varies(double variance, double mean)
{
    return variance > 1e-24 * (mean * mean + 1e-300);
}

bool sensitivity_of_saltelli(const double *values, size_t samples, size_t keys,
                             struct sensitivity *indices)
{
    const double *a = values, *b = values + samples;
    double *both = heap_new(2 * samples, sizeof *both);
    size_t kept = 0;
    for (size_t i = 0; i < samples; i++)
        if (!isnan(a[i]) && !isnan(b[i])) {
            both[kept++] = a[i];
            both[kept++] = b[i];
        }
    double mean = kept > 0 ? gsl_stats_mean(both, 1, kept) : 0;
    double variance = kept > 1 ? gsl_stats_variance_with_fixed_mean(both, 1, kept, mean) : 0;
    free(both);
    if (kept < 4 || !varies(variance, mean))
        return false;
    for (size_t key = 0; key < keys; key++) {
        const double *mixed = values + (key + 2) * samples;
        double first = 0, total = 0;
        size_t count = 0;
        for (size_t i = 0; i < samples; i++) {
            if (isnan(a[i]) || isnan(b[i]) || isnan(mixed[i]))
                continue;
            /* Centred: the estimate is the same in the mean and far less noisy. */
            first += (b[i] - mean) * (mixed[i] - a[i]);
            total += (a[i] - mixed[i]) * (a[i] - mixed[i]);
            count++;
        }
        if (count == 0)
            return false;
        indices[key].first = first / (double)count / variance;
        indices[key].total = total / (double)count / 2 / variance;
    }
    return true;
}

/* Variance of the means over the levels of one key (`others` false), or over the combinations of
 * all the others. */
static double variance_of_means(const double *values, const size_t *levels, size_t keys, size_t key,
                                bool others, double mean)
{
    size_t inner = 1, outer = 1;
    for (size_t k = 0; k < keys; k++)
        *(k < key ? &outer : &inner) *= k == key ? 1 : levels[k];
    size_t own = levels[key], groups = others ? outer * inner : own;
    double *sums = heap_new(groups, sizeof *sums), variance = 0;
    for (size_t o = 0; o < outer; o++)
        for (size_t l = 0; l < own; l++)
            for (size_t i = 0; i < inner; i++)
                sums[others ? o * inner + i : l] += values[(o * own + l) * inner + i] - mean;
    double size = (double)(outer * own * inner / groups);
    for (size_t g = 0; g < groups; g++)
        variance += sums[g] / size * (sums[g] / size);
    free(sums);
    return variance / (double)groups;
}

bool sensitivity_of_grid(const double *values, const size_t *levels, size_t keys,
                         struct sensitivity *indices)
{
    size_t count = 1;
    for (size_t key = 0; key < keys; key++)
        count *= levels[key];
    for (size_t i = 0; i < count; i++)
        if (isnan(values[i]))
            return false;
    double mean = gsl_stats_mean(values, 1, count);
    double variance = gsl_stats_variance_with_fixed_mean(values, 1, count, mean);
    if (!varies(variance, mean))
        return false;
    for (size_t key = 0; key < keys; key++) {
        indices[key].first = variance_of_means(values, levels, keys, key, false, mean) / variance;
        indices[key].total =
            1 - variance_of_means(values, levels, keys, key, true, mean) / variance;
    }
    return true;
}

bool sensitivity_of_sample(const double *coordinates, const double *values, size_t count,
                           struct sensitivity *index)
{
    enum { LEAST = 16, CLASSES_MAX = 50 };
    double *x = heap_new(count, sizeof *x), *y = heap_new(count, sizeof *y);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i])) {
            x[kept] = coordinates[i];
            y[kept++] = values[i];
        }
    gsl_sort2(x, 1, y, 1, kept);
    double mean = kept > 0 ? gsl_stats_mean(y, 1, kept) : 0;
    double variance = kept > 1 ? gsl_stats_variance_m(y, 1, kept, mean) : 0;
    bool good = kept >= LEAST && varies(variance, mean);
    size_t classes = (size_t)sqrt((double)kept);
    classes = classes > CLASSES_MAX ? CLASSES_MAX : classes;
    double between = 0;
    for (size_t c = 0, begin = 0; good && c < classes; c++) {
        size_t end = kept * (c + 1) / classes;
        while (end < kept && x[end] <= x[end - 1]) /* equal coordinates stay together */
            end++;
        if (end <= begin)
            continue;
        size_t size = end - begin;
        double part = gsl_stats_mean(y + begin, 1, size);
        /* A mean of `size` values strays from its expectation by their variance / size. */
        double chance =
            size > 1 ? gsl_stats_variance_m(y + begin, 1, size, part) / (double)size : variance;
        between += (double)size * ((part - mean) * (part - mean) - chance);
        begin = end;
    }
    *index = (struct sensitivity){fmax(0, between / (double)(kept > 0 ? kept : 1) / variance),
                                  (double)NAN};
    free(x);
    free(y);
    return good;
}
