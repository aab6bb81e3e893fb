/* Payload layouts of DxgKrnl events by (id, version), as their manifests state them: packed, with
 * pointers as wide as the record's header type says, and arrays whose length an earlier field
 * gives. The tables of layouts.c are generated. */
#ifndef WDDMSIM_TRACES_ETL_LAYOUTS_H
#define WDDMSIM_TRACES_ETL_LAYOUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The fields the importer asks for, spelled as in the manifest. generate-layouts.py reads this
 * list: a new field is one line here and a run of it. */
enum etl_field {
    ETL_NO_FIELD,
    ETL_Alloc,
    ETL_Allocations,
    ETL_AttemptResult,
    ETL_DestinationSegmentId,
    ETL_DmaBufferSize,
    ETL_DxgAdapter,
    ETL_DxgDevice,
    ETL_FenceValue,
    ETL_FillSize,
    ETL_Flags,
    ETL_Function,
    ETL_NodeOrdinal,
    ETL_NumBytesToTrim,
    ETL_ObjectArray,
    ETL_ObjectCount,
    ETL_PacketType,
    ETL_PagingFenceValue,
    ETL_PagingQueue,
    ETL_PreferredSegment,
    ETL_Priority,
    ETL_ReadyContextPriorityMapBits,
    ETL_RemainingQuantum,
    ETL_SegmentId,
    ETL_SequenceId,
    ETL_Size,
    ETL_SourceSegmentId,
    ETL_Status,
    ETL_SubmitSequence,
    ETL_TotalBytesResident,
    ETL_TransferSize,
    ETL_VidMmOpType,
    ETL_Write,
    ETL_allocSize,
    ETL_bPreempted,
    ETL_dwEvictionSegment,
    ETL_dwReadSegment,
    ETL_dwWriteSegment,
    ETL_hAllocationGlobalHandle,
    ETL_hAllocationHandle,
    ETL_hContext,
    ETL_hDevice,
    ETL_hDmaBuffer,
    ETL_hDxgResource,
    ETL_hDxgSharedResource,
    ETL_hGlobalAllocationHandle,
    ETL_hProcessId,
    ETL_hQueuePacketContext,
    ETL_hSyncObject,
    ETL_hVidMmAlloc,
    ETL_hVidMmGlobalAlloc,
    ETL_pAlloc,
    ETL_pDmaBuffer,
    ETL_pVidMmAlloc,
    ETL_uiNbAllocations,
    ETL_uiSegmentId,
    ETL_ulAlignment,
    ETL_ulQueueSubmitSequence,
    ETL_ulSegmentId,
    ETL_uliCompletionId,
    ETL_uliSubmissionId,
    ETL_FIELDS
};

/* One field, or a run of fields nobody asks for. */
struct etl_item {
    uint8_t field; /* enum etl_field; ETL_NO_FIELD: a run to step over */
    uint8_t bytes; /* width of the field, 0 for a pointer; of a run: of its numbers together */
    uint8_t count; /* of a field: the field with its array length, or 0; of a run: its pointers */
};

struct etl_layout {
    uint16_t id;
    uint8_t version;
    uint8_t items;
    uint16_t first; /* in etl_items */
};

struct etl_function {
    uint16_t id;
    const char *name;
};

extern const char *const etl_field_names[]; /* by enum etl_field */
extern const struct etl_item etl_items[];
extern const struct etl_layout etl_layouts[]; /* sorted by id, then version */
extern const size_t etl_layout_count;
extern const uint16_t etl_known_ids[]; /* sorted */
extern const size_t etl_known_id_count;
extern const struct etl_function etl_functions[]; /* Profiler functions, sorted by id */
extern const size_t etl_function_count;

/* A decoded payload. */
struct etl_values {
    const unsigned char *payload;
    uint64_t present; /* bit per field; arrays: all their elements are there */
    struct {
        uint64_t number; /* of an array: where it starts in the payload */
        uint32_t count;  /* of an array: elements */
        uint8_t width;   /* bytes of one */
    } of[ETL_FIELDS];
};

/* Decodes what the payload reaches: a longer one than the layout has new fields behind, a shorter
 * one leaves fields absent. False: the layout of this (id, version) is not known. */
bool etl_decode(uint16_t id, uint8_t version, const unsigned char *payload, size_t length,
                uint8_t pointer_size, struct etl_values *values);

static inline bool etl_has(const struct etl_values *values, enum etl_field field)
{
    return (values->present >> field & 1) != 0;
}

/* A number; 0 when absent. */
static inline uint64_t etl_get(const struct etl_values *values, enum etl_field field)
{
    return etl_has(values, field) ? values->of[field].number : 0;
}

/* Elements of an array; 0 when absent. */
static inline uint32_t etl_count(const struct etl_values *values, enum etl_field field)
{
    return etl_has(values, field) ? values->of[field].count : 0;
}

/* Element `index` of an array, below its count. */
uint64_t etl_element(const struct etl_values *values, enum etl_field field, uint32_t index);

#endif
