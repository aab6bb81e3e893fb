#include "model/vidmm/vidmm.h"

#include "model/vidmm/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

struct vidmm *vidmm_create(struct sim *sim, const struct profile *profile, struct vidsch *vidsch,
                           struct probe *probe)
{
    struct vidmm *vidmm = memory_new(1, sizeof *vidmm);
    vidmm->sim = sim;
    vidmm->profile = profile;
    vidmm->vidsch = vidsch;
    vidmm->probe = probe;
    vidmm->adapter = *vidsch_adapter(vidsch);
    vidmm->neighbour = vidmm;
    assert((size_t)profile->vidmm.eviction < vidmm_policy_count);
    vidmm->policy = vidmm_policies[profile->vidmm.eviction];
    vidmm->explicit_residency = profile->wddm >= 20;
    vidmm->residencies.object_size = sizeof(struct vidmm_residency);
    vidmm->allocation_pool.object_size = sizeof(struct vidmm_allocation);
    vidmm->segments = memory_new(profile->segment_count, sizeof *vidmm->segments);
    for (uint32_t i = 0; i < profile->segment_count; i++) {
        struct vidmm_segment *segment = &vidmm->segments[i];
        segment->vidmm = vidmm;
        segment->id = i + 1;
        segment->profile = &profile->segments[i];
        segment->group = vidmm_segment_group(segment->profile);
        uint64_t limit = segment->profile->commit_limit;
        range_init(&segment->range,
                   limit && limit < segment->profile->size ? limit : segment->profile->size,
                   (enum range_fit)profile->vidmm.placement);
    }
    vidmm_pool_init(&vidmm->offers, vidmm, VIDMM_OFFERED);
    vidmm_pool_init(&vidmm->wanted_by_several, vidmm, VIDMM_WANTED);
    vidmm->random = gsl_rng_alloc(gsl_rng_mt19937);
    vidmm_budgets_init(vidmm);
    vidmm_trim_init(vidmm);
    vidmm_umd_init(vidmm);
    vidmm_worker_init(vidmm);
    vidsch_set_memory(vidsch, &(struct vidsch_memory){.vidmm = vidmm,
                                                      .prepare = vidmm_prepare,
                                                      .release = vidmm_release,
                                                      .unload = vidmm_unload,
                                                      .touch = vidmm_touch,
                                                      .serve = vidmm_serve});
    return vidmm;
}

void vidmm_join(struct vidmm *vidmm, struct vidmm *other)
{
    struct vidmm *next = vidmm->neighbour;
    vidmm->neighbour = other->neighbour;
    other->neighbour = next;
}

void vidmm_destroy(struct vidmm *vidmm)
{
    if (!vidmm)
        return;
    const struct vidmm_allocation *allocation;
    DL_FOREACH2 (vidmm->allocations, allocation, all_next) {
        free((void *)(uintptr_t)allocation->label.text);
        free(allocation->pages);
        free(allocation->blocks);
    }
    for (uint32_t i = 0; i < vidmm->profile->segment_count; i++)
        range_fini(&vidmm->segments[i].range);
    free(vidmm->segments);
    while (vidmm->contexts)
        vidmm_context_memory_free(vidmm, vidmm->contexts);
    while (vidmm->processes)
        vidmm_process_free(vidmm->processes);
    vidmm_pool_fini(&vidmm->offers);
    vidmm_pool_fini(&vidmm->wanted_by_several);
    gsl_rng_free(vidmm->random);
    vidmm_worker_fini(vidmm);
    memory_pool_fini(&vidmm->residencies);
    memory_pool_fini(&vidmm->allocation_pool);
    free(vidmm);
}

void vidmm_seed(struct vidmm *vidmm, uint64_t seed)
{
    gsl_rng_set(vidmm->random, (seed ^ seed >> 32) & UINT32_MAX); /* that much it looks at */
}

void vidmm_mark(struct vidmm_allocation *allocation, bool marked)
{
    struct vidmm_segment *segment = allocation->segment;
    allocation->marked = marked;
    segment->marked_bytes += marked ? allocation->size : 0 - allocation->size;
    vidmm_list_stale(allocation);
}

void vidmm_list_stale(struct vidmm_allocation *allocation)
{
    if (!allocation->stale)
        DL_APPEND2(allocation->segment->stale, allocation, stale_prev, stale_next);
    allocation->stale = true;
}

void vidmm_unlist_stale(struct vidmm_allocation *allocation)
{
    if (allocation->stale)
        DL_DELETE2(allocation->segment->stale, allocation, stale_prev, stale_next);
    allocation->stale = false;
}

void vidmm_segment_state(const void *self, uint32_t id, struct probe_segment_state *state)
{
    const struct vidmm *vidmm = self;
    struct vidmm_segment *segment = &vidmm->segments[id - 1];
    while (segment->stale) {
        struct vidmm_allocation *allocation = segment->stale;
        if (allocation->counts != allocation->marked)
            range_let_count(allocation->extents, allocation->marked);
        allocation->counts = allocation->marked;
        vidmm_unlist_stale(allocation);
    }
    *state = (struct probe_segment_state){
        .allocated = segment->range.size - segment->range.free,
        .marked = segment->marked_bytes,
        .free = segment->range.free,
        .largest_free = range_largest(&segment->range),
        .largest_free_or_marked = range_longest(&segment->range),
    };
}

