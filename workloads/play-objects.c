/* Playing what creates and destroys devices, contexts and what belongs to them. */
#include "workloads/plays.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

bool player_name_is_free(const struct names *names, struct trace_name name, const char *op,
                         const char *field, struct complaint *complaint)
{
    if (!names_find(names, name))
        return true;
    snprintf(complaint->text, complaint->size, "%s: %s: %s is the name of a live object already",
             op, field, names_text(name));
    return false;
}

/* A device that nothing in the trace created: the event's own name for it, or the process's. */
static struct named_object *assume_device(struct player *player, struct replay_process *process,
                                          struct trace_name name)
{
    d3dkmt_handle handle;
    d3dkmt_create_device(process->dxgk, player_silent_call(player), 0, false, &handle);
    struct named_object *device = names_add(&player->devices, name);
    device->process = process;
    device->handle = handle;
    player_assume(player, "devices_created_on_first_use");
    return device;
}

struct named_object *player_device(struct player *player, const struct trace_event *event)
{
    struct named_object *device = names_find(&player->devices, event->device);
    if (!device && player->header.create_unknown)
        device = assume_device(player, player_process(player, event->pid), event->device);
    return device;
}

/* The process's only device, as far as anyone knows. */
static struct named_object *process_device(struct player *player, struct replay_process *process)
{
    if (!process->assumed_device) {
        char text[48];
        snprintf(text, sizeof text, "assumed device of process %u", process->pid);
        process->assumed_device = assume_device(player, process, (struct trace_name){.text = text});
    }
    return process->assumed_device;
}

/* Node ordinals of the recording that the profile lacks, or has for paging only, get a node of
 * their own if there is one: two engines must not become one unnoticed. */
static uint32_t map_node(struct player *player, struct player_adapter *adapter, uint64_t ordinal,
                         bool system)
{
    const struct profile *profile = adapter->profile;
    if (ordinal < profile->node_count &&
        (system || profile->nodes[ordinal].kind != PROFILE_NODE_PAGING))
        return (uint32_t)ordinal;
    if (ordinal >= PROFILE_NODES_MAX)
        ordinal = PROFILE_NODES_MAX - 1;
    if (adapter->node_map[ordinal] < 0) {
        player_assume(player, "nodes_the_profile_lacks");
        adapter->node_map[ordinal] = 0;
        for (uint32_t node = 1; node < profile->node_count; node++) {
            bool paging = profile->nodes[node].kind == PROFILE_NODE_PAGING;
            bool taken = false;
            for (size_t i = 0; i < PROFILE_NODES_MAX; i++)
                taken |= adapter->node_map[i] == (int32_t)node;
            if (paging == system && !taken) {
                adapter->node_map[ordinal] = (int32_t)node;
                break;
            }
        }
    }
    return (uint32_t)adapter->node_map[ordinal];
}

/* A recording made elsewhere may ask for a node that the profile lacks: any of the kind that the
 * name begins with will do ("copy2": a copy node); compute work can run where 3D work does, and
 * copies can be made by whichever engine there is. */
static bool node_of_kind(const struct profile *profile, const char *name, uint32_t *node)
{
    static const struct {
        const char *name;
        enum profile_node_kind kinds[3];
    } kinds[] = {
        {"3d", {PROFILE_NODE_3D, PROFILE_NODE_COMPUTE, PROFILE_NODE_3D}},
        {"compute", {PROFILE_NODE_COMPUTE, PROFILE_NODE_3D, PROFILE_NODE_COMPUTE}},
        {"copy", {PROFILE_NODE_COPY, PROFILE_NODE_3D, PROFILE_NODE_COMPUTE}},
        {"video", {PROFILE_NODE_VIDEO, PROFILE_NODE_3D, PROFILE_NODE_COMPUTE}},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strncmp(name, kinds[i].name, strlen(kinds[i].name)) != 0)
            continue;
        for (size_t k = 0; k < 3; k++)
            for (*node = 0; *node < profile->node_count; ++*node)
                if (profile->nodes[*node].kind == kinds[i].kinds[k])
                    return true;
    }
    return false;
}

