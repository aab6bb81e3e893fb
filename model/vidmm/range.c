#include "model/vidmm/range.h"

static int compare(const struct range_extent *a, const struct range_extent *b)
{
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

RB_PROTOTYPE(range_free, range_extent, by_size, compare)
RB_GENERATE(range_free, range_extent, by_size, compare)

void range_init(struct range *range, uint64_t size)
{
    *range = (struct range){.size = size, .free = size};
    range->pool.object_size = sizeof(struct range_extent);
    RB_INIT(&range->by_size);
    if (size == 0)
        return;
    range->lowest = memory_pool_take(&range->pool);
    *range->lowest = (struct range_extent){.size = size};
    RB_INSERT(range_free, &range->by_size, range->lowest);
}

void range_fini(struct range *range)
{
    memory_pool_fini(&range->pool);
}

/* Cuts a free extent (not in the tree) at `size` bytes; the rest stays free. */
static void cut(struct range *range, struct range_extent *extent, uint64_t size)
{
    if (extent->size == size)
        return;
    struct range_extent *rest = memory_pool_take(&range->pool);
    *rest = (struct range_extent){.offset = extent->offset + size,
                                  .size = extent->size - size,
                                  .below = extent,
                                  .above = extent->above};
    if (rest->above)
        rest->above->below = rest;
    extent->above = rest;
    extent->size = size;
    RB_INSERT(range_free, &range->by_size, rest);
}

static struct range_extent *occupy(struct range *range, struct range_extent *extent, uint64_t skip,
                                   uint64_t size, void *owner)
{
    RB_REMOVE(range_free, &range->by_size, extent);
    if (skip) {
        cut(range, extent, skip);
        RB_INSERT(range_free, &range->by_size, extent);
        extent = extent->above;
        RB_REMOVE(range_free, &range->by_size, extent);
    }
    cut(range, extent, size);
    extent->owner = owner;
    extent->more = NULL;
    range->free -= size;
    return extent;
}

static struct range_extent *take_contiguous(struct range *range, uint64_t size, uint64_t alignment,
                                            void *owner)
{
    struct range_extent wanted = {.size = size};
    struct range_extent *extent = RB_NFIND(range_free, &range->by_size, &wanted);
    for (; extent; extent = RB_NEXT(range_free, &range->by_size, extent)) {
        uint64_t skip = -extent->offset & (alignment - 1);
        if (skip <= extent->size && extent->size - skip >= size)
            return occupy(range, extent, skip, size, owner);
    }
    return NULL;
}

struct range_extent *range_take(struct range *range, uint64_t size, uint64_t alignment,
                                bool contiguous, void *owner)
{
    if (size > range->free)
        return NULL;
    struct range_extent *extents = take_contiguous(range, size, alignment, owner);
    if (extents || contiguous)
        return extents;
    while (size > 0) { /* no hole is large enough: each is used up, the largest first */
        struct range_extent *largest = RB_MAX(range_free, &range->by_size);
        uint64_t piece = largest->size < size ? largest->size : size;
        struct range_extent *extent = occupy(range, largest, 0, piece, owner);
        extent->more = extents;
        extents = extent;
        size -= piece;
    }
    return extents;
}

static bool is_free(const struct range_extent *extent)
{
    return extent && !extent->owner;
}

/* Joins the extent above into `extent`; both are free and out of the tree. */
static void absorb(struct range *range, struct range_extent *extent, struct range_extent *above)
{
    extent->size += above->size;
    extent->above = above->above;
    if (extent->above)
        extent->above->below = extent;
    memory_pool_give(&range->pool, above);
}

void range_give(struct range *range, struct range_extent *extent)
{
    while (extent) {
        struct range_extent *more = extent->more;
        range->free += extent->size;
        extent->owner = NULL;
        extent->more = NULL;
        if (is_free(extent->above)) {
            RB_REMOVE(range_free, &range->by_size, extent->above);
            absorb(range, extent, extent->above);
        }
        if (is_free(extent->below)) {
            struct range_extent *below = extent->below;
            RB_REMOVE(range_free, &range->by_size, below);
            absorb(range, below, extent);
            extent = below;
        }
        RB_INSERT(range_free, &range->by_size, extent);
        extent = more;
    }
}

uint64_t range_largest(const struct range *range)
{
    const struct range_extent *largest =
        RB_MAX(range_free, (struct range_free *)(uintptr_t)&range->by_size);
    return largest ? largest->size : 0;
}

uint64_t range_stretch_from(const struct range_extent *extent, bool (*counts)(const void *owner))
{
    const struct range_extent *lowest = is_free(extent->below) ? extent->below : extent;
    if (lowest->below && counts(lowest->below->owner)) /* no two free ones are neighbours */
        return 0;
    uint64_t stretch = 0;
    for (; lowest && (!lowest->owner || counts(lowest->owner)); lowest = lowest->above)
        stretch += lowest->size;
    return stretch;
}

uint64_t range_largest_where(const struct range *range, bool (*counts)(const void *owner))
{
    uint64_t largest = 0, run = 0;
    for (const struct range_extent *extent = range->lowest; extent; extent = extent->above) {
        run = !extent->owner || counts(extent->owner) ? run + extent->size : 0;
        if (run > largest)
            largest = run;
    }
    return largest;
}

const char *range_check(const struct range *range)
{
    uint64_t offset = 0, free_bytes = 0;
    const struct range_extent *below = NULL;
    for (const struct range_extent *extent = range->lowest; extent; extent = extent->above) {
        if (extent->offset != offset || extent->below != below || extent->size == 0)
            return "extents of a segment overlap or leave a gap";
        if (!extent->owner && below && !below->owner)
            return "two neighbouring free extents were not joined";
        free_bytes += extent->owner ? 0 : extent->size;
        offset += extent->size;
        below = extent;
    }
    if (offset != range->size)
        return "extents do not cover their segment";
    if (free_bytes != range->free)
        return "free and used bytes of a segment do not add up";
    return NULL;
}
