/* Nodes: what is handed to an engine, and what must come first: a place in its hardware queue,
 * power, memory. */
#include "model/vidsch/internal.h"

#include <utlist.h>

void vidsch_node_report(struct vidsch_node *node)
{
    static const enum probe_engine states[] = {
        [VIDSCH_ENGINE_IDLE] = PROBE_ENGINE_IDLE,
        [VIDSCH_ENGINE_SWITCHING] = PROBE_ENGINE_SWITCHING,
        [VIDSCH_ENGINE_RUNNING] = PROBE_ENGINE_BUSY,
        [VIDSCH_ENGINE_STALLED] = PROBE_ENGINE_BUSY,
        [VIDSCH_ENGINE_SAVING] = PROBE_ENGINE_SWITCHING,
        [VIDSCH_ENGINE_RESETTING] = PROBE_ENGINE_SWITCHING,
    };
    struct probe *probe = node->vidsch->probe;
    probe->engine(probe->self, sim_now(node->vidsch->sim), node->number, states[node->engine],
                  node->hardware_count, node->waiting);
}

/* The packet is in the hardware queue. The state of the context in front of it may leave memory
 * once it is off the engine: it is no longer the one that is lazily kept (wddm.md §4.2). */
static void place(void *owner)
{
    struct vidsch_packet *packet = owner;
    struct vidsch_node *node = packet->context->node;
    struct vidsch *vidsch = node->vidsch;
    struct vidsch_context *from = node->loaded;
    if (!packet->preemptions)
        packet->placed_ns = sim_now(vidsch->sim);
    if (!packet->context->system)
        node->loaded = packet->kind == PROBE_NULL_SWITCH ? NULL : packet->context;
    node->unload = false; /* whoever wanted it will be told, and ask again */
    DL_APPEND2(node->hardware, packet, hardware_prev, hardware_next);
    node->hardware_count++;
    vidsch_engine_placed(node);
    if (from && from != node->loaded && packet->kind != PROBE_NULL_SWITCH)
        vidsch->memory.unload(vidsch->memory.vidmm, from);
}

/* The driver's part of handing a packet over: what was recorded, or what it takes mostly. */
static uint64_t driver_ns(const struct vidsch_node *node, const struct vidsch_packet *packet)
{
    const struct profile_scheduler *scheduler = &node->vidsch->profile->scheduler;
    if (packet->driver_known)
        return packet->driver_ns;
    if (node->cold)
        return scheduler->driver_ns + scheduler->driver_cold_ns;
    bool other = node->loaded != packet->context && !packet->context->system;
    return scheduler->driver_ns + (node->hardware ? 0 : scheduler->driver_idle_ns) +
           (other ? scheduler->driver_switch_ns : 0);
}

static void begin_place(struct vidsch_packet *packet, struct vidsch_task *task)
{
    struct vidsch_node *node = packet->context->node;
    const struct profile_scheduler *scheduler = &node->vidsch->profile->scheduler;
    uint64_t ns = scheduler->firmware_ns;
    if (!node->vidsch->policy->firmware)
        ns = scheduler->submit_ns + (node->hardware ? 0 : scheduler->submit_idle_ns) +
             driver_ns(node, packet);
    *task =
        (struct vidsch_task){.make = place, .owner = packet, .packet = packet, .duration_ns = ns};
    vidsch_wait_for(packet, PROBE_QUEUE, vidsch_place_node(node));
    node->cold = false;
    node->occupied++;
}

static void power_is_up(void *owner)
{
    struct vidsch_node *node = owner;
    node->power = VIDSCH_POWER_UP;
    node->cold = true;
    vidsch_engine_serves(node, NULL);
    vidsch_node_look(node);
}

static void ask_for_power(void *owner)
{
    struct vidsch_node *node = owner;
    struct vidsch *vidsch = node->vidsch;
    vidsch_serves(vidsch, vidsch_place_node(node), NULL); /* it gets ready */
    sim_after(vidsch->sim, &node->power_timer, vidsch->profile->scheduler.power_latency_ns);
}

