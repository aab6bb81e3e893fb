#include "model/vidsch/vidsch.h"

#include "model/vidsch/internal.h"

#include <stdlib.h>
#include <utlist.h>

struct vidsch *vidsch_create(struct sim *sim, const struct profile *profile, struct probe *probe)
{
    struct vidsch *vidsch = memory_new(1, sizeof *vidsch);
    vidsch->sim = sim;
    vidsch->profile = profile;
    vidsch->probe = probe;
    vidsch->nodes = memory_new(profile->node_count, sizeof *vidsch->nodes);
    for (uint32_t node = 0; node < profile->node_count; node++)
        vidsch_node_init(vidsch, node);
    vidsch->links.object_size = 2 * sizeof(void *);
    vidsch_worker_init(vidsch);
    return vidsch;
}

void vidsch_set_memory(struct vidsch *vidsch, const struct vidsch_memory *memory)
{
    vidsch->memory = *memory;
}

uint64_t vidsch_pending(const struct vidsch *vidsch)
{
    return vidsch->submitted - vidsch->completed;
}

const char *vidsch_check(const struct vidsch *vidsch)
{
    uint64_t pending = 0;
    const struct vidsch_context *context;
    const struct vidsch_packet *packet;
    DL_FOREACH2 (vidsch->contexts, context, all_next) {
        uint32_t queued = 0;
        DL_FOREACH (context->queue, packet)
            queued++;
        if (queued != context->queued)
            return "a context's software queue does not hold what was counted";
        pending += context->queued + context->in_flight;
    }
    if (pending != vidsch_pending(vidsch))
        return "packets queued are not packets completed plus packets pending";
    for (uint32_t i = 0; i < vidsch->profile->node_count; i++) {
        const struct vidsch_node *node = &vidsch->nodes[i];
        uint32_t placed = 0;
        DL_FOREACH (node->hardware, packet)
            placed++;
        if (placed != node->hardware_count || placed > node->occupied)
            return "a hardware queue does not hold what was counted";
        if (node->occupied > vidsch->profile->scheduler.queue_depth)
            return "a hardware queue holds more packets than its depth";
    }
    return NULL;
}

void vidsch_destroy(struct vidsch *vidsch)
{
    if (!vidsch)
        return;
    struct vidsch_context *context, *next;
    DL_FOREACH_SAFE2 (vidsch->contexts, context, next, all_next)
        free(context);
    memory_pool_fini(&vidsch->tasks);
    memory_pool_fini(&vidsch->links);
    free(vidsch->nodes);
    free(vidsch);
}
