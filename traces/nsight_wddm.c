/* Packets of WDDM contexts in an export of Nsight Systems, recorded on Windows with `--trace=wddm`:
 * the events of trace-formats.md §2 with the same joins. Known from documentation and from the
 * exporter's own report scripts; no such recording was at hand. */
#include "traces/nsight.h"

#include "traces/arena.h"
#include "traces/buffer.h"
#include "traces/map.h"

#include <stdlib.h>

/* One event of a packet. All of a packet stand together under its context and sequence. */
struct event {
    struct trace_sorted order; /* tie: time */
    uint64_t origin;
    int64_t t_ns;
    int64_t context, sequence, submission, bytes;
    uint32_t pid, tid, gpu;
    uint8_t table, engine;
    uint32_t node;
};

struct context {
    int64_t handle;
    uint32_t node;
};

/* A stretch of a packet on an engine: a DMA packet. */
struct piece {
    struct trace_sorted order; /* key: when it was handed over */
    int64_t start_ns, stop_ns;
    uint64_t packet; /* number, in the order of `events` */
    uint64_t node;   /* of an adapter */
};

struct wddm {
    struct nsight *nsight;
    struct trace_sorter *events, *pieces;
    enum nsight_table table;
    struct context *contexts; /* by handle */
    size_t context_count, context_room;
    uint64_t *engine_ns; /* of each packet */
    uint64_t packet_count;
    bool timed; /* engine times are known, and packets can be told */
    struct trace_arena arena;
};

/* DXGKETW_QUEUE_PACKET_TYPE */
enum { PACKET_RENDER = 0, PACKET_DEFERRED = 1, PACKET_SYSTEM = 2, PACKET_DEVICE = 6 };

/* Contexts. */

static bool read_context(void *self, const struct database_row *row)
{
    struct wddm *wddm = self;
    struct context *grown = trace_array_grow(wddm->contexts, &wddm->context_room,
                                             wddm->context_count + 1, sizeof *grown);
    if (grown == NULL)
        return false;
    wddm->contexts = grown;
    grown[wddm->context_count++] = (struct context){
        row->values[0], row->values[1] > 0 && row->values[1] < 64 ? (uint32_t)row->values[1] : 0};
    return true;
}

static int compare_contexts(const void *left, const void *right)
{
    const struct context *a = left, *b = right;
    return a->handle < b->handle ? -1 : a->handle > b->handle;
}

static uint32_t node_of(const struct wddm *wddm, int64_t handle)
{
    const struct context wanted = {.handle = handle};
    const struct context *found = wddm->context_count > 0
                                      ? bsearch(&wanted, wddm->contexts, wddm->context_count,
                                                sizeof *wddm->contexts, compare_contexts)
                                      : NULL;
    return found != NULL ? found->node : 0;
}

/* DXGK_ENGINE_TYPE. `Other` is what compute engines call themselves. */
static uint8_t engine_of_type(int64_t type)
{
    enum { OTHER = 0, THREE_D = 1, VIDEO_DECODE = 2, VIDEO_PROCESSING = 4, COPY = 6 };
    if (type == THREE_D)
        return ENGINE_3D;
    if (type >= VIDEO_DECODE && type <= VIDEO_PROCESSING)
        return ENGINE_VIDEO;
    return type == COPY ? ENGINE_COPY : ENGINE_COMPUTE;
}

/* Events of packets. */

