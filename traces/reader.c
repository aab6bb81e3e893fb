#include "traces/reader.h"

#include "traces/input.h"
#include "traces/message.h"
#include "traces/vocabulary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trace_reader {
    const struct trace_format *format;
    void *state;
    struct trace_input *input; /* the format's; shared for its progress */
    struct trace_header header;
    uint64_t t_ns; /* of the last event */
};

static const struct trace_format *format_by_name(const char *name)
{
    for (size_t i = 0; i < trace_format_count; i++)
        if (strcmp(trace_formats[i]->name, name) == 0)
            return trace_formats[i];
    return NULL;
}

static const struct trace_format *format_by_content(const unsigned char *head, size_t length)
{
    for (size_t i = 0; i < trace_format_count; i++)
        if (trace_formats[i]->detect(head, length))
            return trace_formats[i];
    return NULL;
}

/* "jsonl (JSON Lines), wtrace (...)" */
static void list_formats(char *list, size_t room)
{
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; i < trace_format_count && used < room; i++)
        used += (size_t)snprintf(list + used, room - used, "%s%s (%s)", i > 0 ? ", " : "",
                                 trace_formats[i]->name, trace_formats[i]->summary);
}

static const struct trace_format *choose_format(struct trace_input *input, const char *wanted,
                                                struct trace_error *error)
{
    const char *path = trace_input_path(input);
    const unsigned char *head;
    size_t length;
    if (!trace_input_peek(input, 4096, &head, &length, error))
        return NULL;
    if (length == 0) {
        trace_fail(error, false, "%s: empty file", path);
        return NULL;
    }
    const struct trace_format *format =
        wanted != NULL ? format_by_name(wanted) : format_by_content(head, length);
    if (format == NULL) {
        char known[320];
        list_formats(known, sizeof known);
        if (wanted != NULL)
            trace_fail(error, false, "there is no format \"%s\"; known are %s", wanted, known);
        else
            trace_fail(error, false, "%s: not a trace of a known format; known are %s", path,
                       known);
    }
    return format;
}

bool trace_open(const char *path, const struct trace_open_options *options,
                struct trace_reader **result, struct trace_error *error)
{
    static const struct trace_open_options none = {0};
    if (options == NULL)
        options = &none;
    *result = NULL;
    struct trace_input *input;
    if (!trace_input_open(path, &input, error))
        return false;
    const struct trace_format *format = choose_format(input, options->format, error);
    struct trace_reader *reader = format != NULL ? calloc(1, sizeof *reader) : NULL;
    if (reader == NULL) {
        if (format != NULL)
            trace_fail(error, false, "%s: out of memory", path);
        trace_input_close(input);
        return false;
    }
    reader->format = format;
    reader->input = input;
    reader->header =
        (struct trace_header){.version = TRACE_VERSION, .unknown_size = TRACE_DEFAULT_UNKNOWN_SIZE};
    trace_input_share(input);
    if (!format->open(input, options, &reader->state, &reader->header, error)) {
        trace_input_close(input);
        free(reader);
        return false;
    }
    if (options->unknown_size != 0)
        reader->header.unknown_size = options->unknown_size;
    *result = reader;
    return true;
}

enum trace_result trace_next(struct trace_reader *reader, struct trace_event *event,
                             struct trace_error *error)
{
    enum trace_result result = reader->format->next(reader->state, event, error);
    if (result != TRACE_EVENT)
        return result;
    if (event->t_ns < reader->t_ns) {
        trace_fail(error, true, "%s: %s: t: goes back from %" PRIu64 " to %" PRIu64 " ns",
                   trace_reader_place(reader), trace_ops[event->op].name, reader->t_ns,
                   event->t_ns);
        return TRACE_BAD;
    }
    reader->t_ns = event->t_ns;
    return TRACE_EVENT;
}

const struct trace_header *trace_reader_header(const struct trace_reader *reader)
{
    return &reader->header;
}

const char *trace_reader_format(const struct trace_reader *reader)
{
    return reader->format->name;
}

const char *trace_reader_place(struct trace_reader *reader)
{
    return reader->format->place(reader->state);
}

const struct trace_fact *trace_reader_facts(const struct trace_reader *reader, size_t *count)
{
    *count = 0;
    return reader->format->facts != NULL ? reader->format->facts(reader->state, count) : NULL;
}

void trace_reader_progress(const struct trace_reader *reader, uint64_t *done, uint64_t *total)
{
    trace_input_progress(reader->input, done, total);
}

void trace_close(struct trace_reader *reader)
{
    if (reader == NULL)
        return;
    reader->format->close(reader->state);
    trace_input_close(reader->input);
    free(reader);
}
