/* Placement: which segment, which range, and who has to leave it. */
#include "model/vidmm/internal.h"

/* The allocation's segments in the order they are tried: its preferences, then the rest of the
 * supported set by id, memory before aperture (wddm.md §6.1, §6.6). */
struct candidates {
    uint32_t count, preferred; /* so many of them it prefers; without a preference the first kind */
    struct vidmm_segment *segments[PROFILE_SEGMENTS_MAX];
};

static void find_candidates(const struct vidmm_allocation *allocation, struct candidates *found)
{
    struct vidmm *vidmm = allocation->vidmm;
    uint32_t taken = 0;
    found->count = found->preferred = 0;
    for (int i = 0; i < 5 && allocation->preferred[i]; i++) {
        uint32_t id = allocation->preferred[i] & VIDMM_SEGMENT_ID;
        if (!(taken >> (id - 1) & 1))
            found->segments[found->count++] = vidmm_segment(vidmm, id);
        taken |= UINT32_C(1) << (id - 1);
    }
    found->preferred = found->count;
    for (int kind = PROFILE_MEMORY; kind <= PROFILE_APERTURE; kind++) {
        for (uint32_t i = 0; i < vidmm->profile->segment_count; i++)
            if (((allocation->segments & ~taken) >> i & 1) &&
                (int)vidmm->profile->segments[i].kind == kind)
                found->segments[found->count++] = &vidmm->segments[i];
        found->preferred = found->preferred ? found->preferred : found->count;
    }
}

static bool from_end(const struct vidmm_segment *segment, const struct vidmm_allocation *allocation)
{
    for (int i = 0; i < 5 && allocation->preferred[i]; i++)
        if ((allocation->preferred[i] & VIDMM_SEGMENT_ID) == segment->id)
            return allocation->from_end || (allocation->preferred[i] & VIDMM_FROM_END);
    return allocation->from_end;
}

/* Bytes moved if it goes where it likes to be: as much again if nothing is free there. 0: it is. */
static uint64_t promotion_bytes(const struct vidmm_allocation *allocation)
{
    struct candidates candidates;
    find_candidates(allocation, &candidates);
    bool room = false;
    for (uint32_t i = 0; i < candidates.preferred; i++) {
        if (candidates.segments[i] == allocation->segment)
            return 0;
        room |= candidates.segments[i]->range.free >= allocation->size;
    }
    return room ? allocation->size : 2 * allocation->size;
}

bool vidmm_may_be_promoted(const struct vidmm_allocation *allocation, uint64_t moved_bytes)
{
    uint64_t throttle = allocation->vidmm->profile->vidmm.eviction_throttle;
    if (!throttle || allocation->state != VIDMM_RESIDENT || allocation->pins || allocation->locks ||
        allocation->overlay || vidmm_required_by_running(allocation))
        return false;
    uint64_t bytes = promotion_bytes(allocation);
    return bytes && moved_bytes + bytes <= throttle;
}

/* What the allocation wants of a segment. Overlay and Capture lie in its last fifth (§2.3). */
static struct range_wish wish_in(const struct vidmm_segment *segment,
                                 const struct vidmm_allocation *allocation)
{
    uint64_t size = segment->range.size;
    return (struct range_wish){.size = allocation->size,
                               .alignment = allocation->alignment,
                               .from = allocation->overlay ? size - size / 5 : 0,
                               .to = size,
                               .contiguous = allocation->contiguous,
                               .from_end = from_end(segment, allocation)};
}

static bool take(struct vidmm_segment *segment, struct vidmm_allocation *allocation,
                 const struct range_wish *wish)
{
    allocation->extents = range_take(&segment->range, wish);
    if (!allocation->extents)
        return false;
    allocation->segment = segment;
    allocation->state = VIDMM_PAGING_IN;
    allocation->counts = true;
    vidmm_list_stale(allocation);
    return true;
}

static bool place_in(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    const struct range_wish wish = wish_in(segment, allocation);
    return take(segment, allocation, &wish);
}

/* DXGK_SEGMENTBANKPREFERENCE (§6.1): in the bank, if it is in one piece there. */
static bool place_in_bank(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    uint32_t bank = allocation->bank & VIDMM_BANK, banks = segment->profile->banks;
    if (bank == 0 || bank > banks || allocation->overlay)
        return false;
    struct range_wish wish = wish_in(segment, allocation);
    wish.from = segment->range.size / banks * (bank - 1);
    wish.to = bank == banks ? segment->range.size : segment->range.size / banks * bank;
    wish.from_end = allocation->bank & VIDMM_BANK_FROM_TOP;
    wish.contiguous = true;
    return take(segment, allocation, &wish);
}