static bool find_node(struct player *player, const struct trace_event *event, uint32_t *node,
                      struct complaint *complaint)
{
    const struct named_object *device = names_find(&player->devices, event->device);
    struct player_adapter *adapter = &player->adapters[device ? device->adapter : 0];
    const struct profile *profile = adapter->profile;
    if (!event->node.text) {
        *node = map_node(player, adapter, event->node.number, event->system);
        return true;
    }
    for (*node = 0; *node < profile->node_count; ++*node)
        if (strcmp(profile->nodes[*node].name, event->node.text) == 0)
            return true;
    if (player->header.create_unknown && node_of_kind(profile, event->node.text, node)) {
        player_assume(player, "nodes_the_profile_lacks");
        return true;
    }
    snprintf(complaint->text, complaint->size,
             "CreateContext: node: profile %s has no node named \"%.60s\"", profile->name,
             event->node.text);
    return false;
}

static struct named_object *add_context(struct player *player, struct trace_name name,
                                        struct named_object *device, d3dkmt_handle handle)
{
    struct named_object *context = names_add(&player->contexts, name);
    context->process = device->process;
    context->device = device;
    context->handle = handle;
    return context;
}

struct named_object *player_context(struct player *player, const struct trace_event *event,
                                    struct trace_name name)
{
    struct named_object *context = names_find(&player->contexts, name);
    if (context || !player->header.create_unknown)
        return context;
    struct replay_process *process = player_process(player, event->pid);
    struct named_object *device = process_device(player, process);
    struct d3dkmt_create_context args = {
        .device = device->handle, .existing = true, .label = {name.text, name.number}};
    d3dkmt_create_context(process->dxgk, player_silent_call(player), &args);
    player_assume(player, "contexts_created_on_first_use");
    return add_context(player, name, device, args.context);
}

struct named_object *player_allocation(struct player *player, const struct trace_event *event,
                                       struct named_object *device, struct trace_name name)
{
    struct named_object *allocation = names_find(&player->allocations, name);
    if (allocation && (player_view(allocation, device) || !player->header.create_unknown))
        return allocation;
    if (!player->header.create_unknown)
        return NULL;
    if (allocation) { /* known to another device: how it got here was not recorded */
        player_assume(player, "allocations_used_by_a_device_that_did_not_open_them");
        return allocation;
    }
    if (!device)
        device = process_device(player, player_process(player, event->pid));
    struct d3dkmt_allocation_info info = {
        .private_data = {.size = player->header.unknown_size},
        .label = {name.text, name.number},
    };
    struct d3dkmt_create_allocation args = {
        .device = device->handle, .count = 1, .allocations = &info, .existing = true};
    struct d3dkmt_call *call = player_silent_call(player);
    d3dkmt_create_allocation(device->process->dxgk, call, &args);
    player_assume(player, "allocations_created_on_first_use");
    if (!info.allocation)
        return NULL; /* no memory left */
    allocation = names_add(&player->allocations, name);
    allocation->process = device->process;
    allocation->device = device;
    allocation->bytes = info.private_data.size;
    allocation->required = 1; /* before the recording, by whatever used it */
    player_add_view(allocation, device, info.allocation);
    return allocation;
}

bool play_create_device(struct player *player, const struct trace_event *event,
                        struct d3dkmt_call *call, struct complaint *complaint)
{
    if (!player_name_is_free(&player->devices, event->device, "CreateDevice", "device", complaint))
        return false;
    struct replay_process *process = player_process(player, event->pid);
    uint64_t adapter = event->adapter;
    if (adapter >= player->adapter_count && player->header.create_unknown) {
        player_assume(player, "adapters_the_profile_lacks");
        adapter = 0;
    }
    d3dkmt_handle handle;
    d3dkmt_create_device(process->dxgk, call, adapter, event->system, &handle);
    if (!handle)
        return true;
    struct named_object *device = names_add(&player->devices, event->device);
    device->process = process;
    device->adapter = (uint8_t)adapter;
    device->handle = handle;
    if (!process->assumed_device)
        process->assumed_device = device;
    return true;
}

/* The names of everything a device had are free again. */
struct sweep {
    struct player *player;
    struct names *names;
    const struct named_object *device;
};

static void sweep_context(void *self, struct named_object *context)
{
    const struct sweep *sweep = self;
    if (context->device == sweep->device)
        names_remove(sweep->names, context);
}

static void sweep_view(void *self, struct named_object *object)
{
    const struct sweep *sweep = self;
    while (player_view(object, sweep->device))
        if (!player_drop_view(sweep->player, sweep->names, object, sweep->device))
            return;
}

static void forget_device(struct player *player, struct named_object *device)
{
    names_each(&player->contexts, sweep_context,
               &(struct sweep){player, &player->contexts, device});
    names_each(&player->context_allocations, sweep_context,
               &(struct sweep){player, &player->context_allocations, device});
    names_each(&player->allocations, sweep_view,
               &(struct sweep){player, &player->allocations, device});
    names_each(&player->resources, sweep_view, &(struct sweep){player, &player->resources, device});
    if (device->process->assumed_device == device)
        device->process->assumed_device = NULL;
    names_remove(&player->devices, device);
}

