/* Preemption: who may have an engine taken from whom, and what becomes of the packets. */
#include "model/vidsch/internal.h"

#include <utlist.h>

/* The reasons are those of the real scheduler (wddm.md §8.4). */
static enum probe_attempt attempt(struct vidsch_node *node, const struct vidsch_context *context)
{
    const struct vidsch_packet *packet = node->hardware;
    if (!packet || packet->kind == PROBE_NULL_SWITCH)
        return PROBE_ATTEMPT_NO_COMMAND;
    if (node->preempting)
        return PROBE_ATTEMPT_ALREADY_PREEMPTING;
    if (packet->context == context)
        return PROBE_ATTEMPT_ALREADY_RUNNING;
    if (packet->context->system)
        return PROBE_ATTEMPT_PAGING_COMMAND;
    if (node->profile->preemption == PROFILE_PREEMPT_NONE)
        return PROBE_ATTEMPT_NOT_ENABLED;
    vidsch_engine_charge(node);
    enum probe_attempt result = node->vidsch->policy->attempt(node, context, packet->context);
    if (result == PROBE_ATTEMPT_SUCCESS && packet->flips)
        return PROBE_ATTEMPT_PENDING_FLIP;
    return result;
}

enum probe_attempt vidsch_preempt_attempt(struct vidsch_node *node, struct vidsch_context *context)
{
    enum probe_attempt result = attempt(node, context);
    struct probe *probe = node->vidsch->probe;
    probe->attempt(probe->self, sim_now(node->vidsch->sim), node->number, context->id, result);
    return result;
}

struct vidsch_context *vidsch_preempt_for_placed(struct vidsch_node *node)
{
    const struct vidsch_packet *packet = node->hardware ? node->hardware->hardware_next : NULL;
    if (!packet || packet->kind == PROBE_NULL_SWITCH || packet->context->system ||
        attempt(node, packet->context) != PROBE_ATTEMPT_SUCCESS)
        return NULL;
    return packet->context;
}

static void ask_engine(void *owner)
{
    struct vidsch_node *node = owner;
    node->preemption.placed_ns = node->preemption.started_ns = sim_now(node->vidsch->sim);
    vidsch_engine_preempt(node);
}

void vidsch_preempt_begin(struct vidsch_node *node, struct vidsch_context *context,
                          struct vidsch_task *task)
{
    struct vidsch *vidsch = node->vidsch;
    node->preempting = true;
    node->preemption = (struct vidsch_packet){
        .kind = PROBE_PREEMPTION, .context = context, .queued_ns = sim_now(vidsch->sim)};
    context->held++;
    if (context != node->hardware->context)
        vidsch_wait_for(context->queue ? context->queue : context->taken, PROBE_PREEMPT,
                        vidsch_place_node(node));
    *task = (struct vidsch_task){
        .make = ask_engine,
        .owner = node,
        .packet = context->queue,
        .duration_ns = vidsch->policy->firmware ? 0 : vidsch->profile->scheduler.preempt_ns};
}

void vidsch_preempt_take_back(struct vidsch_node *node, bool preempted)
{
    while (node->hardware) {
        struct vidsch_packet *packet = node->hardware->hardware_prev; /* the last one */
        DL_DELETE2(node->hardware, packet, hardware_prev, hardware_next);
        node->hardware_count--;
        vidsch_node_free_slot(node);
        packet->preemptions += preempted;
        vidsch_node_release(packet);
        vidsch_context_hand_back(packet);
    }
}

void vidsch_preempt_over(struct vidsch_node *node)
{
    struct vidsch *vidsch = node->vidsch;
    node->preempting = node->stopping = false;
    vidsch_engine_serves(node, NULL);
    vidsch_packet_report(&node->preemption, sim_now(vidsch->sim));
    vidsch_context_let_go(node->preemption.context);
    vidsch_node_report(node);
    vidsch_node_look(node);
}

/* The DPC takes back what the engine was given. */
void vidsch_preempt_hand_back(void *owner)
{
    vidsch_preempt_take_back(owner, true);
    vidsch_preempt_over(owner);
}
