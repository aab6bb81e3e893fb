/* What the two files that read Nsight Systems' export share. */
#ifndef WDDMSIM_TRACES_NSIGHT_H
#define WDDMSIM_TRACES_NSIGHT_H

#include "traces/activity/reader.h"
#include "traces/database.h"

struct nsight_call {
    int64_t name; /* number in StringIds */
    enum activity_kind kind;
    bool waits;
};

struct nsight {
    struct activity_reader *reader;
    struct database *database;
    uint64_t rows;
    bool packets;              /* submissions are those of WDDM, not CUDA's */
    struct nsight_call *calls; /* whose names say that they wait, by number of the name */
    size_t call_count, call_room;
    uint64_t page_faults_gpu, page_faults_cpu, evictions, paging_operations, hardware_queues;
    uint64_t queue_unfinished, dma_unpaired, without_engine_time, not_work;
};

/* A row number of a table as an origin, and back into words. */
enum nsight_table {
    NSIGHT_RUNTIME,
    NSIGHT_KERNEL,
    NSIGHT_MEMSET,
    NSIGHT_MEMCPY,
    NSIGHT_MEMORY,
    NSIGHT_QUEUE_START,
    NSIGHT_QUEUE_STOP,
    NSIGHT_DMA_START,
    NSIGHT_DMA_STOP,
    NSIGHT_TRANSFER,
    NSIGHT_TABLES
};
extern const char *const nsight_tables[NSIGHT_TABLES];

static inline uint64_t nsight_origin(enum nsight_table table, uint64_t row)
{
    return (uint64_t)table << 48 | row;
}

static inline uint32_t nsight_pid(int64_t global)
{
    return (uint32_t)((uint64_t)global >> 24 & 0xffffff);
}

static inline uint32_t nsight_tid(int64_t global)
{
    return (uint32_t)((uint64_t)global & 0xffffff);
}

/* False: out of memory or temporary space, which the activities remember. */
static inline bool nsight_add(struct nsight *nsight, const struct activity *activity)
{
    return activities_add(nsight->reader->activities, activity);
}

/* nsight_wddm.c: what `--trace=wddm` recorded. False: as database_read, or nsight_add, failed. */
bool nsight_read_wddm(struct nsight *nsight);
void nsight_wddm_facts(const struct nsight *nsight, struct trace_facts *facts);

#endif
