/* Devices, contexts and allocations that are made and destroyed during the recording: records 27 to
 * 39. */
#include "traces/etl/import.h"

static const uint16_t create_calls[] = {2003, 0};
static const uint16_t destroy_calls[] = {2105, 2006, 0};

static void global_start(struct etl_import *import, const struct etl_event *event,
                         const struct etl_values *values, struct etl_thread *thread)
{
    struct etl_description *about = etl_description_of(import, values);
    if (about == NULL) {
        import->tally.undecodable++;
        return;
    }
    uint32_t pid = event->pid;
    struct etl_device *device = etl_device_of_handle(import, about->device, pid);
    struct etl_allocation *allocation =
        etl_make_allocation(import, etl_get(values, ETL_hVidMmGlobalAlloc));
    if (device == NULL || allocation == NULL)
        return;
    allocation->about = about;
    allocation->device = device;
    allocation->resource = about->shared_resource;
    allocation->shared = about->shared_resource != 0;
    allocation->made = allocation->used = allocation->recorded = true;
    etl_put(import, &import->globals, etl_get(values, ETL_hVidMmGlobalAlloc), 0, allocation);
    import->tally.allocations_created++;
    import->tally.bytes_created += about->size;

    size_t call = etl_enclosing(import, thread, create_calls);
    struct trace_event *create = thread->create;
    bool same_call = call != SIZE_MAX && call == thread->create_call && create != NULL &&
                     create->device.text == device->name.text;
    if (!same_call) {
        uint64_t t_ns = call != SIZE_MAX ? import->calls[call].start_ns : event->t_ns;
        create = etl_emit(import, TRACE_CREATE_ALLOCATION, event, t_ns, ORDER_RECORDED);
        if (create == NULL)
            return;
        create->device = device->name;
        create->given |= TRACE_GIVEN(TRACE_DEVICE);
        etl_take_duration(import, create, call);
        thread->create = create;
        thread->create_call = call;
    }
    etl_add_creation(import, create, allocation);
    etl_give_resource(import, create, allocation);
}

/* A device opens an allocation: its own new one, or one of a resource that another made. */
static void local_start(struct etl_import *import, const struct etl_event *event,
                        const struct etl_values *values, struct etl_thread *thread)
{
    struct etl_allocation *allocation =
        etl_allocation_of_global(import, etl_get(values, ETL_hVidMmGlobalAlloc));
    struct etl_device *device =
        etl_device_of_handle(import, etl_get(values, ETL_hDevice), event->pid);
    uint64_t shared = etl_get(values, ETL_hDxgSharedResource);
    uint64_t resource = shared != 0 ? shared : etl_get(values, ETL_hDxgResource);
    struct etl_opening *opening =
        etl_make_opening(import, etl_get(values, ETL_hVidMmAlloc), allocation, device, resource);
    if (device == NULL || opening == NULL)
        return;
    opening->told = true;
    struct trace_event *create = thread->create;
    if (allocation->made && allocation->device == device) {
        if (allocation->resource == 0 && resource != 0 && create != NULL &&
            create->resource.text == NULL) {
            allocation->resource = resource;
            allocation->shared = shared != 0;
            etl_give_resource(import, create, allocation);
        }
        return;
    }
    import->tally.opens++;
    if (resource == 0) {
        import->tally.opens_without_resource++;
        return;
    }
    etl_make_known(import, allocation, allocation->device != NULL ? allocation->device : device);
    etl_emit_opening(import, event, device, resource);
}

static void terminate(struct etl_import *import, const struct etl_event *event,
                      const struct etl_values *values, struct etl_thread *thread)
{
    struct etl_opening *opening =
        etl_opening_of(import, etl_get(values, ETL_hVidMmAlloc), event->pid);
    if (opening == NULL)
        return;
    import->tally.terminations++;
    opening->terminated_ns = event->t_ns;
    struct trace_name name = etl_use(import, opening, event->pid, false);
    struct etl_device *device = etl_device_of_opening(import, opening, event->pid);
    if (device == NULL)
        return;
    size_t call = etl_enclosing(import, thread, destroy_calls);
    import->tally.terminations_outside_calls += call == SIZE_MAX;
    /* What is part of a shared resource goes with the whole of it, never by itself. */
    struct trace_name resource = {0};
    if (opening->allocation->shared)
        resource = etl_resource_name(import, opening->allocation->resource);
    struct trace_event *destroy = thread->destroy;
    if (call == SIZE_MAX || call != thread->destroy_call || destroy == NULL ||
        destroy->device.text != device->name.text || destroy->resource.text != resource.text) {
        uint64_t t_ns = call != SIZE_MAX ? import->calls[call].start_ns : event->t_ns;
        destroy = etl_emit(import, TRACE_DESTROY_ALLOCATION, event, t_ns, ORDER_RECORDED);
        if (destroy == NULL)
            return;
        destroy->device = device->name;
        destroy->resource = resource;
        destroy->given |=
            TRACE_GIVEN(TRACE_DEVICE) |
            (resource.text != NULL ? TRACE_GIVEN(TRACE_RESOURCE) : TRACE_GIVEN(TRACE_ALLOCATIONS));
        etl_take_duration(import, destroy, call);
        thread->destroy = destroy;
        thread->destroy_call = call;
    }
    if (resource.text == NULL)
        etl_add_name(import, &destroy->allocations, name);
    opening->destroy = opening->allocation->destroy = destroy;
    opening->allocation->terminated_ns = event->t_ns;
}