static bool read_event(void *self, const struct database_row *row)
{
    enum { START, TID, GPU, CONTEXT, SEQUENCE, SUBMISSION, TYPE, ENGINE, BYTES };
    struct wddm *wddm = self;
    struct nsight *nsight = wddm->nsight;
    const int64_t *values = row->values;
    const uint32_t needed = 1U << START | 1U << CONTEXT | 1U << SEQUENCE;
    nsight->rows++;
    if ((row->given & needed) != needed || !activity_in_time(values[START], 0)) {
        nsight->reader->undecodable++;
        return true;
    }
    bool of_queue = wddm->table == NSIGHT_QUEUE_START;
    if (of_queue && values[TYPE] != PACKET_RENDER && values[TYPE] != PACKET_DEFERRED &&
        values[TYPE] != PACKET_SYSTEM && values[TYPE] != PACKET_DEVICE) {
        nsight->not_work++;
        return true;
    }
    const struct event event = {
        .order = {(uint64_t)values[CONTEXT] << 24 ^ (uint64_t)values[SEQUENCE],
                  trace_sorted_key(values[START])},
        .origin = nsight_origin(wddm->table, row->number),
        .t_ns = values[START],
        .context = values[CONTEXT],
        .sequence = values[SEQUENCE],
        .submission = values[SUBMISSION],
        .bytes = values[BYTES],
        .pid = nsight_pid(values[TID]),
        .tid = nsight_tid(values[TID]),
        .gpu = values[GPU] > 0 && values[GPU] < UINT32_MAX ? (uint32_t)values[GPU] : 0,
        .table = (uint8_t)wddm->table,
        .engine = engine_of_type(values[ENGINE]),
        .node = node_of(wddm, values[CONTEXT]),
    };
    return trace_sorter_put(wddm->events, &event);
}

static bool read_events(struct wddm *wddm)
{
    /* In queue events and in events of DMA packets columns have other names. */
    static const char *const columns[][10] = {
        [NSIGHT_QUEUE_START] = {"start", "globalTid", "gpu", "context", "submitSequence",
                                "submitSequence", "packetType", "engineType", "dmaBufferSize"},
        [NSIGHT_QUEUE_STOP] = {"start", "globalTid", "gpu", "context", "submitSequence",
                               "submitSequence"},
        [NSIGHT_DMA_START] = {"start", "globalTid", "gpu", "context", "ulQueueSubmitSequence",
                              "uliSubmissionId"},
        [NSIGHT_DMA_STOP] = {"start", "globalTid", "gpu", "context", "ulQueueSubmitSequence",
                             "uliCompletionId"},
    };
    for (wddm->table = NSIGHT_QUEUE_START; wddm->table <= NSIGHT_DMA_STOP; wddm->table++)
        if (!database_read(wddm->nsight->database, nsight_tables[wddm->table], columns[wddm->table],
                           read_event, wddm))
            return false;
    return true;
}

/* Packets, from their events in order of time. The events are walked twice: once for the pieces of
 * all packets, whose times depend on each other; then to tell the packets with their times. */

enum { OPEN = 4 };

struct packet {
    struct event start; /* of the queue packet */
    bool started, stopped, ran;
    int64_t stop_ns, last_ns; /* of the queue packet, of its last piece */
    uint64_t span_ns;         /* of all pieces, whatever ran beside them */
    struct event open[OPEN];  /* DMA packets that run */
    unsigned open_count;
};

static bool tell_packet(struct wddm *wddm, const struct packet *packet)
{
    struct nsight *nsight = wddm->nsight;
    const struct event *start = &packet->start;
    nsight->queue_unfinished += !packet->stopped;
    nsight->without_engine_time += !packet->ran;
    return nsight_add(nsight, &(struct activity){
                                  .kind = ACTIVITY_PACKET,
                                  .origin = start->origin,
                                  .start_ns = start->t_ns,
                                  .dur_ns = packet->span_ns,
                                  .bytes = start->bytes > 0 ? (uint64_t)start->bytes : 0,
                                  .pid = start->pid,
                                  .tid = start->tid,
                                  .device = start->gpu,
                                  .context = (uint32_t)((uint64_t)start->context >> 32),
                                  .stream = (uint32_t)start->context,
                                  .called_ns = start->t_ns,
                                  .gpu_ns = wddm->engine_ns[wddm->packet_count],
                                  .done_ns = packet->stopped ? packet->stop_ns
                                             : packet->ran   ? packet->last_ns
                                                             : start->t_ns,
                                  .engine = start->engine,
                              });
}

