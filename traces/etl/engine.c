/* What the engines did: DMA packets (175, 176) joined to the packets of the software queues (178,
 * 244, 245 to 180).
 *
 * The engine of a node runs its DMA packets in turn, but the next one may be handed over while one
 * still runs, so a packet's own time is its stop minus the later of its start and the stop before
 * it on that node. A queue packet that was preempted has several DMA packets. */
#include "traces/etl/import.h"

struct piece {
    struct etl_packet *packet; /* NULL: its queue packet is not recorded */
    uint64_t start_ns;
};

static struct etl_node *node_of(struct etl_import *import, uint64_t context, uint32_t *number)
{
    uintptr_t known = (uintptr_t)trace_map_get(&import->context_node, context, 0);
    *number = known == 0 ? NODE_UNKNOWN : (uint32_t)(known - 1);
    return &import->nodes[*number < NODES_MAX ? *number : NODES_MAX];
}

static void queue_start(struct etl_import *import, struct trace_map *queue,
                        const struct etl_event *event, const struct etl_values *values)
{
    struct etl_packet *packet = etl_take(import, 1, sizeof *packet);
    struct etl_packet **grown = etl_grow(import, import->packets, import->packet_count,
                                         &import->packet_capacity, sizeof(struct etl_packet *));
    if (grown != NULL)
        import->packets = grown;
    if (packet == NULL || grown == NULL)
        return;
    packet->start_ns = event->t_ns;
    packet->stop_ns = NEVER;
    packet->type = event->id == ID_QUEUE_WAIT     ? QUEUE_WAIT
                   : event->id == ID_QUEUE_SIGNAL ? QUEUE_SIGNAL
                                                  : (uint32_t)etl_get(values, ETL_PacketType);
    import->packets[import->packet_count++] = packet;
    etl_put(import, queue, etl_get(values, ETL_hContext), etl_get(values, ETL_SubmitSequence),
            packet);
}

static void queue_stop(struct etl_import *import, const struct trace_map *queue,
                       const struct etl_event *event, const struct etl_values *values)
{
    struct etl_packet *packet =
        trace_map_get(queue, etl_get(values, ETL_hContext), etl_get(values, ETL_SubmitSequence));
    if (packet == NULL || packet->stop_ns != NEVER) {
        import->tally.queue_stops_unpaired++;
        return;
    }
    packet->stop_ns = event->t_ns;
    if (packet->type < QUEUE_TYPES)
        trace_samples_add(&import->facts, &import->queue_ns[packet->type],
                          packet->stop_ns - packet->start_ns);
}

/* Counts contexts with work of their own, and those that carry preemption packets only. */
static void count_context(struct etl_import *import, uint64_t context, uint64_t type)
{
    static char worked, preempted;
    void *before = trace_map_get(&import->engine_contexts, context, 0);
    if (before == &worked || (before == &preempted && type == DMA_PREEMPTION))
        return;
    if (type == DMA_PREEMPTION) {
        import->tally.contexts_preemption_only++;
    } else {
        import->tally.contexts_with_engine_work++;
        import->tally.contexts_preemption_only -= before == &preempted;
    }
    etl_put(import, &import->engine_contexts, context, 0,
            type == DMA_PREEMPTION ? &preempted : &worked);
}

static void dma_start(struct etl_import *import, struct trace_map *pieces,
                      const struct trace_map *queue, const struct etl_event *event,
                      const struct etl_values *values)
{
    struct piece *piece = etl_take(import, 1, sizeof *piece);
    if (piece == NULL)
        return;
    piece->start_ns = event->t_ns;
    /* The context whose queue it came from, where that is another one than it runs on. */
    uint64_t context = etl_get(values, ETL_hQueuePacketContext);
    piece->packet = trace_map_get(queue, context != 0 ? context : etl_get(values, ETL_hContext),
                                  etl_get(values, ETL_ulQueueSubmitSequence));
    uint64_t type = etl_get(values, ETL_PacketType);
    if (piece->packet == NULL && type != DMA_PREEMPTION)
        import->tally.dma_without_queue_packet++;
    count_context(import, etl_get(values, ETL_hContext), type);
    import->tally.dma_unfinished++;
    etl_put(import, pieces, etl_get(values, ETL_hContext), etl_get(values, ETL_uliSubmissionId),
            piece);
}

