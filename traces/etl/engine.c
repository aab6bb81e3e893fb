/* What the engines did: DMA packets (175 to 177) joined to the packets of the software queues (178,
 * 244, 245 to 180).
 *
 * The engine of a node runs its DMA packets in turn, but the next one may be handed over while one
 * still runs, so a packet's own time is its stop minus the later of its start and the stop before
 * it on that node. It is handed over when the driver's call that does it returns, and it stops when
 * the interrupt comes (177; the DPC reports it later, 176). Where calls or interrupts are not
 * recorded, what brackets them has to do. A queue packet that was preempted has several DMA
 * packets. */
#include "traces/etl/import.h"

/* Profiler functions. */
enum { DDI_SUBMIT = 5013, DDI_NOTIFY_DPC = 5043, DDI_SUBMIT_VIRTUAL = 5063 };

struct piece {
    struct etl_packet *packet; /* NULL: its queue packet is not recorded */
    uint64_t start_ns;         /* 175: just before it was handed over */
    uint64_t handed_ns;
    uint64_t driver_ns;    /* of the call that did it; NEVER: not recorded */
    uint64_t interrupt_ns; /* NEVER: none yet */
};

/* The maps of the pass. */
struct pass {
    struct trace_map queue;   /* (context, queue sequence): packet */
    struct trace_map pieces;  /* (context, submission): piece */
    struct trace_map threads; /* thread: the piece that it is handing over */
    struct trace_map dpcs;    /* thread: the DPC it is in, or was in last */
    size_t next_call;
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
    packet->stop_ns = packet->driver_ns = packet->interrupt_ns = NEVER;
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

static void dma_start(struct etl_import *import, struct pass *pass, const struct etl_event *event,
                      const struct etl_values *values)
{
    struct piece *piece = etl_take(import, 1, sizeof *piece);
    if (piece == NULL)
        return;
    piece->start_ns = piece->handed_ns = event->t_ns;
    piece->driver_ns = piece->interrupt_ns = NEVER;
    /* The context whose queue it came from, where that is another one than it runs on. */
    uint64_t context = etl_get(values, ETL_hQueuePacketContext);
    piece->packet =
        trace_map_get(&pass->queue, context != 0 ? context : etl_get(values, ETL_hContext),
                      etl_get(values, ETL_ulQueueSubmitSequence));
    uint64_t type = etl_get(values, ETL_PacketType);
    if (piece->packet == NULL && type != DMA_PREEMPTION)
        import->tally.dma_without_queue_packet++;
    count_context(import, etl_get(values, ETL_hContext), type);
    import->tally.dma_unfinished++;
    etl_put(import, &pass->pieces, etl_get(values, ETL_hContext),
            etl_get(values, ETL_uliSubmissionId), piece);
    etl_put(import, &pass->threads, event->tid, 0, piece);
}

/* The driver's call that hands a DMA packet over follows on the same thread. */
static void enter_call(struct etl_import *import, struct pass *pass, const struct etl_event *event,
                       const struct etl_values *values)
{
    if (!etl_has(values, ETL_Function) || pass->next_call == import->call_count)
        return;
    struct etl_call *call = &import->calls[pass->next_call++];
    if (call->function == DDI_NOTIFY_DPC)
        etl_put(import, &pass->dpcs, event->tid, 0, call);
    struct piece *piece = trace_map_get(&pass->threads, event->tid, 0);
    bool submits = call->function == DDI_SUBMIT || call->function == DDI_SUBMIT_VIRTUAL;
    if (piece == NULL || !submits || call->stop_ns == NEVER)
        return;
    piece->handed_ns = call->stop_ns;
    piece->driver_ns = call->stop_ns - call->start_ns;
    etl_put(import, &pass->threads, event->tid, 0, NULL);
}

/* How long after its interrupt the DPC took the piece up: it may be at work already. */
static uint64_t to_dpc_ns(const struct pass *pass, const struct piece *piece,
                          const struct etl_event *stop)
{
    const struct etl_call *dpc = trace_map_get(&pass->dpcs, stop->tid, 0);
    if (piece->interrupt_ns == NEVER || dpc == NULL || dpc->stop_ns < stop->t_ns)
        return NEVER;
    return dpc->start_ns > piece->interrupt_ns ? dpc->start_ns - piece->interrupt_ns : 0;
}

static void dma_interrupt(struct pass *pass, const struct etl_event *event,
                          const struct etl_values *values)
{
    struct piece *piece = trace_map_get(&pass->pieces, etl_get(values, ETL_hContext),
                                        etl_get(values, ETL_uliCompletionId));
    if (piece != NULL)
        piece->interrupt_ns = event->t_ns;
}

static void dma_stop(struct etl_import *import, struct pass *pass, const struct etl_event *event,
                     const struct etl_values *values)
{
    uint64_t context = etl_get(values, ETL_hContext);
    uint64_t id = etl_get(values, ETL_uliCompletionId);
    uint64_t type = etl_get(values, ETL_PacketType);
    struct piece *piece = trace_map_get(&pass->pieces, context, id);
    if (piece == NULL) {
        import->tally.dma_stops_unpaired++;
        return;
    }
    etl_put(import, &pass->pieces, context, id, NULL);
    import->tally.dma_unfinished--;
    uint64_t stop_ns = piece->interrupt_ns != NEVER ? piece->interrupt_ns : event->t_ns;
    if (type < DMA_TYPES) {
        import->tally.dma_packets[type]++;
        trace_samples_add(&import->facts, &import->dma_ns[type], event->t_ns - piece->start_ns);
    }
    import->tally.dma_preempted += etl_get(values, ETL_bPreempted) != 0;

    uint32_t number;
    struct etl_node *node = node_of(import, context, &number);
    bool idle = piece->handed_ns >= node->last_stop_ns;
    bool other = node->seen && node->last_context != context;
    uint64_t from_ns = idle ? piece->handed_ns : node->last_stop_ns;
    uint64_t engine_ns = stop_ns > from_ns ? stop_ns - from_ns : 0;
    if (piece->packet != NULL) {
        piece->packet->gpu_ns += engine_ns;
        piece->packet->pieces++;
        piece->packet->starts += idle;
        piece->packet->driver_ns = piece->driver_ns;
        piece->packet->interrupt_ns = to_dpc_ns(pass, piece, event);
        piece->packet->node = number;
        piece->packet->switches += other && number < NODES_MAX;
    }
    if (type == DMA_RENDER && idle && node->seen)
        trace_samples_add(&import->facts, other ? &node->other : &node->same, engine_ns);
    node->last_stop_ns = stop_ns > node->last_stop_ns ? stop_ns : node->last_stop_ns;
    node->last_context = context;
    node->seen = true;
}

/* How much of a packet's engine time is the switch to its context cannot be read off one packet,
 * but off many: packets that found the engine idle differ only in whether it last ran their own
 * context, so the shortest of either kind differ by the switch. The 1 % quantile stands for the
 * shortest: the minimum is a single event, and from 5 % on the two differ more by what work they
 * are than by the switch (other contexts' packets follow each other at frame boundaries, with
 * clears and copies). Below a hundred packets of each kind there is no 1 % quantile. */
enum { ENOUGH = 100 };
static const double SHORTEST = 0.01;

static void estimate_switch(struct etl_node *node)
{
    if (node->same.count < ENOUGH || node->other.count < ENOUGH)
        return;
    uint64_t same = trace_samples_quantile(&node->same, SHORTEST);
    uint64_t other = trace_samples_quantile(&node->other, SHORTEST);
    node->switch_ns = other > same ? other - same : 0;
}

/* The shortest packets behind one of their own context do next to nothing: back to back such
 * packets take less than a microsecond. On an idle engine what they take is the way to the engine
 * and back: until it has seen the packet, and until its interrupt has been delivered. The engine
 * with the shortest one tells: others may have no packet that short. */
static void estimate_latency(struct etl_import *import)
{
    for (size_t i = 0; i < NODES_MAX; i++) {
        if (import->nodes[i].same.count < ENOUGH)
            continue;
        uint64_t shortest = trace_samples_quantile(&import->nodes[i].same, SHORTEST);
        if (import->latency_ns == 0 || shortest < import->latency_ns)
            import->latency_ns = shortest;
    }
    for (size_t i = 0; i < import->packet_count; i++) {
        struct etl_packet *packet = import->packets[i];
        uint64_t latency_ns = packet->starts * import->latency_ns;
        packet->gpu_ns -= packet->gpu_ns < latency_ns ? packet->gpu_ns : latency_ns;
    }
}

void etl_learn_engines(struct etl_import *import)
{
    struct pass pass = {0};
    struct etl_values values;
    for (size_t i = 0; i < import->records.count && !import->failed; i++) {
        const struct etl_event *event = &import->records.items[i];
        if ((event->id != ID_CALL && event->id < ID_DMA_START) || event->id > ID_QUEUE_SIGNAL ||
            !etl_decode_event(event, &values))
            continue;
        switch (event->id) {
        case ID_CALL:
            enter_call(import, &pass, event, &values);
            break;
        case ID_QUEUE_START:
        case ID_QUEUE_WAIT:
        case ID_QUEUE_SIGNAL:
            queue_start(import, &pass.queue, event, &values);
            break;
        case ID_QUEUE_STOP:
            queue_stop(import, &pass.queue, event, &values);
            break;
        case ID_DMA_START:
            dma_start(import, &pass, event, &values);
            break;
        case ID_DMA_INTERRUPT:
            dma_interrupt(&pass, event, &values);
            break;
        case ID_DMA_STOP:
            dma_stop(import, &pass, event, &values);
            break;
        default:
            break;
        }
    }
    trace_map_free(&pass.queue);
    trace_map_free(&pass.pieces);
    trace_map_free(&pass.threads);
    trace_map_free(&pass.dpcs);
    for (size_t i = 0; i < NODES_MAX; i++)
        estimate_switch(&import->nodes[i]);
    estimate_latency(import);
}
