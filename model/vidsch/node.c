/* Nodes: the GPU's engines with their hardware queues, and lazy context switching. */
#include "model/vidsch/internal.h"

#include <utlist.h>

static uint64_t age(const struct vidsch_context *context)
{
    uint64_t order = context->queue->order;
    return order > context->unblocked_order ? order : context->unblocked_order;
}

static bool before(const struct vidsch_context *a, const struct vidsch_context *b)
{
    return a->priority > b->priority || (a->priority == b->priority && age(a) < age(b));
}

/* Most contexts that become ready are the youngest: the search starts from the list's end. */
void vidsch_node_ready(struct vidsch_context *context)
{
    struct vidsch_node *node = context->node;
    if (!node->ready || before(context, node->ready)) {
        DL_PREPEND(node->ready, context);
        return;
    }
    struct vidsch_context *place = node->ready->prev; /* the last one */
    while (before(context, place))
        place = place->prev;
    DL_APPEND_ELEM(node->ready, place, context);
}

void vidsch_node_unready(struct vidsch_context *context)
{
    DL_DELETE(context->node->ready, context);
}

void vidsch_node_report(struct vidsch_node *node)
{
    const struct vidsch_packet *running = node->hardware;
    enum probe_engine state = PROBE_ENGINE_IDLE;
    if (node->saving || (running && running->finished_ns == 0 && running->switch_ns &&
                         sim_now(node->vidsch->sim) < running->started_ns + running->switch_ns))
        state = PROBE_ENGINE_SWITCHING;
    else if (running)
        state = PROBE_ENGINE_BUSY;
    struct probe *probe = node->vidsch->probe;
    probe->engine(probe->self, sim_now(node->vidsch->sim), node->ordinal, state,
                  node->hardware_count, node->waiting);
}

static void packet_completed(struct vidsch_packet *packet)
{
    struct vidsch_context *context = packet->context;
    struct vidsch_node *node = context->node;
    struct vidsch *vidsch = node->vidsch;
    node->occupied--;
    context->in_flight--;
    if (context->drawing == packet)
        context->drawing = NULL;
    if (packet->kind == PROBE_RENDER)
        vidsch->memory.release(vidsch->memory.vidmm, packet);
    vidsch_packet_complete(packet);
    vidsch_node_dispatch(node);
}

static void start_next(struct vidsch_node *node);

static void state_saved(void *owner)
{
    struct vidsch_node *node = owner;
    node->saving = false;
    start_next(node);
}

static void save_state(struct vidsch_node *node)
{
    struct sim *sim = node->vidsch->sim;
    if (!node->profile->save_ns)
        return;
    node->saving = true;
    sim_timer_init(&node->save_timer, state_saved, node);
    sim_after(sim, &node->save_timer, node->profile->save_ns);
}

/* The engine stops; the next packet of its hardware queue starts without the processor's help, and
 * the interrupt leads the worker to complete this one. */
static void engine_stopped(void *owner)
{
    struct vidsch_packet *packet = owner;
    struct vidsch_node *node = packet->context->node;
    struct vidsch *vidsch = node->vidsch;
    uint64_t now = sim_now(vidsch->sim);
    packet->finished_ns = now;
    blame_switch(&packet->blame, PROBE_QUEUE, now);
    DL_DELETE(node->hardware, packet);
    node->hardware_count--;
    bool eager = vidsch->profile->scheduler.context_switch == PROFILE_EAGER;
    if (eager && !packet->context->system)
        save_state(node);
    start_next(node);
    vidsch_worker_add(vidsch, vidsch->profile->scheduler.complete_ns, packet, packet_completed);
}

void vidsch_packet_executed(struct vidsch_packet *packet)
{
    packet->execute_ns =
        sim_now(packet->context->vidsch->sim) - packet->started_ns - packet->switch_ns;
    engine_stopped(packet);
}

static void execute(void *owner)
{
    struct vidsch_packet *packet = owner;
    struct vidsch_node *node = packet->context->node;
    struct sim *sim = node->vidsch->sim;
    blame_switch(&packet->blame, PROBE_EXECUTE, sim_now(sim));
    vidsch_node_report(node);
    if (packet->execute) {
        packet->execute(packet->owner, packet);
        return;
    }
    sim_timer_init(&packet->timer, engine_stopped, packet);
    sim_after(sim, &packet->timer, packet->execute_ns);
}

