#include "workloads/player.h"

#include "workloads/plays.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static player_play_function *const plays[TRACE_OPS] = {
    [TRACE_CREATE_DEVICE] = play_create_device,
    [TRACE_DESTROY_DEVICE] = play_destroy_device,
    [TRACE_CREATE_CONTEXT] = play_create_context,
    [TRACE_DESTROY_CONTEXT] = play_destroy_context,
    [TRACE_CREATE_ALLOCATION] = play_create_allocation,
    [TRACE_OPEN_RESOURCE] = play_open_resource,
    [TRACE_DESTROY_ALLOCATION] = play_destroy_allocation,
    [TRACE_CREATE_CONTEXT_ALLOCATION] = play_create_context_allocation,
    [TRACE_DESTROY_CONTEXT_ALLOCATION] = play_destroy_context_allocation,
    [TRACE_MAP_GPU_VIRTUAL_ADDRESS] = play_map_gpu_virtual_address,
    [TRACE_MAKE_RESIDENT] = play_make_resident,
    [TRACE_EVICT] = play_evict,
    [TRACE_SET_ALLOCATION_PRIORITY] = play_set_allocation_priority,
    [TRACE_OFFER_ALLOCATIONS] = play_offer,
    [TRACE_RECLAIM_ALLOCATIONS] = play_reclaim,
    [TRACE_LOCK] = play_lock,
    [TRACE_UNLOCK] = play_unlock,
    [TRACE_SUBMIT] = play_submit,
    [TRACE_SIGNAL] = play_signal,
    [TRACE_WAIT] = play_wait,
    [TRACE_PRESENT] = play_present,
    [TRACE_SET_CONTEXT_PRIORITY] = play_set_context_priority,
    [TRACE_SET_PROCESS_PRIORITY] = play_set_process_priority,
    [TRACE_EXIT_PROCESS] = play_exit_process,
    [TRACE_REMOVE_ADAPTER] = play_remove_adapter,
    [TRACE_MARK_DEVICE_AS_ERROR] = play_mark_device_as_error,
    [TRACE_SET_PROCESS_STATE] = play_set_process_state,
};

/* Behind those that are there. */
static uint32_t add_adapter(struct player *player, const struct profile *profile,
                            const struct dxgkddi *miniport)
{
    struct player_adapter *adapter = &player->adapters[player->adapter_count];
    adapter->profile = profile;
    adapter->place.number = player->adapter_count;
    if (player->adapter_count) {
        const struct player_adapter *before = adapter - 1;
        adapter->place.first_segment = before->place.first_segment + before->profile->segment_count;
        adapter->place.first_node = before->place.first_node + before->profile->node_count;
    }
    for (size_t i = 0; i < PROFILE_NODES_MAX; i++)
        adapter->node_map[i] = -1;
    adapter->vidsch = vidsch_create_on(&adapter->place, player->sim, profile, player->probe);
    adapter->vidmm = vidmm_create(player->sim, profile, adapter->vidsch, player->probe);
    struct dxgkddi built_in;
    uint32_t status = miniport ? STATUS_SUCCESS : miniport_driver_entry(&built_in);
    if (!miniport)
        miniport = &built_in;
    if (player->adapter_count++) {
        vidmm_join(player->adapters[0].vidmm, adapter->vidmm);
        dxgkrnl_add_adapter(player->dxgkrnl, profile, adapter->vidsch, adapter->vidmm, miniport);
    } else {
        player->dxgkrnl = dxgkrnl_create(player->sim, profile, adapter->vidsch, adapter->vidmm,
                                         miniport, player->probe);
    }
    return status;
}

uint32_t player_init(struct player *player, struct sim *sim, const struct profile *const *profiles,
                     uint32_t adapter_count, struct probe *probe, const struct trace_header *header,
                     const struct dxgkddi *miniport)
{
    *player = (struct player){.sim = sim, .probe = probe, .header = *header};
    player->call_pool.object_size = sizeof(struct played_call);
    uint32_t status = STATUS_SUCCESS;
    for (uint32_t i = 0; i < adapter_count && status_is_success(status); i++)
        status = add_adapter(player, profiles[i], i == 0 ? miniport : NULL);
    return status_is_success(status) ? dxgkrnl_start_device(player->dxgkrnl) : status;
}

void player_fini(struct player *player)
{
    struct replay_process *process, *next;
    HASH_ITER (hh, player->processes, process, next) {
        HASH_DEL(player->processes, process);
        free(process);
    }
    struct played_call *call;
    DL_FOREACH (player->calls, call)
        free(call->call.extra);
    names_fini(&player->devices);
    names_fini(&player->contexts);
    names_fini(&player->allocations);
    names_fini(&player->resources);
    names_fini(&player->fences);
    names_fini(&player->context_allocations);
    dxgkrnl_destroy(player->dxgkrnl);
    for (uint32_t i = 0; i < player->adapter_count; i++)
        vidmm_destroy(player->adapters[i].vidmm);
    for (uint32_t i = 0; i < player->adapter_count; i++)
        vidsch_destroy(player->adapters[i].vidsch);
    memory_pool_fini(&player->call_pool);
    free(player->handles);
    free(player->next_uses);
    free(player->uses);
    numbers_fini(&player->numbers);
}