static const char *check_marked(const struct vidmm *vidmm, const struct vidmm_segment *segment)
{
    uint64_t marked = 0;
    const struct vidmm_allocation *allocation;
    DL_FOREACH2 (vidmm->allocations, allocation, all_next) {
        if (allocation->marked != vidmm_is_marked(allocation))
            return "an allocation's mark is wrong";
        marked += allocation->marked && allocation->segment == segment ? allocation->size : 0;
        for (const struct range_extent *at = chain_first(allocation->extents); at; at = at->more)
            if (at->counts != allocation->counts ||
                (!allocation->stale && at->counts != allocation->marked))
                return "a mark has not come through to its segment";
    }
    if (marked != segment->marked_bytes)
        return "the marked allocations of a segment do not add up";
    return NULL;
}

/* Extents: if one of them belonged to two allocations, and another to none, both would show it. */
struct extents_sum {
    uint64_t bytes, offsets;
};

static void add_extent(struct extents_sum *sum, const struct range_extent *extent)
{
    sum->bytes += extent->size;
    sum->offsets += extent->offset;
}

static const char *check_segment(const struct vidmm *vidmm, struct vidmm_segment *segment)
{
    const char *wrong = range_check(&segment->range);
    if (wrong)
        return wrong;
    uint64_t resident = 0, host_mapped = 0;
    struct extents_sum owned = {0}, taken = {0};
    const struct range_extent *extent;
    for (extent = segment->range.lowest; extent; extent = extent->above)
        if (extent->taken)
            add_extent(&taken, extent);
    const struct vidmm_allocation *allocation;
    DL_FOREACH2 (vidmm->allocations, allocation, all_next) {
        if (allocation->segment != segment)
            continue;
        uint64_t before = owned.bytes;
        for (extent = chain_first(allocation->extents); extent; extent = extent->more)
            add_extent(&owned, extent);
        uint64_t bytes = owned.bytes - before;
        if (bytes != chain_bytes(allocation->extents))
            return "a chain of extents does not add up";
        /* A block of a buddy system is larger than what lies in it. */
        if (bytes < allocation->size ||
            (bytes > allocation->size && segment->range.fit != RANGE_BUDDY))
            return "an allocation's extents are not its size";
        if (allocation->host_mapped && !allocation->locks)
            return "an allocation that is not locked is in a CPU host aperture";
        host_mapped += allocation->host_mapped ? allocation->size : 0;
        resident += allocation->state == VIDMM_RESIDENT ? allocation->size : 0;
    }
    if (owned.bytes != taken.bytes || owned.offsets != taken.offsets ||
        taken.bytes != segment->range.size - segment->range.free)
        return "the allocations of a segment do not add up to what is taken";
    if (resident != segment->resident_bytes)
        return "the resident allocations of a segment do not add up";
    if (host_mapped != segment->host_mapped_bytes)
        return "what is in a CPU host aperture does not add up";
    return check_marked(vidmm, segment);
}

static const char *check_residency(const struct vidmm_allocation *allocation)
{
    const struct vidmm_residency *residency, *missing;
    DL_FOREACH2 (allocation->residencies, residency, in_allocation_next) {
        bool listed = false;
        DL_FOREACH2 (residency->device->missing, missing, missing_next)
            listed |= missing == residency;
        if (listed != (allocation->state != VIDMM_RESIDENT && !allocation->offered))
            return "a device's list of missing allocations is wrong";
    }
    return NULL;
}

/* What each process's devices require is what it is charged for. */
static const char *check_budgets(const struct vidmm *vidmm)
{
    const struct vidmm_process *process;
    const struct vidmm_allocation *allocation;
    for (enum vidmm_group group = 0; group < VIDMM_GROUPS; group++) {
        uint64_t usage = 0, kept = 0;
        DL_FOREACH (vidmm->processes, process) {
            usage += process->usage[group];
            kept += process->kept[group];
        }
        if (usage != vidmm->groups[group].usage || kept != vidmm->groups[group].kept)
            return "the usage of processes does not add up to that of their group";
        DL_FOREACH2 (vidmm->allocations, allocation, all_next)
            if (allocation->group == group && allocation->residencies)
                usage -= allocation->size;
        if (usage && vidmm->groups[group].usage)
            return "a group's usage is not what devices require";
    }
    return NULL;
}

static const char *check_standing(const struct vidmm_allocation *allocation)
{
    const struct vidmm_standing *standing = &allocation->standing;
    if (standing->in && allocation->state != VIDMM_RESIDENT)
        return "an allocation that is not resident stands in line to be evicted";
    if (!standing->in && allocation->marked && !standing->chosen)
        return "an allocation that may be evicted stands in no line";
    return NULL;
}

const char *vidmm_check(const struct vidmm *vidmm)
{
    const char *wrong = vidmm->failure ? vidmm->failure : check_budgets(vidmm);
    for (uint32_t i = 0; i < vidmm->profile->segment_count && !wrong; i++)
        wrong = check_segment(vidmm, &vidmm->segments[i]);
    uint64_t committed = 0;
    const struct vidmm_allocation *allocation;
    DL_FOREACH2 (vidmm->allocations, allocation, all_next) {
        if (!wrong)
            wrong = check_residency(allocation);
        if (!wrong)
            wrong = check_standing(allocation);
        if (!wrong && allocation->pages)
            wrong = vidmm_block_check(allocation);
        committed += allocation->decommitted || allocation->borrowed ? 0 : allocation->size;
    }
    if (!wrong && committed != vidmm->committed_bytes)
        wrong = "committed bytes do not add up";
    return wrong;
}
