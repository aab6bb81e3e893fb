/* Playing what creates, opens and destroys objects. */
#include "workloads/plays.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static bool must_be_free(const struct names *names, struct trace_name name, const char *op,
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
    d3dkmt_create_device(process->dxgk, player_silent_call(player), false, &handle);
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
static uint32_t map_node(struct player *player, uint64_t ordinal, bool system)
{
    const struct profile *profile = player->profile;
    if (ordinal < profile->node_count &&
        (system || profile->nodes[ordinal].kind != PROFILE_NODE_PAGING))
        return (uint32_t)ordinal;
    if (ordinal >= sizeof player->node_map / sizeof *player->node_map)
        ordinal = sizeof player->node_map / sizeof *player->node_map - 1;
    if (player->node_map[ordinal] < 0) {
        player_assume(player, "nodes_the_profile_lacks");
        player->node_map[ordinal] = 0;
        for (uint32_t node = 1; node < profile->node_count; node++) {
            bool paging = profile->nodes[node].kind == PROFILE_NODE_PAGING;
            bool taken = false;
            for (size_t i = 0; i < sizeof player->node_map / sizeof *player->node_map; i++)
                taken |= player->node_map[i] == (int32_t)node;
            if (paging == system && !taken) {
                player->node_map[ordinal] = (int32_t)node;
                break;
            }
        }
    }
    return (uint32_t)player->node_map[ordinal];
}

