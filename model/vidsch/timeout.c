/* Time-outs (TDR, wddm.md §8.7): an engine that was asked to stop, by whoever wants it or because
 * its packet runs for so long, and does not for `scheduler.tdr-delay`, is reset. The device whose
 * packet it ran is in error: that packet is dropped and all it has queued. The others' packets are
 * handed over again. Paging packets do not time out. */
#include "model/vidsch/internal.h"

static uint64_t now_of(const struct vidsch *vidsch)
{
    return sim_now(vidsch->sim);
}

static void nothing(void *owner)
{
    (void)owner;
}

/* The packet completes as if it had run, but for what it was to do. The worker may be at it. */
static void drop(struct vidsch_packet *packet)
{
    struct vidsch *vidsch = packet->context->vidsch;
    struct vidsch_worker *worker = &vidsch->worker;
    if (worker->state == VIDSCH_WORKING && worker->task.owner == packet)
        worker->task.make = nothing;
    if (packet->prepared)
        vidsch_node_release(packet);
    vidsch_context_settle_blame(packet, now_of(vidsch));
    vidsch_context_take(packet->context);
    packet->dropped = true;
    if (vidsch_packet_is_dma(packet)) {
        packet->execute_ns -= packet->remaining_ns;
        if (!packet->placed_ns) /* else it was there, and was taken back */
            packet->placed_ns = now_of(vidsch);
        if (!packet->started)
            packet->started_ns = now_of(vidsch);
        if (!packet->finished_ns)
            packet->finished_ns = now_of(vidsch);
    }
    if (packet->kind == PROBE_PRESENT)
        vidsch_flip_queue_abandon(packet);
    if (packet->kind == PROBE_SIGNAL)
        vidsch_signal_complete(packet);
    else
        vidsch_packet_complete(packet);
}

/* In their order: what an engine or VidMm has comes first. */
static void drop_queue(struct vidsch_context *context)
{
    while (context->queue && !context->taken && context->state == VIDSCH_CONTEXT_IDLE)
        drop(context->queue);
}

/* Whoever hears of a packet's end may destroy contexts, but not the one that is held. */
static void drop_queues(void *owner)
{
    struct vidsch *vidsch = owner;
    struct vidsch_context *context = vidsch->contexts;
    while (context) {
        context->held++;
        if (context->aborted)
            drop_queue(context);
        struct vidsch_context *next = context->all_next;
        vidsch_context_let_go(context);
        context = next;
    }
}

void vidsch_drop_soon(struct vidsch *vidsch)
{
    if (!sim_timer_pending(&vidsch->drop))
        sim_after(vidsch->sim, &vidsch->drop, 0);
}

void vidsch_context_abort(struct vidsch_context *context)
{
    context->aborted = context->flushed = true;
    if (context->state == VIDSCH_CONTEXT_BLOCKED)
        vidsch_context_stop_waiting(context);
    else if (context->state == VIDSCH_CONTEXT_AHEAD)
        context->state = VIDSCH_CONTEXT_IDLE;
    else if (context->state == VIDSCH_CONTEXT_READY)
        vidsch_context_unready(context, VIDSCH_CONTEXT_IDLE);
    vidsch_drop_soon(context->vidsch);
}

/* What was on the engine is lost, the state of the context in front of it too. */
static void reset_over(void *owner)
{
    struct vidsch_node *node = owner;
    struct vidsch *vidsch = node->vidsch;
    struct vidsch_context *hung = node->hardware->context, *loaded = node->loaded;
    hung->held++;
    if (vidsch->hung)
        vidsch->hung(vidsch->hung_owner, hung);
    else
        vidsch_context_abort(hung);
    node->loaded = NULL;
    vidsch_engine_reset_over(node);
    vidsch_preempt_take_back(node, false);
    if (loaded)
        vidsch->memory.unload(vidsch->memory.vidmm, loaded);
    vidsch_preempt_over(node);
    vidsch_context_let_go(hung);
}

static void timed_out(void *owner)
{
    struct vidsch_node *node = owner;
    struct probe *probe = node->vidsch->probe;
    if (probe->reset)
        probe->reset(probe->self, now_of(node->vidsch), node->number, node->hardware->context->id);
    vidsch_engine_reset(node, reset_over);
}

static void has_run_for_long(void *owner)
{
    struct vidsch_node *node = owner;
    node->overdue = true;
    vidsch_node_look(node);
}

static void watch(struct vidsch_node *node, uint64_t ns, void (*fire)(void *owner))
{
    struct sim *sim = node->vidsch->sim;
    vidsch_timeout_over(node);
    if (!ns || !node->vidsch->profile->scheduler.tdr_delay_ns ||
        node->hardware->kind != PROBE_RENDER)
        return;
    sim_timer_init(&node->watch, fire, node);
    sim_after(sim, &node->watch, ns);
}

void vidsch_timeout_begin(struct vidsch_node *node)
{
    const struct profile_scheduler *scheduler = &node->vidsch->profile->scheduler;
    if (node->engine == VIDSCH_ENGINE_RUNNING &&
        node->hardware->remaining_ns > scheduler->tdr_permitted_ns)
        watch(node, scheduler->tdr_permitted_ns, has_run_for_long);
}

void vidsch_timeout_asked(struct vidsch_node *node)
{
    watch(node, node->vidsch->profile->scheduler.tdr_delay_ns, timed_out);
}

void vidsch_timeout_over(struct vidsch_node *node)
{
    node->overdue = false;
    if (sim_timer_pending(&node->watch))
        sim_cancel(node->vidsch->sim, &node->watch);
}

bool vidsch_timeout_preempts(struct vidsch_node *node, struct vidsch_task *task)
{
    if (!node->overdue || node->preempting)
        return false;
    vidsch_preempt_begin(node, node->hardware->context, task);
    return true;
}

void vidsch_timeout_node_init(struct vidsch_node *node)
{
    sim_timer_init(&node->watch, timed_out, node);
}

void vidsch_timeout_init(struct vidsch *vidsch)
{
    sim_timer_init(&vidsch->drop, drop_queues, vidsch);
}
