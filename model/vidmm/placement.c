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

/* In what order kinds of victims go: offered content first, the lowest offer priority before the
 * others (wddm.md §6.5), then what nobody requires, then what idle devices require. */
enum { RANK_OFFERED_LOW, RANK_OFFERED_NORMAL, RANK_OFFERED_HIGH, RANK_MARKED, RANK_IDLE, RANKS };

static int rank(const struct vidmm_allocation *allocation)
{
    if (allocation->offered)
        return allocation->offered >= 3 ? RANK_OFFERED_HIGH : (int)allocation->offered - 1;
    return allocation->marked ? RANK_MARKED : RANK_IDLE;
}

/* Chooses victims, rank by rank and in the policy's order, until there is room. None if all of them
 * together would not do. */
static void plan(struct vidmm_channel *channel, struct vidmm_segment *segment, uint64_t size)
{
    const struct vidmm_policy *policy = channel->vidmm->policy;
    const struct vidmm_device *device = channel->request->device;
    const uint32_t most = sizeof channel->victims / sizeof *channel->victims;
    uint64_t room = segment->range.free;
    uint64_t left = segment->marked_bytes; /* what the ranks before the last may find */
    channel->victim_count = 0;
    for (int at = channel->vidmm->offered ? 0 : RANK_MARKED; at < RANKS; at++) {
        struct vidmm_allocation *victim = policy->first(segment);
        for (; victim && room < size && (left || at == RANK_IDLE);
             victim = policy->next(segment, victim)) {
            if (rank(victim) != at || !vidmm_evictable(victim, device, at == RANK_IDLE))
                continue;
            room += victim->size;
            left -= at == RANK_IDLE ? 0 : victim->size;
            if (channel->victim_count < most) /* the rest is chosen when these are gone */
                channel->victims[channel->victim_count++] = victim;
        }
    }
    if (room < size)
        channel->victim_count = 0;
}

/* Free room exists but not in one piece: the next victim in order may open a hole. */
static void plan_hole(struct vidmm_channel *channel, struct vidmm_segment *segment)
{
    const struct vidmm_policy *policy = channel->vidmm->policy;
    const struct vidmm_device *device = channel->request->device;
    for (int at = channel->vidmm->offered ? 0 : RANK_MARKED; at < RANKS; at++)
        for (struct vidmm_allocation *victim = policy->first(segment); victim;
             victim = policy->next(segment, victim))
            if (rank(victim) == at && vidmm_evictable(victim, device, at == RANK_IDLE)) {
                channel->victims[0] = victim;
                channel->victim_count = 1;
                return;
            }
}

bool vidmm_choose_victims(struct vidmm_channel *channel, struct vidmm_allocation *allocation)
{
    struct vidmm_segment *segments[PROFILE_SEGMENTS_MAX];
    uint32_t count = candidates(allocation, segments);
    channel->victim_next = channel->victim_count = 0;
    for (uint32_t i = 0; i < count && !channel->victim_count; i++) {
        if (allocation->size > segments[i]->range.size)
            continue;
        if (i > 0 && place_in(segments[i], allocation))
            return true;
        if (segments[i]->range.free >= allocation->size)
            plan_hole(channel, segments[i]);
        else
            plan(channel, segments[i], allocation->size);
    }
    for (uint32_t i = 0; i < channel->victim_count; i++)
        vidmm_allocation_hold(channel->victims[i]);
    return channel->victim_count > 0;
}

void vidmm_leave_segment(struct vidmm_allocation *allocation)
{
    range_give(&allocation->segment->range, allocation->extents);
    allocation->extents = NULL;
    allocation->segment = NULL;
    allocation->state = VIDMM_OUT;
}
