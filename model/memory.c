#include "model/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void memory_exhausted(void)
{
    fputs("wddmsim: out of memory\n", stderr);
    exit(1);
}

void *memory_new(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        memory_exhausted();
    return memory;
}

void *memory_resize(void *old, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        memory_exhausted();
    void *memory = realloc(old, count * size);
    if (!memory)
        memory_exhausted();
    return memory;
}

void memory_clear(void *memory, size_t size)
{
    memset(memory, 0, size);
}

enum { POOL_CHUNK = 256 };

void *memory_pool_take(struct memory_pool *pool)
{
    if (!pool->free_list) {
        char *chunk = memory_new(1, sizeof(void *) * 2 + pool->object_size * POOL_CHUNK);
        *(void **)chunk = pool->chunks;
        pool->chunks = chunk;
        chunk += sizeof(void *) * 2; /* keeps the objects aligned to 16 bytes */
        for (size_t i = POOL_CHUNK; i-- > 0;)
            memory_pool_give(pool, chunk + i * pool->object_size);
    }
    void *object = pool->free_list;
    pool->free_list = *(void **)object;
    return object;
}

void memory_pool_give(struct memory_pool *pool, void *object)
{
    *(void **)object = pool->free_list;
    pool->free_list = object;
}

void memory_pool_fini(struct memory_pool *pool)
{
    while (pool->chunks) {
        void *next = *(void **)pool->chunks;
        free(pool->chunks);
        pool->chunks = next;
    }
    pool->free_list = NULL;
}
