/* Second chance: in order of arrival, but what was used since its last turn goes to the end of the
 * line instead. */
#include "model/vidmm/internal.h"

static void to_the_end(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    (void)segment;
    vidmm_stand(allocation, 0, 0);
}

static void note(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    (void)segment;
    allocation->standing.uses = 1;
}

static bool spares(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    if (!allocation->standing.uses)
        return false;
    allocation->standing.uses = 0;
    to_the_end(segment, allocation);
    return true;
}

const struct vidmm_policy vidmm_policy_clock = {
    .name = "clock",
    .summary = "first come, first to go, with a second chance for what was used",
    .added = to_the_end,
    .used = note,
    .spares = spares,
};
