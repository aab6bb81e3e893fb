/* Which object a handle means.
 *
 * Handles are addresses, used again after destruction, and a recording starts in mid-life: most
 * objects it names were never created in it. So one pass first notes for every handle whether the
 * recording saw its first object being made; if not, what its stop or rundown event tells about it
 * holds from t 0 on. In the second pass the maps of living objects follow the records.
 *
 * An allocation has one handle of its own (global) and one more for every device that opened it
 * (local). Most events carry local ones, paging operations global ones, and DeviceAllocation
 * events (36 to 38) both: they are the bridge. Our traces have one name space: the global handle
 * where a bridge is recorded, else the local one. */
#include "traces/etl/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What the first event of a handle told. */
struct first {
    const struct etl_event *event;
    uint64_t handle;
    uint64_t device, shared, resource, global; /* handles, 0: not told */
    struct etl_description *about;             /* of a global handle */
    uint32_t pid, node;
    uint32_t resident_in;
    bool before; /* it was there before the recording */
    bool rundown;
    bool system;
    bool spent; /* its object was made */
};

static struct first several; /* a process with more than one device */

static const char *text_of_handle(struct etl_import *import, uint64_t handle, uint64_t generation)
{
    enum { ROOM = 48 };
    char text[ROOM];
    int length = generation <= 1
                     ? snprintf(text, ROOM, "0x%" PRIx64, handle)
                     : snprintf(text, ROOM, "0x%" PRIx64 "#%" PRIu64, handle, generation);
    char *copy = etl_take(import, (size_t)length + 1, 1);
    return copy != NULL ? strcpy(copy, text) : "";
}

struct trace_name etl_name(struct etl_import *import, enum etl_kind kind, uint64_t handle)
{
    uint64_t generation =
        (uint64_t)(uintptr_t)trace_map_get(&import->generations, handle, (uint64_t)kind) + 1;
    etl_put(import, &import->generations, handle, (uint64_t)kind, (void *)(uintptr_t)generation);
    return (struct trace_name){.text = text_of_handle(import, handle, generation)};
}

struct trace_name etl_resource_name(struct etl_import *import, uint64_t handle)
{
    struct trace_name *name = trace_map_get(&import->resources, handle, 0);
    if (name == NULL) {
        name = etl_take(import, 1, sizeof *name);
        if (name == NULL)
            return (struct trace_name){.text = ""};
        *name = etl_name(import, KIND_RESOURCE, handle);
        etl_put(import, &import->resources, handle, 0, name);
    }
    return *name;
}

/* The first pass */

static struct first *first_of(struct etl_import *import, struct trace_map *map, uint64_t handle,
                              const struct etl_event *event)
{
    struct first *first = handle != 0 ? trace_map_get(map, handle, 0) : NULL;
    if (first != NULL || handle == 0)
        return first;
    first = etl_take(import, 1, sizeof *first);
    if (first == NULL)
        return NULL;
    first->event = event;
    first->handle = handle;
    first->before = true;
    etl_put(import, map, handle, 0, first);
    return first;
}

static void learn_device(struct etl_import *import, const struct etl_event *event, uint64_t handle,
                         uint64_t pid)
{
    struct first *device = first_of(import, &import->first_device, handle, event);
    if (device == NULL)
        return;
    if (device->event == event && event->id == ID_DEVICE_START)
        device->before = false;
    device->rundown = device->rundown || event->id == ID_DEVICE_RUNDOWN;
    /* Worker threads of the system close the devices of others. */
    if (device->pid != 0 || pid == 0 || pid == SYSTEM_PID || pid >= UINT32_MAX || !device->before)
        return;
    device->pid = (uint32_t)pid;
    struct first *known = trace_map_get(&import->process_device, pid, 0);
    etl_put(import, &import->process_device, pid, 0, known == NULL ? device : &several);
}

static void learn_context(struct etl_import *import, const struct etl_event *event,
                          const struct etl_values *values)
{
    uint64_t handle = etl_get(values, ETL_hContext);
    uint32_t number = (uint32_t)etl_get(values, ETL_NodeOrdinal);
    if (handle == 0)
        return;
    if (trace_map_get(&import->context_node, handle, 0) == NULL && etl_has(values, ETL_NodeOrdinal))
        etl_put(import, &import->context_node, handle, 0, (void *)((uintptr_t)number + 1));
    if (event->id == ID_SELECT_CONTEXT)
        return;
    struct first *context = first_of(import, &import->first_context, handle, event);
    if (context == NULL || context->event != event)
        return;
    context->before = event->id != ID_CONTEXT_START;
    context->device = etl_get(values, ETL_hDevice);
    context->node = number;
    context->system = (etl_get(values, ETL_Flags) & 3) != 0; /* system, paging */
}

