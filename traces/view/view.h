/* A trace as something to look at: which slices, instants and counters there are on which tracks,
 * for the encoders of trace viewers. */
#ifndef WDDMSIM_TRACES_VIEW_VIEW_H
#define WDDMSIM_TRACES_VIEW_VIEW_H

#include "traces/arena.h"
#include "traces/buffer.h"
#include "traces/event.h"
#include "traces/map.h"

/* What stands together: a process, an engine, transfers. Groups and tracks are numbered from 1 on
 * in the order they come up, all in one row. */
enum view_kind { VIEW_PROCESS, VIEW_ENGINE, VIEW_TRANSFERS };

/* Something told of a slice or an instant. */
struct view_argument {
    const char *key;
    const char *text; /* NULL: a number */
    uint64_t number;
};

struct view_arguments {
    struct view_argument items[12];
    size_t count;
};

/* What an encoder does; dates and durations in ns. Whatever a pointer leads to lives until the call
 * returns. Dates need not go forward, but slices of one track are nested or one behind the other.
 */
struct view_writer {
    void (*group)(void *self, uint32_t group, enum view_kind kind, uint32_t process,
                  const char *name);
    /* `thread` 0: it is no thread's. */
    void (*track)(void *self, uint32_t track, uint32_t group, uint32_t thread, const char *name);
    void (*counter)(void *self, uint32_t track, uint32_t group, const char *name);
    /* A flow leads from the slice that begins it to the one that ends it; 0: none. */
    void (*slice)(void *self, uint32_t track, uint64_t start_ns, uint64_t dur_ns, const char *name,
                  const struct view_arguments *arguments, uint64_t flow_begins, uint64_t flow_ends);
    void (*instant)(void *self, uint32_t track, uint64_t t_ns, const char *name,
                    const struct view_arguments *arguments);
    void (*value)(void *self, uint32_t track, uint64_t t_ns, uint64_t value);
};

struct view;

/* NULL: out of memory. */
struct view *view_create(const struct view_writer *writer, void *self);

/* Shows one more event of the trace. False: out of memory. */
bool view_put(struct view *view, const struct trace_event *event);

void view_free(struct view *view);

#endif
