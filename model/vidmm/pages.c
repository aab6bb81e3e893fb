/* Blocks of demand-paged allocations: which of their pages are where, what comes along with those
 * that are touched, and when a block had better stay away. The rules are those of the published
 * driver of unified memory (open-gpu-kernel-modules, uvm_perf_prefetch.c, uvm_perf_thrashing.c). */
#include "model/vidmm/internal.h"

uint32_t vidmm_page_count(const struct vidmm_page_set *set)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < VIDMM_BLOCK_WORDS; i++)
        count += (uint32_t)__builtin_popcountll(set->words[i]);
    return count;
}

uint32_t vidmm_block_pages(const struct vidmm_allocation *block)
{
    return (uint32_t)(block->size / VIDMM_PAGE);
}

bool vidmm_block_is_whole(const struct vidmm_allocation *block)
{
    return block->state == VIDMM_RESIDENT && !block->in_flight &&
           vidmm_page_count(&block->pages->here) == vidmm_block_pages(block);
}

void vidmm_block_touch_all(struct vidmm_allocation *block)
{
    block->vidmm->prefetched_used += vidmm_page_count(&block->pages->ahead);
    block->pages->ahead = (struct vidmm_page_set){0};
}

/* It was away and is asked for again. */
static void note_return(struct vidmm_allocation *block, uint64_t now)
{
    struct vidmm *vidmm = block->vidmm;
    const struct profile_fault *profile = &vidmm->profile->vidmm.fault;
    struct vidmm_pages *pages = block->pages;
    pages->left = false;
    pages->returns = now - pages->left_ns <= profile->lapse_ns ? pages->returns + 1 : 0;
    if (!profile->thrashing || pages->returns < profile->thrashing ||
        pages->times_pinned == profile->pins)
        return;
    pages->returns = 0;
    pages->times_pinned++;
    pages->pinned_until_ns = now + profile->pin_ns;
    vidmm_count(vidmm, "faults.blocks_pinned", 1);
}

enum vidmm_touch vidmm_block_touch(struct vidmm_allocation *block, uint32_t page)
{
    struct vidmm *vidmm = block->vidmm;
    struct vidmm_pages *pages = block->pages;
    if (block->dying)
        return VIDMM_TOUCH_HIT;
    if (vidmm_page_in_set(&pages->here, page)) {
        if (block->in_flight)
            return VIDMM_TOUCH_FAULT;
        if (vidmm_page_in_set(&pages->ahead, page)) {
            vidmm_page_put(&pages->ahead, page, false);
            vidmm->prefetched_used++;
        }
        return VIDMM_TOUCH_HIT;
    }
    uint64_t now = sim_now(vidmm->sim);
    if (pages->left)
        note_return(block, now);
    return now < pages->pinned_until_ns ? VIDMM_TOUCH_REMOTE : VIDMM_TOUCH_FAULT;
}

void vidmm_block_ask(struct vidmm_allocation *block, uint32_t page)
{
    vidmm_page_put(&block->pages->asked, page, true);
    vidmm_page_put(&block->pages->along, page, false);
}

/* The bits of a word that stand for pages of [from, to). */
static uint64_t mask(uint32_t word, uint32_t from, uint32_t to)
{
    uint32_t first = 64 * word, low = from > first ? from - first : 0;
    if (low >= 64 || to <= first)
        return 0;
    uint64_t above = to - first < 64 ? UINT64_MAX << (to - first) : 0;
    return UINT64_MAX << low & ~above;
}

static uint32_t count_in(const struct vidmm_page_set *set, uint32_t from, uint32_t to)
{
    uint32_t count = 0;
    for (uint32_t i = from / 64; 64 * i < to; i++)
        count += (uint32_t)__builtin_popcountll(set->words[i] & mask(i, from, to));
    return count;
}

static void put_stretch(struct vidmm_page_set *set, uint32_t from, uint32_t to)
{
    for (uint32_t i = from / 64; 64 * i < to; i++)
        set->words[i] |= mask(i, from, to);
}

static struct vidmm_page_set joined(struct vidmm_page_set a, const struct vidmm_page_set *b)
{
    for (uint32_t i = 0; i < VIDMM_BLOCK_WORDS; i++)
        a.words[i] |= b->words[i];
    return a;
}

static struct vidmm_page_set without(struct vidmm_page_set a, const struct vidmm_page_set *b)
{
    for (uint32_t i = 0; i < VIDMM_BLOCK_WORDS; i++)
        a.words[i] &= ~b->words[i];
    return a;
}