void player_assume(struct player *player, const char *what)
{
    player->probe->assume(player->probe->self, what, 1);
}

struct replay_process *player_process(struct player *player, uint32_t pid)
{
    struct replay_process *process;
    HASH_FIND(hh, player->processes, &pid, sizeof pid, process);
    if (!process) {
        process = memory_new(1, sizeof *process);
        process->pid = pid;
        process->dxgk = dxgkrnl_process(player->dxgkrnl, pid);
        HASH_ADD(hh, player->processes, pid, sizeof pid, process);
    }
    return process;
}

static void check_blame(struct player *player, const struct probe_call *report)
{
    uint64_t sum = 0;
    for (int cause = 0; cause < PROBE_CAUSES; cause++)
        sum += report->blame_ns[cause];
    uint64_t end = report->asynchronous ? report->done_ns : report->return_ns;
    if (sum != end - report->start_ns && !player->failure[0])
        snprintf(player->failure, sizeof player->failure,
                 "event %llu (%s): blame adds up to %llu ns of a latency of %llu ns",
                 (unsigned long long)report->index, report->op, (unsigned long long)sum,
                 (unsigned long long)(end - report->start_ns));
}

static void call_returned(void *owner, struct d3dkmt_call *call)
{
    (void)call;
    struct played_call *played = owner;
    if (played->on_return)
        played->on_return(played->owner);
}

static void call_finished(void *owner, struct d3dkmt_call *call)
{
    struct played_call *played = owner;
    struct player *player = played->player;
    if (!played->silent) {
        struct probe_call *report = &played->report;
        report->start_ns = call->start_ns;
        report->return_ns = call->return_ns;
        report->asynchronous = call->asynchronous;
        report->done_ns = call->asynchronous ? call->done_ns : 0;
        report->status = call->status;
        report->job = call->blame.job;
        memcpy(report->blame_ns, call->blame.ns, sizeof report->blame_ns);
        if (player->check)
            check_blame(player, report);
        player->probe->call(player->probe->self, report);
    } else if (!status_is_success(call->status)) {
        player_assume(player, "what_was_there_before_and_is_not_possible_here");
    }
    DL_DELETE(player->calls, played);
    memory_pool_give(&player->call_pool, played);
}

static struct played_call *new_call(struct player *player)
{
    struct played_call *played = memory_pool_take(&player->call_pool);
    memory_clear(played, sizeof *played);
    played->player = player;
    played->call.on_return = call_returned;
    played->call.on_finish = call_finished;
    played->call.owner = played;
    DL_APPEND(player->calls, played);
    return played;
}

struct d3dkmt_call *player_silent_call(struct player *player)
{
    struct played_call *played = new_call(player);
    played->silent = true;
    return &played->call;
}

static void discard_call(struct played_call *played)
{
    DL_DELETE(played->player->calls, played);
    memory_pool_give(&played->player->call_pool, played);
}

static void note_expectations(struct probe_expected *expected, const struct trace_event *event)
{
    expected->has_status = trace_given(event->given, TRACE_STATUS);
    expected->status = event->status;
    expected->has_dur = trace_given(event->given, TRACE_DUR);
    expected->dur_ns = event->dur_ns;
    expected->has_done = trace_given(event->given, TRACE_DONE) && event->done_ns >= event->t_ns;
    expected->latency_ns = event->done_ns - event->t_ns;
}

bool player_play(struct player *player, const struct trace_event *event, uint64_t index,
                 uint64_t due_ns, void (*on_return)(void *owner), void *owner, char *error,
                 size_t error_size)
{
    player_play_function *play = plays[event->op];
    if (!play) { /* ObserveTransfer: something seen, not something done */
        on_return(owner);
        return true;
    }
    struct played_call *played = new_call(player);
    if (event->existing) { /* nobody made a call: nothing takes time, nothing is reported */
        player_assume(player, "events_that_stand_for_what_was_there_before");
        played->silent = true;
    } else {
        played->on_return = on_return;
        played->owner = owner;
    }
    played->report.index = index;
    played->report.op = played->call.op = trace_ops[event->op].name;
    played->report.pid = event->pid;
    played->report.tid = event->tid;
    played->report.due_ns = due_ns;
    note_expectations(&played->report.expected, event);
    player->index = index;
    struct complaint complaint = {error, error_size};
    bool meant = play(player, event, &played->call, &complaint);
    if (!meant)
        discard_call(played);
    else if (event->existing)
        on_return(owner);
    return meant;
}

