/* Packets: queued, completed, and the barriers that wait for them. */
#include "model/vidsch/internal.h"

#include <utlist.h>

bool vidsch_packet_is_dma(const struct vidsch_packet *packet)
{
    return packet->kind == PROBE_RENDER || packet->kind == PROBE_PAGING ||
           packet->kind == PROBE_NULL_SWITCH;
}

struct vidsch_barrier_link {
    struct vidsch_barrier *barrier;
    struct vidsch_barrier_link *next;
};

void vidsch_barrier_attach(struct vidsch_barrier *barrier, struct vidsch_packet *packet)
{
    if (!packet)
        return;
    struct vidsch_barrier_link *link = memory_pool_take(&packet->context->vidsch->links);
    link->barrier = barrier;
    link->next = packet->barriers;
    packet->barriers = link;
    barrier->left++;
}

/* Packets of one sort of one context complete in order: behind the youngest all of them have. */
void vidsch_barrier_add(struct vidsch_barrier *barrier, struct vidsch_context *context)
{
    for (int order = 0; order < VIDSCH_ORDERS; order++)
        vidsch_barrier_attach(barrier, context->last[order]);
}

void vidsch_barrier_arm(struct vidsch_barrier *barrier)
{
    if (--barrier->left == 0)
        barrier->passed(barrier->owner);
}

/* In the order they were attached: who waits longer for the same packets hears of it first. */
static void pass_barriers(struct vidsch *vidsch, struct vidsch_barrier_link *youngest,
                          struct probe_thing last)
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
        barrier->last = last;
        vidsch_barrier_arm(barrier);
        link = next;
    }
}

/* Waits pass whatever their context still has on the engine, and so do flips. All other packets
 * complete in the order of the queue. */
static enum vidsch_order order_of(const struct vidsch_packet *packet)
{
    if (packet->kind == PROBE_WAIT)
        return VIDSCH_ORDER_WAITS;
    return packet->flip ? VIDSCH_ORDER_FLIPS : VIDSCH_ORDER_OTHERS;
}

/* Little's law as an identity: the number of packets present, summed over time, is the sum of the
 * times that they stayed. */
static void account_presence(struct vidsch *vidsch, uint64_t now)
{
    vidsch->presence_ns += vidsch_pending(vidsch) * (now - vidsch->presence_since_ns);
    vidsch->presence_since_ns = now;
}

void vidsch_submit(struct vidsch_context *context, struct vidsch_packet *packet)
{
    struct vidsch *vidsch = context->vidsch;
    uint64_t now = sim_now(vidsch->sim);
    packet->context = context;
    packet->id = ++vidsch->order;
    packet->queued_ns = now;
    packet->placed_ns = packet->started_ns = packet->finished_ns = 0;
    packet->started = false;
    packet->switch_ns = 0;
    packet->remaining_ns = packet->execute_ns;
    packet->preemptions = 0;
    packet->flips = 0;
    packet->without_memory = packet->prepared = packet->dropped = false;
    packet->barriers = NULL;
    packet->blocked_before_ns = vidsch_context_blocked_ns(context, now);
    vidsch_wait_begin(packet);
    DL_APPEND(context->queue, packet);
    context->queued++;
    context->uncompleted++;
    context->node->waiting++;
    vidsch_node_report(context->node);
    context->last[order_of(packet)] = packet;
    if (packet->kind == PROBE_PRESENT)
        vidsch_flip_queue_submit(packet);
    account_presence(vidsch, now);
    vidsch->submitted++;
    if (context->state == VIDSCH_CONTEXT_IDLE)
        vidsch_context_advance(context);
    else
        vidsch_wait_in_queue(packet);
}

void vidsch_packet_report(const struct vidsch_packet *packet, uint64_t now)
{
    const struct vidsch_context *context = packet->context;
    const struct vidsch *vidsch = context->vidsch;
    vidsch->probe->packet(vidsch->probe->self, now,
                          &(struct probe_packet){
                              .job = packet->blame.job,
                              .kind = packet->kind,
                              .context = context->id,
                              .node = context->node->number,
                              .queued_ns = packet->queued_ns,
                              .placed_ns = packet->placed_ns,
                              .started_ns = packet->started_ns,
                              .finished_ns = packet->finished_ns,
                              .completed_ns = now,
                              .execute_ns = packet->execute_ns,
                              .switch_ns = packet->switch_ns,
                              .references = packet->reference_count,
                              .hits = packet->hits,
                              .dropped = packet->dropped,
                              .preemptions = packet->preemptions,
                          });
}

