/* Playing what moves memory and what makes the GPU work. */
#include "workloads/plays.h"

static struct dxgk_process *process_of(struct player *player, const struct trace_event *event,
                                       const struct named_object *object)
{
    return (object ? object->process : player_process(player, event->pid))->dxgk;
}

static d3dkmt_handle handle_of(const struct named_object *object)
{
    return object ? object->handle : 0;
}

/* The device's handles for a list of allocations; 0 stands for what it does not know. */
static d3dkmt_handle *handles_of(struct player *player, const struct trace_event *event,
                                 struct named_object *device)
{
    uint32_t count = event->allocations.count;
    d3dkmt_handle *handles = player_handles(player, count);
    for (uint32_t i = 0; i < count; i++) {
        struct named_object *allocation =
            player_allocation(player, event, device, event->allocations.items[i]);
        handles[i] = player_view(allocation, device);
        if (allocation && event->op == TRACE_MAKE_RESIDENT)
            allocation->required++;
        if (allocation && event->op == TRACE_EVICT && allocation->required)
            allocation->required--;
    }
    return handles;
}

bool play_map_gpu_virtual_address(struct player *player, const struct trace_event *event,
                                  struct d3dkmt_call *call, struct complaint *complaint)
{
    (void)complaint;
    struct named_object *device = player_device(player, event);
    d3dkmt_handle handle =
        player_view(player_allocation(player, event, device, event->allocation), device);
    d3dkmt_map_gpu_virtual_address(process_of(player, event, device), call, handle_of(device),
                                   handle);
    return true;
}

/* Where the program was not refused when it was recorded, its user-mode driver is taken to know
 * what to do when it is: it trims, and then insists (wddm.md §6.3). */
static uint32_t make_resident_flags(const struct trace_event *event)
{
    uint32_t flags = (uint32_t)event->flags;
    bool refused = trace_given(event->given, TRACE_STATUS) && event->status == STATUS_NO_MEMORY;
    return flags | (event->existing ? VIDMM_EXISTING : 0) | (refused ? 0 : VIDMM_TRIMS);
}

bool play_make_resident(struct player *player, const struct trace_event *event,
                        struct d3dkmt_call *call, struct complaint *complaint)
{
    (void)complaint;
    struct named_object *device = player_device(player, event);
    player_foresee(player, call, event->allocations.count);
    d3dkmt_make_resident(process_of(player, event, device), call, handle_of(device),
                         handles_of(player, event, device), event->allocations.count,
                         make_resident_flags(event));
    return true;
}

bool play_evict(struct player *player, const struct trace_event *event, struct d3dkmt_call *call,
                struct complaint *complaint)
{
    (void)complaint;
    enum { NOT_WRITTEN_TO = 2 };
    struct named_object *device = player_device(player, event);
    d3dkmt_evict(process_of(player, event, device), call, handle_of(device),
                 handles_of(player, event, device), event->allocations.count,
                 event->flags & NOT_WRITTEN_TO);
    return true;
}

/* The handle under which some device of the process knows the allocation; 0: none does. */
static d3dkmt_handle view_in(const struct named_object *allocation,
                             const struct replay_process *process)
{
    for (uint32_t i = 0; allocation && i < allocation->view_count; i++)
        if (allocation->views[i].device->process == process)
            return allocation->views[i].handle;
    return 0;
}

/* The call names no device: any of the caller's will do, or if it has none, whoever's. */
bool play_set_allocation_priority(struct player *player, const struct trace_event *event,
                                  struct d3dkmt_call *call, struct complaint *complaint)
{
    (void)complaint;
    uint32_t count = event->allocations.count;
    struct replay_process *process = player_process(player, event->pid);
    for (uint32_t i = 0; i < count; i++) {
        const struct named_object *allocation =
            player_allocation(player, event, NULL, event->allocations.items[i]);
        if (i == 0 && allocation && !view_in(allocation, process))
            process = allocation->views[0].device->process;
    }
    d3dkmt_handle *handles = player_handles(player, count);
    for (uint32_t i = 0; i < count; i++)
        handles[i] =
            view_in(names_find(&player->allocations, event->allocations.items[i]), process);
    d3dkmt_set_allocation_priority(process->dxgk, call, handles, count, event->priority);
    return true;
}

bool play_offer(struct player *player, const struct trace_event *event, struct d3dkmt_call *call,
                struct complaint *complaint)
{
    (void)complaint;
    struct named_object *device = player_device(player, event);
    d3dkmt_offer_allocations(process_of(player, event, device), call, handle_of(device),
                             handles_of(player, event, device), event->allocations.count,
                             event->priority, (uint32_t)event->flags);
    return true;
}

bool play_reclaim(struct player *player, const struct trace_event *event, struct d3dkmt_call *call,
                  struct complaint *complaint)
{
    (void)complaint;
    struct named_object *device = player_device(player, event);
    player_foresee(player, call, event->allocations.count);
    d3dkmt_reclaim_allocations2(process_of(player, event, device), call, handle_of(device),
                                handles_of(player, event, device), event->allocations.count);
    return true;
}

bool play_lock(struct player *player, const struct trace_event *event, struct d3dkmt_call *call,
               struct complaint *complaint)
{
    (void)complaint;
    struct named_object *device = player_device(player, event);
    d3dkmt_handle handle =
        player_view(player_allocation(player, event, device, event->allocation), device);
    d3dkmt_lock2(process_of(player, event, device), call, handle_of(device), handle);
    return true;
}

