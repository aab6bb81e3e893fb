/* Paging buffers: operations in a row, built by VidMm's worker and run by a paging node in the
 * order in which they were submitted (wddm.md §7).
 *
 * What the worker decides holds for the time when all that it has submitted is over: an allocation
 * that it sent away has left its room to the next one at once, because the node moves the one out
 * before it moves the other in. Where there are several paging nodes, a buffer waits for what the
 * others have been given before. */
#include "model/vidmm/internal.h"

#include <utlist.h>

/* Operations before and behind the content: in the paging process the memory is mapped into a
 * scratch area first and unmapped last; the page table of the owner is mapped there, too, written,
 * and unmapped (wddm.md §7.3). Before WDDM 2.0 there is no GPU virtual address space. */
enum { SCRATCH_OPERATIONS = 4, OWNER_OPERATIONS = 6 };

/* The paging process has to map the memory to get at it. */
static bool touches_content(const struct vidmm_operation *operation)
{
    if (operation->deed == VIDMM_MOVE)
        return operation->kind == PROBE_PAGE_IN || operation->kind == PROBE_PAGE_OUT ||
               operation->kind == PROBE_FILLED;
    return operation->deed == VIDMM_WRITE;
}

/* The allocation's addresses come to stand for something else. */
static bool maps_owner(const struct vidmm_operation *operation)
{
    return operation->deed != VIDMM_WRITE;
}

/* Pieces that the scratch area can hold at once. */
static uint64_t chunks(const struct vidmm *vidmm, const struct vidmm_operation *operation)
{
    uint64_t scratch = vidmm->profile->vidmm.scratch;
    uint64_t size = operation->bytes;
    return !touches_content(operation) || scratch == 0 ? 1 : (size + scratch - 1) / scratch;
}

/* Of the owner's page tables. */
static uint64_t entries(const struct vidmm *vidmm, const struct vidmm_operation *operation)
{
    uint32_t id = operation->to ? operation->to : operation->from;
    uint64_t page = id ? vidmm->segments[id - 1].profile->page : VIDMM_PAGE;
    return maps_owner(operation) ? operation->bytes / page : 0;
}

uint32_t vidmm_operation_builds(const struct vidmm *vidmm, const struct vidmm_operation *operation)
{
    uint64_t content = operation->deed == VIDMM_PAGE_TABLES ? 0 : chunks(vidmm, operation);
    if (!vidmm->explicit_residency)
        return (uint32_t)content;
    uint64_t scratch = touches_content(operation) ? SCRATCH_OPERATIONS * content : 0;
    return (uint32_t)(content + scratch) + (maps_owner(operation) ? OWNER_OPERATIONS : 0);
}

uint64_t vidmm_operation_bytes(const struct vidmm *vidmm, const struct vidmm_operation *operation)
{
    enum { COMMAND = 64, ENTRY = 8 };
    uint64_t tables = vidmm->explicit_residency ? entries(vidmm, operation) * ENTRY : 0;
    return vidmm_operation_builds(vidmm, operation) * (uint64_t)COMMAND + tables;
}

static struct blame *whose(const struct vidmm_operation *operation)
{
    return operation->request ? operation->request->blame : NULL;
}

/* The node turns to the buffer's first operation. */
static void begin_operation(struct vidmm_buffer *buffer)
{
    struct vidmm_operation *operation = buffer->operations;
    const struct vidmm_allocation *allocation = operation->allocation;
    const struct vidmm_device *device = operation->request ? operation->request->device : NULL;
    struct probe *probe = allocation->vidmm->probe;
    uint64_t now = sim_now(allocation->vidmm->sim);
    if (operation->job)
        return;
    operation->job = probe_begin(
        probe, now,
        (struct probe_job){
            .kind = PROBE_PAGING,
            .pid = device ? device->process->pid : allocation->process->pid,
            .context = vidsch_context_id(buffer->channel->context),
            .node = vidsch_context_node(buffer->channel->context),
            .paging = operation->deed == VIDMM_MOVE          ? probe_paging_names[operation->kind]
                      : operation->deed == VIDMM_PAGE_TABLES ? "page tables"
                                                             : "update",
            .owner = allocation->process->pid,
            .memory = allocation->label,
            .bytes = operation->bytes,
        });
    blame_wait(&buffer->packet.blame, probe, PROBE_EXECUTE, probe_thing(PROBE_JOB, operation->job),
               now);
}

/* What the node is at. While victims leave, whoever waits is waiting for room, whatever that takes.
 */
