/* Devices, and how they and their processes end (wddm.md §3.4). */
#include "model/dxgkrnl/internal.h"

#include <stdlib.h>
#include <utlist.h>

/* DxgkDdiCreateDevice. */
static uint32_t create_in_driver(struct dxgk_device *device)
{
    struct dxgkrnl *dxgkrnl = device->process->dxgkrnl;
    uint32_t status = dxgk_step(dxgkrnl, DXGK_STEP_DDI_CREATE_DEVICE);
    const struct dxgkddi *ddi = &device->adapter->ddi;
    if (status != STATUS_SUCCESS || !ddi->create_device)
        return status;
    struct dxgkarg_create_device arg = {.device = device, .system = device->system};
    status = ddi->create_device(ddi->miniport, &arg);
    device->driver = arg.driver_device;
    device->in_driver = status == STATUS_SUCCESS;
    return status;
}

static uint32_t create_device(struct dxgk_process *process, uint64_t number, bool system,
                              d3dkmt_handle *handle)
{
    struct dxgkrnl *dxgkrnl = process->dxgkrnl;
    struct dxgadapter *adapter = dxgk_adapter_of(dxgkrnl, number);
    if (!adapter)
        return STATUS_INVALID_PARAMETER;
    if (adapter->removed)
        return STATUS_DEVICE_REMOVED;
    struct dxgk_device *device = memory_new(1, sizeof *device);
    device->process = process;
    device->adapter = adapter;
    device->system = system;
    device->vidmm = vidmm_device_create(adapter->vidmm, process->pid);
    uint32_t status = create_in_driver(device);
    if (status == STATUS_SUCCESS)
        status = dxgk_step(dxgkrnl, DXGK_STEP_HANDLE);
    if (status == STATUS_SUCCESS &&
        !(device->handle = handle_new(&process->handles, HANDLE_DEVICE, device)))
        status = STATUS_NO_MEMORY;
    if (status != STATUS_SUCCESS) {
        dxgk_device_free(device);
        return status;
    }
    DL_APPEND(process->devices, device);
    *handle = device->handle;
    return STATUS_SUCCESS;
}

uint32_t d3dkmt_create_device(struct dxgk_process *process, struct d3dkmt_call *call,
                              uint64_t adapter, bool system, d3dkmt_handle *handle)
{
    dxgk_call_begin(process, call, PROFILE_CREATE_DEVICE);
    *handle = 0;
    return dxgk_call_return(call, create_device(process, adapter, system, handle), 0);
}

uint32_t d3dkmt_mark_device_as_error(struct dxgk_process *process, struct d3dkmt_call *call,
                                     d3dkmt_handle handle)
{
    dxgk_call_begin(process, call, PROFILE_FREE);
    struct dxgk_device *device = dxgk_device(process, handle);
    if (device)
        device->error = true;
    return dxgk_call_return(call, device ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER, 0);
}

/* NULL: it is being destroyed. */
static struct dxgk_device *device_of(const struct dxgkrnl *dxgkrnl,
                                     const struct vidsch_context *wanted)
{
    struct dxgk_process *process;
    LL_FOREACH (dxgkrnl->processes, process) {
        struct dxgk_device *device;
        DL_FOREACH (process->devices, device) {
            const struct dxgk_context *context;
            DL_FOREACH (device->contexts, context)
                if (context->vidsch == wanted)
                    return device;
        }
    }
    return NULL;
}

void dxgk_context_hung(void *dxgkrnl, struct vidsch_context *hung)
{
    struct dxgk_device *device = device_of(dxgkrnl, hung);
    struct dxgk_context *context;
    vidsch_context_abort(hung);
    if (!device)
        return;
    device->error = true;
    DL_FOREACH (device->contexts, context)
        vidsch_context_abort(context->vidsch);
}

uint32_t dxgk_remove_adapter(struct dxgk_process *process, struct d3dkmt_call *call,
                             uint64_t number)
{
    dxgk_call_begin(process, call, PROFILE_FREE);
    struct dxgadapter *adapter = dxgk_adapter_of(process->dxgkrnl, number);
    if (adapter)
        adapter->removed = true;
    return dxgk_call_return(call, adapter ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER, 0);
}

uint32_t dxgk_set_process_state(struct dxgk_process *process, struct d3dkmt_call *call,
                                enum vidmm_band band, enum vidmm_visibility visibility)
{
    dxgk_call_begin(process, call, PROFILE_FREE);
    const struct dxgadapter *adapter;
    LL_FOREACH (process->dxgkrnl->adapters, adapter)
        vidmm_process_set_state(adapter->vidmm, process->pid, band, visibility);
    return dxgk_call_return(call, STATUS_SUCCESS, 0);
}

void dxgk_device_barrier(struct dxgk_device *device, struct vidsch_barrier *barrier)
{
    struct dxgk_context *context;
    DL_FOREACH (device->contexts, context)
        vidsch_barrier_add(barrier, context->vidsch);
}

/* Everything of the device that can still be touched by its queued work. */
struct closing_device {
    struct vidsch_barrier drained;
    struct vidsch_barrier *gone;
    struct dxgk_device *device;
};

