/* Memory for the model. Running out of it ends the program with a message: a simulation cannot go
 * on without its state, and sizes that come from outside are bounded where they are read. */
#ifndef WDDMSIM_MODEL_MEMORY_H
#define WDDMSIM_MODEL_MEMORY_H

#include <stddef.h>

/* Zeroed memory for `count` elements. */
void *memory_new(size_t count, size_t size);

/* realloc for `count` elements; new bytes are undefined. */
void *memory_resize(void *old, size_t count, size_t size);

/* Ends the program with the message: for memory that others have asked for in vain. */
_Noreturn void memory_exhausted(void);

/* memset to 0, for structures of some hundred bytes that are cleared often: told their size, the
 * compiler would clear them word by word in place, several times slower than the library. */
void memory_clear(void *memory, size_t size);

/* A pool of equal objects: taken and given back in constant time, so that the hot path never
 * meets the general allocator. Objects are not zeroed. */
struct memory_pool {
    size_t object_size; /* at least a pointer's */
    void *free_list;
    void *chunks;
};

void *memory_pool_take(struct memory_pool *pool);
void memory_pool_give(struct memory_pool *pool, void *object);
void memory_pool_fini(struct memory_pool *pool);

#endif
