/* A segment as a cache: allocations of one page each come when they are used and leave when VidMm's
 * victim policy says so. No time passes. To be used in a child, with any number of caches. */
#ifndef WDDMSIM_TESTS_CACHE_H
#define WDDMSIM_TESTS_CACHE_H

#include "model/vidmm/internal.h"

#include "tests/unit/child.h"

enum { CACHE_PAGE = 4096 };

struct cache {
    struct profile profile;
    struct vidmm *vidmm;
    struct vidmm_allocation **items;
    uint32_t count;
    uint64_t misses;
};

static inline void cache_no_context(void *self, uint32_t context, uint32_t pid, uint32_t node,
                                    struct probe_label name, bool system)
{
    (void)self, (void)context, (void)pid, (void)node, (void)name, (void)system;
}

static inline void cache_no_bytes(void *self, uint64_t now_ns, uint32_t pid, uint32_t segment,
                                  int64_t bytes)
{
    (void)self, (void)now_ns, (void)pid, (void)segment, (void)bytes;
}

static inline void cache_no_paging(void *self, const struct probe_paging *operation)
{
    (void)self, (void)operation;
}

/* `count` allocations of `pages[i]` pages (NULL: of one) and a segment of `capacity` pages. */
static inline void cache_init(struct cache *cache, const char *policy, uint32_t count,
                              const uint32_t *pages, uint64_t capacity)
{
    static struct probe probe = {.context = cache_no_context,
                                 .resident = cache_no_bytes,
                                 .committed = cache_no_bytes,
                                 .paging = cache_no_paging};
    static struct sim *sim; /* one in a process */
    struct profile_error error;
    char size[32];
    snprintf(size, sizeof size, "%" PRIu64 "KiB", capacity * 4);
    if (!profile_load("ideal", &cache->profile, &error) ||
        !profile_set(&cache->profile, "wddm", "2.0", "test", &error) || /* any pages will do */
        !profile_set(&cache->profile, "segments.local.size", size, "test", &error) ||
        !profile_set(&cache->profile, "vidmm.eviction", policy, "test", &error))
        child_fails("%s", error.message);
    const struct sim_link link = {1e9, 1e9, 1, false};
    if (!sim)
        sim = sim_create(&link, 1, NULL);
    /* Its scheduler is never asked for anything. */
    static struct vidsch *vidsch;
    if (!vidsch)
        vidsch = vidsch_create(sim, &cache->profile, &probe);
    cache->vidmm = vidmm_create(sim, &cache->profile, vidsch, &probe);
    cache->items = memory_new(count, sizeof(struct vidmm_allocation *));
    cache->count = count;
    cache->misses = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct vidmm_allocation_info info = {
            .size = (pages ? pages[i] : 1) * CACHE_PAGE, .segments = 1, .preferred = {1}, .pid = 1};
        child_expects(vidmm_allocation_create(cache->vidmm, &info, &cache->items[i]),
                      STATUS_SUCCESS);
    }
}

static inline void cache_fini(struct cache *cache)
{
    const char *wrong = vidmm_check(cache->vidmm);
    if (wrong)
        child_fails("%s", wrong);
    for (uint32_t i = 0; i < cache->count; i++)
        if (cache->items[i])
            vidmm_allocation_destroy(cache->items[i]);
    free(cache->items);
    vidmm_destroy(cache->vidmm);
}

static inline void cache_evict(struct cache *cache)
{
    struct vidmm_allocation *victim =
        vidmm_take_victim(&cache->vidmm->segments[0], NULL, VIDMM_MAXIMUM);
    if (!victim)
        child_fails("there is no victim");
    vidmm_ceases_resident(victim);
    vidmm_leave_segment(victim);
    victim->state = VIDMM_OUT;
}

/* Uses an item, whose next use is the `next`-th of the trace; whether it was there. */
static inline bool cache_use(struct cache *cache, uint32_t item, uint64_t next)
{
    struct vidmm_allocation *allocation = cache->items[item];
    bool hit = allocation->state == VIDMM_RESIDENT;
    allocation->standing.next_use = next;
    if (!hit) {
        cache->misses++;
        while (!vidmm_place(allocation))
            cache_evict(cache);
        vidmm_became_resident(allocation);
    }
    vidmm_standing_use(allocation);
    return hit;
}

static inline void cache_destroy_item(struct cache *cache, uint32_t item)
{
    vidmm_allocation_destroy(cache->items[item]);
    cache->items[item] = NULL;
}

#endif