static void learn_global(struct etl_import *import, const struct etl_event *event,
                         const struct etl_values *values)
{
    struct first *global =
        first_of(import, &import->first_global, etl_get(values, ETL_hVidMmGlobalAlloc), event);
    if (global == NULL)
        return;
    if (global->event == event && event->id == ID_GLOBAL_START)
        global->before = false;
    if (!global->before || global->about != NULL)
        return;
    if (event->id == ID_GLOBAL_START)
        return; /* a later object of the same handle */
    global->rundown = event->id == ID_GLOBAL_RUNDOWN;
    global->about = etl_description_of(import, values);
    if (global->device == 0)
        global->device = etl_get(values, ETL_hDevice);
}

static void learn_local(struct etl_import *import, const struct etl_event *event,
                        const struct etl_values *values)
{
    uint64_t handle = etl_get(values, ETL_hVidMmGlobalAlloc);
    uint64_t shared = etl_get(values, ETL_hDxgSharedResource);
    struct first *local =
        first_of(import, &import->first_local, etl_get(values, ETL_hVidMmAlloc), event);
    if (local == NULL || local->event != event)
        return;
    local->before = event->id != ID_LOCAL_START;
    local->device = etl_get(values, ETL_hDevice);
    local->resource = shared != 0 ? shared : etl_get(values, ETL_hDxgResource);
    local->global = handle;
    local->rundown = event->id == ID_LOCAL_RUNDOWN;
    if (!local->before)
        return;
    struct first *global = first_of(import, &import->first_global, handle, event);
    if (global == NULL || !global->before)
        return;
    if (global->device == 0)
        global->device = local->device;
    if (global->resource == 0) {
        global->resource = local->resource;
        global->shared = shared;
    }
}

void etl_learn_objects(struct etl_import *import)
{
    struct etl_values values;
    for (size_t i = 0; i < import->records.count && !import->failed; i++) {
        const struct etl_event *event = &import->records.items[i];
        if (event->id == ID_CALL || event->id == ID_RETURN || !etl_decode_event(event, &values))
            continue;
        switch (event->id) {
        case ID_SELECT_CONTEXT:
        case ID_CONTEXT_START:
        case ID_CONTEXT_STOP:
        case ID_CONTEXT_RUNDOWN:
            learn_context(import, event, &values);
            break;
        case ID_DEVICE_START:
        case ID_DEVICE_STOP:
        case ID_DEVICE_RUNDOWN:
            learn_device(import, event, etl_get(&values, ETL_hDevice),
                         etl_get(&values, ETL_hProcessId));
            break;
        case ID_GLOBAL_START:
        case ID_GLOBAL_STOP:
        case ID_GLOBAL_RUNDOWN:
            learn_device(import, event, etl_get(&values, ETL_hDevice),
                         etl_get(&values, ETL_hProcessId));
            learn_global(import, event, &values);
            break;
        case ID_LOCAL_START:
        case ID_LOCAL_STOP:
        case ID_LOCAL_RUNDOWN:
            learn_device(import, event, etl_get(&values, ETL_hDevice),
                         etl_get(&values, ETL_hProcessId));
            learn_local(import, event, &values);
            break;
        case ID_PAGING_START:
            learn_device(import, event, etl_get(&values, ETL_DxgDevice), event->pid);
            break;
        case ID_LOCK_OLD:
        case ID_UNLOCK_OLD:
        case ID_CPU_WAIT:
            learn_device(import, event, etl_get(&values, ETL_hDevice), event->pid);
            break;
        case ID_COMMITTED_RUNDOWN: {
            struct first *global = first_of(import, &import->first_global,
                                            etl_get(&values, ETL_hGlobalAllocationHandle), event);
            if (global != NULL && global->before && global->resident_in == 0)
                global->resident_in = (uint32_t)etl_get(&values, ETL_ulSegmentId);
            break;
        }
        default:
            break;
        }
    }
}

/* The second pass: who is alive */

