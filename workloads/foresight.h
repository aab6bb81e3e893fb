/* What a trace will use when: for the victim policy that knows the future. The trace is read once
 * beforehand; four bytes are kept for each allocation that an event names, and eight for each
 * event. */
#ifndef WDDMSIM_WORKLOADS_FORESIGHT_H
#define WDDMSIM_WORKLOADS_FORESIGHT_H

#include "traces/reader.h"

struct foresight;

/* Reads to the end of the trace; bad events that can be skipped are, for the replay will tell.
 * NULL: the error says why. The caller frees it with foresight_free. */
struct foresight *foresight_read(struct trace_reader *reader, struct trace_error *error);
void foresight_free(struct foresight *foresight);

/* The event that uses next the allocation at the given place in an event's list:
 * CreateAllocation's, MakeResident's, ReclaimAllocations', or Submit's, where the writes come
 * behind the reads. Events count from 0; UINT64_MAX: none does. */
uint64_t foresight_next(const struct foresight *foresight, uint64_t event, uint32_t place);

#endif
