/* What the engines, the contexts in front of them, and the link did. */
#include "analysis/heap.h"
#include "analysis/record.h"

#include <assert.h>
#include <inttypes.h>

struct record_context *engines_find_context(struct recorder *recorder, uint32_t id)
{
    struct record_context *context = recorder->last_context;
    if (context != NULL && context->id == id)
        return context;
    HASH_FIND(hh, recorder->contexts, &id, sizeof id, context);
    if (context == NULL) {
        context = heap_new(1, sizeof *context);
        context->id = id;
        HASH_ADD(hh, recorder->contexts, id, sizeof context->id, context);
    }
    recorder->last_context = context;
    return context;
}

void engines_context(void *self, uint32_t id, uint32_t pid, uint32_t node, struct probe_label name,
                     bool system)
{
    struct record_context *context = engines_find_context(self, id);
    char number[24];
    snprintf(number, sizeof number, "%" PRIu64, name.number);
    context->pid = pid;
    context->node = node;
    context->system = system;
    free(context->name);
    context->name = heap_text(name.text != NULL ? name.text : number);
}

/* Accounts for what a node did since it last changed. */
static inline void bring_to(struct record_node *node, uint64_t now_ns)
{
    if (now_ns <= node->last_ns)
        return;
    bins_add(&node->bins, node->last_ns, now_ns, node->now);
    node->last_ns = now_ns;
}

void engines_engine(void *self, uint64_t now_ns, uint32_t index, enum probe_engine state,
                    uint32_t depth, uint32_t waiting)
{
    struct recorder *recorder = self;
    assert(index < RECORD_NODES);
    struct record_node *node = &recorder->node[index];
    bring_to(node, now_ns);
    node->used = true;
    node->now[RECORD_BUSY] = state == PROBE_ENGINE_BUSY;
    node->now[RECORD_SWITCHING] = state == PROBE_ENGINE_SWITCHING;
    node->now[RECORD_DEPTH] = depth;
    node->now[RECORD_WAITING] = waiting;
    if (recorder->timeline != NULL)
        timeline_counter(recorder->timeline, TIMELINE_DEPTH, now_ns, 0, index,
                         (uint64_t)depth << 32 | waiting);
    if (now_ns > recorder->last_ns)
        recorder->last_ns = now_ns;
}

void engines_packet(void *self, uint64_t now_ns, const struct probe_packet *packet)
{
    struct recorder *recorder = self;
    assert(packet->kind < PROBE_PACKET_KINDS);
    recorder->packets[packet->kind]++;
    recorder->references += packet->references;
    recorder->hits += packet->hits;
    if (packet->references != 0)
        bins_count(&recorder->switch_bins, now_ns,
                   (const uint64_t[BINS_LANES]){0, 0, packet->references, packet->hits});
    if (recorder->timeline != NULL)
        timeline_packet(recorder->timeline, packet,
                        engines_find_context(recorder, packet->context)->pid);
    if (now_ns > recorder->last_ns)
        recorder->last_ns = now_ns;
    assert(packet->node < RECORD_NODES);
    recorder->node[packet->node].dropped += packet->dropped;
    /* Waits, signals and presents never reach an engine. */
    if (packet->dropped || (packet->kind != PROBE_RENDER && packet->kind != PROBE_PAGING))
        return;
    assert(packet->started_ns >= packet->queued_ns);
    uint64_t queued = packet->started_ns - packet->queued_ns;
    struct record_node *node = &recorder->node[packet->node];
    node->packets++;
    node->preemptions += packet->preemptions;
    histogram_add(&node->queue, queued);
    histogram_add(&node->execute, packet->execute_ns);
    if (packet->kind == PROBE_PAGING) /* the system's own, of no context */
        return;
    struct record_context *context = engines_find_context(recorder, packet->context);
    context->packets++;
    context->execute_ns += packet->execute_ns;
    context->switch_ns += packet->switch_ns;
    context->queue_ns += queued;
}

static struct record_switch *switch_kind(struct recorder *recorder, uint32_t node, uint32_t from,
                                         uint32_t to)
{
    struct record_switch_key key = {node, from, to};
    struct record_switch *kind = recorder->last_switch;
    if (kind != NULL && memcmp(&kind->key, &key, sizeof key) == 0)
        return kind;
    HASH_FIND(hh, recorder->switch_kinds, &key, sizeof key, kind);
    if (kind == NULL && HASH_COUNT(recorder->switch_kinds) >= RECORD_SWITCHES) {
        key.from = key.to = UINT32_MAX;
        HASH_FIND(hh, recorder->switch_kinds, &key, sizeof key, kind);
    }
    if (kind == NULL) {
        kind = heap_new(1, sizeof *kind);
        kind->key = key;
        HASH_ADD(hh, recorder->switch_kinds, key, sizeof kind->key, kind);
    }
    recorder->last_switch = kind;
    return kind;
}

void engines_context_switch(void *self, uint64_t now_ns, uint32_t node, uint32_t from, uint32_t to,
                            bool made, uint64_t cost_ns)
{
    struct recorder *recorder = self;
    assert(node < RECORD_NODES);
    bins_count(&recorder->switch_bins, now_ns, (const uint64_t[BINS_LANES]){made, !made});
    struct record_switch *kind = switch_kind(recorder, node, from, to);
    kind->made += made;
    kind->avoided += !made;
    kind->cost_ns += made ? cost_ns : 0;
    if (made) {
        recorder->switches++;
        recorder->node[node].switches++;
        recorder->switch_cost_ns += cost_ns;
    } else {
        recorder->switches_avoided++;
        recorder->node[node].switches_avoided++;
    }
}

