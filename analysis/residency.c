/* Who had how many bytes where, for how long; and the paging that moved them. */
#include "analysis/heap.h"
#include "analysis/record.h"

#include <assert.h>

static struct record_space *process_space(struct recorder *recorder, uint32_t pid, uint32_t segment)
{
    struct record_process *process = record_process(recorder, pid);
    if (process->space[segment] == NULL) {
        struct record_space *space = heap_new(1, sizeof *space);
        space->segment = segment;
        space->series.width = 2;
        process->space[segment] = space;
    }
    return process->space[segment];
}

static void pull(struct recorder *recorder, struct record_space *space)
{
    if (recorder->segment_state == NULL || space->segment == 0)
        return;
    recorder->segment_state(recorder->model, space->segment, &space->state);
    uint64_t *least = &recorder->largest_free_min[space->segment];
    if (space->state.largest_free < *least)
        *least = space->state.largest_free;
}

static void put(struct record_space *space, uint32_t instant)
{
    const struct probe_segment_state *state = &space->state;
    uint64_t values[SERIES_WIDTH] = {space->resident,
                                     space->committed,
                                     state->allocated,
                                     state->marked,
                                     state->free,
                                     state->largest_free,
                                     state->largest_free_or_marked};
    series_put(&space->series, instant, values);
}

static void mark_dirty(struct recorder *recorder, struct record_space *space)
{
    if (space->dirty)
        return;
    space->dirty = true;
    space->next_dirty = recorder->dirty;
    recorder->dirty = space;
}

static void put_dirty(struct recorder *recorder, uint32_t instant)
{
    for (struct record_space *space = recorder->dirty; space != NULL; space = space->next_dirty) {
        put(space, instant);
        space->dirty = false;
    }
    recorder->dirty = NULL;
}

static void thin_all(struct recorder *recorder)
{
    for (uint32_t i = 0; i < RECORD_SEGMENTS; i++)
        series_thin(&recorder->space[i].series);
    for (struct record_process *process = recorder->processes; process != NULL;
         process = process->hh.next)
        for (uint32_t i = 0; i < RECORD_SEGMENTS; i++)
            if (process->space[i] != NULL)
                series_thin(&process->space[i]->series);
}

/* Until now_ns the free memory of each segment was as the latest sample saw it. */
static void account_for_holes(struct recorder *recorder, uint64_t now_ns)
{
    const struct sampler *sampler = &recorder->sampler;
    uint64_t passed = sampler->count != 0 ? now_ns - sampler->t_ns[sampler->count - 1] : 0;
    for (uint32_t i = 1; i <= recorder->segments; i++) {
        const struct probe_segment_state *state = &recorder->space[i].state;
        if (state->free > state->largest_free)
            recorder->space[i].scattered_ppm_ns +=
                (histogram_sum)passed * 1000000 * (state->free - state->largest_free) / state->free;
    }
}

/* Samples if the time has come. Called behind a change, so that what is sampled holds at now_ns; a
 * further change at the same instant corrects the sample. */
static void sample(struct recorder *recorder, uint64_t now_ns, uint32_t segment)
{
    struct sampler *sampler = &recorder->sampler;
    if (sampler_due(sampler, now_ns)) {
        bool thinned = false;
        account_for_holes(recorder, now_ns);
        uint32_t instant = sampler_add(sampler, now_ns, &thinned);
        if (thinned)
            thin_all(recorder);
        for (uint32_t i = 1; i <= recorder->segments; i++) {
            pull(recorder, &recorder->space[i]);
            put(&recorder->space[i], instant);
        }
        put_dirty(recorder, instant);
    } else if (sampler->t_ns[sampler->count - 1] == now_ns) {
        if (sampler_again(sampler, now_ns))
            pull(recorder, &recorder->space[segment]);
        put_dirty(recorder, sampler->count - 1);
    }
}

