#include "model/vidmm/chain.h"

#include <stddef.h>

/* Which of two extents is further up; as good as drawn by lot, and the same in every run. */
static uint32_t rank(uint64_t offset)
{
    offset ^= offset >> 33;
    offset *= UINT64_C(0xff51afd7ed558ccd); /* the finalizer of MurmurHash3 */
    offset ^= offset >> 33;
    offset *= UINT64_C(0xc4ceb9fe1a85ec53);
    return (uint32_t)(offset >> 32);
}

struct range_extent *chain_of(struct range_extent *extent)
{
    extent->more = NULL;
    extent->chain = (struct extent_in_chain){.bytes = extent->size};
    return extent;
}

uint64_t chain_bytes(const struct range_extent *chain)
{
    return chain ? chain->chain.bytes : 0;
}

/* What hangs below an extent is seldom in the cache, so that its bytes are noted above it. */
static void set_front(struct range_extent *extent, struct range_extent *front)
{
    uint64_t bytes = chain_bytes(front);
    extent->chain.bytes += bytes - extent->chain.front_bytes;
    extent->chain.front_bytes = bytes;
    extent->chain.front = front;
}

static void set_rest(struct range_extent *extent, struct range_extent *rest)
{
    extent->chain.bytes = extent->chain.front_bytes + extent->size + chain_bytes(rest);
    extent->chain.rest = rest;
}

struct range_extent *chain_first(const struct range_extent *chain)
{
    while (chain && chain->chain.front)
        chain = chain->chain.front;
    return (struct range_extent *)(uintptr_t)chain;
}

static struct range_extent *last(struct range_extent *chain)
{
    while (chain && chain->chain.rest)
        chain = chain->chain.rest;
    return chain;
}

static struct range_extent *join(struct range_extent *front, struct range_extent *rest)
{
    if (!front || !rest)
        return front ? front : rest;
    if (rank(front->offset) > rank(rest->offset)) {
        set_rest(front, join(front->chain.rest, rest));
        return front;
    }
    set_front(rest, join(front, rest->chain.front));
    return rest;
}

struct range_extent *chain_join(struct range_extent *front, struct range_extent *rest)
{
    if (front)
        last(front)->more = chain_first(rest);
    return join(front, rest);
}

static struct range_extent *split(struct range_extent *root, uint64_t bytes,
                                  struct range_extent **front, struct range_extent **rest)
{
    struct range_extent *within, *part;
    *front = *rest = NULL;
    if (!root)
        return NULL;
    uint64_t before = root->chain.front_bytes;
    if (bytes <= before) {
        *rest = root;
        within = split(root->chain.front, bytes, front, &part);
        set_front(root, part);
    } else if (bytes >= before + root->size) {
        *front = root;
        within = split(root->chain.rest, bytes - before - root->size, &part, rest);
        set_rest(root, part);
    } else {
        *front = root->chain.front;
        *rest = root->chain.rest;
        within = chain_of(root);
    }
    return within;
}

struct range_extent *chain_split(struct range_extent *chain, uint64_t bytes,
                                 struct range_extent **front, struct range_extent **rest)
{
    struct range_extent *within = split(chain, bytes, front, rest);
    if (*front)
        last(*front)->more = NULL;
    return within;
}
