/* 2Q (Johnson and Shasha, VLDB 1994): what comes for the first time stands in a first-in first-out
 * line of a quarter of the segment; what comes back soon after it left that line joins the others,
 * who leave by last use. A scan passes through the first line and disturbs nobody. */
#include "model/vidmm/internal.h"

enum { ARRIVALS, KNOWN };

/* The authors' tuning: arrivals get 25 % of the room, and are remembered for another 50 %. */
static uint64_t share(const struct vidmm_segment *segment, unsigned percent)
{
    return segment->range.size / 100 * percent;
}

static void added(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    bool remembered = vidmm_left_within(segment, allocation, share(segment, 50));
    vidmm_stand(allocation, remembered ? KNOWN : ARRIVALS, 0);
}

static void used(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    (void)segment;
    if (allocation->standing.line == KNOWN)
        vidmm_stand(allocation, KNOWN, 0);
}

static void removed(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    if (allocation->standing.line == ARRIVALS)
        vidmm_remember(segment, allocation);
}

static uint32_t line(const struct vidmm_segment *segment)
{
    return segment->line_bytes[ARRIVALS] > share(segment, 25) ? ARRIVALS : KNOWN;
}

const struct vidmm_policy vidmm_policy_two_queue = {
    .name = "2q",
    .summary = "arrivals in a line of their own, the others by last use",
    .added = added,
    .used = used,
    .removed = removed,
    .line = line,
};
