/* VidMm's worker: one thread that takes the requests of the paging queues in order, decides what
 * goes where, builds the operations into paging buffers and submits them. It does not wait for what
 * it has submitted; a request is done when the paging node has passed the signal behind it (in the
 * Windows recording: thread 640 of the system process). */
#include "model/vidmm/internal.h"

#include <stdlib.h>
#include <utlist.h>

static void set_cause(const struct vidmm_worker *worker, enum probe_cause cause,
                      struct probe_thing what)
{
    const struct vidmm *vidmm = worker->vidmm;
    if (worker->request && worker->request->blame)
        blame_wait(worker->request->blame, vidmm->probe, cause, what, sim_now(vidmm->sim));
}

/* The worker itself is at it. */
static void work_on(const struct vidmm_worker *worker, enum probe_cause cause)
{
    set_cause(worker, cause, probe_thing(PROBE_NOTHING, 0));
}

/* Whose request the worker turns to; NULL: nobody's. */
static void serve(struct vidmm *vidmm, struct vidmm_request *request)
{
    struct probe_thing whose = {0};
    if (request && request->blame)
        whose = blame_job(request->blame, vidmm->probe);
    probe_wait(vidmm->probe, sim_now(vidmm->sim), vidmm_pager(vidmm), PROBE_QUEUE, whose);
}

/* The request goes to the node that has least to do. */
static struct vidmm_channel *choose_channel(struct vidmm *vidmm)
{
    struct vidmm_channel *best = &vidmm->channels[0];
    for (uint32_t i = 1; i < vidmm->channel_count; i++) {
        struct vidmm_channel *channel = &vidmm->channels[i];
        if (channel->submitted - channel->completed < best->submitted - best->completed)
            best = channel;
    }
    return best;
}

/* Paging queues come before terminations: in the recording, too, an operation of a queue is taken
 * between two of a batch of terminated allocations. */
static bool take_request(struct vidmm_worker *worker)
{
    struct vidmm_request **list = worker->requests ? &worker->requests : &worker->terminations;
    if (!*list)
        return false;
    worker->request = *list;
    DL_DELETE(*list, worker->request);
    worker->channel = choose_channel(worker->vidmm);
    serve(worker->vidmm, worker->request);
    work_on(worker, PROBE_RESERVE);
    if (worker->request->taken)
        return true;
    worker->request->taken = true;
    worker->cpu_ns += worker->request->kind == VIDMM_FAULT
                          ? vidmm_batch_ns(worker->vidmm)
                          : worker->vidmm->profile->vidmm.request_ns;
    if (worker->request->device && worker->request->whole_device)
        worker->request->device->coming++;
    return true;
}

static void go_on(struct vidmm_worker *worker);

static void request_passed(void *owner)
{
    struct vidmm_request *request = owner;
    struct vidmm *vidmm = request->vidmm;
    DL_DELETE(vidmm->worker.submitted, request);
    if (request->device && request->whole_device)
        request->device->coming--;
    for (uint32_t i = 0; i < request->count; i++) {
        struct vidmm_allocation *allocation = request->items[i];
        if (vidmm_brings_in(request)) {
            allocation->pins--;
            vidmm_remark(allocation);
        }
        vidmm_allocation_drop(allocation);
    }
    if (request->items != &request->one)
        free(request->items);
    vidmm_kick(vidmm, request->blame ? blame_thing(request->blame) : (struct probe_thing){0});
    request->done(request->owner, request);
}

/* Behind all that it submitted, or that it found under way, comes its signal. */
static void conclude(struct vidmm_worker *worker)
{
    struct vidmm_request *request = worker->request;
    struct vidmm *vidmm = worker->vidmm;
    worker->request = NULL;
    serve(vidmm, NULL);
    DL_APPEND(worker->submitted, request);
    worker->concluding = false;
    request->vidmm = vidmm;
    request->signal =
        (struct vidsch_barrier){.passed = request_passed, .owner = request, .left = 1};
    for (uint32_t i = 0; i < vidmm->channel_count; i++)
        if (request->channels >> i & 1)
            vidsch_barrier_add(&request->signal, vidmm->channels[i].context);
    vidsch_barrier_arm(&request->signal);
}

