#include "model/dxgkrnl/dxgkrnl.h"

#include "model/dxgkrnl/internal.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* What the miniport calls back, inside a DDI or later (wddm.md §4). */
static uint32_t create_context_allocation(void *dxgkrnl,
                                          struct dxgkargcb_create_context_allocation *arg)
{
    if (((const struct dxgkrnl *)dxgkrnl)->stopping)
        return STATUS_DEVICE_REMOVED;
    struct dxgk_context *context = arg->context;
    struct dxgk_device *device = arg->device;
    if (!device && context)
        device = context->device;
    struct dxgk_context_allocation *allocation = NULL;
    uint32_t status = dxgk_context_allocation_create(
        context, device, arg, (struct probe_label){.text = arg->name}, &allocation);
    arg->allocation = allocation;
    return status;
}

static void destroy_context_allocation(void *dxgkrnl, void *allocation)
{
    if (!((const struct dxgkrnl *)dxgkrnl)->stopping) /* else it goes with all the rest */
        dxgk_context_allocation_free(allocation);
}

static uint64_t map_context_allocation(void *dxgkrnl,
                                       const struct dxgkargcb_map_context_allocation *arg)
{
    (void)dxgkrnl;
    return dxgk_context_allocation_map(arg->allocation, arg);
}

static uint32_t update_context_allocation(void *dxgkrnl,
                                          const struct dxgkargcb_update_context_allocation *arg)
{
    (void)dxgkrnl;
    return arg->allocation ? dxgk_update(arg->allocation, arg) : STATUS_INVALID_PARAMETER;
}

struct dxgkrnl *dxgkrnl_create(struct sim *sim, const struct profile *profile,
                               struct vidsch *vidsch, struct vidmm *vidmm,
                               const struct dxgkddi *ddi, struct probe *probe)
{
    struct dxgkrnl *dxgkrnl = memory_new(1, sizeof *dxgkrnl);
    *dxgkrnl = (struct dxgkrnl){
        .sim = sim,
        .profile = profile,
        .interface = {.dxgkrnl = dxgkrnl,
                      .create_context_allocation = create_context_allocation,
                      .destroy_context_allocation = destroy_context_allocation,
                      .map_context_allocation = map_context_allocation,
                      .update_context_allocation = update_context_allocation},
        .probe = probe,
        .globals = {.instance = HANDLE_GLOBAL},
        .packets = {.object_size = sizeof(struct vidsch_packet)},
        .views = {.object_size = sizeof(struct dxgk_allocation)},
        .global_allocations = {.object_size = sizeof(struct dxgk_global_allocation)},
        .resources = {.object_size = sizeof(struct dxgk_resource)},
        .shared_resources = {.object_size = sizeof(struct dxgk_shared_resource)},
        .terminations = {.object_size = sizeof(struct dxgk_termination)},
        .closings = {.object_size = sizeof(struct dxgk_closing)},
        .system_worker = {.dxgkrnl = dxgkrnl},
    };
    dxgkrnl_add_adapter(dxgkrnl, profile, vidsch, vidmm, ddi);
    return dxgkrnl;
}

void dxgkrnl_order_fault(struct dxgkrnl *dxgkrnl, const struct dxgk_fault *fault)
{
    dxgk_faults_add(&dxgkrnl->faults, fault);
}

void dxgkrnl_reached(const struct dxgkrnl *dxgkrnl, uint64_t reached[DXGK_STEP_COUNT])
{
    memcpy(reached, dxgkrnl->faults.reached, sizeof dxgkrnl->faults.reached);
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

void dxgkrnl_destroy(struct dxgkrnl *dxgkrnl)
{
    if (!dxgkrnl)
        return;
    dxgk_stop(dxgkrnl);
    dxgk_updates_free(dxgkrnl);
    struct dxgk_process *process, *next_process;
    LL_FOREACH_SAFE (dxgkrnl->processes, process, next_process) {
        dxgk_va_unmap_all(process);
        handle_table_fini(&process->handles);
        free(process);
    }
    struct dxgadapter *adapter, *next_adapter;
    LL_FOREACH_SAFE (dxgkrnl->adapters, adapter, next_adapter)
        free(adapter);
    handle_table_fini(&dxgkrnl->globals);
    dxgk_faults_fini(&dxgkrnl->faults);
    memory_pool_fini(&dxgkrnl->packets);
    memory_pool_fini(&dxgkrnl->views);
    memory_pool_fini(&dxgkrnl->global_allocations);
    memory_pool_fini(&dxgkrnl->resources);
    memory_pool_fini(&dxgkrnl->shared_resources);
    memory_pool_fini(&dxgkrnl->terminations);
    memory_pool_fini(&dxgkrnl->closings);
    free(dxgkrnl);
}
