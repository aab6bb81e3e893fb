/* The paging worker: requests in order, each served step by step by one channel. */
#include "model/vidmm/internal.h"

#include <stdlib.h>
#include <utlist.h>

static void set_cause(struct vidmm_channel *channel, enum probe_cause cause)
{
    if (channel->request && channel->request->blame)
        blame_switch(channel->request->blame, cause, sim_now(channel->vidmm->sim));
}

static void take_request(struct vidmm_channel *channel)
{
    struct vidmm *vidmm = channel->vidmm;
    channel->request = vidmm->requests;
    DL_DELETE(vidmm->requests, channel->request);
    set_cause(channel, PROBE_RESERVE);
}

static void finish_request(struct vidmm_channel *channel)
{
    struct vidmm_request *request = channel->request;
    set_cause(channel, PROBE_QUEUE);
    channel->request = NULL;
    for (uint32_t i = 0; i < request->count; i++) {
        if (request->kind == VIDMM_PAGE_IN) {
            request->items[i]->pins--;
            vidmm_remark(request->items[i]);
        }
        vidmm_allocation_drop(request->items[i]);
    }
    free(request->items);
    vidmm_kick(channel->vidmm);
    request->done(request->owner, request);
}

static enum probe_paging_kind way_in(const struct vidmm_allocation *allocation)
{
    if (allocation->segment->profile->kind == PROFILE_APERTURE)
        return PROBE_MAP_APERTURE;
    return allocation->content == VIDMM_NOTHING ? PROBE_FILLED : PROBE_PAGE_IN;
}

static enum probe_paging_kind way_out(const struct vidmm_allocation *allocation)
{
    if (allocation->segment->profile->kind == PROFILE_APERTURE)
        return PROBE_UNMAP_APERTURE;
    bool needed = allocation->content == VIDMM_IN_SEGMENT && !allocation->offered;
    return needed && !allocation->permanent_system_memory ? PROBE_PAGE_OUT : PROBE_DISCARD;
}

static void send_away(struct vidmm_channel *channel, struct vidmm_allocation *allocation)
{
    enum probe_paging_kind kind = way_out(allocation);
    vidmm_allocation_hold(allocation);
    vidmm_ceases_resident(allocation);
    vidmm_operation_start(channel, kind, allocation);
}

static void wait(struct vidmm_channel *channel, bool for_room)
{
    channel->waiting = true;
    channel->blocked = for_room;
    channel->vidmm->blocked += for_room;
}

/* The end of the first turn to come: then what that device requires may be sent away. */
static bool await_turn(struct vidmm *vidmm)
{
    uint64_t now = sim_now(vidmm->sim), first = UINT64_MAX;
    const struct vidmm_device *device;
    DL_FOREACH (vidmm->devices, device) {
        if (device->turn_ends_ns > now && device->turn_ends_ns < first)
            first = device->turn_ends_ns;
    }
    if (first != UINT64_MAX)
        sim_at(vidmm->sim, &vidmm->turn, first);
    return first != UINT64_MAX;
}

/* Pinned memory is let go of when packets complete, turns end or other channels finish. */
static bool something_will_be_let_go(const struct vidmm_channel *channel)
{
    struct vidmm *vidmm = channel->vidmm;
    bool turn = await_turn(vidmm);
    if (vidmm->running || turn)
        return true;
    for (uint32_t i = 0; i < vidmm->channel_count; i++)
        if (&vidmm->channels[i] != channel && vidmm->channels[i].request &&
            !vidmm->channels[i].waiting) /* one that waits may wait for this one */
            return true;
    return false;
}

enum progress { STARTED, NEXT_STEP, WAITING };

/* The item is dealt with; it stays pinned until the whole request is. */
static enum progress pass_over(struct vidmm_channel *channel, struct vidmm_allocation *allocation)
{
    allocation->pins++;
    vidmm_remark(allocation);
    channel->request->next_item++;
    return NEXT_STEP;
}