static void local_stop(struct etl_import *import, const struct etl_event *event,
                       const struct etl_values *values)
{
    uint64_t local = etl_get(values, ETL_hVidMmAlloc);
    struct etl_opening *opening = etl_opening_of(import, local, event->pid);
    if (opening == NULL)
        return;
    if (opening->terminated_ns != NEVER)
        trace_samples_add(&import->facts, &import->closed_ns, event->t_ns - opening->terminated_ns);
    if (opening->destroy != NULL && opening->destroy->done_ns < event->t_ns)
        etl_give_done(opening->destroy, event->t_ns);
    etl_put(import, &import->locals, local, 0, NULL);
}

static void global_stop(struct etl_import *import, const struct etl_event *event,
                        const struct etl_values *values)
{
    uint64_t global = etl_get(values, ETL_hVidMmGlobalAlloc);
    import->tally.adapter_allocation_stops++;
    struct etl_allocation *allocation = etl_allocation_of_global(import, global);
    if (allocation == NULL)
        return;
    if (allocation->destroy != NULL) {
        trace_samples_add(&import->facts, &import->destroyed_ns,
                          event->t_ns - allocation->terminated_ns);
        if (allocation->destroy->done_ns < event->t_ns)
            etl_give_done(allocation->destroy, event->t_ns);
    }
    if (allocation->resource != 0)
        etl_put(import, &import->resources, allocation->resource, 0, NULL);
    etl_put(import, &import->globals, global, 0, NULL);
}

static void device_stop(struct etl_import *import, const struct etl_event *event,
                        const struct etl_values *values)
{
    uint64_t handle = etl_get(values, ETL_hDevice);
    struct etl_device *device = trace_map_get(&import->devices, handle, 0);
    struct trace_event *destroy =
        device != NULL ? etl_emit(import, TRACE_DESTROY_DEVICE, event, event->t_ns, ORDER_RECORDED)
                       : NULL;
    if (destroy == NULL)
        return;
    destroy->pid = device->pid;
    destroy->device = device->name;
    destroy->given |= TRACE_GIVEN(TRACE_DEVICE);
    etl_put(import, &import->devices, handle, 0, NULL);
}

static void context_stop(struct etl_import *import, const struct etl_event *event,
                         const struct etl_values *values)
{
    uint64_t handle = etl_get(values, ETL_hContext);
    struct etl_context *context = trace_map_get(&import->contexts, handle, 0);
    struct trace_event *destroy = context != NULL ? etl_emit(import, TRACE_DESTROY_CONTEXT, event,
                                                             event->t_ns, ORDER_RECORDED)
                                                  : NULL;
    if (destroy == NULL)
        return;
    destroy->pid = context->device->pid;
    destroy->context = context->name;
    destroy->device = context->device->name;
    destroy->node.number = context->node;
    destroy->given |=
        TRACE_GIVEN(TRACE_CONTEXT) | TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_NODE);
    etl_put(import, &import->contexts, handle, 0, NULL);
}

void etl_map_object(struct etl_import *import, const struct etl_event *event,
                    const struct etl_values *values, struct etl_thread *thread)
{
    uint64_t handle;
    struct etl_device *device;
    switch (event->id) {
    case ID_DEVICE_START:
        handle = etl_get(values, ETL_hDevice);
        device = etl_make_device(import, (uint32_t)etl_get(values, ETL_hProcessId),
                                 etl_name(import, KIND_DEVICE, handle), event);
        etl_put(import, &import->devices, handle, 0, device);
        break;
    case ID_DEVICE_STOP:
        device_stop(import, event, values);
        break;
    case ID_CONTEXT_START:
        device = etl_device_of_handle(import, etl_get(values, ETL_hDevice), event->pid);
        (void)etl_make_context(import, etl_get(values, ETL_hContext), device,
                               (uint32_t)etl_get(values, ETL_NodeOrdinal),
                               (etl_get(values, ETL_Flags) & 3) != 0, event);
        break;
    case ID_CONTEXT_STOP:
        context_stop(import, event, values);
        break;
    case ID_GLOBAL_START:
        global_start(import, event, values, thread);
        break;
    case ID_GLOBAL_STOP:
        global_stop(import, event, values);
        break;
    case ID_LOCAL_START:
        local_start(import, event, values, thread);
        break;
    case ID_LOCAL_STOP:
        local_stop(import, event, values);
        break;
    case ID_TERMINATE:
        terminate(import, event, values, thread);
        break;
    default:
        break;
    }
}
