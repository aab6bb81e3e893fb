/* D3DKMTCreateAllocation: step by step, and back again if a step fails (wddm.md §1.5). */
#include "model/dxgkrnl/internal.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    FEW = 8,               /* allocations that need no memory of their own */
    SOME_ADDRESS = 0x10000 /* of pages, wherever they are */
};

/* A create under way: what it has made so far. Nothing of it is in a list yet; what has a handle
 * loses it again if a later step fails. */
struct creation {
    struct dxgkrnl *dxgkrnl;
    struct dxgadapter *adapter;
    struct d3dkmt_call *call;
    struct dxgk_device *device;
    struct d3dkmt_create_allocation *args;
    struct dxgk_shared_resource *origin; /* another adapter's, that this is to be a twin of */
    struct dxgk_resource *resource;      /* new, or the one that is added to */
    struct dxgk_shared_resource *shared; /* its adapter's side */
    void *old_driver_resource;
    struct dxgk_allocation_info *infos;
    struct dxgk_allocation **views;
    uint32_t made; /* of each step, for all allocations or so many */
    uint32_t globals, handles, opened;
    bool new_resource, in_driver;
    struct dxgk_allocation_info few_infos[FEW];
    struct dxgk_allocation *few_views[FEW];
};

/* Only as many of the few as the call has are cleared: most calls create one. */
static void creation_init(struct creation *creation, struct d3dkmt_call *call,
                          struct dxgk_device *device, struct dxgk_resource *resource,
                          struct d3dkmt_create_allocation *args)
{
    memset(creation, 0, offsetof(struct creation, few_infos));
    creation->dxgkrnl = device->process->dxgkrnl;
    creation->adapter = device->adapter;
    creation->call = call;
    creation->device = device;
    creation->args = args;
    creation->resource = resource;
    creation->infos = creation->few_infos;
    creation->views = creation->few_views;
    if (args->count > FEW) {
        creation->infos = memory_new(args->count, sizeof *creation->infos);
        creation->views = memory_new(args->count, sizeof(struct dxgk_allocation *));
    } else {
        memset(creation->few_infos, 0, args->count * sizeof *creation->few_infos);
    }
}

static void creation_fini(struct creation *creation)
{
    if (creation->infos != creation->few_infos) {
        free(creation->infos);
        free(creation->views);
    }
}

/* Step 3: what the miniport must be told of an existing heap: a surface as wide as the heap has
 * bytes (wddm.md §1.4). The caller's range is secured until the allocation is freed. */
static uint32_t standard_data(struct creation *creation)
{
    const struct d3dkmt_create_allocation *args = creation->args;
    struct dxgkrnl *dxgkrnl = creation->dxgkrnl;
    if (!(args->flags & D3DKMT_STANDARD_ALLOCATION))
        return STATUS_SUCCESS;
    uint32_t status = dxgk_step(dxgkrnl, DXGK_STEP_SECURE_MEMORY);
    if (status == STATUS_SUCCESS)
        status = dxgk_step(dxgkrnl, DXGK_STEP_STANDARD_DRIVER_DATA);
    if (status != STATUS_SUCCESS)
        return status;
    struct dxgkarg_get_standard_allocation_driver_data arg = {
        .type = D3DKMDT_STANDARDALLOCATION_GDISURFACE,
        .surface = D3DKMDT_GDISURFACE_TEXTURE_CROSSADAPTER,
        .width = args->standard->size,
        .height = 1};
    const struct dxgkddi *ddi = &creation->adapter->ddi;
    if (!ddi->get_standard_allocation_driver_data)
        return STATUS_NOT_SUPPORTED;
    status = ddi->get_standard_allocation_driver_data(ddi->miniport, &arg);
    if (status != STATUS_SUCCESS)
        return status;
    if (arg.allocation_bytes == 0)
        return STATUS_INVALID_PARAMETER;
    arg.allocation = &creation->infos[0].private_data;
    status = ddi->get_standard_allocation_driver_data(ddi->miniport, &arg);
    creation->infos[0].size = args->standard->size;
    return status;
}

