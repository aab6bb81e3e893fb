/* The address range of a segment: which stretches are taken, by whom, and which are free.
 *
 * Extents lie in a list by address, so neighbours are found at once, and in a tree by address; the
 * free ones also lie in a tree by size. So a fit is found in O(log n) whatever is asked for.
 *
 * Where memory is full, what one owner gives back is taken by the next at once, page for page. So
 * what is given back stays loose at first: as it was, in chains, joined with nothing, to be handed
 * on to whoever takes pieces: whole chains, and the first part of one. It is settled when somebody
 * looks at the range or wants one piece. */
#ifndef WDDMSIM_VIDMM_RANGE_H
#define WDDMSIM_VIDMM_RANGE_H

#include "model/memory.h"
#include "model/vidmm/chain.h"
#include "model/vidmm/places.h"

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
    struct places places;
    struct memory_pool pool;
    struct range_extent **loose; /* chains; their bytes are free, and count so */
    uint32_t loose_count, loose_room;
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

/* Takes what is wanted: a chain. NULL, and nothing taken, if there is no such room. */
struct range_extent *range_take(struct range *range, const struct range_wish *wish);

/* Gives back the chain of extents that was taken for so many bytes. */
void range_give(struct range *range, struct range_extent *extents, uint64_t bytes);

/* Joins what is loose with what is free: from now on extents and their neighbours tell the truth.
 */
void range_settle(struct range *range);

/* Largest free extent. Settles. */
uint64_t range_largest(struct range *range);

/* Whether the extents of a chain count as if they were free; at first they do. */
void range_let_count(struct range_extent *extents, bool counts);

/* Largest stretch of extents that are free or count. Settles. */
uint64_t range_longest(struct range *range);

/* Verifies the invariants; NULL, or what is wrong. Settles. */
const char *range_check(struct range *range);

#endif
