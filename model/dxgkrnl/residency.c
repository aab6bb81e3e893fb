/* MapGpuVirtualAddress, MakeResident, Evict, priorities, Offer and Reclaim, Lock. */
#include "model/dxgkrnl/internal.h"

#include <stdlib.h>

enum { MAKE_RESIDENT_MAX = 10240 }; /* allocations per call (wddm.md §0.2) */

/* Device and allocations of a call; false if a handle is wrong. The caller frees *items. */
static bool look_up(struct dxgk_process *process, d3dkmt_handle device_handle,
                    const d3dkmt_handle *allocations, uint32_t count, struct dxgk_device **device,
                    struct vidmm_allocation ***items)
{
    *items = NULL;
    *device = dxgk_device(process, device_handle);
    if (!*device || count == 0 || count > MAKE_RESIDENT_MAX)
        return false;
    *items = dxgk_allocations(process, *device, allocations, count);
    return *items != NULL;
}

static void foresee(const struct d3dkmt_call *call, struct vidmm_allocation *const *items,
                    uint32_t count)
{
    for (uint32_t i = 0; call->next_uses && i < count; i++)
        vidmm_foresee(items[i], call->next_uses[i]);
}

/* MustSucceed did not: the device is in error (wddm.md §6.3). */
static void paging_done(void *owner, struct vidmm_request *request)
{
    struct d3dkmt_call *call = owner;
    if (request->status != STATUS_SUCCESS && request->device && call->at_stake)
        call->at_stake->error = true;
    blame_end(&call->blame, sim_now(call->dxgkrnl->sim));
    dxgk_call_done(call);
}

static void expect_paging(struct d3dkmt_call *call)
{
    call->request.blame = &call->blame;
    call->request.done = paging_done;
    call->request.owner = call;
    dxgk_call_defer(call);
}

uint32_t d3dkmt_make_resident(struct dxgk_process *process, struct d3dkmt_call *call,
                              d3dkmt_handle device_handle, const d3dkmt_handle *allocations,
                              uint32_t count, uint32_t flags)
{
    dxgk_call_begin(process, call, PROFILE_MAKE_RESIDENT);
    struct dxgk_device *device;
    struct vidmm_allocation **items;
    uint32_t status = STATUS_INVALID_PARAMETER;
    /* MustSucceed only with CantTrimFurther (wddm.md §6.3). */
    bool sensible = !(flags & VIDMM_MUST_SUCCEED) || (flags & VIDMM_CANT_TRIM_FURTHER);
    if (sensible && look_up(process, device_handle, allocations, count, &device, &items)) {
        uint64_t bytes_to_trim;
        call->at_stake = flags & VIDMM_MUST_SUCCEED ? device : NULL;
        foresee(call, items, count);
        expect_paging(call);
        status = dxgk_device_state(device);
        if (status == STATUS_SUCCESS)
            status = vidmm_make_resident(device->vidmm, items, count, flags, &call->request,
                                         &bytes_to_trim);
        if (status != STATUS_PENDING)
            dxgk_call_forget(call);
        free(items);
    }
    return dxgk_call_return(call, status, count);
}

uint32_t d3dkmt_map_gpu_virtual_address(struct dxgk_process *process, struct d3dkmt_call *call,
                                        d3dkmt_handle device_handle, d3dkmt_handle allocation)
{
    dxgk_call_begin(process, call, PROFILE_MAP_GPU_VIRTUAL_ADDRESS);
    struct dxgk_device *device;
    struct vidmm_allocation **items;
    if (!look_up(process, device_handle, &allocation, 1, &device, &items))
        return dxgk_call_return(call, STATUS_INVALID_PARAMETER, 0);
    uint32_t status = dxgk_device_state(device);
    if (status == STATUS_SUCCESS && device->adapter->profile->wddm >= 20) {
        expect_paging(call);
        vidmm_map(items[0], &call->request);
        status = STATUS_PENDING;
    }
    free(items);
    return dxgk_call_return(call, status, 1);
}

/* What a call does to allocations once the work that the device has queued before is over. */
struct afterwards {
    struct vidsch_barrier idle;
    struct vidmm_device *device;
    struct vidmm_offer offer;
    uint32_t count;
    struct {
        struct vidmm_allocation *allocation;
        uint32_t begun; /* of an offer */
    } items[];
};

static void afterwards(struct dxgk_device *device, struct vidmm_allocation *const *items,
                       uint32_t count, bool wait, struct vidmm_offer offer,
                       void (*act)(void *owner))
{
    struct afterwards *deed = memory_new(1, sizeof *deed + count * sizeof deed->items[0]);
    deed->idle = (struct vidsch_barrier){.passed = act, .owner = deed, .left = 1};
    deed->device = device->vidmm;
    deed->offer = offer;
    deed->count = count;
    for (uint32_t i = 0; i < count; i++) {
        deed->items[i].allocation = items[i];
        deed->items[i].begun = vidmm_offer_begin(items[i]);
        vidmm_allocation_hold(items[i]);
    }
    if (wait)
        dxgk_device_barrier(device, &deed->idle);
    vidsch_barrier_arm(&deed->idle);
}

