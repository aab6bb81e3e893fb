/* Placement: which segment, which range, and who has to leave it. */
#include "model/vidmm/internal.h"

/* The allocation's segments in the order they are tried: its preferences, then the rest of the
 * supported set by id, memory before aperture (wddm.md §6.1, §6.6). Returns how many. */
static uint32_t candidates(const struct vidmm_allocation *allocation, struct vidmm_segment **out)
{
    struct vidmm *vidmm = allocation->vidmm;
    uint32_t count = 0, taken = 0;
    for (int i = 0; i < 5 && allocation->preferred[i]; i++) {
        uint32_t bit = UINT32_C(1) << (allocation->preferred[i] - 1);
        if (!(taken & bit))
            out[count++] = vidmm_segment(vidmm, allocation->preferred[i]);
        taken |= bit;
    }
    for (int kind = PROFILE_MEMORY; kind <= PROFILE_APERTURE; kind++)
        for (uint32_t i = 0; i < vidmm->profile->segment_count; i++) {
            uint32_t bit = UINT32_C(1) << i;
            if ((allocation->segments & bit) && !(taken & bit) &&
                (int)vidmm->profile->segments[i].kind == kind)
                out[count++] = &vidmm->segments[i];
        }
    return count;
}

static bool place_in(struct vidmm_segment *segment, struct vidmm_allocation *allocation)
{
    const struct range_wish wish = {.size = allocation->size,
                                    .alignment = allocation->alignment,
                                    .to = segment->range.size,
                                    .contiguous = allocation->contiguous};
    allocation->extents = range_take(&segment->range, &wish, allocation);
    if (!allocation->extents)
        return false;
    allocation->segment = segment;
    allocation->state = VIDMM_PAGING_IN;
    return true;
}

/* Only the first choice is taken without a fight; vidmm_choose_victims goes through the others. */
bool vidmm_place(struct vidmm_allocation *allocation)
{
    struct vidmm_segment *segments[PROFILE_SEGMENTS_MAX];
    uint32_t count = candidates(allocation, segments);
    return count && place_in(segments[0], allocation);
}

/* Whether the allocation may be sent away for `device`. On WDDM 2.0 what a device requires must
 * stay while it runs and while its turn lasts; `idle_devices` says whether what other devices
 * require may be taken at all: such a device pages in again before its next packet. */
bool vidmm_evictable(const struct vidmm_allocation *allocation, const struct vidmm_device *device,
                     bool idle_devices)
{
    if (allocation->state != VIDMM_RESIDENT || allocation->pins || allocation->locks)
        return false;
    if (allocation->offered)
        return true;
    uint64_t now = sim_now(allocation->vidmm->sim);
    for (const struct vidmm_residency *residency = allocation->residencies; residency;
         residency = residency->in_allocation_next)
        if (!idle_devices || residency->device == device || residency->device->running ||
            residency->device->turn_ends_ns > now)
            return false;
    return true;
}

static bool is_free_or_chosen(const struct range_extent *extent)
{
    const struct vidmm_allocation *owner = extent ? extent->owner : NULL;
    return extent && (!owner || owner->standing.chosen);
}

/* Addresses. */
struct stretch {
    uint64_t from, to;
};

/* What is free around the extent once all that was chosen is gone; no more than `enough` bytes are
 * looked for. */
static struct stretch stretch_around(const struct range_extent *extent, uint64_t enough)
{
    struct stretch stretch = {extent->offset, extent->offset + extent->size};
    const struct range_extent *next = extent->below;
    for (; stretch.to - stretch.from < enough && is_free_or_chosen(next); next = next->below)
        stretch.from = next->offset;
    next = extent->above;
    for (; stretch.to - stretch.from < enough && is_free_or_chosen(next); next = next->above)
        stretch.to = next->offset + next->size;
    return stretch;
}