struct etl_device *etl_make_device(struct etl_import *import, uint32_t pid, struct trace_name name,
                                   const struct etl_event *from)
{
    struct etl_device *device = etl_take(import, 1, sizeof *device);
    struct trace_event *event =
        etl_emit(import, TRACE_CREATE_DEVICE, from, from != NULL ? from->t_ns : 0,
                 from != NULL ? ORDER_RECORDED : ORDER_DEVICE);
    if (device == NULL || event == NULL)
        return NULL;
    *device = (struct etl_device){.name = name, .pid = pid};
    event->pid = pid;
    event->device = name;
    event->given |= TRACE_GIVEN(TRACE_DEVICE);
    if (pid == SYSTEM_PID) {
        event->system = true;
        event->given |= TRACE_GIVEN(TRACE_SYSTEM);
    }
    import->tally.devices_assumed += from == NULL;
    return device;
}

/* The only device of the process, or one made up for it. */
static struct etl_device *device_of_process(struct etl_import *import, uint32_t pid);

struct etl_device *etl_device_of_handle(struct etl_import *import, uint64_t handle, uint32_t pid)
{
    if (handle == 0)
        return device_of_process(import, pid);
    struct etl_device *device = trace_map_get(&import->devices, handle, 0);
    if (device != NULL)
        return device;
    struct first *first = trace_map_get(&import->first_device, handle, 0);
    if (first != NULL && first->before && !first->spent) {
        first->spent = true;
        pid = first->pid != 0 ? first->pid : pid;
    }
    device = etl_make_device(import, pid, etl_name(import, KIND_DEVICE, handle), NULL);
    etl_put(import, &import->devices, handle, 0, device);
    return device;
}

static struct etl_device *device_of_process(struct etl_import *import, uint32_t pid)
{
    struct first *only = trace_map_get(&import->process_device, pid, 0);
    if (only != NULL && only != &several)
        return etl_device_of_handle(import, only->handle, pid);
    struct etl_device *device = trace_map_get(&import->made_up_devices, pid, 0);
    if (device != NULL)
        return device;
    enum { ROOM = 24 };
    char *text = etl_take(import, ROOM, 1);
    if (text == NULL)
        return NULL;
    snprintf(text, ROOM, "pid %" PRIu32, pid);
    device = etl_make_device(import, pid, (struct trace_name){.text = text}, NULL);
    etl_put(import, &import->made_up_devices, pid, 0, device);
    return device;
}

struct etl_context *etl_make_context(struct etl_import *import, uint64_t handle,
                                     struct etl_device *device, uint32_t node, bool system,
                                     const struct etl_event *from)
{
    struct etl_context *context = etl_take(import, 1, sizeof *context);
    struct trace_event *event =
        etl_emit(import, TRACE_CREATE_CONTEXT, from, from != NULL ? from->t_ns : 0,
                 from != NULL ? ORDER_RECORDED : ORDER_CONTEXT);
    if (context == NULL || event == NULL || device == NULL)
        return NULL;
    *context = (struct etl_context){.name = etl_name(import, KIND_CONTEXT, handle),
                                    .device = device,
                                    .node = node,
                                    .system = system};
    event->pid = device->pid;
    event->context = context->name;
    event->device = device->name;
    event->node.number = node;
    event->given |=
        TRACE_GIVEN(TRACE_CONTEXT) | TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_NODE);
    if (system) {
        event->system = true;
        event->given |= TRACE_GIVEN(TRACE_SYSTEM);
    }
    etl_give_priority(import, handle, context, event);
    import->tally.contexts_assumed += from == NULL;
    etl_put(import, &import->contexts, handle, 0, context);
    return context;
}

struct etl_context *etl_context_of(struct etl_import *import, uint64_t handle,
                                   const struct etl_event *from)
{
    struct etl_context *context = trace_map_get(&import->contexts, handle, 0);
    if (context != NULL)
        return context;
    struct first *first = trace_map_get(&import->first_context, handle, 0);
    struct etl_device *device = NULL;
    uintptr_t node = (uintptr_t)trace_map_get(&import->context_node, handle, 0);
    bool system = from->pid == SYSTEM_PID;
    if (first != NULL && first->before && !first->spent) {
        first->spent = true;
        node = (uintptr_t)first->node + 1;
        system = system || first->system;
        device = etl_device_of_handle(import, first->device, from->pid);
    } else {
        device = device_of_process(import, from->pid);
    }
    import->tally.contexts_without_node += node == 0;
    return etl_make_context(import, handle, device, node == 0 ? 0 : (uint32_t)(node - 1), system,
                            NULL);
}

