/* Writing traces in our two encodings. */
#ifndef WDDMSIM_TRACES_WRITER_H
#define WDDMSIM_TRACES_WRITER_H

#include "traces/event.h"

struct trace_writer;

/* Starts a trace. The encoding follows the path: ".wtrace" is binary, anything else text, and text
 * ending in ".gz" or ".zst" is compressed; "-" is text on standard output. The file appears under a
 * temporary name and gets its own when trace_writer_close succeeds. */
bool trace_writer_open(const char *path, const struct trace_header *header,
                       struct trace_writer **writer, struct trace_error *error);

bool trace_writer_put(struct trace_writer *writer, const struct trace_event *event,
                      struct trace_error *error);

/* Completes the file and frees the writer, also when it fails. */
bool trace_writer_close(struct trace_writer *writer, struct trace_error *error);

/* Gives up: removes what was written and frees the writer. NULL is allowed. */
void trace_writer_abandon(struct trace_writer *writer);

#endif
