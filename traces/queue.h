/* Events that a reader has made and not yet handed out, with the memory of what they point to. */
#ifndef WDDMSIM_TRACES_QUEUE_H
#define WDDMSIM_TRACES_QUEUE_H

#include "traces/arena.h"
#include "traces/event.h"
#include "traces/vocabulary.h"

struct trace_queue { /* all zero: empty */
    struct trace_event *events;
    size_t count, next, room;
    struct trace_arena arena;
    bool failed; /* out of memory: asked for once */
};

/* A new event behind the others; valid until the next one is added. NULL: out of memory. */
struct trace_event *trace_queue_add(struct trace_queue *queue, enum trace_op op, uint64_t t_ns);

/* The first event, for whom reads the trace. False: there is none, and all memory is free again for
 * new ones. */
bool trace_queue_take(struct trace_queue *queue, struct trace_event *event);

/* `count` zeroed items of `size` bytes that live as long as the events. NULL: out of memory. */
void *trace_queue_memory(struct trace_queue *queue, size_t count, size_t size);

/* A copy of the text that lives as long as the events. NULL: out of memory. */
const char *trace_queue_text(struct trace_queue *queue, const char *text);

void trace_queue_free(struct trace_queue *queue);

/* Sets a field that is a name or the x- fields, by text that lives as long as the event. */
static inline void trace_give_name(struct trace_event *event, enum trace_field field,
                                   struct trace_name *to, const char *text)
{
    *to = (struct trace_name){.text = text};
    event->given |= TRACE_GIVEN(field);
}

static inline void trace_give_extras(struct trace_event *event, const char *extras)
{
    event->extras = extras;
    event->given |= TRACE_GIVEN(TRACE_EXTRAS);
}

#endif
