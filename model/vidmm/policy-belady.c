/* The offline optimum (Belady, IBM Systems Journal 1966): first goes what will be used last. With
 * allocations of one size no policy has fewer page-ins; it is the bound that others are measured
 * by, and no real system can have it. The future is the trace's (vidmm_foresee). */
#include "model/vidmm/internal.h"

static void by_next_use(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    (void)segment;
    vidmm_stand(allocation, 0, UINT64_MAX - allocation->standing.next_use);
}

const struct vidmm_policy vidmm_policy_belady = {
    .name = "belady",
    .summary = "what the trace uses last goes first: the bound no system can reach",
    .added = by_next_use,
    .used = by_next_use,
    .needs_next_use = true,
};
