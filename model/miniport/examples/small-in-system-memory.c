/* A display miniport of one's own: small allocations stay in system memory.
 *
 * A local segment with pages of 64 KiB spends a whole page on each small buffer. This driver leaves
 * what is smaller than that in the aperture segment, where the GPU reads it over the link; the
 * rest goes where the profile prefers it, with the aperture as the last resort. Each device also
 * gets page tables, which all its contexts share.
 *
 *     cc -std=c17 -shared -fPIC -o small.so small-in-system-memory.c
 *     wddmsim replay TRACE --miniport small.so
 */
#include <stdlib.h>
#include <wddmsim/ddi.h>

enum { SMALL = 64 << 10, PAGE_TABLES = 2 << 20 };

struct driver {
    const struct dxgk_adapter *adapter;
    const struct dxgkrnl_interface *dxgkrnl;
};

/* What this driver keeps of an allocation and of a device: handles that come back with every later
 * call. */
struct allocation {
    uint64_t size;
};

struct device {
    void *page_tables;
};

static uint32_t start_device(void *miniport, const struct dxgk_start_info *info)
{
    struct driver *driver = miniport;
    driver->adapter = info->adapter;
    driver->dxgkrnl = info->dxgkrnl;
    return STATUS_SUCCESS;
}

static uint8_t aperture(const struct dxgk_adapter *adapter)
{
    for (uint32_t i = 0; i < adapter->segment_count; i++)
        if (adapter->segments[i].aperture)
            return (uint8_t)(i + 1);
    return 0;
}

static uint32_t set_of(uint8_t segment)
{
    return segment ? UINT32_C(1) << (segment - 1) : 0;
}

/* Segments that the trace states are kept: they were observed. */
static void choose_segments(const struct dxgk_adapter *adapter, struct dxgk_allocation_info *info)
{
    const struct dxgk_private_data *data = &info->private_data;
    uint8_t preferred = data->preferred[0];
    info->supported_write_segment_set = data->segments;
    if (!data->segments) {
        if (info->size < SMALL)
            preferred = aperture(adapter);
        else if (!preferred)
            preferred = adapter->usage_segment(adapter, data->usage);
        info->supported_write_segment_set = set_of(preferred) | set_of(aperture(adapter));
    }
    info->preferred_segment[0] = preferred;
    info->supported_read_segment_set = info->supported_write_segment_set;
}

/* If one of the array fails, those before it must not stay: Dxgkrnl will not ask for them again. */
static uint32_t create_allocation(void *miniport, struct dxgkarg_create_allocation *arg)
{
    const struct driver *driver = miniport;
    for (uint32_t i = 0; i < arg->count; i++) {
        struct dxgk_allocation_info *info = &arg->allocations[i];
        const struct dxgk_private_data *data = &info->private_data;
        struct allocation *allocation = malloc(sizeof *allocation);
        if (!allocation) {
            while (i > 0)
                free(arg->allocations[--i].driver_allocation);
            return STATUS_NO_MEMORY;
        }
        if (info->size == 0) /* else it is the caller's memory, which has its size */
            info->size = data->size;
        choose_segments(driver->adapter, info);
        info->flags = data->flags;
        info->allocation_priority = data->priority ? data->priority : DXGK_PRIORITY_NORMAL;
        allocation->size = info->size;
        info->driver_allocation = allocation;
    }
    return STATUS_SUCCESS;
}

static void destroy_allocation(void *miniport, const struct dxgkarg_destroy_allocation *arg)
{
    (void)miniport;
    for (uint32_t i = 0; i < arg->count; i++)
        free(arg->allocations[i]);
}

/* Page tables: resident whenever any context of the device is scheduled. The system's own devices
 * have no context allocations. */
static uint32_t create_device(void *miniport, struct dxgkarg_create_device *arg)
{
    const struct driver *driver = miniport;
    struct device *device = calloc(1, sizeof *device);
    if (!device)
        return STATUS_NO_MEMORY;
    arg->driver_device = device;
    if (arg->system)
        return STATUS_SUCCESS;
    uint8_t local = driver->adapter->usage_segment(driver->adapter, NULL);
    struct dxgkargcb_create_context_allocation tables = {
        .context_allocation_flags = DXGK_SHARED_ACROSS_CONTEXTS,
        .device = arg->device,
        .size = PAGE_TABLES,
        .supported_segment_set = set_of(local),
        .preferred_segment = {local},
        .name = "page tables",
    };
    uint32_t status = driver->dxgkrnl->create_context_allocation(driver->dxgkrnl->dxgkrnl, &tables);
    device->page_tables = tables.allocation;
    if (status != STATUS_SUCCESS)
        free(device);
    return status;
}

static void destroy_device(void *miniport, void *driver_device)
{
    const struct driver *driver = miniport;
    struct device *device = driver_device;
    if (device->page_tables)
        driver->dxgkrnl->destroy_context_allocation(driver->dxgkrnl->dxgkrnl, device->page_tables);
    free(device);
}

uint32_t driver_entry(struct dxgkddi *ddi)
{
    *ddi = (struct dxgkddi){.version = DXGK_DDI_VERSION,
                            .miniport = calloc(1, sizeof(struct driver)),
                            .start_device = start_device,
                            .remove_device = free,
                            .create_allocation = create_allocation,
                            .destroy_allocation = destroy_allocation,
                            .create_device = create_device,
                            .destroy_device = destroy_device};
    return ddi->miniport ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
