/* What D3DKMTCreateAllocation refuses, in the documented order (wddm.md §1.4). Everything here
 * answers STATUS_INVALID_PARAMETER unless it says otherwise. */
#include "model/dxgkrnl/internal.h"

enum {
    ALLOCATIONS_MAX = 1024, /* per call (wddm.md §0.2) */
    PAGE = 4096,
    KNOWN_FLAGS = 0x7fffff,
    /* Bits that user mode must leave alone, and those of rule 3 (wddm.md §1.3, §1.4). */
    RESERVED_FLAGS = D3DKMT_CREATE_PROTECTED | D3DKMT_CREATE_WRITE_COMBINED | D3DKMT_CREATE_CACHED |
                     D3DKMT_SWAP_CHAIN_BACK_BUFFER | D3DKMT_OPEN_CROSS_ADAPTER |
                     D3DKMT_NO_IMPLICIT_SYNCHRONIZATION,
    EXISTING_FLAGS = D3DKMT_EXISTING_SYSMEM | D3DKMT_EXISTING_SECTION
};

static bool aligned(uint64_t address)
{
    return address % PAGE == 0;
}

/* Rule 2. An empty resource is possible, though not of standard allocations. */
static bool count_is_valid(const struct d3dkmt_create_allocation *args)
{
    bool empty_resource =
        (args->flags & D3DKMT_CREATE_RESOURCE) && !(args->flags & D3DKMT_STANDARD_ALLOCATION);
    return args->count <= ALLOCATIONS_MAX && (args->count > 0 || empty_resource);
}

/* Rule 4, first part: StandardAllocation needs exactly one of ExistingSysMem and ExistingSection,
 * and they need it. The second type is the system's own backing store and has neither. */
static bool standard_flags_are_valid(const struct d3dkmt_create_allocation *args)
{
    uint32_t existing = args->flags & EXISTING_FLAGS;
    if (!(args->flags & D3DKMT_STANDARD_ALLOCATION))
        return existing == 0;
    if (args->standard && args->standard->type == D3DKMT_STANDARD_CROSS_ADAPTER)
        return existing == 0;
    return existing == D3DKMT_EXISTING_SYSMEM || existing == D3DKMT_EXISTING_SECTION;
}

static bool heap_is_valid(const struct d3dkmt_create_allocation *args)
{
    uint64_t address = args->allocations[0].system_memory;
    uint64_t size = args->standard->size;
    /* A section's handle stands where the address does; only an address can be unaligned. */
    bool section = args->flags & D3DKMT_EXISTING_SECTION;
    return address != 0 && (section || aligned(address)) && size != 0 && aligned(size);
}

/* Rule 4, the rest. Private data of the allocation is tolerated, as Windows does. */
static bool standard_is_valid(const struct d3dkmt_create_allocation *args)
{
    if (!(args->flags & D3DKMT_STANDARD_ALLOCATION))
        return true;
    if (args->count != 1 || !args->standard)
        return false;
    if (args->standard->type != D3DKMT_EXISTING_HEAP &&
        args->standard->type != D3DKMT_STANDARD_CROSS_ADAPTER)
        return false;
    if (args->private_data_bytes != 0) /* the slot holds the standard allocation */
        return false;
    if (args->standard->type == D3DKMT_EXISTING_HEAP ? !heap_is_valid(args)
                                                     : args->allocations[0].system_memory != 0)
        return false;
    return (args->flags & D3DKMT_CREATE_RESOURCE) || args->resource == 0;
}

/* Rule 5, and what §1.6 says of cross-adapter resources: shared, and exactly one allocation. */
static bool sharing_is_valid(const struct d3dkmt_create_allocation *args)
{
    bool shared = args->flags & D3DKMT_CREATE_SHARED;
    if (shared && !(args->flags & D3DKMT_CREATE_RESOURCE))
        return false;
    if ((args->flags & D3DKMT_NT_SECURITY_SHARING) && !shared)
        return false;
    return !(args->flags & D3DKMT_CROSS_ADAPTER) || (shared && args->count == 1);
}

/* Rule 9, and the flags of the single allocations: known ones, Stereo only on a primary. */
static bool elements_are_valid(const struct d3dkmt_create_allocation *args)
{
    bool section = args->flags & D3DKMT_EXISTING_SECTION;
    for (uint32_t i = 0; i < args->count; i++) {
        const struct d3dkmt_allocation_info *info = &args->allocations[i];
        if ((info->system_memory != 0) != (args->allocations[0].system_memory != 0))
            return false;
        if (!section && !aligned(info->system_memory))
            return false;
        if (info->flags & ~(uint32_t)(D3DDDI_PRIMARY | D3DDDI_STEREO | D3DDDI_OVERRIDE_PRIORITY))
            return false;
        if ((info->flags & D3DDDI_STEREO) && !(info->flags & D3DDDI_PRIMARY))
            return false;
    }
    return true;
}

uint32_t dxgk_device_state(struct dxgk_device *device)
{
    struct dxgkrnl *dxgkrnl = device->process->dxgkrnl;
    if (dxgk_step(dxgkrnl, DXGK_STEP_ADAPTER) != STATUS_SUCCESS)
        device->adapter->removed = true;
    return device->adapter->removed || device->error ? STATUS_DEVICE_REMOVED : STATUS_SUCCESS;
}

uint32_t dxgk_validate_create(struct dxgk_process *process,
                              const struct d3dkmt_create_allocation *args,
                              struct dxgk_device **device, struct dxgk_resource **resource)
{
    *resource = NULL;
    if (!count_is_valid(args))
        return STATUS_INVALID_PARAMETER;
    if (args->flags & (~(uint32_t)KNOWN_FLAGS | RESERVED_FLAGS)) /* rule 3 */
        return STATUS_INVALID_PARAMETER;
    if (!standard_flags_are_valid(args) || !standard_is_valid(args))
        return STATUS_INVALID_PARAMETER;
    if (!sharing_is_valid(args))
        return STATUS_INVALID_PARAMETER;
    *device = dxgk_device(process, args->device);
    if (!*device)
        return STATUS_INVALID_PARAMETER;
    uint32_t status = dxgk_device_state(*device);
    if (status != STATUS_SUCCESS)
        return status;
    /* Rule 7: the one bad handle with a status of its own, and even where it would not be used. */
    if (args->resource && !(*resource = dxgk_resource(process, args->resource)))
        return STATUS_INVALID_HANDLE;
    if (args->flags & D3DKMT_CREATE_RESOURCE)
        *resource = NULL;
    /* Rule 8: the same device's, and not sealed. */
    if (*resource && ((*resource)->device != *device || (*resource)->shared->sealed))
        return STATUS_INVALID_PARAMETER;
    return elements_are_valid(args) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}
