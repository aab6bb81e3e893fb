/* Most recently used first: the other order that Windows has (USE_MRU, wddm.md §6.6). It suits a
 * cyclic scan of more than fits. */
#include "model/vidmm/internal.h"

static void to_the_front(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    (void)segment;
    vidmm_stand(allocation, 0, UINT64_MAX - vidmm_stamp(allocation));
}

const struct vidmm_policy vidmm_policy_mru = {
    .name = "mru",
    .summary = "most recently used first",
    .added = to_the_front,
    .used = to_the_front,
};