/* Steps 4 and 5: the objects. */
static uint32_t make_objects(struct creation *creation)
{
    struct dxgkrnl *dxgkrnl = creation->dxgkrnl;
    const struct d3dkmt_create_allocation *args = creation->args;
    if (args->flags & D3DKMT_CREATE_RESOURCE) {
        uint32_t status = dxgk_step(dxgkrnl, DXGK_STEP_RESOURCE);
        if (status != STATUS_SUCCESS)
            return status;
        creation->resource = memory_pool_take(&dxgkrnl->resources);
        *creation->resource = (struct dxgk_resource){
            .device = creation->device, .shared = dxgk_shared_new(creation->adapter, args)};
        creation->new_resource = true;
    }
    if (creation->resource) {
        creation->shared = creation->resource->shared;
        creation->old_driver_resource = creation->shared->driver;
    }
    for (; creation->made < args->count; creation->made++) {
        uint32_t status = dxgk_step(dxgkrnl, DXGK_STEP_DEVICE_ALLOCATION);
        if (status != STATUS_SUCCESS)
            return status;
        struct dxgk_allocation *view = memory_pool_take(&dxgkrnl->views);
        *view =
            (struct dxgk_allocation){.device = creation->device, .resource = creation->resource};
        creation->views[creation->made] = view;
    }
    return STATUS_SUCCESS;
}

/* Step 6, the miniport's part: once for the whole array. If it fails it has kept nothing. */
static uint32_t ask_driver(struct creation *creation)
{
    struct dxgkrnl *dxgkrnl = creation->dxgkrnl;
    const struct d3dkmt_create_allocation *args = creation->args;
    uint32_t status = dxgk_step(dxgkrnl, DXGK_STEP_DDI_CREATE_ALLOCATION);
    if (status != STATUS_SUCCESS)
        return status;
    if (!(args->flags & D3DKMT_STANDARD_ALLOCATION))
        for (uint32_t i = 0; i < args->count; i++)
            creation->infos[i].private_data = args->allocations[i].private_data;
    struct dxgkarg_create_allocation arg = {.private_data_bytes = args->private_data_bytes,
                                            .count = args->count,
                                            .allocations = creation->infos,
                                            .resource = creation->shared != NULL,
                                            .driver_resource =
                                                creation->shared ? creation->shared->driver : NULL};
    dxgk_call_charge_ddi(creation->device->process, creation->call,
                         args->count * creation->adapter->profile->ddi.create_allocation_ns);
    const struct dxgkddi *ddi = &creation->adapter->ddi;
    status = ddi->create_allocation(ddi->miniport, &arg);
    if (status != STATUS_SUCCESS)
        return status;
    if (creation->shared) {
        creation->shared->driver = arg.driver_resource;
        creation->shared->in_driver = true;
    }
    creation->in_driver = true;
    return STATUS_SUCCESS;
}

/* Step 6, VidMm's part for one allocation: the answer is checked, the global allocation made. */
static uint32_t make_global(struct creation *creation, uint32_t index)
{
    struct dxgkrnl *dxgkrnl = creation->dxgkrnl;
    const struct d3dkmt_allocation_info *asked = &creation->args->allocations[index];
    const struct dxgk_allocation_info *answer = &creation->infos[index];
    const uint64_t existing = DXGK_EXISTING_SYSMEM | DXGK_EXISTING_KERNEL_SYSMEM;
    uint32_t status = dxgk_step(dxgkrnl, DXGK_STEP_ADAPTER_ALLOCATION);
    if (status == STATUS_SUCCESS) {
        dxgk_call_charge_allocations(creation->call, 1, answer->size);
        status =
            dxgk_validate_answer(creation->adapter->profile, answer, asked->flags & D3DDDI_PRIMARY,
                                 creation->args->flags & D3DKMT_CROSS_ADAPTER);
    }
    if (status != STATUS_SUCCESS)
        return status;
    struct vidmm_allocation_info info = {
        .size = answer->size,
        .alignment = answer->alignment,
        .segments = answer->supported_write_segment_set,
        .bank = answer->hinted_bank,
        .from_end = answer->flags & DXGK_FROM_END_OF_SEGMENT,
        .overlay = answer->flags & (DXGK_OVERLAY | DXGK_CAPTURE),
        .contiguous = (answer->flags & DXGK_ACCESSED_PHYSICALLY) || (asked->flags & D3DDDI_PRIMARY),
        .permanent_system_memory = answer->flags & (DXGK_PERMANENT_SYSMEM | existing),
        .borrowed = creation->origin,
        .has_content = asked->system_memory || (answer->flags & existing),
        .demand_paged = creation->args->demand_paged,
        .needs_no_zeroing = creation->args->flags & D3DKMT_ALLOW_NOT_ZEROED,
        .priority =
            asked->flags & D3DDDI_OVERRIDE_PRIORITY ? asked->priority : answer->allocation_priority,
        .pid = creation->device->process->pid,
        .label = asked->label,
    };
    memcpy(info.preferred, answer->preferred_segment, sizeof info.preferred);
    struct vidmm_allocation *vidmm;
    status = vidmm_allocation_create(creation->adapter->vidmm, &info, &vidmm);
    if (status != STATUS_SUCCESS)
        return status;
    struct dxgk_global_allocation *global = memory_pool_take(&dxgkrnl->global_allocations);
    *global = (struct dxgk_global_allocation){.vidmm = vidmm,
                                              .driver = answer->driver_allocation,
                                              .private_data_bytes = answer->private_data.bytes,
                                              .views = 1};
    creation->views[index]->global = global;
    return STATUS_SUCCESS;
}

