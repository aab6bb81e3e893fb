/* Creating, opening and destroying allocations (wddm.md §1 to §3). */
#include "model/dxgkrnl/internal.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static struct dxgk_allocation *open_view(struct dxgk_device *device, struct dxgk_resource *resource,
                                         struct dxgk_global_allocation *global)
{
    struct dxgk_allocation *view = memory_new(1, sizeof *view);
    view->device = device;
    view->resource = resource;
    view->global = global;
    global->views++;
    DL_APPEND(device->allocations, view);
    view->handle = handle_new(&device->process->handles, HANDLE_ALLOCATION, view);
    return view;
}

static struct dxgk_resource *open_resource(struct dxgk_device *device,
                                           struct dxgk_shared_resource *shared)
{
    struct dxgk_resource *resource = memory_new(1, sizeof *resource);
    resource->device = device;
    resource->shared = shared;
    shared->views++;
    DL_APPEND(device->resources, resource);
    resource->handle = handle_new(&device->process->handles, HANDLE_RESOURCE, resource);
    return resource;
}

static void add_to_resource(struct dxgk_shared_resource *shared,
                            struct dxgk_global_allocation *global)
{
    if (shared->count == shared->room) {
        shared->room = shared->room ? 2 * shared->room : 4;
        shared->allocations =
            memory_resize(shared->allocations, shared->room, sizeof *shared->allocations);
    }
    shared->allocations[shared->count++] = global;
}

struct dxgk_global_allocation *dxgk_allocation_forget(struct dxgk_allocation *view)
{
    struct dxgk_device *device = view->device;
    struct dxgk_global_allocation *global = view->global;
    handle_free(&device->process->handles, view->handle);
    DL_DELETE(device->allocations, view);
    free(view);
    return global;
}

void dxgk_resource_forget(struct dxgk_resource *resource)
{
    struct dxgk_shared_resource *shared = resource->shared;
    handle_free(&resource->device->process->handles, resource->handle);
    DL_DELETE(resource->device->resources, resource);
    free(resource);
    if (--shared->views == 0) {
        free(shared->allocations);
        free(shared);
    }
}

void dxgk_allocation_close(struct dxgk_device *device, struct dxgk_global_allocation *global)
{
    vidmm_device_close(device->vidmm, global->vidmm);
    if (--global->views > 0)
        return;
    vidmm_allocation_destroy(global->vidmm);
    free(global);
}

/* What VidMm is asked for, from what the miniport answered. */
static uint32_t create_global(struct dxgk_process *process,
                              const struct d3dkmt_allocation_info *asked,
                              const struct dxgk_allocation_info *answer,
                              struct dxgk_global_allocation **out)
{
    struct vidmm_allocation_info info = {
        .size = answer->size,
        .alignment = answer->alignment,
        .segments = answer->supported_write_segment_set,
        .contiguous = answer->flags & DXGK_ACCESSED_PHYSICALLY,
        .permanent_system_memory = answer->flags & (DXGK_PERMANENT_SYSMEM | DXGK_EXISTING_SYSMEM |
                                                    DXGK_EXISTING_KERNEL_SYSMEM),
        .has_content = asked->system_memory ||
                       (answer->flags & (DXGK_EXISTING_SYSMEM | DXGK_EXISTING_KERNEL_SYSMEM)),
        .priority =
            asked->override_priority ? asked->private_data.priority : answer->allocation_priority,
        .pid = process->pid,
        .label = asked->label,
    };
    memcpy(info.preferred, answer->preferred_segment, sizeof info.preferred);
    struct vidmm_allocation *vidmm;
    uint32_t status = vidmm_allocation_create(process->dxgkrnl->vidmm, &info, &vidmm);
    if (status != STATUS_SUCCESS)
        return status;
    *out = memory_new(1, sizeof **out);
    (*out)->vidmm = vidmm;
    return STATUS_SUCCESS;
}

/* DxgkDdiCreateAllocation for the whole array, then VidMm's objects; all of them or none. */
static uint32_t create_globals(struct dxgk_process *process,
                               const struct d3dkmt_create_allocation *args,
                               struct dxgk_global_allocation **globals)
{
    struct dxgkrnl *dxgkrnl = process->dxgkrnl;
    struct dxgk_allocation_info *infos = memory_new(args->count, sizeof *infos);
    for (uint32_t i = 0; i < args->count; i++)
        infos[i].private_data = args->allocations[i].private_data;
    uint32_t status = dxgkrnl->ddi.create_allocation(
        dxgkrnl->ddi.miniport,
        &(struct dxgkarg_create_allocation){.count = args->count, .allocations = infos});
    uint32_t made = 0;
    while (status == STATUS_SUCCESS && made < args->count) {
        status = create_global(process, &args->allocations[made], &infos[made], &globals[made]);
        made += status == STATUS_SUCCESS;
    }
    if (status != STATUS_SUCCESS)
        while (made-- > 0) {
            vidmm_allocation_destroy(globals[made]->vidmm);
            free(globals[made]);
        }
    free(infos);
    return status;
}

