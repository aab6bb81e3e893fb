/* Anyone, each with the same chance. Everybody stays for a time drawn from an exponential
 * distribution, on a clock that stands at the time of the latest victim: having no memory, that is
 * the same as drawing lots anew for each victim, and it keeps a line in which the next one stands
 * first. */
#include "model/vidmm/internal.h"

#include <gsl/gsl_randist.h>

static void draw(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    const double turns_to_ticks = 4294967296.0;
    double turns = gsl_ran_exponential(allocation->vidmm->random, 1);
    vidmm_stand(allocation, 0, segment->clock + (uint64_t)(turns * turns_to_ticks));
}

/* Also for what leaves by itself: then the clock does not go back. */
static void tick(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    uint64_t first = allocation->standing.key.first;
    if (allocation->standing.chosen && first > segment->clock)
        segment->clock = first;
}

const struct vidmm_policy vidmm_policy_random = {
    .name = "random",
    .summary = "any, with equal chances",
    .added = draw,
    .removed = tick,
};