static uint64_t shifted(uint64_t value, int64_t bytes)
{
    if (bytes >= 0)
        return value + (uint64_t)bytes;
    uint64_t less = 0 - (uint64_t)bytes;
    assert(less <= value); /* the model takes away what it never gave */
    return less <= value ? value - less : 0;
}

/* Adds what was there until now_ns to the integrals. */
static void bring_to(struct record_space *space, uint64_t now_ns)
{
    if (now_ns <= space->last_ns)
        return;
    uint64_t passed = now_ns - space->last_ns;
    space->resident_byte_ns += (histogram_sum)space->resident * passed;
    space->committed_byte_ns += (histogram_sum)space->committed * passed;
    if (space->resident != 0)
        space->resident_ns += passed;
    if (space->bins != NULL)
        bins_add(space->bins, space->last_ns, now_ns,
                 (const uint64_t[BINS_LANES]){space->resident / RECORD_PAGE,
                                              space->committed / RECORD_PAGE});
    space->last_ns = now_ns;
}

static void change(struct recorder *recorder, uint64_t now_ns, struct record_space *space,
                   int64_t resident, int64_t committed)
{
    bring_to(space, now_ns);
    space->resident = shifted(space->resident, resident);
    space->committed = shifted(space->committed, committed);
    if (space->resident > space->peak_resident)
        space->peak_resident = space->resident;
    if (space->committed > space->peak_committed)
        space->peak_committed = space->committed;
    mark_dirty(recorder, space);
}

static void change_both(struct recorder *recorder, uint64_t now_ns, uint32_t pid, uint32_t segment,
                        int64_t resident, int64_t committed)
{
    assert(segment < RECORD_SEGMENTS);
    if (now_ns > recorder->last_ns)
        recorder->last_ns = now_ns;
    change(recorder, now_ns, &recorder->space[segment], resident, committed);
    struct record_space *share = process_space(recorder, pid, segment);
    change(recorder, now_ns, share, resident, committed);
    if (recorder->timeline != NULL && resident != 0)
        timeline_counter(recorder->timeline, TIMELINE_RESIDENT, now_ns, pid, segment,
                         share->resident);
    sample(recorder, now_ns, segment);
}

void residency_resident(void *self, uint64_t now_ns, uint32_t pid, uint32_t segment, int64_t bytes)
{
    change_both(self, now_ns, pid, segment, bytes, 0);
}

void residency_committed(void *self, uint64_t now_ns, uint32_t pid, uint32_t segment, int64_t bytes)
{
    change_both(self, now_ns, pid, segment, 0, bytes);
}

/* Spreads the bits of a label: FNV-1a over its letters, one multiplication for a number. The same
 * on every machine. */
static uint64_t label_key(const struct probe_label *label)
{
    uint64_t hash = 0xcbf29ce484222325u;
    if (label->text != NULL)
        for (const char *c = label->text; *c != 0; c++)
            hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    else
        hash = (label->number + 1) * 0x9e3779b97f4a7c15u;
    return hash == 0 ? 1 : hash;
}

/* Re-fault distance: from an allocation's eviction to its next page-in. Of the evictions that fall
 * into the same slot only the latest is remembered, which bounds the memory. */
static void follow_faults(struct recorder *recorder, const struct probe_paging *operation)
{
    bool in = operation->kind == PROBE_PAGE_IN || operation->kind == PROBE_FILLED;
    bool out = operation->kind == PROBE_PAGE_OUT || operation->kind == PROBE_DISCARD ||
               operation->kind == PROBE_DEMOTE;
    if (!in && !out)
        return;
    uint64_t key = label_key(&operation->allocation);
    struct record_fault *slot = &recorder->faults[(key ^ (key >> 32)) % RECORD_FAULTS];
    if (out) {
        *slot = (struct record_fault){key, operation->finished_ns};
    } else if (slot->key == key) {
        histogram_add(&recorder->refault, operation->queued_ns > slot->evicted_ns
                                              ? operation->queued_ns - slot->evicted_ns
                                              : 0);
        slot->key = 0;
    }
}

static void count_flow(struct record_flow *flow, uint64_t bytes)
{
    flow->count++;
    flow->bytes += bytes;
}

