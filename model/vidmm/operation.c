/* One paging operation: built by the processor, run by the paging node. */
#include "model/vidmm/internal.h"

static void set_cause(struct vidmm_channel *channel, enum probe_cause cause)
{
    struct vidmm_request *request = channel->request;
    /* While victims leave, whoever waits is waiting for room, whatever that takes. */
    bool leaving = channel->operation.to == 0 && request && request->kind == VIDMM_PAGE_IN;
    if (request && request->blame)
        blame_switch(request->blame, leaving ? PROBE_RESERVE : cause, sim_now(channel->vidmm->sim));
}

static uint64_t duration_ns(uint64_t bytes, double rate)
{
    return rate > 0 ? (uint64_t)((double)bytes / rate * 1e9 + 0.5) : 0;
}

static void after(struct vidmm_channel *channel, uint64_t delay_ns, void (*fire)(void *owner))
{
    struct sim *sim = channel->vidmm->sim;
    sim_timer_init(&channel->operation.timer, fire, channel);
    sim_after(sim, &channel->operation.timer, delay_ns);
}

static void executed(void *owner)
{
    struct vidmm_channel *channel = owner;
    set_cause(channel, PROBE_QUEUE);
    vidsch_packet_executed(&channel->operation.packet);
}

/* The owner's page table is written entry by entry, then the TLB is flushed (wddm.md §7.3). Before
 * WDDM 2.0 there is no GPU virtual address space, and an aperture has its own mapping cost. */
static uint64_t map_ns(const struct vidmm_channel *channel)
{
    const struct vidmm_operation *operation = &channel->operation;
    const struct vidmm *vidmm = channel->vidmm;
    const struct profile_memory *memory = &vidmm->profile->memory;
    uint32_t id = operation->to ? operation->to : operation->from;
    const struct profile_segment *segment = vidmm->segments[id - 1].profile;
    uint64_t ns = segment->kind == PROFILE_APERTURE ? memory->aperture_map_ns : 0;
    if (!vidmm->explicit_residency)
        return ns;
    uint64_t entries = operation->allocation->size / segment->page;
    return ns + entries * memory->page_table_entry_ps / 1000 + memory->tlb_flush_ns;
}

static void map(void *owner)
{
    struct vidmm_channel *channel = owner;
    uint64_t ns = map_ns(channel);
    set_cause(channel, PROBE_MAP);
    if (ns)
        after(channel, ns, executed);
    else
        executed(channel);
}

static void arrived(void *owner)
{
    struct vidmm_channel *channel = owner;
    struct probe *probe = channel->vidmm->probe;
    probe->link(probe->self, sim_now(channel->vidmm->sim), 0,
                channel->operation.kind == PROBE_PAGE_IN, false);
    map(channel);
}

static void transfer(void *owner)
{
    struct vidmm_channel *channel = owner;
    struct vidmm_operation *operation = &channel->operation;
    struct probe *probe = channel->vidmm->probe;
    bool in = operation->kind == PROBE_PAGE_IN;
    probe->link(probe->self, sim_now(channel->vidmm->sim), 0, in, true);
    sim_transfer_start(channel->vidmm->sim, &operation->transfer, 0, in ? SIM_IN : SIM_OUT,
                       operation->allocation->size, arrived, channel);
}

static void execute(void *owner, struct vidsch_packet *packet)
{
    (void)packet;
    struct vidmm_channel *channel = owner;
    struct vidmm_operation *operation = &channel->operation;
    const struct profile *profile = channel->vidmm->profile;
    operation->started_ns = sim_now(channel->vidmm->sim);
    switch (operation->kind) {
    case PROBE_PAGE_IN:
    case PROBE_PAGE_OUT:
        set_cause(channel, PROBE_TRANSFER);
        if (profile->link.latency_ns)
            after(channel, profile->link.latency_ns, transfer);
        else
            transfer(channel);
        break;
    case PROBE_FILLED:
        set_cause(channel, PROBE_FILL);
        after(channel,
              profile->vidmm.zero_fill && !operation->allocation->needs_no_zeroing
                  ? duration_ns(operation->allocation->size, profile->memory.fill_rate)
                  : 0,
              map);
        break;
    default:
        map(channel);
        break;
    }
}