bool play_unlock(struct player *player, const struct trace_event *event, struct d3dkmt_call *call,
                 struct complaint *complaint)
{
    (void)complaint;
    struct named_object *device = player_device(player, event);
    d3dkmt_handle handle =
        player_view(player_allocation(player, event, device, event->allocation), device);
    d3dkmt_unlock2(process_of(player, event, device), call, handle_of(device), handle);
    return true;
}

/* A submission names it: for who wants to know. */
static void note_use(struct player *player, struct named_object *allocation)
{
    if (allocation->number == 0)
        allocation->number = numbers_take(&player->numbers);
    player->uses[player->use_count++] =
        (struct probe_use){.bytes = allocation->bytes, .allocation = allocation->number};
}

/* Adds to the handles those of a list that are not there yet; the list's first name is the event's
 * `place`-th. */
static uint32_t add_references(struct player *player, const struct trace_event *event,
                               struct named_object *device, struct trace_names names,
                               uint32_t place, d3dkmt_handle *handles, uint32_t count)
{
    for (uint32_t i = 0; i < names.count; i++) {
        struct named_object *allocation = player_allocation(player, event, device, names.items[i]);
        if (allocation && allocation->mark == player->marks)
            continue;
        if (allocation)
            allocation->mark = player->marks;
        if (allocation && player->probe->uses)
            note_use(player, allocation);
        /* The real system would stop the device: here the packet's list is paged in for it. */
        if (player->header.residency == TRACE_RESIDENCY_EXPLICIT && allocation &&
            allocation->required == 0 && player->adapters[0].profile->wddm >= 20)
            player_assume(player, "references_to_what_was_not_made_resident");
        d3dkmt_handle handle = player_view(allocation, device);
        if (!handle && allocation && player->header.create_unknown)
            continue; /* another device's: counted as an assumption when it was looked up */
        if (player->foresight)
            player->next_uses[count] = foresight_next(player->foresight, player->index, place + i);
        handles[count++] = handle;
    }
    return count;
}

bool play_submit(struct player *player, const struct trace_event *event, struct d3dkmt_call *call,
                 struct complaint *complaint)
{
    (void)complaint;
    const struct named_object *context = player_context(player, event, event->context);
    struct named_object *device = context ? context->device : NULL;
    uint32_t reads = event->allocations.count;
    d3dkmt_handle *handles = player_handles(player, reads + event->writes.count);
    player->marks++;
    player->use_count = 0;
    uint32_t first_write = add_references(player, event, device, event->allocations, 0, handles, 0);
    uint32_t count =
        add_references(player, event, device, event->writes, reads, handles, first_write);
    if (player->use_count != 0)
        player->probe->uses(player->probe->self, sim_now(player->sim), player->uses,
                            player->use_count);
    call->next_uses = player->foresight ? player->next_uses : NULL;
    /* What was a context switch where it was recorded is the simulated engine's to decide. */
    uint64_t switch_ns = event->switch_ns < event->gpu_ns ? event->switch_ns : event->gpu_ns;
    bool driver = trace_given(event->given, TRACE_DRIVER);
    bool interrupt = trace_given(event->given, TRACE_INTERRUPT);
    d3dkmt_submit_command(
        process_of(player, event, context), call,
        &(struct d3dkmt_submit){.context = handle_of(context),
                                .execute_ns = event->gpu_ns - switch_ns,
                                .granule_ns = event->granule_ns,
                                .driver_ns = driver ? &event->driver_ns : NULL,
                                .interrupt_ns = interrupt ? &event->interrupt_ns : NULL,
                                .allocations = handles,
                                .count = count,
                                .writes_from = first_write});
    return true;
}

/* The contexts a Signal or Wait is queued in: none, one, or a broadcast's. */
static uint32_t contexts_of(struct player *player, const struct trace_event *event,
                            const struct named_object **first)
{
    struct trace_names names = event->contexts;
    if (trace_given(event->given, TRACE_CONTEXT))
        names = (struct trace_names){&event->context, 1};
    d3dkmt_handle *handles = player_handles(player, names.count + 1);
    *first = NULL;
    for (uint32_t i = 0; i < names.count; i++) {
        const struct named_object *context = player_context(player, event, names.items[i]);
        *first = *first ? *first : context;
        handles[i] = handle_of(context);
    }
    return names.count;
}

bool play_signal(struct player *player, const struct trace_event *event, struct d3dkmt_call *call,
                 struct complaint *complaint)
{
    (void)complaint;
    const struct named_object *first;
    uint32_t count = contexts_of(player, event, &first);
    d3dkmt_signal(process_of(player, event, first), call, player->handles, count,
                  player_fence(player, event->fence), event->value);
    return true;
}

bool play_wait(struct player *player, const struct trace_event *event, struct d3dkmt_call *call,
               struct complaint *complaint)
{
    (void)complaint;
    const struct named_object *first;
    uint32_t count = contexts_of(player, event, &first);
    d3dkmt_wait(process_of(player, event, first), call, player->handles, count,
                player_fence(player, event->fence), event->value);
    return true;
}

bool play_present(struct player *player, const struct trace_event *event, struct d3dkmt_call *call,
                  struct complaint *complaint)
{
    (void)complaint;
    const struct named_object *context = player_context(player, event, event->context);
    bool flip = trace_given(event->given, TRACE_INTERVAL);
    d3dkmt_present(process_of(player, event, context), call, handle_of(context), flip,
                   event->interval);
    return true;
}
