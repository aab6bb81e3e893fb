#include "model/vidmm/range.h"

#include <stdlib.h>

static int compare(const struct range_extent *a, const struct range_extent *b)
{
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

RB_PROTOTYPE(range_free, range_extent, by_size, compare)
RB_GENERATE(range_free, range_extent, by_size, compare)

void range_init(struct range *range, uint64_t size, enum range_fit fit)
{
    *range = (struct range){.size = size, .free = size, .fit = fit};
    range->pool.object_size = sizeof(struct range_extent);
    RB_INIT(&range->by_size);
    if (size == 0)
        return;
    range->lowest = memory_pool_take(&range->pool);
    *range->lowest = (struct range_extent){.size = size, .counts = true};
    places_insert(&range->places, range->lowest);
    RB_INSERT(range_free, &range->by_size, range->lowest);
}

void range_fini(struct range *range)
{
    free(range->loose);
    memory_pool_fini(&range->pool);
}

/* Cuts an extent that is in no tree but that by place: what is above `size` bytes is an extent of
 * its own, and like it. */
static struct range_extent *cut(struct range *range, struct range_extent *extent, uint64_t size)
{
    struct range_extent *rest = memory_pool_take(&range->pool);
    *rest = (struct range_extent){.offset = extent->offset + size,
                                  .size = extent->size - size,
                                  .below = extent,
                                  .above = extent->above,
                                  .taken = extent->taken,
                                  .counts = extent->counts};
    if (rest->above)
        rest->above->below = rest;
    extent->above = rest;
    extent->size = size;
    places_insert(&range->places, rest); /* below `extent`: on the way up it is seen to, too */
    return rest;
}

/* Takes [from, from + size) out of a free extent. */
static struct range_extent *occupy(struct range *range, struct range_extent *extent, uint64_t from,
                                   uint64_t size)
{
    RB_REMOVE(range_free, &range->by_size, extent);
    if (from > extent->offset) {
        struct range_extent *below = extent;
        extent = cut(range, extent, from - extent->offset);
        RB_INSERT(range_free, &range->by_size, below);
    }
    if (extent->size > size)
        RB_INSERT(range_free, &range->by_size, cut(range, extent, size));
    extent->taken = true;
    places_changed(extent);
    range->free -= size;
    return chain_of(extent);
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
    struct range_extent *extent = places_lowest(&range->places, wish->from, wish->size);
    while (extent && !holds(extent, wish, at)) {
        uint64_t end = extent->offset + extent->size;
        extent = end < wish->to ? places_lowest(&range->places, end, wish->size) : NULL;
    }
    return extent;
}

static struct range_extent *highest(struct range *range, const struct range_wish *wish,
                                    uint64_t *at)
{
    struct range_extent *extent = places_highest(&range->places, wish->to, wish->size);
    while (extent && !holds(extent, wish, at))
        extent = extent->offset > wish->from
                     ? places_highest(&range->places, extent->offset, wish->size)
                     : NULL;
    return extent;
}

static bool is_anywhere(const struct range *range, const struct range_wish *wish)
{
    return wish->from == 0 && wish->to >= range->size;
}

static struct range_extent *take_whole(struct range *range, const struct range_wish *wish)
{
    uint64_t at;
    struct range_extent *extent = wish->from_end ? highest(range, wish, &at)
                                  : range->fit == RANGE_BEST && is_anywhere(range, wish)
                                      ? best(range, wish, &at)
                                      : lowest(range, wish, &at);
    return extent ? occupy(range, extent, at, wish->size) : NULL;
}

/* The next hole to be used up: the largest, or in a part of the range the one at its end. */
static struct range_extent *next_hole(struct range *range, const struct range_wish *wish)
{
    if (wish->from_end)
        return places_highest(&range->places, wish->to, 1);
    if (is_anywhere(range, wish))
        return RB_MAX(range_free, &range->by_size);
    return places_lowest(&range->places, wish->from, 1);
}

/* One hole after the other is used up, and put behind the chain. Bytes that are still wanting. */
static uint64_t use_up_holes(struct range *range, const struct range_wish *wish, uint64_t left,
                             struct range_extent **chain)
{
    struct range_extent *hole;
    while (left > 0 && (hole = next_hole(range, wish)) != NULL) {
        uint64_t end = hole->offset + hole->size;
        uint64_t from = hole->offset > wish->from ? hole->offset : wish->from;
        uint64_t to = end < wish->to ? end : wish->to;
        if (from >= to)
            break;
        uint64_t piece = to - from < left ? to - from : left;
        *chain = chain_join(*chain, occupy(range, hole, wish->from_end ? to - piece : from, piece));
        left -= piece;
    }
    return left;
}

static void put_loose(struct range *range, struct range_extent *chain)
{
    if (range->loose_count == range->loose_room) {
        range->loose_room = range->loose_room ? 2 * range->loose_room : 16;
        range->loose =
            memory_resize(range->loose, range->loose_room, sizeof(struct range_extent *));
    }
    range->loose[range->loose_count++] = chain;
}

/* The first so many bytes of a loose chain that has more; the rest stays loose. */
static struct range_extent *first_of(struct range *range, struct range_extent *chain,
                                     uint64_t bytes)
{
    struct range_extent *front, *rest, *within = chain_split(chain, bytes, &front, &rest);
    if (within) {
        struct range_extent *upper = cut(range, within, bytes - chain_bytes(front));
        front = chain_join(front, chain_of(within));
        rest = chain_join(chain_of(upper), rest);
    }
    put_loose(range, rest);
    return front;
}

/* Loose extents change hands. Bytes that are still wanting. */
static uint64_t hand_on_loose(struct range *range, uint64_t left, struct range_extent **chain)
{
    while (left > 0 && range->loose_count > 0) {
        struct range_extent *loose = range->loose[--range->loose_count];
        if (chain_bytes(loose) > left)
            loose = first_of(range, loose, left);
        left -= chain_bytes(loose);
        range->free -= chain_bytes(loose);
        *chain = chain_join(*chain, loose);
    }
    return left;
}

/* No hole is large enough. */
static struct range_extent *take_pieces(struct range *range, const struct range_wish *wish)
{
    struct range_extent *chain = NULL;
    uint64_t left = wish->size;
    if (is_anywhere(range, wish) && !wish->from_end)
        left = hand_on_loose(range, left, &chain);
    else
        range_settle(range);
    left = use_up_holes(range, wish, left, &chain);
    if (left == 0)
        return chain;
    range_give(range, chain, wish->size - left);
    return NULL;
}

static uint64_t power_of_two(uint64_t size)
{
    uint64_t power = 1;
    while (power < size)
        power *= 2;
    return power;
}

struct range_extent *range_take(struct range *range, const struct range_wish *wish)
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
    if (rounded.contiguous)
        range_settle(range);
    struct range_extent *extents = take_whole(range, &rounded);
    return extents || rounded.contiguous ? extents : take_pieces(range, &rounded);
}

