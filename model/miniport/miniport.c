#include "model/miniport/miniport.h"

#include <stdlib.h>
#include <string.h>

struct miniport {
    const struct dxgk_adapter *adapter;
    const struct dxgkrnl_interface *dxgkrnl;
};

static uint32_t bit(uint8_t segment)
{
    return segment ? UINT32_C(1) << (segment - 1) : 0;
}

static uint32_t apertures(const struct dxgk_adapter *adapter)
{
    uint32_t set = 0;
    for (uint32_t i = 0; i < adapter->segment_count; i++)
        if (adapter->segments[i].aperture)
            set |= UINT32_C(1) << i;
    return set;
}

/* What the user-mode driver stated stands; for the rest, the usage says which segment is best, and
 * an aperture is always good enough as a last resort: the GPU reads it over the link. A surface for
 * several adapters, or of the caller's memory, stays in system memory (wddm.md §1.6). */
static void choose_segments(const struct dxgk_adapter *adapter, struct dxgk_allocation_info *info)
{
    const struct dxgk_private_data *data = &info->private_data;
    memcpy(info->preferred_segment, data->preferred, sizeof info->preferred_segment);
    if (data->segments) {
        info->supported_write_segment_set = data->segments;
    } else if (data->surface == D3DKMDT_GDISURFACE_TEXTURE_CROSSADAPTER ||
               data->surface == D3DKMDT_GDISURFACE_TEXTURE_CPUVISIBLE_CROSSADAPTER ||
               data->surface == D3DKMDT_GDISURFACE_EXISTINGSYSMEM) {
        info->supported_write_segment_set = apertures(adapter);
    } else {
        uint8_t best =
            data->preferred[0] ? data->preferred[0] : adapter->usage_segment(adapter, data->usage);
        info->supported_write_segment_set = bit(best) | apertures(adapter);
        memset(info->preferred_segment, 0, sizeof info->preferred_segment);
        info->preferred_segment[0] = best;
    }
    info->supported_read_segment_set =
        data->read_segments ? data->read_segments : info->supported_write_segment_set;
    info->eviction_segment_set = data->eviction_segments;
}

/* Segments of 64 KiB pages want starts that are multiples of one (wddm.md §2.2). */
static uint64_t choose_alignment(const struct dxgk_adapter *adapter,
                                 const struct dxgk_allocation_info *info)
{
    uint64_t alignment = info->private_data.alignment;
    for (uint32_t i = 0; alignment && i < adapter->segment_count; i++)
        if ((info->supported_write_segment_set >> i & 1) && adapter->segments[i].page == 65536 &&
            alignment < 65536)
            alignment = 65536;
    return alignment;
}

/* Rows of a surface that several adapters share start 128 bytes apart, and there are whole groups
 * of four of them (wddm.md §1.6); other rows follow each other. */
static void choose_shape(struct dxgk_allocation_info *info)
{
    enum { CROSS_ADAPTER_PITCH = 128, CROSS_ADAPTER_ROWS = 4 };
    const struct dxgk_private_data *data = &info->private_data;
    bool shared = data->surface == D3DKMDT_GDISURFACE_TEXTURE_CROSSADAPTER ||
                  data->surface == D3DKMDT_GDISURFACE_TEXTURE_CPUVISIBLE_CROSSADAPTER;
    uint64_t height = data->height;
    info->pitch = data->width;
    if (shared) {
        info->pitch =
            (info->pitch + CROSS_ADAPTER_PITCH - 1) / CROSS_ADAPTER_PITCH * CROSS_ADAPTER_PITCH;
        height = (height + CROSS_ADAPTER_ROWS - 1) / CROSS_ADAPTER_ROWS * CROSS_ADAPTER_ROWS;
    }
    if (height && info->pitch > info->size / height)
        info->size = info->pitch > UINT64_MAX / height ? UINT64_MAX : info->pitch * height;
}