bool player_skip(struct player *player, const struct trace_event *event, char *error,
                 size_t error_size)
{
    switch (event->op) {
    case TRACE_SIGNAL:
        vidsch_fence_signal(player_fence(player, event->fence), event->value,
                            probe_thing(PROBE_NOTHING, 0));
        return true;
    case TRACE_SUBMIT:
    case TRACE_WAIT:
    case TRACE_PRESENT:
    case TRACE_OBSERVE_TRANSFER:
        return true;
    default: {
        struct trace_event before = *event;
        before.existing = true;
        struct d3dkmt_call *call = player_silent_call(player);
        struct complaint complaint = {error, error_size};
        if (plays[event->op](player, &before, call, &complaint))
            return true;
        discard_call(call->owner);
        return false;
    }
    }
}

d3dkmt_handle *player_handles(struct player *player, uint32_t count)
{
    if (count > player->handle_room) {
        player->handle_room = count * 2;
        player->handles =
            memory_resize(player->handles, player->handle_room, sizeof *player->handles);
        player->next_uses =
            memory_resize(player->next_uses, player->handle_room, sizeof *player->next_uses);
        player->uses = memory_resize(player->uses, player->handle_room, sizeof *player->uses);
    }
    return player->handles;
}

void player_foresee(struct player *player, struct d3dkmt_call *call, uint32_t count)
{
    if (!player->foresight)
        return;
    player_handles(player, count);
    for (uint32_t i = 0; i < count; i++)
        player->next_uses[i] = foresight_next(player->foresight, player->index, i);
    call->next_uses = player->next_uses;
}

d3dkmt_handle player_view(const struct named_object *object, const struct named_object *device)
{
    for (uint32_t i = 0; object && i < object->view_count; i++)
        if (object->views[i].device == device)
            return object->views[i].handle;
    return 0;
}

void player_add_view(struct named_object *object, struct named_object *device, d3dkmt_handle handle)
{
    struct named_view *list = object->views == &object->only_view ? NULL : object->views;
    if (object->view_count == 0) {
        object->views = &object->only_view;
    } else {
        object->views = memory_resize(list, object->view_count + 1, sizeof *object->views);
        if (!list)
            object->views[0] = object->only_view;
    }
    object->views[object->view_count++] = (struct named_view){device, handle};
}

static void leave_resource(struct named_object *allocation)
{
    struct named_object *resource = allocation->resource;
    if (!resource)
        return;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < resource->member_count; i++)
        if (resource->members[i] != allocation)
            resource->members[kept++] = resource->members[i];
    resource->member_count = kept;
}

bool player_drop_view(struct player *player, struct names *names, struct named_object *object,
                      const struct named_object *device)
{
    uint32_t at = 0;
    while (object->views[at].device != device)
        at++;
    object->view_count--;
    memmove(&object->views[at], &object->views[at + 1],
            (object->view_count - at) * sizeof *object->views);
    if (object->view_count)
        return true;
    if (object->number != 0) { /* submissions named it */
        player->probe->gone(player->probe->self, sim_now(player->sim), object->number);
        numbers_give(&player->numbers, object->number);
    }
    leave_resource(object);
    for (uint32_t i = 0; i < object->member_count; i++)
        object->members[i]->resource = NULL;
    names_remove(names, object);
    return false;
}

struct vidsch_fence *player_fence(struct player *player, struct trace_name name)
{
    struct named_object *fence = names_find(&player->fences, name);
    if (!fence)
        fence = names_add(&player->fences, name);
    return &fence->fence;
}

uint64_t player_kmd_flags(struct player *player, uint64_t flags)
{
    uint64_t unknown =
        flags & (player->adapters[0].profile->wddm >= 20 ? DXGK_WDDM1_ONLY : DXGK_WDDM2_ONLY);
    if (unknown)
        player_assume(player, "kmd_flags_the_wddm_version_lacks");
    return flags & ~unknown;
}

static uint32_t segment_id(const struct profile *profile, struct trace_name name)
{
    if (!name.text)
        return name.number >= 1 && name.number <= profile->segment_count ? (uint32_t)name.number
                                                                         : 0;
    for (uint32_t i = 0; i < profile->segment_count; i++)
        if (strcmp(profile->segments[i].name, name.text) == 0)
            return i + 1;
    return 0;
}

uint32_t player_segments(struct player *player, const struct profile *profile,
                         struct trace_names names)
{
    uint32_t set = 0;
    for (uint32_t i = 0; i < names.count; i++) {
        uint32_t id = segment_id(profile, names.items[i]);
        if (id)
            set |= UINT32_C(1) << (id - 1);
        else
            player_assume(player, "segments_the_profile_lacks");
    }
    return set;
}

void player_preferred(struct player *player, const struct profile *profile,
                      struct trace_names names, uint32_t supported, uint8_t preferred[5])
{
    int count = 0;
    for (uint32_t i = 0; i < names.count && count < 5; i++) {
        uint32_t id = segment_id(profile, names.items[i]);
        if (id && (!supported || supported >> (id - 1) & 1))
            preferred[count++] = (uint8_t)id;
        else
            player_assume(player, "preferences_left_out");
    }
}