void vidmm_block_prefetch(struct vidmm_allocation *block)
{
    const struct profile_fault *profile = &block->vidmm->profile->vidmm.fault;
    struct vidmm_pages *pages = block->pages;
    uint32_t all = vidmm_block_pages(block), page = (uint32_t)(profile->page / VIDMM_PAGE);
    for (uint32_t from = 0; page > 1 && from < all; from += page) {
        uint32_t to = from + page < all ? from + page : all;
        if (count_in(&pages->asked, from, to))
            put_stretch(&pages->asked, from, to);
    }
    pages->asked = without(pages->asked, &pages->here);
    const struct vidmm_page_set touched = pages->asked;
    const struct vidmm_page_set known = joined(pages->here, &touched);
    for (uint32_t size = 2 * page; profile->prefetch > 0 && size <= VIDMM_BLOCK_PAGES; size *= 2)
        for (uint32_t from = 0; from < all; from += size) {
            uint32_t to = from + size < all ? from + size : all;
            if (count_in(&touched, from, to) &&
                count_in(&known, from, to) > profile->prefetch * (to - from))
                put_stretch(&pages->asked, from, to);
        }
    pages->asked = without(pages->asked, &pages->here);
    const struct vidmm_page_set along = without(pages->asked, &touched);
    pages->along = joined(pages->along, &along);
}

static struct vidmm_page_set both(struct vidmm_page_set a, const struct vidmm_page_set *b)
{
    for (uint32_t i = 0; i < VIDMM_BLOCK_WORDS; i++)
        a.words[i] &= b->words[i];
    return a;
}

static struct vidmm_page_set asks(const struct vidmm_pages *pages, enum probe_paging_kind kind)
{
    return kind == PROBE_FILLED ? without(pages->asked, &pages->outside)
                                : both(pages->asked, &pages->outside);
}

uint64_t vidmm_block_asks(const struct vidmm_allocation *block, enum probe_paging_kind kind)
{
    const struct vidmm_page_set set = asks(block->pages, kind);
    return vidmm_page_count(&set) * (uint64_t)VIDMM_PAGE;
}

static void settle(struct vidmm_allocation *block)
{
    const struct vidmm_pages *pages = block->pages;
    block->content = vidmm_page_count(&pages->here)      ? VIDMM_IN_SEGMENT
                     : vidmm_page_count(&pages->outside) ? VIDMM_IN_SYSTEM
                                                         : VIDMM_NOTHING;
}

void vidmm_block_comes(struct vidmm_allocation *block, enum probe_paging_kind kind)
{
    struct vidmm_pages *pages = block->pages;
    struct vidmm *vidmm = block->vidmm;
    const struct vidmm_page_set set = asks(pages, kind), along = both(set, &pages->along);
    pages->here = joined(pages->here, &set);
    pages->ahead = joined(pages->ahead, &along);
    vidmm_count(vidmm, kind == PROBE_FILLED ? "faults.fill_bytes" : "faults.page_in_bytes",
                vidmm_page_count(&set) * (uint64_t)VIDMM_PAGE);
    if (vidmm_page_count(&along))
        vidmm_count(vidmm, "faults.prefetched_bytes",
                    vidmm_page_count(&along) * (uint64_t)VIDMM_PAGE);
    pages->asked = without(pages->asked, &set);
    pages->along = without(pages->along, &set);
    pages->outside = without(pages->outside, &set);
    settle(block);
}

void vidmm_block_leaves(struct vidmm_allocation *block, enum probe_paging_kind kind)
{
    struct vidmm_pages *pages = block->pages;
    uint64_t unused = vidmm_page_count(&pages->ahead);
    if (unused)
        vidmm_count(block->vidmm, "faults.prefetched_unused_bytes", unused * VIDMM_PAGE);
    if (kind == PROBE_PAGE_OUT)
        pages->outside = joined(pages->outside, &pages->here);
    pages->here = pages->ahead = (struct vidmm_page_set){0};
    pages->left = true;
    pages->left_ns = sim_now(block->vidmm->sim);
    settle(block);
}

void vidmm_block_assume_here(struct vidmm_allocation *block)
{
    put_stretch(&block->pages->here, 0, vidmm_block_pages(block));
    block->pages->outside = (struct vidmm_page_set){0};
    block->pages->cpu_mapped = false;
    settle(block);
}

void vidmm_block_lock(struct vidmm_allocation *block)
{
    struct vidmm_pages *pages = block->pages;
    struct vidmm_page_set all = {0};
    put_stretch(&all, 0, vidmm_block_pages(block));
    const struct vidmm_page_set rest = without(all, &pages->here);
    pages->outside = joined(pages->outside, &rest);
    pages->cpu_mapped = true;
    settle(block);
}

const char *vidmm_block_check(const struct vidmm_allocation *block)
{
    const struct vidmm_pages *pages = block->pages;
    const struct vidmm_page_set outside = without(pages->outside, &pages->here);
    const struct vidmm_page_set ahead = without(pages->ahead, &pages->here);
    if (vidmm_page_count(&outside) != vidmm_page_count(&pages->outside))
        return "a page of a block is in two places";
    if (vidmm_page_count(&ahead))
        return "a page that came along with others is not there";
    if (!block->segment && vidmm_page_count(&pages->here))
        return "a block without room has pages in its segment";
    if (block->state == VIDMM_RESIDENT && !vidmm_page_count(&pages->here))
        return "a block has room and no pages";
    return NULL;
}
