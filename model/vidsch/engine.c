/* Engines: what a node runs. It takes the packets of its hardware queue in order, switches contexts
 * in between, and when it is asked to stop it does so at the next boundary. */
#include "model/vidsch/internal.h"

#include <utlist.h>

static uint64_t now_of(const struct vidsch_node *node)
{
    return sim_now(node->vidsch->sim);
}

static bool is_eager(const struct vidsch_node *node)
{
    return node->vidsch->profile->scheduler.context_switch == PROFILE_EAGER;
}

static void set_engine(struct vidsch_node *node, enum vidsch_engine state)
{
    node->engine = state;
    vidsch_node_report(node);
}

static void wait_then(struct vidsch_node *node, uint64_t ns, void (*fire)(void *owner))
{
    sim_timer_init(&node->engine_timer, fire, node);
    sim_after(node->vidsch->sim, &node->engine_timer, ns);
}

/* Context switches are nobody's: who is charged for them may never get to run. */
void vidsch_engine_charge(struct vidsch_node *node)
{
    uint64_t now = now_of(node), ns = now - node->charged_ns;
    node->charged_ns = now;
    bool runs = node->engine == VIDSCH_ENGINE_RUNNING || node->engine == VIDSCH_ENGINE_STALLED;
    if (runs && !node->hardware->context->system)
        node->vidsch->policy->charge(node->hardware->context, ns);
}

static void start_next(struct vidsch_node *node);

/* The engine has stopped for whoever preempts it; its interrupt has the DPC take back what it was
 * given. */
static void stopped_for_good(struct vidsch_node *node)
{
    set_engine(node, VIDSCH_ENGINE_IDLE);
    vidsch_engine_serves(node, NULL);
    node->preemption.finished_ns = now_of(node);
    vidsch_dpc_interrupt(node->vidsch, &node->hand_back, NULL);
}

static void state_saved(void *owner)
{
    struct vidsch_node *node = owner;
    node->state_of = NULL;
    if (node->stopping)
        stopped_for_good(node);
    else
        start_next(node);
}

static void save_state(struct vidsch_node *node)
{
    if (!node->profile->save_ns) {
        state_saved(node);
        return;
    }
    set_engine(node, VIDSCH_ENGINE_SAVING);
    vidsch_serves(node->vidsch, vidsch_place_node(node), NULL);
    wait_then(node, node->profile->save_ns, state_saved);
}

/* The packet is finished. The next one starts without the processor's help. */
static void finished(void *owner)
{
    struct vidsch_node *node = owner;
    struct vidsch_packet *packet = node->hardware;
    struct vidsch *vidsch = node->vidsch;
    uint64_t now = now_of(node);
    vidsch_timeout_over(node);
    vidsch_engine_charge(node);
    packet->finished_ns = now;
    packet->remaining_ns = 0;
    vidsch_wait_for(packet, PROBE_QUEUE, vidsch_place_dpc(packet->context->vidsch));
    DL_DELETE2(node->hardware, packet, hardware_prev, hardware_next);
    node->hardware_count--;
    if (vidsch->policy->firmware)
        vidsch_node_free_slot(node);
    if (is_eager(node) && !packet->context->system)
        save_state(node);
    else if (node->stopping)
        stopped_for_good(node);
    else
        start_next(node);
    vidsch_packet_interrupt(packet);
    if (vidsch->policy->firmware)
        vidsch_node_look(node);
}

void vidsch_packet_executed(struct vidsch_packet *packet)
{
    struct vidsch_node *node = packet->context->node;
    packet->execute_ns = now_of(node) - packet->resumed_ns;
    finished(node);
}

/* The packet is at a boundary, unfinished. */
static void interrupted(void *owner)
{
    struct vidsch_node *node = owner;
    struct vidsch_packet *packet = node->hardware;
    uint64_t now = now_of(node);
    vidsch_timeout_over(node);
    vidsch_engine_charge(node);
    packet->remaining_ns -= now - packet->resumed_ns;
    packet->resumed_ns = now;
    const struct vidsch_context *by = node->preemption.context;
    const struct vidsch_packet *other = by == packet->context ? NULL : by->queue;
    vidsch_wait_for(packet, PROBE_PREEMPT,
                    other ? blame_thing(&other->blame) : probe_thing(PROBE_NOTHING, 0));
    save_state(node);
}

/* Boundaries lie a granule apart from the packet's beginning on; its end is one, too. */
static uint64_t to_boundary_ns(const struct vidsch_node *node, const struct vidsch_packet *packet)
{
    uint64_t remaining = packet->resumed_ns + packet->remaining_ns - now_of(node);
    uint64_t done = packet->execute_ns - remaining;
    uint64_t granule = packet->granule_ns ? packet->granule_ns : node->profile->granule_ns;
    if (node->profile->preemption <= PROFILE_PREEMPT_DMA_BUFFER && done)
        granule = packet->execute_ns;
    uint64_t beyond = granule ? done % granule : 0;
    uint64_t ns = beyond ? granule - beyond : 0;
    return ns < remaining ? ns : remaining;
}

void vidsch_engine_preempt(struct vidsch_node *node)
{
    struct vidsch_packet *packet = node->hardware;
    node->stopping = true;
    if (node->engine == VIDSCH_ENGINE_IDLE) {
        stopped_for_good(node); /* it has run dry meanwhile */
    } else if (node->engine == VIDSCH_ENGINE_RUNNING) {
        uint64_t boundary = now_of(node) + to_boundary_ns(node, packet);
        if (boundary < node->stretch_ends_ns) {
            sim_cancel(node->vidsch->sim, &node->engine_timer);
            wait_then(node, boundary - now_of(node), interrupted);
        } /* else its end is the first boundary, or it stalls before */
        vidsch_timeout_asked(node);
    } /* else the switch, saving, or the service of what it touched comes to its end first */
}

