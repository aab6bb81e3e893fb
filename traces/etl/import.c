#include "traces/etl/import.h"

#include <stdlib.h>

void *etl_take(struct etl_import *import, size_t count, size_t size)
{
    void *memory = trace_arena_take(&import->arena, count, size);
    if (memory == NULL)
        import->failed = true;
    return memory;
}

void etl_put(struct etl_import *import, struct trace_map *map, uint64_t a, uint64_t b, void *value)
{
    if (!trace_map_put(map, a, b, value))
        import->failed = true;
}

void *etl_grow(struct etl_import *import, void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    size_t larger = *capacity == 0 ? 16 : 2 * *capacity;
    void *grown = realloc(items, larger * size);
    if (grown == NULL) {
        import->failed = true;
        return NULL;
    }
    *capacity = larger;
    return grown;
}

bool etl_decode_event(const struct etl_event *event, struct etl_values *values)
{
    return etl_decode(event->id, event->version, event->payload, event->length, event->pointer_size,
                      values);
}

struct trace_event *etl_emit(struct etl_import *import, enum trace_op op,
                             const struct etl_event *from, uint64_t t_ns, enum etl_order order)
{
    struct etl_mapped *grown = etl_grow(import, import->events, import->event_count,
                                        &import->event_capacity, sizeof *grown);
    struct trace_event *event = grown != NULL ? etl_take(import, 1, sizeof *event) : NULL;
    if (grown != NULL)
        import->events = grown;
    if (event == NULL)
        return NULL;
    event->op = op;
    event->t_ns = t_ns;
    if (from != NULL && order == ORDER_RECORDED && from->pid != UINT32_MAX) {
        event->pid = from->pid;
        event->tid = from->tid;
    }
    import->events[import->event_count] = (struct etl_mapped){
        .event = event,
        .offset = from != NULL ? from->offset : 0,
        .sequence = import->event_count,
        .order = order,
    };
    import->event_count++;
    if (order != ORDER_RECORDED) {
        event->existing = true;
        event->given |= TRACE_GIVEN(TRACE_EXISTING);
    }
    return event;
}

bool etl_add_name(struct etl_import *import, struct trace_names *names, struct trace_name name)
{
    struct trace_name *items;
    if ((names->count & (names->count - 1)) == 0) {
        /* full at every power of two */
        items = etl_take(import, names->count == 0 ? 1 : 2 * (size_t)names->count, sizeof *items);
        if (items == NULL)
            return false;
        for (uint32_t i = 0; i < names->count; i++)
            items[i] = names->items[i];
        names->items = items;
    }
    items = (struct trace_name *)(uintptr_t)names->items; /* ours, from the arena */
    items[names->count++] = name;
    return true;
}

void etl_give_duration(struct trace_event *event, uint64_t start_ns, uint64_t stop_ns)
{
    event->dur_ns = stop_ns - start_ns;
    event->given |= TRACE_GIVEN(TRACE_DUR);
}

void etl_give_done(struct trace_event *event, uint64_t done_ns)
{
    event->done_ns = done_ns;
    event->given |= TRACE_GIVEN(TRACE_DONE);
}