static void begin_power_up(struct vidsch_node *node, struct vidsch_task *task)
{
    node->power = VIDSCH_POWER_COMING;
    *task = (struct vidsch_task){.make = ask_for_power,
                                 .owner = node,
                                 .duration_ns = node->vidsch->profile->scheduler.power_up_ns};
}

/* An engine that has been idle for some time is powered down. */
static bool is_down(struct vidsch_node *node)
{
    uint64_t limit_ns = node->vidsch->profile->scheduler.power_idle_ns;
    uint64_t idle_ns = sim_now(node->vidsch->sim) - node->idle_since_ns;
    if (limit_ns && node->power == VIDSCH_POWER_UP && !node->occupied && !node->cold &&
        idle_ns >= limit_ns)
        node->power = VIDSCH_POWER_DOWN;
    return node->power != VIDSCH_POWER_UP;
}

enum admission { STARTED, LOOK_AGAIN, STUCK };

static void is_prepared(struct vidsch_packet *packet)
{
    packet->prepared = true;
    packet->context->in_flight++;
}

void vidsch_node_release(struct vidsch_packet *packet)
{
    struct vidsch *vidsch = packet->context->vidsch;
    packet->prepared = false;
    packet->context->in_flight--;
    if (packet->kind == PROBE_RENDER)
        vidsch->memory.release(vidsch->memory.vidmm, packet);
}

/* VidMm may be done at once, or call back before it has answered: then the context is looked at
 * again. */
static enum admission prepare(struct vidsch_packet *packet)
{
    struct vidsch_context *context = packet->context;
    struct vidsch *vidsch = context->vidsch;
    if (packet->prepared)
        return STARTED;
    context->preparing = packet->kind == PROBE_RENDER;
    if (!context->preparing || vidsch->memory.prepare(vidsch->memory.vidmm, packet)) {
        context->preparing = false;
        is_prepared(packet);
        return STARTED;
    }
    if (context->preparing)
        vidsch_context_unready(context, VIDSCH_CONTEXT_PREPARING);
    context->preparing = false;
    return LOOK_AGAIN;
}

void vidsch_prepare_again(struct vidsch_packet *packet)
{
    struct vidsch_context *context = packet->context;
    if (context->preparing) {
        context->preparing = false;
        return;
    }
    if (vidsch_context_is_overtaken(packet)) /* others were handed back in front of it */
        vidsch_wait_in_queue(packet);
    vidsch_context_ready(context, true);
}

void vidsch_prepared(struct vidsch_packet *packet)
{
    is_prepared(packet);
    if (vidsch_context_is_overtaken(packet))
        vidsch_node_release(packet);
    vidsch_prepare_again(packet);
}

/* The context's first packet is for the engine, and it is the context's turn. */
static enum admission admit(struct vidsch_node *node, struct vidsch_context *context,
                            struct vidsch_task *task)
{
    struct vidsch *vidsch = node->vidsch;
    struct vidsch_packet *packet = context->queue;
    if (vidsch_preempt_attempt(node, context) == PROBE_ATTEMPT_SUCCESS) {
        vidsch_preempt_begin(node, context, task);
        return STARTED;
    }
    if (node->preempting || node->occupied >= vidsch->profile->scheduler.queue_depth)
        return STUCK;
    if (is_down(node)) {
        if (node->power == VIDSCH_POWER_COMING)
            return STUCK;
        begin_power_up(node, task);
        return STARTED;
    }
    enum admission admission = prepare(packet);
    if (admission == STARTED) {
        begin_place(packet, task);
        vidsch_context_take(context);
        DL_APPEND(context->taken, packet);
        vidsch_context_advance(context);
    }
    return admission;
}

/* What the context has on its idle engine must leave: a packet of length zero switches to the null
 * context (wddm.md §8.6). */
