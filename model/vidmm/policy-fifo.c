/* In order of arrival, whatever was used since. */
#include "model/vidmm/internal.h"

static void to_the_end(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    (void)segment;
    vidmm_stand(allocation, 0, 0);
}

const struct vidmm_policy vidmm_policy_fifo = {
    .name = "fifo",
    .summary = "first come, first to go",
    .added = to_the_end,
};
