/* Device's views of allocations, and the calls of the miniport that come with them (wddm.md §1.5,
 * §3.2). */
#include "model/dxgkrnl/internal.h"

#include <utlist.h>

void dxgk_view_link(struct dxgk_allocation *view)
{
    DL_APPEND(view->device->allocations, view);
    if (view->resource)
        DL_APPEND2(view->resource->views, view, in_resource_prev, in_resource_next);
}

struct dxgk_global_allocation *dxgk_view_unlink(struct dxgk_allocation *view)
{
    struct dxgk_global_allocation *global = view->global;
    DL_DELETE(view->device->allocations, view);
    if (view->resource)
        DL_DELETE2(view->resource->views, view, in_resource_prev, in_resource_next);
    memory_pool_give(&view->device->process->dxgkrnl->views, view);
    return global;
}

uint32_t dxgk_open_in_driver(struct d3dkmt_call *call, struct dxgk_device *device,
                             struct dxgk_global_allocation *global)
{
    call->charged_ns += device->adapter->profile->ddi.open_allocation_ns;
    const struct dxgkddi *ddi = &device->adapter->ddi;
    if (!ddi->open_allocation)
        return STATUS_SUCCESS;
    return ddi->open_allocation(ddi->miniport,
                                &(struct dxgkarg_open_allocation){.driver_device = device->driver,
                                                                  .count = 1,
                                                                  .allocations = &global->driver});
}

void dxgk_close_in_driver(struct dxgk_device *device, struct dxgk_global_allocation *global)
{
    const struct dxgkddi *ddi = &device->adapter->ddi;
    if (ddi->close_allocation)
        ddi->close_allocation(ddi->miniport,
                              &(struct dxgkarg_close_allocation){.driver_device = device->driver,
                                                                 .count = 1,
                                                                 .allocations = &global->driver});
}

void dxgk_destroy_in_driver(struct dxgadapter *adapter, struct dxgk_shared_resource *shared,
                            void *driver_allocation)
{
    const struct dxgkddi *ddi = &adapter->ddi;
    if (ddi->destroy_allocation)
        ddi->destroy_allocation(
            ddi->miniport,
            &(struct dxgkarg_destroy_allocation){.driver_resource = shared ? shared->driver : NULL,
                                                 .count = 1,
                                                 .allocations = &driver_allocation});
}

/* A device may have opened the same resource twice. */
static bool still_viewed(const struct dxgk_device *device,
                         const struct dxgk_global_allocation *global)
{
    const struct dxgk_allocation *view;
    DL_FOREACH (device->allocations, view)
        if (view->global == global)
            return true;
    return false;
}

bool dxgk_global_close(struct dxgk_device *device, struct dxgk_global_allocation *global)
{
    global->views--;
    if (device) {
        dxgk_close_in_driver(device, global);
        if (global->views == 0 || !still_viewed(device, global))
            vidmm_device_close(device->vidmm, global->vidmm);
    }
    return global->views == 0;
}

void dxgk_global_destroy(struct dxgadapter *adapter, struct dxgk_shared_resource *shared,
                         struct dxgk_global_allocation *global)
{
    dxgk_destroy_in_driver(adapter, shared, global->driver);
    vidmm_allocation_destroy(global->vidmm);
    memory_pool_give(&adapter->dxgkrnl->global_allocations, global);
}
