/* Residency: what devices require (wddm.md §6.3). */
#include "model/vidmm/internal.h"

#include <stdlib.h>
#include <utlist.h>

struct vidmm_device *vidmm_device_create(struct vidmm *vidmm, uint32_t pid)
{
    struct vidmm_device *device = memory_new(1, sizeof *device);
    device->vidmm = vidmm;
    device->process = vidmm_process_join(vidmm, pid);
    device->process->devices++;
    vidmm_process_reweigh(device->process);
    device->wanted = (struct vidmm_pool){.process = device->process, .device = device};
    vidmm_pool_init(&device->wanted, vidmm, VIDMM_WANTED);
    DL_APPEND(vidmm->devices, device);
    return device;
}

static struct vidmm_residency *find(struct vidmm_residency *list, const struct vidmm_device *device)
{
    struct vidmm_residency *residency = list;
    while (residency && residency->device != device)
        residency = residency->in_allocation_next;
    return residency;
}

struct vidmm_residency *vidmm_residency_of(const struct vidmm_device *device,
                                           const struct vidmm_allocation *allocation)
{
    return find(allocation->residencies, device);
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

static void put_on_list(struct vidmm_residency *residency)
{
    struct vidmm_device *device = residency->device;
    struct vidmm_allocation *allocation = residency->allocation;
    if (!allocation->residencies)
        vidmm_charge(allocation, true);
    DL_APPEND2(device->required, residency, in_device_prev, in_device_next);
    DL_APPEND2(allocation->residencies, residency, in_allocation_prev, in_allocation_next);
    vidmm_remark(allocation);
    device->required_bytes += allocation->size;
    relist(residency);
}

static void take_off_list(struct vidmm_residency *residency)
{
    struct vidmm_device *device = residency->device;
    struct vidmm_allocation *allocation = residency->allocation;
    if (residency->listed) {
        DL_DELETE2(device->missing, residency, missing_prev, missing_next);
        device->missing_count--;
        residency->listed = false;
    }
    device->required_bytes -= allocation->size;
    DL_DELETE2(device->required, residency, in_device_prev, in_device_next);
    DL_DELETE2(allocation->residencies, residency, in_allocation_prev, in_allocation_next);
    if (!allocation->residencies)
        vidmm_charge(allocation, false);
    vidmm_remark(allocation);
}

void vidmm_residency_trim(struct vidmm_residency *residency)
{
    take_off_list(residency);
    DL_APPEND2(residency->device->trimmed, residency, in_device_prev, in_device_next);
    DL_APPEND2(residency->allocation->trimmed, residency, in_allocation_prev, in_allocation_next);
}

static void forget_trimmed(struct vidmm_residency *residency)
{
    DL_DELETE2(residency->device->trimmed, residency, in_device_prev, in_device_next);
    DL_DELETE2(residency->allocation->trimmed, residency, in_allocation_prev, in_allocation_next);
}

bool vidmm_residency_restore(struct vidmm_device *device, struct vidmm_allocation *allocation)
{
    struct vidmm_residency *residency = find(allocation->trimmed, device);
    if (residency) {
        forget_trimmed(residency);
        put_on_list(residency);
    }
    return residency != NULL;
}

static struct vidmm_residency *require(struct vidmm_device *device,
                                       struct vidmm_allocation *allocation)
{
    vidmm_may_be_written(allocation);
    if (allocation->trimmed)
        vidmm_residency_restore(device, allocation);
    struct vidmm_residency *residency = vidmm_residency_of(device, allocation);
    if (!residency) {
        residency = memory_pool_take(&device->vidmm->residencies);
        *residency = (struct vidmm_residency){.device = device, .allocation = allocation};
        put_on_list(residency);
    }
    residency->count++;
    residency->used = ++device->vidmm->uses;
    return residency;
}

static void forget(struct vidmm_residency *residency)
{
    take_off_list(residency);
    memory_pool_give(&residency->device->vidmm->residencies, residency);
}

void vidmm_device_require(struct vidmm_device *device, struct vidmm_allocation *allocation)
{
    require(device, allocation)->permanent = true;
}

void vidmm_device_close(struct vidmm_device *device, struct vidmm_allocation *allocation)
{
    struct vidmm_residency *residency = find(allocation->trimmed, device);
    if (residency) {
        forget_trimmed(residency);
        memory_pool_give(&device->vidmm->residencies, residency);
    }
    residency = vidmm_residency_of(device, allocation);
    if (residency)
        forget(residency);
}

void vidmm_device_destroy(struct vidmm_device *device)
{
    while (device->required)
        forget(device->required);
    while (device->trimmed)
        vidmm_device_close(device, device->trimmed->allocation);
    vidmm_worker_forget(device);
    device->process->devices--;
    vidmm_process_reweigh(device->process);
    vidmm_process_leave(device->process);
    DL_DELETE(device->vidmm->devices, device);
    vidmm_pool_fini(&device->wanted);
    free(device);
}

static void report(const struct vidmm_allocation *allocation, int sign)
{
    struct vidmm *vidmm = allocation->vidmm;
    struct probe *probe = vidmm->probe;
    probe->resident(probe->self, sim_now(vidmm->sim), allocation->process->pid,
                    vidmm_probe_segment(vidmm, allocation->segment->id),
                    sign * (int64_t)allocation->size);
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
        bytes += items[i]->blocks ? 0 : items[i]->size;
    return bytes <= capacity(vidmm, items, count);
}

/* A demand-paged one: all of it. */
static bool is_resident(const struct vidmm_allocation *item)
{
    uint32_t whole = 0;
    while (whole < item->block_count && vidmm_block_is_whole(item->blocks[whole]))
        whole++;
    return item->blocks ? whole == item->block_count : item->state == VIDMM_RESIDENT;
}

uint32_t vidmm_reference(struct vidmm_device *device, struct vidmm_allocation *const *items,
                         uint32_t count)
{
    uint32_t hits = 0;
    if (device->vidmm->explicit_residency &&
        device->vidmm->profile->vidmm.budget != PROFILE_BUDGET_NONE)
        vidmm_umd_use(device, items, count);
    for (uint32_t i = 0; i < count; i++)
        hits += is_resident(items[i]);
    return hits;
}

/* What is demand-paged is nobody's to make resident. */
static bool is_missing(const struct vidmm_allocation *item)
{
    return item->state != VIDMM_RESIDENT && !item->blocks;
}

static struct vidmm_allocation **copy_missing(struct vidmm_allocation *const *items, uint32_t count,
                                              uint32_t *missing)
{
    *missing = 0;
    for (uint32_t i = 0; i < count; i++)
        *missing += is_missing(items[i]);
    if (*missing == 0)
        return NULL;
    struct vidmm_allocation **copy = memory_new(*missing, sizeof *copy);
    uint32_t copied = 0;
    for (uint32_t i = 0; i < count; i++)
        if (is_missing(items[i]))
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

/* By how much the process would be over its budgets with these required, too. */
static uint64_t over_budgets(const struct vidmm_device *device,
                             struct vidmm_allocation *const *items, uint32_t count)
{
    uint64_t most = 0;
    bool asked[VIDMM_GROUPS + 1] = {false};
    for (uint32_t i = 0; i < count; i++)
        asked[items[i]->group] = true;
    for (enum vidmm_group group = 0; group < VIDMM_GROUPS; group++) {
        uint64_t over = asked[group] ? vidmm_over_budget(device->process, group) : 0;
        most = over > most ? over : most;
    }
    return most;
}

/* By how much the device would require more than the segments of these hold. */
static uint64_t over_capacity(const struct vidmm_device *device,
                              struct vidmm_allocation *const *items, uint32_t count)
{
    uint64_t room = capacity(device->vidmm, items, count), wanted = device->required_bytes;
    if (wanted > room) { /* some of it may be at home elsewhere */
        uint32_t segments = 0;
        for (uint32_t i = 0; i < count; i++)
            segments |= items[i]->segments;
        wanted = required_in(device, segments);
    }
    return wanted > room ? wanted - room : 0;
}

static void give_up(struct vidmm_residency *residency)
{
    if (residency && --residency->count == 0)
        forget(residency);
}

/* The user-mode driver tried, was refused, trims, and says that it can do no more. */
static void trim_and_insist(struct vidmm_device *device, uint64_t bytes)
{
    vidmm_count(device->vidmm, "make_resident_refused_to_the_driver", 1);
    for (enum vidmm_group group = 0; group < VIDMM_GROUPS; group++)
        if (vidmm_over_budget(device->process, group))
            vidmm_umd_trim(device->process, group, bytes);
}

uint32_t vidmm_make_resident(struct vidmm_device *device, struct vidmm_allocation *const *items,
                             uint32_t count, uint32_t flags, struct vidmm_request *request,
                             uint64_t *bytes_to_trim)
{
    *bytes_to_trim = 0;
    if (!device->vidmm->explicit_residency)
        return STATUS_SUCCESS;
    for (uint32_t i = 0; i < count; i++)
        if (!items[i]->blocks)
            require(device, items[i]);
    if (!(flags & VIDMM_CANT_TRIM_FURTHER)) {
        uint64_t over_budget = over_budgets(device, items, count);
        uint64_t over_all = over_capacity(device, items, count);
        if (over_all || (over_budget && !(flags & VIDMM_TRIMS))) {
            for (uint32_t i = 0; i < count; i++)
                give_up(vidmm_residency_of(device, items[i]));
            *bytes_to_trim = over_all > over_budget ? over_all : over_budget;
            return STATUS_NO_MEMORY;
        }
        if (over_budget)
            trim_and_insist(device, over_budget);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (flags & VIDMM_EXISTING)
            vidmm_allocation_assume_resident(items[i]);
        vidmm_standing_use(items[i]);
    }
    return vidmm_page_in(device, items, count, "MakeResident", request);
}

/* The program's: it does not know what its driver trimmed. */
static struct vidmm_residency *claim_of(const struct vidmm_device *device,
                                        const struct vidmm_allocation *allocation)
{
    struct vidmm_residency *residency = vidmm_residency_of(device, allocation);
    return residency ? residency : find(allocation->trimmed, device);
}

/* One level of the count less for the first `count` items; false, and nothing changed, if one of
 * them has none left. */
static bool lower_counts(struct vidmm_device *device, struct vidmm_allocation *const *items,
                         uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct vidmm_residency *residency = claim_of(device, items[i]);
        if (items[i]->blocks)
            continue;
        if (residency && residency->count > 0) {
            residency->count--;
            continue;
        }
        while (i-- > 0)
            if (!items[i]->blocks)
                claim_of(device, items[i])->count++;
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
    const struct vidmm_residency *residency = claim_of(device, allocation);
    if (residency && residency->count == 0) {
        vidmm_device_close(device, allocation);
        vidmm_kick(device->vidmm, probe_thing(PROBE_PROCESS, device->process->pid));
    }
}
