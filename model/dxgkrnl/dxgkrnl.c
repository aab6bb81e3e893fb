#include "model/dxgkrnl/dxgkrnl.h"

#include "model/dxgkrnl/internal.h"

#include <stdlib.h>
#include <utlist.h>

/* DxgkCbCreateContextAllocation as the miniport calls it, inside DxgkDdiCreateContext. */
static uint32_t create_context_allocation(void *dxgkrnl,
                                          const struct dxgkargcb_create_context_allocation *arg)
{
    (void)dxgkrnl;
    struct dxgk_context *context = arg->context;
    struct dxgk_context_allocation *allocation;
    return dxgk_context_allocation_create(context, context ? context->device : arg->device, arg,
                                          (struct probe_label){.text = "save area"}, &allocation);
}

struct dxgkrnl *dxgkrnl_create(struct sim *sim, const struct profile *profile,
                               struct vidsch *vidsch, struct vidmm *vidmm,
                               const struct dxgkddi *ddi)
{
    struct dxgkrnl *dxgkrnl = memory_new(1, sizeof *dxgkrnl);
    *dxgkrnl = (struct dxgkrnl){
        .sim = sim,
        .profile = profile,
        .vidsch = vidsch,
        .vidmm = vidmm,
        .ddi = *ddi,
        .packets = {.object_size = sizeof(struct vidsch_packet)},
    };
    return dxgkrnl;
}

struct dxgkrnl_interface dxgkrnl_interface(struct dxgkrnl *dxgkrnl)
{
    return (struct dxgkrnl_interface){.dxgkrnl = dxgkrnl,
                                      .create_context_allocation = create_context_allocation};
}

struct dxgk_process *dxgkrnl_process(struct dxgkrnl *dxgkrnl, uint32_t pid)
{
    struct dxgk_process *process = memory_new(1, sizeof *process);
    process->dxgkrnl = dxgkrnl;
    process->pid = pid;
    LL_PREPEND(dxgkrnl->processes, process);
    return process;
}

struct dxgk_device *dxgk_device(struct dxgk_process *process, d3dkmt_handle handle)
{
    return handle_find(&process->handles, HANDLE_DEVICE, handle);
}

struct dxgk_context *dxgk_context(struct dxgk_process *process, d3dkmt_handle handle)
{
    return handle_find(&process->handles, HANDLE_CONTEXT, handle);
}

struct dxgk_resource *dxgk_resource(struct dxgk_process *process, d3dkmt_handle handle)
{
    return handle_find(&process->handles, HANDLE_RESOURCE, handle);
}

struct dxgk_allocation *dxgk_allocation(struct dxgk_process *process, d3dkmt_handle handle)
{
    return handle_find(&process->handles, HANDLE_ALLOCATION, handle);
}

struct vidmm_allocation **dxgk_allocations(struct dxgk_process *process, struct dxgk_device *device,
                                           const d3dkmt_handle *handles, uint32_t count)
{
    struct vidmm_allocation **items = memory_new(count, sizeof *items);
    for (uint32_t i = 0; i < count; i++) {
        const struct dxgk_allocation *allocation = dxgk_allocation(process, handles[i]);
        if (!allocation || allocation->device != device) {
            free(items);
            return NULL;
        }
        items[i] = allocation->global->vidmm;
    }
    return items;
}

static void free_device(struct dxgk_device *device)
{
    struct dxgk_context *context, *next_context;
    DL_FOREACH_SAFE (device->contexts, context, next_context) {
        struct dxgk_context_allocation *allocation, *next;
        DL_FOREACH_SAFE (context->allocations, allocation, next)
            free(allocation);
        free(context);
    }
    struct dxgk_resource *resource, *next_resource;
    DL_FOREACH_SAFE (device->resources, resource, next_resource) {
        if (--resource->shared->views == 0) {
            free(resource->shared->allocations);
            free(resource->shared);
        }
        free(resource);
    }
    struct dxgk_allocation *allocation, *next_allocation;
    DL_FOREACH_SAFE (device->allocations, allocation, next_allocation) {
        if (--allocation->global->views == 0)
            free(allocation->global);
        free(allocation);
    }
    vidmm_device_destroy(device->vidmm);
    free(device);
}

void dxgkrnl_destroy(struct dxgkrnl *dxgkrnl)
{
    if (!dxgkrnl)
        return;
    struct dxgk_process *process, *next_process;
    LL_FOREACH_SAFE (dxgkrnl->processes, process, next_process) {
        struct dxgk_device *device, *next;
        DL_FOREACH_SAFE (process->devices, device, next)
            free_device(device);
        handle_table_fini(&process->handles);
        free(process);
    }
    memory_pool_fini(&dxgkrnl->packets);
    free(dxgkrnl);
}
