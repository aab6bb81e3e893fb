/* Memory for statistics. A probe has no way to answer "no memory" to the model, and a recording
 * with holes would be worse than none, so running out ends the program with a message. */
#ifndef WDDMSIM_ANALYSIS_HEAP_H
#define WDDMSIM_ANALYSIS_HEAP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void *heap_check(void *pointer)
{
    if (pointer == NULL) {
        fputs("wddmsim: out of memory\n", stderr);
        abort();
    }
    return pointer;
}

/* Zeroed; never NULL; freed with free(). */
static inline void *heap_new(size_t count, size_t size)
{
    return heap_check(calloc(count ? count : 1, size ? size : 1));
}

/* Resized to count elements; the new part is not zeroed. */
static inline void *heap_resize(void *pointer, size_t count, size_t size)
{
    if (size != 0 && count > (size_t)-1 / size)
        return heap_check(NULL);
    size_t bytes = count * size;
    return heap_check(realloc(pointer, bytes != 0 ? bytes : 1));
}

static inline char *heap_text(const char *text)
{
    return heap_check(strdup(text));
}

#endif
