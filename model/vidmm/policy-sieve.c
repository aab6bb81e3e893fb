/* SIEVE (Zhang and others, NSDI 2024): a hand goes along the line of arrivals, from the oldest to
 * the newest and round again. It takes the first that was not used since it last passed; the others
 * keep their place and are asked again in the next round. */
#include "model/vidmm/internal.h"

/* The segment's clock counts the hand's rounds. */
static void added(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    allocation->standing.uses = 0;
    vidmm_stand(allocation, 0, segment->clock);
}

static void used(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    (void)segment;
    allocation->standing.uses = 1;
}

/* The hand is at the first in line: its round is the hand's. */
static bool spares(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    struct vidmm_standing *standing = &allocation->standing;
    segment->clock = standing->key.first;
    if (!standing->uses)
        return false;
    standing->uses = 0;
    vidmm_stand_keeping_order(allocation, standing->key.first + 1);
    return true;
}

const struct vidmm_policy vidmm_policy_sieve = {
    .name = "sieve",
    .summary = "in order of arrival, what was used keeps its place for a round",
    .added = added,
    .used = used,
    .spares = spares,
};
