/* The DxgKrnl records the importer maps, picked out of the file and put in time order.
 *
 * Memory: 56 bytes and the payload (20 to 60 bytes mostly) for each record kept, nothing for all
 * the others, which are counted only. */
#ifndef WDDMSIM_TRACES_ETL_RECORDS_H
#define WDDMSIM_TRACES_ETL_RECORDS_H

#include "traces/arena.h"
#include "traces/etl/container.h"

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
    uint64_t end_ns;              /* t of the last DxgKrnl record */
    uint64_t dxgkrnl;             /* records of the provider */
    uint64_t unknown_ids;         /* of them: ids that no manifest has */
    uint64_t unmapped;            /* of them: known ids that say nothing a trace can hold */
    uint64_t stamps_out_of_range; /* dropped: a year and more off the start of the recording */
    uint64_t preemption_attempts; /* 22 */
};

/* Reads the container to its end. False: out of memory. `progress` may be NULL. */
bool etl_records_read(struct etl_records *records, struct etl_container *container,
                      void (*progress)(void *self, uint64_t done, uint64_t total), void *self);

void etl_records_free(struct etl_records *records);

#endif
