/* Context allocations: DxgkCbCreateContextAllocation and what goes with it (wddm.md §4). */
#include "model/dxgkrnl/internal.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { PAGE = 4096, KNOWN_FLAGS = DXGK_SHARED_ACROSS_CONTEXTS | DXGK_MAP_GPU_VIRTUAL_ADDRESS };

/* Who may have one (§4.1, §4.2): a shared one names its device and no context, another names its
 * context; nothing of the system's has any. */
static bool owner_is_valid(const struct dxgk_context *context, const struct dxgk_device *device,
                           bool shared)
{
    if (!device || device->system || (context && vidsch_context_system(context->vidsch)))
        return false;
    return shared ? context == NULL : context != NULL && context->device == device;
}

/* The argument itself. From WDDM 2 on it may be mapped and accessed physically (§4.4). */
static bool argument_is_valid(const struct profile *profile,
                              const struct dxgkargcb_create_context_allocation *arg)
{
    bool wddm2 = profile->wddm >= 20;
    if (arg->context_allocation_flags & ~(uint32_t)KNOWN_FLAGS)
        return false;
    if (!wddm2 && (arg->context_allocation_flags & DXGK_MAP_GPU_VIRTUAL_ADDRESS))
        return false;
    if (!wddm2 && (arg->flags & DXGK_ACCESSED_PHYSICALLY))
        return false;
    return dxgk_validate_flags(profile, arg->flags) == STATUS_SUCCESS &&
           !(arg->eviction_segment_set & ~dxgk_aperture_set(profile)) &&
           arg->physical_adapter_index == 0;
}

/* DXGK_OPERATION_INIT_CONTEXT_RESOURCE: once, at the first page-in (§4.2). */
static void initialise(void *owner)
{
    struct dxgk_context_allocation *allocation = owner;
    const struct dxgkddi *ddi = &allocation->device->adapter->ddi;
    allocation->initialised = true;
    if (ddi->init_context_resource)
        ddi->init_context_resource(ddi->miniport,
                                   &(struct dxgkarg_init_context_resource){
                                       .driver_allocation = allocation->driver,
                                       .size = allocation->size,
                                       .segment = vidmm_allocation_segment(allocation->vidmm),
                                       .virtual_address_valid = allocation->virtual_address_valid});
}

/* §4.3: CpuVisible, Protected, and nowhere but in apertures. */
static bool has_valid_virtual_address(const struct profile *profile,
                                      const struct dxgkargcb_create_context_allocation *arg)
{
    return (arg->flags & DXGK_CPU_VISIBLE) && (arg->flags & DXGK_PROTECTED) &&
           !(arg->supported_segment_set & ~dxgk_aperture_set(profile));
}

