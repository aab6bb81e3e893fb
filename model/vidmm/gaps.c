/* Every change of a subtree goes up to the root: sys/tree.h calls this where it relinks. */
#define RB_AUGMENT(extent) refresh(extent)
#include "model/vidmm/gaps.h"

#include <stddef.h>

static uint64_t largest(const struct range_extent *extent)
{
    return extent ? extent->largest : 0;
}

static void refresh(struct range_extent *extent)
{
    for (; extent; extent = RB_PARENT(extent, by_address)) {
        uint64_t left = largest(RB_LEFT(extent, by_address));
        uint64_t right = largest(RB_RIGHT(extent, by_address));
        uint64_t most = left > right ? left : right;
        extent->largest = extent->size > most ? extent->size : most;
    }
}

static int compare(const struct range_extent *a, const struct range_extent *b)
{
    return (a->offset > b->offset) - (a->offset < b->offset);
}

RB_PROTOTYPE(gaps, range_extent, by_address, compare)
RB_GENERATE(gaps, range_extent, by_address, compare)

void gaps_insert(struct gaps *gaps, struct range_extent *extent)
{
    extent->largest = extent->size;
    RB_INSERT(gaps, gaps, extent);
}

void gaps_remove(struct gaps *gaps, struct range_extent *extent)
{
    RB_REMOVE(gaps, gaps, extent);
}

static struct range_extent *lowest(struct range_extent *extent, uint64_t from, uint64_t size)
{
    while (extent && extent->largest >= size) {
        if (extent->offset + extent->size > from) {
            struct range_extent *lower = lowest(RB_LEFT(extent, by_address), from, size);
            if (lower)
                return lower;
            if (extent->size >= size)
                return extent;
        }
        extent = RB_RIGHT(extent, by_address);
    }
    return NULL;
}

struct range_extent *gaps_lowest(const struct gaps *gaps, uint64_t from, uint64_t size)
{
    return lowest(RB_ROOT(gaps), from, size);
}

static struct range_extent *highest(struct range_extent *extent, uint64_t to, uint64_t size)
{
    while (extent && extent->largest >= size) {
        if (extent->offset < to) {
            struct range_extent *higher = highest(RB_RIGHT(extent, by_address), to, size);
            if (higher)
                return higher;
            if (extent->size >= size)
                return extent;
        }
        extent = RB_LEFT(extent, by_address);
    }
    return NULL;
}

struct range_extent *gaps_highest(const struct gaps *gaps, uint64_t to, uint64_t size)
{
    return highest(RB_ROOT(gaps), to, size);
}

uint64_t gaps_largest(const struct gaps *gaps)
{
    return largest(RB_ROOT(gaps));
}
