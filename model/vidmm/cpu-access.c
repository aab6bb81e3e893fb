/* Lock and Unlock (wddm.md §5.6): what the processor cannot reach moves out of its segment. */
#include "model/vidmm/internal.h"

/* The CPU can reach system memory and what a segment shows it; anything else has to move out
 * (wddm.md §5.6). */
static bool cpu_can_reach(const struct vidmm_allocation *allocation)
{
    if (!allocation->segment)
        return allocation->state == VIDMM_OUT;
    const struct profile_segment *segment = allocation->segment->profile;
    if (segment->kind == PROFILE_APERTURE)
        return true;
    if (allocation->state != VIDMM_RESIDENT)
        return false;
    for (const struct range_extent *extent = allocation->extents; extent; extent = extent->more)
        if (extent->offset + extent->size > segment->cpu_visible)
            return false;
    return true;
}

bool vidmm_lock(struct vidmm_device *device, struct vidmm_allocation *allocation,
                struct vidmm_request *request)
{
    allocation->locks++;
    vidmm_remark(allocation);
    if (allocation->content == VIDMM_NOTHING && allocation->state == VIDMM_OUT)
        allocation->content = VIDMM_IN_SYSTEM; /* what the CPU writes there is its content */
    if (cpu_can_reach(allocation))
        return true;
    request->kind = VIDMM_PAGE_OUT;
    request->device = device;
    request->items = &request->one;
    request->one = allocation;
    request->count = 1;
    request->cause = "lock";
    vidmm_request_start(allocation->vidmm, request);
    return false;
}

uint32_t vidmm_unlock(struct vidmm_allocation *allocation)
{
    if (allocation->locks == 0)
        return STATUS_INVALID_PARAMETER;
    allocation->locks--;
    vidmm_remark(allocation);
    vidmm_kick(allocation->vidmm, probe_thing(PROBE_PROCESS, allocation->process->pid));
    return STATUS_SUCCESS;
}
