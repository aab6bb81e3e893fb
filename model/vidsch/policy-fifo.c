/* Strict order, for closed forms: the highest level first, then whoever became ready first. A
 * higher level takes the engine from a lower one where the node can be preempted. */
#include "model/vidsch/internal.h"

static uint64_t age(const struct vidsch_context *context)
{
    uint64_t order = context->queue->id;
    return order > context->unblocked_order ? order : context->unblocked_order;
}

static int compare(const struct vidsch_context *a, const struct vidsch_context *b)
{
    if (a->level != b->level)
        return a->level > b->level ? -1 : 1;
    return (a->ready_order > b->ready_order) - (a->ready_order < b->ready_order);
}

RB_HEAD(vidsch_fifo, vidsch_context);
RB_PROTOTYPE(vidsch_fifo, vidsch_context, by_age, compare)
RB_GENERATE(vidsch_fifo, vidsch_context, by_age, compare)

static void *create(struct vidsch_node *node)
{
    (void)node;
    return memory_new(1, sizeof(struct vidsch_fifo));
}

static void ready(struct vidsch_context *context, bool again)
{
    (void)again;
    context->ready_order = age(context);
    RB_INSERT(vidsch_fifo, (struct vidsch_fifo *)context->node->ready, context);
}

static void unready(struct vidsch_context *context)
{
    RB_REMOVE(vidsch_fifo, (struct vidsch_fifo *)context->node->ready, context);
}

static struct vidsch_context *choose(struct vidsch_node *node)
{
    return RB_MIN(vidsch_fifo, (struct vidsch_fifo *)node->ready);
}

static enum probe_attempt attempt(struct vidsch_node *node, const struct vidsch_context *context,
                                  struct vidsch_context *running)
{
    (void)node;
    return context->level > running->level ? PROBE_ATTEMPT_SUCCESS : PROBE_ATTEMPT_LESS_PRIORITY;
}

static void charge(struct vidsch_context *context, uint64_t ns)
{
    (void)context, (void)ns;
}

const struct vidsch_policy vidsch_policy_fifo = {
    .summary = "the highest level, then the oldest packet: for closed forms",
    .apart = true,
    .create = create,
    .ready = ready,
    .unready = unready,
    .select = choose,
    .attempt = attempt,
    .charge = charge,
};