static void depend(struct vidmm_worker *worker, const struct vidmm_channel *channel)
{
    worker->request->channels |= UINT64_C(1) << (channel - worker->vidmm->channels);
}

/* The node that has yet to pass what the request needs. */
static struct probe_thing node_of(const struct vidmm_worker *worker)
{
    const struct vidmm *vidmm = worker->vidmm;
    const struct vidmm_channel *channel = worker->channel;
    uint64_t channels = worker->request->channels;
    if (!worker->buffer && channels && !(channels >> (channel - vidmm->channels) & 1))
        channel = &vidmm->channels[__builtin_ctzll(channels)];
    return probe_thing(PROBE_NODE, vidsch_context_node(channel->context));
}

/* The processor's time is over: what it built is submitted. */
static void submit(struct vidmm_worker *worker)
{
    struct vidmm_buffer *buffer = worker->buffer;
    if (worker->request)
        set_cause(worker, PROBE_QUEUE, node_of(worker));
    worker->buffer = NULL;
    worker->cpu_ns = 0;
    worker->busy = false;
    if (buffer) {
        depend(worker, buffer->channel);
        vidmm_buffer_submit(buffer);
    }
    if (worker->concluding)
        conclude(worker);
}

static void time_over(void *owner)
{
    struct vidmm_worker *worker = owner;
    submit(worker);
    go_on(worker);
}

static void spend(struct vidmm_worker *worker)
{
    struct sim *sim = worker->vidmm->sim;
    if (worker->buffer)
        worker->cpu_ns += worker->buffer->passes * worker->vidmm->profile->vidmm.submit_ns;
    worker->busy = true;
    if (worker->cpu_ns == 0) {
        submit(worker);
        return;
    }
    work_on(worker, PROBE_CPU);
    sim_timer_init(&worker->timer, time_over, worker);
    sim_after(sim, &worker->timer, worker->cpu_ns);
}

/* The buffer that has room for the operation. False: first the present one has to be submitted. */
static bool open_buffer(struct vidmm_worker *worker, const struct vidmm_operation *operation)
{
    const struct vidmm *vidmm = worker->vidmm;
    const struct vidmm_buffer *buffer = worker->buffer;
    if (buffer && buffer->bytes + vidmm_operation_bytes(vidmm, operation) >
                      vidmm->profile->vidmm.paging_buffer) {
        spend(worker);
        return false;
    }
    if (!buffer)
        worker->buffer = vidmm_buffer_new(worker->channel);
    return true;
}

static void build(struct vidmm_worker *worker, const struct vidmm_operation *operation)
{
    const struct vidmm *vidmm = worker->vidmm;
    worker->cpu_ns += vidmm_operation_builds(vidmm, operation) * vidmm->profile->vidmm.build_ns;
    vidmm_buffer_add(worker->buffer, operation);
}

static enum probe_paging_kind way_in(const struct vidmm_allocation *allocation,
                                     const struct vidmm_segment *segment)
{
    if (segment->profile->kind == PROFILE_APERTURE)
        return PROBE_MAP_APERTURE;
    return allocation->content == VIDMM_NOTHING ? PROBE_FILLED : PROBE_PAGE_IN;
}

static enum probe_paging_kind way_out(const struct vidmm_allocation *allocation)
{
    if (allocation->segment->profile->kind == PROFILE_APERTURE)
        return PROBE_UNMAP_APERTURE;
    return vidmm_needs_copy(allocation) ? PROBE_PAGE_OUT : PROBE_DISCARD;
}