static uint32_t make_globals(struct creation *creation)
{
    uint32_t status = STATUS_SUCCESS;
    for (; creation->globals < creation->args->count; creation->globals++)
        if ((status = make_global(creation, creation->globals)) != STATUS_SUCCESS)
            break;
    return status;
}

/* Step 7: the true size is known; the caller's heap must be as large. */
static uint32_t bind_system_memory(struct creation *creation)
{
    const struct d3dkmt_create_allocation *args = creation->args;
    if (args->count == 0 || !args->allocations[0].system_memory)
        return STATUS_SUCCESS;
    uint32_t status = dxgk_step(creation->dxgkrnl, DXGK_STEP_BIND_SYSTEM_MEMORY);
    if (status == STATUS_SUCCESS && args->standard &&
        creation->infos[0].size > args->standard->size)
        status = STATUS_INVALID_PARAMETER;
    return status;
}

static uint32_t new_handle(struct dxgkrnl *dxgkrnl, struct handle_table *table,
                           enum handle_kind kind, void *object, d3dkmt_handle *handle)
{
    uint32_t status = dxgk_step(dxgkrnl, kind == HANDLE_SHARED_RESOURCE ? DXGK_STEP_GLOBAL_HANDLE
                                                                        : DXGK_STEP_HANDLE);
    if (status != STATUS_SUCCESS)
        return status;
    *handle = handle_new(table, kind, object);
    return *handle ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

/* Step 8: the resource's first, then the allocations' in order; a global one does not advance the
 * local series. */
static uint32_t give_handles(struct creation *creation)
{
    struct dxgkrnl *dxgkrnl = creation->dxgkrnl;
    struct handle_table *table = &creation->device->process->handles;
    uint32_t status = STATUS_SUCCESS;
    if (creation->new_resource)
        status = new_handle(dxgkrnl, table, HANDLE_RESOURCE, creation->resource,
                            &creation->resource->handle);
    while (status == STATUS_SUCCESS && creation->handles < creation->args->count) {
        struct dxgk_allocation *view = creation->views[creation->handles];
        status = new_handle(dxgkrnl, table, HANDLE_ALLOCATION, view, &view->handle);
        creation->handles += status == STATUS_SUCCESS;
    }
    struct dxgk_shared_resource *shared = creation->shared;
    if (status == STATUS_SUCCESS && creation->new_resource && shared->shared && !shared->nt &&
        !creation->origin)
        status =
            new_handle(dxgkrnl, &dxgkrnl->globals, HANDLE_SHARED_RESOURCE, shared, &shared->global);
    return status;
}

/* Step 9: DxgkDdiOpenAllocation binds each global allocation to the device. */
static uint32_t open_in_driver(struct creation *creation)
{
    struct dxgkrnl *dxgkrnl = creation->dxgkrnl;
    uint32_t status = STATUS_SUCCESS;
    for (; creation->opened < creation->args->count; creation->opened++) {
        status = dxgk_step(dxgkrnl, DXGK_STEP_DDI_OPEN_ALLOCATION);
        if (status == STATUS_SUCCESS)
            status = dxgk_open_in_driver(creation->call, creation->device,
                                         creation->views[creation->opened]->global);
        if (status != STATUS_SUCCESS)
            break;
    }
    return status;
}

/* The last steps in reverse, handles first: the miniport's allocations go with AssumeNotInUse, for
 * no work can know them; the resource only if this call made it. */
static void undo(struct creation *creation)
{
    struct dxgkrnl *dxgkrnl = creation->dxgkrnl;
    struct handle_table *table = &creation->device->process->handles;
    struct dxgk_shared_resource *shared = creation->shared;
    if (creation->new_resource && shared->global) {
        handle_cancel(&dxgkrnl->globals, shared->global);
        shared->global = 0;
    }
    while (creation->handles > 0)
        handle_cancel(table, creation->views[--creation->handles]->handle);
    if (creation->new_resource && creation->resource->handle)
        handle_cancel(table, creation->resource->handle);
    while (creation->opened-- > 0)
        dxgk_close_in_driver(creation->device, creation->views[creation->opened]->global);
    while (creation->globals-- > 0) {
        struct dxgk_global_allocation *global = creation->views[creation->globals]->global;
        vidmm_allocation_destroy(global->vidmm);
        memory_pool_give(&dxgkrnl->global_allocations, global);
    }
    for (uint32_t i = creation->args->count; creation->in_driver && i-- > 0;)
        dxgk_destroy_in_driver(creation->adapter, shared, creation->infos[i].driver_allocation);
    while (creation->made-- > 0)
        memory_pool_give(&dxgkrnl->views, creation->views[creation->made]);
    if (creation->new_resource)
        dxgk_resource_free(creation->resource);
    else if (shared)
        shared->driver = creation->old_driver_resource;
}

/* Everything is there: into the lists with it. */
static void commit(struct creation *creation)
{
    struct dxgk_device *device = creation->device;
    struct d3dkmt_create_allocation *args = creation->args;
    struct dxgk_shared_resource *shared = creation->shared;
    if (creation->new_resource)
        DL_APPEND(device->resources, creation->resource);
    args->resource = creation->resource ? creation->resource->handle : 0;
    args->global_share = creation->new_resource ? shared->global : 0;
    for (uint32_t i = 0; i < args->count; i++) {
        struct dxgk_allocation *view = creation->views[i];
        dxgk_view_link(view);
        if (shared)
            dxgk_shared_add(shared, view->global);
        args->allocations[i].allocation = view->handle;
        dxgk_count_carried_kmd(creation->dxgkrnl, creation->infos[i].flags);
        if (creation->call->next_uses)
            vidmm_foresee(view->global->vidmm, creation->call->next_uses[i]);
        if (args->existing)
            vidmm_allocation_assume_resident(view->global->vidmm);
    }
    dxgk_count_carried(creation->dxgkrnl, args->flags);
    if (creation->origin)
        dxgk_shared_pair(creation->origin, shared);
}

static uint32_t make(struct creation *creation)
{
    static uint32_t (*const steps[])(struct creation *) = {
        standard_data,      make_objects, ask_driver,    make_globals,
        bind_system_memory, give_handles, open_in_driver};
    uint32_t status = STATUS_SUCCESS;
    for (size_t i = 0; status == STATUS_SUCCESS && i < sizeof steps / sizeof *steps; i++)
        status = steps[i](creation);
    if (status == STATUS_SUCCESS)
        commit(creation);
    else
        undo(creation);
    creation_fini(creation);
    return status;
}

/* A surface like that of an existing heap, which is the other adapter's memory. */
uint32_t dxgk_create_twin(struct d3dkmt_call *call, struct dxgk_device *device,
                          struct dxgk_shared_resource *origin, struct d3dkmt_open_resource *opened)
{
    const struct vidmm_allocation *memory = origin->allocations[0]->vidmm;
    const struct d3dkmt_standard_allocation heap = {.type = D3DKMT_EXISTING_HEAP,
                                                    .size = vidmm_allocation_size(memory)};
    struct d3dkmt_allocation_info info = {.system_memory = SOME_ADDRESS,
                                          .label = vidmm_allocation_label(memory)};
    struct d3dkmt_create_allocation args = {
        .flags = D3DKMT_CREATE_RESOURCE | D3DKMT_CREATE_SHARED | D3DKMT_EXISTING_SYSMEM |
                 D3DKMT_CROSS_ADAPTER | D3DKMT_OPEN_CROSS_ADAPTER | D3DKMT_STANDARD_ALLOCATION,
        .runtime_data_bytes = origin->runtime_data_bytes,
        .private_data_bytes = origin->private_data_bytes,
        .standard = &heap,
        .count = 1,
        .allocations = &info,
    };
    struct creation creation;
    creation_init(&creation, call, device, NULL, &args);
    creation.origin = origin;
    uint32_t status = make(&creation);
    if (status == STATUS_SUCCESS) {
        opened->resource = args.resource;
        opened->allocations[0] = info.allocation;
    }
    return status;
}

static uint32_t create(struct dxgk_process *process, struct d3dkmt_call *call,
                       struct d3dkmt_create_allocation *args)
{
    struct dxgk_device *device;
    struct dxgk_resource *resource;
    uint32_t status = dxgk_validate_create(process, args, &device, &resource);
    if (status != STATUS_SUCCESS)
        return status;
    struct creation creation;
    creation_init(&creation, call, device, resource, args);
    return make(&creation);
}

uint32_t d3dkmt_create_allocation(struct dxgk_process *process, struct d3dkmt_call *call,
                                  struct d3dkmt_create_allocation *args)
{
    dxgk_call_begin(process, call, PROFILE_CREATE_ALLOCATION);
    return dxgk_call_return(call, create(process, call, args), 0);
}