static void settle_eviction(void *owner)
{
    struct afterwards *deed = owner;
    for (uint32_t i = 0; i < deed->count; i++) {
        vidmm_evict_settle(deed->device, deed->items[i].allocation);
        vidmm_allocation_drop(deed->items[i].allocation);
    }
    free(deed);
}

uint32_t d3dkmt_evict(struct dxgk_process *process, struct d3dkmt_call *call,
                      d3dkmt_handle device_handle, const d3dkmt_handle *allocations, uint32_t count,
                      bool not_written)
{
    dxgk_call_begin(process, call, PROFILE_EVICT);
    struct dxgk_device *device;
    struct vidmm_allocation **items;
    uint32_t status = STATUS_INVALID_PARAMETER;
    if (look_up(process, device_handle, allocations, count, &device, &items)) {
        status = vidmm_evict(device->vidmm, items, count, not_written);
        if (status == STATUS_SUCCESS)
            afterwards(device, items, count, true, (struct vidmm_offer){0}, settle_eviction);
        free(items);
    }
    return dxgk_call_return(call, status, count);
}

uint32_t d3dkmt_set_allocation_priority(struct dxgk_process *process, struct d3dkmt_call *call,
                                        const d3dkmt_handle *allocations, uint32_t count,
                                        int64_t priority)
{
    dxgk_call_begin(process, call, PROFILE_SET_PRIORITY);
    bool valid = count > 0;
    for (uint32_t i = 0; i < count && valid; i++)
        valid = dxgk_allocation(process, allocations[i]) != NULL;
    for (uint32_t i = 0; i < count && valid; i++)
        vidmm_allocation_set_priority(dxgk_allocation(process, allocations[i])->global->vidmm,
                                      priority);
    return dxgk_call_return(call, valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER, count);
}

static void take_offer(void *owner)
{
    struct afterwards *deed = owner;
    for (uint32_t i = 0; i < deed->count; i++) {
        vidmm_offer(deed->items[i].allocation, deed->offer, deed->items[i].begun);
        vidmm_allocation_drop(deed->items[i].allocation);
    }
    free(deed);
}

uint32_t d3dkmt_offer_allocations(struct dxgk_process *process, struct d3dkmt_call *call,
                                  d3dkmt_handle device_handle, const d3dkmt_handle *allocations,
                                  uint32_t count, int64_t priority, uint32_t flags)
{
    const struct vidmm_offer offer = {.priority = priority,
                                      .may_decommit = flags & D3DDDI_ALLOW_DECOMMIT};
    dxgk_call_begin(process, call, PROFILE_OFFER);
    struct dxgk_device *device;
    struct vidmm_allocation **items;
    bool valid = look_up(process, device_handle, allocations, count, &device, &items);
    if (valid) {
        afterwards(device, items, count, !(flags & D3DDDI_OFFER_IMMEDIATELY), offer, take_offer);
        free(items);
    }
    return dxgk_call_return(call, valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER, count);
}

uint32_t d3dkmt_reclaim_allocations2(struct dxgk_process *process, struct d3dkmt_call *call,
                                     d3dkmt_handle device_handle, const d3dkmt_handle *allocations,
                                     uint32_t count)
{
    dxgk_call_begin(process, call, PROFILE_RECLAIM);
    struct dxgk_device *device;
    struct vidmm_allocation **items;
    uint32_t status = STATUS_INVALID_PARAMETER;
    if (look_up(process, device_handle, allocations, count, &device, &items)) {
        foresee(call, items, count);
        expect_paging(call);
        status = vidmm_reclaim(device->vidmm, items, count, &call->request);
        if (status != STATUS_PENDING)
            dxgk_call_forget(call);
        free(items);
    }
    return dxgk_call_return(call, status, count);
}

static bool reachable(struct d3dkmt_call *call)
{
    return call->extra_count != 0;
}

static void moved_out(void *owner, struct vidmm_request *request)
{
    (void)request;
    struct d3dkmt_call *call = owner;
    call->extra_count = 1;
    dxgk_call_look(call);
}

uint32_t d3dkmt_lock2(struct dxgk_process *process, struct d3dkmt_call *call,
                      d3dkmt_handle device_handle, d3dkmt_handle allocation)
{
    dxgk_call_begin(process, call, PROFILE_LOCK);
    struct dxgk_device *device;
    struct vidmm_allocation **items;
    bool valid = look_up(process, device_handle, &allocation, 1, &device, &items);
    if (valid) {
        call->may_return = reachable;
        call->request.blame = &call->blame;
        call->request.done = moved_out;
        call->request.owner = call;
        call->extra_count = vidmm_lock(device->vidmm, items[0], &call->request);
        free(items);
    }
    return dxgk_call_return(call, valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER, 1);
}

uint32_t d3dkmt_unlock2(struct dxgk_process *process, struct d3dkmt_call *call,
                        d3dkmt_handle device_handle, d3dkmt_handle allocation)
{
    dxgk_call_begin(process, call, PROFILE_UNLOCK);
    struct dxgk_device *device;
    struct vidmm_allocation **items;
    uint32_t status = STATUS_INVALID_PARAMETER;
    if (look_up(process, device_handle, &allocation, 1, &device, &items)) {
        status = vidmm_unlock(items[0]);
        free(items);
    }
    return dxgk_call_return(call, status, 1);
}