static void start_next(struct vidsch_node *node)
{
    struct vidsch_packet *packet = node->hardware;
    if (!packet || node->saving) {
        vidsch_node_report(node);
        return;
    }
    struct sim *sim = node->vidsch->sim;
    packet->started_ns = sim_now(sim);
    if (packet->switch_ns == 0) {
        execute(packet);
        return;
    }
    blame_switch(&packet->blame, PROBE_SWITCH, packet->started_ns);
    vidsch_node_report(node);
    sim_timer_init(&packet->timer, execute, packet);
    sim_after(sim, &packet->timer, packet->switch_ns);
}

/* Lazy: a context's state stays on the engine until a packet of another one is placed behind it
 * (wddm.md §8.6); then it is saved, and the other's restored. Eager: every packet's state is
 * restored before and saved after it, whoever comes next. */
static void switch_context(struct vidsch_node *node, struct vidsch_packet *packet)
{
    struct vidsch *vidsch = node->vidsch;
    struct vidsch_context *to = packet->context, *from = node->loaded;
    if (to->system)
        return;
    bool eager = vidsch->profile->scheduler.context_switch == PROFILE_EAGER;
    const struct profile_node *profile = node->profile;
    if (from != to || eager)
        packet->switch_ns =
            profile->switch_ns + profile->restore_ns + (from && !eager ? profile->save_ns : 0);
    struct probe *probe = vidsch->probe;
    probe->context_switch(probe->self, sim_now(vidsch->sim), node->ordinal,
                          from ? from->id : UINT32_MAX, to->id, from != to || eager,
                          packet->switch_ns);
    node->loaded = to;
    if (from && from != to)
        vidsch->memory.unload(vidsch->memory.vidmm, from);
}

bool vidsch_unload_idle(struct vidsch *vidsch)
{
    bool any = false;
    for (uint32_t i = 0; i < vidsch->profile->node_count; i++) {
        struct vidsch_node *node = &vidsch->nodes[i];
        struct vidsch_context *context = node->loaded;
        if (!context || node->occupied || node->saving)
            continue;
        node->loaded = NULL;
        if (vidsch->profile->scheduler.context_switch !=
            PROFILE_EAGER) /* else it is saved already */
            save_state(node);
        vidsch_node_report(node);
        vidsch->memory.unload(vidsch->memory.vidmm, context);
        any = true;
    }
    return any;
}

static void place(struct vidsch_packet *packet)
{
    struct vidsch_node *node = packet->context->node;
    packet->placed_ns = sim_now(node->vidsch->sim);
    switch_context(node, packet);
    DL_APPEND(node->hardware, packet);
    node->hardware_count++;
    if (node->hardware == packet)
        start_next(node);
    else
        vidsch_node_report(node);
}

void vidsch_node_dispatch(struct vidsch_node *node)
{
    struct vidsch *vidsch = node->vidsch;
    while (node->ready && node->occupied < vidsch->profile->scheduler.queue_depth) {
        struct vidsch_context *context = node->ready;
        struct vidsch_packet *packet = context->queue;
        DL_DELETE(node->ready, context);
        context->state = VIDSCH_CONTEXT_PREPARING;
        if (packet->kind == PROBE_RENDER && !vidsch->memory.prepare(vidsch->memory.vidmm, packet))
            continue;
        node->occupied++;
        context->in_flight++;
        context->drawing = packet;
        vidsch_context_take(context);
        blame_switch(&packet->blame, PROBE_QUEUE, sim_now(vidsch->sim));
        vidsch_worker_add(vidsch, vidsch->profile->scheduler.submit_ns, packet, place);
        if (context->state == VIDSCH_CONTEXT_IDLE)
            vidsch_context_advance(context);
    }
}

void vidsch_prepared(struct vidsch_packet *packet)
{
    struct vidsch_context *context = packet->context;
    context->state = VIDSCH_CONTEXT_READY;
    vidsch_node_ready(context);
    vidsch_node_dispatch(context->node);
}

void vidsch_node_init(struct vidsch *vidsch, uint32_t ordinal)
{
    struct vidsch_node *node = &vidsch->nodes[ordinal];
    node->vidsch = vidsch;
    node->ordinal = ordinal;
    node->profile = &vidsch->profile->nodes[ordinal];
}