static void run_on(struct vidsch_node *node);

/* The packet waits for memory and keeps the engine: it can be stopped when that is there. */
static void stalled(void *owner)
{
    struct vidsch_node *node = owner;
    struct vidsch_packet *packet = node->hardware;
    vidsch_timeout_over(node);
    vidsch_engine_charge(node);
    packet->remaining_ns -= now_of(node) - packet->resumed_ns;
    packet->resumed_ns = now_of(node);
    set_engine(node, VIDSCH_ENGINE_STALLED);
    node->vidsch->memory.serve(packet);
}

void vidsch_packet_served(struct vidsch_packet *packet)
{
    struct vidsch_node *node = packet->context->node;
    vidsch_engine_charge(node);
    packet->resumed_ns = now_of(node);
    run_on(node);
    if (node->stopping)
        vidsch_engine_preempt(node);
}

/* To its end, or to where it stalls. */
static void run_on(struct vidsch_node *node)
{
    struct vidsch_packet *packet = node->hardware;
    uint64_t ns = packet->touches ? node->vidsch->memory.touch(packet) : UINT64_MAX;
    bool stalls = ns != UINT64_MAX;
    if (!stalls)
        ns = packet->remaining_ns;
    vidsch_wait_over(packet, PROBE_EXECUTE);
    set_engine(node, VIDSCH_ENGINE_RUNNING);
    node->stretch_ends_ns = now_of(node) + ns;
    wait_then(node, ns, stalls ? stalled : finished);
    vidsch_timeout_begin(node);
}

static void execute(void *owner)
{
    struct vidsch_node *node = owner;
    struct vidsch_packet *packet = node->hardware;
    packet->resumed_ns = node->charged_ns = now_of(node);
    if (packet->kind == PROBE_NULL_SWITCH)
        node->previous = UINT32_MAX;
    node->state_of =
        packet->kind == PROBE_NULL_SWITCH || packet->context->system ? NULL : packet->context;
    if (node->stopping) {
        interrupted(node);
        return;
    }
    if (!packet->execute) {
        run_on(node);
        return;
    }
    vidsch_wait_over(packet, PROBE_EXECUTE);
    set_engine(node, VIDSCH_ENGINE_RUNNING);
    packet->execute(packet->owner, packet);
}

/* Lazy: a context's state stays on the engine until another one's packet comes; then it is saved,
 * unless it was when the context was preempted, and the other's restored (wddm.md §8.6). Eager:
 * every packet's state is restored before and saved after it, whoever comes next. */
static uint64_t switch_ns(struct vidsch_node *node, const struct vidsch_packet *packet)
{
    const struct profile_node *profile = node->profile;
    const struct vidsch_context *to = packet->context;
    if (packet->kind == PROBE_NULL_SWITCH)
        return node->state_of ? profile->save_ns : 0;
    if (to->system || (node->state_of == to && !is_eager(node)))
        return 0;
    uint64_t save_ns = node->state_of && !is_eager(node) ? profile->save_ns : 0;
    return profile->switch_ns + profile->restore_ns + save_ns;
}

static void report_switch(struct vidsch_node *node, const struct vidsch_packet *packet, uint64_t ns)
{
    struct probe *probe = node->vidsch->probe;
    const struct vidsch_context *to = packet->context;
    if (to->system || packet->kind == PROBE_NULL_SWITCH)
        return;
    probe->context_switch(probe->self, now_of(node), node->number, node->previous, to->id,
                          node->state_of != to || is_eager(node), ns);
    node->previous = to->id;
}

static void start_next(struct vidsch_node *node)
{
    struct vidsch_packet *packet = node->hardware;
    if (!packet) {
        set_engine(node, VIDSCH_ENGINE_IDLE);
        vidsch_engine_serves(node, NULL);
        return;
    }
    uint64_t now = now_of(node), ns = switch_ns(node, packet);
    if (!packet->started)
        packet->started_ns = now;
    packet->started = true;
    packet->switch_ns += ns;
    report_switch(node, packet, ns);
    vidsch_engine_serves(node, packet);
    if (ns == 0) {
        execute(node);
        return;
    }
    vidsch_wait_over(packet, PROBE_SWITCH);
    set_engine(node, VIDSCH_ENGINE_SWITCHING);
    wait_then(node, ns, execute);
}

void vidsch_engine_placed(struct vidsch_node *node)
{
    if (node->engine == VIDSCH_ENGINE_IDLE && !node->stopping)
        start_next(node);
    else
        vidsch_node_report(node);
}

void vidsch_engine_reset(struct vidsch_node *node, void (*done)(void *node))
{
    struct vidsch_packet *packet = node->hardware;
    sim_cancel(node->vidsch->sim, &node->engine_timer);
    vidsch_engine_charge(node);
    packet->finished_ns = now_of(node);
    packet->remaining_ns -= packet->finished_ns - packet->resumed_ns;
    node->state_of = NULL;
    node->previous = UINT32_MAX;
    set_engine(node, VIDSCH_ENGINE_RESETTING);
    wait_then(node, node->vidsch->profile->scheduler.tdr_reset_ns, done);
}

void vidsch_engine_reset_over(struct vidsch_node *node)
{
    node->preemption.finished_ns = now_of(node);
    set_engine(node, VIDSCH_ENGINE_IDLE);
}

void vidsch_engine_init(struct vidsch_node *node)
{
    node->hand_back = (struct vidsch_task){
        .make = vidsch_preempt_hand_back,
        .owner = node,
        .duration_ns = node->vidsch->profile->scheduler.complete_ns,
    };
}