static void set_cause(struct vidmm_buffer *buffer, enum probe_cause cause)
{
    const struct vidmm_operation *operation = buffer->operations;
    const struct vidmm *vidmm = buffer->channel->vidmm;
    uint64_t now = sim_now(vidmm->sim);
    bool leaving = operation->to == 0 && operation->request && vidmm_brings_in(operation->request);
    begin_operation(buffer);
    struct probe_thing job = probe_thing(PROBE_JOB, operation->job);
    probe_wait(vidmm->probe, now, job, cause, probe_thing(PROBE_NOTHING, 0));
    if (whose(operation))
        blame_wait(whose(operation), vidmm->probe, leaving ? PROBE_RESERVE : cause, job, now);
}

static uint64_t duration_ns(uint64_t bytes, double rate)
{
    return rate > 0 ? (uint64_t)((double)bytes / rate * 1e9 + 0.5) : 0;
}

/* Page tables are written entry by entry; each update is followed by a flush of the TLB. */
static uint64_t update_ns(const struct vidmm *vidmm, uint64_t flushes, uint64_t written)
{
    const struct profile_memory *memory = &vidmm->profile->memory;
    if (!vidmm->explicit_residency)
        return 0;
    return flushes * memory->tlb_flush_ns + written * memory->page_table_entry_ps / 1000;
}

/* Before the content moves: the scratch area and the owner's page table are mapped. */
static uint64_t before_ns(const struct vidmm *vidmm, const struct vidmm_operation *operation)
{
    uint64_t flushes = (maps_owner(operation) ? 1 : 0) +
                       (touches_content(operation) ? chunks(vidmm, operation) : 0);
    return update_ns(vidmm, flushes, 0);
}

/* Behind it: the owner's entries are written, and what was mapped is unmapped. */
static uint64_t behind_ns(const struct vidmm *vidmm, const struct vidmm_operation *operation)
{
    uint64_t flushes = (maps_owner(operation) ? 2 : 0) +
                       (touches_content(operation) ? chunks(vidmm, operation) : 0);
    uint64_t ns = update_ns(vidmm, flushes, entries(vidmm, operation));
    bool aperture = operation->deed == VIDMM_MOVE && (operation->kind == PROBE_MAP_APERTURE ||
                                                      operation->kind == PROBE_UNMAP_APERTURE);
    return ns + (aperture ? vidmm->profile->memory.aperture_map_ns : 0);
}

static void run_next(struct vidmm_buffer *buffer);

static void after(struct vidmm_buffer *buffer, uint64_t delay_ns, void (*fire)(void *owner))
{
    if (delay_ns == 0) {
        fire(buffer);
        return;
    }
    sim_timer_init(&buffer->timer, fire, buffer);
    sim_after(buffer->channel->vidmm->sim, &buffer->timer, delay_ns);
}

/* A context allocation is initialised at its first page-in, and only then (wddm.md §4.2). */
static void tell_first_page_in(const struct vidmm_operation *operation)
{
    struct vidmm_allocation *allocation = operation->allocation;
    void (*first_page_in)(void *owner) = allocation->first_page_in;
    if (operation->to == 0 || !first_page_in)
        return;
    allocation->first_page_in = NULL;
    if (!allocation->dying)
        first_page_in(allocation->owner);
}

static void report(const struct vidmm_operation *operation, uint64_t now)
{
    const struct vidmm_allocation *allocation = operation->allocation;
    struct probe *probe = allocation->vidmm->probe;
    probe->paging(probe->self, &(struct probe_paging){
                                   .kind = operation->kind,
                                   .allocation = allocation->label,
                                   .pid = allocation->process->pid,
                                   .bytes = operation->bytes,
                                   .job = operation->job,
                                   .from = vidmm_probe_segment(allocation->vidmm, operation->from),
                                   .to = vidmm_probe_segment(allocation->vidmm, operation->to),
                                   .queued_ns = operation->queued_ns,
                                   .started_ns = operation->started_ns,
                                   .finished_ns = now,
                                   .cause = operation->cause,
                                   .context_allocation = allocation->context_allocation,
                               });
}

static void operation_over(void *owner)
{
    struct vidmm_buffer *buffer = owner;
    struct vidmm *vidmm = buffer->channel->vidmm;
    struct vidmm_operation *operation = buffer->operations;
    struct vidmm_allocation *allocation = operation->allocation;
    buffer->operations = operation->next;
    if (whose(operation))
        blame_wait(whose(operation), vidmm->probe, PROBE_QUEUE, blame_thing(&buffer->packet.blame),
                   sim_now(vidmm->sim));
    if (operation->deed != VIDMM_PAGE_TABLES)
        vidmm_arrived(allocation);
    if (operation->deed == VIDMM_MOVE) {
        tell_first_page_in(operation);
        report(operation, sim_now(vidmm->sim));
    }
    struct probe_thing job = probe_thing(PROBE_JOB, operation->job);
    vidmm_allocation_drop(allocation);
    memory_pool_give(&vidmm->operations, operation);
    vidmm_kick(vidmm, job);
    run_next(buffer);
}

