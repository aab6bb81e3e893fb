#include "traces/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct trace_arena_chunk {
    struct trace_arena_chunk *older;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

enum { SMALLEST = 16 * 1024, KEPT = 1024 * 1024 };

void *trace_arena_take(struct trace_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > (SIZE_MAX / 4) / size)
        return NULL;
    size_t bytes =
        (count * size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (arena->chunk == NULL || arena->chunk->size - arena->used < bytes) {
        size_t room =
            arena->chunk != NULL && arena->chunk->size < KEPT ? 2 * arena->chunk->size : SMALLEST;
        if (room < bytes)
            room = bytes;
        struct trace_arena_chunk *chunk = malloc(sizeof *chunk + room);
        if (chunk == NULL)
            return NULL;
        chunk->older = arena->chunk;
        chunk->size = room;
        arena->chunk = chunk;
        arena->used = 0;
    }
    void *piece = arena->chunk->bytes + arena->used;
    arena->used += bytes;
    return memset(piece, 0, bytes);
}

static void free_chunks(struct trace_arena_chunk *chunk)
{
    while (chunk != NULL) {
        struct trace_arena_chunk *older = chunk->older;
        free(chunk);
        chunk = older;
    }
}

void trace_arena_reset(struct trace_arena *arena)
{
    arena->used = 0;
    if (arena->chunk == NULL)
        return;
    free_chunks(arena->chunk->older);
    arena->chunk->older = NULL;
    if (arena->chunk->size > KEPT)
        trace_arena_free(arena);
}

void trace_arena_free(struct trace_arena *arena)
{
    free_chunks(arena->chunk);
    *arena = (struct trace_arena){0};
}
