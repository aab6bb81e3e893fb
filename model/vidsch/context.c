/* Contexts: the software queue, and what its first packet waits for. */
#include "model/vidsch/internal.h"

#include <stdlib.h>
#include <utlist.h>

struct vidsch_context *vidsch_context_create(struct vidsch *vidsch, uint32_t node, int32_t priority,
                                             bool system, uint32_t pid, struct probe_label label,
                                             void *owner)
{
    struct vidsch_context *context = memory_new(1, sizeof *context);
    *context = (struct vidsch_context){
        .vidsch = vidsch,
        .node = &vidsch->nodes[node],
        .id = vidsch->probe->contexts++,
        .priority = priority,
        .system = system,
        .owner = owner,
    };
    vidsch_process_join(vidsch_process(vidsch, pid), context);
    DL_APPEND2(vidsch->contexts, context, all_prev, all_next);
    vidsch->probe->context(vidsch->probe->self, context->id, pid, context->node->number, label,
                           system);
    return context;
}

static void free_if_drained(struct vidsch_context *context)
{
    if (!context->dying || context->uncompleted || context->held)
        return;
    struct vidsch *vidsch = context->vidsch;
    struct vidsch_node *node = context->node;
    if (node->loaded == context)
        node->loaded = NULL;
    if (node->state_of == context)
        node->state_of = NULL;
    if (node->unload && !node->loaded) { /* it is off the engine: who wanted that is told */
        node->unload = false;
        vidsch->memory.unload(vidsch->memory.vidmm, context);
    }
    vidsch_flip_queue_leave(context);
    vidsch_process_leave(context);
    DL_DELETE2(vidsch->contexts, context, all_prev, all_next);
    free(context);
}

void vidsch_context_let_go(struct vidsch_context *context)
{
    context->held--;
    free_if_drained(context);
}

void vidsch_context_destroy(struct vidsch_context *context)
{
    context->dying = true;
    free_if_drained(context);
}

void *vidsch_context_owner(const struct vidsch_context *context)
{
    return context->owner;
}

uint32_t vidsch_context_id(const struct vidsch_context *context)
{
    return context->id;
}

uint32_t vidsch_context_node(const struct vidsch_context *context)
{
    return context->node->ordinal;
}

bool vidsch_context_system(const struct vidsch_context *context)
{
    return context->system;
}

bool vidsch_context_loaded(const struct vidsch_context *context)
{
    return context->node->loaded == context;
}

uint32_t vidsch_context_in_flight(const struct vidsch_context *context)
{
    return context->in_flight;
}

void vidsch_context_set_memory(struct vidsch_context *context, struct vidmm_context_memory *memory)
{
    context->memory = memory;
}

struct vidmm_context_memory *vidsch_context_memory(const struct vidsch_context *context)
{
    return context->memory;
}

uint64_t vidsch_context_blocked_ns(const struct vidsch_context *context, uint64_t now_ns)
{
    uint64_t open =
        context->state == VIDSCH_CONTEXT_BLOCKED ? now_ns - context->blocked_since_ns : 0;
    return context->blocked_ns + open;
}

void vidsch_context_settle_blame(struct vidsch_packet *packet, uint64_t now_ns)
{
    uint64_t behind_fence =
        vidsch_context_blocked_ns(packet->context, now_ns) - packet->blocked_before_ns;
    packet->blocked_before_ns += behind_fence;
    blame_move(&packet->blame, PROBE_FENCE, behind_fence);
}

/* Where the policy minds waits, signals and presents they wait for the context's turn, too; where
 * not, for the worker alone. */
void vidsch_context_ready(struct vidsch_context *context, bool again)
{
    struct vidsch *vidsch = context->vidsch;
    struct vidsch_node *node = context->node;
    if (context->aborted) {
        context->state = VIDSCH_CONTEXT_IDLE;
        vidsch_drop_soon(vidsch);
        return;
    }
    context->state = VIDSCH_CONTEXT_READY;
    if (vidsch_flip_queue_holds_up(context->queue)) {
        context->state = VIDSCH_CONTEXT_AHEAD;
        vidsch_wait_for(context->queue, PROBE_DISPLAY, vidsch_flip_queue_first(context));
        return;
    }
    context->apart = vidsch->policy->apart && !vidsch_packet_is_dma(context->queue);
    vidsch_wait_turn(context->queue);
    if (context->apart) {
        DL_APPEND(node->apart, context);
        vidsch_worker_look(&vidsch->worker, node);
    } else {
        vidsch->policy->ready(context, again);
        vidsch_worker_look(node->placer, node);
    }
}

void vidsch_context_unready(struct vidsch_context *context, enum vidsch_context_state state)
{
    if (context->apart)
        DL_DELETE(context->node->apart, context);
    else
        context->vidsch->policy->unready(context);
    context->apart = false;
    context->state = state;
}

void vidsch_context_advance(struct vidsch_context *context)
{
    struct vidsch_packet *packet = context->queue;
    bool ready = context->state == VIDSCH_CONTEXT_READY;
    if (packet)
        vidsch_context_settle_blame(packet, sim_now(context->vidsch->sim));
    if (packet)
        vidsch_queue_serves_first(context);
    if (ready && packet && !context->vidsch->policy->apart && !vidsch_flip_queue_holds_up(packet)) {
        vidsch_wait_turn(packet);
        return; /* it keeps its turn */
    }
    if (ready)
        vidsch_context_unready(context, VIDSCH_CONTEXT_IDLE);
    if (packet)
        vidsch_context_ready(context, ready);
}

void vidsch_context_take(struct vidsch_context *context)
{
    struct vidsch_packet *packet = context->queue;
    DL_DELETE(context->queue, packet);
    context->queued--;
    context->node->waiting--;
    vidsch_node_report(context->node);
}

