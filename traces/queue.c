#include "traces/queue.h"

#include "traces/buffer.h"

#include <string.h>

struct trace_event *trace_queue_add(struct trace_queue *queue, enum trace_op op, uint64_t t_ns)
{
    struct trace_event *events =
        trace_array_grow(queue->events, &queue->room, queue->count + 1, sizeof *events);
    if (events == NULL) {
        queue->failed = true;
        return NULL;
    }
    queue->events = events;
    struct trace_event *event = &events[queue->count++];
    *event = (struct trace_event){.op = op, .t_ns = t_ns};
    return event;
}

bool trace_queue_take(struct trace_queue *queue, struct trace_event *event)
{
    if (queue->next == queue->count) {
        queue->next = queue->count = 0;
        trace_arena_reset(&queue->arena);
        return false;
    }
    *event = queue->events[queue->next++];
    return true;
}

void *trace_queue_memory(struct trace_queue *queue, size_t count, size_t size)
{
    void *memory = trace_arena_take(&queue->arena, count, size);
    queue->failed = queue->failed || memory == NULL;
    return memory;
}

const char *trace_queue_text(struct trace_queue *queue, const char *text)
{
    char *copy = trace_queue_memory(queue, strlen(text) + 1, 1);
    return copy != NULL ? strcpy(copy, text) : NULL;
}

void trace_queue_free(struct trace_queue *queue)
{
    free(queue->events);
    trace_arena_free(&queue->arena);
    *queue = (struct trace_queue){0};
}
