/* The DxgKrnl records the importer maps, picked out of the file and put in time order.
 *
 * Memory: 56 bytes and the payload (20 to 60 bytes mostly) for each record kept, nothing for all
 * the others, which are counted only. */
#ifndef WDDMSIM_TRACES_ETL_RECORDS_H
#define WDDMSIM_TRACES_ETL_RECORDS_H

#include "traces/arena.h"
#include "traces/etl/layouts.h"
#include "traces/etl/source.h"

/* The provider, as records name it. */
extern const unsigned char etl_dxgkrnl[16];

/* Ids of the DxgKrnl events that mean something to the importer. */
enum {
    ID_PREEMPTION = 22,
    ID_SELECT_CONTEXT = 23,
    ID_DEVICE_START = 27,
    ID_DEVICE_STOP = 28,
    ID_DEVICE_RUNDOWN = 29,
    ID_CONTEXT_START = 30,
    ID_CONTEXT_STOP = 31,
    ID_CONTEXT_RUNDOWN = 32,
    ID_GLOBAL_START = 33, /* AdapterAllocation: one per allocation */
    ID_GLOBAL_STOP = 34,
    ID_GLOBAL_RUNDOWN = 35,
    ID_LOCAL_START = 36, /* DeviceAllocation: one per device that opened it */
    ID_LOCAL_STOP = 37,
    ID_LOCAL_RUNDOWN = 38,
    ID_TERMINATE = 39,
    ID_LOCK_OLD = 41,
    ID_UNLOCK_OLD = 42,
    ID_REFERENCES = 43,
    ID_SET_PRIORITY = 46,
    ID_TRANSFER = 53,
    ID_FILL = 54,
    ID_DISCARD = 55,
    ID_SPECIAL_TRANSFER = 60,
    ID_PAGE_IN = 73,
    ID_EVICT_ALLOCATION = 74,
    ID_SEGMENT = 78,
    ID_CALL = 105,
    ID_RETURN = 106,
    ID_RUNNING_TIME = 113,
    ID_DMA_START = 175,
    ID_DMA_STOP = 176,
    ID_DMA_INTERRUPT = 177,
    ID_QUEUE_START = 178,
    ID_QUEUE_STOP = 180,
    ID_OFFER = 186,
    ID_RECLAIM = 190,
    ID_COMMITTED_RUNDOWN = 227,
    ID_QUEUE_WAIT = 244,
    ID_QUEUE_SIGNAL = 245,
    ID_RESIDENT_BYTES = 274,
    ID_CPU_WAIT = 297,
    ID_VIRTUAL_TRANSFER = 306,
    ID_VIRTUAL_FILL = 307,
    ID_RESIDENCY_ADDED = 320,
    ID_RESIDENCY_DROPPED = 321,
    ID_PAGING_START = 322,
    ID_PAGING_START_ADAPTER = 323,
    ID_PAGING_STOP = 325,
    ID_MAKE_RESIDENT_START = 338,
    ID_MAKE_RESIDENT_STOP = 339,
    ID_LOCK = 340,
    ID_UNLOCK = 341,
};

struct etl_event {
    uint64_t t_ns;  /* since the first DxgKrnl record of the recording */
    uint64_t order; /* place among the records kept: ties of t_ns stay in file order */
    uint64_t offset;
    const unsigned char *payload;
    uint32_t length;
    uint32_t pid, tid;
    uint16_t id;
    uint16_t processor;
    uint8_t version;
    uint8_t pointer_size;
};

struct etl_records {
    struct etl_event *items;
    size_t count, capacity;
    struct trace_arena arena;
    uint64_t start_ns;            /* from the logfile header's stamp to t 0 */
    uint64_t counter_ns;          /* t 0 on the machine's counter; 0: the clock is another one */
    uint64_t end_ns;              /* t of the last DxgKrnl record */
    uint64_t dxgkrnl;             /* records of the provider */
    uint64_t unknown_ids;         /* of them: ids that no manifest has */
    uint64_t unmapped;            /* of them: known ids that say nothing a trace can hold */
    uint64_t stamps_out_of_range; /* dropped: a year and more off the start of the recording */
    uint64_t preemption_attempts; /* 22 */
};

/* Reads the source to its end. False: out of memory. `progress` may be NULL. */
bool etl_records_read(struct etl_records *records, const struct etl_source *source,
                      void (*progress)(void *self, uint64_t done, uint64_t total), void *self);

/* The highest ready level when a context was selected (23), which is that context's: 1 to 32; 0:
 * not told. */
uint32_t etl_level_of(const struct etl_values *values);

void etl_records_free(struct etl_records *records);

#endif
