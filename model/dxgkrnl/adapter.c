/* Adapters as their miniports find them, and how the two start (wddm.md §5.2). */
#include "model/dxgkrnl/internal.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

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

void dxgkrnl_add_adapter(struct dxgkrnl *dxgkrnl, const struct profile *profile,
                         struct vidsch *vidsch, struct vidmm *vidmm, const struct dxgkddi *ddi)
{
    struct dxgadapter *adapter = memory_new(1, sizeof *adapter);
    adapter->dxgkrnl = dxgkrnl;
    adapter->profile = profile;
    adapter->vidsch = vidsch;
    adapter->vidmm = vidmm;
    adapter->ddi = *ddi;
    LL_APPEND(dxgkrnl->adapters, adapter);
    vidsch_set_hung(vidsch, dxgk_context_hung, dxgkrnl);
}

struct dxgadapter *dxgk_adapter_of(const struct dxgkrnl *dxgkrnl, uint64_t number)
{
    struct dxgadapter *adapter = dxgkrnl->adapters;
    for (; adapter && number; number--)
        adapter = adapter->next;
    return adapter;
}

static uint32_t start_device(struct dxgadapter *adapter)
{
    describe(&adapter->described, adapter->profile);
    if (!adapter->ddi.start_device)
        return STATUS_SUCCESS;
    return adapter->ddi.start_device(
        adapter->ddi.miniport, &(struct dxgk_start_info){.adapter = &adapter->described.adapter,
                                                         .dxgkrnl = &adapter->dxgkrnl->interface});
}

uint32_t dxgkrnl_start_device(struct dxgkrnl *dxgkrnl)
{
    uint32_t status = STATUS_SUCCESS;
    struct dxgadapter *adapter;
    LL_FOREACH (dxgkrnl->adapters, adapter)
        if (status == STATUS_SUCCESS)
            status = start_device(adapter);
    return status;
}
