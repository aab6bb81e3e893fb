/* The miss-ratio curve of a sequence of references under LRU: what share of them would miss in a
 * memory of so many bytes, for every size at once.
 *
 * Up to a number of references it is exact. Beyond, a share of the objects is looked at
 * (Waldspurger and others, SHARDS, FAST 2015): half of them, a quarter, and so on, so that no more
 * references than that are kept; distances among them are scaled up. How far off that may be is
 * said by what sixteen parts of the sample, each taken alone, say. */
#ifndef WDDMSIM_ANALYSIS_MISS_CURVE_H
#define WDDMSIM_ANALYSIS_MISS_CURVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct miss_curve;

enum { MISS_CURVE_PAGE = 4096 };

/* In whole pages, one at least: what an object of that size takes of a memory. */
static inline uint64_t miss_curve_pages(uint64_t bytes)
{
    uint64_t pages = bytes / MISS_CURVE_PAGE + (bytes % MISS_CURVE_PAGE != 0);
    return (pages != 0 ? pages : 1) * MISS_CURVE_PAGE;
}

/* At a size of memory. */
struct miss_point {
    uint64_t bytes;      /* of the memory */
    double misses;       /* share of the references, first uses included */
    double missed_bytes; /* in all, first uses included */
    double error;        /* of `misses`: half a 95 % confidence interval; 0 where exact */
};

/* `most`: references that are kept. */
struct miss_curve *miss_curve_create(uint64_t most);
void miss_curve_destroy(struct miss_curve *curve);

/* An object is used; ceases to exist: its number may be used again. */
void miss_curve_use(struct miss_curve *curve, uint32_t object, uint64_t bytes);
void miss_curve_remove(struct miss_curve *curve, uint32_t object);

/* Behind the last reference, once: works out the curve. */
void miss_curve_finish(struct miss_curve *curve);

uint64_t miss_curve_references(const struct miss_curve *curve);
double miss_curve_first_uses(const struct miss_curve *curve); /* share of the references */
double miss_curve_rate(const struct miss_curve *curve);       /* of the objects; 1: exact */
/* The memory from which on nothing but first uses misses. */
uint64_t miss_curve_enough(const struct miss_curve *curve);

struct miss_point miss_curve_at(const struct miss_curve *curve, uint64_t bytes);

/* The smallest size above `bytes` at which the curve steps down; false: there is none. */
bool miss_curve_next(const struct miss_curve *curve, uint64_t bytes, struct miss_point *point);

/* As CSV: a row for each step, or where these are closer than `apart` bytes, for every so many. */
void miss_curve_write(const struct miss_curve *curve, uint64_t apart, FILE *out);

#endif
