/* Resources as the adapter sees them, and how devices share them (wddm.md §1.7, §3.2). */
#include "model/dxgkrnl/internal.h"

#include <stdlib.h>
#include <utlist.h>

struct dxgk_shared_resource *dxgk_shared_new(struct dxgadapter *adapter,
                                             const struct d3dkmt_create_allocation *args)
{
    struct dxgk_shared_resource *shared = memory_pool_take(&adapter->dxgkrnl->shared_resources);
    *shared = (struct dxgk_shared_resource){
        .adapter = adapter,
        .cross_adapter = args->flags & D3DKMT_CROSS_ADAPTER,
        .shared = args->flags & D3DKMT_CREATE_SHARED,
        .nt = args->flags & D3DKMT_NT_SECURITY_SHARING,
        .views = 1,
        .holds = 1,
        .runtime_data_bytes = args->runtime_data_bytes,
        .private_data_bytes = args->private_data_bytes,
    };
    return shared;
}

void dxgk_shared_add(struct dxgk_shared_resource *shared, struct dxgk_global_allocation *global)
{
    if (shared->count == shared->room) {
        shared->room = shared->room ? 2 * shared->room : 4;
        shared->allocations =
            memory_resize(shared->allocations, shared->room, sizeof *shared->allocations);
    }
    shared->allocations[shared->count++] = global;
    shared->total_private_data_bytes += global->private_data_bytes;
}

void dxgk_shared_remove(struct dxgk_shared_resource *shared,
                        const struct dxgk_global_allocation *global)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < shared->count; i++)
        if (shared->allocations[i] != global)
            shared->allocations[kept++] = shared->allocations[i];
    if (kept < shared->count)
        shared->total_private_data_bytes -= global->private_data_bytes;
    shared->count = kept;
}

static void stop_resolving(struct dxgk_shared_resource *shared)
{
    if (shared->views || shared->nt_handles || !shared->global)
        return;
    handle_free(&shared->adapter->dxgkrnl->globals, shared->global);
    shared->global = 0;
}

/* A twin goes. At the end of the simulation only the miniport is told. */
static void leave_origin(struct dxgk_shared_resource *twin)
{
    struct dxgk_shared_resource *origin = twin->origin;
    LL_DELETE2(origin->twins, twin, next_twin);
    if (!origin->adapter->dxgkrnl->stopping) {
        dxgk_close_nt_handle(origin);
        return;
    }
    for (uint32_t i = 0; i < origin->count; i++)
        if (--origin->allocations[i]->views == 0)
            dxgk_destroy_in_driver(origin->adapter, origin, origin->allocations[i]->driver);
    origin->nt_handles--;
    stop_resolving(origin);
    dxgk_shared_release(origin);
}

static void keep(struct dxgk_shared_resource *shared)
{
    shared->nt_handles++;
    shared->holds++;
    for (uint32_t i = 0; i < shared->count; i++)
        shared->allocations[i]->views++;
}

void dxgk_shared_pair(struct dxgk_shared_resource *origin, struct dxgk_shared_resource *twin)
{
    twin->origin = origin;
    twin->nt = origin->nt;
    twin->sealed = true;
    LL_PREPEND2(origin->twins, twin, next_twin);
    keep(origin);
}

/* One that nobody has open any more is on its way out, and another takes its place. */
static struct dxgk_shared_resource *twin_of(const struct dxgk_shared_resource *origin,
                                            const struct dxgadapter *adapter)
{
    struct dxgk_shared_resource *twin;
    LL_FOREACH2(origin->twins, twin, next_twin)
    if (twin->adapter == adapter && (twin->views || twin->nt_handles))
        return twin;
    return NULL;
}

void dxgk_shared_release(struct dxgk_shared_resource *shared)
{
    if (--shared->holds > 0)
        return;
    const struct dxgkddi *ddi = &shared->adapter->ddi;
    if (shared->in_driver && ddi->destroy_allocation)
        ddi->destroy_allocation(
            ddi->miniport, &(struct dxgkarg_destroy_allocation){.driver_resource = shared->driver,
                                                                .destroy_resource = true});
    free(shared->allocations);
    if (shared->origin)
        leave_origin(shared);
    memory_pool_give(&shared->adapter->dxgkrnl->shared_resources, shared);
}

void dxgk_shared_unview(struct dxgk_shared_resource *shared)
{
    shared->views--;
    stop_resolving(shared);
}

