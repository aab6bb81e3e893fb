/* Residency: what devices require (wddm.md §6.3). */
#include "model/vidmm/internal.h"

#include <stdlib.h>
#include <utlist.h>

struct vidmm_device *vidmm_device_create(struct vidmm *vidmm, uint32_t pid)
{
    struct vidmm_device *device = memory_new(1, sizeof *device);
    device->vidmm = vidmm;
    device->pid = pid;
    vidmm_pool_init(&device->wanted, vidmm);
    DL_APPEND(vidmm->devices, device);
    return device;
}

struct vidmm_residency *vidmm_residency_of(const struct vidmm_device *device,
                                           const struct vidmm_allocation *allocation)
{
    struct vidmm_residency *residency;
    DL_FOREACH2 (allocation->residencies, residency, in_allocation_next)
        if (residency->device == device)
            return residency;
    return NULL;
}

/* Required and not there: a packet of the device has it paged in. What is offered is not asked for
 * until it is reclaimed (wddm.md §6.5). */
static void relist(struct vidmm_residency *residency)
{
    struct vidmm_device *device = residency->device;
    const struct vidmm_allocation *allocation = residency->allocation;
    bool missing = allocation->state != VIDMM_RESIDENT && !allocation->offered;
    if (missing == residency->listed)
        return;
    residency->listed = missing;
    if (missing)
        DL_APPEND2(device->missing, residency, missing_prev, missing_next);
    else
        DL_DELETE2(device->missing, residency, missing_prev, missing_next);
    device->missing_count += missing ? 1 : UINT32_MAX;
}

void vidmm_relist(struct vidmm_allocation *allocation)
{
    struct vidmm_residency *residency;
    DL_FOREACH2 (allocation->residencies, residency, in_allocation_next)
        relist(residency);
}

void vidmm_may_be_written(struct vidmm_allocation *allocation)
{
    if (allocation->content == VIDMM_IN_BOTH)
        allocation->content = VIDMM_IN_SEGMENT;
}

static void require(struct vidmm_device *device, struct vidmm_allocation *allocation)
{
    vidmm_may_be_written(allocation);
    struct vidmm_residency *residency = vidmm_residency_of(device, allocation);
    if (residency) {
        residency->count++;
        return;
    }
    residency = memory_pool_take(&device->vidmm->residencies);
    *residency = (struct vidmm_residency){.device = device, .allocation = allocation, .count = 1};
    DL_APPEND2(device->required, residency, in_device_prev, in_device_next);
    DL_APPEND2(allocation->residencies, residency, in_allocation_prev, in_allocation_next);
    vidmm_remark(allocation);
    device->required_bytes += allocation->size;
    relist(residency);
}

static void forget(struct vidmm_residency *residency)
{
    struct vidmm_device *device = residency->device;
    struct vidmm_allocation *allocation = residency->allocation;
    if (residency->listed) {
        DL_DELETE2(device->missing, residency, missing_prev, missing_next);
        device->missing_count--;
    }
    device->required_bytes -= allocation->size;
    DL_DELETE2(device->required, residency, in_device_prev, in_device_next);
    DL_DELETE2(allocation->residencies, residency, in_allocation_prev, in_allocation_next);
    vidmm_remark(allocation);
    memory_pool_give(&device->vidmm->residencies, residency);
}

void vidmm_device_require(struct vidmm_device *device, struct vidmm_allocation *allocation)
{
    require(device, allocation);
}

void vidmm_device_close(struct vidmm_device *device, struct vidmm_allocation *allocation)
{
    struct vidmm_residency *residency = vidmm_residency_of(device, allocation);
    if (residency)
        forget(residency);
}

void vidmm_device_destroy(struct vidmm_device *device)
{
    while (device->required)
        forget(device->required);
    vidmm_paging_forget(device);
    DL_DELETE(device->vidmm->devices, device);
    vidmm_pool_fini(&device->wanted);
    free(device);
}

static void report(const struct vidmm_allocation *allocation, int sign)
{
    struct vidmm *vidmm = allocation->vidmm;
    struct probe *probe = vidmm->probe;
    probe->resident(probe->self, sim_now(vidmm->sim), allocation->process->pid,
                    allocation->segment->id, sign * (int64_t)allocation->size);
    if (allocation->context_allocation)
        probe->context_allocation(probe->self, sim_now(vidmm->sim), allocation->context, 0, sign);
}

void vidmm_became_resident(struct vidmm_allocation *allocation)
{
    allocation->state = VIDMM_RESIDENT;
    vidmm_relist(allocation);
    allocation->segment->resident_bytes += allocation->size;
    vidmm_standing_begin(allocation);
    vidmm_remark(allocation);
    report(allocation, 1);
}

void vidmm_ceases_resident(struct vidmm_allocation *allocation)
{
    allocation->state = VIDMM_EVICTING;
    vidmm_relist(allocation);
    vidmm_standing_end(allocation);
    vidmm_remark(allocation);
    allocation->segment->resident_bytes -= allocation->size;
    report(allocation, -1);
}