/* What the content is once it is out. */
static enum vidmm_content content_behind(const struct vidmm_allocation *allocation,
                                         enum probe_paging_kind kind)
{
    if (kind != PROBE_DISCARD)
        return VIDMM_IN_SYSTEM;
    bool kept = allocation->content == VIDMM_IN_BOTH || allocation->permanent_system_memory;
    return kept ? VIDMM_IN_SYSTEM : VIDMM_NOTHING; /* the system's copy, if it is one */
}

bool vidmm_required_by_running(const struct vidmm_allocation *allocation)
{
    const struct vidmm_residency *residency;
    DL_FOREACH2 (allocation->residencies, residency, in_allocation_next)
        if (residency->device->running)
            return true;
    return false;
}

/* The allocation gives up its place. False: a buffer had to be submitted first. */
static bool send_away(struct vidmm_worker *worker, struct vidmm_allocation *allocation,
                      const char *cause)
{
    enum probe_paging_kind kind = way_out(allocation);
    const struct vidmm_operation operation = {.kind = kind,
                                              .allocation = allocation,
                                              .request = worker->request,
                                              .bytes = vidmm_bytes_here(allocation),
                                              .from = allocation->segment->id,
                                              .cause = cause};
    if (!open_buffer(worker, &operation))
        return false;
    if (!allocation->dying && !allocation->offered && vidmm_required_by_running(allocation))
        worker->vidmm->failure = "an allocation that a running device requires was sent away";
    worker->request->moved_bytes += kind == PROBE_PAGE_OUT ? operation.bytes : 0;
    if (allocation->state == VIDMM_RESIDENT)
        vidmm_ceases_resident(allocation);
    allocation->state = VIDMM_EVICTING;
    if (allocation->pages)
        vidmm_block_leaves(allocation, kind);
    else
        allocation->content = content_behind(allocation, kind);
    allocation->discarded |= kind == PROBE_DISCARD && allocation->offered != 0;
    vidmm_buffer_vacates(worker->buffer, allocation);
    vidmm_leave_segment(allocation);
    build(worker, &operation);
    return true;
}

/* The allocation, whose place is reserved, moves in. False: as above, and it keeps its place. */
static bool move_in(struct vidmm_worker *worker, struct vidmm_allocation *allocation)
{
    const struct vidmm *vidmm = worker->vidmm;
    enum probe_paging_kind kind = way_in(allocation, allocation->segment);
    const struct vidmm_operation operation = {.kind = kind,
                                              .allocation = allocation,
                                              .request = worker->request,
                                              .bytes = allocation->size,
                                              .to = allocation->segment->id,
                                              .cause = worker->request->cause};
    if (!open_buffer(worker, &operation))
        return false;
    worker->request->moved_bytes += kind == PROBE_PAGE_IN ? allocation->size : 0;
    allocation->content = kind == PROBE_MAP_APERTURE ? VIDMM_IN_SYSTEM : VIDMM_IN_SEGMENT;
    allocation->mapped = vidmm->explicit_residency;
    worker->cpu_ns += vidmm->profile->vidmm.commit_ns +
                      allocation->size / VIDMM_PAGE * vidmm->profile->vidmm.page_ps / 1000;
    build(worker, &operation);
    return true;
}

static struct vidmm_request *first_but_faults(const struct vidmm_worker *worker)
{
    struct vidmm_request *request = worker->requests;
    while (request && request->kind == VIDMM_FAULT)
        request = request->next;
    return request;
}

/* Faults come before all else, and what would wait stands back: it might wait for the packet that
 * stalls. False: there are none, or it is one itself. */
static bool stand_back(struct vidmm_worker *worker)
{
    struct vidmm_request *request = worker->request, *behind = first_but_faults(worker);
    if (worker->requests == behind || request->kind == VIDMM_FAULT)
        return false;
    set_cause(worker, PROBE_QUEUE, vidmm_pager(worker->vidmm));
    DL_PREPEND_ELEM(worker->requests, behind, request);
    worker->request = NULL;
    worker->waiting = worker->vidmm->blocked = false;
    return true;
}

