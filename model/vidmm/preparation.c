/* Packets and their memory: what a packet needs is resident and stays while it is in the hardware
 * queue, and so do the allocations of the context that is loaded. */
#include "model/vidmm/internal.h"

#include <stdlib.h>
#include <utlist.h>

/* A packet waits for its memory. */
struct preparation {
    struct vidmm_request request;
    struct vidsch_packet *packet;
};

static void hold(struct vidmm *vidmm, struct vidsch_packet *packet)
{
    if (vidmm->held_count == vidmm->held_room) {
        vidmm->held_room = vidmm->held_room ? 2 * vidmm->held_room : 16;
        vidmm->held = memory_resize(vidmm->held, vidmm->held_room, sizeof(struct vidsch_packet *));
    }
    vidmm->held[vidmm->held_count++] = packet;
    blame_wait(&packet->blame, vidmm->probe, PROBE_RESERVE, vidmm_pager(vidmm),
               sim_now(vidmm->sim));
}

/* What was destroyed meanwhile (AssumeNotInUse) does not come in any more; what is demand-paged
 * not before it is touched. */
static bool all_resident(struct vidmm_allocation *const *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (items[i]->state != VIDMM_RESIDENT && !items[i]->dying && !items[i]->blocks)
            return false;
    return true;
}

static void pin(struct vidmm_allocation *const *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        items[i]->pins++;
        vidmm_remark(items[i]);
    }
}

static void unpin(struct vidmm_allocation *const *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        items[i]->pins--;
        vidmm_remark(items[i]);
    }
}

/* All that the packet needs is there; it is pinned until the packet is complete. */
static bool pin_all(struct vidmm *vidmm, struct vidsch_packet *packet)
{
    struct vidmm_device *device = vidsch_context_owner(packet->context);
    const struct vidmm_context_memory *context = vidsch_context_memory(packet->context);
    if (!packet->without_memory &&
        (device->missing_count || (context && !all_resident(context->items, context->count)) ||
         !all_resident(packet->references, packet->reference_count)))
        return false;
    pin(packet->references, packet->reference_count);
    for (uint32_t i = 0; i < packet->reference_count; i++) {
        vidmm_may_be_written(packet->references[i]);
        if (packet->next_uses)
            vidmm_foresee(packet->references[i], packet->next_uses[i]);
        vidmm_standing_use(packet->references[i]);
    }
    if (context)
        pin(context->items, context->count);
    device->running += !packet->without_memory; /* else nobody promised that its list is there */
    vidmm->running++;
    return true;
}

/* What came in is pinned at once: nobody takes it away again before the packet's turn comes. */
static void preparation_done(void *owner, struct vidmm_request *request)
{
    struct preparation *preparation = owner;
    struct vidsch_packet *packet = preparation->packet;
    struct vidmm_device *device = request->device;
    struct vidmm *vidmm = device->vidmm;
    device->turn_ends_ns = sim_now(vidmm->sim) + vidmm->profile->vidmm.device_quantum_ns;
    if (request->status != STATUS_SUCCESS)
        packet->without_memory = true;
    free(preparation);
    if (pin_all(vidmm, packet))
        vidsch_prepared(packet);
    else
        vidsch_prepare_again(packet);
}

static void start_preparation(struct vidmm *vidmm, struct vidmm_device *device,
                              struct vidsch_packet *packet)
{
    const struct vidmm_context_memory *context = vidsch_context_memory(packet->context);
    uint32_t context_count = context ? context->count : 0;
    struct preparation *preparation = memory_new(1, sizeof *preparation);
    struct vidmm_request *request = &preparation->request;
    uint32_t most = packet->reference_count + device->missing_count + context_count;
    preparation->packet = packet;
    *request = (struct vidmm_request){.kind = VIDMM_PAGE_IN,
                                      .device = device,
                                      .whole_device = true,
                                      .in_place = packet->places_sought,
                                      .items = memory_new(most, sizeof *request->items),
                                      .cause = "submission",
                                      .blame = &packet->blame,
                                      .done = preparation_done,
                                      .owner = preparation};
    for (uint32_t i = 0; i < context_count; i++)
        request->items[request->count++] = context->items[i];
    /* All references, the resident ones too: they must not leave while the others come. */
    for (uint32_t i = 0; i < packet->reference_count; i++)
        if (!packet->references[i]->blocks)
            request->items[request->count++] = packet->references[i];
    struct vidmm_residency *residency;
    DL_FOREACH2 (device->missing, residency, missing_next)
        request->items[request->count++] = residency->allocation;
    packet->places_sought = true;
    vidmm_request_start(vidmm, request);
}