static bool end_packet(struct wddm *wddm, struct packet *packet)
{
    bool good = true;
    if (wddm->timed) {
        wddm->nsight->dma_unpaired += packet->open_count;
        good = !packet->started || tell_packet(wddm, packet);
    }
    wddm->packet_count++;
    *packet = (struct packet){0};
    return good;
}

static bool end_piece(struct wddm *wddm, struct packet *packet, const struct event *stop)
{
    unsigned i = 0;
    while (i < packet->open_count && packet->open[i].submission != stop->submission)
        i++;
    if (i == packet->open_count) {
        wddm->nsight->dma_unpaired += wddm->timed;
        return true;
    }
    const struct piece piece = {
        .order = {trace_sorted_key(packet->open[i].t_ns), stop->origin},
        .start_ns = packet->open[i].t_ns,
        .stop_ns = stop->t_ns,
        .packet = wddm->packet_count,
        .node = (uint64_t)stop->gpu << 32 | stop->node,
    };
    packet->ran = true;
    packet->last_ns = stop->t_ns;
    packet->span_ns += (uint64_t)(piece.stop_ns - piece.start_ns);
    packet->open[i] = packet->open[--packet->open_count];
    return wddm->timed || trace_sorter_put(wddm->pieces, &piece);
}

static bool take_event(struct wddm *wddm, struct packet *packet, const struct event *event)
{
    switch (event->table) {
    case NSIGHT_QUEUE_START:
        if (packet->started && !end_packet(wddm, packet))
            return false;
        packet->started = true;
        packet->start = *event;
        return true;
    case NSIGHT_QUEUE_STOP:
        packet->stopped = packet->started;
        packet->stop_ns = event->t_ns;
        return true;
    case NSIGHT_DMA_START:
        if (packet->open_count == OPEN)
            wddm->nsight->dma_unpaired += wddm->timed;
        else
            packet->open[packet->open_count++] = *event;
        return true;
    default:
        return end_piece(wddm, packet, event);
    }
}

static bool walk_events(struct wddm *wddm)
{
    struct packet packet = {0};
    int64_t context = 0, sequence = 0;
    const struct event *event;
    bool good = trace_sorter_start(wddm->events);
    wddm->packet_count = 0;
    while (good && (event = trace_sorter_next(wddm->events)) != NULL) {
        if (event->context != context || event->sequence != sequence)
            good = end_packet(wddm, &packet);
        context = event->context;
        sequence = event->sequence;
        good = good && take_event(wddm, &packet, event);
    }
    return good && trace_sorter_failure(wddm->events) == NULL && end_packet(wddm, &packet);
}

/* A node runs one thing after the other: a piece's time counts from when it was handed over, or
 * from when what came before had ended. */
static bool time_pieces(struct wddm *wddm)
{
    struct trace_map free_at = {0}; /* by node: the piece that ended last */
    const struct piece *next;
    bool good = trace_sorter_start(wddm->pieces);
    while (good && (next = trace_sorter_next(wddm->pieces)) != NULL) {
        int64_t *end_ns = trace_map_get(&free_at, 0, next->node);
        int64_t from_ns = end_ns != NULL && *end_ns > next->start_ns ? *end_ns : next->start_ns;
        if (end_ns == NULL) {
            end_ns = trace_arena_take(&wddm->arena, 1, sizeof *end_ns);
            good = end_ns != NULL && trace_map_put(&free_at, 0, next->node, end_ns);
        }
        if (good && next->stop_ns > from_ns)
            wddm->engine_ns[next->packet] += (uint64_t)(next->stop_ns - from_ns);
        if (good)
            *end_ns = next->stop_ns > from_ns ? next->stop_ns : from_ns;
    }
    trace_map_free(&free_at);
    return good && trace_sorter_failure(wddm->pieces) == NULL;
}

static bool join_packets(struct wddm *wddm)
{
    if (!walk_events(wddm))
        return false;
    wddm->engine_ns = calloc(wddm->packet_count, sizeof *wddm->engine_ns);
    wddm->timed = wddm->engine_ns != NULL && time_pieces(wddm);
    return wddm->timed && walk_events(wddm);
}

