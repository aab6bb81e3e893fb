/* Least frequently used first: by the uses in all the allocation's life; equals by last use. */
#include "model/vidmm/internal.h"

static void by_uses(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    (void)segment;
    vidmm_stand(allocation, 0, allocation->standing.uses);
}

static void count(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    allocation->standing.uses++;
    by_uses(segment, allocation);
}

/* What made it come was a use, too: all that stood in line had that one. */
static void count_arrival(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    (void)segment;
    allocation->standing.uses++;
}

const struct vidmm_policy vidmm_policy_lfu = {
    .name = "lfu",
    .summary = "least frequently used first, of these the least recently used",
    .added = by_uses,
    .used = count,
    .removed = count_arrival,
};
