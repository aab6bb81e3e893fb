/* Submissions, signals, waits and presents: calls that queue packets. */
#include "model/dxgkrnl/internal.h"

#include <stdlib.h>
#include <string.h>

static void packet_done(void *owner, struct vidsch_packet *packet)
{
    struct d3dkmt_call *call = owner;
    call->blame = packet->blame;
    for (uint32_t i = 0; i < packet->reference_count; i++)
        vidmm_allocation_drop(packet->references[i]);
    vidmm_touches_end(packet);
    dxgk_call_done(call);
}

/* Queues the call's only packet. */
static void queue(struct d3dkmt_call *call, struct dxgk_context *context)
{
    call->packet.completed = packet_done;
    call->packet.owner = call;
    dxgk_call_defer(call);
    vidsch_submit(context->vidsch, &call->packet);
}

/* References and, behind them, when they are used next: one block of memory. */
static struct vidmm_allocation **
append_next_uses(struct d3dkmt_call *call, struct vidmm_allocation **references, uint32_t count)
{
    if (!call->next_uses || !count)
        return references;
    references = memory_resize(references, count, sizeof(void *) + sizeof(uint64_t));
    call->packet.next_uses = memcpy(references + count, call->next_uses, count * sizeof(uint64_t));
    return references;
}

static uint64_t scaled(uint64_t ns, double speed)
{
    return speed == 1 ? ns : (uint64_t)((double)ns / speed + 0.5);
}

static uint32_t submit(struct dxgk_process *process, struct d3dkmt_call *call,
                       const struct d3dkmt_submit *args)
{
    struct dxgk_context *context = dxgk_context(process, args->context);
    if (!context)
        return STATUS_INVALID_PARAMETER;
    uint32_t status = dxgk_device_state(context->device);
    if (status != STATUS_SUCCESS)
        return status;
    struct vidmm_allocation **references = NULL;
    if (args->count) {
        references = dxgk_allocations(process, context->device, args->allocations, args->count);
        if (!references)
            return STATUS_INVALID_PARAMETER;
        if (!vidmm_fits(context->device->adapter->vidmm, references, args->count)) {
            free(references);
            return STATUS_GRAPHICS_NO_VIDEO_MEMORY;
        }
    }
    const struct profile *profile = context->device->adapter->profile;
    double speed = profile->nodes[vidsch_context_node(context->vidsch)].speed;
    bool recorded = profile->scheduler.recorded_costs;
    references = append_next_uses(call, references, args->count);
    call->extra = references;
    call->packet.kind = PROBE_RENDER;
    call->packet.execute_ns = scaled(args->execute_ns, speed);
    call->packet.granule_ns = scaled(args->granule_ns, speed);
    call->packet.driver_known = recorded && args->driver_ns;
    call->packet.driver_ns = args->driver_ns ? *args->driver_ns : 0;
    call->packet.interrupt_known = recorded && args->interrupt_ns;
    call->packet.interrupt_ns = args->interrupt_ns ? *args->interrupt_ns : 0;
    call->packet.references = references;
    call->packet.reference_count = args->count;
    vidmm_touches_begin(context->device->adapter->vidmm, &call->packet, args->writes_from);
    call->packet.hits = vidmm_reference(context->device->vidmm, references, args->count);
    for (uint32_t i = 0; i < args->count; i++)
        vidmm_allocation_hold(references[i]);
    queue(call, context);
    return STATUS_SUCCESS;
}

uint32_t d3dkmt_submit_command(struct dxgk_process *process, struct d3dkmt_call *call,
                               const struct d3dkmt_submit *args)
{
    dxgk_call_begin(process, call, PROFILE_SUBMIT);
    uint32_t status = submit(process, call, args);
    return dxgk_call_return(call, status, args->count);
}

enum { BROADCAST_MAX = 64 }; /* contexts per call (wddm.md §0.2) */

/* One packet of several: the call is done with its last one, and that one's wait is the call's. */
static void one_of_many_done(void *owner, struct vidsch_packet *packet)
{
    struct d3dkmt_call *call = owner;
    struct dxgkrnl *dxgkrnl = call->dxgkrnl;
    struct blame blame = packet->blame;
    memory_pool_give(&dxgkrnl->packets, packet);
    if (--call->extra_count > 0)
        return;
    call->blame = blame;
    dxgk_call_done(call);
}

static uint32_t look_up(struct dxgk_process *process, const d3dkmt_handle *handles, uint32_t count,
                        struct dxgk_context **contexts)
{
    uint32_t status = count <= BROADCAST_MAX ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    for (uint32_t i = 0; i < count && status == STATUS_SUCCESS; i++) {
        contexts[i] = dxgk_context(process, handles[i]);
        status = contexts[i] ? dxgk_device_state(contexts[i]->device) : STATUS_INVALID_PARAMETER;
    }
    return status;
}

static void queue_one(struct d3dkmt_call *call, enum probe_packet_kind kind,
                      struct dxgk_context *context, struct vidsch_fence *fence, uint64_t value)
{
    call->packet.kind = kind;
    call->packet.fence = fence;
    call->packet.value = value;
    queue(call, context);
}

