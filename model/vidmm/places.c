/* What a subtree holds is worked out anew where sys/tree.h relinks, and then once on the way from
 * the deepest change up to the root. */
#define RB_AUGMENT(extent) refresh(extent)
#include "model/vidmm/places.h"

#include <stddef.h>

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static struct extent_summary of_tree(const struct range_extent *extent)
{
    return extent ? extent->tree : (struct extent_summary){0};
}

static struct extent_summary join(struct extent_summary below, struct extent_summary above)
{
    return (struct extent_summary){
        .bytes = below.bytes + above.bytes,
        .largest_free = larger(below.largest_free, above.largest_free),
        .first = below.first == below.bytes ? below.bytes + above.first : below.first,
        .last = above.last == above.bytes ? above.bytes + below.last : above.last,
        .longest = larger(larger(below.longest, above.longest), below.last + above.first),
    };
}

/* Whether anything has changed. */
static bool refresh(struct range_extent *extent)
{
    uint64_t counting = extent->counts ? extent->size : 0;
    const struct extent_summary old = extent->tree,
                                own = {extent->size, extent->taken ? 0 : extent->size, counting,
                                       counting, counting};
    extent->tree =
        join(join(of_tree(RB_LEFT(extent, by_place)), own), of_tree(RB_RIGHT(extent, by_place)));
    return extent->tree.bytes != old.bytes || extent->tree.largest_free != old.largest_free ||
           extent->tree.first != old.first || extent->tree.last != old.last ||
           extent->tree.longest != old.longest;
}

static int compare(const struct range_extent *a, const struct range_extent *b)
{
    return (a->offset > b->offset) - (a->offset < b->offset);
}

RB_PROTOTYPE(places, range_extent, by_place, compare)
RB_GENERATE(places, range_extent, by_place, compare)

static void refresh_upwards(struct range_extent *extent)
{
    for (; extent; extent = RB_PARENT(extent, by_place))
        refresh(extent);
}

void places_insert(struct places *places, struct range_extent *extent)
{
    RB_INSERT(places, places, extent);
    refresh_upwards(extent);
}

/* The deepest extent below which something changes when this one goes: its parent, or the parent of
 * the one that takes its place. */
static struct range_extent *deepest_change(struct range_extent *extent)
{
    if (!RB_LEFT(extent, by_place) || !RB_RIGHT(extent, by_place))
        return RB_PARENT(extent, by_place);
    struct range_extent *successor = RB_RIGHT(extent, by_place);
    while (RB_LEFT(successor, by_place))
        successor = RB_LEFT(successor, by_place);
    struct range_extent *parent = RB_PARENT(successor, by_place);
    return parent == extent ? successor : parent;
}

void places_remove(struct places *places, struct range_extent *extent)
{
    struct range_extent *deepest = deepest_change(extent);
    RB_REMOVE(places, places, extent);
    refresh_upwards(deepest);
}

void places_changed(struct range_extent *extent)
{
    while (extent && refresh(extent))
        extent = RB_PARENT(extent, by_place);
}

static bool is_enough(const struct range_extent *extent, uint64_t size)
{
    return !extent->taken && extent->size >= size;
}

static struct range_extent *lowest(struct range_extent *extent, uint64_t from, uint64_t size)
{
    while (extent && extent->tree.largest_free >= size) {
        if (extent->offset + extent->size > from) {
            struct range_extent *lower = lowest(RB_LEFT(extent, by_place), from, size);
            if (lower || is_enough(extent, size))
                return lower ? lower : extent;
        }
        extent = RB_RIGHT(extent, by_place);
    }
    return NULL;
}

struct range_extent *places_lowest(const struct places *places, uint64_t from, uint64_t size)
{
    return lowest(RB_ROOT(places), from, size);
}

static struct range_extent *highest(struct range_extent *extent, uint64_t to, uint64_t size)
{
    while (extent && extent->tree.largest_free >= size) {
        if (extent->offset < to) {
            struct range_extent *higher = highest(RB_RIGHT(extent, by_place), to, size);
            if (higher || is_enough(extent, size))
                return higher ? higher : extent;
        }
        extent = RB_LEFT(extent, by_place);
    }
    return NULL;
}

struct range_extent *places_highest(const struct places *places, uint64_t to, uint64_t size)
{
    return highest(RB_ROOT(places), to, size);
}

uint64_t places_largest(const struct places *places)
{
    return of_tree(RB_ROOT(places)).largest_free;
}

uint64_t places_longest(const struct places *places)
{
    return of_tree(RB_ROOT(places)).longest;
}
