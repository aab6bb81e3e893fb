/* Where made-up programs act: each of their threads is a script that writes down the calls it would
 * make (script.h), and the stage merges them by time into one trace.
 *
 * A script writes a frame, a step or a request at a time, so memory does not grow with the trace.
 */
#ifndef WDDMSIM_WORKLOADS_STAGE_H
#define WDDMSIM_WORKLOADS_STAGE_H

#include "model/simulation/calendar.h"
#include "traces/arena.h"
#include "traces/writer.h"

#include <gsl/gsl_rng.h>

struct stage;
struct script;

/* Called when the trace has come to the script's clock: writes its next calls and moves the clock.
 * False: there are none left. */
typedef bool script_act(struct script *script);

/* A script's random numbers come in streams, one for each purpose, so that changing one parameter
 * leaves the rest of the trace as it was. The first is for the pauses between calls. */
enum { SCRIPT_PACE, SCRIPT_STREAMS = 4 };

struct script {
    struct stage *stage;
    script_act *act;
    void (*fini)(struct script *script); /* releases what the stage does not own; may be NULL */
    uint32_t pid, tid;
    uint64_t device;     /* its process' */
    const char *segment; /* the only one that its allocations may lie in; NULL: any that suits */
    uint64_t clock_ns;   /* when the next call is made */
    double think_ns;     /* mean CPU time between calls; 0: neither pauses nor calls take time */
    gsl_rng *random[SCRIPT_STREAMS];

    /* The calls not yet in the trace, and what they point to. */
    struct trace_event *events;
    uint32_t count, next, room;
    struct trace_arena arena;
    struct sim_timer timer; /* when it does something next */
};

/* An engine of the machine that the made-up recording is of: shared by whoever gives it work. */
struct engine {
    uint64_t free_ns; /* when it is done with what it has */
};

struct stage {
    uint64_t seed;
    enum trace_residency residency; /* of the trace; explicit unless the workload says otherwise */
    uint64_t devices, contexts, fences, allocations, resources; /* names given so far: 1, 2, ... */
    uint32_t processes, script_count;
    struct script **scripts;
    struct calendar calendar; /* of the scripts; of those with equal dates each writes in turn */
    struct trace_arena memory;
};

void stage_init(struct stage *stage, uint64_t seed);

/* Zeroed memory that lives as long as the stage. */
void *stage_memory(struct stage *stage, size_t count, size_t size);

/* The id of a new process. */
uint32_t stage_process(struct stage *stage);

/* A new thread of the process; `size` bytes, of which a struct script is the first part. */
void *stage_script(struct stage *stage, uint32_t pid, script_act *act, size_t size);

/* Writes what all scripts do until the last has ended. */
bool stage_play(struct stage *stage, struct trace_writer *writer, struct trace_error *error);

void stage_fini(struct stage *stage);

#endif
