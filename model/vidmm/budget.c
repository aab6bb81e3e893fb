/* Budgets (wddm.md §6.4): how much of a group of segments a process may require, what it does
 * require, and who hears of it when that no longer fits.
 *
 * Windows does not publish how it deals budgets out. Here each process that has a device is
 * entitled to a share of what there is, by the weight of its band and visibility; what others are
 * entitled to and do not use is added. So a lone process may use all of it, and the budget of one
 * in the background shrinks as the others grow. */
#include "model/vidmm/internal.h"

#include <stdlib.h>
#include <utlist.h>

static bool is_on(const struct vidmm *vidmm)
{
    return vidmm->profile->vidmm.budget == PROFILE_BUDGET_WEIGHTED && vidmm->explicit_residency;
}

enum vidmm_group vidmm_segment_group(const struct profile_segment *segment)
{
    switch (segment->budget_group) {
    case PROFILE_GROUP_LOCAL:
        return VIDMM_LOCAL;
    case PROFILE_GROUP_NON_LOCAL:
        return VIDMM_NON_LOCAL;
    case PROFILE_GROUP_NONE:
        return VIDMM_NO_GROUP;
    default:
        return segment->kind == PROFILE_MEMORY ? VIDMM_LOCAL : VIDMM_NON_LOCAL;
    }
}

/* What a segment adds to its group. */
static uint64_t share_of(const struct vidmm *vidmm, uint32_t segment)
{
    const struct profile_vidmm *policy = &vidmm->profile->vidmm;
    const double shares[] = {policy->budget_local, policy->budget_non_local, 0};
    return (uint64_t)((double)vidmm->segments[segment].range.size *
                      shares[vidmm_segment_group(&vidmm->profile->segments[segment])]);
}

uint64_t vidmm_segment_budget(const struct vidmm *vidmm, uint32_t segment)
{
    return is_on(vidmm) ? share_of(vidmm, segment - 1) : 0;
}

void vidmm_budgets_init(struct vidmm *vidmm)
{
    for (uint32_t i = 0; i < vidmm->profile->segment_count; i++) {
        enum vidmm_group group = vidmm_segment_group(&vidmm->profile->segments[i]);
        if (group < VIDMM_NO_GROUP)
            vidmm->groups[group].available += share_of(vidmm, i);
    }
}

static double weight_of(const struct vidmm_process *process)
{
    const struct profile_vidmm *policy = &process->vidmm->profile->vidmm;
    if (process->devices == 0)
        return 0;
    if (process->band == VIDMM_BAND_DWM)
        return policy->weight_dwm;
    if (process->visibility == VIDMM_MINIMIZED)
        return policy->weight_minimized;
    if (process->band == VIDMM_BAND_FOCUS)
        return policy->weight_focus;
    return process->visibility == VIDMM_OCCLUDED ? policy->weight_occluded : policy->weight_visible;
}

static uint64_t entitlement(const struct vidmm_process *process, enum vidmm_group group)
{
    const struct vidmm *vidmm = process->vidmm;
    if (vidmm->weights <= 0)
        return vidmm->groups[group].available;
    return (uint64_t)((double)vidmm->groups[group].available * process->weight / vidmm->weights);
}

/* Of its entitlement the process keeps from the others what it uses. */
static void keep(struct vidmm_process *process, enum vidmm_group group)
{
    uint64_t entitled = entitlement(process, group), usage = process->usage[group];
    uint64_t kept = usage < entitled ? usage : entitled;
    process->vidmm->groups[group].kept += kept - process->kept[group]; /* wraps when it shrinks */
    process->kept[group] = kept;
}

static uint64_t budget_of(const struct vidmm_process *process, enum vidmm_group group)
{
    const struct vidmm_group_budget *of = &process->vidmm->groups[group];
    uint64_t entitled = entitlement(process, group);
    uint64_t others = of->kept - process->kept[group];
    uint64_t left = of->available > others ? of->available - others : 0;
    return left > entitled ? left : entitled;
}

/* Some time after the group has become too small for all, whoever is over budget is told. */
static void expect_trouble(struct vidmm *vidmm, enum vidmm_group group)
{
    const struct vidmm_group_budget *of = &vidmm->groups[group];
    if (of->usage > of->available && !sim_timer_pending(&vidmm->trim))
        sim_after(vidmm->sim, &vidmm->trim, vidmm->profile->vidmm.trim_response_ns);
}

void vidmm_still_over_budget(struct vidmm *vidmm)
{
    for (enum vidmm_group group = 0; group < VIDMM_GROUPS && is_on(vidmm); group++)
        expect_trouble(vidmm, group);
}

void vidmm_charge(struct vidmm_allocation *allocation, bool more)
{
    struct vidmm *vidmm = allocation->vidmm;
    enum vidmm_group group = allocation->group;
    if (group == VIDMM_NO_GROUP || !is_on(vidmm))
        return;
    uint64_t bytes = more ? allocation->size : 0 - allocation->size;
    allocation->process->usage[group] += bytes;
    vidmm->groups[group].usage += bytes;
    keep(allocation->process, group);
    if (more)
        expect_trouble(vidmm, group);
}

void vidmm_process_reweigh(struct vidmm_process *process)
{
    struct vidmm *vidmm = process->vidmm;
    double weight = weight_of(process);
    if (!is_on(vidmm) || weight == process->weight)
        return;
    vidmm->weights += weight - process->weight;
    process->weight = weight;
    struct vidmm_process *any;
    DL_FOREACH (vidmm->processes, any)
        for (enum vidmm_group group = 0; group < VIDMM_GROUPS; group++)
            keep(any, group);
    for (enum vidmm_group group = 0; group < VIDMM_GROUPS; group++)
        expect_trouble(vidmm, group);
}

uint64_t vidmm_over_budget(const struct vidmm_process *process, enum vidmm_group group)
{
    if (group == VIDMM_NO_GROUP || !is_on(process->vidmm))
        return 0;
    uint64_t budget = budget_of(process, group);
    return process->usage[group] > budget ? process->usage[group] - budget : 0;
}

static void tell(void *owner)
{
    struct vidmm *vidmm = owner;
    struct vidmm_process *process;
    for (enum vidmm_group group = 0; group < VIDMM_GROUPS; group++)
        DL_FOREACH (vidmm->processes, process) {
            uint64_t over = vidmm_over_budget(process, group);
            if (over == 0)
                continue;
            vidmm_count(vidmm, "trim_to_budget_callbacks", 1);
            vidmm_count(vidmm, "trim_to_budget_asked_bytes", over);
            vidmm_umd_trim(process, group, over);
        }
}

void vidmm_trim_init(struct vidmm *vidmm)
{
    sim_timer_init(&vidmm->trim, tell, vidmm);
}

void vidmm_video_memory(struct vidmm *vidmm, uint32_t pid, enum vidmm_group group,
                        struct vidmm_video_memory *info)
{
    const struct vidmm_process *process = vidmm_process_of(vidmm, pid);
    *info = (struct vidmm_video_memory){.budget = vidmm->groups[group].available};
    if (!process || !is_on(vidmm))
        return;
    info->budget = budget_of(process, group);
    info->usage = process->usage[group];
}