struct etl_allocation *etl_make_allocation(struct etl_import *import, uint64_t handle)
{
    struct etl_allocation *allocation = etl_take(import, 1, sizeof *allocation);
    struct etl_allocation **grown =
        etl_grow(import, import->allocations, import->allocation_count,
                 &import->allocation_capacity, sizeof(struct etl_allocation *));
    if (grown != NULL)
        import->allocations = grown;
    if (allocation == NULL || grown == NULL)
        return NULL;
    allocation->name = etl_name(import, KIND_ALLOCATION, handle);
    import->allocations[import->allocation_count++] = allocation;
    return allocation;
}

struct etl_allocation *etl_allocation_of_global(struct etl_import *import, uint64_t global)
{
    struct etl_allocation *allocation = trace_map_get(&import->globals, global, 0);
    if (allocation != NULL)
        return allocation;
    allocation = etl_make_allocation(import, global);
    if (allocation == NULL)
        return NULL;
    struct first *first = trace_map_get(&import->first_global, global, 0);
    if (first != NULL && first->before && !first->spent) {
        first->spent = true;
        allocation->about = first->about;
        allocation->resource = first->resource;
        allocation->shared = first->shared != 0;
        allocation->resident_in = first->resident_in;
        if (first->device != 0)
            allocation->device = etl_device_of_handle(import, first->device, 0);
    }
    etl_put(import, &import->globals, global, 0, allocation);
    return allocation;
}

struct etl_opening *etl_make_opening(struct etl_import *import, uint64_t local,
                                     struct etl_allocation *allocation, struct etl_device *device,
                                     uint64_t resource)
{
    struct etl_opening *opening = etl_take(import, 1, sizeof *opening);
    if (opening == NULL || allocation == NULL)
        return NULL;
    *opening = (struct etl_opening){
        .allocation = allocation, .device = device, .resource = resource, .terminated_ns = NEVER};
    etl_put(import, &import->locals, local, 0, opening);
    return opening;
}

struct etl_opening *etl_opening_of(struct etl_import *import, uint64_t local, uint32_t pid)
{
    struct etl_opening *opening = trace_map_get(&import->locals, local, 0);
    if (opening != NULL)
        return opening;
    struct first *first = trace_map_get(&import->first_local, local, 0);
    if (first != NULL && first->before && !first->spent && first->global != 0) {
        first->spent = true;
        struct etl_device *device =
            first->device != 0 ? etl_device_of_handle(import, first->device, pid) : NULL;
        return etl_make_opening(import, local, etl_allocation_of_global(import, first->global),
                                device, first->resource);
    }
    return etl_make_opening(import, local, etl_make_allocation(import, local), NULL, 0);
}

struct etl_device *etl_device_of_opening(struct etl_import *import,
                                         const struct etl_opening *opening, uint32_t pid)
{
    if (opening->device != NULL)
        return opening->device;
    if (opening->allocation->device != NULL)
        return opening->allocation->device;
    return device_of_process(import, pid);
}

void etl_map_rundown(struct etl_import *import)
{
    struct etl_values values;
    for (size_t i = 0; i < import->records.count && !import->failed; i++) {
        const struct etl_event *event = &import->records.items[i];
        if (event->id != ID_GLOBAL_RUNDOWN || !etl_decode_event(event, &values))
            continue;
        uint64_t handle = etl_get(&values, ETL_hVidMmGlobalAlloc);
        struct first *first = trace_map_get(&import->first_global, handle, 0);
        if (first == NULL || !first->before || first->spent)
            continue;
        struct etl_allocation *allocation = etl_allocation_of_global(import, handle);
        if (allocation == NULL || allocation->about == NULL)
            continue;
        struct etl_device *device = allocation->device;
        if (device == NULL)
            device = device_of_process(import, allocation->about->pid);
        etl_make_known(import, allocation, device);
        allocation->used = true;
        struct trace_event *resident =
            allocation->resident_in != 0 && device != NULL
                ? etl_emit(import, TRACE_MAKE_RESIDENT, NULL, 0, ORDER_RESIDENCY)
                : NULL;
        if (resident == NULL)
            continue;
        resident->pid = device->pid;
        resident->device = device->name;
        etl_add_name(import, &resident->allocations, allocation->name);
        resident->given |= TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_ALLOCATIONS);
    }
}