void dxgk_resource_free(struct dxgk_resource *resource)
{
    struct dxgk_shared_resource *shared = resource->shared;
    memory_pool_give(&shared->adapter->dxgkrnl->resources, resource);
    dxgk_shared_release(shared);
}

uint32_t d3dkmt_share_objects(struct dxgk_process *process, const d3dkmt_handle *objects,
                              uint32_t count, struct dxgk_shared_resource **object)
{
    *object = NULL;
    /* Up to three objects may be shared, but only one of them is a resource, and the other two
     * (keyed mutex, synchronisation object) have no handles here. */
    const struct dxgk_resource *resource = count == 1 ? dxgk_resource(process, objects[0]) : NULL;
    if (!resource || !resource->shared->nt)
        return STATUS_INVALID_PARAMETER;
    struct dxgk_shared_resource *shared = resource->shared;
    shared->sealed = true;
    keep(shared);
    *object = shared;
    return STATUS_SUCCESS;
}

void dxgk_close_nt_handle(struct dxgk_shared_resource *shared)
{
    shared->nt_handles--;
    stop_resolving(shared);
    for (uint32_t i = 0; i < shared->count; i++)
        if (dxgk_global_close(NULL, shared->allocations[i]))
            dxgk_global_destroy(shared->adapter, shared, shared->allocations[i]);
    dxgk_shared_release(shared);
}

/* The resource that is asked for; NULL, and the status in *status, if there is none. */
static struct dxgk_shared_resource *find_shared(struct dxgk_process *process,
                                                d3dkmt_handle device_handle, d3dkmt_handle global,
                                                struct dxgk_shared_resource *nt,
                                                struct dxgk_device **device, uint32_t *status)
{
    *status = STATUS_INVALID_PARAMETER;
    *device = dxgk_device(process, device_handle);
    if (!*device)
        return NULL;
    *status = dxgk_device_state(*device);
    if (*status != STATUS_SUCCESS)
        return NULL;
    struct dxgk_shared_resource *shared =
        nt ? nt : handle_find(&process->dxgkrnl->globals, HANDLE_SHARED_RESOURCE, global);
    if (!shared)
        *status = STATUS_INVALID_PARAMETER;
    return shared && shared->origin ? shared->origin : shared;
}

uint32_t d3dkmt_query_resource_info(struct dxgk_process *process,
                                    struct d3dkmt_query_resource_info *args)
{
    uint32_t status;
    struct dxgk_device *device;
    struct dxgk_shared_resource *shared =
        find_shared(process, args->device, args->global_share, args->nt, &device, &status);
    if (!shared)
        return status;
    shared->sealed = true;
    args->count = shared->count;
    args->runtime_data_bytes = shared->runtime_data_bytes;
    args->private_data_bytes = shared->private_data_bytes;
    args->total_private_data_bytes = shared->total_private_data_bytes;
    return STATUS_SUCCESS;
}

/* An open under way, as struct creation is of a create. */
struct opening {
    struct d3dkmt_call *call;
    struct dxgk_device *device;
    struct dxgk_shared_resource *shared;
    struct dxgk_resource *resource;
    struct dxgk_allocation **views;
    uint32_t made, handles, opened;
};

static uint32_t open_step(struct opening *opening, enum dxgk_step step)
{
    return dxgk_step(opening->shared->adapter->dxgkrnl, step);
}

static uint32_t make_objects(struct opening *opening)
{
    struct dxgkrnl *dxgkrnl = opening->shared->adapter->dxgkrnl;
    uint32_t status = open_step(opening, DXGK_STEP_RESOURCE);
    if (status != STATUS_SUCCESS)
        return status;
    opening->resource = memory_pool_take(&dxgkrnl->resources);
    *opening->resource =
        (struct dxgk_resource){.device = opening->device, .shared = opening->shared};
    opening->shared->views++;
    opening->shared->holds++;
    for (; opening->made < opening->shared->count; opening->made++) {
        status = open_step(opening, DXGK_STEP_DEVICE_ALLOCATION);
        if (status != STATUS_SUCCESS)
            return status;
        struct dxgk_allocation *view = memory_pool_take(&dxgkrnl->views);
        *view = (struct dxgk_allocation){.device = opening->device,
                                         .resource = opening->resource,
                                         .global = opening->shared->allocations[opening->made]};
        opening->views[opening->made] = view;
    }
    return STATUS_SUCCESS;
}

