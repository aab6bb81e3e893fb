/* D3DKMTDestroyAllocation2: terminated by the call, destroyed once the work that could still touch
 * them is over (wddm.md §3). */
#include "model/dxgkrnl/internal.h"

#include <stdlib.h>
#include <utlist.h>

enum { KNOWN_FLAGS = D3DKMT_ASSUME_NOT_IN_USE | D3DKMT_SYNCHRONOUS_DESTROY };

/* All of it is destroyed. */
static void finish(struct dxgk_termination *termination)
{
    struct dxgk_device *device = termination->device;
    struct d3dkmt_call *call = termination->call;
    struct dxgkrnl *dxgkrnl = device->process->dxgkrnl;
    if (termination->shared)
        dxgk_shared_release(termination->shared);
    if (termination->globals != &termination->one)
        free(termination->globals);
    memory_pool_give(&dxgkrnl->terminations, termination);
    call->extra_count = 1; /* destroyed: a synchronous call may return */
    if (--device->terminating == 0 && device->dying)
        dxgk_device_free(device);
    if (!call->answered) { /* nothing took any time */
        dxgk_call_forget(call);
        return;
    }
    blame_end(&call->blame, sim_now(call->dxgkrnl->sim));
    dxgk_call_look(call);
    dxgk_call_done(call);
}

void dxgk_termination_step(struct dxgk_termination *termination)
{
    if (--termination->left == 0)
        finish(termination);
}

/* The order of §3.2 from step 6 on is the system worker's. */
static void close_all(struct dxgk_termination *termination)
{
    struct dxgkrnl *dxgkrnl = termination->device->process->dxgkrnl;
    termination->left = termination->count + 1;
    dxgk_call_wait(termination->call, PROBE_QUEUE, probe_thing(PROBE_DESTROYER, 0));
    for (uint32_t i = 0; i < termination->count; i++)
        dxgk_system_worker_close(dxgkrnl, termination, termination->globals[i]);
    dxgk_system_worker_run(dxgkrnl);
    dxgk_termination_step(termination);
}

static void unmapped(void *owner, struct vidmm_request *request)
{
    (void)request;
    close_all(owner);
}

/* Step 5: VidMm lets go, once the work that could still touch them is over. */
static void unmap(void *owner)
{
    struct dxgk_termination *termination = owner;
    uint32_t count = termination->count;
    struct vidmm_allocation *one, **items = &one;
    bool one_last = false, *last = &one_last;
    dxgk_call_found(termination->call, termination->idle.last);
    if (count > 1) {
        items = memory_new(count, sizeof(struct vidmm_allocation *));
        last = memory_new(count, sizeof *last);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct dxgk_global_allocation *global = termination->globals[i];
        items[i] = global->vidmm;
        last[i] = ++global->terminated == global->views;
    }
    termination->request = (struct vidmm_request){
        .done = unmapped, .owner = termination, .blame = &termination->call->blame};
    termination->unmapped = true;
    bool queued =
        vidmm_terminate(termination->device->vidmm, items, last, count, &termination->request);
    if (count > 1) {
        free(items);
        free(last);
    }
    if (!queued) {
        termination->unmapped = false;
        close_all(termination);
    }
}

static bool destroyed(struct d3dkmt_call *call)
{
    return call->extra_count != 0;
}

/* Rules for a list (§3.1, §3.3): each handle once, all the device's, all of one resource or all of
 * none, and that resource not a shared one. Marks what it accepts. */
static bool is_listed_well(struct dxgk_device *device, struct dxgk_allocation *view,
                           const struct dxgk_allocation *first)
{
    if (!view || view->device != device || view->named || view->resource != first->resource)
        return false;
    if (view->resource && view->resource->shared->shared)
        return false;
    view->named = true;
    return true;
}

static bool list_is_valid(struct dxgk_process *process, struct dxgk_device *device,
                          const d3dkmt_handle *handles, uint32_t count)
{
    const struct dxgk_allocation *first = count ? dxgk_allocation(process, handles[0]) : NULL;
    uint32_t good = 0;
    while (good < count && is_listed_well(device, dxgk_allocation(process, handles[good]), first))
        good++;
    for (uint32_t i = 0; i < good; i++)
        dxgk_allocation(process, handles[i])->named = false;
    return good == count;
}

static struct dxgk_termination *termination_new(struct d3dkmt_call *call,
                                                struct dxgk_device *device, uint32_t count)
{
    struct dxgk_termination *termination =
        memory_pool_take(&device->process->dxgkrnl->terminations);
    *termination = (struct dxgk_termination){
        .idle = {.passed = unmap, .owner = termination, .left = 1},
        .device = device,
        .call = call,
        .globals = &termination->one,
    };
    if (count > 1)
        termination->globals = memory_new(count, sizeof(struct dxgk_global_allocation *));
    return termination;
}

