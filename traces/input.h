/* Bytes from a file, a pipe, or what lies inside gzip, zstd, xz, bzip2 or zip (libarchive). */
#ifndef WDDMSIM_TRACES_INPUT_H
#define WDDMSIM_TRACES_INPUT_H

#include "traces/event.h"

struct trace_input;

/* Bytes of the longest line. The longest real calls, of D3DKMT_CREATEALLOCATION_MAX (1024)
 * allocations or D3DKMT_MAKERESIDENT_ALLOC_MAX (10240) names, take far less than 1 MiB; parsed, a
 * hostile line takes some hundred times its length. */
enum { TRACE_LONGEST_LINE = 4 * 1024 * 1024 };

/* Opens `path` ("-": standard input) and sees through compression; of an archive, its first regular
 * file is read. Errors name the path. */
bool trace_input_open(const char *path, struct trace_input **input, struct trace_error *error);

/* An input over a copy of bytes in memory, taken as they are: never decompressed. */
bool trace_input_from_memory(const void *bytes, size_t length, const char *name,
                             struct trace_input **input, struct trace_error *error);

/* Shows up to `want` (at most 64 KiB) coming bytes without consuming them. */
bool trace_input_peek(struct trace_input *input, size_t want, const unsigned char **bytes,
                      size_t *length, struct trace_error *error);

/* Reads up to `size` bytes; *got is 0 only at the end. False: input/output or decompression
 * error. */
bool trace_input_read(struct trace_input *input, void *buffer, size_t size, size_t *got,
                      struct trace_error *error);

/* Reads one line into a buffer of the input's own, without its newline, NUL-terminated. *line is
 * NULL at the end. A line longer than TRACE_LONGEST_LINE is an error. */
bool trace_input_line(struct trace_input *input, char **line, size_t *length,
                      struct trace_error *error);

/* The path of a regular file whose bytes are what is read; NULL for standard input, a pipe, memory,
 * and what is decompressed. Who needs a file instead of a stream may open it. */
const char *trace_input_plain_file(const struct trace_input *input);

/* The file, if what is read are the very bytes of a regular one, which may be read at any place
 * with pread; -1 if not. It stays the input's. */
int trace_input_file(const struct trace_input *input);

/* The path as given, for messages. */
const char *trace_input_path(const struct trace_input *input);

/* Offset of the next byte in the (decompressed) stream. */
uint64_t trace_input_offset(const struct trace_input *input);

/* Bytes of the file itself consumed so far, and its size (0 if unknown), for progress. */
void trace_input_progress(const struct trace_input *input, uint64_t *done, uint64_t *total);

/* One more owner: the input lives until every owner has closed it. */
void trace_input_share(struct trace_input *input);

/* Zeroed memory for who reads the input from now on. NULL: out of memory, as the error says, and
 * the input is closed. */
void *trace_input_reader(struct trace_input *input, size_t size, struct trace_error *error);

/* NULL is allowed. */
void trace_input_close(struct trace_input *input);

#endif
