/* Least recently used first: the default order among equal candidates (wddm.md §6.6, inferred from
 * Windows' per-segment switch to most recently used). */
#include "model/vidmm/internal.h"

static void to_the_end(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    (void)segment;
    vidmm_stand(allocation, 0, 0);
}

const struct vidmm_policy vidmm_policy_lru = {
    .name = "lru",
    .summary = "least recently used first",
    .added = to_the_end,
    .used = to_the_end,
};