static uint32_t give_handles(struct opening *opening)
{
    struct handle_table *table = &opening->device->process->handles;
    uint32_t status = open_step(opening, DXGK_STEP_HANDLE);
    if (status != STATUS_SUCCESS)
        return status;
    opening->resource->handle = handle_new(table, HANDLE_RESOURCE, opening->resource);
    if (!opening->resource->handle)
        return STATUS_NO_MEMORY;
    for (; opening->handles < opening->made; opening->handles++) {
        status = open_step(opening, DXGK_STEP_HANDLE);
        if (status != STATUS_SUCCESS)
            return status;
        struct dxgk_allocation *view = opening->views[opening->handles];
        view->handle = handle_new(table, HANDLE_ALLOCATION, view);
        if (!view->handle)
            return STATUS_NO_MEMORY;
    }
    return STATUS_SUCCESS;
}

static uint32_t open_in_driver(struct opening *opening)
{
    for (; opening->opened < opening->made; opening->opened++) {
        uint32_t status = open_step(opening, DXGK_STEP_DDI_OPEN_ALLOCATION);
        if (status == STATUS_SUCCESS)
            status = dxgk_open_in_driver(opening->call, opening->device,
                                         opening->views[opening->opened]->global);
        if (status != STATUS_SUCCESS)
            return status;
    }
    return STATUS_SUCCESS;
}

static void undo(struct opening *opening)
{
    struct dxgkrnl *dxgkrnl = opening->shared->adapter->dxgkrnl;
    struct handle_table *table = &opening->device->process->handles;
    while (opening->handles > 0)
        handle_cancel(table, opening->views[--opening->handles]->handle);
    if (opening->resource && opening->resource->handle)
        handle_cancel(table, opening->resource->handle);
    while (opening->opened-- > 0)
        dxgk_close_in_driver(opening->device, opening->views[opening->opened]->global);
    while (opening->made-- > 0)
        memory_pool_give(&dxgkrnl->views, opening->views[opening->made]);
    if (opening->resource) {
        dxgk_shared_unview(opening->shared);
        dxgk_resource_free(opening->resource);
    }
}

static void commit(struct opening *opening, struct d3dkmt_open_resource *args)
{
    DL_APPEND(opening->device->resources, opening->resource);
    args->resource = opening->resource->handle;
    for (uint32_t i = 0; i < opening->made; i++) {
        opening->views[i]->global->views++;
        dxgk_view_link(opening->views[i]);
        args->allocations[i] = opening->views[i]->handle;
    }
}

static uint32_t open_shared(struct dxgk_process *process, struct d3dkmt_call *call,
                            struct d3dkmt_open_resource *args)
{
    uint32_t status;
    struct opening opening = {.call = call};
    opening.shared =
        find_shared(process, args->device, args->global_share, args->nt, &opening.device, &status);
    if (!opening.shared)
        return status;
    if (args->count != opening.shared->count ||
        args->runtime_data_bytes != opening.shared->runtime_data_bytes ||
        args->private_data_bytes != opening.shared->private_data_bytes)
        return STATUS_INVALID_PARAMETER;
    if (args->total_private_data_bytes < opening.shared->total_private_data_bytes)
        return args->nt ? STATUS_NO_MEMORY : STATUS_INVALID_PARAMETER;
    if (opening.shared->adapter != opening.device->adapter) {
        struct dxgk_shared_resource *origin = opening.shared;
        if (!origin->cross_adapter || origin->count != 1)
            return STATUS_INVALID_PARAMETER;
        origin->sealed = true;
        opening.shared = twin_of(origin, opening.device->adapter);
        if (!opening.shared)
            return dxgk_create_twin(call, opening.device, origin, args);
    }
    opening.views = memory_new(args->count, sizeof(struct dxgk_allocation *));
    static uint32_t (*const steps[])(struct opening *) = {make_objects, give_handles,
                                                          open_in_driver};
    for (size_t i = 0; status == STATUS_SUCCESS && i < sizeof steps / sizeof *steps; i++)
        status = steps[i](&opening);
    if (status == STATUS_SUCCESS) {
        opening.shared->sealed = true;
        commit(&opening, args);
    } else {
        undo(&opening);
    }
    free(opening.views);
    return status;
}

uint32_t d3dkmt_open_resource(struct dxgk_process *process, struct d3dkmt_call *call,
                              struct d3dkmt_open_resource *args)
{
    dxgk_call_begin(process, call, PROFILE_OPEN_RESOURCE);
    uint32_t status = open_shared(process, call, args);
    return dxgk_call_return(call, status, args->count);
}