/* Where the content is once the operation is over. */
static void settle(const struct vidmm_operation *operation)
{
    struct vidmm_allocation *allocation = operation->allocation;
    switch (operation->kind) {
    case PROBE_PAGE_IN:
    case PROBE_FILLED:
        allocation->content = VIDMM_IN_SEGMENT;
        vidmm_became_resident(allocation);
        break;
    case PROBE_MAP_APERTURE:
        allocation->content = VIDMM_IN_SYSTEM;
        vidmm_became_resident(allocation);
        break;
    case PROBE_PAGE_OUT:
    case PROBE_UNMAP_APERTURE:
        allocation->content = VIDMM_IN_SYSTEM;
        vidmm_leave_segment(allocation);
        break;
    default: /* discard: the system's copy is the content again, if it is one */
        allocation->content =
            allocation->content == VIDMM_IN_BOTH || allocation->permanent_system_memory
                ? VIDMM_IN_SYSTEM
                : VIDMM_NOTHING;
        allocation->discarded = allocation->offered != 0;
        vidmm_leave_segment(allocation);
        break;
    }
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

static void finish(struct vidmm_channel *channel)
{
    struct vidmm_operation *operation = &channel->operation;
    struct vidmm_allocation *allocation = operation->allocation;
    struct probe *probe = channel->vidmm->probe;
    settle(operation);
    tell_first_page_in(operation);
    probe->paging(probe->self, &(struct probe_paging){
                                   .kind = operation->kind,
                                   .allocation = allocation->label,
                                   .pid = allocation->process->pid,
                                   .bytes = allocation->size,
                                   .from = operation->from,
                                   .to = operation->to,
                                   .queued_ns = operation->queued_ns,
                                   .started_ns = operation->started_ns,
                                   .finished_ns = sim_now(channel->vidmm->sim),
                                   .cause = operation->cause,
                                   .context_allocation = allocation->context_allocation,
                               });
    vidmm_allocation_drop(allocation);
    vidmm_operation_finished(channel);
}

static void completed(void *owner, struct vidsch_packet *packet)
{
    (void)packet;
    finish(owner);
}

static void submit(void *owner)
{
    struct vidmm_channel *channel = owner;
    set_cause(channel, PROBE_QUEUE);
    channel->operation.packet = (struct vidsch_packet){
        .kind = PROBE_PAGING, .execute = execute, .completed = completed, .owner = channel};
    vidsch_submit(channel->context, &channel->operation.packet);
}

static void drop_content(void *owner)
{
    struct vidmm_channel *channel = owner;
    channel->operation.started_ns = sim_now(channel->vidmm->sim);
    finish(channel);
}

void vidmm_operation_start(struct vidmm_channel *channel, enum probe_paging_kind kind,
                           struct vidmm_allocation *allocation)
{
    struct vidmm *vidmm = channel->vidmm;
    bool in = kind == PROBE_PAGE_IN || kind == PROBE_FILLED || kind == PROBE_MAP_APERTURE;
    const char *cause = channel->request->cause;
    if (!in && channel->request->kind == VIDMM_PAGE_IN)
        cause = "eviction";
    channel->operation = (struct vidmm_operation){
        .kind = kind,
        .allocation = allocation,
        .from = in ? 0 : allocation->segment->id,
        .to = in ? allocation->segment->id : 0,
        .queued_ns = sim_now(vidmm->sim),
        .cause = cause,
    };
    set_cause(channel, PROBE_CPU);
    /* Dropping content takes the engine no time: it is a note in the paging buffer. */
    after(channel, vidmm->profile->vidmm.build_ns, kind == PROBE_DISCARD ? drop_content : submit);
}
