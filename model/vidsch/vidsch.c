#include "model/vidsch/vidsch.h"

#include "model/vidsch/internal.h"

#include <stdlib.h>
#include <utlist.h>

struct vidsch *vidsch_create(struct sim *sim, const struct profile *profile, struct probe *probe)
{
    return vidsch_create_on(&(struct probe_adapter){0}, sim, profile, probe);
}

const struct probe_adapter *vidsch_adapter(const struct vidsch *vidsch)
{
    return &vidsch->adapter;
}

struct vidsch *vidsch_create_on(const struct probe_adapter *adapter, struct sim *sim,
                                const struct profile *profile, struct probe *probe)
{
    struct vidsch *vidsch = memory_new(1, sizeof *vidsch);
    vidsch->sim = sim;
    vidsch->profile = profile;
    vidsch->probe = probe;
    vidsch->adapter = *adapter;
    vidsch->policy = vidsch_policies[profile_policy(profile)];
    vidsch->links.object_size = 2 * sizeof(void *);
    vidsch_worker_init(&vidsch->worker, vidsch,
                       probe_scheduler(PROBE_SCHEDULER_WORKER, adapter->number));
    vidsch_dpc_init(vidsch);
    vidsch_timeout_init(vidsch);
    vidsch->nodes = memory_new(profile->node_count, sizeof *vidsch->nodes);
    for (uint32_t node = 0; node < profile->node_count; node++)
        vidsch_node_init(vidsch, node);
    return vidsch;
}

void vidsch_set_memory(struct vidsch *vidsch, const struct vidsch_memory *memory)
{
    vidsch->memory = *memory;
}

void vidsch_set_hung(struct vidsch *vidsch,
                     void (*hung)(void *owner, struct vidsch_context *context), void *owner)
{
    vidsch->hung = hung;
    vidsch->hung_owner = owner;
}

uint64_t vidsch_pending(const struct vidsch *vidsch)
{
    return vidsch->submitted - vidsch->completed;
}

static uint32_t count(const struct vidsch_packet *list)
{
    uint32_t count = 0;
    const struct vidsch_packet *packet;
    DL_FOREACH (list, packet)
        count++;
    return count;
}

static const char *check_context(const struct vidsch_context *context, uint64_t *stay_ns)
{
    uint64_t now = sim_now(context->vidsch->sim);
    uint32_t in_flight = 0;
    const struct vidsch_packet *packet;
    DL_FOREACH (context->queue, packet) {
        *stay_ns += now - packet->queued_ns;
        in_flight += packet->prepared;
    }
    DL_FOREACH (context->taken, packet) {
        *stay_ns += now - packet->queued_ns;
        in_flight += vidsch_packet_is_dma(packet);
    }
    if (count(context->queue) != context->queued)
        return "a context's software queue does not hold what was counted";
    if (in_flight != context->in_flight)
        return "a context has not as many packets in flight as were counted";
    if (count(context->taken) + context->queued != context->uncompleted)
        return "a context's packets are not those queued plus those taken";
    if (!context->aborted && (context->state == VIDSCH_CONTEXT_IDLE) != (context->queue == NULL))
        return "a context is idle with packets queued, or waits without";
    return NULL;
}

static const char *check_node(const struct vidsch_node *node)
{
    uint32_t placed = 0;
    const struct vidsch_packet *packet;
    DL_FOREACH2 (node->hardware, packet, hardware_next)
        placed++;
    if (placed != node->hardware_count || placed > node->occupied)
        return "a hardware queue does not hold what was counted";
    if (node->occupied > node->vidsch->profile->scheduler.queue_depth)
        return "a hardware queue holds more packets than its depth";
    if (node->engine == VIDSCH_ENGINE_IDLE && node->hardware && !node->stopping)
        return "an engine is idle with packets in its hardware queue";
    return NULL;
}

/* Little's law holds as an identity: packets present, integrated over time, are the times that
 * they stayed. */
static const char *check_little(const struct vidsch *vidsch, uint64_t stay_ns)
{
    uint64_t now = sim_now(vidsch->sim);
    uint64_t presence_ns =
        vidsch->presence_ns + vidsch_pending(vidsch) * (now - vidsch->presence_since_ns);
    return presence_ns != vidsch->stayed_ns + stay_ns
               ? "Little's law: packets present over time are not the times that they stayed"
               : NULL;
}

const char *vidsch_check(const struct vidsch *vidsch)
{
    uint64_t pending = 0, stay_ns = 0;
    const char *wrong = NULL;
    const struct vidsch_context *context;
    DL_FOREACH2 (vidsch->contexts, context, all_next) {
        wrong = wrong ? wrong : check_context(context, &stay_ns);
        pending += context->uncompleted;
    }
    if (!wrong && pending != vidsch_pending(vidsch))
        wrong = "packets queued are not packets completed plus packets pending";
    for (uint32_t i = 0; i < vidsch->profile->node_count && !wrong; i++)
        wrong = check_node(&vidsch->nodes[i]);
    wrong = wrong ? wrong : vidsch_flip_queue_check(vidsch);
    return wrong ? wrong : check_little(vidsch, stay_ns);
}

void vidsch_destroy(struct vidsch *vidsch)
{
    if (!vidsch)
        return;
    vidsch_flip_queues_free(vidsch);
    struct vidsch_context *context, *next;
    DL_FOREACH_SAFE2 (vidsch->contexts, context, next, all_next)
        free(context);
    struct vidsch_process *process, *next_process;
    HASH_ITER (hh, vidsch->processes, process, next_process)
        vidsch_process_free(vidsch, process);
    for (uint32_t i = 0; i < vidsch->profile->node_count; i++)
        free(vidsch->nodes[i].ready);
    memory_pool_fini(&vidsch->links);
    free(vidsch->nodes);
    free(vidsch);
}
