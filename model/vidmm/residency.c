/* Residency: what devices require, what packets need before they may run. */
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

static struct vidmm_residency *find(const struct vidmm_device *device,
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

static void relist_all(struct vidmm_allocation *allocation)
{
    struct vidmm_residency *residency;
    DL_FOREACH2 (allocation->residencies, residency, in_allocation_next)
        relist(residency);
}

/* From now on the GPU may write it: NotWrittenTo, said of the time before, no longer holds. */
static void may_be_written(struct vidmm_allocation *allocation)
{
    if (allocation->content == VIDMM_IN_BOTH)
        allocation->content = VIDMM_IN_SEGMENT;
}

static void require(struct vidmm_device *device, struct vidmm_allocation *allocation)
{
    may_be_written(allocation);
    struct vidmm_residency *residency = find(device, allocation);
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
    struct vidmm_residency *residency = find(device, allocation);
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
    relist_all(allocation);
    allocation->segment->resident_bytes += allocation->size;
    vidmm_standing_begin(allocation);
    vidmm_remark(allocation);
    report(allocation, 1);
}

void vidmm_ceases_resident(struct vidmm_allocation *allocation)
{
    allocation->state = VIDMM_EVICTING;
    relist_all(allocation);
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

/* Starts paging in those of the items that are not resident; STATUS_SUCCESS if all are. */
static uint32_t page_in(struct vidmm_device *device, struct vidmm_allocation *const *items,
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
            give_up(find(device, items[i]));
        *bytes_to_trim = wanted - room;
        return STATUS_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (flags & VIDMM_EXISTING)
            vidmm_allocation_assume_resident(items[i]);
        vidmm_standing_use(items[i]);
    }
    return page_in(device, items, count, "MakeResident", request);
}

/* One level of the count less for the first `count` items; false, and nothing changed, if one of
 * them has none left. */
static bool lower_counts(struct vidmm_device *device, struct vidmm_allocation *const *items,
                         uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct vidmm_residency *residency = find(device, items[i]);
        if (residency && residency->count > 0) {
            residency->count--;
            continue;
        }
        while (i-- > 0)
            find(device, items[i])->count++;
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
    struct vidmm_residency *residency = find(device, allocation);
    if (residency && residency->count == 0) {
        forget(residency);
        vidmm_kick(device->vidmm);
    }
}

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
    relist_all(allocation);
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
        relist_all(items[i]);
        vidmm_remark(items[i]);
    }
    struct vidmm_allocation **required = memory_new(count, sizeof *required);
    uint32_t required_count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (find(device, items[i]))
            required[required_count++] = items[i];
    uint32_t status = page_in(device, required, required_count, "Reclaim", request);
    free(required);
    return status;
}

/* The CPU can reach system memory and what a segment shows it; anything else has to move out
 * (wddm.md §5.6). */
static bool cpu_can_reach(const struct vidmm_allocation *allocation)
{
    if (allocation->state == VIDMM_OUT)
        return true;
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
    request->items = memory_new(1, sizeof *request->items);
    request->items[0] = allocation;
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
    vidmm_kick(allocation->vidmm);
    return STATUS_SUCCESS;
}

/* A packet waits for its memory. */
struct preparation {
    struct vidmm_request request;
    struct vidsch_packet *packet;
};

static void preparation_done(void *owner, struct vidmm_request *request)
{
    struct preparation *preparation = owner;
    struct vidsch_packet *packet = preparation->packet;
    struct vidmm_device *device = request->device;
    device->turn_ends_ns =
        sim_now(device->vidmm->sim) + device->vidmm->profile->vidmm.device_quantum_ns;
    if (request->status != STATUS_SUCCESS)
        packet->without_memory = true;
    free(preparation);
    vidsch_prepared(packet);
}

static void hold(struct vidmm *vidmm, struct vidsch_packet *packet)
{
    if (vidmm->held_count == vidmm->held_room) {
        vidmm->held_room = vidmm->held_room ? 2 * vidmm->held_room : 16;
        vidmm->held = memory_resize(vidmm->held, vidmm->held_room, sizeof(struct vidsch_packet *));
    }
    vidmm->held[vidmm->held_count++] = packet;
    blame_switch(&packet->blame, PROBE_RESERVE, sim_now(vidmm->sim));
}