/* What is free where the allocation likes to be is taken without a fight: hinted, preferred. For
 * the rest vidmm_choose_victims decides (§6.6). */
bool vidmm_place(struct vidmm_allocation *allocation)
{
    struct candidates candidates;
    find_candidates(allocation, &candidates);
    if (candidates.count && place_in_bank(candidates.segments[0], allocation))
        return true;
    for (uint32_t i = 0; i < candidates.preferred; i++)
        if (place_in(candidates.segments[i], allocation))
            return true;
    return false;
}

/* Whether the allocation may be sent away for `device`. On WDDM 2.0 what a device requires must
 * stay while it runs, while it is brought in and while its turn lasts; `idle_devices` says whether
 * what other devices require may be taken at all: such a device pages in again before its next
 * packet. */
bool vidmm_evictable(const struct vidmm_allocation *allocation, const struct vidmm_device *device,
                     bool idle_devices)
{
    if (allocation->state != VIDMM_RESIDENT || allocation->pins ||
        vidmm_locked_in_place(allocation) || allocation->overlay)
        return false;
    if (allocation->offered)
        return true;
    uint64_t now = sim_now(allocation->vidmm->sim);
    for (const struct vidmm_residency *residency = allocation->residencies; residency;
         residency = residency->in_allocation_next)
        if (!idle_devices || residency->device == device || residency->device->running ||
            residency->device->coming || residency->device->turn_ends_ns > now)
            return false;
    return true;
}

static void mark_going(const struct vidmm_allocation *victim, bool going)
{
    for (struct range_extent *at = chain_first(victim->extents); at; at = at->more)
        at->going = going;
}

static void nobody_is_going(const struct vidmm_worker *worker)
{
    for (uint32_t i = 0; i < worker->victim_count; i++)
        mark_going(worker->victims[i], false);
}

static bool is_free_or_going(const struct range_extent *extent)
{
    return extent && (!extent->taken || extent->going);
}

/* Addresses. */
struct stretch {
    uint64_t from, to;
};

/* What is free around the extent once all that is going is gone; no more than `enough` bytes are
 * looked for. */
static struct stretch stretch_around(const struct range_extent *extent, uint64_t enough)
{
    struct stretch stretch = {extent->offset, extent->offset + extent->size};
    const struct range_extent *next = extent->below;
    for (; stretch.to - stretch.from < enough && is_free_or_going(next); next = next->below)
        stretch.from = next->offset;
    next = extent->above;
    for (; stretch.to - stretch.from < enough && is_free_or_going(next); next = next->above)
        stretch.to = next->offset + next->size;
    return stretch;
}

/* Whether the latest victim opens a hole for the allocation in one piece; where. */
static bool opens_hole(const struct vidmm_allocation *victim, const struct range_wish *wish,
                       struct stretch *hole)
{
    uint64_t mask = wish->alignment - 1;
    for (const struct range_extent *at = chain_first(victim->extents); at; at = at->more) {
        *hole = stretch_around(at, wish->size + mask);
        hole->from = hole->from > wish->from ? hole->from : wish->from;
        hole->to = hole->to < wish->to ? hole->to : wish->to;
        hole->from = (hole->from + mask) & ~mask;
        if (hole->from <= hole->to && hole->to - hole->from >= wish->size)
            return true;
    }
    return false;
}

static void choose(struct vidmm_worker *worker, struct vidmm_allocation *victim)
{
    if (worker->victim_count == worker->victim_room) {
        worker->victim_room = worker->victim_room ? 2 * worker->victim_room : 16;
        worker->victims =
            memory_resize(worker->victims, worker->victim_room, sizeof(struct vidmm_allocation *));
    }
    worker->victims[worker->victim_count++] = victim;
}

static void keep(struct vidmm_allocation *victim)
{
    victim->standing.chosen = false;
    vidmm_restand(victim);
}

static bool lies_in(const struct vidmm_allocation *allocation, struct stretch stretch)
{
    for (const struct range_extent *at = chain_first(allocation->extents); at; at = at->more)
        if (at->offset < stretch.to && at->offset + at->size > stretch.from)
            return true;
    return false;
}