static enum progress make_room(struct vidmm_channel *channel, struct vidmm_allocation *allocation)
{
    struct vidmm *vidmm = channel->vidmm;
    if (vidmm_place(allocation) ||
        (vidmm_choose_victims(channel, allocation) && allocation->state == VIDMM_PAGING_IN)) {
        vidmm_allocation_hold(allocation);
        vidmm_operation_start(channel, way_in(allocation), allocation);
        return STARTED;
    }
    if (channel->victim_count)
        return NEXT_STEP;
    if (something_will_be_let_go(channel)) {
        wait(channel, true);
        return WAITING;
    }
    if (vidsch_unload_idle(vidmm->vidsch))
        return NEXT_STEP;
    channel->request->status = STATUS_NO_MEMORY;
    vidmm->probe->assume(vidmm->probe->self, "requests_without_room", 1);
    return pass_over(channel, allocation);
}

static enum progress step_in(struct vidmm_channel *channel, struct vidmm_allocation *allocation)
{
    switch (allocation->state) {
    case VIDMM_RESIDENT:
        return pass_over(channel, allocation);
    case VIDMM_OUT:
        return allocation->dying ? pass_over(channel, allocation) : make_room(channel, allocation);
    default: /* another channel has it in hand */
        wait(channel, false);
        return WAITING;
    }
}

static bool required_by_running(const struct vidmm_allocation *allocation)
{
    const struct vidmm_residency *residency;
    DL_FOREACH2 (allocation->residencies, residency, in_allocation_next)
        if (residency->device->running)
            return true;
    return false;
}

static enum progress step_out(struct vidmm_channel *channel, struct vidmm_allocation *allocation)
{
    if (allocation->state == VIDMM_OUT) {
        channel->request->next_item++;
        return NEXT_STEP;
    }
    if (allocation->state != VIDMM_RESIDENT) {
        wait(channel, false);
        return WAITING;
    }
    /* Those who use it then get no more packets until it has left. */
    if (allocation->pins || required_by_running(allocation)) {
        wait(channel, true);
        return WAITING;
    }
    send_away(channel, allocation);
    return STARTED;
}

/* Since it was chosen, a packet may have come to need it. */
static enum progress step_victim(struct vidmm_channel *channel, struct vidmm_allocation *victim)
{
    bool go = vidmm_evictable(victim, channel->request->device, true);
    victim->standing.chosen = go;
    if (go)
        send_away(channel, victim);
    else
        vidmm_restand(victim);
    vidmm_allocation_drop(victim);
    return go ? STARTED : NEXT_STEP;
}

/* While the request was waiting its turn, or for room, more of what its device requires may have
 * been sent away: that comes in, too, or devices would push each other out for ever. */
static bool add_missing(struct vidmm_request *request)
{
    const struct vidmm_device *device = request->device;
    if (!device || !request->whole_device || request->status != STATUS_SUCCESS ||
        !device->missing_count)
        return false;
    request->items = memory_resize(request->items, request->count + device->missing_count,
                                   sizeof(struct vidmm_allocation *));
    const struct vidmm_residency *residency;
    DL_FOREACH2 (device->missing, residency, missing_next) {
        vidmm_allocation_hold(residency->allocation);
        request->items[request->count++] = residency->allocation;
    }
    return true;
}

static enum progress step(struct vidmm_channel *channel)
{
    struct vidmm_request *request = channel->request;
    if (channel->victim_next < channel->victim_count)
        return step_victim(channel, channel->victims[channel->victim_next++]);
    if (request->next_item == request->count && !add_missing(request)) {
        finish_request(channel);
        return NEXT_STEP;
    }
    struct vidmm_allocation *allocation = request->items[request->next_item];
    return request->kind == VIDMM_PAGE_IN ? step_in(channel, allocation)
                                          : step_out(channel, allocation);
}