enum { ALLOCATIONS_MAX = 1024 }; /* per call (wddm.md §0.2) */

static uint32_t create(struct dxgk_process *process, struct d3dkmt_create_allocation *args)
{
    bool creates = args->flags & D3DKMT_CREATE_RESOURCE;
    bool shared = args->flags & D3DKMT_CREATE_SHARED;
    if (args->count > ALLOCATIONS_MAX || (args->count == 0 && !creates) || (shared && !creates))
        return STATUS_INVALID_PARAMETER;
    struct dxgk_device *device = dxgk_device(process, args->device);
    if (!device)
        return STATUS_INVALID_PARAMETER;
    struct dxgk_resource *resource = NULL;
    if (args->resource && !(resource = dxgk_resource(process, args->resource)))
        return STATUS_INVALID_HANDLE;
    /* A shared resource takes no more allocations once it exists (wddm.md §1.4, rule 8). */
    if (resource && !creates && (resource->device != device || resource->shared->shared))
        return STATUS_INVALID_PARAMETER;

    struct dxgk_global_allocation **globals = memory_new(args->count, sizeof *globals);
    uint32_t status = create_globals(process, args, globals);
    if (status == STATUS_SUCCESS) {
        if (creates) {
            struct dxgk_shared_resource *made = memory_new(1, sizeof *made);
            made->shared = shared;
            resource = open_resource(device, made);
        }
        args->resource = resource ? resource->handle : 0;
        for (uint32_t i = 0; i < args->count; i++) {
            if (resource)
                add_to_resource(resource->shared, globals[i]);
            if (args->existing)
                vidmm_allocation_assume_resident(globals[i]->vidmm);
            args->allocations[i].allocation = open_view(device, resource, globals[i])->handle;
        }
    }
    free(globals);
    return status;
}

uint32_t d3dkmt_create_allocation(struct dxgk_process *process, struct d3dkmt_call *call,
                                  struct d3dkmt_create_allocation *args)
{
    dxgk_call_begin(process, call);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < args->count; i++)
        bytes += args->allocations[i].private_data.size;
    return dxgk_call_return(call, create(process, args), PROFILE_CREATE_ALLOCATION, args->count,
                            bytes);
}

static uint32_t open_shared(struct dxgk_process *process, d3dkmt_handle device_handle,
                            struct dxgk_process *owner, d3dkmt_handle resource_handle,
                            d3dkmt_handle *opened, d3dkmt_handle *allocations, uint32_t count)
{
    struct dxgk_device *device = dxgk_device(process, device_handle);
    const struct dxgk_resource *resource = owner ? dxgk_resource(owner, resource_handle) : NULL;
    if (!device || !resource || !resource->shared->shared || resource->shared->count != count)
        return STATUS_INVALID_PARAMETER;
    struct dxgk_resource *view = open_resource(device, resource->shared);
    *opened = view->handle;
    for (uint32_t i = 0; i < count; i++)
        allocations[i] = open_view(device, view, resource->shared->allocations[i])->handle;
    return STATUS_SUCCESS;
}

uint32_t d3dkmt_open_resource(struct dxgk_process *process, struct d3dkmt_call *call,
                              d3dkmt_handle device, struct dxgk_process *owner,
                              d3dkmt_handle resource, d3dkmt_handle *opened,
                              d3dkmt_handle *allocations, uint32_t count)
{
    dxgk_call_begin(process, call);
    uint32_t status = open_shared(process, device, owner, resource, opened, allocations, count);
    return dxgk_call_return(call, status, PROFILE_OPEN_RESOURCE, count, 0);
}

/* Terminated by a call, and destroyed once the work that could still touch them is over. */
struct termination {
    struct vidsch_barrier idle;
    struct dxgk_device *device;
    struct d3dkmt_call *call;
    bool destroyed;
    uint32_t count;
    struct dxgk_global_allocation *globals[];
};