/* Waits until something is let go of; what is built so far goes its way first. */
static void wait(struct vidmm_worker *worker, bool for_room)
{
    if (worker->buffer) {
        spend(worker);
        return;
    }
    if (stand_back(worker))
        return;
    work_on(worker, PROBE_RESERVE); /* what it waits for, turns out later */
    worker->waiting = true;
    worker->vidmm->blocked = for_room;
}

/* The end of the first turn to come: then what that device requires may be sent away. */
static bool await_turn(struct vidmm *vidmm)
{
    uint64_t now = sim_now(vidmm->sim), first = UINT64_MAX;
    const struct vidmm_device *device;
    DL_FOREACH (vidmm->devices, device) {
        if (device->turn_ends_ns <= now || device->turn_ends_ns >= first)
            continue;
        first = device->turn_ends_ns;
        vidmm->let_go = probe_thing(PROBE_PROCESS, device->process->pid);
    }
    if (first != UINT64_MAX)
        sim_at(vidmm->sim, &vidmm->turn, first);
    return first != UINT64_MAX;
}

/* Pinned memory is let go of when packets complete, turns end or other requests are done. A fault
 * must not wait for packets: they may stand behind the one that stalls. */
static bool something_will_be_let_go(struct vidmm *vidmm)
{
    bool others = vidmm->worker.submitted || vidsch_unloading(vidmm->vidsch);
    if (vidmm->worker.request->kind == VIDMM_FAULT)
        return others;
    bool turn = await_turn(vidmm);
    return vidmm->running || turn || others;
}

/* The item is dealt with; it stays pinned until the whole request is. */
static void pass_over(struct vidmm_worker *worker, struct vidmm_allocation *allocation)
{
    allocation->pins++;
    vidmm_remark(allocation);
    worker->request->next_item++;
}

static void find_room(struct vidmm_worker *worker, struct vidmm_allocation *allocation)
{
    struct vidmm *vidmm = worker->vidmm;
    if (vidmm_place(allocation) ||
        (vidmm_choose_victims(worker, allocation) && allocation->state == VIDMM_PAGING_IN))
        return;
    if (worker->victim_count)
        return;
    if (worker->request->kind == VIDMM_FAULT && worker->request->next_item > 0) {
        pass_over(worker, allocation); /* beside the rest of the batch: it faults again */
        return;
    }
    if (something_will_be_let_go(vidmm)) {
        wait(worker, true);
        return;
    }
    if (vidsch_unload_idle(vidmm->vidsch)) {
        wait(worker, true);
        return;
    }
    worker->request->status = STATUS_NO_MEMORY;
    vidmm->probe->assume(vidmm->probe->self, "requests_without_room", 1);
    pass_over(worker, allocation);
}

static void step_in(struct vidmm_worker *worker, struct vidmm_allocation *allocation)
{
    if (!worker->request->in_place &&
        vidmm_may_be_promoted(allocation, worker->request->moved_bytes)) {
        send_away(worker, allocation, "promotion");
    } else if (allocation->segment) { /* there, or on its way there */
        if (allocation->state != VIDMM_RESIDENT)
            depend(worker, allocation->channel);
        pass_over(worker, allocation);
    } else if (allocation->dying) {
        pass_over(worker, allocation);
    } else {
        find_room(worker, allocation);
        if (allocation->segment && !move_in(worker, allocation)) {
            vidmm_leave_segment(allocation);
            allocation->state = allocation->in_flight ? VIDMM_EVICTING : VIDMM_OUT;
        } else if (allocation->segment) {
            pass_over(worker, allocation);
        }
    }
}

/* What was asked for of the block comes in, in this way. False: a buffer had to be submitted first.
 */
