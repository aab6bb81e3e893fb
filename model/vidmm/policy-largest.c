/* The largest first: fewest operations for the room. Equals by last use. */
#include "model/vidmm/internal.h"

static void by_size(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    (void)segment;
    vidmm_stand(allocation, 0, UINT64_MAX - allocation->size);
}

const struct vidmm_policy vidmm_policy_largest = {
    .name = "largest",
    .summary = "largest first, of these the least recently used",
    .added = by_size,
    .used = by_size,
};