static void begin_unload(struct vidsch_node *node, struct vidsch_task *task)
{
    node->unload = false;
    node->null_packet = (struct vidsch_packet){.kind = PROBE_NULL_SWITCH,
                                               .context = node->loaded,
                                               .queued_ns = sim_now(node->vidsch->sim)};
    node->loaded->held++;
    vidsch_wait_begin(&node->null_packet);
    begin_place(&node->null_packet, task);
}

static bool preempt_for_placed(struct vidsch_node *node, struct vidsch_task *task)
{
    struct vidsch_context *context = vidsch_preempt_for_placed(node);
    if (context)
        vidsch_preempt_begin(node, context, task);
    return context;
}

bool vidsch_node_next(struct vidsch_node *node, struct vidsch_worker *worker)
{
    struct vidsch *vidsch = node->vidsch;
    for (;;) {
        if (worker == node->placer && node->unload && node->loaded && !node->occupied &&
            !node->preempting) {
            begin_unload(node, &worker->task);
            return true;
        }
        if (worker == node->placer && vidsch_timeout_preempts(node, &worker->task))
            return true;
        struct vidsch_context *context = worker == &vidsch->worker ? node->apart : NULL;
        if (!context && worker == node->placer)
            context = vidsch->policy->select(node);
        if (!context)
            return worker == node->placer && preempt_for_placed(node, &worker->task);
        if (!vidsch_packet_is_dma(context->queue)) {
            vidsch_context_begin(context->queue, &worker->task);
            return true;
        }
        enum admission admission = admit(node, context, &worker->task);
        node->stuck = admission == STUCK;
        if (admission != LOOK_AGAIN)
            return admission == STARTED || preempt_for_placed(node, &worker->task);
    }
}

void vidsch_node_free_slot(struct vidsch_node *node)
{
    node->occupied--;
    node->idle_since_ns = sim_now(node->vidsch->sim);
}

void vidsch_node_look(void *owner)
{
    struct vidsch_node *node = owner;
    vidsch_worker_look(node->placer, node);
}

void vidsch_node_again(struct vidsch_node *node, uint64_t date_ns)
{
    struct sim *sim = node->vidsch->sim;
    if (sim_timer_pending(&node->again) && node->again_ns <= date_ns)
        return;
    node->again_ns = date_ns;
    sim_at(sim, &node->again, date_ns);
}

bool vidsch_unload_idle(struct vidsch *vidsch)
{
    bool any = false;
    for (uint32_t i = 0; i < vidsch->profile->node_count; i++) {
        struct vidsch_node *node = &vidsch->nodes[i];
        if (!node->loaded || node->occupied || node->unload)
            continue;
        node->unload = true;
        any = true;
        vidsch_worker_look(node->placer, node);
    }
    return any;
}

bool vidsch_unloading(const struct vidsch *vidsch)
{
    for (uint32_t i = 0; i < vidsch->profile->node_count; i++)
        if (vidsch->nodes[i].unload || vidsch->nodes[i].null_packet.context)
            return true;
    return false;
}

void vidsch_node_init(struct vidsch *vidsch, uint32_t ordinal)
{
    struct vidsch_node *node = &vidsch->nodes[ordinal];
    node->vidsch = vidsch;
    node->ordinal = ordinal;
    node->number = vidsch->adapter.first_node + ordinal;
    node->profile = &vidsch->profile->nodes[ordinal];
    node->previous = UINT32_MAX;
    node->placer = &vidsch->worker;
    if (vidsch->policy->firmware) {
        vidsch_worker_init(&node->firmware, vidsch, PROBE_SCHEDULER_FIRMWARE + node->number);
        node->placer = &node->firmware;
    }
    sim_timer_init(&node->again, vidsch_node_look, node);
    sim_timer_init(&node->power_timer, power_is_up, node);
    vidsch_timeout_node_init(node);
    vidsch_engine_init(node);
    node->ready = vidsch->policy->create(node);
    vidsch_engine_serves(node, NULL);
}