/* The waiter's fence got there, or need not any more: the worker may take the wait. */
static void go_on(void *owner)
{
    struct vidsch_packet *packet = owner;
    struct vidsch_context *context = packet->context;
    uint64_t now = sim_now(context->vidsch->sim);
    context->blocked_ns += now - context->blocked_since_ns;
    if (!context->flushed)
        blame_found(&packet->blame, context->vidsch->probe, packet->fence->signalled_by);
    vidsch_context_ready(context, false);
}

void vidsch_context_display_moved(struct vidsch_context *context)
{
    if (context->state != VIDSCH_CONTEXT_AHEAD)
        return;
    context->state = VIDSCH_CONTEXT_IDLE;
    vidsch_context_ready(context, false);
}

bool vidsch_context_is_overtaken(const struct vidsch_packet *packet)
{
    return packet->context->queue != packet;
}

static void wait_taken(void *owner)
{
    struct vidsch_packet *packet = owner;
    struct vidsch_context *context = packet->context;
    if (vidsch_context_is_overtaken(packet))
        return;
    if (packet->fence->value < packet->value && !context->flushed) {
        uint64_t now = sim_now(context->vidsch->sim);
        vidsch_context_unready(context, VIDSCH_CONTEXT_BLOCKED);
        context->blocked_since_ns = now;
        vidsch_wait_over(packet, PROBE_FENCE); /* for whom, turns out later */
        packet->waiter = (struct vidsch_waiter){
            .fence = packet->fence, .value = packet->value, .reached = go_on, .owner = packet};
        vidsch_fence_wait(&packet->waiter);
        return;
    }
    context->held++;
    vidsch_context_take(context);
    context->unblocked_order = ++context->vidsch->order;
    vidsch_context_advance(context);
    vidsch_packet_complete(packet);
    vidsch_context_let_go(context);
}

void vidsch_context_taken(void *owner)
{
    struct vidsch_packet *packet = owner;
    struct vidsch_context *context = packet->context;
    if (vidsch_context_is_overtaken(packet))
        return;
    context->held++;
    vidsch_context_take(context);
    vidsch_context_advance(context);
    vidsch_packet_taken(packet);
    vidsch_context_let_go(context);
}

void vidsch_context_begin(struct vidsch_packet *packet, struct vidsch_task *task)
{
    const struct profile_scheduler *scheduler = &packet->context->vidsch->profile->scheduler;
    if (packet->kind == PROBE_WAIT)
        *task = (struct vidsch_task){.make = wait_taken,
                                     .owner = packet,
                                     .packet = packet,
                                     .duration_ns = scheduler->wait_ns};
    else if (packet->kind == PROBE_SIGNAL)
        *task = (struct vidsch_task){.make = vidsch_context_taken,
                                     .owner = packet,
                                     .packet = packet,
                                     .duration_ns = scheduler->signal_ns};
    else
        vidsch_present_begin(packet, task);
}

void vidsch_context_flush(struct vidsch_context *context)
{
    context->flushed = true;
    if (context->state == VIDSCH_CONTEXT_BLOCKED) {
        vidsch_fence_cancel(&context->queue->waiter);
        go_on(context->queue);
    }
}

void vidsch_context_stop_waiting(struct vidsch_context *context)
{
    struct vidsch_packet *packet = context->queue;
    uint64_t now = sim_now(context->vidsch->sim);
    vidsch_fence_cancel(&packet->waiter);
    context->blocked_ns += now - context->blocked_since_ns;
    context->state = VIDSCH_CONTEXT_IDLE;
}

static void to_front(struct vidsch_packet *packet)
{
    struct vidsch_context *context = packet->context;
    DL_DELETE(context->taken, packet);
    DL_PREPEND(context->queue, packet);
    context->queued++;
    context->node->waiting++;
    vidsch_node_report(context->node);
}

/* All that the packet came back in front of, up to `first`, which was the first; unless VidMm is
 * still at what that one needs. */
static void wait_behind(const struct vidsch_packet *packet, const struct vidsch_packet *first)
{
    bool preparing = packet->context->state == VIDSCH_CONTEXT_PREPARING;
    for (struct vidsch_packet *behind = packet->next; behind; behind = behind->next) {
        if (behind != first || !preparing)
            vidsch_wait_in_queue(behind);
        if (behind == first)
            return;
    }
}

/* What was taken behind the packet goes with it. If VidMm is preparing what was the first packet
 * until now, the context goes on when that is over. */
void vidsch_context_hand_back(struct vidsch_packet *packet)
{
    struct vidsch_context *context = packet->context;
    struct vidsch_packet *first = context->queue;
    if (context->state == VIDSCH_CONTEXT_BLOCKED)
        vidsch_context_stop_waiting(context);
    else if (context->state == VIDSCH_CONTEXT_AHEAD)
        context->state = VIDSCH_CONTEXT_IDLE;
    /* What is pinned for a packet that is no longer the first would never be let go of, if the
     * first one cannot have its memory for want of it. */
    if (context->queue && context->queue->prepared)
        vidsch_node_release(context->queue);
    bool again = context->state == VIDSCH_CONTEXT_READY;
    if (again)
        vidsch_context_unready(context, VIDSCH_CONTEXT_IDLE);
    while (context->taken->prev != packet)
        to_front(context->taken->prev);
    to_front(packet);
    packet->blocked_before_ns = vidsch_context_blocked_ns(context, sim_now(context->vidsch->sim));
    if (context->state == VIDSCH_CONTEXT_IDLE)
        vidsch_context_ready(context, true);
    else
        vidsch_wait_for(packet, packet->blame.cause, blame_thing(&first->blame));
    wait_behind(packet, first);
}
