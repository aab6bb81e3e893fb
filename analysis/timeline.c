#include "analysis/timeline.h"
#include "analysis/heap.h"

void timeline_clear(struct timeline *timeline)
{
    free(timeline->item);
    *timeline = (struct timeline){0};
}

static bool is_kept(const struct timeline *timeline, uint64_t start_ns)
{
    return timeline->stride == 0 || start_ns / timeline->window_ns % timeline->stride == 0;
}

/* Half of the windows are given up; at first the whole run so far becomes windows. */
static void thin(struct timeline *timeline, uint64_t now_ns)
{
    if (timeline->stride == 0) {
        timeline->window_ns = now_ns / TIMELINE_WINDOWS + 1;
        timeline->stride = 1;
    }
    timeline->stride *= 2;
    size_t kept = 0;
    for (size_t i = 0; i < timeline->count; i++)
        if (is_kept(timeline, timeline->item[i].start_ns))
            timeline->item[kept++] = timeline->item[i];
    timeline->left_out += timeline->count - kept;
    timeline->count = kept;
}

struct timeline_item *timeline_add(struct timeline *timeline, enum timeline_kind kind,
                                   uint64_t start_ns)
{
    while (timeline->count == TIMELINE_ITEMS && is_kept(timeline, start_ns))
        thin(timeline, start_ns);
    if (!is_kept(timeline, start_ns)) {
        timeline->left_out++;
        return NULL;
    }
    if (timeline->count == timeline->room) {
        timeline->room = timeline->room == 0 ? 1024 : 2 * timeline->room;
        timeline->item = heap_resize(timeline->item, timeline->room, sizeof *timeline->item);
    }
    struct timeline_item *item = &timeline->item[timeline->count++];
    *item = (struct timeline_item){.start_ns = start_ns, .end_ns = start_ns, .kind = (uint8_t)kind};
    return item;
}

/* What the engine was at ends now. */
static void stop(struct timeline *timeline, const struct chains *chains, uint32_t node,
                 uint64_t now_ns)
{
    const struct timeline_running *running = &timeline->running[node];
    const struct chain_job *job = chains_find(chains, running->job);
    if (job == NULL || now_ns == running->since_ns)
        return;
    struct timeline_item *item = timeline_add(
        timeline, running->switching ? TIMELINE_SWITCH : TIMELINE_RUN, running->since_ns);
    if (item == NULL)
        return;
    item->end_ns = now_ns;
    item->job = running->job;
    item->packet = (uint8_t)job->kind;
    item->place = (uint16_t)node;
    item->pid = job->pid;
    item->of.packet_of.context = job->context;
}

void timeline_wait(struct timeline *timeline, const struct chains *chains, uint64_t now_ns,
                   struct probe_thing who, enum probe_cause cause, struct probe_thing what)
{
    if (who.kind == PROBE_NODE && who.id < TIMELINE_NODES) {
        stop(timeline, chains, (uint32_t)who.id, now_ns);
        timeline->running[who.id] = (struct timeline_running){
            .job = what.kind == PROBE_JOB ? what.id : 0, .since_ns = now_ns};
        return;
    }
    const struct chain_job *job = who.kind == PROBE_JOB ? chains_find(chains, who.id) : NULL;
    if (job == NULL)
        return;
    struct timeline_running *running =
        job->call == NULL && job->node < TIMELINE_NODES ? &timeline->running[job->node] : NULL;
    if (running != NULL && running->job == who.id &&
        running->switching != (cause == PROBE_SWITCH)) {
        stop(timeline, chains, job->node, now_ns);
        running->since_ns = now_ns;
        running->switching = cause == PROBE_SWITCH;
    }
    const struct chain_job *needed = what.kind == PROBE_JOB ? chains_find(chains, what.id) : NULL;
    if (needed == NULL || needed->paging == NULL || job->paging != NULL) /* they share the link */
        return;
    struct timeline_item *item = timeline_add(timeline, TIMELINE_NEEDS, now_ns);
    if (item != NULL) {
        item->job = who.id;
        item->of.other = what.id;
    }
}

void timeline_call(struct timeline *timeline, const struct probe_call *call)
{
    struct timeline_item *item = timeline_add(timeline, TIMELINE_CALL, call->start_ns);
    if (item == NULL)
        return;
    item->end_ns = call->return_ns;
    item->job = call->job;
    item->pid = call->pid;
    item->tid = call->tid;
    item->of.call.op = call->op;
    item->of.call.index = call->index;
    item->of.call.status = call->status;
}

void timeline_packet(struct timeline *timeline, const struct probe_packet *packet, uint32_t pid)
{
    struct timeline_item *item =
        packet->job != 0 ? timeline_add(timeline, TIMELINE_QUEUED, packet->queued_ns) : NULL;
    if (item == NULL)
        return;
    item->end_ns = packet->completed_ns;
    item->job = packet->job;
    item->packet = (uint8_t)packet->kind;
    item->place = (uint16_t)packet->node;
    item->pid = pid;
    item->of.packet_of.context = packet->context;
}

void timeline_paging(struct timeline *timeline, const struct probe_paging *operation)
{
    struct timeline_item *item = timeline_add(timeline, TIMELINE_PAGING, operation->started_ns);
    if (item == NULL)
        return;
    item->end_ns = operation->finished_ns;
    item->job = operation->job;
    item->pid = operation->pid;
    item->of.paging.name = probe_paging_names[operation->kind];
    item->of.paging.cause = operation->cause;
    item->of.paging.bytes = operation->bytes;
    item->of.paging.from = (uint16_t)operation->from;
    item->of.paging.to = (uint16_t)operation->to;
    chain_memory_keep(&item->of.paging.memory, &operation->allocation);
}

void timeline_counter(struct timeline *timeline, enum timeline_kind kind, uint64_t now_ns,
                      uint32_t pid, uint32_t place, uint64_t value)
{
    struct timeline_item *item = timeline_add(timeline, kind, now_ns);
    if (item == NULL)
        return;
    item->pid = pid;
    item->place = (uint16_t)place;
    item->of.other = value;
}
