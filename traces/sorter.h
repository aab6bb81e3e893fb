/* Putting records of a recording in order, however many there are: what does not fit in a bounded
 * piece of memory is sorted run by run into a temporary file and merged when it is read. */
#ifndef WDDMSIM_TRACES_SORTER_H
#define WDDMSIM_TRACES_SORTER_H

#include "traces/event.h"

/* What every record begins with: they are ordered by key, and those of one key by tie. */
struct trace_sorted {
    uint64_t key, tie;
};

/* The key of a date, which may be negative, and the date of such a key. */
static inline uint64_t trace_sorted_key(int64_t t_ns)
{
    return (uint64_t)t_ns ^ UINT64_C(1) << 63;
}

static inline int64_t trace_sorted_date(uint64_t key)
{
    return (int64_t)(key ^ UINT64_C(1) << 63);
}

struct trace_sorter;

/* A sorter of records of `size` bytes (a multiple of 8, at least 16). `memory` is how many bytes
 * it may use, some KiB at least; it takes them as they are needed. NULL: out of memory. */
struct trace_sorter *trace_sorter_create(size_t size, size_t memory);

/* Adds a copy of a record. False: no memory, or no room for the temporary file; the same failure is
 * reported by trace_sorter_failure. Not after trace_sorter_start. */
bool trace_sorter_put(struct trace_sorter *sorter, const void *record);

/* Ends putting, or begins again: the next record is the first one. False: failed. */
bool trace_sorter_start(struct trace_sorter *sorter);

/* The next record in order, valid until the next call; NULL at the end or after a failure. */
const void *trace_sorter_next(struct trace_sorter *sorter);

/* How many were put. */
uint64_t trace_sorter_count(const struct trace_sorter *sorter);

/* What failed, for people, or NULL. */
const char *trace_sorter_failure(const struct trace_sorter *sorter);

/* NULL is allowed. */
void trace_sorter_free(struct trace_sorter *sorter);

#endif
