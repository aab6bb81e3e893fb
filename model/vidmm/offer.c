/* Offer and Reclaim (wddm.md §6.5): content that may be dropped, until it is wanted back. */
#include "model/vidmm/internal.h"

#include <stdlib.h>

uint32_t vidmm_offer_begin(const struct vidmm_allocation *allocation)
{
    return allocation->reclaims;
}

void vidmm_offer(struct vidmm_allocation *allocation, int64_t priority, uint32_t begun)
{
    if (allocation->reclaims != begun || allocation->dying)
        return;
    allocation->vidmm->offered += !allocation->offered;
    allocation->offered = priority > 0 ? priority : 1;
    vidmm_relist(allocation);
    vidmm_remark(allocation);
    vidmm_kick(allocation->vidmm);
}

uint32_t vidmm_reclaim(struct vidmm_device *device, struct vidmm_allocation *const *items,
                       uint32_t count, struct vidmm_request *request, bool *discarded)
{
    *discarded = false;
    for (uint32_t i = 0; i < count; i++) {
        *discarded |= items[i]->discarded;
        device->vidmm->offered -= items[i]->offered != 0;
        items[i]->reclaims++;
        items[i]->offered = 0;
        items[i]->discarded = false;
        vidmm_relist(items[i]);
        vidmm_remark(items[i]);
    }
    struct vidmm_allocation **required = memory_new(count, sizeof *required);
    uint32_t required_count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (vidmm_residency_of(device, items[i]))
            required[required_count++] = items[i];
    uint32_t status = vidmm_page_in(device, required, required_count, "Reclaim", request);
    free(required);
    return status;
}
