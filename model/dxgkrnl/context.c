/* Contexts (wddm.md §4.5). */
#include "model/dxgkrnl/internal.h"

#include <stdlib.h>
#include <utlist.h>

/* DxgkDdiCreateContext. */
static uint32_t create_in_driver(struct dxgk_context *context)
{
    struct dxgkrnl *dxgkrnl = context->device->process->dxgkrnl;
    uint32_t status = dxgk_step(dxgkrnl, DXGK_STEP_DDI_CREATE_CONTEXT);
    const struct dxgkddi *ddi = &context->device->adapter->ddi;
    if (status != STATUS_SUCCESS || !ddi->create_context)
        return status;
    struct dxgkarg_create_context arg = {.context = context,
                                         .node = vidsch_context_node(context->vidsch),
                                         .system = vidsch_context_system(context->vidsch)};
    status = ddi->create_context(ddi->miniport, &arg);
    context->driver = arg.driver_context;
    context->in_driver = status == STATUS_SUCCESS;
    return status;
}

static bool is_priority(const int32_t *priority)
{
    return !priority || (*priority >= -7 && *priority <= 7);
}

static uint32_t create_context(struct dxgk_process *process, struct d3dkmt_create_context *args)
{
    struct dxgkrnl *dxgkrnl = process->dxgkrnl;
    struct dxgk_device *device = dxgk_device(process, args->device);
    if (!device)
        return STATUS_INVALID_PARAMETER;
    uint32_t status = dxgk_device_state(device);
    if (status != STATUS_SUCCESS)
        return status;
    if (args->node >= device->adapter->profile->node_count || !is_priority(&args->priority) ||
        !is_priority(&args->in_process))
        return STATUS_INVALID_PARAMETER;
    struct dxgk_context *context = memory_new(1, sizeof *context);
    context->device = device;
    context->existing = args->existing;
    context->vidsch = vidsch_context_create(device->adapter->vidsch, args->node, args->priority,
                                            args->system, process->pid, args->label, device->vidmm);
    if (args->in_process)
        vidsch_context_set_in_process_priority(context->vidsch, args->in_process);
    if (args->quantum_ns)
        vidsch_context_set_quantum(context->vidsch, args->quantum_ns);
    DL_APPEND(device->contexts, context);
    status = create_in_driver(context);
    if (status == STATUS_SUCCESS)
        status = dxgk_step(dxgkrnl, DXGK_STEP_HANDLE);
    if (status == STATUS_SUCCESS &&
        !(context->handle = handle_new(&process->handles, HANDLE_CONTEXT, context)))
        status = STATUS_NO_MEMORY;
    if (status != STATUS_SUCCESS) {
        dxgk_context_free(context);
        return status;
    }
    args->context = context->handle;
    return STATUS_SUCCESS;
}

uint32_t d3dkmt_create_context(struct dxgk_process *process, struct d3dkmt_call *call,
                               struct d3dkmt_create_context *args)
{
    dxgk_call_begin(process, call, PROFILE_CREATE_CONTEXT);
    args->context = 0;
    return dxgk_call_return(call, create_context(process, args), 0);
}

/* DxgkDdiDestroyContext: the miniport takes its allocations back; what it leaves, and what the
 * trace made, goes with the context. */
void dxgk_context_free(struct dxgk_context *context)
{
    const struct dxgkddi *ddi = &context->device->adapter->ddi;
    if (context->in_driver && ddi->destroy_context)
        ddi->destroy_context(ddi->miniport, context->driver);
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
    closing->gone->last = closing->drained.last;
    vidsch_barrier_arm(closing->gone);
    free(closing);
}

uint32_t d3dkmt_destroy_context(struct dxgk_process *process, struct d3dkmt_call *call,
                                d3dkmt_handle handle)
{
    dxgk_call_begin(process, call, PROFILE_DESTROY_CONTEXT);
    struct dxgk_context *context = dxgk_context(process, handle);
    if (context) {
        dxgk_begin_teardown(call);
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
    return dxgk_call_return(call, context ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER, 0);
}

uint32_t d3dkmt_set_context_scheduling_priority(struct dxgk_process *process,
                                                struct d3dkmt_call *call, d3dkmt_handle handle,
                                                const int32_t *priority, const int32_t *in_process)
{
    dxgk_call_begin(process, call, PROFILE_SET_PRIORITY);
    struct dxgk_context *context = dxgk_context(process, handle);
    bool valid = context && is_priority(priority) && is_priority(in_process);
    if (valid && priority)
        vidsch_context_set_priority(context->vidsch, *priority);
    if (valid && in_process)
        vidsch_context_set_in_process_priority(context->vidsch, *in_process);
    return dxgk_call_return(call, valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER, 0);
}

uint32_t d3dkmt_set_process_scheduling_priority(struct dxgk_process *process,
                                                struct d3dkmt_call *call,
                                                const enum vidsch_class *class,
                                                const enum vidsch_band *band)
{
    dxgk_call_begin(process, call, PROFILE_SET_PRIORITY);
    const struct dxgadapter *adapter;
    LL_FOREACH (process->dxgkrnl->adapters, adapter) {
        if (class)
            vidsch_process_set_class(adapter->vidsch, process->pid, *class);
        if (band)
            vidsch_process_set_band(adapter->vidsch, process->pid, *band);
    }
    return dxgk_call_return(call, STATUS_SUCCESS, 0);
}