/* Bytes the segments of any of these allocations can hold. */
static uint64_t capacity(const struct vidmm *vidmm, struct vidmm_allocation *const *items,
                         uint32_t count)
{
    uint32_t segments = 0;
    for (uint32_t i = 0; i < count; i++)
        segments |= items[i]->segments;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < vidmm->profile->segment_count; i++)
        bytes += segments >> i & 1 ? vidmm->segments[i].range.size : 0;
    return bytes;
}

bool vidmm_fits(struct vidmm *vidmm, struct vidmm_allocation *const *items, uint32_t count)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += items[i]->size;
    return bytes <= capacity(vidmm, items, count);
}

uint32_t vidmm_reference(struct vidmm_allocation *const *items, uint32_t count)
{
    uint32_t hits = 0;
    for (uint32_t i = 0; i < count; i++)
        hits += items[i]->state == VIDMM_RESIDENT;
    return hits;
}

static struct vidmm_allocation **copy_missing(struct vidmm_allocation *const *items, uint32_t count,
                                              uint32_t *missing)
{
    *missing = 0;
    for (uint32_t i = 0; i < count; i++)
        *missing += items[i]->state != VIDMM_RESIDENT;
    if (*missing == 0)
        return NULL;
    struct vidmm_allocation **copy = memory_new(*missing, sizeof *copy);
    uint32_t copied = 0;
    for (uint32_t i = 0; i < count; i++)
        if (items[i]->state != VIDMM_RESIDENT)
            copy[copied++] = items[i];
    return copy;
}

uint32_t vidmm_page_in(struct vidmm_device *device, struct vidmm_allocation *const *items,
                       uint32_t count, const char *cause, struct vidmm_request *request)
{
    uint32_t missing;
    struct vidmm_allocation **copy = copy_missing(items, count, &missing);
    if (!copy)
        return STATUS_SUCCESS;
    request->kind = VIDMM_PAGE_IN;
    request->device = device;
    request->items = copy;
    request->count = missing;
    request->cause = cause;
    vidmm_request_start(device->vidmm, request);
    return STATUS_PENDING;
}

/* Bytes the device requires that can be nowhere but in these segments. What was evicted and only
 * waits for queued work does not count. */
static uint64_t required_in(const struct vidmm_device *device, uint32_t segments)
{
    uint64_t bytes = 0;
    const struct vidmm_residency *residency;
    DL_FOREACH2 (device->required, residency, in_device_next)
        if (residency->count && !(residency->allocation->segments & ~segments))
            bytes += residency->allocation->size;
    return bytes;
}

static void give_up(struct vidmm_residency *residency)
{
    if (residency && --residency->count == 0)
        forget(residency);
}

uint32_t vidmm_make_resident(struct vidmm_device *device, struct vidmm_allocation *const *items,
                             uint32_t count, uint32_t flags, struct vidmm_request *request,
                             uint64_t *bytes_to_trim)
{
    struct vidmm *vidmm = device->vidmm;
    *bytes_to_trim = 0;
    if (!vidmm->explicit_residency)
        return STATUS_SUCCESS;
    uint32_t segments = 0;
    for (uint32_t i = 0; i < count; i++) {
        require(device, items[i]);
        segments |= items[i]->segments;
    }
    uint64_t room = capacity(vidmm, items, count);
    uint64_t wanted = device->required_bytes;
    if (wanted > room) /* some of it may be at home elsewhere */
        wanted = required_in(device, segments);
    if (wanted > room && !(flags & VIDMM_CANT_TRIM_FURTHER)) {
        for (uint32_t i = 0; i < count; i++)
            give_up(vidmm_residency_of(device, items[i]));
        *bytes_to_trim = wanted - room;
        return STATUS_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (flags & VIDMM_EXISTING)
            vidmm_allocation_assume_resident(items[i]);
        vidmm_standing_use(items[i]);
    }
    return vidmm_page_in(device, items, count, "MakeResident", request);
}

/* One level of the count less for the first `count` items; false, and nothing changed, if one of
 * them has none left. */
static bool lower_counts(struct vidmm_device *device, struct vidmm_allocation *const *items,
                         uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct vidmm_residency *residency = vidmm_residency_of(device, items[i]);
        if (residency && residency->count > 0) {
            residency->count--;
            continue;
        }
        while (i-- > 0)
            vidmm_residency_of(device, items[i])->count++;
        return false;
    }
    return true;
}

uint32_t vidmm_evict(struct vidmm_device *device, struct vidmm_allocation *const *items,
                     uint32_t count, bool not_written)
{
    if (!device->vidmm->explicit_residency)
        return STATUS_SUCCESS;
    if (!lower_counts(device, items, count))
        return STATUS_INVALID_PARAMETER;
    for (uint32_t i = 0; i < count; i++)
        if (not_written && items[i]->content == VIDMM_IN_SEGMENT)
            items[i]->content = VIDMM_IN_BOTH;
    return STATUS_SUCCESS;
}

void vidmm_evict_settle(struct vidmm_device *device, struct vidmm_allocation *allocation)
{
    struct vidmm_residency *residency = vidmm_residency_of(device, allocation);
    if (residency && residency->count == 0) {
        forget(residency);
        vidmm_kick(device->vidmm);
    }
}