/* Of the victims those that lie in the hole go; the others need not. */
static void keep_others(struct vidmm_worker *worker, struct stretch hole)
{
    uint32_t going = 0;
    for (uint32_t i = 0; i < worker->victim_count; i++)
        if (lies_in(worker->victims[i], hole))
            worker->victims[going++] = worker->victims[i];
        else
            keep(worker->victims[i]);
    worker->victim_count = going;
}

/* How far to go: at whose cost, and how many bytes may be moved for it. */
struct effort {
    enum vidmm_priority highest;
    uint64_t bytes;
};

/* Chooses victims in their order until there is room: bytes, or for what must lie in one piece a
 * hole. None if all of them together would not do. */
static bool plan(struct vidmm_worker *worker, struct vidmm_segment *segment,
                 const struct vidmm_allocation *allocation, const struct range_wish *wish,
                 struct effort effort)
{
    const struct vidmm_device *device = worker->request->device;
    uint64_t room = segment->range.free;
    bool anywhere = !wish->contiguous && !allocation->overlay;
    uint64_t moved = allocation->content == VIDMM_IN_SYSTEM ? allocation->size : 0;
    struct vidmm_allocation *victim;
    if (!anywhere)
        range_settle(&segment->range);
    while ((victim = vidmm_take_victim(segment, device, effort.highest)) != NULL) {
        choose(worker, victim);
        room += victim->size;
        moved += vidmm_needs_copy(victim) ? victim->size : 0;
        if (moved > effort.bytes)
            break;
        struct stretch hole;
        if (anywhere && room >= wish->size)
            return true;
        if (anywhere)
            continue;
        mark_going(victim, true);
        if (opens_hole(victim, wish, &hole)) {
            nobody_is_going(worker);
            keep_others(worker, hole);
            return true;
        }
    }
    if (!anywhere)
        nobody_is_going(worker);
    while (worker->victim_count > 0)
        keep(worker->victims[--worker->victim_count]);
    return false;
}

/* Who does not care much for the place takes it from those only who care less (wddm.md §6.2). */
static enum vidmm_priority least_effort(const struct vidmm_allocation *allocation,
                                        uint32_t segments)
{
    bool content = segments > 1 && allocation->rank <= VIDMM_LOW && allocation->rank > 0;
    return content ? allocation->rank - 1 : allocation->rank;
}

/* What the throttle leaves of the bytes that a request may have moved. */
static uint64_t unthrottled(const struct vidmm_worker *worker)
{
    uint64_t throttle = worker->vidmm->profile->vidmm.eviction_throttle;
    uint64_t moved = worker->request->moved_bytes;
    return throttle == 0 ? UINT64_MAX : throttle > moved ? throttle - moved : 0;
}

/* Segment by segment in order of preference, those of lower and equal priority make room, as far as
 * the throttle allows it; if that helps nowhere, whatever it takes; and then anybody must. */
bool vidmm_choose_victims(struct vidmm_worker *worker, struct vidmm_allocation *allocation)
{
    struct candidates candidates;
    find_candidates(allocation, &candidates);
    enum vidmm_priority least = least_effort(allocation, candidates.count);
    const struct effort efforts[] = {
        {least, unthrottled(worker)}, {least, UINT64_MAX}, {VIDMM_MAXIMUM, UINT64_MAX}};
    worker->victim_next = worker->victim_count = 0;
    bool found = false;
    for (int effort = efforts[0].bytes == UINT64_MAX; effort < 3; effort++)
        for (uint32_t i = 0; i < candidates.count && !found; i++) {
            struct vidmm_segment *segment = candidates.segments[i];
            struct range_wish wish = wish_in(segment, allocation);
            if (wish.size > wish.to - wish.from)
                continue;
            if (effort < 2 && i >= candidates.preferred && take(segment, allocation, &wish))
                return true;
            found = plan(worker, segment, allocation, &wish, efforts[effort]);
        }
    for (uint32_t i = 0; i < worker->victim_count; i++)
        vidmm_allocation_hold(worker->victims[i]);
    return found;
}

void vidmm_leave_segment(struct vidmm_allocation *allocation)
{
    vidmm_unlist_stale(allocation);
    vidmm_unmap_from_host(allocation);
    range_give(&allocation->segment->range, allocation->extents, allocation->size);
    allocation->extents = NULL;
    allocation->segment = NULL;
}
