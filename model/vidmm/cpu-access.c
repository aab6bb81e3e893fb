/* Lock and Unlock (wddm.md §5.6): what the processor cannot reach moves out of its segment. */
#include "model/vidmm/internal.h"

#include <stdlib.h>

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

/* The CPU can reach system memory and what a segment shows it, or is made to; anything else has to
 * move out (wddm.md §5.6). */
static bool show_to_cpu(struct vidmm_allocation *allocation)
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

/* Whether it can stay where it is. */
static bool lock(struct vidmm_allocation *allocation)
{
    allocation->locks++;
    vidmm_remark(allocation);
    if (allocation->pages)
        vidmm_block_lock(allocation);
    else if (allocation->content == VIDMM_NOTHING && allocation->state == VIDMM_OUT)
        allocation->content = VIDMM_IN_SYSTEM; /* what the CPU writes there is its content */
    return show_to_cpu(allocation);
}

bool vidmm_lock(struct vidmm_device *device, struct vidmm_allocation *allocation,
                struct vidmm_request *request)
{
    uint32_t parts = vidmm_part_count(allocation);
    request->kind = VIDMM_PAGE_OUT;
    request->device = device;
    request->items = parts == 1 ? &request->one : memory_new(parts, sizeof *request->items);
    request->count = 0;
    request->cause = "lock";
    for (uint32_t i = 0; i < parts; i++)
        if (!lock(vidmm_part(allocation, i)))
            request->items[request->count++] = vidmm_part(allocation, i);
    if (request->count) {
        vidmm_request_start(allocation->vidmm, request);
        return false;
    }
    if (request->items != &request->one)
        free(request->items);
    return true;
}

uint32_t vidmm_unlock(struct vidmm_allocation *allocation)
{
    if (vidmm_part(allocation, 0)->locks == 0)
        return STATUS_INVALID_PARAMETER;
    for (uint32_t i = 0; i < vidmm_part_count(allocation); i++) {
        struct vidmm_allocation *part = vidmm_part(allocation, i);
        if (--part->locks == 0)
            vidmm_unmap_from_host(part);
        vidmm_remark(part);
    }
    vidmm_kick(allocation->vidmm, probe_thing(PROBE_PROCESS, allocation->process->pid));
    return STATUS_SUCCESS;
}
