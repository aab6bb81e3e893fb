/* Victim policies: who leaves a segment first. A new one is one file and one row in policies.c. */
#ifndef WDDMSIM_VIDMM_POLICIES_H
#define WDDMSIM_VIDMM_POLICIES_H

struct vidmm_segment;
struct vidmm_allocation;

struct vidmm_policy {
    const char *name;
    const char *summary;
    void (*added)(struct vidmm_segment *segment, struct vidmm_allocation *allocation);
    void (*used)(struct vidmm_segment *segment, struct vidmm_allocation *allocation);
    void (*removed)(struct vidmm_segment *segment, struct vidmm_allocation *allocation);
    /* The order in which allocations should leave; VidMm skips those that must stay. NULL: no
     * more. */
    struct vidmm_allocation *(*first)(struct vidmm_segment *segment);
    struct vidmm_allocation *(*next)(struct vidmm_segment *segment,
                                     struct vidmm_allocation *allocation);
};

/* The policy of that name, or NULL. */
const struct vidmm_policy *vidmm_policy_find(const char *name);

extern const struct vidmm_policy vidmm_policy_lru;

#endif
