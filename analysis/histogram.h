/* A histogram of 64-bit counts (nanoseconds, parts per million) of bounded size.
 *
 * Up to HISTOGRAM_EXACT values are kept as they are, and everything about them is exact. With one
 * more they are poured into buckets: every power of two is cut into 256 equal buckets, so a value
 * below 512 has a bucket of its own and a larger one shares a bucket 1/256 of its size or narrower.
 * A bucket answers with its middle: a quantile is within 1/512 (0.2 %) of the exact one. Count,
 * minimum, maximum and sum stay exact. Buckets are allocated an octave (2 KiB) at a time when a
 * first value falls into it, at most 57 of them: 114 KiB, however many values follow.
 *
 * The state depends on the set of values only, neither on their order nor on how they were
 * distributed over histograms that were merged. */
#ifndef WDDMSIM_ANALYSIS_HISTOGRAM_H
#define WDDMSIM_ANALYSIS_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_EXACT = 1024, HISTOGRAM_BUCKETS = 256, HISTOGRAM_OCTAVES = 57 };

__extension__ typedef unsigned __int128 histogram_sum;

/* All zero is an empty histogram. */
struct histogram {
    uint64_t count, min, max;
    histogram_sum sum;
    uint64_t *raw; /* the values while there are at most HISTOGRAM_EXACT, in order of arrival */
    uint64_t *octave[HISTOGRAM_OCTAVES];
};

/* The octave of a value: 0 for 0..255, then one per power of two. */
static inline unsigned histogram_octave(uint64_t value)
{
    return 56u - (unsigned)__builtin_clzll(value | 255);
}

static inline unsigned histogram_bucket(uint64_t value, unsigned octave)
{
    return (unsigned)(value >> (octave - (octave != 0))) & (HISTOGRAM_BUCKETS - 1);
}

/* The record path when the value has nowhere to go yet. */
void histogram_add_slowly(struct histogram *histogram, uint64_t value);

static inline void histogram_add(struct histogram *histogram, uint64_t value)
{
    unsigned octave = histogram_octave(value);
    uint64_t *bucket = histogram->octave[octave];
    if (bucket == NULL) { /* also while the values are kept raw: no octave exists then */
        histogram_add_slowly(histogram, value);
        return;
    }
    bucket[histogram_bucket(value, octave)]++;
    histogram->count++;
    histogram->sum += value;
    if (value < histogram->min)
        histogram->min = value;
    if (value > histogram->max)
        histogram->max = value;
}

/* Adds the value so many times. */
void histogram_add_times(struct histogram *histogram, uint64_t value, uint64_t times);

/* Adds every value of `from`; the result is what recording all values into one would have given. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/* The quantile by nearest rank: the smallest value that at least `permille` thousandths of all
 * values do not exceed. Always a recorded value while there are at most HISTOGRAM_EXACT, within
 * 1/512 of it beyond. False when there are too few values for it to mean anything: none at all, or
 * above the 90th percentile fewer than 1000/(1000 - permille) (p99: 100, p99.9: 1,000). */
bool histogram_quantile(const struct histogram *histogram, unsigned permille, uint64_t *value);

/* Mean; 0 when empty. */
double histogram_mean(const struct histogram *histogram);

/* Walks the distribution upwards: calls `visit` for each distinct value (or bucket, by its middle)
 * with how many values do not exceed it. */
void histogram_walk(const struct histogram *histogram,
                    void (*visit)(void *self, uint64_t value, uint64_t cumulative), void *self);

/* Frees what it holds and empties it. */
void histogram_clear(struct histogram *histogram);

#endif