void engines_attempt(void *self, uint64_t now_ns, uint32_t node, uint32_t context,
                     enum probe_attempt result)
{
    struct recorder *recorder = self;
    (void)now_ns, (void)context;
    assert(node < RECORD_NODES);
    recorder->node[node].attempts[result]++;
}

void engines_reset(void *self, uint64_t now_ns, uint32_t node, uint32_t context)
{
    struct recorder *recorder = self;
    (void)now_ns, (void)context;
    assert(node < RECORD_NODES);
    recorder->node[node].resets++;
    record_warn(recorder,
                "an engine did not stop in time and was reset; the device whose packet it "
                "ran is in error from then on (scheduler.tdr-delay)");
}

void engines_present(void *self, uint64_t now_ns, const struct probe_present *present)
{
    struct recorder *recorder = self;
    struct record_process *process = record_process(recorder, present->pid);
    struct frame_pace *pace = &engines_find_context(recorder, present->context)->pace;
    if (process->frames == NULL)
        process->frames = heap_new(1, sizeof *process->frames);
    if (frames_fate(process->frames, now_ns, present)) {
        recorder->presents++;
        process->presents++;
        if (pace->begun)
            explain_frame(recorder, present->pid, present->job, pace->last_ns, now_ns);
        frames_present(process->frames, pace, now_ns);
    }
    if (now_ns > recorder->last_ns)
        recorder->last_ns = now_ns;
}

static void bring_link_to(struct recorder *recorder, uint32_t adapter, bool in, uint64_t now_ns)
{
    struct record_link *link = &recorder->link[adapter][in];
    if (link->busy && now_ns > link->since_ns) {
        const uint64_t lanes[BINS_LANES] = {[0] = !in, [1] = in};
        recorder->link_busy_ns[adapter][in] += now_ns - link->since_ns;
        bins_add(&recorder->link_bins, link->since_ns, now_ns, lanes);
        if (recorder->links != NULL)
            bins_add(&recorder->links[adapter], link->since_ns, now_ns, lanes);
    }
    link->since_ns = now_ns;
}

void engines_link(void *self, uint64_t now_ns, uint32_t adapter, bool into_adapter, bool busy)
{
    struct recorder *recorder = self;
    assert(adapter < RECORD_ADAPTERS);
    bring_link_to(recorder, adapter, into_adapter, now_ns);
    recorder->link[adapter][into_adapter].busy = busy;
    if (recorder->timeline != NULL)
        timeline_counter(recorder->timeline, TIMELINE_LINK, now_ns, 0, 2 * adapter + into_adapter,
                         busy);
    if (now_ns > recorder->last_ns)
        recorder->last_ns = now_ns;
}

/* By node, then by numbers of contexts: those are given out in the same order in every run. */
static int by_key(const struct record_switch *a, const struct record_switch *b)
{
    if (a->key.node != b->key.node)
        return a->key.node < b->key.node ? -1 : 1;
    if (a->key.from != b->key.from)
        return a->key.from < b->key.from ? -1 : 1;
    return (a->key.to > b->key.to) - (a->key.to < b->key.to);
}

void engines_close(struct recorder *recorder)
{
    uint64_t end = recorder->end_ns;
    HASH_SORT(recorder->switch_kinds, by_key);
    for (struct record_process *process = recorder->processes; process != NULL;
         process = process->hh.next)
        if (process->frames != NULL)
            frames_merge(&recorder->frames, process->frames);
    for (uint32_t i = 0; i < RECORD_NODES; i++) {
        struct record_node *node = &recorder->node[i];
        if (!node->used)
            continue;
        bring_to(node, end);
        node->busy_ns = bins_sum(&node->bins, RECORD_BUSY);
        node->switch_ns = bins_sum(&node->bins, RECORD_SWITCHING);
        node->idle_ns = node->last_ns - node->busy_ns - node->switch_ns;
        node->depth_ns = bins_sum(&node->bins, RECORD_DEPTH);
        node->waiting_ns = bins_sum(&node->bins, RECORD_WAITING);
    }
    for (uint32_t adapter = 0; adapter < RECORD_ADAPTERS; adapter++)
        for (int in = 0; in < 2; in++)
            bring_link_to(recorder, adapter, in, end);
    /* To the same width as the nodes'. */
    struct bins *all[] = {&recorder->link_bins, &recorder->paging_bins, &recorder->switch_bins};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        bins_add(all[i], 0, end, (const uint64_t[BINS_LANES]){0});
    for (uint32_t i = 0; recorder->links != NULL && i < recorder->adapters; i++)
        bins_add(&recorder->links[i], 0, end, (const uint64_t[BINS_LANES]){0});
    bins_widen(&recorder->paging_bins, recorder->switch_bins.shift); /* one table has both */
    bins_widen(&recorder->switch_bins, recorder->paging_bins.shift);
    for (struct record_context *context = recorder->contexts; context != NULL;
         context = context->hh.next) {
        struct record_process *process = record_process(recorder, context->pid);
        process->packets += context->packets;
        process->execute_ns += context->execute_ns;
    }
}