static void destroy(void *owner)
{
    struct termination *termination = owner;
    struct dxgk_device *device = termination->device;
    struct d3dkmt_call *call = termination->call;
    for (uint32_t i = 0; i < termination->count; i++)
        dxgk_allocation_close(device, termination->globals[i]);
    free(termination);
    call->extra_count = 1; /* destroyed: a synchronous call may return */
    if (--device->terminating == 0 && device->dying)
        dxgk_device_free(device);
    if (!call->answered) { /* nothing was queued that could touch it */
        dxgk_call_forget(call);
        return;
    }
    blame_end(&call->blame, sim_now(call->dxgkrnl->sim));
    dxgk_call_look(call);
    dxgk_call_done(call);
}

static bool destroyed(struct d3dkmt_call *call)
{
    return call->extra_count != 0;
}

/* The views that the call names: a resource's, or those of the list. NULL: a handle is wrong, and
 * then nothing is destroyed (wddm.md §3.2). */
static struct dxgk_allocation **named(struct dxgk_process *process, struct dxgk_device *device,
                                      struct dxgk_resource *resource,
                                      const d3dkmt_handle *allocations, uint32_t *count)
{
    if (!resource) {
        struct dxgk_allocation **views = memory_new(*count, sizeof *views);
        for (uint32_t i = 0; i < *count; i++) {
            views[i] = dxgk_allocation(process, allocations[i]);
            bool twice = false;
            for (uint32_t j = 0; j < i; j++)
                twice |= views[i] == views[j];
            if (!views[i] || views[i]->device != device || twice ||
                views[i]->resource != views[0]->resource) {
                free(views);
                return NULL;
            }
        }
        return views;
    }
    struct dxgk_allocation **views = memory_new(resource->shared->count, sizeof *views);
    struct dxgk_allocation *view;
    *count = 0;
    DL_FOREACH (device->allocations, view)
        if (view->resource == resource)
            views[(*count)++] = view;
    return views;
}

static void forget_in_resource(struct dxgk_resource *resource,
                               const struct dxgk_global_allocation *global)
{
    struct dxgk_shared_resource *shared = resource->shared;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < shared->count; i++)
        if (shared->allocations[i] != global)
            shared->allocations[kept++] = shared->allocations[i];
    shared->count = kept;
}

static void terminate(struct d3dkmt_call *call, struct dxgk_device *device,
                      struct dxgk_resource *resource, struct dxgk_allocation **views,
                      uint32_t count, uint32_t flags)
{
    struct termination *termination =
        memory_new(1, sizeof *termination + count * sizeof termination->globals[0]);
    *termination = (struct termination){
        .idle = {.passed = destroy, .owner = termination, .left = 1},
        .device = device,
        .call = call,
        .count = count,
    };
    for (uint32_t i = 0; i < count; i++) {
        struct dxgk_resource *of = views[i]->resource;
        termination->globals[i] = dxgk_allocation_forget(views[i]);
        if (of && !resource)
            forget_in_resource(of, termination->globals[i]);
    }
    if (resource)
        dxgk_resource_forget(resource);
    device->terminating++;
    blame_switch(&call->blame, PROBE_QUEUE, call->start_ns);
    if (flags & D3DKMT_SYNCHRONOUS_DESTROY)
        call->may_return = destroyed;
    dxgk_call_defer(call);
    if (!(flags & D3DKMT_ASSUME_NOT_IN_USE))
        dxgk_device_barrier(device, &termination->idle);
    vidsch_barrier_arm(&termination->idle);
}

uint32_t d3dkmt_destroy_allocation2(struct dxgk_process *process, struct d3dkmt_call *call,
                                    d3dkmt_handle device_handle, d3dkmt_handle resource_handle,
                                    const d3dkmt_handle *allocations, uint32_t count,
                                    uint32_t flags)
{
    dxgk_call_begin(process, call);
    struct dxgk_device *device = dxgk_device(process, device_handle);
    struct dxgk_resource *resource =
        resource_handle ? dxgk_resource(process, resource_handle) : NULL;
    struct dxgk_allocation **views = NULL;
    if (device && (!resource_handle || (resource && resource->device == device)))
        views = named(process, device, resource, allocations, &count);
    if (views && (count || resource))
        terminate(call, device, resource, views, count, flags);
    /* Neither a resource nor a list: Windows does nothing and succeeds (wddm.md §3.3). */
    uint32_t status = views ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    free(views);
    return dxgk_call_return(call, status, PROFILE_DESTROY_ALLOCATION, count, 0);
}