static void map_owner(void *owner)
{
    struct vidmm_buffer *buffer = owner;
    set_cause(buffer, PROBE_MAP);
    after(buffer, behind_ns(buffer->channel->vidmm, buffer->operations), operation_over);
}

void vidmm_link(struct vidmm *vidmm, enum sim_direction direction, bool busy)
{
    uint32_t *transfers = &vidmm->on_link[direction];
    bool was = *transfers > 0;
    *transfers += busy ? 1 : UINT32_MAX;
    if (was != (*transfers > 0))
        vidmm->probe->link(vidmm->probe->self, sim_now(vidmm->sim), vidmm->adapter.number,
                           direction == SIM_IN, busy);
}

static enum sim_direction direction_of(const struct vidmm_operation *operation)
{
    return operation->kind == PROBE_PAGE_IN ? SIM_IN : SIM_OUT;
}

void vidmm_tell_losses(struct vidmm *vidmm, const struct sim_transfer *transfer,
                       struct probe_thing who)
{
    for (uint32_t i = 0; i < transfer->losses; i++) {
        const struct sim_loss *loss = &transfer->loss[i];
        if (loss->from_ns == loss->to_ns)
            continue;
        probe_wait(vidmm->probe, loss->from_ns, who, PROBE_TRANSFER,
                   probe_thing(PROBE_JOB, loss->other));
        probe_wait(vidmm->probe, loss->to_ns, who, PROBE_TRANSFER, probe_thing(PROBE_NOTHING, 0));
    }
}

static void transferred(void *owner)
{
    struct vidmm_buffer *buffer = owner;
    vidmm_tell_losses(buffer->channel->vidmm, &buffer->transfer,
                      probe_thing(PROBE_JOB, buffer->operations->job));
    vidmm_link(buffer->channel->vidmm, direction_of(buffer->operations), false);
    map_owner(buffer);
}

static void transfer(void *owner)
{
    struct vidmm_buffer *buffer = owner;
    struct vidmm *vidmm = buffer->channel->vidmm;
    enum sim_direction direction = direction_of(buffer->operations);
    vidmm_link(vidmm, direction, true);
    sim_transfer_start(vidmm->sim, &buffer->transfer, vidmm->adapter.number, direction,
                       buffer->operations->bytes, transferred, buffer);
    buffer->transfer.who = buffer->operations->job;
}

static void move_content(void *owner)
{
    struct vidmm_buffer *buffer = owner;
    const struct vidmm *vidmm = buffer->channel->vidmm;
    const struct vidmm_operation *operation = buffer->operations;
    const struct profile *profile = vidmm->profile;
    if (operation->deed != VIDMM_MOVE) {
        map_owner(buffer);
        return;
    }
    switch (operation->kind) {
    case PROBE_PAGE_IN:
    case PROBE_PAGE_OUT:
        set_cause(buffer, PROBE_TRANSFER);
        after(buffer, profile->link.latency_ns, transfer);
        break;
    case PROBE_FILLED:
        set_cause(buffer, PROBE_FILL);
        after(buffer,
              profile->vidmm.zero_fill && !operation->allocation->needs_no_zeroing
                  ? duration_ns(operation->bytes, profile->memory.fill_rate)
                  : 0,
              map_owner);
        break;
    default:
        map_owner(buffer);
        break;
    }
}

static void run_next(struct vidmm_buffer *buffer)
{
    struct vidmm_operation *operation = buffer->operations;
    if (!operation) {
        vidsch_packet_executed(&buffer->packet);
        return;
    }
    const struct vidmm *vidmm = buffer->channel->vidmm;
    operation->started_ns = sim_now(vidmm->sim);
    set_cause(buffer, PROBE_MAP);
    after(buffer, before_ns(vidmm, operation), move_content);
}

static void started(void *owner)
{
    run_next(owner);
}

static void execute(void *owner, struct vidsch_packet *packet)
{
    (void)packet;
    struct vidmm_buffer *buffer = owner;
    const struct vidmm *vidmm = buffer->channel->vidmm;
    set_cause(buffer, PROBE_MAP);
    after(buffer, buffer->passes * vidmm->profile->vidmm.packet_ns, started);
}

static void completed(void *owner, struct vidsch_packet *packet)
{
    struct vidmm_buffer *buffer = owner;
    struct vidmm_channel *channel = buffer->channel;
    struct probe_thing job = blame_thing(&packet->blame);
    memory_pool_give(&channel->vidmm->buffers, buffer);
    vidsch_fence_signal(&channel->fence, ++channel->completed, job);
}

