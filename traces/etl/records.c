#include "traces/etl/records.h"

#include "traces/etl/bytes.h"
#include "traces/etl/layouts.h"
#include "traces/map.h"

#include <stdlib.h>
#include <string.h>

/* Microsoft-Windows-DxgKrnl {802ec45a-1e99-4b83-9920-87c98277ba9d} */
const unsigned char etl_dxgkrnl[16] = {0x5a, 0xc4, 0x2e, 0x80, 0x99, 0x1e, 0x83, 0x4b,
                                       0x99, 0x20, 0x87, 0xc9, 0x82, 0x77, 0xba, 0x9d};

enum { KNOWN = 1, MAPPED = 2 };

enum { IDS = 2048, FUNCTIONS = 16384 }; /* above the highest of the tables */

struct picker {
    struct etl_records *records;
    const struct etl_header *header;
    uint64_t first_stamp, last_stamp;
    struct trace_map nodes;  /* last node and level of each context: only changes are kept */
    struct trace_map quanta; /* longest quantum left of each context: likewise */
    unsigned char ids[IDS];
    unsigned char functions[FUNCTIONS];
};

uint32_t etl_level_of(const struct etl_values *values)
{
    uint32_t map = (uint32_t)etl_get(values, ETL_ReadyContextPriorityMapBits);
    return map == 0 ? 0 : (uint32_t)(32 - __builtin_clz(map));
}

static void prepare(struct picker *picker)
{
    for (size_t i = 0; i < etl_known_id_count; i++)
        picker->ids[etl_known_ids[i] % IDS] = KNOWN;
    for (size_t i = 0; i < etl_layout_count; i++)
        picker->ids[etl_layouts[i].id % IDS] |= MAPPED;
    for (size_t i = 0; i < etl_function_count; i++)
        picker->functions[etl_functions[i].id % FUNCTIONS] = 1;
}

/* Whether a Profiler record names a function that is used, or cannot tell. */
static bool calls_known_function(const struct picker *picker, const struct etl_record *record)
{
    if (record->length < 4)
        return true;
    uint32_t function = etl_u32(record->payload);
    return function < FUNCTIONS && picker->functions[function] != 0;
}

/* The scheduler names a context's node and level at every choice; once is enough while they stay
 * the same. */
static bool changes_selection(struct picker *picker, const struct etl_record *record)
{
    struct etl_values values;
    if (!etl_decode(record->id, record->version, record->payload, record->length,
                    record->pointer_size, &values) ||
        !etl_has(&values, ETL_NodeOrdinal))
        return true;
    uint64_t context = etl_get(&values, ETL_hContext);
    void *node =
        (void *)(uintptr_t)((etl_get(&values, ETL_NodeOrdinal) + 1) << 6 | etl_level_of(&values));
    if (context == 0 || trace_map_get(&picker->nodes, context, 0) == node)
        return false;
    (void)trace_map_put(&picker->nodes, context, 0, node); /* without memory: kept once more */
    return true;
}

/* A context's running time is told all the time; what is of use is the longest quantum that it has
 * left, which is its whole one. */
static bool tells_quantum(struct picker *picker, const struct etl_record *record)
{
    struct etl_values values;
    if (!etl_decode(record->id, record->version, record->payload, record->length,
                    record->pointer_size, &values))
        return false;
    uint64_t context = etl_get(&values, ETL_hContext);
    uint64_t left = etl_get(&values, ETL_RemainingQuantum);
    if (context == 0 || left > INT32_MAX ||
        (uintptr_t)trace_map_get(&picker->quanta, context, 0) >= left)
        return false;
    (void)trace_map_put(&picker->quanta, context, 0, (void *)(uintptr_t)left);
    return true;
}

