/* Playing what creates, opens and destroys allocations. */
#include "workloads/plays.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool names_are_free(struct player *player, const struct trace_event *event,
                           struct complaint *complaint)
{
    for (uint32_t i = 0; i < event->creations.count; i++) {
        struct trace_name name = event->creations.items[i].allocation;
        if (!player_name_is_free(&player->allocations, name, "CreateAllocation", "allocation",
                                 complaint))
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

/* `system-memory: true` is some page-aligned address of the caller's. */
static uint64_t address_of(uint64_t system_memory)
{
    enum { TRUE = 1, SOME_ADDRESS = 0x10000 };
    return system_memory == TRUE ? SOME_ADDRESS : system_memory;
}

static const char *const gdi_surfaces[] = {
    [D3DKMDT_GDISURFACE_TEXTURE] = "TEXTURE",
    [D3DKMDT_GDISURFACE_STAGING_CPUVISIBLE] = "STAGING_CPUVISIBLE",
    [D3DKMDT_GDISURFACE_STAGING] = "STAGING",
    [D3DKMDT_GDISURFACE_LOOKUPTABLE] = "LOOKUPTABLE",
    [D3DKMDT_GDISURFACE_EXISTINGSYSMEM] = "EXISTINGSYSMEM",
    [D3DKMDT_GDISURFACE_TEXTURE_CPUVISIBLE] = "TEXTURE_CPUVISIBLE",
    [D3DKMDT_GDISURFACE_TEXTURE_CROSSADAPTER] = "TEXTURE_CROSSADAPTER",
    [D3DKMDT_GDISURFACE_TEXTURE_CPUVISIBLE_CROSSADAPTER] = "TEXTURE_CPUVISIBLE_CROSSADAPTER",
};

static uint8_t gdi_surface(const char *name)
{
    for (uint8_t i = D3DKMDT_GDISURFACE_TEXTURE; i < sizeof gdi_surfaces / sizeof *gdi_surfaces;
         i++)
        if (strcmp(gdi_surfaces[i], name) == 0)
            return i;
    return D3DKMDT_GDISURFACE_INVALID;
}

static bool surfaces_are_known(const struct trace_event *event, struct complaint *complaint)
{
    for (uint32_t i = 0; i < event->creations.count; i++) {
        const char *name = event->creations.items[i].gdi_surface;
        if (!name || gdi_surface(name))
            continue;
        snprintf(complaint->text, complaint->size,
                 "CreateAllocation: gdi-surface: expected a D3DKMDT_GDISURFACETYPE without its "
                 "prefix, such as STAGING_CPUVISIBLE, got \"%.60s\"",
                 name);
        return false;
    }
    return true;
}

static struct d3dkmt_allocation_info ask_for(struct player *player, const struct profile *profile,
                                             const struct trace_event *event,
                                             const struct trace_allocation *creation)
{
    struct d3dkmt_allocation_info info = {
        .system_memory = address_of(creation->system_memory),
        .private_data = {.bytes = creation->private_data,
                         .usage = creation->usage,
                         .size = creation->size,
                         .alignment = creation->alignment,
                         .segments = player_segments(player, profile, creation->segments),
                         .read_segments = player_segments(player, profile, creation->read_segments),
                         .eviction_segments =
                             player_segments(player, profile, creation->eviction_segments),
                         .width = creation->width,
                         .height = creation->height,
                         .bank = player_bank(creation->bank),
                         .physical_adapter = creation->physical_adapter != 0,
                         .flags = player_kmd_flags(player, creation->kmd_flags),
                         .flags2 = creation->kmd_flags2,
                         .priority = creation->priority},
        .flags = (uint32_t)creation->flags,
        .priority = creation->priority,
        .label = {creation->allocation.text, creation->allocation.number},
    };
    if (trace_given(creation->given, TRACE_VIDPN_SOURCE))
        player_assume(player, "display_sources_not_told_apart");
    if (creation->gdi_surface)
        info.private_data.surface = gdi_surface(creation->gdi_surface);
    else if (event->flags & D3DKMT_CROSS_ADAPTER)
        info.private_data.surface = D3DKMDT_GDISURFACE_TEXTURE_CROSSADAPTER;
    player_preferred(player, profile, creation->preferred, info.private_data.segments,
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
        allocation->bytes = args->allocations[i].private_data.size;
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
                         args->count, VIDMM_TRIMS);
}

bool play_create_allocation(struct player *player, const struct trace_event *event,
                            struct d3dkmt_call *call, struct complaint *complaint)
{
    enum { CREATE_RESOURCE = 1 };
    bool creates_resource = event->flags & CREATE_RESOURCE;
    if (!names_are_free(player, event, complaint) || !surfaces_are_known(event, complaint) ||
        (creates_resource && trace_given(event->given, TRACE_RESOURCE) &&
         !player_name_is_free(&player->resources, event->resource, "CreateAllocation", "resource",
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
        .demand_paged = player->header.residency == TRACE_RESIDENCY_FAULT,
    };
    const struct profile *profile = player->adapters[device ? device->adapter : 0].profile;
    if (args.count > FEW)
        args.allocations = memory_new(args.count, sizeof *args.allocations);
    for (uint32_t i = 0; i < args.count; i++)
        args.allocations[i] = ask_for(player, profile, event, &event->creations.items[i]);
    if (!creates_resource && trace_given(event->given, TRACE_RESOURCE)) {
        const struct named_object *resource = names_find(&player->resources, event->resource);
        d3dkmt_handle handle = player_view(resource, device);
        args.resource = handle ? handle : UINT32_MAX; /* a handle that is none */
    }
    player_foresee(player, call, args.count);
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
                player_drop_view(player, &player->allocations, allocation, device);
        }
        return;
    }
    for (uint32_t i = resource->member_count; i-- > 0;)
        player_drop_view(player, &player->allocations, resource->members[i], device);
    player_drop_view(player, &player->resources, resource, device);
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