static void dma_stop(struct etl_import *import, struct trace_map *pieces,
                     const struct etl_event *event, const struct etl_values *values)
{
    uint64_t context = etl_get(values, ETL_hContext);
    uint64_t id = etl_get(values, ETL_uliCompletionId);
    uint64_t type = etl_get(values, ETL_PacketType);
    struct piece *piece = trace_map_get(pieces, context, id);
    if (piece == NULL) {
        import->tally.dma_stops_unpaired++;
        return;
    }
    etl_put(import, pieces, context, id, NULL);
    import->tally.dma_unfinished--;
    if (type < DMA_TYPES) {
        import->tally.dma_packets[type]++;
        trace_samples_add(&import->facts, &import->dma_ns[type], event->t_ns - piece->start_ns);
    }
    import->tally.dma_preempted += etl_get(values, ETL_bPreempted) != 0;

    uint32_t number;
    struct etl_node *node = node_of(import, context, &number);
    bool idle = piece->start_ns >= node->last_stop_ns;
    bool other = node->seen && node->last_context != context;
    uint64_t engine_ns = event->t_ns - (idle ? piece->start_ns : node->last_stop_ns);
    if (piece->packet != NULL) {
        piece->packet->gpu_ns += engine_ns;
        piece->packet->pieces++;
        piece->packet->node = number;
        piece->packet->switches += other && number < NODES_MAX;
    }
    if (type == DMA_RENDER && idle && node->seen)
        trace_samples_add(&import->facts, other ? &node->other : &node->same, engine_ns);
    node->last_stop_ns = event->t_ns;
    node->last_context = context;
    node->seen = true;
}

/* How much of a packet's engine time is the switch to its context cannot be read off one packet,
 * but off many: packets that found the engine idle differ only in whether it last ran their own
 * context, so the shortest of either kind differ by the switch. The 1 % quantile stands for the
 * shortest: the minimum is a single event, and from 5 % on the two differ more by what work they
 * are than by the switch (other contexts' packets follow each other at frame boundaries, with
 * clears and copies). Below a hundred packets of each kind there is no 1 % quantile. */
static void estimate_switch(struct etl_node *node)
{
    enum { ENOUGH = 100 };
    static const double SHORTEST = 0.01;
    if (node->same.count < ENOUGH || node->other.count < ENOUGH)
        return;
    uint64_t same = trace_samples_quantile(&node->same, SHORTEST);
    uint64_t other = trace_samples_quantile(&node->other, SHORTEST);
    node->switch_ns = other > same ? other - same : 0;
}

void etl_learn_engines(struct etl_import *import)
{
    struct trace_map queue = {0}, pieces = {0};
    struct etl_values values;
    for (size_t i = 0; i < import->records.count && !import->failed; i++) {
        const struct etl_event *event = &import->records.items[i];
        if (event->id < ID_DMA_START || event->id > ID_QUEUE_SIGNAL ||
            !etl_decode_event(event, &values))
            continue;
        switch (event->id) {
        case ID_QUEUE_START:
        case ID_QUEUE_WAIT:
        case ID_QUEUE_SIGNAL:
            queue_start(import, &queue, event, &values);
            break;
        case ID_QUEUE_STOP:
            queue_stop(import, &queue, event, &values);
            break;
        case ID_DMA_START:
            dma_start(import, &pieces, &queue, event, &values);
            break;
        case ID_DMA_STOP:
            dma_stop(import, &pieces, event, &values);
            break;
        default:
            break;
        }
    }
    trace_map_free(&queue);
    trace_map_free(&pieces);
    for (size_t i = 0; i < NODES_MAX; i++)
        estimate_switch(&import->nodes[i]);
}