static bool keep(struct etl_records *records, const struct etl_record *record)
{
    if (records->count == records->capacity) {
        size_t capacity = records->capacity == 0 ? 4096 : 2 * records->capacity;
        struct etl_event *grown = realloc(records->items, capacity * sizeof *grown);
        if (grown == NULL)
            return false;
        records->items = grown;
        records->capacity = capacity;
    }
    unsigned char *payload = trace_arena_take(&records->arena, record->length, 1);
    if (payload == NULL)
        return false;
    if (record->length > 0)
        memcpy(payload, record->payload, record->length);
    records->items[records->count] = (struct etl_event){
        .t_ns = record->stamp, /* until the first stamp is known */
        .order = records->count,
        .offset = record->offset,
        .payload = payload,
        .length = (uint32_t)record->length,
        .pid = record->pid,
        .tid = record->tid,
        .id = record->id,
        .processor = record->processor,
        .version = record->version,
        .pointer_size = record->pointer_size,
    };
    records->count++;
    return true;
}

static bool pick(struct picker *picker, const struct etl_record *record)
{
    struct etl_records *records = picker->records;
    if (record->provider == NULL || memcmp(record->provider, etl_dxgkrnl, sizeof etl_dxgkrnl) != 0)
        return true;
    records->dxgkrnl++;
    uint64_t start = picker->header->start_stamp;
    uint64_t distance = record->stamp > start ? record->stamp - start : start - record->stamp;
    if (distance / picker->header->frequency_hz > UINT64_C(366) * 86400) {
        records->stamps_out_of_range++;
        return true;
    }
    if (record->stamp < picker->first_stamp)
        picker->first_stamp = record->stamp;
    if (record->stamp > picker->last_stamp)
        picker->last_stamp = record->stamp;
    unsigned char class = record->id < IDS ? picker->ids[record->id] : 0;
    if (class == 0)
        records->unknown_ids++;
    else if ((class & MAPPED) == 0)
        records->unmapped++;
    if (record->id == ID_PREEMPTION)
        records->preemption_attempts++;
    else if ((class & MAPPED) != 0 &&
             ((record->id != ID_CALL && record->id != ID_RETURN) ||
              calls_known_function(picker, record)) &&
             (record->id != ID_SELECT_CONTEXT || changes_selection(picker, record)) &&
             (record->id != ID_RUNNING_TIME || tells_quantum(picker, record)))
        return keep(records, record);
    return true;
}

static int compare_events(const void *left, const void *right)
{
    const struct etl_event *a = left, *b = right;
    if (a->t_ns != b->t_ns)
        return a->t_ns < b->t_ns ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

bool etl_records_read(struct etl_records *records, const struct etl_source *source,
                      void (*progress)(void *self, uint64_t done, uint64_t total), void *self)
{
    struct picker *picker = calloc(1, sizeof *picker);
    if (picker == NULL)
        return false;
    picker->records = records;
    picker->header = source->header;
    picker->first_stamp = UINT64_MAX;
    prepare(picker);
    struct etl_record record;
    enum etl_step step;
    bool good = true;
    uint64_t read = 0;
    while (good && (step = source->next(source->self, &record)) != ETL_END) {
        good = step == ETL_RECORD && pick(picker, &record);
        if (progress != NULL && (++read & 0x3fff) == 0) {
            uint64_t done, total;
            trace_input_progress(source->input, &done, &total);
            progress(self, done, total);
        }
    }
    const struct etl_header *header = picker->header;
    if (picker->first_stamp <= picker->last_stamp) {
        records->start_ns = etl_stamp_distance_ns(header, header->start_stamp, picker->first_stamp);
        records->counter_ns =
            header->clock == 1 ? etl_stamp_distance_ns(header, 0, picker->first_stamp) : 0;
        records->end_ns = etl_stamp_distance_ns(header, picker->first_stamp, picker->last_stamp);
    }
    if (records->count > 0)
        qsort(records->items, records->count, sizeof *records->items, compare_events);
    for (size_t i = 0; i < records->count; i++)
        records->items[i].t_ns =
            etl_stamp_distance_ns(header, picker->first_stamp, records->items[i].t_ns);
    trace_map_free(&picker->nodes);
    trace_map_free(&picker->quanta);
    free(picker);
    return good;
}

void etl_records_free(struct etl_records *records)
{
    free(records->items);
    trace_arena_free(&records->arena);
    *records = (struct etl_records){0};
}
