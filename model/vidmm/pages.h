/* The pages of a block: demand-paged allocations consist of blocks, which have room in a segment or
 * have not; of a block that has, page by page comes in as it is touched. A block is an allocation
 * like any other to who places, evicts and moves it. Pages are of VIDMM_PAGE bytes. */
#ifndef WDDMSIM_VIDMM_PAGES_H
#define WDDMSIM_VIDMM_PAGES_H

#include "model/probe.h"

struct vidmm_allocation;

enum { VIDMM_BLOCK_PAGES = 512, VIDMM_BLOCK_WORDS = VIDMM_BLOCK_PAGES / 64 };

struct vidmm_page_set {
    uint64_t words[VIDMM_BLOCK_WORDS];
};

struct vidmm_pages {
    struct vidmm_page_set here;    /* in its segment, or on the way there */
    struct vidmm_page_set outside; /* in system memory, with content */
    struct vidmm_page_set asked;   /* touched, or to come along, and not here yet */
    struct vidmm_page_set along;   /* of these, what comes along with others */
    struct vidmm_page_set ahead;   /* here, came along, and not touched so far */
    uint64_t batch;                /* the latest one that asked for some */
    bool cpu_mapped;               /* by the processor */
    bool left;                     /* left its segment, and was not asked for since */
    uint64_t left_ns;              /* when */
    uint32_t returns;              /* times in a row that it was asked for soon after that */
    uint32_t times_pinned;
    uint64_t pinned_until_ns; /* stays outside, and is touched there */
};

static inline bool vidmm_page_in_set(const struct vidmm_page_set *set, uint32_t page)
{
    return set->words[page / 64] >> page % 64 & 1;
}

static inline void vidmm_page_put(struct vidmm_page_set *set, uint32_t page, bool in)
{
    uint64_t bit = UINT64_C(1) << page % 64;
    set->words[page / 64] = in ? set->words[page / 64] | bit : set->words[page / 64] & ~bit;
}

uint32_t vidmm_page_count(const struct vidmm_page_set *set);

/* Of a block. */
uint32_t vidmm_block_pages(const struct vidmm_allocation *block);
bool vidmm_block_is_whole(const struct vidmm_allocation *block); /* all of it is here */

/* The page was touched and is not here. */
void vidmm_block_ask(struct vidmm_allocation *block, uint32_t page);

/* How a touch of the page goes. Whoever comes back soon after it has left, and does so again and
 * again, is pinned outside for a time. */
enum vidmm_touch { VIDMM_TOUCH_HIT, VIDMM_TOUCH_FAULT, VIDMM_TOUCH_REMOTE };
enum vidmm_touch vidmm_block_touch(struct vidmm_allocation *block, uint32_t page);
void vidmm_block_touch_all(struct vidmm_allocation *block); /* it is whole: all hits */

/* What was touched makes more come along: the rest of a larger page, and of the stretches (of a
 * power of two pages, at multiples of it) of which more than the prefetcher's threshold is here or
 * comes. */
void vidmm_block_prefetch(struct vidmm_allocation *block);

/* Bytes of what it asked for that come in this way: PROBE_PAGE_IN or PROBE_FILLED. */
uint64_t vidmm_block_asks(const struct vidmm_allocation *block, enum probe_paging_kind kind);

/* These are on their way in; all that is here is on its way out. The content is settled. */
void vidmm_block_comes(struct vidmm_allocation *block, enum probe_paging_kind kind);
void vidmm_block_leaves(struct vidmm_allocation *block, enum probe_paging_kind kind);

/* All of it is here; the processor has all that is not. */
void vidmm_block_assume_here(struct vidmm_allocation *block);
void vidmm_block_lock(struct vidmm_allocation *block);

/* VidMm's invariants of a block; NULL, or what is wrong. */
const char *vidmm_block_check(const struct vidmm_allocation *block);

#endif
