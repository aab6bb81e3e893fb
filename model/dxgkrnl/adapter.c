/* The adapter as its miniport finds it, and how the two start and part (wddm.md §5.2). */
#include "model/dxgkrnl/internal.h"

#include <stdlib.h>
#include <string.h>

static uint8_t usage_segment(const struct dxgk_adapter *adapter, const char *usage)
{
    const struct dxgk_described_adapter *described = (const void *)adapter;
    const char *name = profile_usage_segment(described->profile, usage);
    for (uint32_t i = 0; i < adapter->segment_count; i++)
        if (strcmp(adapter->segments[i].name, name) == 0)
            return (uint8_t)(i + 1);
    return 0;
}

static void describe(struct dxgk_described_adapter *described, const struct profile *profile)
{
    for (uint32_t i = 0; i < profile->segment_count; i++) {
        const struct profile_segment *segment = &profile->segments[i];
        described->segments[i] =
            (struct dxgk_segment){.name = segment->name,
                                  .aperture = segment->kind == PROFILE_APERTURE,
                                  .size = segment->size,
                                  .page = segment->page,
                                  .cpu_visible = segment->cpu_visible};
    }
    for (uint32_t i = 0; i < profile->node_count; i++)
        described->nodes[i] =
            (struct dxgk_node){.name = profile->nodes[i].name,
                               .kind = profile_node_kind_names[profile->nodes[i].kind],
                               .save_area = profile->nodes[i].save_area};
    described->profile = profile;
    described->adapter =
        (struct dxgk_adapter){.wddm = profile->wddm,
                              .segment_count = profile->segment_count,
                              .segments = described->segments,
                              .node_count = profile->node_count,
                              .nodes = described->nodes,
                              .context_save_area = profile->miniport.context_save_area,
                              .usage_segment = usage_segment};
}

uint32_t dxgkrnl_start_device(struct dxgkrnl *dxgkrnl)
{
    describe(&dxgkrnl->adapter, dxgkrnl->profile);
    if (!dxgkrnl->ddi.start_device)
        return STATUS_SUCCESS;
    return dxgkrnl->ddi.start_device(dxgkrnl->ddi.miniport,
                                     &(struct dxgk_start_info){.adapter = &dxgkrnl->adapter.adapter,
                                                               .dxgkrnl = &dxgkrnl->interface});
}
