/* Least recently used first: the default order among equal candidates (wddm.md §6.6, inferred from
 * Windows' per-segment switch to most recently used). */
#include "model/vidmm/internal.h"

#include <utlist.h>

static void added(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    DL_APPEND(segment->order, allocation);
}

static void removed(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    DL_DELETE(segment->order, allocation);
}

static void used(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    removed(segment, allocation);
    added(segment, allocation);
}

static struct vidmm_allocation *first(struct vidmm_segment *segment)
{
    return segment->order;
}

static struct vidmm_allocation *next(struct vidmm_segment *segment,
                                     struct vidmm_allocation *allocation)
{
    (void)segment;
    return allocation->next;
}

const struct vidmm_policy vidmm_policy_lru = {
    .name = "lru",
    .summary = "least recently used first",
    .added = added,
    .used = used,
    .removed = removed,
    .first = first,
    .next = next,
};