static bool is_free(const struct range_extent *extent)
{
    return extent && !extent->taken;
}

/* Joins the extent above into `extent`; both are free and out of the tree. */
static void absorb(struct range *range, struct range_extent *extent, struct range_extent *above)
{
    extent->size += above->size;
    extent->above = above->above;
    if (extent->above)
        extent->above->below = extent;
    places_remove(&range->places, above);
    memory_pool_give(&range->pool, above);
}

void range_give(struct range *range, struct range_extent *extents, uint64_t bytes)
{
    if (!extents)
        return;
    if (!extents->counts)
        range_let_count(extents, true);
    range->free += range->fit == RANGE_BUDDY ? extents->size : bytes; /* the whole block */
    put_loose(range, extents);
}

static void settle(struct range *range, struct range_extent *extent)
{
    extent->taken = false;
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
    places_changed(extent);
    RB_INSERT(range_free, &range->by_size, extent);
}

void range_settle(struct range *range)
{
    while (range->loose_count > 0) {
        struct range_extent *more, *at = chain_first(range->loose[--range->loose_count]);
        for (; at; at = more) {
            more = at->more;
            settle(range, at);
        }
    }
}

uint64_t range_largest(struct range *range)
{
    range_settle(range);
    return places_largest(&range->places);
}

void range_let_count(struct range_extent *extents, bool counts)
{
    for (struct range_extent *at = chain_first(extents); at; at = at->more) {
        at->counts = counts;
        places_changed(at);
    }
}

uint64_t range_longest(struct range *range)
{
    range_settle(range);
    return places_longest(&range->places);
}

const char *range_check(struct range *range)
{
    range_settle(range);
    uint64_t offset = 0, free_bytes = 0, longest = 0, run = 0;
    const struct range_extent *below = NULL;
    for (const struct range_extent *extent = range->lowest; extent; extent = extent->above) {
        if (extent->offset != offset || extent->below != below || extent->size == 0)
            return "extents of a segment overlap or leave a gap";
        if (is_free(extent) && is_free(below))
            return "two neighbouring free extents were not joined";
        if (is_free(extent) && !extent->counts)
            return "a free extent does not count as one";
        run = extent->counts ? run + extent->size : 0;
        longest = run > longest ? run : longest;
        free_bytes += extent->taken ? 0 : extent->size;
        offset += extent->size;
        below = extent;
    }
    if (offset != range->size)
        return "extents do not cover their segment";
    if (longest != range_longest(range))
        return "the longest stretch of free or marked memory is wrong";
    if (free_bytes != range->free)
        return "free and used bytes of a segment do not add up";
    return NULL;
}
