/* GPU virtual addresses: what VidMm's worker maps for a process, and unmaps when it closes an
 * allocation (wddm.md §3.2). */
#include "model/vidmm/internal.h"

static void start(struct vidmm_allocation *allocation, enum vidmm_request_kind kind,
                  const char *cause, struct vidmm_request *request)
{
    request->kind = kind;
    request->items = &request->one;
    request->one = allocation;
    request->count = 1;
    request->cause = cause;
    vidmm_request_start(allocation->vidmm, request);
}

void vidmm_map(struct vidmm_allocation *allocation, struct vidmm_request *request)
{
    allocation->mapped = true;
    start(allocation, VIDMM_MAP, "map", request);
}

void vidmm_update(struct vidmm_allocation *allocation, struct vidmm_request *request)
{
    start(allocation, VIDMM_UPDATE, "update", request);
}

/* With its blocks, if it has some. */
static uint32_t parts_of(struct vidmm_allocation *const *items, uint32_t count)
{
    uint32_t parts = 0;
    for (uint32_t i = 0; i < count; i++)
        parts += 1 + items[i]->block_count;
    return parts;
}

static void add(struct vidmm_request *request, struct vidmm_allocation *allocation, uint32_t most)
{
    if (!allocation->mapped && !(allocation->dying && allocation->segment))
        return;
    if (request->count == 1)
        request->items = memory_new(most, sizeof *request->items);
    request->items[request->count++] = allocation;
    if (request->count == 2)
        request->items[0] = request->one;
}

bool vidmm_terminate(struct vidmm_device *device, struct vidmm_allocation *const *items,
                     const bool *last, uint32_t count, struct vidmm_request *request)
{
    uint32_t most = parts_of(items, count);
    request->kind = VIDMM_UNMAP;
    request->items = &request->one;
    request->count = 0;
    request->cause = "destroy";
    for (uint32_t i = 0; i < count; i++) {
        vidmm_device_close(device, items[i]);
        items[i]->dying |= last[i];
        add(request, items[i], most);
        for (uint32_t k = 0; k < items[i]->block_count; k++) {
            items[i]->blocks[k]->dying |= last[i];
            add(request, items[i]->blocks[k], most);
        }
    }
    if (request->count)
        vidmm_request_start(device->vidmm, request);
    return request->count > 0;
}
