#include "model/vidmm/range.h"

static int compare(const struct range_extent *a, const struct range_extent *b)
{
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

RB_PROTOTYPE(range_free, range_extent, by_size, compare)
RB_GENERATE(range_free, range_extent, by_size, compare)

static void set_free(struct range *range, struct range_extent *extent)
{
    RB_INSERT(range_free, &range->by_size, extent);
    gaps_insert(&range->by_address, extent);
}

static void set_taken(struct range *range, struct range_extent *extent)
{
    RB_REMOVE(range_free, &range->by_size, extent);
    gaps_remove(&range->by_address, extent);
}

void range_init(struct range *range, uint64_t size, enum range_fit fit)
{
    *range = (struct range){.size = size, .free = size, .fit = fit};
    range->pool.object_size = sizeof(struct range_extent);
    RB_INIT(&range->by_size);
    if (size == 0)
        return;
    range->lowest = memory_pool_take(&range->pool);
    *range->lowest = (struct range_extent){.size = size};
    set_free(range, range->lowest);
}

void range_fini(struct range *range)
{
    memory_pool_fini(&range->pool);
}

/* Cuts an extent that is in no tree at `size` bytes; what is above is an extent of its own, in no
 * tree either. */
static struct range_extent *cut(struct range *range, struct range_extent *extent, uint64_t size)
{
    struct range_extent *rest = memory_pool_take(&range->pool);
    *rest = (struct range_extent){.offset = extent->offset + size,
                                  .size = extent->size - size,
                                  .below = extent,
                                  .above = extent->above};
    if (rest->above)
        rest->above->below = rest;
    extent->above = rest;
    extent->size = size;
    return rest;
}

/* Takes [from, from + size) out of a free extent. */
static struct range_extent *occupy(struct range *range, struct range_extent *extent, uint64_t from,
                                   uint64_t size, void *owner)
{
    set_taken(range, extent);
    if (from > extent->offset) {
        struct range_extent *below = extent;
        extent = cut(range, extent, from - extent->offset);
        set_free(range, below);
    }
    if (extent->size > size)
        set_free(range, cut(range, extent, size));
    extent->owner = owner;
    extent->more = NULL;
    range->free -= size;
    return extent;
}

/* Whether the extent holds what is wanted; where. */
static bool holds(const struct range_extent *extent, const struct range_wish *wish, uint64_t *at)
{
    uint64_t from = extent->offset > wish->from ? extent->offset : wish->from;
    uint64_t to = extent->offset + extent->size;
    to = to < wish->to ? to : wish->to;
    if (to < from || to - from < wish->size)
        return false;
    uint64_t mask = wish->alignment - 1;
    *at = wish->from_end ? (to - wish->size) & ~mask : (from + mask) & ~mask;
    return *at >= from && *at <= to && to - *at >= wish->size;
}

/* Only stretches of fewer than size + alignment bytes can be tried in vain. */
static struct range_extent *best(struct range *range, const struct range_wish *wish, uint64_t *at)
{
    struct range_extent wanted = {.size = wish->size};
    struct range_extent *extent = RB_NFIND(range_free, &range->by_size, &wanted);
    while (extent && !holds(extent, wish, at))
        extent = RB_NEXT(range_free, &range->by_size, extent);
    return extent;
}

static struct range_extent *lowest(struct range *range, const struct range_wish *wish, uint64_t *at)
{
    struct range_extent *extent = gaps_lowest(&range->by_address, wish->from, wish->size);
    while (extent && !holds(extent, wish, at)) {
        uint64_t end = extent->offset + extent->size;
        extent = end < wish->to ? gaps_lowest(&range->by_address, end, wish->size) : NULL;
    }
    return extent;
}

static struct range_extent *highest(struct range *range, const struct range_wish *wish,
                                    uint64_t *at)
{
    struct range_extent *extent = gaps_highest(&range->by_address, wish->to, wish->size);
    while (extent && !holds(extent, wish, at))
        extent = extent->offset > wish->from
                     ? gaps_highest(&range->by_address, extent->offset, wish->size)
                     : NULL;
    return extent;
}

static bool is_anywhere(const struct range *range, const struct range_wish *wish)
{
    return wish->from == 0 && wish->to >= range->size;
}

static struct range_extent *take_whole(struct range *range, const struct range_wish *wish,
                                       void *owner)
{
    uint64_t at;
    struct range_extent *extent = wish->from_end ? highest(range, wish, &at)
                                  : range->fit == RANGE_BEST && is_anywhere(range, wish)
                                      ? best(range, wish, &at)
                                      : lowest(range, wish, &at);
    return extent ? occupy(range, extent, at, wish->size, owner) : NULL;
}

/* The next hole to be used up: the largest, or in a part of the range the one at its end. */
static struct range_extent *next_hole(struct range *range, const struct range_wish *wish)
{
    if (wish->from_end)
        return gaps_highest(&range->by_address, wish->to, 1);
    if (is_anywhere(range, wish))
        return RB_MAX(range_free, &range->by_size);
    return gaps_lowest(&range->by_address, wish->from, 1);
}

/* No hole is large enough: one after the other is used up. */
static struct range_extent *take_pieces(struct range *range, const struct range_wish *wish,
                                        void *owner)
{
    struct range_extent *extents = NULL;
    uint64_t left = wish->size;
    while (left > 0) {
        struct range_extent *hole = next_hole(range, wish);
        uint64_t from = hole && hole->offset > wish->from ? hole->offset : wish->from;
        uint64_t to =
            hole && hole->offset + hole->size < wish->to ? hole->offset + hole->size : wish->to;
        if (!hole || from >= to) {
            range_give(range, extents);
            return NULL;
        }
        uint64_t piece = to - from < left ? to - from : left;
        struct range_extent *extent =
            occupy(range, hole, wish->from_end ? to - piece : from, piece, owner);
        extent->more = extents;
        extents = extent;
        left -= piece;
    }
    return extents;
}

static uint64_t power_of_two(uint64_t size)
{
    uint64_t power = 1;
    while (power < size)
        power *= 2;
    return power;
}

struct range_extent *range_take(struct range *range, const struct range_wish *wish, void *owner)
{
    struct range_wish rounded = *wish;
    if (range->fit == RANGE_BUDDY) {
        rounded.size = power_of_two(wish->size);
        rounded.contiguous = true;
        if (rounded.alignment < rounded.size)
            rounded.alignment = rounded.size;
    }
    if (rounded.size > range->free)
        return NULL;
    struct range_extent *extents = take_whole(range, &rounded, owner);
    return extents || rounded.contiguous ? extents : take_pieces(range, &rounded, owner);
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
            set_taken(range, extent->above);
            absorb(range, extent, extent->above);
        }
        if (is_free(extent->below)) {
            struct range_extent *below = extent->below;
            set_taken(range, below);
            absorb(range, below, extent);
            extent = below;
        }
        set_free(range, extent);
        extent = more;
    }
}

uint64_t range_largest(const struct range *range)
{
    return gaps_largest(&range->by_address);
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