static bool bring_pages(struct vidmm_worker *worker, struct vidmm_allocation *block,
                        enum probe_paging_kind kind)
{
    const struct vidmm_operation operation = {.kind = kind,
                                              .allocation = block,
                                              .request = worker->request,
                                              .bytes = vidmm_block_asks(block, kind),
                                              .to = block->segment->id,
                                              .cause = worker->request->cause};
    if (!operation.bytes)
        return true;
    if (!open_buffer(worker, &operation))
        return false;
    worker->request->moved_bytes += kind == PROBE_PAGE_IN ? operation.bytes : 0;
    worker->cpu_ns += vidmm_fault_ns(block, operation.bytes);
    block->mapped = worker->vidmm->explicit_residency;
    vidmm_block_comes(block, kind);
    build(worker, &operation);
    return true;
}

/* Another packet's batch may have brought all of it in meanwhile. */
static void step_fault(struct vidmm_worker *worker, struct vidmm_allocation *block)
{
    bool placed = block->segment;
    bool asks = vidmm_page_count(&block->pages->asked);
    if (block->dying || (!placed && !asks)) {
        pass_over(worker, block);
        return;
    }
    if (!placed)
        find_room(worker, block);
    if (!block->segment)
        return;
    if (placed && block->in_flight)
        depend(worker, block->channel);
    if (bring_pages(worker, block, PROBE_PAGE_IN) && bring_pages(worker, block, PROBE_FILLED)) {
        pass_over(worker, block);
    } else if (!vidmm_page_count(&block->pages->here)) {
        vidmm_leave_segment(block);
        block->state = block->in_flight ? VIDMM_EVICTING : VIDMM_OUT;
    }
}

/* Those who use it get no more packets until it has left. */
static void step_out(struct vidmm_worker *worker, struct vidmm_allocation *allocation)
{
    if (!allocation->segment) {
        if (allocation->in_flight)
            depend(worker, allocation->channel);
        worker->request->next_item++;
    } else if (allocation->pins || vidmm_required_by_running(allocation)) {
        wait(worker, true);
    } else if (send_away(worker, allocation, worker->request->cause)) {
        worker->request->next_item++;
    }
}

/* The pages are taken out of the process's address space; with its last view, the allocation out of
 * its segment, without a copy (wddm.md §3.2, step 5). */
static void step_unmap(struct vidmm_worker *worker, struct vidmm_allocation *allocation)
{
    struct vidmm_request *request = worker->request;
    const struct vidmm_operation unmap = {.deed = VIDMM_PAGE_TABLES,
                                          .allocation = allocation,
                                          .request = request,
                                          .bytes = allocation->size};
    if (allocation->dying && allocation->segment) {
        if (!send_away(worker, allocation, request->cause))
            return;
    } else if (allocation->mapped) {
        if (!open_buffer(worker, &unmap))
            return;
        build(worker, &unmap);
    }
    allocation->mapped &= !allocation->dying;
    request->next_item++;
}

static void step_map(struct vidmm_worker *worker, struct vidmm_allocation *allocation)
{
    const struct vidmm_operation map = {.deed = VIDMM_PAGE_TABLES,
                                        .allocation = allocation,
                                        .request = worker->request,
                                        .bytes = allocation->size};
    if (!open_buffer(worker, &map))
        return;
    build(worker, &map);
    worker->request->next_item++;
}

/* Wherever it is, that is where it is written. */
static void step_write(struct vidmm_worker *worker, struct vidmm_allocation *allocation)
{
    const struct vidmm_operation write = {.deed = VIDMM_WRITE,
                                          .allocation = allocation,
                                          .request = worker->request,
                                          .bytes = allocation->size};
    if (!open_buffer(worker, &write))
        return;
    build(worker, &write);
    allocation->content = allocation->segment ? VIDMM_IN_SEGMENT : VIDMM_IN_SYSTEM;
    worker->request->next_item++;
}

/* Since it was chosen, a packet may have come to need it. */
static void step_victim(struct vidmm_worker *worker, struct vidmm_allocation *victim)
{
    bool go = vidmm_evictable(victim, worker->request->device, true);
    if (go && !send_away(worker, victim, "eviction"))
        return;
    victim->standing.chosen = false;
    vidmm_restand(victim);
    worker->victim_next++;
    vidmm_allocation_drop(victim);
}

