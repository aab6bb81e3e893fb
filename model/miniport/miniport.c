#include "model/miniport/miniport.h"

#include "model/status.h"

#include <string.h>

static uint8_t segment_id(const struct profile *profile, const char *name)
{
    for (uint32_t i = 0; i < profile->segment_count; i++)
        if (strcmp(profile->segments[i].name, name) == 0)
            return (uint8_t)(i + 1);
    return 0;
}

static uint32_t bit(uint8_t segment)
{
    return segment ? UINT32_C(1) << (segment - 1) : 0;
}

static uint32_t apertures(const struct profile *profile)
{
    uint32_t set = 0;
    for (uint32_t i = 0; i < profile->segment_count; i++)
        if (profile->segments[i].kind == PROFILE_APERTURE)
            set |= UINT32_C(1) << i;
    return set;
}

/* What the user-mode driver stated stands; for the rest, the usage says which segment is best, and
 * an aperture is always good enough as a last resort: the GPU reads it over the link. */
static void choose_segments(const struct profile *profile, struct dxgk_allocation_info *info)
{
    const struct dxgk_private_data *data = &info->private_data;
    if (data->segments) {
        info->supported_write_segment_set = data->segments;
        memcpy(info->preferred_segment, data->preferred, sizeof info->preferred_segment);
        return;
    }
    uint8_t best = data->preferred[0]
                       ? data->preferred[0]
                       : segment_id(profile, profile_usage_segment(profile, data->usage));
    info->supported_write_segment_set = bit(best) | apertures(profile);
    memset(info->preferred_segment, 0, sizeof info->preferred_segment);
    info->preferred_segment[0] = best;
}

static uint32_t create_allocation(void *self, struct dxgkarg_create_allocation *arg)
{
    const struct miniport *miniport = self;
    for (uint32_t i = 0; i < arg->count; i++) {
        struct dxgk_allocation_info *info = &arg->allocations[i];
        info->size = info->private_data.size;
        info->alignment = info->private_data.alignment;
        info->flags = info->private_data.flags;
        info->allocation_priority = info->private_data.priority;
        choose_segments(miniport->profile, info);
    }
    return STATUS_SUCCESS;
}

/* A context that can be preempted needs a place for its state: the save area, in local memory,
 * which the engine writes at every switch. System contexts have none (wddm.md §4.2). */
static uint32_t create_context(void *self, const struct dxgkarg_create_context *arg)
{
    const struct miniport *miniport = self;
    const struct profile *profile = miniport->profile;
    const struct profile_node *node = &profile->nodes[arg->node];
    if (arg->system || !profile->miniport.context_save_area || node->save_area == 0)
        return STATUS_SUCCESS;
    uint8_t local = segment_id(profile, profile_usage_segment(profile, NULL));
    struct dxgkargcb_create_context_allocation allocation = {
        .context = arg->context,
        .size = node->save_area,
        .supported_segment_set = bit(local),
        .preferred_segment = {local},
    };
    return miniport->dxgkrnl.create_context_allocation(miniport->dxgkrnl.dxgkrnl, &allocation);
}

void miniport_init(struct miniport *miniport, const struct profile *profile, struct dxgkddi *ddi)
{
    miniport->profile = profile;
    *ddi = (struct dxgkddi){.miniport = miniport,
                            .create_allocation = create_allocation,
                            .create_context = create_context};
}
