/* S3-FIFO (Yang and others, SOSP 2023): three first-in first-out lines. Newcomers stand in a small
 * one, a tenth of the segment. Who was used more than once there moves to the main one; who was not
 * leaves, and is remembered: coming back, it goes straight to the main one, where each use buys one
 * more round. */
#include "model/vidmm/internal.h"

enum { SMALL, MAIN, USES_MAX = 3 };

static void added(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    uint64_t main_size = segment->range.size / 10 * 9;
    bool remembered = vidmm_left_within(segment, allocation, main_size);
    allocation->standing.uses = 0;
    vidmm_stand(allocation, remembered ? MAIN : SMALL, 0);
}

static void used(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    (void)segment;
    if (allocation->standing.uses < USES_MAX)
        allocation->standing.uses++;
}

static void removed(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    if (allocation->standing.line == SMALL)
        vidmm_remember(segment, allocation);
}

static uint32_t line(const struct vidmm_segment *segment)
{
    return segment->line_bytes[SMALL] >= segment->range.size / 10 ? SMALL : MAIN;
}

static bool spares(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    (void)segment;
    struct vidmm_standing *standing = &allocation->standing;
    if (standing->line == SMALL ? standing->uses <= 1 : standing->uses == 0)
        return false;
    standing->uses = standing->line == SMALL ? 0 : standing->uses - 1;
    vidmm_stand(allocation, MAIN, 0);
    return true;
}

const struct vidmm_policy vidmm_policy_s3_fifo = {
    .name = "s3-fifo",
    .summary = "a small line for newcomers, a main one with a round more for each use",
    .added = added,
    .used = used,
    .removed = removed,
    .line = line,
    .spares = spares,
};