static bool find_node(struct player *player, const struct trace_event *event, uint32_t *node,
                      struct complaint *complaint)
{
    if (!event->node.text) {
        *node = map_node(player, event->node.number, event->system);
        return true;
    }
    for (*node = 0; *node < player->profile->node_count; ++*node)
        if (strcmp(player->profile->nodes[*node].name, event->node.text) == 0)
            return true;
    snprintf(complaint->text, complaint->size,
             "CreateContext: node: profile %s has no node named \"%.60s\"", player->profile->name,
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
    allocation->required = 1; /* before the recording, by whatever used it */
    player_add_view(allocation, device, info.allocation);
    return allocation;
}

bool play_create_device(struct player *player, const struct trace_event *event,
                        struct d3dkmt_call *call, struct complaint *complaint)
{
    if (!must_be_free(&player->devices, event->device, "CreateDevice", "device", complaint))
        return false;
    struct replay_process *process = player_process(player, event->pid);
    d3dkmt_handle handle;
    d3dkmt_create_device(process->dxgk, call, event->system, &handle);
    if (!handle)
        return true;
    struct named_object *device = names_add(&player->devices, event->device);
    device->process = process;
    device->handle = handle;
    if (!process->assumed_device)
        process->assumed_device = device;
    return true;
}

/* The names of everything a device had are free again. */
struct sweep {
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
        if (!player_drop_view(sweep->names, object, sweep->device))
            return;
}

static void forget_device(struct player *player, struct named_object *device)
{
    names_each(&player->contexts, sweep_context, &(struct sweep){&player->contexts, device});
    names_each(&player->context_allocations, sweep_context,
               &(struct sweep){&player->context_allocations, device});
    names_each(&player->allocations, sweep_view, &(struct sweep){&player->allocations, device});
    names_each(&player->resources, sweep_view, &(struct sweep){&player->resources, device});
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

bool play_create_context(struct player *player, const struct trace_event *event,
                         struct d3dkmt_call *call, struct complaint *complaint)
{
    uint32_t node;
    if (!must_be_free(&player->contexts, event->context, "CreateContext", "context", complaint) ||
        !find_node(player, event, &node, complaint))
        return false;
    struct named_object *device = player_device(player, event);
    struct replay_process *process = device ? device->process : player_process(player, event->pid);
    struct d3dkmt_create_context args = {
        .device = device ? device->handle : 0,
        .node = node,
        .priority = event->priority < -8 || event->priority > 8 ? 8 : (int32_t)event->priority,
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
    int64_t priority = event->priority;
    d3dkmt_set_context_scheduling_priority(process->dxgk, call, context ? context->handle : 0,
                                           priority < -8 || priority > 8 ? 8 : (int32_t)priority);
    return true;
}

static bool names_are_free(struct player *player, const struct trace_event *event,
                           struct complaint *complaint)
{
    for (uint32_t i = 0; i < event->creations.count; i++) {
        struct trace_name name = event->creations.items[i].allocation;
        if (!must_be_free(&player->allocations, name, "CreateAllocation", "allocation", complaint))
            return false;
        for (uint32_t j = 0; j < i; j++) {
            struct trace_name other = event->creations.items[j].allocation;
            if (other.text ? name.text && strcmp(name.text, other.text) == 0
                           : !name.text && name.number == other.number) {
                snprintf(complaint->text, complaint->size,
                         "CreateAllocation: allocation: %s is named twice", names_text(name));
                return false;
            }
        }
    }
    return true;
}

/* Flags that only another WDDM version than the profile's knows: the driver for this one does not
 * set them. */
static uint64_t kmd_flags(struct player *player, uint64_t flags)
{
    uint64_t unknown = flags & (player->profile->wddm >= 20 ? DXGK_WDDM1_ONLY : DXGK_WDDM2_ONLY);
    if (unknown)
        player_assume(player, "kmd_flags_the_wddm_version_lacks");
    return flags & ~unknown;
}

/* `system-memory: true` is some page-aligned address of the caller's. */
static uint64_t address_of(uint64_t system_memory)
{
    enum { TRUE = 1, SOME_ADDRESS = 0x10000 };
    return system_memory == TRUE ? SOME_ADDRESS : system_memory;
}

static struct d3dkmt_allocation_info ask_for(struct player *player, const struct trace_event *event,
                                             const struct trace_allocation *creation)
{
    struct d3dkmt_allocation_info info = {
        .system_memory = address_of(creation->system_memory),
        .private_data = {.bytes = creation->private_data,
                         .usage = creation->usage,
                         .size = creation->size,
                         .alignment = creation->alignment,
                         .segments = player_segments(player, creation->segments),
                         .read_segments = player_segments(player, creation->read_segments),
                         .eviction_segments = player_segments(player, creation->eviction_segments),
                         .bank = creation->bank > UINT8_MAX ? UINT8_MAX : (uint8_t)creation->bank,
                         .flags = kmd_flags(player, creation->kmd_flags),
                         .priority = creation->priority},
        .flags = (uint32_t)creation->flags,
        .priority = creation->priority,
        .label = {creation->allocation.text, creation->allocation.number},
    };
    if (event->flags & D3DKMT_CROSS_ADAPTER)
        info.private_data.surface = D3DKMDT_GDISURFACE_TEXTURE_CROSSADAPTER;
    player_preferred(player, creation->preferred, info.private_data.segments,
                     info.private_data.preferred);
    return info;
}

/* The call succeeded: its objects get their names. */
static void name_created(struct player *player, const struct trace_event *event,
                         struct named_object *device, const struct d3dkmt_create_allocation *args)
{
    struct named_object *resource = NULL;
    if (trace_given(event->given, TRACE_RESOURCE)) {
        resource = names_find(&player->resources, event->resource);
        if (!resource) {
            resource = names_add(&player->resources, event->resource);
            resource->process = device->process;
            resource->device = device;
            player_add_view(resource, device, args->resource);
            resource->handle = args->global_share;
            resource->nt = args->flags & D3DKMT_NT_SECURITY_SHARING;
        }
    }
    for (uint32_t i = 0; i < args->count; i++) {
        struct named_object *allocation =
            names_add(&player->allocations, event->creations.items[i].allocation);
        allocation->process = device->process;
        allocation->device = device;
        player_add_view(allocation, device, args->allocations[i].allocation);
        if (!resource)
            continue;
        allocation->resource = resource;
        resource->members =
            memory_resize(resource->members, resource->member_count + 1, sizeof *resource->members);
        resource->members[resource->member_count++] = allocation;
    }
}

/* The recording does not know residency calls: the user-mode driver is taken to make everything
 * resident as it creates it. */
static void make_resident_at_once(struct player *player, const struct trace_event *event,
                                  const struct named_object *device,
                                  const struct d3dkmt_create_allocation *args)
{
    if (player->header.residency != TRACE_RESIDENCY_AT_CREATE || !args->count)
        return;
    (void)event;
    d3dkmt_handle *handles = player_handles(player, args->count);
    for (uint32_t i = 0; i < args->count; i++)
        handles[i] = args->allocations[i].allocation;
    d3dkmt_make_resident(device->process->dxgk, player_silent_call(player), device->handle, handles,
                         args->count, 0);
}

bool play_create_allocation(struct player *player, const struct trace_event *event,
                            struct d3dkmt_call *call, struct complaint *complaint)
{
    enum { CREATE_RESOURCE = 1 };
    bool creates_resource = event->flags & CREATE_RESOURCE;
    if (!names_are_free(player, event, complaint) ||
        (creates_resource && trace_given(event->given, TRACE_RESOURCE) &&
         !must_be_free(&player->resources, event->resource, "CreateAllocation", "resource",
                       complaint)))
        return false;
    struct named_object *device = player_device(player, event);
    struct replay_process *process = device ? device->process : player_process(player, event->pid);
    const struct d3dkmt_standard_allocation standard = {.type = event->standard.type,
                                                        .size = event->standard.size};
    enum { FEW = 8 };
    struct d3dkmt_allocation_info few[FEW];
    struct d3dkmt_create_allocation args = {
        .device = device ? device->handle : 0,
        .flags = event->flags > UINT32_MAX ? UINT32_MAX : (uint32_t)event->flags,
        .runtime_data_bytes = event->runtime_data,
        .private_data_bytes = event->private_data,
        .standard = trace_given(event->given, TRACE_STANDARD) ? &standard : NULL,
        .count = event->creations.count,
        .allocations = few,
        .existing = event->existing,
    };
    if (args.count > FEW)
        args.allocations = memory_new(args.count, sizeof *args.allocations);
    for (uint32_t i = 0; i < args.count; i++)
        args.allocations[i] = ask_for(player, event, &event->creations.items[i]);
    if (!creates_resource && trace_given(event->given, TRACE_RESOURCE)) {
        const struct named_object *resource = names_find(&player->resources, event->resource);
        d3dkmt_handle handle = player_view(resource, device);
        args.resource = handle ? handle : UINT32_MAX; /* a handle that is none */
    }
    if (d3dkmt_create_allocation(process->dxgk, call, &args) == STATUS_SUCCESS) {
        name_created(player, event, device, &args);
        make_resident_at_once(player, event, device, &args);
    }
    if (args.count > FEW)
        free(args.allocations);
    return true;
}

/* Some live view of the resource; its process can share the resource out. */
static struct dxgk_shared_resource *nt_object(const struct named_object *resource)
{
    struct dxgk_shared_resource *object = NULL;
    for (uint32_t i = 0; !object && i < resource->view_count; i++)
        d3dkmt_share_objects(resource->views[i].device->process->dxgk, &resource->views[i].handle,
                             1, &object);
    return object;
}

/* What a runtime does: asks how much there is to open, then opens it. An NT handle is closed as
 * soon as it has served. */
bool play_open_resource(struct player *player, const struct trace_event *event,
                        struct d3dkmt_call *call, struct complaint *complaint)
{
    (void)complaint;
    struct named_object *device = player_device(player, event);
    struct named_object *resource = names_find(&player->resources, event->resource);
    struct replay_process *process = device ? device->process : player_process(player, event->pid);
    struct dxgk_shared_resource *nt = resource && resource->nt ? nt_object(resource) : NULL;
    struct d3dkmt_query_resource_info info = {.device = device ? device->handle : 0,
                                              .global_share = resource ? resource->handle : 0,
                                              .nt = nt};
    d3dkmt_query_resource_info(process->dxgk, &info);
    struct d3dkmt_open_resource args = {.device = info.device,
                                        .global_share = info.global_share,
                                        .nt = nt,
                                        .count = info.count,
                                        .runtime_data_bytes = info.runtime_data_bytes,
                                        .private_data_bytes = info.private_data_bytes,
                                        .total_private_data_bytes = info.total_private_data_bytes,
                                        .allocations = player_handles(player, info.count)};
    uint32_t status = d3dkmt_open_resource(process->dxgk, call, &args);
    if (nt)
        dxgk_close_nt_handle(nt);
    if (status != STATUS_SUCCESS)
        return true;
    player_add_view(resource, device, args.resource);
    for (uint32_t i = 0; i < resource->member_count && i < args.count; i++)
        player_add_view(resource->members[i], device, args.allocations[i]);
    return true;
}

static void drop_views(struct player *player, const struct trace_event *event,
                       struct named_object *resource, const struct named_object *device)
{
    if (!resource) {
        for (uint32_t i = 0; i < event->allocations.count; i++) {
            struct named_object *allocation =
                names_find(&player->allocations, event->allocations.items[i]);
            if (allocation && player_view(allocation, device))
                player_drop_view(&player->allocations, allocation, device);
        }
        return;
    }
    for (uint32_t i = resource->member_count; i-- > 0;)
        player_drop_view(&player->allocations, resource->members[i], device);
    player_drop_view(&player->resources, resource, device);
}

bool play_destroy_allocation(struct player *player, const struct trace_event *event,
                             struct d3dkmt_call *call, struct complaint *complaint)
{
    (void)complaint;
    struct named_object *device = player_device(player, event);
    struct replay_process *process = device ? device->process : player_process(player, event->pid);
    struct named_object *resource = NULL;
    d3dkmt_handle resource_handle = 0;
    uint32_t count = 0;
    if (trace_given(event->given, TRACE_RESOURCE)) {
        resource = names_find(&player->resources, event->resource);
        resource_handle = player_view(resource, device);
        if (!resource_handle)
            resource_handle = UINT32_MAX;
    } else {
        count = event->allocations.count;
    }
    for (uint32_t i = 0; i < count;
         i++) /* may create what is unknown: before the scratch is used */
        player_allocation(player, event, device, event->allocations.items[i]);
    d3dkmt_handle *handles = player_handles(player, count);
    for (uint32_t i = 0; i < count; i++)
        handles[i] =
            player_view(names_find(&player->allocations, event->allocations.items[i]), device);
    uint32_t status =
        d3dkmt_destroy_allocation2(process->dxgk, call, device ? device->handle : 0,
                                   resource_handle, handles, count, (uint32_t)event->flags);
    if (status == STATUS_SUCCESS && device)
        drop_views(player, event, resource, device);
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
    if (!must_be_free(&player->context_allocations, event->allocation, "CreateContextAllocation",
                      "allocation", complaint))
        return false;
    const struct named_object *context = trace_given(event->given, TRACE_CONTEXT)
                                             ? player_context(player, event, event->context)
                                             : NULL;
    struct named_object *device =
        trace_given(event->given, TRACE_DEVICE) ? player_device(player, event) : NULL;
    struct replay_process *process = context  ? context->process
                                     : device ? device->process
                                              : player_process(player, event->pid);
    struct dxgkargcb_create_context_allocation arg = {
        .context_allocation_flags = (uint32_t)event->flags,
        .size = event->size,
        .alignment = event->alignment,
        .supported_segment_set = player_segments(player, event->segments),
        .eviction_segment_set = player_segments(player, event->eviction_segments),
    };
    if (!trace_given(event->given, TRACE_SEGMENTS))
        arg.supported_segment_set = 1; /* the profile's first segment */
    player_preferred(player, event->preferred, arg.supported_segment_set, arg.preferred_segment);
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