static void close_view(struct dxgk_device *device, struct dxgk_allocation *view,
                       struct dxgk_shared_resource *shared)
{
    struct dxgk_global_allocation *global = dxgk_view_unlink(view);
    if (dxgk_global_close(device, global))
        dxgk_global_destroy(device->adapter, shared, global);
}

/* Allocations without a resource first, then resources, each with its own. */
static void close_views(struct dxgk_device *device)
{
    struct dxgk_allocation *view, *next;
    DL_FOREACH_SAFE (device->allocations, view, next)
        if (!view->resource)
            close_view(device, view, NULL);
    while (device->resources) {
        struct dxgk_resource *resource = device->resources;
        while (resource->views)
            close_view(device, resource->views, resource->shared);
        DL_DELETE(device->resources, resource);
        dxgk_resource_free(resource);
    }
}

static void device_drained(void *owner)
{
    struct closing_device *closing = owner;
    struct dxgk_device *device = closing->device;
    struct vidsch_barrier *gone = closing->gone;
    gone->last = closing->drained.last;
    free(closing);
    close_views(device);
    device->dying = true;
    if (device->terminating == 0)
        dxgk_device_free(device);
    vidsch_barrier_arm(gone);
}

/* DxgkDdiDestroyDevice: the miniport takes its device-context allocations back; what it leaves, and
 * what the trace made, goes with the device. */
void dxgk_device_free(struct dxgk_device *device)
{
    const struct dxgkddi *ddi = &device->adapter->ddi;
    while (device->contexts)
        dxgk_context_free(device->contexts);
    if (device->in_driver && ddi->destroy_device)
        ddi->destroy_device(ddi->miniport, device->driver);
    while (device->shared)
        dxgk_context_allocation_free(device->shared);
    vidmm_device_destroy(device->vidmm);
    free(device);
}

/* In the documented order: allocations without a resource, resources with theirs, contexts, the
 * device. From now on nobody finds any of them. */
static void free_handles(struct dxgk_device *device)
{
    struct handle_table *table = &device->process->handles;
    struct dxgk_allocation *view;
    DL_FOREACH (device->allocations, view)
        if (!view->resource)
            handle_free(table, view->handle);
    struct dxgk_resource *resource;
    DL_FOREACH (device->resources, resource) {
        DL_FOREACH2 (resource->views, view, in_resource_next)
            handle_free(table, view->handle);
        handle_free(table, resource->handle);
        dxgk_shared_unview(resource->shared);
    }
    struct dxgk_context *context;
    DL_FOREACH (device->contexts, context) {
        dxgk_free_context_allocation_handles(device, context->allocations);
        if (context->handle)
            handle_free(table, context->handle);
        context->handle = 0;
    }
    dxgk_free_context_allocation_handles(device, device->shared);
    handle_free(table, device->handle);
}

void dxgk_device_close(struct dxgk_device *device, struct vidsch_barrier *gone)
{
    struct dxgk_process *process = device->process;
    struct closing_device *closing = memory_new(1, sizeof *closing);
    *closing = (struct closing_device){
        .drained = {.passed = device_drained, .owner = closing, .left = 1},
        .gone = gone,
        .device = device,
    };
    gone->left++;
    DL_DELETE(process->devices, device);
    free_handles(device);
    dxgk_device_barrier(device, &closing->drained);
    struct dxgk_context *context;
    DL_FOREACH (device->contexts, context)
        vidsch_context_flush(context->vidsch);
    vidsch_barrier_arm(&closing->drained);
}

static void teardown_over(void *owner)
{
    struct d3dkmt_call *call = owner;
    if (!call->answered) { /* nothing was queued */
        dxgk_call_forget(call);
        return;
    }
    dxgk_call_found(call, call->barrier.last);
    blame_end(&call->blame, sim_now(call->dxgkrnl->sim));
    dxgk_call_done(call);
}

void dxgk_begin_teardown(struct d3dkmt_call *call)
{
    call->barrier = (struct vidsch_barrier){.passed = teardown_over, .owner = call, .left = 1};
    dxgk_call_wait(call, PROBE_QUEUE, probe_thing(PROBE_NOTHING, 0));
    dxgk_call_defer(call);
}

uint32_t d3dkmt_destroy_device(struct dxgk_process *process, struct d3dkmt_call *call,
                               d3dkmt_handle handle)
{
    dxgk_call_begin(process, call, PROFILE_DESTROY_DEVICE);
    struct dxgk_device *device = dxgk_device(process, handle);
    if (device) {
        dxgk_begin_teardown(call);
        dxgk_device_close(device, &call->barrier);
        vidsch_barrier_arm(&call->barrier);
    }
    return dxgk_call_return(call, device ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER, 0);
}

uint32_t d3dkmt_exit_process(struct dxgk_process *process, struct d3dkmt_call *call)
{
    dxgk_call_begin(process, call, PROFILE_DESTROY_DEVICE);
    dxgk_begin_teardown(call);
    while (process->devices)
        dxgk_device_close(process->devices, &call->barrier);
    const struct dxgadapter *adapter;
    LL_FOREACH (process->dxgkrnl->adapters, adapter) {
        vidmm_process_exit(adapter->vidmm, process->pid);
        vidsch_process_exit(adapter->vidsch, process->pid);
    }
    vidsch_barrier_arm(&call->barrier);
    return dxgk_call_return(call, STATUS_SUCCESS, 0);
}
