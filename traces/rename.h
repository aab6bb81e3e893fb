/* Objects of one recording beside those of others: "2: gpu 0" for "gpu 0". */
#ifndef WDDMSIM_TRACES_RENAME_H
#define WDDMSIM_TRACES_RENAME_H

#include "traces/arena.h"
#include "traces/event.h"

/* Puts `prefix` and ": " in front of the name of every object in the event: devices, contexts,
 * resources, allocations, fences; not of what belongs to the machine (nodes, segments). The names
 * are the arena's then. False: out of memory. */
bool trace_rename_objects(struct trace_event *event, unsigned prefix, struct trace_arena *arena);

#endif