void residency_paging(void *self, const struct probe_paging *operation)
{
    static const struct csv_word none; /* of causes for which there was no room */
    struct recorder *recorder = self;
    const char *name = operation->cause != NULL ? operation->cause : "unknown";
    assert(operation->kind < PROBE_PAGING_KINDS);
    if (operation->finished_ns > recorder->last_ns)
        recorder->last_ns = operation->finished_ns;
    count_flow(&recorder->flow[operation->kind], operation->bytes);
    uint32_t cause = 0;
    while (cause < recorder->causes && recorder->cause[cause].name != name)
        cause++;
    if (cause == recorder->causes) /* not the same pointer: perhaps the same letters */
        for (cause = 0; cause < recorder->causes; cause++)
            if (strcmp(recorder->cause[cause].name, name) == 0)
                break;
    if (cause == RECORD_CAUSES)
        cause--;
    if (cause == recorder->causes) {
        recorder->cause[cause].word = csv_word(name);
        recorder->cause[recorder->causes++].name = name;
    }
    count_flow(&recorder->cause[cause].flow[operation->kind], operation->bytes);
    enum probe_paging_kind kind = operation->kind;
    uint64_t bytes = operation->bytes;
    bins_count(&recorder->paging_bins, operation->finished_ns,
               (const uint64_t[BINS_LANES]){
                   kind == PROBE_PAGE_IN ? bytes : 0, kind == PROBE_PAGE_OUT ? bytes : 0,
                   kind == PROBE_FILLED ? bytes : 0, kind == PROBE_DISCARD ? bytes : 0});
    if (operation->finished_ns >= operation->queued_ns)
        histogram_add(&recorder->paging_latency, operation->finished_ns - operation->queued_ns);
    if (operation->context_allocation) {
        recorder->context_page_ins += operation->kind == PROBE_PAGE_IN;
        recorder->context_fills += operation->kind == PROBE_FILLED;
    }
    follow_faults(recorder, operation);
    if (recorder->timeline != NULL)
        timeline_paging(recorder->timeline, operation);
    if (recorder->paging_csv.file != NULL)
        csv_paging_row(recorder, operation,
                       cause < RECORD_CAUSES - 1 ? &recorder->cause[cause].word : &none);
}

static void bring_context_to(struct recorder *recorder, struct record_context *context,
                             uint64_t now_ns)
{
    if (now_ns <= context->allocations_last_ns)
        return;
    uint64_t passed = now_ns - context->allocations_last_ns;
    recorder->context_alive_ns += (histogram_sum)context->allocations_alive * passed;
    recorder->context_resident_ns += (histogram_sum)context->allocations_resident * passed;
    context->allocations_last_ns = now_ns;
}

void residency_context_allocation(void *self, uint64_t now_ns, uint32_t id, int created,
                                  int resident)
{
    struct recorder *recorder = self;
    struct record_context *context = engines_find_context(recorder, id);
    bring_context_to(recorder, context, now_ns);
    context->allocations_alive = shifted(context->allocations_alive, created);
    context->allocations_resident = shifted(context->allocations_resident, resident);
    if (created > 0)
        recorder->context_allocations += (uint64_t)created;
    if (now_ns > recorder->last_ns)
        recorder->last_ns = now_ns;
}

void residency_close(struct recorder *recorder)
{
    account_for_holes(recorder, recorder->end_ns);
    for (uint32_t i = 0; i < RECORD_SEGMENTS; i++)
        bring_to(&recorder->space[i], recorder->end_ns);
    for (struct record_process *process = recorder->processes; process != NULL;
         process = process->hh.next)
        for (uint32_t i = 0; i < RECORD_SEGMENTS; i++)
            if (process->space[i] != NULL)
                bring_to(process->space[i], recorder->end_ns);
    for (struct record_context *context = recorder->contexts; context != NULL;
         context = context->hh.next)
        bring_context_to(recorder, context, recorder->end_ns);
}