/* What else there is. */

/* DXGKETW MemoryTransfer: who moves what; without a duration. */
static bool read_transfer(void *self, const struct database_row *row)
{
    enum { START, SIZE, TYPE, TID };
    enum {
        DEVICE_TO_SYSTEM = 1,
        SYSTEM_TO_DEVICE,
        SYSTEM_SEGMENT_TO_DEVICE,
        DEVICE_TO_SYSTEM_SEGMENT
    };
    struct nsight *nsight = self;
    int64_t type = row->values[TYPE];
    bool out = type == DEVICE_TO_SYSTEM || type == DEVICE_TO_SYSTEM_SEGMENT;
    bool in = type == SYSTEM_TO_DEVICE || type == SYSTEM_SEGMENT_TO_DEVICE;
    nsight->rows++;
    if ((!in && !out) || row->values[SIZE] <= 0)
        return true; /* fills and discards move nothing */
    if (!activity_in_time(row->values[START], 0)) {
        nsight->reader->undecodable++;
        return true;
    }
    return nsight_add(nsight, &(struct activity){
                                  .kind = ACTIVITY_MIGRATION,
                                  .origin = nsight_origin(NSIGHT_TRANSFER, row->number),
                                  .start_ns = row->values[START],
                                  .bytes = (uint64_t)row->values[SIZE],
                                  .pid = nsight_pid(row->values[TID]),
                                  .from = out ? MEMORY_DEVICE : MEMORY_UNKNOWN,
                                  .to = in ? MEMORY_DEVICE : MEMORY_UNKNOWN,
                              });
}

bool nsight_read_wddm(struct nsight *nsight)
{
    static const char *const context_columns[] = {"context", "nodeOrdinal", NULL};
    static const char *const transfer_columns[] = {"start", "size", "memoryTransferType",
                                                   "globalTid", NULL};
    enum { MEMORY = 16 * 1024 * 1024 };
    struct wddm wddm = {.nsight = nsight,
                        .events = trace_sorter_create(sizeof(struct event), MEMORY),
                        .pieces = trace_sorter_create(sizeof(struct piece), MEMORY)};
    bool memory = wddm.events != NULL && wddm.pieces != NULL;
    bool good = memory && database_read(nsight->database, "TARGET_INFO_WDDM_CONTEXTS",
                                        context_columns, read_context, &wddm);
    if (good && wddm.context_count > 0)
        qsort(wddm.contexts, wddm.context_count, sizeof *wddm.contexts, compare_contexts);
    good = good && read_events(&wddm);
    /* What could be read of a damaged file is used all the same. */
    good = memory && join_packets(&wddm) && good;
    good = good && database_read(nsight->database, nsight_tables[NSIGHT_TRANSFER], transfer_columns,
                                 read_transfer, nsight);
    trace_sorter_free(wddm.events);
    trace_sorter_free(wddm.pieces);
    trace_arena_free(&wddm.arena);
    free(wddm.engine_ns);
    free(wddm.contexts);
    return good;
}

void nsight_wddm_facts(const struct nsight *nsight, struct trace_facts *facts)
{
    trace_facts_add(facts, "packets-not-work",
                    "queue packets that wait, signal or present: left out", "", nsight->not_work);
    trace_facts_add(facts, "packets-without-engine-time", "packets without a DMA packet", "",
                    nsight->without_engine_time);
    trace_facts_add(facts, "packets-unfinished", "packets without a stop", "",
                    nsight->queue_unfinished);
    trace_facts_add(facts, "dma-packets-unpaired", "DMA packets without start or stop", "",
                    nsight->dma_unpaired);
    trace_facts_add(facts, "paging-operations", "operations queued on paging queues", "",
                    nsight->paging_operations);
    trace_facts_add(facts, "evictions", "allocations evicted", "", nsight->evictions);
    trace_facts_add(facts, "hardware-queues", "events of hardware queues", "",
                    nsight->hardware_queues);
    trace_facts_lack(facts, "waits, signals and presents between packets: left out");
}
