/* DxgkCbUpdateContextAllocation (wddm.md §4.4): VidMm's worker has the driver write to a context
 * allocation. It is synchronous: what a driver asks for within a call makes the call longer. */
#include "model/dxgkrnl/internal.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static void update_free(struct dxgk_update *update)
{
    DL_DELETE(update->dxgkrnl->updates, update);
    free(update);
}

static void written(void *owner, struct vidmm_request *request)
{
    (void)request;
    struct dxgk_update *update = owner;
    const struct dxgk_context_allocation *allocation = update->allocation;
    const struct dxgkddi *ddi = allocation ? &allocation->device->adapter->ddi : NULL;
    struct d3dkmt_call *call = update->call;
    if (allocation && ddi->update_context_allocation)
        ddi->update_context_allocation(ddi->miniport,
                                       &(struct dxgkarg_update_context_allocation){
                                           .driver_allocation = allocation->driver,
                                           .size = allocation->size,
                                           .segment = vidmm_allocation_segment(allocation->vidmm),
                                           .private_driver_data = update->data,
                                           .private_driver_data_size = update->data_bytes});
    update_free(update);
    if (call) {
        call->updating = false;
        call->updates--;
        dxgk_call_wait(call, PROBE_CPU, probe_thing(PROBE_NOTHING, 0));
        dxgk_call_look(call);
    }
}

static void start(struct dxgk_update *update)
{
    update->request = (struct vidmm_request){
        .blame = update->call ? &update->call->blame : NULL, .done = written, .owner = update};
    vidmm_update(update->allocation->vidmm, &update->request);
}

uint32_t dxgk_update(struct dxgk_context_allocation *allocation,
                     const struct dxgkargcb_update_context_allocation *arg)
{
    struct dxgkrnl *dxgkrnl = allocation->device->process->dxgkrnl;
    if (dxgkrnl->profile->wddm < 20)
        return STATUS_NOT_SUPPORTED;
    if (arg->private_driver_data_size && !arg->private_driver_data)
        return STATUS_INVALID_PARAMETER;
    uint32_t status = dxgk_step(dxgkrnl, DXGK_STEP_UPDATE_CONTEXT_ALLOCATION);
    if (status != STATUS_SUCCESS)
        return status;
    struct dxgk_update *update = memory_new(1, sizeof *update + arg->private_driver_data_size);
    update->dxgkrnl = dxgkrnl;
    update->allocation = allocation;
    update->call = dxgkrnl->call;
    update->data_bytes = arg->private_driver_data_size;
    if (update->data_bytes)
        memcpy(update->data, arg->private_driver_data, update->data_bytes);
    DL_APPEND(dxgkrnl->updates, update);
    if (update->call)
        update->call->updates++;
    else
        start(update);
    return STATUS_SUCCESS;
}

bool dxgk_update_awaited(struct d3dkmt_call *call)
{
    if (call->updating)
        return true;
    struct dxgk_update *update, *next;
    DL_FOREACH_SAFE (call->dxgkrnl->updates, update, next) {
        if (update->call != call)
            continue;
        if (update->allocation) {
            call->updating = true;
            start(update);
            return true;
        }
        call->updates--;
        update_free(update);
    }
    return false;
}

void dxgk_update_forget(const struct dxgk_context_allocation *allocation)
{
    struct dxgk_update *update;
    DL_FOREACH (allocation->device->process->dxgkrnl->updates, update)
        if (update->allocation == allocation)
            update->allocation = NULL;
}

void dxgk_updates_free(struct dxgkrnl *dxgkrnl)
{
    while (dxgkrnl->updates)
        update_free(dxgkrnl->updates);
}
