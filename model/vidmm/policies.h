/* Victim policies: who leaves a segment first. A new one is one file and one row in policies.c.
 *
 * A policy gives each allocation that is in a segment a place in line: a key, the smallest of which
 * leaves first. It may keep two lines and say which of them has to give the next victim. VidMm
 * decides who may leave at all (victims.c). */
#ifndef WDDMSIM_VIDMM_POLICIES_H
#define WDDMSIM_VIDMM_POLICIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vidmm_segment;
struct vidmm_allocation;

enum { VIDMM_LINES = 2 };

struct vidmm_policy {
    const char *name;
    const char *summary;
    /* The allocation came to the segment (called once more for the use that made it come); was used
     * there again; leaves it. Each may give it its place with vidmm_stand, the first must. `used`
     * and `removed` may be NULL. */
    void (*added)(struct vidmm_segment *segment, struct vidmm_allocation *allocation);
    void (*used)(struct vidmm_segment *segment, struct vidmm_allocation *allocation);
    void (*removed)(struct vidmm_segment *segment, struct vidmm_allocation *allocation);
    /* The line that has to give the next victim; NULL: there is only line 0. */
    uint32_t (*line)(const struct vidmm_segment *segment);
    /* The first in line may stay once more, and has got another place. It must not be so for ever.
     * NULL: never. */
    bool (*spares)(struct vidmm_segment *segment, struct vidmm_allocation *allocation);
    bool needs_next_use; /* what the future will use has to be known: vidmm_foresee */
};

/* In the order in which the key vidmm.eviction names them. */
extern const struct vidmm_policy *const vidmm_policies[];
extern const size_t vidmm_policy_count;

extern const struct vidmm_policy vidmm_policy_lru, vidmm_policy_priority_lru, vidmm_policy_clock,
    vidmm_policy_fifo, vidmm_policy_random, vidmm_policy_largest, vidmm_policy_two_queue,
    vidmm_policy_s3_fifo, vidmm_policy_sieve, vidmm_policy_belady, vidmm_policy_lfu,
    vidmm_policy_mru;

#endif
