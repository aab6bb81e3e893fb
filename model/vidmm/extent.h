/* A stretch of a segment's addresses. */
#ifndef WDDMSIM_VIDMM_EXTENT_H
#define WDDMSIM_VIDMM_EXTENT_H

#include <bsd/sys/tree.h>
#include <stdint.h>

struct range_extent {
    uint64_t offset, size;
    void *owner;                        /* NULL: free */
    struct range_extent *more;          /* next extent of the same owner */
    struct range_extent *below, *above; /* by address */
    /* Free ones only. */
    RB_ENTRY(range_extent) by_size;
    RB_ENTRY(range_extent) by_address;
    uint64_t largest; /* size of the largest one in the subtree by address */
};

#endif
