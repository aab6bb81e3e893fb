/* The state of the object layer as text: equal texts, equal states. A call that failed must leave
 * it as it was. */
#include "model/dxgkrnl/internal.h"

#include <inttypes.h>

static void dump_resource(const struct dxgk_resource *resource, FILE *out)
{
    const struct dxgk_shared_resource *shared = resource->shared;
    fprintf(out,
            "  resource %#" PRIx32 " shared %d nt %d sealed %d global %#" PRIx32 " views %" PRIu32
            " nt-handles %" PRIu32 " holds %" PRIu32 " data %" PRIu64 " %" PRIu64 " %" PRIu64
            " allocations %" PRIu32 "\n",
            resource->handle, shared->shared, shared->nt, shared->sealed, shared->global,
            shared->views, shared->nt_handles, shared->holds, shared->runtime_data_bytes,
            shared->private_data_bytes, shared->total_private_data_bytes, shared->count);
}

static void dump_view(const struct dxgk_allocation *view, FILE *out)
{
    fprintf(out,
            "  allocation %#" PRIx32 " of %#" PRIx32 " views %" PRIu32 " size %" PRIu64
            " segment %" PRIu32 "%s\n",
            view->handle, view->resource ? view->resource->handle : 0, view->global->views,
            vidmm_allocation_size(view->global->vidmm),
            vidmm_allocation_segment(view->global->vidmm), view->named ? " named" : "");
}

static void dump_context_allocations(const struct dxgk_context_allocation *list, FILE *out)
{
    for (; list; list = list->next)
        fprintf(out,
                "   context allocation %#" PRIx32 " size %" PRIu64 " segment %" PRIu32
                " initialised %d\n",
                list->handle, list->size, vidmm_allocation_segment(list->vidmm), list->initialised);
}

static void dump_device(const struct dxgk_device *device, FILE *out)
{
    fprintf(out, " device %#" PRIx32 " system %d error %d terminating %" PRIu32 "\n",
            device->handle, device->system, device->error, device->terminating);
    for (const struct dxgk_context *context = device->contexts; context; context = context->next) {
        fprintf(out, "  context %#" PRIx32 "\n", context->handle);
        dump_context_allocations(context->allocations, out);
    }
    dump_context_allocations(device->shared, out);
    for (const struct dxgk_resource *resource = device->resources; resource;
         resource = resource->next)
        dump_resource(resource, out);
    for (const struct dxgk_allocation *view = device->allocations; view; view = view->next)
        dump_view(view, out);
}

static void dump_adapter(const struct dxgadapter *adapter, FILE *out)
{
    fprintf(out,
            "adapter removed %d next global %#" PRIx32 " allocations %" PRIu64 " committed %" PRIu64
            "\n",
            adapter->removed, handle_next(&adapter->dxgkrnl->globals),
            vidmm_allocations(adapter->vidmm), vidmm_committed(adapter->vidmm));
    for (uint32_t id = 1; id <= adapter->profile->segment_count; id++) {
        struct probe_segment_state state;
        vidmm_segment_state(adapter->vidmm, id, &state);
        fprintf(out, "segment %" PRIu32 " allocated %" PRIu64 " marked %" PRIu64 "\n", id,
                state.allocated, state.marked);
    }
}

void dxgkrnl_dump(const struct dxgkrnl *dxgkrnl, FILE *out)
{
    for (const struct dxgadapter *adapter = dxgkrnl->adapters; adapter; adapter = adapter->next)
        dump_adapter(adapter, out);
    for (const struct dxgk_process *process = dxgkrnl->processes; process;
         process = process->next) {
        fprintf(out, "process %" PRIu32 " next handle %#" PRIx32 "\n", process->pid,
                handle_next(&process->handles));
        for (const struct dxgk_device *device = process->devices; device; device = device->next)
            dump_device(device, out);
    }
}