static void queue_many(struct d3dkmt_call *call, enum probe_packet_kind kind,
                       struct dxgk_context *const *contexts, uint32_t count,
                       struct vidsch_fence *fence, uint64_t value)
{
    struct vidsch_broadcast *broadcast = NULL;
    if (kind == PROBE_SIGNAL) {
        broadcast = memory_new(1, sizeof *broadcast);
        broadcast->left = count;
    }
    call->extra_count = count;
    dxgk_call_defer(call);
    for (uint32_t i = 0; i < count; i++) {
        struct vidsch_packet *packet = memory_pool_take(&call->dxgkrnl->packets);
        *packet = (struct vidsch_packet){.kind = kind,
                                         .fence = fence,
                                         .value = value,
                                         .broadcast = broadcast,
                                         .completed = one_of_many_done,
                                         .owner = call};
        vidsch_submit(contexts[i]->vidsch, packet);
    }
}

static uint32_t queue_sync(struct dxgk_process *process, struct d3dkmt_call *call,
                           enum probe_packet_kind kind, const d3dkmt_handle *handles,
                           uint32_t count, struct vidsch_fence *fence, uint64_t value)
{
    struct dxgk_context *contexts[BROADCAST_MAX];
    uint32_t status = look_up(process, handles, count, contexts);
    if (status != STATUS_SUCCESS)
        return status;
    if (count == 1)
        queue_one(call, kind, contexts[0], fence, value);
    else
        queue_many(call, kind, contexts, count, fence, value);
    return STATUS_SUCCESS;
}

uint32_t d3dkmt_signal(struct dxgk_process *process, struct d3dkmt_call *call,
                       const d3dkmt_handle *contexts, uint32_t count, struct vidsch_fence *fence,
                       uint64_t value)
{
    dxgk_call_begin(process, call, PROFILE_SIGNAL);
    uint32_t status = STATUS_SUCCESS;
    if (count)
        status = queue_sync(process, call, PROBE_SIGNAL, contexts, count, fence, value);
    else
        vidsch_fence_signal(fence, value,
                            fence->waiters ? blame_job(&call->blame, call->dxgkrnl->probe)
                                           : probe_thing(PROBE_NOTHING, 0));
    return dxgk_call_return(call, status, 0);
}

static bool fence_was_reached(struct d3dkmt_call *call)
{
    if (call->extra_count == 0)
        dxgk_call_wait(call, PROBE_FENCE, probe_thing(PROBE_NOTHING, 0)); /* it turns out later */
    return call->extra_count != 0;
}

static void end_wait(struct d3dkmt_call *call)
{
    call->extra_count = 1;
    dxgk_call_look(call);
}

static void fence_reached(void *owner)
{
    struct d3dkmt_call *call = owner;
    dxgk_call_found(call, call->waiter.fence->signalled_by);
    end_wait(call);
}

/* The processor waits: the call returns when the fence is there. */
static void wait_on_cpu(struct d3dkmt_call *call, struct vidsch_fence *fence, uint64_t value)
{
    call->may_return = fence_was_reached;
    call->waiter = (struct vidsch_waiter){
        .fence = fence, .value = value, .reached = fence_reached, .owner = call};
}

void d3dkmt_end_wait(struct d3dkmt_call *call)
{
    if (call->may_return != fence_was_reached || call->extra_count)
        return;
    vidsch_fence_cancel(&call->waiter);
    end_wait(call);
}

uint32_t d3dkmt_wait(struct dxgk_process *process, struct d3dkmt_call *call,
                     const d3dkmt_handle *contexts, uint32_t count, struct vidsch_fence *fence,
                     uint64_t value)
{
    dxgk_call_begin(process, call, PROFILE_WAIT);
    uint32_t status = STATUS_SUCCESS;
    if (count)
        status = queue_sync(process, call, PROBE_WAIT, contexts, count, fence, value);
    else
        wait_on_cpu(call, fence, value);
    dxgk_call_return(call, status, 0);
    if (!count)
        vidsch_fence_wait(&call->waiter);
    return status;
}

static bool is_in_time(struct d3dkmt_call *call)
{
    return call->packet.in_time;
}

static void let_in(void *owner, struct vidsch_packet *packet)
{
    (void)packet;
    dxgk_call_look(owner);
}

uint32_t d3dkmt_present(struct dxgk_process *process, struct d3dkmt_call *call,
                        d3dkmt_handle handle, bool flip, uint64_t interval)
{
    dxgk_call_begin(process, call, flip ? PROFILE_FLIP : PROFILE_PRESENT);
    struct dxgk_context *context;
    uint32_t status = look_up(process, &handle, 1, &context);
    if (status == STATUS_SUCCESS) {
        call->packet.kind = PROBE_PRESENT;
        call->packet.flip = flip;
        call->packet.interval = interval;
        call->packet.let_in = let_in;
        call->may_return = is_in_time;
        queue(call, context);
    }
    return dxgk_call_return(call, status, 0);
}
