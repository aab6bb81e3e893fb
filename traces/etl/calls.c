/* Profiler calls and returns (105, 106): how long functions of the graphics kernel took, and which
 * of them encloses an event.
 *
 * They nest like calls on one thread; in interrupts, and in the idle thread, of which there is one
 * per processor, on one processor. Only functions the importer names are here: a return whose call
 * is not on the stack began before the recording. */
#include "traces/etl/import.h"

#include <string.h>

struct etl_thread *etl_thread_of(struct etl_import *import, const struct etl_event *event)
{
    bool interrupt = event->tid == UINT32_MAX || event->tid == 0;
    uint64_t key = interrupt ? UINT64_C(1) << 32 | event->processor : event->tid;
    struct etl_thread *thread = trace_map_get(&import->threads, key, 0);
    if (thread != NULL)
        return thread;
    thread = etl_take(import, 1, sizeof *thread);
    struct etl_thread **grown = etl_grow(import, import->thread_list, import->thread_count,
                                         &import->thread_capacity, sizeof(struct etl_thread *));
    if (grown != NULL)
        import->thread_list = grown;
    if (thread == NULL || grown == NULL)
        return NULL;
    thread->create_call = thread->destroy_call = SIZE_MAX;
    thread->signal_call = thread->evict_call = SIZE_MAX;
    import->thread_list[import->thread_count++] = thread;
    etl_put(import, &import->threads, key, 0, thread);
    return thread;
}

/* Real calls nest some ten deep. Where returns were lost the stack only grows: its older half is
 * forgotten then. */
static void push(struct etl_import *import, struct etl_thread *thread, size_t call)
{
    enum { DEEPEST = 128 };
    if (thread->depth == DEEPEST) {
        thread->depth = DEEPEST / 2;
        memmove(thread->calls, thread->calls + DEEPEST / 2, DEEPEST / 2 * sizeof *thread->calls);
    }
    size_t *grown =
        etl_grow(import, thread->calls, thread->depth, &thread->capacity, sizeof *grown);
    if (grown == NULL)
        return;
    thread->calls = grown;
    thread->calls[thread->depth++] = call;
}

/* Takes the innermost call of the function off the stack, and those inside it, whose returns were
 * lost. SIZE_MAX: none is there. */
static size_t pop(const struct etl_import *import, struct etl_thread *thread, uint64_t function)
{
    for (size_t depth = thread->depth; depth > 0; depth--) {
        size_t call = thread->calls[depth - 1];
        if (import->calls[call].function == function) {
            thread->depth = depth - 1;
            return call;
        }
    }
    return SIZE_MAX;
}

void etl_thread_call(struct etl_import *import, struct etl_thread *thread)
{
    push(import, thread, import->next_call++);
}

void etl_thread_return(struct etl_import *import, struct etl_thread *thread, uint64_t function)
{
    (void)pop(import, thread, function);
}

void etl_learn_calls(struct etl_import *import)
{
    struct etl_values values;
    for (size_t i = 0; i < import->records.count && !import->failed; i++) {
        const struct etl_event *event = &import->records.items[i];
        if ((event->id != ID_CALL && event->id != ID_RETURN) || !etl_decode_event(event, &values) ||
            !etl_has(&values, ETL_Function))
            continue;
        struct etl_thread *thread = etl_thread_of(import, event);
        if (thread == NULL)
            return;
        uint32_t function = (uint32_t)etl_get(&values, ETL_Function);
        if (event->id == ID_RETURN) {
            size_t call = pop(import, thread, function);
            if (call != SIZE_MAX)
                import->calls[call].stop_ns = event->t_ns;
            else
                import->tally.calls_unpaired++;
            continue;
        }
        struct etl_call *grown = etl_grow(import, import->calls, import->call_count,
                                          &import->call_capacity, sizeof *grown);
        if (grown == NULL)
            return;
        import->calls = grown;
        import->calls[import->call_count] =
            (struct etl_call){.start_ns = event->t_ns, .stop_ns = NEVER, .function = function};
        push(import, thread, import->call_count++);
    }
    for (size_t i = 0; i < import->thread_count; i++)
        import->thread_list[i]->depth = 0;
    for (size_t i = 0; i < import->call_count; i++)
        import->tally.calls_unpaired += import->calls[i].stop_ns == NEVER;
}

size_t etl_enclosing(const struct etl_import *import, const struct etl_thread *thread,
                     const uint16_t *functions)
{
    for (size_t depth = thread->depth; depth > 0; depth--) {
        size_t call = thread->calls[depth - 1];
        for (const uint16_t *function = functions; *function != 0; function++)
            if (import->calls[call].function == *function)
                return call;
    }
    return SIZE_MAX;
}

void etl_take_duration(struct etl_import *import, struct trace_event *event, size_t index)
{
    if (index == SIZE_MAX || import->calls[index].taken || import->calls[index].stop_ns == NEVER)
        return;
    import->calls[index].taken = true;
    etl_give_duration(event, import->calls[index].start_ns, import->calls[index].stop_ns);
}

void etl_take_rest(struct etl_import *import, struct trace_event *event, size_t index)
{
    etl_take_duration(import, event, index);
    if (index != SIZE_MAX && trace_given(event->given, TRACE_DUR))
        event->dur_ns = import->calls[index].stop_ns - event->t_ns;
}
