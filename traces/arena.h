/* Memory of one event: taken piece by piece, given back all at once. */
#ifndef WDDMSIM_TRACES_ARENA_H
#define WDDMSIM_TRACES_ARENA_H

#include <stddef.h>

struct trace_arena_chunk;

struct trace_arena { /* all zero: empty */
    struct trace_arena_chunk *chunk;
    size_t used; /* of the newest chunk */
};

/* `count` zeroed items of `size` bytes, aligned for anything; never NULL for count 0 unless out of
 * memory. Lives until the next reset. NULL: out of memory. */
void *trace_arena_take(struct trace_arena *arena, size_t count, size_t size);

/* Forgets all pieces; keeps one chunk of moderate size for the next event. */
void trace_arena_reset(struct trace_arena *arena);

void trace_arena_free(struct trace_arena *arena);

#endif