/* Whether the latest victim opens a hole for the allocation in one piece; where. */
static bool opens_hole(const struct vidmm_allocation *victim,
                       const struct vidmm_allocation *allocation, struct stretch *hole)
{
    uint64_t mask = allocation->alignment - 1;
    for (const struct range_extent *at = victim->extents; at; at = at->more) {
        *hole = stretch_around(at, allocation->size + mask);
        hole->from = (hole->from + mask) & ~mask;
        if (hole->from <= hole->to && hole->to - hole->from >= allocation->size)
            return true;
    }
    return false;
}

static void choose(struct vidmm_channel *channel, struct vidmm_allocation *victim)
{
    if (channel->victim_count == channel->victim_room) {
        channel->victim_room = channel->victim_room ? 2 * channel->victim_room : 16;
        channel->victims = memory_resize(channel->victims, channel->victim_room,
                                         sizeof(struct vidmm_allocation *));
    }
    channel->victims[channel->victim_count++] = victim;
}

static void keep(struct vidmm_allocation *victim)
{
    victim->standing.chosen = false;
    vidmm_restand(victim);
}

static bool lies_in(const struct vidmm_allocation *allocation, struct stretch stretch)
{
    for (const struct range_extent *at = allocation->extents; at; at = at->more)
        if (at->offset < stretch.to && at->offset + at->size > stretch.from)
            return true;
    return false;
}

/* Of the victims those that lie in the hole go; the others need not. */
static void keep_others(struct vidmm_channel *channel, struct stretch hole)
{
    uint32_t going = 0;
    for (uint32_t i = 0; i < channel->victim_count; i++)
        if (lies_in(channel->victims[i], hole))
            channel->victims[going++] = channel->victims[i];
        else
            keep(channel->victims[i]);
    channel->victim_count = going;
}

/* Chooses victims in their order until there is room: bytes, or for what must lie in one piece a
 * hole. None if all of them together would not do. */
static bool plan(struct vidmm_channel *channel, struct vidmm_segment *segment,
                 const struct vidmm_allocation *allocation, enum vidmm_priority highest)
{
    const struct vidmm_device *device = channel->request->device;
    uint64_t room = segment->range.free;
    struct vidmm_allocation *victim;
    while ((victim = vidmm_take_victim(segment, device, highest)) != NULL) {
        choose(channel, victim);
        room += victim->size;
        struct stretch hole;
        if (!allocation->contiguous && room >= allocation->size)
            return true;
        if (allocation->contiguous && opens_hole(victim, allocation, &hole)) {
            keep_others(channel, hole);
            return true;
        }
    }
    while (channel->victim_count > 0)
        keep(channel->victims[--channel->victim_count]);
    return false;
}

/* Who does not care much for the place takes it from those only who care less (wddm.md §6.2). */
static enum vidmm_priority least_effort(const struct vidmm_allocation *allocation,
                                        uint32_t segments)
{
    bool content = segments > 1 && allocation->rank <= VIDMM_LOW && allocation->rank > 0;
    return content ? allocation->rank - 1 : allocation->rank;
}

/* Segment by segment in order of preference, those of lower and equal priority make room; if that
 * helps nowhere, anybody must. */
bool vidmm_choose_victims(struct vidmm_channel *channel, struct vidmm_allocation *allocation)
{
    struct vidmm_segment *segments[PROFILE_SEGMENTS_MAX];
    uint32_t count = candidates(allocation, segments);
    const enum vidmm_priority efforts[] = {least_effort(allocation, count), VIDMM_MAXIMUM};
    channel->victim_next = channel->victim_count = 0;
    bool found = false;
    for (int effort = 0; effort < 2; effort++)
        for (uint32_t i = 0; i < count && !found; i++) {
            if (allocation->size > segments[i]->range.size)
                continue;
            if (effort == 0 && i > 0 && place_in(segments[i], allocation))
                return true;
            found = plan(channel, segments[i], allocation, efforts[effort]);
        }
    for (uint32_t i = 0; i < channel->victim_count; i++)
        vidmm_allocation_hold(channel->victims[i]);
    return found;
}

void vidmm_leave_segment(struct vidmm_allocation *allocation)
{
    range_give(&allocation->segment->range, allocation->extents);
    allocation->extents = NULL;
    allocation->segment = NULL;
    allocation->state = VIDMM_OUT;
}
