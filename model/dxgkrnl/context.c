/* Devices, contexts and their context allocations. */
#include "model/dxgkrnl/internal.h"

#include <stdlib.h>
#include <utlist.h>

uint32_t d3dkmt_create_device(struct dxgk_process *process, struct d3dkmt_call *call,
                              d3dkmt_handle *handle)
{
    dxgk_call_begin(process, call);
    struct dxgk_device *device = memory_new(1, sizeof *device);
    device->process = process;
    device->vidmm = vidmm_device_create(process->dxgkrnl->vidmm, process->pid);
    device->handle = handle_new(&process->handles, HANDLE_DEVICE, device);
    DL_APPEND(process->devices, device);
    *handle = device->handle;
    return dxgk_call_return(call, STATUS_SUCCESS, PROFILE_CREATE_DEVICE, 0, 0);
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

static void device_drained(void *owner)
{
    struct closing_device *closing = owner;
    struct dxgk_device *device = closing->device;
    struct vidsch_barrier *gone = closing->gone;
    free(closing);
    while (device->allocations)
        dxgk_allocation_close(device, dxgk_allocation_forget(device->allocations));
    while (device->resources)
        dxgk_resource_forget(device->resources);
    device->dying = true;
    if (device->terminating == 0)
        dxgk_device_free(device);
    vidsch_barrier_arm(gone);
}

void dxgk_device_free(struct dxgk_device *device)
{
    while (device->contexts)
        dxgk_context_free(device->contexts);
    while (device->shared)
        dxgk_context_allocation_free(device->shared);
    vidmm_device_destroy(device->vidmm);
    free(device);
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
    handle_free(&process->handles, device->handle);
    struct dxgk_context *context;
    DL_FOREACH (device->contexts, context)
        if (context->handle) {
            handle_free(&process->handles, context->handle);
            context->handle = 0;
        }
    dxgk_device_barrier(device, &closing->drained);
    vidsch_barrier_arm(&closing->drained);
}

static void teardown_over(void *owner)
{
    struct d3dkmt_call *call = owner;
    if (!call->answered) { /* nothing was queued */
        dxgk_call_forget(call);
        return;
    }
    blame_end(&call->blame, sim_now(call->dxgkrnl->sim));
    dxgk_call_done(call);
}

/* The call's asynchronous part is over when `barrier` has passed: work queued before must end. */
static void begin_teardown(struct d3dkmt_call *call)
{
    call->barrier = (struct vidsch_barrier){.passed = teardown_over, .owner = call, .left = 1};
    blame_switch(&call->blame, PROBE_QUEUE, call->start_ns);
    dxgk_call_defer(call);
}

uint32_t d3dkmt_destroy_device(struct dxgk_process *process, struct d3dkmt_call *call,
                               d3dkmt_handle handle)
{
    dxgk_call_begin(process, call);
    struct dxgk_device *device = dxgk_device(process, handle);
    if (device) {
        begin_teardown(call);
        dxgk_device_close(device, &call->barrier);
        vidsch_barrier_arm(&call->barrier);
    }
    return dxgk_call_return(call, device ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER,
                            PROFILE_DESTROY_DEVICE, 0, 0);
}

uint32_t d3dkmt_exit_process(struct dxgk_process *process, struct d3dkmt_call *call)
{
    dxgk_call_begin(process, call);
    begin_teardown(call);
    while (process->devices)
        dxgk_device_close(process->devices, &call->barrier);
    vidsch_barrier_arm(&call->barrier);
    return dxgk_call_return(call, STATUS_SUCCESS, PROFILE_DESTROY_DEVICE, 0, 0);
}

static uint32_t create_context(struct dxgk_process *process, struct d3dkmt_create_context *args)
{
    struct dxgkrnl *dxgkrnl = process->dxgkrnl;
    struct dxgk_device *device = dxgk_device(process, args->device);
    if (!device || args->node >= dxgkrnl->profile->node_count || args->priority < -7 ||
        args->priority > 7)
        return STATUS_INVALID_PARAMETER;
    struct dxgk_context *context = memory_new(1, sizeof *context);
    context->device = device;
    context->existing = args->existing;
    context->vidsch = vidsch_context_create(dxgkrnl->vidsch, args->node, args->priority,
                                            args->system, process->pid, args->label, device->vidmm);
    DL_APPEND(device->contexts, context);
    uint32_t status = dxgkrnl->ddi.create_context(
        dxgkrnl->ddi.miniport, &(struct dxgkarg_create_context){
                                   .context = context, .node = args->node, .system = args->system});
    if (status != STATUS_SUCCESS) {
        dxgk_context_free(context);
        return status;
    }
    context->handle = handle_new(&process->handles, HANDLE_CONTEXT, context);
    args->context = context->handle;
    return STATUS_SUCCESS;
}

uint32_t d3dkmt_create_context(struct dxgk_process *process, struct d3dkmt_call *call,
                               struct d3dkmt_create_context *args)
{
    dxgk_call_begin(process, call);
    args->context = 0;
    return dxgk_call_return(call, create_context(process, args), PROFILE_CREATE_CONTEXT, 0, 0);
}

/* DxgkDdiDestroyContext: the driver takes its allocations back. */
void dxgk_context_free(struct dxgk_context *context)
{
    while (context->allocations)
        dxgk_context_allocation_free(context->allocations);
    vidsch_context_destroy(context->vidsch);
    DL_DELETE(context->device->contexts, context);
    free(context);
}

/* What the context has queued still runs. */
struct closing_context {
    struct vidsch_barrier drained;
    struct vidsch_barrier *gone;
    struct dxgk_context *context;
};

static void context_drained(void *owner)
{
    struct closing_context *closing = owner;
    dxgk_context_free(closing->context);
    vidsch_barrier_arm(closing->gone);
    free(closing);
}

uint32_t d3dkmt_destroy_context(struct dxgk_process *process, struct d3dkmt_call *call,
                                d3dkmt_handle handle)
{
    dxgk_call_begin(process, call);
    struct dxgk_context *context = dxgk_context(process, handle);
    if (context) {
        begin_teardown(call);
        handle_free(&process->handles, handle);
        context->handle = 0;
        struct closing_context *closing = memory_new(1, sizeof *closing);
        *closing = (struct closing_context){
            .drained = {.passed = context_drained, .owner = closing, .left = 1},
            .gone = &call->barrier,
            .context = context,
        };
        call->barrier.left++;
        vidsch_barrier_add(&closing->drained, context->vidsch);
        vidsch_barrier_arm(&closing->drained);
        vidsch_barrier_arm(&call->barrier);
    }
    return dxgk_call_return(call, context ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER,
                            PROFILE_DESTROY_CONTEXT, 0, 0);
}

uint32_t d3dkmt_set_context_scheduling_priority(struct dxgk_process *process,
                                                struct d3dkmt_call *call, d3dkmt_handle handle,
                                                int32_t priority)
{
    dxgk_call_begin(process, call);
    struct dxgk_context *context = dxgk_context(process, handle);
    bool valid = context && priority >= -7 && priority <= 7;
    if (valid)
        vidsch_context_set_priority(context->vidsch, priority);
    return dxgk_call_return(call, valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER,
                            PROFILE_SET_PRIORITY, 0, 0);
}

uint32_t dxgk_context_allocation_create(struct dxgk_context *context, struct dxgk_device *device,
                                        const struct dxgkargcb_create_context_allocation *arg,
                                        struct probe_label label,
                                        struct dxgk_context_allocation **out)
{
    struct dxgkrnl *dxgkrnl = device->process->dxgkrnl;
    struct vidmm_allocation_info info = {
        .size = arg->size,
        .alignment = arg->alignment,
        .segments = arg->supported_segment_set,
        .pid = device->process->pid,
        .label = label,
        .context_allocation = true,
        .context = context ? vidsch_context_id(context->vidsch) : UINT32_MAX,
    };
    for (int i = 0; i < 5; i++)
        info.preferred[i] = arg->preferred_segment[i];
    struct vidmm_allocation *vidmm;
    uint32_t status = vidmm_allocation_create(dxgkrnl->vidmm, &info, &vidmm);
    if (status != STATUS_SUCCESS)
        return status;
    struct dxgk_context_allocation *allocation = memory_new(1, sizeof *allocation);
    allocation->device = device;
    allocation->context = context;
    allocation->vidmm = vidmm;
    if (context) {
        DL_APPEND(context->allocations, allocation);
        if (context->existing)
            vidmm_allocation_assume_resident(vidmm);
        vidmm_context_add(context->vidsch, vidmm);
    } else {
        DL_APPEND(device->shared, allocation);
        vidmm_device_require(device->vidmm, vidmm);
    }
    *out = allocation;
    return STATUS_SUCCESS;
}

void dxgk_context_allocation_free(struct dxgk_context_allocation *allocation)
{
    if (allocation->handle)
        handle_free(&allocation->device->process->handles, allocation->handle);
    if (allocation->context) {
        vidmm_context_remove(allocation->context->vidsch, allocation->vidmm);
        DL_DELETE(allocation->context->allocations, allocation);
    } else {
        DL_DELETE(allocation->device->shared, allocation);
    }
    vidmm_allocation_destroy(allocation->vidmm);
    free(allocation);
}

uint32_t dxgkcb_create_context_allocation(struct dxgk_process *process, struct d3dkmt_call *call,
                                          d3dkmt_handle context_handle, d3dkmt_handle device_handle,
                                          const struct dxgkargcb_create_context_allocation *arg,
                                          struct probe_label label, d3dkmt_handle *handle)
{
    dxgk_call_begin(process, call);
    struct dxgk_context *context = context_handle ? dxgk_context(process, context_handle) : NULL;
    struct dxgk_device *device = context ? context->device : dxgk_device(process, device_handle);
    /* One context's allocation names it, a shared one must not; system contexts have none
     * (wddm.md §4.1, §4.2). */
    bool valid = device && (arg->shared_across_contexts ? !context_handle : context != NULL) &&
                 !(context && vidsch_context_system(context->vidsch));
    uint32_t status = STATUS_INVALID_PARAMETER;
    struct dxgk_context_allocation *allocation = NULL;
    *handle = 0;
    if (valid)
        status = dxgk_context_allocation_create(context, device, arg, label, &allocation);
    if (allocation)
        *handle = allocation->handle =
            handle_new(&process->handles, HANDLE_CONTEXT_ALLOCATION, allocation);
    return dxgk_call_return(call, status, PROFILE_CREATE_CONTEXT_ALLOCATION, 1, arg->size);
}

uint32_t dxgkcb_destroy_context_allocation(struct dxgk_process *process, struct d3dkmt_call *call,
                                           d3dkmt_handle handle)
{
    dxgk_call_begin(process, call);
    struct dxgk_context_allocation *allocation =
        handle_find(&process->handles, HANDLE_CONTEXT_ALLOCATION, handle);
    if (allocation)
        dxgk_context_allocation_free(allocation);
    return dxgk_call_return(call, allocation ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER,
                            PROFILE_DESTROY_CONTEXT_ALLOCATION, 1, 0);
}
