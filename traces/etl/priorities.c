/* Priorities and quanta, as far as the scheduler's own records tell them.
 *
 * Contexts are at one of 32 levels, which shows when one is selected (23): the highest level with
 * somebody ready is its own. In the recordings seen (build 17134) a normal process' contexts are at
 * 1, those of the process in the foreground at 16, the desktop compositor's at 26: the bands begin
 * there, and what a level is above that is the context's priority. The longest quantum that a
 * context is ever told to have left (113, 100 ns) is its quantum. */
#include "traces/etl/import.h"

enum { FIRST_NORMAL = 1, FIRST_FOCUS = 16, FIRST_REALTIME = 26, HIGHEST_PRIORITY = 7 };
enum { BAND_IDLE = 1, BAND_NORMAL = 2, BAND_FOCUS = 4, BAND_REALTIME = 8 }; /* trace_bands */

/* Levels are kept plus one, so that 0 is not known. */
static uintptr_t level_known(const struct trace_map *map, uint64_t handle)
{
    return (uintptr_t)trace_map_get(map, handle, 0);
}

void etl_learn_priorities(struct etl_import *import)
{
    struct etl_values values;
    for (size_t i = 0; i < import->records.count && !import->failed; i++) {
        const struct etl_event *event = &import->records.items[i];
        if ((event->id != ID_SELECT_CONTEXT && event->id != ID_RUNNING_TIME) ||
            !etl_decode_event(event, &values))
            continue;
        uint64_t context = etl_get(&values, ETL_hContext);
        uintptr_t level = etl_level_of(&values);
        uintptr_t quantum = (uintptr_t)etl_get(&values, ETL_RemainingQuantum);
        if (event->id == ID_RUNNING_TIME &&
            quantum > (uintptr_t)trace_map_get(&import->context_quantum, context, 0))
            etl_put(import, &import->context_quantum, context, 0, (void *)quantum);
        if (level != 0 && level_known(&import->context_level, context) == 0)
            etl_put(import, &import->context_level, context, 0, (void *)level);
    }
}

static uint64_t band_of(uintptr_t level)
{
    return level - 1 >= FIRST_REALTIME ? BAND_REALTIME
           : level - 1 >= FIRST_FOCUS  ? BAND_FOCUS
           : level - 1 >= FIRST_NORMAL ? BAND_NORMAL
                                       : BAND_IDLE;
}

static int64_t priority_of(uintptr_t level)
{
    static const int64_t first[] = {[BAND_IDLE] = 0,
                                    [BAND_NORMAL] = FIRST_NORMAL,
                                    [BAND_FOCUS] = FIRST_FOCUS,
                                    [BAND_REALTIME] = FIRST_REALTIME};
    int64_t above = (int64_t)level - 1 - first[band_of(level)];
    return above > HIGHEST_PRIORITY ? HIGHEST_PRIORITY : above;
}

/* A process begins in the normal band. */
static void give_band(struct etl_import *import, uint32_t pid, uint64_t band,
                      const struct etl_event *from)
{
    uint64_t before = (uintptr_t)trace_map_get(&import->process_band, pid, 0);
    if (band == (before != 0 ? before : BAND_NORMAL))
        return;
    struct trace_event *event =
        etl_emit(import, TRACE_SET_PROCESS_PRIORITY, from, from != NULL ? from->t_ns : 0,
                 from != NULL ? ORDER_RECORDED : ORDER_DEVICE);
    if (event == NULL)
        return;
    event->pid = pid;
    event->tid = 0;
    event->band = band;
    event->given |= TRACE_GIVEN(TRACE_BAND);
    import->tally.bands++;
    etl_put(import, &import->process_band, pid, 0, (void *)(uintptr_t)band);
}

void etl_give_priority(struct etl_import *import, uint64_t handle,
                       const struct etl_context *context, struct trace_event *created)
{
    uintptr_t level = level_known(&import->context_level, handle);
    uint64_t quantum = (uintptr_t)trace_map_get(&import->context_quantum, handle, 0);
    if (created->system)
        return;
    if (quantum != 0) {
        created->quantum_ns = quantum * 100;
        created->given |= TRACE_GIVEN(TRACE_QUANTUM);
    }
    if (level == 0)
        return;
    if (priority_of(level) != 0) {
        created->priority = priority_of(level);
        created->given |= TRACE_GIVEN(TRACE_PRIORITY);
    }
    give_band(import, context->device->pid, band_of(level), NULL);
}

void etl_map_level(struct etl_import *import, const struct etl_event *event,
                   const struct etl_values *values)
{
    uint64_t handle = etl_get(values, ETL_hContext);
    uintptr_t level = etl_level_of(values), before = level_known(&import->context_level, handle);
    const struct etl_context *context = trace_map_get(&import->contexts, handle, 0);
    if (level == 0 || level == before || context == NULL || context->system)
        return;
    etl_put(import, &import->context_level, handle, 0, (void *)level);
    give_band(import, context->device->pid, band_of(level), event);
    if (priority_of(level) == priority_of(before))
        return;
    struct trace_event *emitted =
        etl_emit(import, TRACE_SET_CONTEXT_PRIORITY, event, event->t_ns, ORDER_RECORDED);
    if (emitted == NULL)
        return;
    emitted->pid = context->device->pid;
    emitted->tid = 0;
    emitted->context = context->name;
    emitted->priority = priority_of(level);
    emitted->given |= TRACE_GIVEN(TRACE_CONTEXT) | TRACE_GIVEN(TRACE_PRIORITY);
}