/* While the request was waiting its turn, or for room, more of what its device requires may have
 * been sent away: that comes in, too, or devices would push each other out for ever. */
static bool add_missing(struct vidmm_request *request)
{
    const struct vidmm_device *device = request->device;
    if (!device || !request->whole_device || request->status != STATUS_SUCCESS)
        return false;
    uint32_t missing = 0;
    const struct vidmm_residency *residency;
    DL_FOREACH2 (device->missing, residency, missing_next)
        missing += !residency->allocation->segment;
    if (!missing)
        return false;
    request->items =
        memory_resize(request->items, request->count + missing, sizeof(struct vidmm_allocation *));
    DL_FOREACH2 (device->missing, residency, missing_next) {
        if (residency->allocation->segment) /* on its way */
            continue;
        vidmm_allocation_hold(residency->allocation);
        request->items[request->count++] = residency->allocation;
    }
    return true;
}

static void step(struct vidmm_worker *worker)
{
    struct vidmm_request *request = worker->request;
    if (worker->victim_next < worker->victim_count) {
        step_victim(worker, worker->victims[worker->victim_next]);
        return;
    }
    if (request->next_item == request->count && !add_missing(request)) {
        worker->concluding = true;
        spend(worker);
        return;
    }
    struct vidmm_allocation *allocation = request->items[request->next_item];
    switch (request->kind) {
    case VIDMM_PAGE_IN:
        step_in(worker, allocation);
        break;
    case VIDMM_PAGE_OUT:
        step_out(worker, allocation);
        break;
    case VIDMM_UNMAP:
        step_unmap(worker, allocation);
        break;
    case VIDMM_MAP:
        step_map(worker, allocation);
        break;
    case VIDMM_UPDATE:
        step_write(worker, allocation);
        break;
    case VIDMM_FAULT:
        step_fault(worker, allocation);
        break;
    case VIDMM_FLUSH:
        break;
    }
}

/* Nothing to do, nothing being done. */
static bool is_drained(const struct vidmm_worker *worker)
{
    return !worker->request && !worker->requests && !worker->terminations;
}

static void tell_drained(struct vidmm_worker *worker)
{
    while (worker->drained && is_drained(worker)) {
        struct vidmm_drained *waiter = worker->drained;
        DL_DELETE(worker->drained, waiter);
        waiter->drained(waiter->owner);
    }
}

static void go_on(struct vidmm_worker *worker)
{
    if (worker->stepping)
        return;
    worker->stepping = true;
    while (!worker->busy && !worker->waiting && (worker->request || take_request(worker)))
        step(worker);
    worker->stepping = false;
    tell_drained(worker);
}

void vidmm_await_drained(struct vidmm *vidmm, struct vidmm_drained *waiter)
{
    DL_APPEND(vidmm->worker.drained, waiter);
    tell_drained(&vidmm->worker);
}

static void let_held_packets_try(struct vidmm *vidmm)
{
    uint32_t count = vidmm->held_count;
    struct vidsch_packet **held = vidmm->held;
    vidmm->held = NULL;
    vidmm->held_count = vidmm->held_room = 0;
    for (uint32_t i = 0; i < count; i++)
        vidsch_prepare_again(held[i]);
    free(held);
}

static void look_again(void *owner)
{
    struct vidmm *vidmm = owner;
    if (vidmm->worker.waiting) {
        const struct vidmm_request *request = vidmm->worker.request;
        if (request && request->blame)
            blame_found(request->blame, vidmm->probe, vidmm->let_go);
        vidmm->let_go = probe_thing(PROBE_NOTHING, 0);
        vidmm->worker.waiting = vidmm->blocked = false;
        go_on(&vidmm->worker);
    }
    if (!vidmm->blocked && vidmm->held_count)
        let_held_packets_try(vidmm);
}

