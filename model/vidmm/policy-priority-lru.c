/* The lowest allocation priority first, to the last bit of it; equals by last use. Every policy
 * prefers victims of a lower class of priority (placement.c); this one also tells 0x78000001 from
 * 0x78000000 (wddm.md §6.2). */
#include "model/vidmm/internal.h"

static void to_the_end(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    (void)segment;
    vidmm_stand(allocation, 0, vidmm_exact_priority(allocation));
}

const struct vidmm_policy vidmm_policy_priority_lru = {
    .name = "priority-lru",
    .summary = "lowest priority first, of these the least recently used",
    .added = to_the_end,
    .used = to_the_end,
};
