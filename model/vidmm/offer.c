/* Offer and Reclaim (wddm.md §6.5): content that may be dropped, until it is wanted back. */
#include "model/vidmm/internal.h"

#include <stdlib.h>
#include <utlist.h>

uint32_t vidmm_offer_begin(const struct vidmm_allocation *allocation)
{
    return allocation->reclaims;
}

static void take_offer(struct vidmm_allocation *allocation, struct vidmm_offer offer)
{
    struct vidmm *vidmm = allocation->vidmm;
    vidmm->offered += !allocation->offered;
    allocation->offered = offer.priority > 0 ? offer.priority : 1;
    if (offer.may_decommit && !allocation->may_decommit && !allocation->pages) {
        allocation->may_decommit = true;
        DL_APPEND2(vidmm->decommittable, allocation, decommit_prev, decommit_next);
    }
    vidmm_relist(allocation);
    vidmm_remark(allocation);
    vidmm_kick(vidmm, probe_thing(PROBE_PROCESS, allocation->process->pid));
}

void vidmm_offer(struct vidmm_allocation *allocation, struct vidmm_offer offer, uint32_t begun)
{
    if (allocation->reclaims != begun || allocation->dying)
        return;
    for (uint32_t i = 0; i < vidmm_part_count(allocation); i++)
        take_offer(vidmm_part(allocation, i), offer);
}

void vidmm_offer_end(struct vidmm_allocation *allocation)
{
    struct vidmm *vidmm = allocation->vidmm;
    vidmm->offered -= allocation->offered != 0;
    allocation->offered = 0;
    if (allocation->may_decommit)
        DL_DELETE2(vidmm->decommittable, allocation, decommit_prev, decommit_next);
    allocation->may_decommit = false;
}

void vidmm_commit(struct vidmm_allocation *allocation, bool more)
{
    struct vidmm *vidmm = allocation->vidmm;
    int64_t bytes = more ? (int64_t)allocation->size : -(int64_t)allocation->size;
    allocation->decommitted = !more;
    if (allocation->borrowed)
        return;
    vidmm->committed_bytes += (uint64_t)bytes;
    vidmm->probe->committed(vidmm->probe->self, sim_now(vidmm->sim), allocation->process->pid,
                            vidmm_probe_segment(vidmm, vidmm_first_segment(allocation)), bytes);
}

/* Of the lowest offer priority, and of these offered longest ago; only what lies in system memory
 * has pages there to give. */
static struct vidmm_allocation *next_to_decommit(const struct vidmm *vidmm)
{
    struct vidmm_allocation *allocation, *next = NULL;
    DL_FOREACH2 (vidmm->decommittable, allocation, decommit_next)
        if (allocation->state == VIDMM_OUT && !allocation->decommitted && !allocation->locks &&
            !allocation->pins && !allocation->borrowed &&
            (!next || allocation->offered < next->offered))
            next = allocation;
    return next;
}

static uint64_t committed_on_all(const struct vidmm *vidmm)
{
    uint64_t bytes = vidmm->committed_bytes;
    for (const struct vidmm *other = vidmm->neighbour; other != vidmm; other = other->neighbour)
        bytes += other->committed_bytes;
    return bytes;
}

/* The adapter's own go first, then its neighbours'. */
static struct vidmm_allocation *next_of_all(const struct vidmm *vidmm)
{
    struct vidmm_allocation *allocation = next_to_decommit(vidmm);
    const struct vidmm *other = vidmm->neighbour;
    for (; !allocation && other != vidmm; other = other->neighbour)
        allocation = next_to_decommit(other);
    return allocation;
}

bool vidmm_commit_room(struct vidmm *vidmm, uint64_t bytes)
{
    uint64_t limit = vidmm->profile->system.memory;
    while (limit && committed_on_all(vidmm) + bytes > limit) {
        struct vidmm_allocation *allocation = next_of_all(vidmm);
        if (!allocation)
            return false;
        allocation->discarded |= allocation->content != VIDMM_NOTHING;
        allocation->content = VIDMM_NOTHING;
        vidmm_commit(allocation, false);
        vidmm_count(vidmm, "decommitted_bytes", allocation->size);
    }
    return true;
}

/* D3DDDI_RECLAIM_RESULT. What cannot be committed again stays as it is: offered. */
enum reclaim_result { RECLAIM_OK, RECLAIM_DISCARDED, RECLAIM_NOT_COMMITTED };

static enum reclaim_result reclaim_part(struct vidmm_allocation *allocation)
{
    if (allocation->decommitted) {
        if (!vidmm_commit_room(allocation->vidmm, allocation->size))
            return RECLAIM_NOT_COMMITTED;
        vidmm_commit(allocation, true);
    }
    enum reclaim_result result = allocation->discarded ? RECLAIM_DISCARDED : RECLAIM_OK;
    vidmm_offer_end(allocation);
    allocation->discarded = false;
    vidmm_relist(allocation);
    vidmm_remark(allocation);
    return result;
}

static enum reclaim_result reclaim(struct vidmm_allocation *allocation)
{
    enum reclaim_result worst = RECLAIM_OK;
    allocation->reclaims++;
    for (uint32_t i = 0; i < vidmm_part_count(allocation); i++) {
        enum reclaim_result result = reclaim_part(vidmm_part(allocation, i));
        worst = result > worst ? result : worst;
    }
    return worst;
}

uint32_t vidmm_reclaim(struct vidmm_device *device, struct vidmm_allocation *const *items,
                       uint32_t count, struct vidmm_request *request)
{
    static const char *const keys[] = {[RECLAIM_OK] = "reclaimed",
                                       [RECLAIM_DISCARDED] = "reclaimed_discarded",
                                       [RECLAIM_NOT_COMMITTED] = "reclaimed_not_committed"};
    struct vidmm_allocation **required = memory_new(count, sizeof *required);
    uint32_t required_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        enum reclaim_result result = reclaim(items[i]);
        vidmm_count(device->vidmm, keys[result], 1);
        if (result != RECLAIM_NOT_COMMITTED && vidmm_residency_of(device, items[i]))
            required[required_count++] = items[i];
    }
    uint32_t status = vidmm_page_in(device, required, required_count, "Reclaim", request);
    free(required);
    return status;
}
