/* The address range of a segment: which stretches are taken, by whom, and which are free.
 *
 * Extents lie in a list by address, so neighbours are found at once; the free ones also lie in a
 * tree by size, so that the best fit is found in O(log n). */
#ifndef WDDMSIM_VIDMM_RANGE_H
#define WDDMSIM_VIDMM_RANGE_H

#include "model/memory.h"

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

struct range_extent {
    uint64_t offset, size;
    void *owner;                        /* NULL: free */
    struct range_extent *more;          /* next extent of the same owner */
    struct range_extent *below, *above; /* by address */
    RB_ENTRY(range_extent) by_size;     /* free ones */
};

RB_HEAD(range_free, range_extent);

struct range {
    uint64_t size, free;
    struct range_extent *lowest;
    struct range_free by_size;
    struct memory_pool pool;
};

void range_init(struct range *range, uint64_t size);
void range_fini(struct range *range);

/* Takes `size` bytes: in one piece at a multiple of `alignment` (a power of two) if `contiguous`;
 * else in as few pieces as it can. NULL, and nothing taken, if there is no such room. */
struct range_extent *range_take(struct range *range, uint64_t size, uint64_t alignment,
                                bool contiguous, void *owner);

/* Gives back a chain of extents. */
void range_give(struct range *range, struct range_extent *extents);

/* Largest free extent. */
uint64_t range_largest(const struct range *range);

/* If the extent is the lowest one with an owner in a stretch of extents that are free or for whose
 * owner `counts` says so: the size of that stretch; else 0. */
uint64_t range_stretch_from(const struct range_extent *extent, bool (*counts)(const void *owner));

/* Largest stretch of extents that are free or for whose owner `counts` says so. */
uint64_t range_largest_where(const struct range *range, bool (*counts)(const void *owner));

/* Verifies the invariants; NULL, or what is wrong. */
const char *range_check(const struct range *range);

#endif