void vidmm_kick(struct vidmm *vidmm, struct probe_thing by)
{
    if ((!vidmm->held_count && !vidmm->worker.waiting) || sim_timer_pending(&vidmm->kick))
        return;
    vidmm->let_go = by;
    sim_at(vidmm->sim, &vidmm->kick, sim_now(vidmm->sim));
}

static void queue_fault(struct vidmm_worker *worker, struct vidmm_request *request)
{
    struct vidmm_request *behind = first_but_faults(worker);
    DL_PREPEND_ELEM(worker->requests, behind, request);
    if (worker->waiting)
        stand_back(worker);
}

void vidmm_request_start(struct vidmm *vidmm, struct vidmm_request *request)
{
    struct vidmm_worker *worker = &vidmm->worker;
    request->next_item = 0;
    request->taken = false;
    request->moved_bytes = 0;
    request->channels =
        request->kind == VIDMM_FLUSH ? (UINT64_C(1) << vidmm->channel_count) - 1 : 0;
    request->status = STATUS_SUCCESS;
    request->queued_ns = sim_now(vidmm->sim);
    for (uint32_t i = 0; i < request->count; i++)
        vidmm_allocation_hold(request->items[i]);
    if (request->blame)
        blame_wait(request->blame, vidmm->probe, PROBE_QUEUE, vidmm_pager(vidmm),
                   request->queued_ns);
    if (request->kind == VIDMM_UNMAP)
        DL_APPEND(worker->terminations, request);
    else if (request->kind == VIDMM_FAULT)
        queue_fault(worker, request);
    else
        DL_APPEND(worker->requests, request);
    go_on(worker);
}

/* The signal of a flush is behind all that the nodes have been given. */
void vidmm_flush(struct vidmm *vidmm, struct vidmm_request *request)
{
    request->kind = VIDMM_FLUSH;
    request->count = 0;
    request->items = &request->one;
    vidmm_request_start(vidmm, request);
}

void vidmm_worker_init(struct vidmm *vidmm)
{
    const struct profile *profile = vidmm->profile;
    vidmm->worker.vidmm = vidmm;
    sim_timer_init(&vidmm->kick, look_again, vidmm);
    sim_timer_init(&vidmm->turn, look_again, vidmm);
    vidmm->operations.object_size = sizeof(struct vidmm_operation);
    vidmm->buffers.object_size = sizeof(struct vidmm_buffer);
    vidmm->waits.object_size = sizeof(struct vidsch_packet);
    vidmm->vacating.object_size = sizeof(struct vidmm_vacating);
    vidmm->channels = memory_new(profile->node_count, sizeof *vidmm->channels);
    for (uint32_t node = 0; node < profile->node_count; node++) {
        if (profile->nodes[node].kind != PROFILE_NODE_PAGING)
            continue;
        struct vidmm_channel *channel = &vidmm->channels[vidmm->channel_count++];
        channel->vidmm = vidmm;
        channel->context =
            vidsch_context_create(vidmm->vidsch, node, 0, true, 0,
                                  (struct probe_label){.text = "system paging context"}, NULL);
    }
}

static void forget(struct vidmm_request *list, const struct vidmm_device *device)
{
    struct vidmm_request *request;
    DL_FOREACH (list, request)
        if (request->device == device)
            request->device = NULL;
}

void vidmm_worker_forget(const struct vidmm_device *device)
{
    struct vidmm_worker *worker = &device->vidmm->worker;
    forget(worker->requests, device);
    forget(worker->terminations, device);
    forget(worker->submitted, device);
    if (worker->request && worker->request->device == device)
        worker->request->device = NULL;
}

void vidmm_worker_fini(struct vidmm *vidmm)
{
    memory_pool_fini(&vidmm->operations);
    memory_pool_fini(&vidmm->buffers);
    memory_pool_fini(&vidmm->waits);
    memory_pool_fini(&vidmm->vacating);
    free(vidmm->worker.victims);
    free(vidmm->channels);
    free(vidmm->held);
}