/* Looked for once for each packet: what moves is missing meanwhile to the device's other packets,
 * which have to be prepared again, and would never be done if that moved something again. */
static bool has_better_places(const struct vidmm *vidmm, const struct vidsch_packet *packet)
{
    if (!vidmm->profile->vidmm.eviction_throttle || packet->places_sought)
        return false;
    for (uint32_t i = 0; i < packet->reference_count; i++)
        if (vidmm_may_be_promoted(packet->references[i], 0))
            return true;
    return false;
}

bool vidmm_prepare(void *self, struct vidsch_packet *packet)
{
    struct vidmm *vidmm = self;
    struct vidmm_device *device = vidsch_context_owner(packet->context);
    /* A device whose turn is over must not go on while someone waits for room, or it would never
     * let go of what is waited for. But who was queued before that one goes first. */
    if (!packet->without_memory && vidmm->blocked &&
        packet->queued_ns > vidmm->worker.request->queued_ns &&
        device->turn_ends_ns <= sim_now(vidmm->sim)) {
        hold(vidmm, packet);
        return false;
    }
    if (!has_better_places(vidmm, packet) && pin_all(vidmm, packet))
        return true;
    start_preparation(vidmm, device, packet);
    return false;
}

void vidmm_release(void *self, struct vidsch_packet *packet)
{
    struct vidmm *vidmm = self;
    struct vidmm_device *device = vidsch_context_owner(packet->context);
    struct vidmm_context_memory *context = vidsch_context_memory(packet->context);
    unpin(packet->references, packet->reference_count);
    if (context) {
        /* Lazily: the state stays on the engine, so its place in memory must stay, too. */
        if (!context->loaded && vidsch_context_loaded(packet->context)) {
            context->loaded = true;
            pin(context->items, context->count);
        }
        unpin(context->items, context->count);
    }
    device->running -= !packet->without_memory;
    vidmm->running--;
    vidmm_kick(vidmm, blame_thing(&packet->blame));
}

void vidmm_unload(void *self, struct vidsch_context *vidsch_context)
{
    struct vidmm_context_memory *context = vidsch_context_memory(vidsch_context);
    if (context && context->loaded) {
        context->loaded = false;
        unpin(context->items, context->count);
    }
    vidmm_kick(self, probe_thing(PROBE_NOTHING, 0));
}

/* Packets under way pinned the list as it was: what joins them is pinned as often. */
void vidmm_context_add(struct vidsch_context *vidsch_context, struct vidmm_allocation *allocation)
{
    struct vidmm_context_memory *context = vidsch_context_memory(vidsch_context);
    if (!context) {
        context = memory_new(1, sizeof *context);
        DL_APPEND(allocation->vidmm->contexts, context);
        vidsch_context_set_memory(vidsch_context, context);
    }
    context->items = memory_resize(context->items, context->count + 1, sizeof *context->items);
    context->items[context->count++] = allocation;
    allocation->pins += vidsch_context_in_flight(vidsch_context) + context->loaded;
    vidmm_remark(allocation);
}

void vidmm_context_remove(struct vidsch_context *vidsch_context,
                          struct vidmm_allocation *allocation)
{
    struct vidmm_context_memory *context = vidsch_context_memory(vidsch_context);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < context->count; i++)
        if (context->items[i] != allocation)
            context->items[kept++] = context->items[i];
    context->count = kept;
    allocation->pins -= vidsch_context_in_flight(vidsch_context) + context->loaded;
    vidmm_remark(allocation);
    if (kept == 0) {
        vidsch_context_set_memory(vidsch_context, NULL);
        vidmm_context_memory_free(allocation->vidmm, context);
    }
}

void vidmm_context_memory_free(struct vidmm *vidmm, struct vidmm_context_memory *context)
{
    DL_DELETE(vidmm->contexts, context);
    free(context->items);
    free(context);
}
