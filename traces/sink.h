/* Where a written trace goes: a file that appears only when complete, compressed if its name says
 * so, or standard output. */
#ifndef WDDMSIM_TRACES_SINK_H
#define WDDMSIM_TRACES_SINK_H

#include "traces/event.h"

struct trace_sink;

/* `path` ending in ".gz" or ".zst" is compressed when `compress` is set; "-" is standard output.
 * What exists and is not a regular file (a pipe, a device) is written to directly. */
bool trace_sink_open(const char *path, bool compress, struct trace_sink **sink,
                     struct trace_error *error);

bool trace_sink_write(struct trace_sink *sink, const void *bytes, size_t length,
                      struct trace_error *error);

/* Completes the file, gives it its name, and frees the sink, also when it fails. */
bool trace_sink_finish(struct trace_sink *sink, struct trace_error *error);

/* Removes what was written and frees the sink. */
void trace_sink_abandon(struct trace_sink *sink);

#endif
