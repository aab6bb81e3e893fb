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
        .id = vidsch->next_context_id++,
        .pid = pid,
        .priority = priority,
        .system = system,
        .owner = owner,
    };
    DL_APPEND2(vidsch->contexts, context, all_prev, all_next);
    vidsch->probe->context(vidsch->probe->self, context->id, pid, node, label, system);
    return context;
}

static void free_if_drained(struct vidsch_context *context)
{
    if (!context->dying || context->last || context->last_flip || context->held)
        return;
    struct vidsch *vidsch = context->vidsch;
    if (context->node->loaded == context)
        context->node->loaded = NULL;
    DL_DELETE2(vidsch->contexts, context, all_prev, all_next);
    free(context);
}

void vidsch_context_destroy(struct vidsch_context *context)
{
    context->dying = true;
    free_if_drained(context);
}

void vidsch_context_set_priority(struct vidsch_context *context, int32_t priority)
{
    bool ready = context->state == VIDSCH_CONTEXT_READY;
    if (ready)
        vidsch_node_unready(context);
    context->priority = priority;
    if (ready)
        vidsch_node_ready(context);
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

/* Time this context has spent, up to now, with an unreached fence in front of its queue. */
static uint64_t blocked_ns(const struct vidsch_context *context, uint64_t now_ns)
{
    uint64_t open =
        context->state == VIDSCH_CONTEXT_BLOCKED ? now_ns - context->blocked_since_ns : 0;
    return context->blocked_ns + open;
}

/* A packet that reached the front of its queue was behind other packets until now; as long as the
 * front was waiting for a fence, that was the cause. */
static void settle_blame(struct vidsch_packet *packet, uint64_t now_ns)
{
    uint64_t behind_fence = blocked_ns(packet->context, now_ns) - packet->blocked_before_ns;
    blame_move(&packet->blame, PROBE_FENCE, behind_fence);
    blame_switch(&packet->blame, PROBE_QUEUE, now_ns);
}

static void wait_done(struct vidsch_packet *packet)
{
    struct vidsch_context *context = packet->context;
    vidsch_context_take(context);
    context->unblocked_order = context->vidsch->order++;
    vidsch_packet_complete(packet);
}

static void fence_reached(void *owner)
{
    struct vidsch_packet *packet = owner;
    struct vidsch_context *context = packet->context;
    struct vidsch *vidsch = context->vidsch;
    uint64_t now = sim_now(vidsch->sim);
    if (context->state == VIDSCH_CONTEXT_BLOCKED)
        context->blocked_ns += now - context->blocked_since_ns;
    context->state = VIDSCH_CONTEXT_TURNING;
    blame_switch(&packet->blame, PROBE_QUEUE, now);
    vidsch_worker_add(vidsch, vidsch->profile->scheduler.wait_ns, packet, wait_done);
}

static void start_wait(struct vidsch_packet *packet)
{
    struct vidsch_context *context = packet->context;
    uint64_t now = sim_now(context->vidsch->sim);
    packet->waiter = (struct vidsch_waiter){
        .fence = packet->fence, .value = packet->value, .reached = fence_reached, .owner = packet};
    if (context->flushed) {
        fence_reached(packet);
        return;
    }
    if (packet->fence->value < packet->value) {
        context->state = VIDSCH_CONTEXT_BLOCKED;
        context->blocked_since_ns = now;
        blame_switch(&packet->blame, PROBE_FENCE, now);
    }
    vidsch_fence_wait(&packet->waiter);
}

void vidsch_context_flush(struct vidsch_context *context)
{
    context->flushed = true;
    if (context->state == VIDSCH_CONTEXT_BLOCKED) {
        vidsch_fence_cancel(&context->queue->waiter);
        fence_reached(context->queue);
    }
}

static void signal_done(struct vidsch_packet *packet)
{
    vidsch_context_take(packet->context);
    struct vidsch_fence *fence = packet->fence;
    uint64_t value = packet->value;
    struct vidsch_broadcast *broadcast = packet->broadcast;
    vidsch_packet_complete(packet);
    if (broadcast && --broadcast->left > 0)
        return;
    free(broadcast);
    vidsch_fence_signal(fence, value);
}

static void present_done(struct vidsch_packet *packet)
{
    struct vidsch_context *context = packet->context;
    struct vidsch *vidsch = context->vidsch;
    vidsch_context_take(context);
    vidsch->probe->present(vidsch->probe->self, sim_now(vidsch->sim), context->id, context->pid);
    vidsch_packet_complete(packet);
}

struct vidsch_barrier_link {
    struct vidsch_barrier *barrier;
    struct vidsch_barrier_link *next;
};

/* Packets of one kind of one context complete in order: behind the youngest all of them have. */
static void attach(struct vidsch_barrier *barrier, struct vidsch_packet *packet)
{
    if (!packet)
        return;
    struct vidsch_barrier_link *link = memory_pool_take(&packet->context->vidsch->links);
    link->barrier = barrier;
    link->next = packet->barriers;
    packet->barriers = link;
    barrier->left++;
}

/* A flip on its way to the screen: it shows what the context had drawn when it was programmed, so
 * it waits for that, and for the vertical blank it was asked to wait for. */
struct flip {
    struct vidsch_barrier drawn;
    struct sim_timer vsync;
    struct vidsch *vidsch;
    uint32_t context, pid;
    uint64_t earliest_ns;
    bool synchronised;
};

static void flip_shown(void *owner)
{
    struct flip *flip = owner;
    struct probe *probe = flip->vidsch->probe;
    probe->present(probe->self, sim_now(flip->vidsch->sim), flip->context, flip->pid);
    free(flip);
}

static void flip_drawn(void *owner)
{
    struct flip *flip = owner;
    uint64_t date = sim_now(flip->vidsch->sim);
    uint64_t vsync = flip->vidsch->profile->scheduler.vsync_ns;
    if (date < flip->earliest_ns)
        date = flip->earliest_ns;
    if (flip->synchronised)
        date = (date + vsync - 1) / vsync * vsync;
    sim_timer_init(&flip->vsync, flip_shown, flip);
    sim_at(flip->vidsch->sim, &flip->vsync, date);
}

/* In the recording a flip packet completes some 64 us after it was queued, whatever the context
 * still has to draw: 206 of 332 before the render packet in front of them. */
static void flip_programmed(void *owner)
{
    struct vidsch_packet *packet = owner;
    struct vidsch_context *context = packet->context;
    struct vidsch *vidsch = context->vidsch;
    uint64_t vsync = vidsch->profile->scheduler.vsync_ns;
    struct flip *flip = memory_new(1, sizeof *flip);
    *flip = (struct flip){
        .drawn = {.passed = flip_drawn, .owner = flip, .left = 1},
        .vidsch = vidsch,
        .context = context->id,
        .pid = context->pid,
        .synchronised = packet->interval > 0 && vsync > 0,
    };
    if (flip->synchronised) {
        flip->earliest_ns = context->next_vsync_ns;
        uint64_t now = sim_now(vidsch->sim);
        uint64_t base = now > context->next_vsync_ns ? now : context->next_vsync_ns;
        context->next_vsync_ns = (base + vsync - 1) / vsync * vsync + packet->interval * vsync;
    }
    attach(&flip->drawn, context->drawing);
    vidsch_context_take(context);
    vidsch_packet_complete(packet);
    vidsch_barrier_arm(&flip->drawn);
}

static void start_flip(struct vidsch_packet *packet)
{
    struct sim *sim = packet->context->vidsch->sim;
    sim_timer_init(&packet->timer, flip_programmed, packet);
    sim_after(sim, &packet->timer, packet->context->vidsch->profile->scheduler.flip_ns);
}

/* The context's first packet, now that nothing in front of it is in its way. */
static void start_first(struct vidsch_packet *packet)
{
    struct vidsch *vidsch = packet->context->vidsch;
    const struct profile_scheduler *scheduler = &vidsch->profile->scheduler;
    packet->context->state = VIDSCH_CONTEXT_TURNING;
    if (packet->kind == PROBE_WAIT)
        start_wait(packet);
    else if (packet->kind == PROBE_SIGNAL)
        vidsch_worker_add(vidsch, scheduler->signal_ns, packet, signal_done);
    else if (packet->flip)
        vidsch_worker_add(vidsch, scheduler->present_ns, packet, start_flip);
    else
        vidsch_worker_add(vidsch, scheduler->present_ns, packet, present_done);
}

void vidsch_context_advance(struct vidsch_context *context)
{
    struct vidsch_packet *packet = context->queue;
    if (!packet) {
        context->state = VIDSCH_CONTEXT_IDLE;
        return;
    }
    settle_blame(packet, sim_now(context->vidsch->sim));
    if (packet->kind == PROBE_RENDER || packet->kind == PROBE_PAGING) {
        context->state = VIDSCH_CONTEXT_READY;
        vidsch_node_ready(context);
        vidsch_node_dispatch(context->node);
    } else if (context->in_flight && !packet->flip) {
        context->state = VIDSCH_CONTEXT_DRAINING;
    } else {
        start_first(packet);
    }
}

void vidsch_context_take(struct vidsch_context *context)
{
    struct vidsch_packet *packet = context->queue;
    DL_DELETE(context->queue, packet);
    context->queued--;
    context->node->waiting--;
    context->state = VIDSCH_CONTEXT_IDLE;
}

void vidsch_submit(struct vidsch_context *context, struct vidsch_packet *packet)
{
    struct vidsch *vidsch = context->vidsch;
    uint64_t now = sim_now(vidsch->sim);
    packet->context = context;
    packet->order = vidsch->order++;
    packet->queued_ns = now;
    packet->placed_ns = packet->started_ns = packet->finished_ns = 0;
    packet->switch_ns = 0;
    packet->without_memory = false;
    packet->barriers = NULL;
    packet->blocked_before_ns = blocked_ns(context, now);
    blame_begin(&packet->blame, PROBE_QUEUE, now);
    DL_APPEND(context->queue, packet);
    context->queued++;
    context->node->waiting++;
    /* All packets but flips complete in the order of the queue (in the recording: every one). */
    *(packet->flip ? &context->last_flip : &context->last) = packet;
    vidsch->submitted++;
    if (context->state == VIDSCH_CONTEXT_IDLE)
        vidsch_context_advance(context);
}

/* In the order they were attached: who waits longer for the same packets hears of it first. */
static void pass_barriers(struct vidsch *vidsch, struct vidsch_barrier_link *youngest)
{
    struct vidsch_barrier_link *link = NULL;
    while (youngest) {
        struct vidsch_barrier_link *older = youngest->next;
        youngest->next = link;
        link = youngest;
        youngest = older;
    }
    while (link) {
        struct vidsch_barrier_link *next = link->next;
        struct vidsch_barrier *barrier = link->barrier;
        memory_pool_give(&vidsch->links, link);
        vidsch_barrier_arm(barrier);
        link = next;
    }
}

void vidsch_packet_complete(struct vidsch_packet *packet)
{
    struct vidsch_context *context = packet->context;
    struct vidsch *vidsch = context->vidsch;
    uint64_t now = sim_now(vidsch->sim);
    blame_end(&packet->blame, now);
    vidsch->completed++;
    if (context->last == packet)
        context->last = NULL;
    if (context->last_flip == packet)
        context->last_flip = NULL;
    struct vidsch_barrier_link *barriers = packet->barriers;
    packet->barriers = NULL;
    vidsch->probe->packet(vidsch->probe->self, now,
                          &(struct probe_packet){
                              .kind = packet->kind,
                              .context = context->id,
                              .node = context->node->ordinal,
                              .queued_ns = packet->queued_ns,
                              .placed_ns = packet->placed_ns,
                              .started_ns = packet->started_ns,
                              .finished_ns = packet->finished_ns,
                              .completed_ns = now,
                              .execute_ns = packet->execute_ns,
                              .switch_ns = packet->switch_ns,
                              .references = packet->reference_count,
                              .hits = packet->hits,
                          });
    context->held++; /* whoever hears of the completion may destroy the context */
    packet->completed(packet->owner, packet);
    pass_barriers(vidsch, barriers);
    if (context->state == VIDSCH_CONTEXT_IDLE)
        vidsch_context_advance(context);
    else if (context->state == VIDSCH_CONTEXT_DRAINING && !context->in_flight)
        start_first(context->queue);
    context->held--;
    free_if_drained(context);
}

void vidsch_barrier_add(struct vidsch_barrier *barrier, struct vidsch_context *context)
{
    attach(barrier, context->last);
    attach(barrier, context->last_flip);
}

void vidsch_barrier_arm(struct vidsch_barrier *barrier)
{
    if (--barrier->left == 0)
        barrier->passed(barrier->owner);
}