/* What the processor reads or writes it must be able to map. */
static uint64_t surface_flags(uint8_t surface)
{
    switch (surface) {
    case D3DKMDT_GDISURFACE_STAGING_CPUVISIBLE:
    case D3DKMDT_GDISURFACE_TEXTURE_CPUVISIBLE:
    case D3DKMDT_GDISURFACE_TEXTURE_CROSSADAPTER:
    case D3DKMDT_GDISURFACE_TEXTURE_CPUVISIBLE_CROSSADAPTER:
        return DXGK_CPU_VISIBLE;
    case D3DKMDT_GDISURFACE_EXISTINGSYSMEM:
        return DXGK_CPU_VISIBLE | DXGK_EXISTING_SYSMEM;
    default:
        return 0;
    }
}

static uint32_t create_allocation(void *self, struct dxgkarg_create_allocation *arg)
{
    const struct miniport *miniport = self;
    for (uint32_t i = 0; i < arg->count; i++) {
        struct dxgk_allocation_info *info = &arg->allocations[i];
        const struct dxgk_private_data *data = &info->private_data;
        choose_segments(miniport->adapter, info);
        if (info->size == 0) /* else it is existing memory's */
            info->size = data->size;
        choose_shape(info);
        info->alignment = choose_alignment(miniport->adapter, info);
        info->hinted_bank = data->bank;
        info->physical_adapter_index = data->physical_adapter;
        info->flags = data->flags | surface_flags(data->surface);
        info->flags2 = data->flags2;
        info->allocation_priority = data->priority ? data->priority : DXGK_PRIORITY_NORMAL;
    }
    return STATUS_SUCCESS;
}

/* An existing heap becomes a linear surface as wide as it has bytes. */
static uint32_t
get_standard_allocation_driver_data(void *self,
                                    struct dxgkarg_get_standard_allocation_driver_data *arg)
{
    (void)self;
    arg->allocation_bytes = sizeof *arg->allocation;
    arg->resource_bytes = 0;
    if (arg->allocation)
        *arg->allocation = (struct dxgk_private_data){.bytes = arg->allocation_bytes,
                                                      .surface = arg->surface,
                                                      .size = arg->width * arg->height};
    return STATUS_SUCCESS;
}

/* A context that can be preempted needs a place for its state: the save area, in local memory,
 * which the engine writes at every switch. System contexts have none (wddm.md §4.2). */
static uint32_t create_context(void *self, struct dxgkarg_create_context *arg)
{
    const struct miniport *miniport = self;
    const struct dxgk_adapter *adapter = miniport->adapter;
    const struct dxgk_node *node = &adapter->nodes[arg->node];
    if (arg->system || !adapter->context_save_area || node->save_area == 0)
        return STATUS_SUCCESS;
    uint8_t local = adapter->usage_segment(adapter, NULL);
    struct dxgkargcb_create_context_allocation allocation = {
        .context = arg->context,
        .size = node->save_area,
        .supported_segment_set = bit(local),
        .preferred_segment = {local},
        .name = "save area",
    };
    uint32_t status =
        miniport->dxgkrnl->create_context_allocation(miniport->dxgkrnl->dxgkrnl, &allocation);
    arg->driver_context = allocation.allocation;
    return status;
}

/* What the driver keeps of a context is its save area. */
static void destroy_context(void *self, void *driver_context)
{
    const struct miniport *miniport = self;
    if (driver_context)
        miniport->dxgkrnl->destroy_context_allocation(miniport->dxgkrnl->dxgkrnl, driver_context);
}

static uint32_t start_device(void *self, const struct dxgk_start_info *info)
{
    struct miniport *miniport = self;
    miniport->adapter = info->adapter;
    miniport->dxgkrnl = info->dxgkrnl;
    return STATUS_SUCCESS;
}

uint32_t miniport_driver_entry(struct dxgkddi *ddi)
{
    *ddi =
        (struct dxgkddi){.version = DXGK_DDI_VERSION,
                         .miniport = calloc(1, sizeof(struct miniport)),
                         .start_device = start_device,
                         .remove_device = free,
                         .create_allocation = create_allocation,
                         .get_standard_allocation_driver_data = get_standard_allocation_driver_data,
                         .create_context = create_context,
                         .destroy_context = destroy_context};
    return ddi->miniport ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