bool play_destroy_device(struct player *player, const struct trace_event *event,
                         struct d3dkmt_call *call, struct complaint *complaint)
{
    (void)complaint;
    struct named_object *device = player_device(player, event);
    struct replay_process *process = device ? device->process : player_process(player, event->pid);
    d3dkmt_handle handle = device ? device->handle : 0;
    if (device)
        forget_device(player, device);
    d3dkmt_destroy_device(process->dxgk, call, handle);
    return true;
}

static void sweep_process(void *self, struct named_object *device)
{
    struct player *player = ((void **)self)[0];
    const struct replay_process *process = ((void **)self)[1];
    if (device->process == process)
        forget_device(player, device);
}

bool play_remove_adapter(struct player *player, const struct trace_event *event,
                         struct d3dkmt_call *call, struct complaint *complaint)
{
    (void)complaint;
    if (event->adapter >= player->adapter_count)
        player_assume(player, "adapters_the_profile_lacks");
    dxgk_remove_adapter(player_process(player, event->pid)->dxgk, call, event->adapter);
    return true;
}

bool play_mark_device_as_error(struct player *player, const struct trace_event *event,
                               struct d3dkmt_call *call, struct complaint *complaint)
{
    (void)complaint;
    const struct named_object *device = player_device(player, event);
    struct replay_process *process = device ? device->process : player_process(player, event->pid);
    d3dkmt_mark_device_as_error(process->dxgk, call, device ? device->handle : 0);
    return true;
}

bool play_set_process_state(struct player *player, const struct trace_event *event,
                            struct d3dkmt_call *call, struct complaint *complaint)
{
    enum { DWM = 1, FOCUS = 2, OCCLUDED = 4, MINIMIZED = 8 };
    (void)complaint;
    enum vidmm_band band = event->flags & DWM     ? VIDMM_BAND_DWM
                           : event->flags & FOCUS ? VIDMM_BAND_FOCUS
                                                  : VIDMM_BAND_NORMAL;
    enum vidmm_visibility visibility = event->flags & MINIMIZED  ? VIDMM_MINIMIZED
                                       : event->flags & OCCLUDED ? VIDMM_OCCLUDED
                                                                 : VIDMM_VISIBLE;
    dxgk_set_process_state(player_process(player, event->pid)->dxgk, call, band, visibility);
    return true;
}

bool play_exit_process(struct player *player, const struct trace_event *event,
                       struct d3dkmt_call *call, struct complaint *complaint)
{
    (void)complaint;
    struct replay_process *process = player_process(player, event->pid);
    names_each(&player->devices, sweep_process, (void *[]){player, process});
    struct played_call *other, *next;
    DL_FOREACH_SAFE (player->calls, other, next)
        if (other->report.pid == event->pid && &other->call != call)
            d3dkmt_end_wait(&other->call);
    d3dkmt_exit_process(process->dxgk, call);
    return true;
}

/* What is out of range stays so. */
static int32_t priority_of(int64_t priority)
{
    return priority < -8 || priority > 8 ? 8 : (int32_t)priority;
}

bool play_create_context(struct player *player, const struct trace_event *event,
                         struct d3dkmt_call *call, struct complaint *complaint)
{
    uint32_t node;
    if (!player_name_is_free(&player->contexts, event->context, "CreateContext", "context",
                             complaint) ||
        !find_node(player, event, &node, complaint))
        return false;
    struct named_object *device = player_device(player, event);
    struct replay_process *process = device ? device->process : player_process(player, event->pid);
    struct d3dkmt_create_context args = {
        .device = device ? device->handle : 0,
        .node = node,
        .priority = priority_of(event->priority),
        .in_process = priority_of(event->in_process),
        .quantum_ns = event->quantum_ns,
        .system = event->system,
        .existing = event->existing,
        .label = {event->context.text, event->context.number},
    };
    d3dkmt_create_context(process->dxgk, call, &args);
    if (args.context)
        add_context(player, event->context, device, args.context);
    return true;
}

bool play_destroy_context(struct player *player, const struct trace_event *event,
                          struct d3dkmt_call *call, struct complaint *complaint)
{
    (void)complaint;
    struct named_object *context = player_context(player, event, event->context);
    struct replay_process *process =
        context ? context->process : player_process(player, event->pid);
    d3dkmt_handle handle = context ? context->handle : 0;
    if (context)
        names_remove(&player->contexts, context);
    d3dkmt_destroy_context(process->dxgk, call, handle);
    return true;
}

