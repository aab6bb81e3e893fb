/* Lock and Unlock (wddm.md §5.6): what the processor cannot reach moves out of its segment. */
#include "model/vidmm/internal.h"

/* Maps it where it lies, if the segment has a CPU host aperture and room in it: that bounds what
 * is locked in the segment at a time (wddm.md §5.6). It stays mapped as long as it is locked. */
static bool map_to_host(struct vidmm_allocation *allocation)
{
    struct vidmm_segment *segment = allocation->segment;
    uint64_t room = segment->profile->cpu_host_aperture;
    if (room == 0 || allocation->host_mapped)
        return allocation->host_mapped;
    if (allocation->size > room - segment->host_mapped_bytes) {
        vidmm_count(allocation->vidmm, "cpu_host_aperture_full", 1);
        return false;
    }
    segment->host_mapped_bytes += allocation->size;
    allocation->host_mapped = true;
    return true;
}

void vidmm_unmap_from_host(struct vidmm_allocation *allocation)
{
    if (allocation->host_mapped)
        allocation->segment->host_mapped_bytes -= allocation->size;
    allocation->host_mapped = false;
}

/* The CPU can reach system memory and what a segment shows it; anything else has to move out
 * (wddm.md §5.6). */
static bool cpu_can_reach(struct vidmm_allocation *allocation)
{
    if (!allocation->segment)
        return allocation->state == VIDMM_OUT;
    const struct profile_segment *segment = allocation->segment->profile;
    if (segment->kind == PROFILE_APERTURE)
        return true;
    if (allocation->state != VIDMM_RESIDENT)
        return false;
    if (map_to_host(allocation))
        return true;
    const struct range_extent *extent;
    for (extent = chain_first(allocation->extents); extent; extent = extent->more)
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
    if (--allocation->locks == 0)
        vidmm_unmap_from_host(allocation);
    vidmm_remark(allocation);
    vidmm_kick(allocation->vidmm, probe_thing(PROBE_PROCESS, allocation->process->pid));
    return STATUS_SUCCESS;
}
