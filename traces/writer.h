/* Writing traces: in our two encodings, and in those of trace viewers. */
#ifndef WDDMSIM_TRACES_WRITER_H
#define WDDMSIM_TRACES_WRITER_H

#include "traces/event.h"

struct trace_writer;

/* Starts a trace. The encoding follows the path (encoder.h), and is text where that says nothing
 * else. What is text may end in ".gz" or ".zst" and is compressed then; "-" is standard output. The
 * file appears under a temporary name and gets its own when trace_writer_close succeeds. */
bool trace_writer_open(const char *path, const struct trace_header *header,
                       struct trace_writer **writer, struct trace_error *error);

/* Whether there is an encoding of that name. */
bool trace_writer_knows(const char *encoding);

/* The same in an encoding of that name, whatever the path says. NULL: as above. */
bool trace_writer_open_as(const char *path, const char *encoding, const struct trace_header *header,
                          struct trace_writer **writer, struct trace_error *error);

bool trace_writer_put(struct trace_writer *writer, const struct trace_event *event,
                      struct trace_error *error);

/* Completes the file and frees the writer, also when it fails. */
bool trace_writer_close(struct trace_writer *writer, struct trace_error *error);

/* Gives up: removes what was written and frees the writer. NULL is allowed. */
void trace_writer_abandon(struct trace_writer *writer);

#endif