bool play_set_context_priority(struct player *player, const struct trace_event *event,
                               struct d3dkmt_call *call, struct complaint *complaint)
{
    (void)complaint;
    const struct named_object *context = player_context(player, event, event->context);
    struct replay_process *process =
        context ? context->process : player_process(player, event->pid);
    int32_t priority = priority_of(event->priority), in_process = priority_of(event->in_process);
    d3dkmt_set_context_scheduling_priority(
        process->dxgk, call, context ? context->handle : 0,
        trace_given(event->given, TRACE_PRIORITY) ? &priority : NULL,
        trace_given(event->given, TRACE_IN_PROCESS) ? &in_process : NULL);
    return true;
}

bool play_set_process_priority(struct player *player, const struct trace_event *event,
                               struct d3dkmt_call *call, struct complaint *complaint)
{
    (void)complaint;
    struct replay_process *process = player_process(player, event->pid);
    /* The tables stand in the order of the enumerations. */
    enum vidsch_class class = (enum vidsch_class)__builtin_ctzll(event->class | 1 << 5);
    enum vidsch_band band = (enum vidsch_band)__builtin_ctzll(event->band | 1 << 3);
    d3dkmt_set_process_scheduling_priority(process->dxgk, call,
                                           trace_given(event->given, TRACE_CLASS) ? &class : NULL,
                                           trace_given(event->given, TRACE_BAND) ? &band : NULL);
    return true;
}

/* A name that is no live object's is a handle that is none. */
static d3dkmt_handle handle_of(const struct named_object *object, bool given)
{
    return object ? object->handle : given ? UINT32_MAX : 0;
}

bool play_create_context_allocation(struct player *player, const struct trace_event *event,
                                    struct d3dkmt_call *call, struct complaint *complaint)
{
    if (!player_name_is_free(&player->context_allocations, event->allocation,
                             "CreateContextAllocation", "allocation", complaint))
        return false;
    const struct named_object *context = trace_given(event->given, TRACE_CONTEXT)
                                             ? player_context(player, event, event->context)
                                             : NULL;
    struct named_object *device =
        trace_given(event->given, TRACE_DEVICE) ? player_device(player, event) : NULL;
    struct replay_process *process = context  ? context->process
                                     : device ? device->process
                                              : player_process(player, event->pid);
    const struct named_object *owner = context ? context->device : device;
    const struct profile *profile = player->adapters[owner ? owner->adapter : 0].profile;
    struct dxgkargcb_create_context_allocation arg = {
        .context_allocation_flags = (uint32_t)event->flags,
        .size = event->size,
        .alignment = event->alignment,
        .supported_segment_set = player_segments(player, profile, event->segments),
        .eviction_segment_set = player_segments(player, profile, event->eviction_segments),
        .hinted_bank = player_bank(event->bank),
        .physical_adapter_index = event->physical_adapter != 0,
        .flags = player_kmd_flags(player, event->kmd_flags),
    };
    if (!trace_given(event->given, TRACE_SEGMENTS))
        arg.supported_segment_set = 1; /* the profile's first segment */
    player_preferred(player, profile, event->preferred, arg.supported_segment_set,
                     arg.preferred_segment);
    d3dkmt_handle handle;
    dxgkcb_create_context_allocation(
        process->dxgk, call, handle_of(context, trace_given(event->given, TRACE_CONTEXT)),
        handle_of(device, trace_given(event->given, TRACE_DEVICE)), &arg,
        (struct probe_label){event->allocation.text, event->allocation.number}, &handle);
    if (!handle)
        return true;
    struct named_object *allocation = names_add(&player->context_allocations, event->allocation);
    allocation->process = process;
    allocation->device = context ? context->device : device;
    allocation->handle = handle;
    return true;
}

bool play_destroy_context_allocation(struct player *player, const struct trace_event *event,
                                     struct d3dkmt_call *call, struct complaint *complaint)
{
    (void)complaint;
    struct named_object *allocation = names_find(&player->context_allocations, event->allocation);
    struct replay_process *process =
        allocation ? allocation->process : player_process(player, event->pid);
    d3dkmt_handle handle = allocation ? allocation->handle : 0;
    if (allocation)
        names_remove(&player->context_allocations, allocation);
    dxgkcb_destroy_context_allocation(process->dxgk, call, handle);
    return true;
}