void vidsch_packet_complete(struct vidsch_packet *packet)
{
    struct vidsch_context *context = packet->context;
    struct vidsch *vidsch = context->vidsch;
    uint64_t now = sim_now(vidsch->sim);
    blame_end(&packet->blame, now);
    account_presence(vidsch, now);
    vidsch->completed++;
    vidsch->stayed_ns += now - packet->queued_ns;
    if (context->last[order_of(packet)] == packet)
        context->last[order_of(packet)] = NULL;
    struct vidsch_barrier_link *barriers = packet->barriers;
    struct probe_thing job = blame_thing(&packet->blame);
    packet->barriers = NULL;
    vidsch_packet_report(packet, now);
    context->held++; /* whoever hears of the completion may destroy the context */
    packet->completed(packet->owner, packet);
    pass_barriers(vidsch, barriers, job);
    context->uncompleted--;
    vidsch_context_let_go(context);
}

static void complete_taken(void *owner);

/* What was taken behind a packet that has completed follows it, unless it is itself on an engine.
 */
static void complete_next(struct vidsch_context *context)
{
    const struct profile_scheduler *scheduler = &context->vidsch->profile->scheduler;
    struct vidsch_packet *packet;
    while ((packet = context->taken) && !vidsch_packet_is_dma(packet)) {
        uint64_t ns = packet->kind == PROBE_SIGNAL ? scheduler->complete_signal_ns
                                                   : scheduler->complete_present_ns;
        if (ns) {
            packet->task = (struct vidsch_task){
                .make = complete_taken, .owner = packet, .packet = packet, .duration_ns = ns};
            vidsch_wait_for(packet, PROBE_QUEUE, vidsch_place_dpc(packet->context->vidsch));
            vidsch_dpc_next(context->vidsch, &packet->task);
            return;
        }
        DL_DELETE(context->taken, packet);
        vidsch_packet_conclude(packet);
    }
}

static void drop_what_is_behind(const struct vidsch_context *context)
{
    if (context->aborted && context->queue)
        vidsch_drop_soon(context->vidsch);
}

static void complete_taken(void *owner)
{
    struct vidsch_packet *packet = owner;
    struct vidsch_context *context = packet->context;
    context->held++;
    DL_DELETE(context->taken, packet);
    vidsch_packet_conclude(packet);
    complete_next(context);
    drop_what_is_behind(context);
    vidsch_context_let_go(context);
}

void vidsch_packet_conclude(struct vidsch_packet *packet)
{
    if (packet->kind == PROBE_SIGNAL)
        vidsch_signal_complete(packet);
    else if (packet->kind == PROBE_PRESENT)
        vidsch_present_complete(packet);
    else
        vidsch_packet_complete(packet);
}

void vidsch_packet_taken(struct vidsch_packet *packet)
{
    struct vidsch_context *context = packet->context;
    if (!context->taken) {
        vidsch_packet_conclude(packet);
        return;
    }
    vidsch_wait_for(packet, PROBE_QUEUE, blame_thing(&context->taken->prev->blame));
    DL_APPEND(context->taken, packet);
}

/* The DPC is done with a packet that an engine has run. */
static void complete_stopped(void *owner)
{
    struct vidsch_packet *packet = owner;
    struct vidsch_context *context = packet->context;
    struct vidsch_node *node = context->node;
    struct vidsch *vidsch = node->vidsch;
    if (!vidsch->policy->firmware)
        vidsch_node_free_slot(node);
    if (packet->kind == PROBE_NULL_SWITCH) {
        vidsch_packet_report(packet, sim_now(vidsch->sim));
        packet->context = NULL;
        vidsch->memory.unload(vidsch->memory.vidmm, context);
        vidsch_context_let_go(context);
    } else {
        context->held++;
        DL_DELETE(context->taken, packet);
        vidsch_node_release(packet);
        vidsch_packet_complete(packet);
        complete_next(context);
        drop_what_is_behind(context);
        vidsch_context_let_go(context);
    }
    vidsch_node_look(node);
}

/* Flips that wait for the packet are programmed by the DPC before anybody hears of its end. */
void vidsch_packet_interrupt(struct vidsch_packet *packet)
{
    struct vidsch *vidsch = packet->context->vidsch;
    const struct profile_scheduler *scheduler = &vidsch->profile->scheduler;
    packet->task = (struct vidsch_task){
        .make = complete_stopped,
        .owner = packet,
        .packet = packet,
        .duration_ns = scheduler->complete_ns + packet->flips * scheduler->flip_ns,
    };
    vidsch_dpc_interrupt(vidsch, &packet->task,
                         packet->interrupt_known ? &packet->interrupt_ns : NULL);
}