static void go_on(struct vidmm_channel *channel)
{
    if (channel->stepping)
        return;
    channel->stepping = true;
    enum progress progress = NEXT_STEP;
    while (progress == NEXT_STEP && (channel->request || channel->vidmm->requests)) {
        if (!channel->request)
            take_request(channel);
        progress = step(channel);
    }
    channel->stepping = false;
}

void vidmm_operation_finished(struct vidmm_channel *channel)
{
    set_cause(channel, PROBE_RESERVE);
    vidmm_kick(channel->vidmm);
    go_on(channel);
}

static void stop_waiting(struct vidmm_channel *channel)
{
    channel->vidmm->blocked -= channel->blocked;
    channel->waiting = channel->blocked = false;
}

static void let_held_packets_try(struct vidmm *vidmm)
{
    uint32_t count = vidmm->held_count;
    struct vidsch_packet **held = vidmm->held;
    vidmm->held = NULL;
    vidmm->held_count = vidmm->held_room = 0;
    for (uint32_t i = 0; i < count; i++) {
        blame_switch(&held[i]->blame, PROBE_QUEUE, sim_now(vidmm->sim));
        vidsch_prepared(held[i]);
    }
    free(held);
}

static void look_again(void *owner)
{
    struct vidmm *vidmm = owner;
    /* Those that wait for room last: the others may make some. */
    for (int for_room = 0; for_room < 2; for_room++)
        for (uint32_t i = 0; i < vidmm->channel_count; i++) {
            struct vidmm_channel *channel = &vidmm->channels[i];
            if (!channel->waiting || channel->blocked != for_room)
                continue;
            stop_waiting(channel);
            go_on(channel);
        }
    if (!vidmm->blocked && vidmm->held_count)
        let_held_packets_try(vidmm);
}

void vidmm_kick(struct vidmm *vidmm)
{
    bool anyone = vidmm->held_count > 0;
    for (uint32_t i = 0; i < vidmm->channel_count; i++)
        anyone |= vidmm->channels[i].waiting;
    if (anyone && !sim_timer_pending(&vidmm->kick))
        sim_at(vidmm->sim, &vidmm->kick, sim_now(vidmm->sim));
}

void vidmm_request_start(struct vidmm *vidmm, struct vidmm_request *request)
{
    request->next_item = 0;
    request->status = STATUS_SUCCESS;
    request->queued_ns = sim_now(vidmm->sim);
    for (uint32_t i = 0; i < request->count; i++)
        vidmm_allocation_hold(request->items[i]);
    if (request->blame)
        blame_switch(request->blame, PROBE_QUEUE, request->queued_ns);
    DL_APPEND(vidmm->requests, request);
    for (uint32_t i = 0; i < vidmm->channel_count; i++)
        if (!vidmm->channels[i].request && !vidmm->channels[i].stepping) {
            go_on(&vidmm->channels[i]);
            break;
        }
}

void vidmm_paging_init(struct vidmm *vidmm)
{
    const struct profile *profile = vidmm->profile;
    sim_timer_init(&vidmm->kick, look_again, vidmm);
    sim_timer_init(&vidmm->turn, look_again, vidmm);
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

void vidmm_paging_forget(const struct vidmm_device *device)
{
    struct vidmm *vidmm = device->vidmm;
    struct vidmm_request *request;
    DL_FOREACH (vidmm->requests, request)
        if (request->device == device)
            request->device = NULL;
    for (uint32_t i = 0; i < vidmm->channel_count; i++)
        if (vidmm->channels[i].request && vidmm->channels[i].request->device == device)
            vidmm->channels[i].request->device = NULL;
}

void vidmm_paging_fini(struct vidmm *vidmm)
{
    for (uint32_t i = 0; i < vidmm->channel_count; i++)
        free(vidmm->channels[i].victims);
    free(vidmm->channels);
    free(vidmm->held);
}