static void start_preparation(struct vidmm *vidmm, struct vidmm_device *device,
                              struct vidsch_packet *packet)
{
    const struct vidmm_context_memory *context = vidsch_context_memory(packet->context);
    uint32_t context_count = context ? context->count : 0;
    struct preparation *preparation = memory_new(1, sizeof *preparation);
    struct vidmm_request *request = &preparation->request;
    uint32_t most = packet->reference_count + device->missing_count + context_count;
    preparation->packet = packet;
    *request = (struct vidmm_request){.kind = VIDMM_PAGE_IN,
                                      .device = device,
                                      .whole_device = true,
                                      .items = memory_new(most, sizeof *request->items),
                                      .cause = "submission",
                                      .blame = &packet->blame,
                                      .done = preparation_done,
                                      .owner = preparation};
    for (uint32_t i = 0; i < context_count; i++)
        request->items[request->count++] = context->items[i];
    /* All references, the resident ones too: they must not leave while the others come. */
    for (uint32_t i = 0; i < packet->reference_count; i++)
        request->items[request->count++] = packet->references[i];
    struct vidmm_residency *residency;
    DL_FOREACH2 (device->missing, residency, missing_next)
        request->items[request->count++] = residency->allocation;
    vidmm_request_start(vidmm, request);
}

/* What was destroyed meanwhile (AssumeNotInUse) does not come in any more. */
static bool all_resident(struct vidmm_allocation *const *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (items[i]->state != VIDMM_RESIDENT && !items[i]->dying)
            return false;
    return true;
}

static void pin(struct vidmm_allocation *const *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        items[i]->pins++;
        vidmm_remark(items[i]);
    }
}

static void unpin(struct vidmm_allocation *const *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        items[i]->pins--;
        vidmm_remark(items[i]);
    }
}

bool vidmm_prepare(void *self, struct vidsch_packet *packet)
{
    struct vidmm *vidmm = self;
    struct vidmm_device *device = vidsch_context_owner(packet->context);
    const struct vidmm_context_memory *context = vidsch_context_memory(packet->context);
    if (!packet->without_memory) {
        /* A device whose turn is over must not go on while someone waits for room, or it would
         * never let go of what is waited for. */
        if (vidmm->blocked && device->turn_ends_ns <= sim_now(vidmm->sim)) {
            hold(vidmm, packet);
            return false;
        }
        if (device->missing_count || (context && !all_resident(context->items, context->count)) ||
            !all_resident(packet->references, packet->reference_count)) {
            start_preparation(vidmm, device, packet);
            return false;
        }
    }
    pin(packet->references, packet->reference_count);
    for (uint32_t i = 0; i < packet->reference_count; i++) {
        may_be_written(packet->references[i]);
        if (packet->next_uses)
            vidmm_foresee(packet->references[i], packet->next_uses[i]);
        vidmm_standing_use(packet->references[i]);
    }
    if (context)
        pin(context->items, context->count);
    device->running += !packet->without_memory; /* else nobody promised that its list is there */
    vidmm->running++;
    return true;
}

void vidmm_release(void *self, struct vidsch_packet *packet)
{
    struct vidmm *vidmm = self;
    struct vidmm_device *device = vidsch_context_owner(packet->context);
    struct vidmm_context_memory *context = vidsch_context_memory(packet->context);
    unpin(packet->references, packet->reference_count);
    if (context) {
        /* Lazily: the state stays on the engine, so its place in memory must stay, too. */
        if (!context->loaded && vidsch_context_loaded(packet->context)) {
            context->loaded = true;
            pin(context->items, context->count);
        }
        unpin(context->items, context->count);
    }
    device->running -= !packet->without_memory;
    vidmm->running--;
    vidmm_kick(vidmm);
}

void vidmm_unload(void *self, struct vidsch_context *vidsch_context)
{
    struct vidmm_context_memory *context = vidsch_context_memory(vidsch_context);
    if (context && context->loaded) {
        context->loaded = false;
        unpin(context->items, context->count);
        vidmm_kick(self);
    }
}

/* Packets under way pinned the list as it was: what joins them is pinned as often. */
void vidmm_context_add(struct vidsch_context *vidsch_context, struct vidmm_allocation *allocation)
{
    struct vidmm_context_memory *context = vidsch_context_memory(vidsch_context);
    if (!context) {
        context = memory_new(1, sizeof *context);
        vidsch_context_set_memory(vidsch_context, context);
    }
    context->items = memory_resize(context->items, context->count + 1, sizeof *context->items);
    context->items[context->count++] = allocation;
    allocation->pins += vidsch_context_in_flight(vidsch_context) + context->loaded;
    vidmm_remark(allocation);
}

void vidmm_context_remove(struct vidsch_context *vidsch_context,
                          struct vidmm_allocation *allocation)
{
    struct vidmm_context_memory *context = vidsch_context_memory(vidsch_context);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < context->count; i++)
        if (context->items[i] != allocation)
            context->items[kept++] = context->items[i];
    context->count = kept;
    allocation->pins -= vidsch_context_in_flight(vidsch_context) + context->loaded;
    vidmm_remark(allocation);
    if (kept == 0) {
        vidsch_context_set_memory(vidsch_context, NULL);
        free(context->items);
        free(context);
    }
}
