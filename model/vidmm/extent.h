/* A stretch of a segment's addresses. */
#ifndef WDDMSIM_VIDMM_EXTENT_H
#define WDDMSIM_VIDMM_EXTENT_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

struct range_extent {
    uint64_t offset, size;
    struct range_extent *more; /* next extent of the same owner */
    union {
        RB_ENTRY(range_extent) by_size; /* free ones */
        struct extent_in_chain {        /* the others: what lies before and behind them */
            struct range_extent *front, *rest;
            uint64_t front_bytes, bytes; /* of all that: before; with itself and what is behind */
        } chain;
    };
    bool taken;  /* by somebody; or it is loose */
    bool counts; /* in the longest stretch: if it is free, or as if it were */
    bool going;  /* scratch: its owner has been chosen to leave */
    struct range_extent *below, *above; /* by address */
    RB_ENTRY(range_extent) by_place;    /* all; what the subtree holds: */
    struct extent_summary {
        uint64_t bytes;        /* all of it */
        uint64_t largest_free; /* of one extent */
        uint64_t first, last;  /* how much of it counts, from its beginning, up to its end */
        uint64_t longest;      /* stretch that counts */
    } tree;
};

#endif
