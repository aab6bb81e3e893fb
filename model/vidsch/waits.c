/* Who waits for whom, as the probe is told: packets for their turn in a queue, for an engine, for
 * the worker or the DPC; and whom these serve meanwhile. */
#include "model/vidsch/internal.h"

static uint64_t now_of(const struct vidsch *vidsch)
{
    return sim_now(vidsch->sim);
}

void vidsch_wait_begin(struct vidsch_packet *packet)
{
    const struct vidsch_context *context = packet->context;
    struct vidsch *vidsch = context->vidsch;
    uint64_t now = now_of(vidsch);
    blame_begin(&packet->blame, PROBE_QUEUE, now);
    packet->blame.job = probe_begin(vidsch->probe, now,
                                    (struct probe_job){.kind = packet->kind,
                                                       .pid = context->process->pid,
                                                       .context = context->id,
                                                       .node = context->node->number});
}

void vidsch_wait_for(struct vidsch_packet *packet, enum probe_cause cause, struct probe_thing what)
{
    struct vidsch *vidsch = packet->context->vidsch;
    const struct blame *open = &packet->blame;
    if (open->cause == cause && open->what.kind == what.kind && open->what.id == what.id)
        return;
    blame_wait(&packet->blame, vidsch->probe, cause, what, now_of(vidsch));
}

void vidsch_wait_over(struct vidsch_packet *packet, enum probe_cause cause)
{
    vidsch_wait_for(packet, cause, probe_thing(PROBE_NOTHING, 0));
}

struct probe_thing vidsch_place_node(const struct vidsch_node *node)
{
    return probe_thing(PROBE_NODE, node->number);
}

struct probe_thing vidsch_place_worker(const struct vidsch_worker *worker)
{
    return probe_thing(PROBE_SCHEDULER, worker->place);
}

struct probe_thing vidsch_place_dpc(const struct vidsch *vidsch)
{
    return probe_thing(PROBE_SCHEDULER,
                       probe_scheduler(PROBE_SCHEDULER_DPC, vidsch->adapter.number));
}

void vidsch_serves(struct vidsch *vidsch, struct probe_thing place,
                   const struct vidsch_packet *packet)
{
    probe_wait(vidsch->probe, now_of(vidsch), place, PROBE_QUEUE,
               packet ? blame_thing(&packet->blame) : probe_thing(PROBE_NOTHING, 0));
}

void vidsch_engine_serves(struct vidsch_node *node, const struct vidsch_packet *packet)
{
    if (packet || node->stopping)
        vidsch_serves(node->vidsch, vidsch_place_node(node), packet);
    else
        probe_wait(node->vidsch->probe, now_of(node->vidsch), vidsch_place_node(node), PROBE_QUEUE,
                   vidsch_place_worker(node->placer));
}

/* Only those who stand behind it want to know. */
void vidsch_queue_serves_first(struct vidsch_context *context)
{
    if (context->queued < 2 || context->told == context->queue->id)
        return;
    context->told = context->queue->id;
    vidsch_serves(context->vidsch, probe_thing(PROBE_CONTEXT, context->id), context->queue);
}

void vidsch_wait_in_queue(struct vidsch_packet *packet)
{
    struct vidsch_context *context = packet->context;
    vidsch_queue_serves_first(context);
    packet->blocked_before_ns = vidsch_context_blocked_ns(context, now_of(context->vidsch));
    vidsch_wait_for(packet, PROBE_QUEUE, probe_thing(PROBE_CONTEXT, context->id));
}

/* Waits, signals and presents need the worker only, unless it is stuck with one who is before them.
 */
void vidsch_wait_turn(struct vidsch_packet *packet)
{
    const struct vidsch_node *node = packet->context->node;
    enum probe_cause cause =
        packet->blame.cause == PROBE_PREEMPT ? PROBE_PREEMPT : PROBE_QUEUE; /* until it is back */
    bool engine = vidsch_packet_is_dma(packet) || (node->stuck && !packet->context->apart);
    vidsch_wait_for(packet, cause,
                    engine ? vidsch_place_node(node) : vidsch_place_worker(&node->vidsch->worker));
}
