/* The address range of a segment: which stretches are taken, by whom, and which are free.
 *
 * Extents lie in a list by address, so neighbours are found at once; the free ones also lie in a
 * tree by size and in one by address, so that a fit is found in O(log n) whatever is asked for. */
#ifndef WDDMSIM_VIDMM_RANGE_H
#define WDDMSIM_VIDMM_RANGE_H

#include "model/memory.h"
#include "model/vidmm/gaps.h"

#include <stdbool.h>

RB_HEAD(range_free, range_extent);

/* Which of the free stretches that would do is taken. */
enum range_fit {
    RANGE_BEST,  /* the smallest */
    RANGE_FIRST, /* the lowest */
    RANGE_BUDDY, /* the lowest; a power of two bytes are taken at a multiple of as many */
    RANGE_FITS
};

struct range {
    uint64_t size, free;
    enum range_fit fit;
    struct range_extent *lowest;
    struct range_free by_size;
    struct gaps by_address;
    struct memory_pool pool;
};

/* What is wanted: `size` bytes in [from, to), in one piece at a multiple of `alignment` (a power of
 * two) if `contiguous`, else in as few pieces as there must be. From the end, the highest stretch
 * is taken and its upper part. */
struct range_wish {
    uint64_t size, alignment;
    uint64_t from, to;
    bool contiguous, from_end;
};

void range_init(struct range *range, uint64_t size, enum range_fit fit);
void range_fini(struct range *range);

/* Takes what is wanted. NULL, and nothing taken, if there is no such room. */
struct range_extent *range_take(struct range *range, const struct range_wish *wish, void *owner);

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