static void waited(void *owner, struct vidsch_packet *packet)
{
    memory_pool_give(&((struct vidmm_channel *)owner)->vidmm->waits, packet);
}

/* The node goes on when another has run its first so many buffers. */
static void await(struct vidmm_channel *channel, struct vidmm_channel *other)
{
    if (other->awaits <= other->completed)
        return;
    struct vidsch_packet *wait = memory_pool_take(&channel->vidmm->waits);
    *wait = (struct vidsch_packet){.kind = PROBE_WAIT,
                                   .fence = &other->fence,
                                   .value = other->awaits,
                                   .completed = waited,
                                   .owner = channel};
    vidsch_submit(channel->context, wait);
}

/* An operation of the buffer follows one that another node has in hand. */
static void follow(const struct vidmm_channel *channel, struct vidmm_channel *other,
                   uint64_t buffer)
{
    if (other != channel && buffer > other->awaits)
        other->awaits = buffer;
}

void vidmm_buffer_vacates(const struct vidmm_buffer *buffer,
                          const struct vidmm_allocation *allocation)
{
    struct vidmm_channel *channel = buffer->channel;
    struct vidmm *vidmm = channel->vidmm;
    if (vidmm->channel_count == 1)
        return;
    const struct range_extent *extent;
    for (extent = chain_first(allocation->extents); extent; extent = extent->more) {
        struct vidmm_vacating *vacating = memory_pool_take(&vidmm->vacating);
        *vacating = (struct vidmm_vacating){.offset = extent->offset,
                                            .size = extent->size,
                                            .channel = channel,
                                            .buffer = channel->submitted + 1};
        DL_APPEND(allocation->segment->vacating, vacating);
    }
}

/* Where it goes, another node may have yet to move something out. */
static void follow_vacating(const struct vidmm_channel *channel,
                            const struct vidmm_allocation *allocation)
{
    struct vidmm_segment *segment = allocation->segment;
    struct vidmm_vacating *vacating, *next;
    DL_FOREACH_SAFE (segment->vacating, vacating, next) {
        if (vacating->channel->completed >= vacating->buffer) {
            DL_DELETE(segment->vacating, vacating);
            memory_pool_give(&channel->vidmm->vacating, vacating);
            continue;
        }
        const struct range_extent *extent;
        for (extent = chain_first(allocation->extents); extent; extent = extent->more)
            if (extent->offset < vacating->offset + vacating->size &&
                vacating->offset < extent->offset + extent->size)
                follow(channel, vacating->channel, vacating->buffer);
    }
}

struct vidmm_buffer *vidmm_buffer_new(struct vidmm_channel *channel)
{
    struct vidmm *vidmm = channel->vidmm;
    struct vidmm_buffer *buffer = memory_pool_take(&vidmm->buffers);
    *buffer = (struct vidmm_buffer){.channel = channel, .passes = 1};
    for (uint32_t i = 0; i < vidmm->channel_count; i++)
        vidmm->channels[i].awaits = 0;
    return buffer;
}

void vidmm_buffer_add(struct vidmm_buffer *buffer, const struct vidmm_operation *operation)
{
    struct vidmm_channel *channel = buffer->channel;
    struct vidmm *vidmm = channel->vidmm;
    struct vidmm_allocation *allocation = operation->allocation;
    struct vidmm_operation *added = memory_pool_take(&vidmm->operations);
    *added = *operation;
    added->queued_ns = sim_now(vidmm->sim);
    vidmm_allocation_hold(allocation);
    *(buffer->last ? &buffer->last->next : &buffer->operations) = added;
    buffer->last = added;
    buffer->bytes += vidmm_operation_bytes(vidmm, added);
    uint64_t most = vidmm->profile->vidmm.paging_buffer;
    if (buffer->bytes > most) /* one that is larger than a whole buffer takes several passes */
        buffer->passes = (buffer->bytes + most - 1) / most;
    if (operation->deed == VIDMM_PAGE_TABLES)
        return;
    if (allocation->in_flight++ > 0)
        follow(channel, allocation->channel, allocation->buffer);
    if (operation->to)
        follow_vacating(channel, allocation);
    allocation->channel = channel;
    allocation->buffer = channel->submitted + 1;
}

void vidmm_buffer_submit(struct vidmm_buffer *buffer)
{
    struct vidmm_channel *channel = buffer->channel;
    struct vidmm *vidmm = channel->vidmm;
    for (uint32_t i = 0; i < vidmm->channel_count; i++)
        await(channel, &vidmm->channels[i]);
    channel->submitted++;
    buffer->packet = (struct vidsch_packet){
        .kind = PROBE_PAGING, .execute = execute, .completed = completed, .owner = buffer};
    vidsch_submit(channel->context, &buffer->packet);
}
