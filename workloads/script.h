/* The calls of a made-up thread. Each is made at the script's clock, which moves on by what the
 * call takes and what the thread does until the next one, if calls take time at all.
 *
 * Objects are named by numbers; 0 is nothing. Lists handed over are copied. */
#ifndef WDDMSIM_WORKLOADS_SCRIPT_H
#define WDDMSIM_WORKLOADS_SCRIPT_H

#include "workloads/stage.h"

/* A new list of `count` names to be filled in; lives as long as the calls written with it. */
struct trace_name *script_names(struct script *script, uint32_t count);

/* The same, filled with numbers. */
struct trace_names script_list(struct script *script, const uint64_t *numbers, uint32_t count);

/* Time passes on the CPU: exponentially distributed about the mean. */
void script_think(struct script *script, double mean_ns);

/* The process' device, for its first thread; others take that one's number. */
void script_create_device(struct script *script);

/* Names and creates a context; `node` by ordinal, name or kind. Priority -7 to 7. */
uint64_t script_create_context(struct script *script, const char *node, int priority);

/* Names and creates allocations, all alike, with one call. */
void script_create(struct script *script, const char *usage, uint64_t size, uint64_t *numbers,
                   uint32_t count);

/* The same as a new shared resource, whose name it answers, for other devices to open. */
uint64_t script_create_shared(struct script *script, const char *usage, uint64_t size,
                              uint64_t *numbers, uint32_t count);
void script_open(struct script *script, uint64_t resource);

/* MakeResident, Evict (flags of traces/vocabulary.c) and DestroyAllocation of allocations of the
 * device; nothing for an empty list. */
void script_make_resident(struct script *script, const uint64_t *numbers, uint32_t count);
enum { SCRIPT_EVICT_NOW = 0, SCRIPT_EVICT_IF_NECESSARY = 1, SCRIPT_NOT_WRITTEN_TO = 2 };
void script_evict(struct script *script, const uint64_t *numbers, uint32_t count, uint64_t flags);
void script_destroy(struct script *script, const uint64_t *numbers, uint32_t count);

/* OfferAllocations and ReclaimAllocations of allocations of the device; nothing for an empty list.
 */
void script_offer(struct script *script, const uint64_t *numbers, uint32_t count);
void script_reclaim(struct script *script, const uint64_t *numbers, uint32_t count);

/* Where the process is on the screen from now on; 0: visible, without the focus. */
enum { SCRIPT_FOCUS = 2, SCRIPT_OCCLUDED = 4, SCRIPT_MINIMIZED = 8 };
void script_set_state(struct script *script, uint64_t flags);

/* Lock, time passing, Unlock: the CPU fills or reads an allocation. */
void script_access(struct script *script, uint64_t allocation, double mean_ns);

/* The event is answered for fields that few submissions have (granule, bytes): it is good until
 * the next call is written. */
struct trace_event *script_submit(struct script *script, uint64_t context, uint64_t gpu_ns,
                                  struct trace_names reads, struct trace_names writes);

/* In the queue of a context, or with context 0 by the thread itself. */
void script_signal(struct script *script, uint64_t context, uint64_t fence, uint64_t value);
void script_wait(struct script *script, uint64_t context, uint64_t fence, uint64_t value);

/* To the compositor, or to the display behind so many vertical syncs. */
enum { SCRIPT_TO_COMPOSITOR = -1 };
void script_present(struct script *script, uint64_t context, uint64_t allocation, int interval);

void script_exit(struct script *script);

/* A wait of the thread for work that ends at `done_ns`: the clock moves there. It had better be the
 * last of what is written at a time, for others act before the clock gets there. */
void script_wait_until(struct script *script, uint64_t fence, uint64_t value, uint64_t done_ns);

/* Gives the engine work at a date; answers when it is done. */
static inline uint64_t engine_run(struct engine *engine, uint64_t date_ns, uint64_t gpu_ns)
{
    engine->free_ns = (engine->free_ns > date_ns ? engine->free_ns : date_ns) + gpu_ns;
    return engine->free_ns;
}

#endif