static uint32_t map_if_asked(struct dxgk_context_allocation *allocation,
                             struct dxgkargcb_create_context_allocation *arg)
{
    if (!(arg->context_allocation_flags & DXGK_MAP_GPU_VIRTUAL_ADDRESS))
        return STATUS_SUCCESS;
    arg->gpu_virtual_address = dxgk_context_allocation_map(
        allocation, &(struct dxgkargcb_map_context_allocation){
                        .size_in_pages = (allocation->size + PAGE - 1) / PAGE});
    return arg->gpu_virtual_address ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

uint32_t dxgk_context_allocation_create(struct dxgk_context *context, struct dxgk_device *device,
                                        struct dxgkargcb_create_context_allocation *arg,
                                        struct probe_label label,
                                        struct dxgk_context_allocation **out)
{
    bool shared = arg->context_allocation_flags & DXGK_SHARED_ACROSS_CONTEXTS;
    if (!owner_is_valid(context, device, shared))
        return STATUS_INVALID_PARAMETER;
    struct dxgkrnl *dxgkrnl = device->process->dxgkrnl;
    if (!argument_is_valid(device->adapter->profile, arg))
        return STATUS_INVALID_PARAMETER;
    uint32_t status = dxgk_step(dxgkrnl, DXGK_STEP_CONTEXT_ALLOCATION);
    if (status != STATUS_SUCCESS)
        return status;
    struct dxgk_context_allocation *allocation = memory_new(1, sizeof *allocation);
    struct vidmm_allocation_info info = {
        .size = arg->size,
        .alignment = arg->alignment,
        .segments = arg->supported_segment_set,
        .bank = arg->hinted_bank,
        .from_end = arg->flags & DXGK_FROM_END_OF_SEGMENT,
        .overlay = arg->flags & (DXGK_OVERLAY | DXGK_CAPTURE),
        .contiguous = arg->flags & DXGK_ACCESSED_PHYSICALLY,
        .permanent_system_memory = arg->flags & DXGK_PERMANENT_SYSMEM,
        .priority = DXGK_PRIORITY_NORMAL,
        .pid = device->process->pid,
        .label = label,
        .context_allocation = true,
        .context = context ? vidsch_context_id(context->vidsch) : UINT32_MAX,
        .first_page_in = initialise,
        .owner = allocation,
    };
    memcpy(info.preferred, arg->preferred_segment, sizeof info.preferred);
    *allocation = (struct dxgk_context_allocation){
        .device = device,
        .context = context,
        .driver = arg->driver_allocation,
        .virtual_address_valid = has_valid_virtual_address(device->adapter->profile, arg),
        .size = arg->size};
    status = vidmm_allocation_create(device->adapter->vidmm, &info, &allocation->vidmm);
    if (status != STATUS_SUCCESS) {
        free(allocation);
        return status;
    }
    if (context) {
        DL_APPEND(context->allocations, allocation);
        if (context->existing)
            vidmm_allocation_assume_resident(allocation->vidmm);
        vidmm_context_add(context->vidsch, allocation->vidmm);
    } else {
        DL_APPEND(device->shared, allocation);
        vidmm_device_require(device->vidmm, allocation->vidmm);
    }
    status = map_if_asked(allocation, arg);
    if (status != STATUS_SUCCESS) {
        dxgk_context_allocation_free(allocation);
        return status;
    }
    dxgk_count_carried_kmd(dxgkrnl, arg->flags);
    *out = allocation;
    return STATUS_SUCCESS;
}

uint64_t dxgk_context_allocation_map(struct dxgk_context_allocation *allocation,
                                     const struct dxgkargcb_map_context_allocation *arg)
{
    struct dxgk_process *process = allocation->device->process;
    uint64_t pages = (vidmm_allocation_size(allocation->vidmm) + PAGE - 1) / PAGE;
    if (process->dxgkrnl->profile->wddm < 20 || arg->size_in_pages == 0 ||
        arg->size_in_pages > pages || arg->offset_in_pages > pages - arg->size_in_pages ||
        dxgk_step(process->dxgkrnl, DXGK_STEP_MAP_CONTEXT_ALLOCATION) != STATUS_SUCCESS)
        return 0;
    return dxgk_va_map(process, allocation, arg->base_address, arg->minimum_address,
                       arg->maximum_address, arg->size_in_pages * PAGE);
}

void dxgk_context_allocation_free(struct dxgk_context_allocation *allocation)
{
    struct dxgk_process *process = allocation->device->process;
    if (allocation->handle)
        handle_free(&process->handles, allocation->handle);
    dxgk_update_forget(allocation);
    dxgk_va_unmap(process, allocation); /* outstanding addresses go by themselves (§3.2) */
    if (allocation->context) {
        vidmm_context_remove(allocation->context->vidsch, allocation->vidmm);
        DL_DELETE(allocation->context->allocations, allocation);
    } else {
        DL_DELETE(allocation->device->shared, allocation);
    }
    vidmm_allocation_destroy(allocation->vidmm);
    free(allocation);
}

void dxgk_free_context_allocation_handles(struct dxgk_device *device,
                                          struct dxgk_context_allocation *list)
{
    for (; list; list = list->next) {
        if (list->handle)
            handle_free(&device->process->handles, list->handle);
        list->handle = 0;
    }
}

static uint32_t create(struct dxgk_process *process, d3dkmt_handle context_handle,
                       d3dkmt_handle device_handle, struct dxgkargcb_create_context_allocation *arg,
                       struct probe_label label, d3dkmt_handle *handle)
{
    struct dxgk_context *context = dxgk_context(process, context_handle);
    struct dxgk_device *device = dxgk_device(process, device_handle);
    if ((context_handle && !context) || (device_handle && !device))
        return STATUS_INVALID_PARAMETER;
    if (!device && context)
        device = context->device;
    if (!device)
        return STATUS_INVALID_PARAMETER;
    uint32_t status = dxgk_device_state(device);
    struct dxgk_context_allocation *allocation;
    if (status == STATUS_SUCCESS)
        status = dxgk_context_allocation_create(context, device, arg, label, &allocation);
    if (status != STATUS_SUCCESS)
        return status;
    status = dxgk_step(process->dxgkrnl, DXGK_STEP_HANDLE);
    if (status == STATUS_SUCCESS) {
        *handle = handle_new(&process->handles, HANDLE_CONTEXT_ALLOCATION, allocation);
        allocation->handle = *handle;
        status = *handle ? STATUS_SUCCESS : STATUS_NO_MEMORY;
    }
    if (status != STATUS_SUCCESS)
        dxgk_context_allocation_free(allocation);
    return status;
}

uint32_t dxgkcb_create_context_allocation(struct dxgk_process *process, struct d3dkmt_call *call,
                                          d3dkmt_handle context, d3dkmt_handle device,
                                          struct dxgkargcb_create_context_allocation *arg,
                                          struct probe_label label, d3dkmt_handle *handle)
{
    dxgk_call_begin(process, call, PROFILE_CREATE_CONTEXT_ALLOCATION);
    *handle = 0;
    uint32_t status = create(process, context, device, arg, label, handle);
    if (status == STATUS_SUCCESS)
        dxgk_call_charge_allocations(call, 1, arg->size);
    return dxgk_call_return(call, status, 0);
}

uint32_t dxgkcb_destroy_context_allocation(struct dxgk_process *process, struct d3dkmt_call *call,
                                           d3dkmt_handle handle)
{
    dxgk_call_begin(process, call, PROFILE_DESTROY_CONTEXT_ALLOCATION);
    uint32_t status = dxgk_step(process->dxgkrnl, DXGK_STEP_DESTROY_CONTEXT_ALLOCATION);
    struct dxgk_context_allocation *allocation =
        handle_find(&process->handles, HANDLE_CONTEXT_ALLOCATION, handle);
    if (status == STATUS_SUCCESS && !allocation)
        status = STATUS_INVALID_PARAMETER;
    if (status == STATUS_SUCCESS)
        dxgk_context_allocation_free(allocation);
    return dxgk_call_return(call, status, 1);
}
