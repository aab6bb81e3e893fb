/* The end of the simulation: what is still there is torn down in the documented order (wddm.md
 * §3.4), as far as the miniport is concerned. No work is under way any more, and nobody watches:
 * VidMm and VidSch are not told, they are about to end, too. */
#include "model/dxgkrnl/internal.h"

#include <stdlib.h>
#include <utlist.h>

static void stop_view(struct dxgk_device *device, struct dxgk_allocation *view)
{
    struct dxgk_shared_resource *shared = view->resource ? view->resource->shared : NULL;
    struct dxgk_global_allocation *global = dxgk_view_unlink(view);
    dxgk_close_in_driver(device, global);
    if (--global->views == 0)
        dxgk_destroy_in_driver(device->adapter, shared, global->driver);
}

static void free_context_allocations(struct dxgk_context_allocation *list)
{
    struct dxgk_context_allocation *allocation, *next;
    DL_FOREACH_SAFE (list, allocation, next)
        free(allocation);
}

static void stop_context(struct dxgk_context *context)
{
    const struct dxgkddi *ddi = &context->device->adapter->ddi;
    if (context->in_driver && ddi->destroy_context)
        ddi->destroy_context(ddi->miniport, context->driver);
    free_context_allocations(context->allocations);
    free(context);
}

static void stop_device(struct dxgk_device *device)
{
    const struct dxgkddi *ddi = &device->adapter->ddi;
    struct dxgk_allocation *view, *next_view;
    DL_FOREACH_SAFE (device->allocations, view, next_view)
        if (!view->resource)
            stop_view(device, view);
    while (device->resources) {
        struct dxgk_resource *resource = device->resources;
        while (resource->views)
            stop_view(device, resource->views);
        DL_DELETE(device->resources, resource);
        dxgk_resource_free(resource);
    }
    struct dxgk_context *context, *next;
    DL_FOREACH_SAFE (device->contexts, context, next)
        stop_context(context);
    if (device->in_driver && ddi->destroy_device)
        ddi->destroy_device(ddi->miniport, device->driver);
    free_context_allocations(device->shared);
    vidmm_device_destroy(device->vidmm);
    free(device);
}

void dxgk_stop(struct dxgkrnl *dxgkrnl)
{
    dxgkrnl->stopping = true;
    const struct dxgk_process *process;
    LL_FOREACH (dxgkrnl->processes, process) {
        struct dxgk_device *device, *next;
        DL_FOREACH_SAFE (process->devices, device, next)
            stop_device(device);
    }
    const struct dxgadapter *adapter;
    LL_FOREACH (dxgkrnl->adapters, adapter)
        if (adapter->ddi.remove_device)
            adapter->ddi.remove_device(adapter->ddi.miniport);
}
