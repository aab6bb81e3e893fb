/* All extents of a range in order of address: a tree in which each subtree knows its largest free
 * extent and its longest stretch of extents that count. So the lowest or highest one that is large
 * enough is found in O(log n), and the longest stretch is known at any time. */
#ifndef WDDMSIM_VIDMM_PLACES_H
#define WDDMSIM_VIDMM_PLACES_H

#include "model/vidmm/extent.h"

struct places {
    struct range_extent *rbh_root;
};

void places_insert(struct places *places, struct range_extent *extent);
void places_remove(struct places *places, struct range_extent *extent);

/* The extent's size, or whether it is taken or counts, has changed. */
void places_changed(struct range_extent *extent);

/* The lowest free one of at least `size` bytes that ends above `from`; NULL: none. */
struct range_extent *places_lowest(const struct places *places, uint64_t from, uint64_t size);

/* The highest free one of at least `size` bytes that starts below `to`; NULL: none. */
struct range_extent *places_highest(const struct places *places, uint64_t to, uint64_t size);

/* Bytes of the largest free one, of the longest stretch; 0: there is none. */
uint64_t places_largest(const struct places *places);
uint64_t places_longest(const struct places *places);

#endif
