/* A growing run of bytes that the writers format into.
 *
 * Appending never fails at the call: running out of memory is remembered in `failed` and asked for
 * once per event, so that formatting code stays readable and fast. */
#ifndef WDDMSIM_TRACES_BUFFER_H
#define WDDMSIM_TRACES_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct trace_buffer { /* all zero: empty */
    unsigned char *bytes;
    size_t length, capacity;
    bool failed;
};

/* Makes room for `more` bytes; false if there is no memory. */
static inline bool trace_buffer_reserve(struct trace_buffer *buffer, size_t more)
{
    if (buffer->capacity - buffer->length >= more)
        return true;
    size_t capacity = buffer->capacity + buffer->capacity / 2 + more + 4096;
    unsigned char *bytes = buffer->failed ? NULL : realloc(buffer->bytes, capacity);
    if (bytes == NULL) {
        buffer->failed = true;
        return false;
    }
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

static inline void trace_buffer_put(struct trace_buffer *buffer, const void *bytes, size_t length)
{
    if (length == 0 || !trace_buffer_reserve(buffer, length))
        return;
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
}

static inline void trace_buffer_put_byte(struct trace_buffer *buffer, unsigned char byte)
{
    if (trace_buffer_reserve(buffer, 1))
        buffer->bytes[buffer->length++] = byte;
}

static inline void trace_buffer_free(struct trace_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct trace_buffer){0};
}

/* The array with room for `count` items; NULL: out of memory, and the old one stays as it was. */
static inline void *trace_array_grow(void *array, size_t *room, size_t count, size_t size)
{
    if (array != NULL && count <= *room)
        return array;
    size_t wanted = count + count / 2 + 64;
    array = realloc(array, wanted * size);
    if (array != NULL)
        *room = wanted;
    return array;
}

#endif
