/* Priorities: a process' class and band and a context's own priority make one of 32 levels.
 *
 * How Windows combines them is not published. In the recording of build 17134 a normal process'
 * contexts are at level 1, those of the process in the foreground at 16, the desktop compositor's
 * at 26 and the paging context at 30; so the bands are taken to be stretches of levels with a
 * context of priority 0 in their middle (wddm.md §8.3: a monotone mapping). */
#include "model/vidsch/internal.h"

#include <stdlib.h>
#include <utlist.h>

struct vidsch_process *vidsch_process(struct vidsch *vidsch, uint32_t pid)
{
    struct vidsch_process *process;
    HASH_FIND(hh, vidsch->processes, &pid, sizeof pid, process);
    if (!process) {
        process = memory_new(1, sizeof *process);
        *process = (struct vidsch_process){
            .pid = pid,
            .class = VIDSCH_CLASS_NORMAL,
            .band = VIDSCH_BAND_NORMAL,
            .shares = memory_new(vidsch->profile->node_count, sizeof *process->shares)};
        HASH_ADD(hh, vidsch->processes, pid, sizeof process->pid, process);
    }
    return process;
}

void vidsch_process_free(struct vidsch *vidsch, struct vidsch_process *process)
{
    HASH_DEL(vidsch->processes, process);
    for (uint32_t i = 0; i < vidsch->profile->node_count; i++)
        free(process->shares[i]);
    free(process->shares);
    free(process);
}

/* With nothing left to know about it. */
static void free_if_plain(struct vidsch *vidsch, struct vidsch_process *process)
{
    if (!process->contexts && process->class == VIDSCH_CLASS_NORMAL &&
        process->band == VIDSCH_BAND_NORMAL)
        vidsch_process_free(vidsch, process);
}

static enum vidsch_band band_of(const struct vidsch_process *process)
{
    if (process->class == VIDSCH_CLASS_IDLE)
        return VIDSCH_BAND_IDLE;
    if (process->class == VIDSCH_CLASS_REALTIME)
        return VIDSCH_BAND_REALTIME;
    return process->band;
}

enum { LEVEL_SYSTEM = 30 };

static uint32_t level_of(const struct vidsch_context *context)
{
    static const struct {
        int32_t lowest, middle, highest;
    } bands[] = {
        [VIDSCH_BAND_IDLE] = {0, 0, 0},
        [VIDSCH_BAND_NORMAL] = {1, 8, 15},
        [VIDSCH_BAND_FOCUS] = {16, 20, 25},
        [VIDSCH_BAND_REALTIME] = {26, 27, 29},
    };
    static const int32_t of_class[] = {
        [VIDSCH_CLASS_IDLE] = 0,   [VIDSCH_CLASS_BELOW_NORMAL] = -2,
        [VIDSCH_CLASS_NORMAL] = 0, [VIDSCH_CLASS_ABOVE_NORMAL] = 2,
        [VIDSCH_CLASS_HIGH] = 4,   [VIDSCH_CLASS_REALTIME] = 0,
    };
    if (context->system)
        return LEVEL_SYSTEM;
    enum vidsch_band band = context->band;
    int32_t level = bands[band].middle + of_class[context->process->class] + context->priority;
    level = level < bands[band].lowest ? bands[band].lowest : level;
    return (uint32_t)(level > bands[band].highest ? bands[band].highest : level);
}

static uint64_t quantum_of(const struct vidsch_context *context)
{
    const struct profile_scheduler *scheduler = &context->vidsch->profile->scheduler;
    return context->own_quantum_ns ? context->own_quantum_ns : scheduler->quantum_ns[context->band];
}

static void place(struct vidsch_context *context)
{
    context->band = band_of(context->process);
    context->level = level_of(context);
    uint64_t quantum_ns = quantum_of(context);
    if (quantum_ns != context->quantum_ns) {
        context->quantum_ns = quantum_ns;
        vidsch_quantum_refresh(context);
    }
}

/* Where a context is ready it is not while its place changes. */
static void lift(struct vidsch_context *context)
{
    if (context->state == VIDSCH_CONTEXT_READY)
        vidsch_context_unready(context, VIDSCH_CONTEXT_LIFTED);
}

static void put_down(struct vidsch_context *context)
{
    place(context);
    if (context->state == VIDSCH_CONTEXT_LIFTED)
        vidsch_context_ready(context, false);
}

void vidsch_process_join(struct vidsch_process *process, struct vidsch_context *context)
{
    context->process = process;
    DL_APPEND2(process->contexts, context, in_process_prev, in_process_next);
    place(context);
}

void vidsch_process_leave(struct vidsch_context *context)
{
    struct vidsch_process *process = context->process;
    DL_DELETE2(process->contexts, context, in_process_prev, in_process_next);
    free_if_plain(context->vidsch, process);
}

static void lift_all(const struct vidsch_process *process)
{
    struct vidsch_context *context;
    DL_FOREACH2 (process->contexts, context, in_process_next)
        lift(context);
}

static void put_down_all(struct vidsch *vidsch, struct vidsch_process *process)
{
    struct vidsch_context *context;
    DL_FOREACH2 (process->contexts, context, in_process_next)
        put_down(context);
    free_if_plain(vidsch, process);
}

void vidsch_process_set_class(struct vidsch *vidsch, uint32_t pid, enum vidsch_class class)
{
    struct vidsch_process *process = vidsch_process(vidsch, pid);
    lift_all(process);
    process->class = class;
    put_down_all(vidsch, process);
}

void vidsch_process_set_band(struct vidsch *vidsch, uint32_t pid, enum vidsch_band band)
{
    struct vidsch_process *process = vidsch_process(vidsch, pid);
    lift_all(process);
    process->band = band;
    put_down_all(vidsch, process);
}

void vidsch_process_exit(struct vidsch *vidsch, uint32_t pid)
{
    struct vidsch_process *process = vidsch_process(vidsch, pid);
    lift_all(process);
    process->class = VIDSCH_CLASS_NORMAL;
    process->band = VIDSCH_BAND_NORMAL;
    put_down_all(vidsch, process);
}

void vidsch_context_set_priority(struct vidsch_context *context, int32_t priority)
{
    lift(context);
    context->priority = priority;
    put_down(context);
}

void vidsch_context_set_in_process_priority(struct vidsch_context *context, int32_t priority)
{
    lift(context);
    context->in_process = priority;
    put_down(context);
}

void vidsch_context_set_quantum(struct vidsch_context *context, uint64_t quantum_ns)
{
    lift(context);
    context->own_quantum_ns = quantum_ns;
    put_down(context);
}