/* Out of the process's sight: the handle goes before the memory does (§3.2, step 2). */
static void add(struct dxgk_termination *termination, struct dxgk_allocation *view)
{
    handle_free(&termination->device->process->handles, view->handle);
    termination->globals[termination->count++] = dxgk_view_unlink(view);
}

static void terminate_list(struct dxgk_termination *termination, struct dxgk_process *process,
                           const d3dkmt_handle *handles, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct dxgk_allocation *view = dxgk_allocation(process, handles[i]);
        if (view->resource) {
            struct dxgk_shared_resource *shared = view->resource->shared;
            dxgk_shared_remove(shared, view->global);
            if (!termination->shared)
                shared->holds++;
            termination->shared = shared;
        }
        add(termination, view);
    }
}

static void terminate_resource(struct dxgk_termination *termination, struct dxgk_resource *resource)
{
    termination->shared = resource->shared;
    resource->shared->holds++;
    while (resource->views)
        add(termination, resource->views);
    handle_free(&termination->device->process->handles, resource->handle);
    DL_DELETE(termination->device->resources, resource);
    dxgk_shared_unview(resource->shared);
    dxgk_resource_free(resource);
}

/* The scheduler says when what the device queued before has finished; with AssumeNotInUse nobody
 * asks it (§3.2, step 3). The call itself waits only if it is to be synchronous. */
static void defer(struct dxgk_termination *termination, uint32_t flags)
{
    struct d3dkmt_call *call = termination->call;
    termination->device->terminating++;
    dxgk_call_wait(call, PROBE_QUEUE, probe_thing(PROBE_NOTHING, 0));
    if (flags & D3DKMT_SYNCHRONOUS_DESTROY)
        call->may_return = destroyed;
    dxgk_call_defer(call);
    if (!(flags & D3DKMT_ASSUME_NOT_IN_USE))
        dxgk_device_barrier(termination->device, &termination->idle);
    vidsch_barrier_arm(&termination->idle);
}

static uint32_t count_views(const struct dxgk_resource *resource)
{
    uint32_t count = 0;
    const struct dxgk_allocation *view;
    DL_FOREACH2 (resource->views, view, in_resource_next)
        count++;
    return count;
}

/* Everything is checked before anything is done (§3.2, step 1). An adapter that is gone does not
 * keep its objects from being destroyed (§3.4). */
static uint32_t destroy_allocations(struct dxgk_process *process, struct d3dkmt_call *call,
                                    d3dkmt_handle device_handle, d3dkmt_handle resource_handle,
                                    const d3dkmt_handle *handles, uint32_t count, uint32_t flags)
{
    struct dxgkrnl *dxgkrnl = process->dxgkrnl;
    uint32_t status = dxgk_step(dxgkrnl, DXGK_STEP_DESTROY);
    if (status != STATUS_SUCCESS)
        return status;
    struct dxgk_device *device = dxgk_device(process, device_handle);
    struct dxgk_resource *resource =
        resource_handle ? dxgk_resource(process, resource_handle) : NULL;
    if (!device || flags & ~(uint32_t)KNOWN_FLAGS)
        return STATUS_INVALID_PARAMETER;
    if (resource_handle ? !resource || resource->device != device
                        : (count && !handles) || !list_is_valid(process, device, handles, count))
        return STATUS_INVALID_PARAMETER;
    if (!resource && count == 0) /* neither: Windows does nothing and succeeds (§3.3) */
        return STATUS_SUCCESS;
    status = dxgk_step(dxgkrnl, DXGK_STEP_TERMINATE);
    if (status != STATUS_SUCCESS)
        return status;
    struct dxgk_termination *termination =
        termination_new(call, device, resource ? count_views(resource) : count);
    if (resource)
        terminate_resource(termination, resource);
    else
        terminate_list(termination, process, handles, count);
    defer(termination, flags);
    return STATUS_SUCCESS;
}

uint32_t d3dkmt_destroy_allocation2(struct dxgk_process *process, struct d3dkmt_call *call,
                                    d3dkmt_handle device, d3dkmt_handle resource,
                                    const d3dkmt_handle *allocations, uint32_t count,
                                    uint32_t flags)
{
    dxgk_call_begin(process, call, PROFILE_DESTROY_ALLOCATION);
    const struct dxgk_resource *whole = resource ? dxgk_resource(process, resource) : NULL;
    if (resource)
        count = whole ? count_views(whole) : 0;
    uint32_t status =
        destroy_allocations(process, call, device, resource, allocations, count, flags);
    return dxgk_call_return(call, status, count);
}
