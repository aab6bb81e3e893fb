/* Allocations as the recording describes them (33 to 35), and the events that make them known. */
#include "traces/etl/import.h"

struct etl_description *etl_description_of(struct etl_import *import,
                                           const struct etl_values *values)
{
    struct etl_description *about = etl_take(import, 1, sizeof *about);
    if (about == NULL)
        return NULL;
    *about = (struct etl_description){
        .size = etl_get(values, ETL_allocSize),
        .alignment = etl_get(values, ETL_ulAlignment),
        .device = etl_get(values, ETL_hDevice),
        .shared_resource = etl_get(values, ETL_hDxgSharedResource),
        .kmd_flags = etl_get(values, ETL_Flags),
        .priority = (int64_t)etl_get(values, ETL_Priority),
        .pid = (uint32_t)etl_get(values, ETL_hProcessId),
        .write_segments = (uint32_t)etl_get(values, ETL_dwWriteSegment),
        .read_segments = (uint32_t)etl_get(values, ETL_dwReadSegment),
        .eviction_segments = (uint32_t)etl_get(values, ETL_dwEvictionSegment),
        .preferred = (uint32_t)etl_get(values, ETL_PreferredSegment),
    };
    return about->size > 0 && about->size <= INT64_MAX ? about : NULL;
}

/* Bits of the flags that are the driver's (DXGK_ALLOCATIONINFOFLAGS); those above are the
 * operating system's own. Since WDDM 2.0, Windows 10, three of them mean something else; the
 * vocabulary has the newer names 32 bits higher. */
static uint64_t kmd_flags(const struct etl_import *import, uint64_t flags)
{
    static const uint64_t KMD_FLAGS = 0x7ffff;
    static const uint64_t RENAMED = 0x80 | 0x400 | 0x2000;
    enum { WINDOWS_10 = 10240 };
    flags &= KMD_FLAGS;
    if (import->build < WINDOWS_10)
        return flags;
    return (flags & ~RENAMED) | (flags & RENAMED) << 32;
}

static void describe(struct etl_import *import, struct trace_allocation *element,
                     const struct etl_allocation *allocation)
{
    const struct etl_description *about = allocation->about;
    element->allocation = allocation->name;
    element->size = about->size;
    element->alignment = about->alignment;
    element->segments = etl_segments_of_bits(import, about->write_segments);
    element->read_segments = etl_segments_of_bits(import, about->read_segments);
    element->preferred = etl_preferred_segments(import, about->preferred);
    element->eviction_segments = etl_segments_of_bits(import, about->eviction_segments);
    element->kmd_flags = kmd_flags(import, about->kmd_flags);
    element->priority = about->priority;
    const struct {
        bool given;
        enum trace_field field;
    } fields[] = {
        {true, TRACE_ALLOCATION},
        {true, TRACE_SIZE},
        {element->alignment != 0, TRACE_ALIGNMENT},
        {element->segments.count != 0, TRACE_SEGMENTS},
        {element->read_segments.count != 0, TRACE_READ_SEGMENTS},
        {element->preferred.count != 0, TRACE_PREFERRED},
        {element->eviction_segments.count != 0, TRACE_EVICTION_SEGMENTS},
        {element->kmd_flags != 0, TRACE_KMD_FLAGS},
        {element->priority != 0, TRACE_PRIORITY},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (fields[i].given)
            element->given |= TRACE_GIVEN(fields[i].field);
}

void etl_add_creation(struct etl_import *import, struct trace_event *event,
                      const struct etl_allocation *allocation)
{
    struct trace_allocations *list = &event->creations;
    struct trace_allocation *items = (struct trace_allocation *)(uintptr_t)list->items;
    if ((list->count & (list->count - 1)) == 0) {
        /* full at every power of two */
        items = etl_take(import, list->count == 0 ? 1 : 2 * (size_t)list->count, sizeof *items);
        if (items == NULL)
            return;
        for (uint32_t i = 0; i < list->count; i++)
            items[i] = list->items[i];
        list->items = items;
    }
    describe(import, &items[list->count++], allocation);
    event->given |= TRACE_GIVEN(TRACE_CREATIONS);
}

void etl_give_resource(struct etl_import *import, struct trace_event *event,
                       const struct etl_allocation *allocation)
{
    enum { CREATE_RESOURCE = 1, CREATE_SHARED = 2 };
    if (allocation->resource == 0)
        return;
    event->resource = etl_resource_name(import, allocation->resource);
    event->flags = CREATE_RESOURCE | (allocation->shared ? CREATE_SHARED : 0);
    event->given |= TRACE_GIVEN(TRACE_RESOURCE) | TRACE_GIVEN(TRACE_FLAGS);
}

/* Creates at t 0 what was described by its destruction or by a rundown. */
void etl_make_known(struct etl_import *import, struct etl_allocation *allocation,
                    struct etl_device *device)
{
    if (allocation->made || allocation->about == NULL || device == NULL)
        return;
    struct trace_event *event =
        etl_emit(import, TRACE_CREATE_ALLOCATION, NULL, 0, ORDER_ALLOCATION);
    if (event == NULL)
        return;
    allocation->made = true;
    allocation->device = device;
    event->pid = device->pid;
    event->device = device->name;
    event->given |= TRACE_GIVEN(TRACE_DEVICE);
    etl_add_creation(import, event, allocation);
    etl_give_resource(import, event, allocation);
    import->tally.allocations_assumed++;
}

void etl_emit_opening(struct etl_import *import, const struct etl_event *from,
                      const struct etl_device *device, uint64_t resource)
{
    struct trace_event *open =
        etl_emit(import, TRACE_OPEN_RESOURCE, from, from != NULL ? from->t_ns : 0,
                 from != NULL ? ORDER_RECORDED : ORDER_OPENING);
    if (open == NULL)
        return;
    open->pid = device->pid;
    open->device = device->name;
    open->resource = etl_resource_name(import, resource);
    open->given |= TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_RESOURCE);
}

struct trace_name etl_use(struct etl_import *import, struct etl_opening *opening, uint32_t pid,
                          bool make_resident)
{
    struct etl_allocation *allocation = opening->allocation;
    if (!allocation->used) {
        allocation->used = true;
        allocation->made_resident_first = make_resident;
        etl_make_known(import, allocation, etl_device_of_opening(import, opening, pid));
        import->tally.allocations_unknown += !allocation->made;
    }
    if (!opening->told && allocation->made && opening->device != NULL &&
        opening->device != allocation->device && opening->resource != 0)
        etl_emit_opening(import, NULL, opening->device, opening->resource);
    opening->told = true;
    return allocation->name;
}
