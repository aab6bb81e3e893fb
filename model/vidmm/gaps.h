/* The free stretches of an address range, in order of address, each subtree knowing its largest:
 * the lowest or the highest one that is large enough is found in O(log n). */
#ifndef WDDMSIM_VIDMM_GAPS_H
#define WDDMSIM_VIDMM_GAPS_H

#include "model/vidmm/extent.h"

struct gaps {
    struct range_extent *rbh_root;
};

void gaps_insert(struct gaps *gaps, struct range_extent *extent);
void gaps_remove(struct gaps *gaps, struct range_extent *extent);

/* The lowest one of at least `size` bytes that ends above `from`; NULL: none. */
struct range_extent *gaps_lowest(const struct gaps *gaps, uint64_t from, uint64_t size);

/* The highest one of at least `size` bytes that starts below `to`; NULL: none. */
struct range_extent *gaps_highest(const struct gaps *gaps, uint64_t to, uint64_t size);

/* Bytes of the largest one; 0: there is none. */
uint64_t gaps_largest(const struct gaps *gaps);

#endif
