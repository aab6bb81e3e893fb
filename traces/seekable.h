/* A recording that has to be read here and there instead of from its beginning to its end: a
 * regular file where it lies; anything else (a pipe, what was compressed) from a copy, in memory if
 * it is small and else in a temporary file. */
#ifndef WDDMSIM_TRACES_SEEKABLE_H
#define WDDMSIM_TRACES_SEEKABLE_H

#include "traces/input.h"

struct trace_seekable;

/* `input`, of which nothing may have been consumed, stays the caller's and must outlive it. A
 * stream that ends in an error is taken as far as it went: the error is in *error, with a message,
 * which is empty otherwise, and true is answered. False: no memory, no room. */
bool trace_seekable_open(struct trace_input *input, struct trace_seekable **seekable,
                         struct trace_error *error);

/* Bytes in all. */
uint64_t trace_seekable_size(const struct trace_seekable *seekable);

/* Reads `size` bytes at `offset`. False: it ends before, or cannot be read. */
bool trace_seekable_read(struct trace_seekable *seekable, uint64_t offset, void *buffer,
                         size_t size);

/* NULL is allowed. */
void trace_seekable_close(struct trace_seekable *seekable);

#endif
