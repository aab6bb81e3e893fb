/* What the fuzz targets share: bytes as a trace, read to its end. */
#ifndef WDDMSIM_TESTS_FUZZ_H
#define WDDMSIM_TESTS_FUZZ_H

#include "traces/input.h"
#include "traces/reader.h"
#include "traces/vocabulary.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const struct trace_format *fuzz_format(const char *name)
{
    for (size_t i = 0; i < trace_format_count; i++)
        if (strcmp(trace_formats[i]->name, name) == 0)
            return trace_formats[i];
    abort();
}

/* Reads all events as `--skip-bad` does, copies each, and asks for its place. A format that keeps
 * saying "skippable" without coming to an end is a failure too. */
static void fuzz_read(const struct trace_format *format, const uint8_t *bytes, size_t length)
{
    struct trace_error error = {0};
    struct trace_input *input;
    struct trace_header header = {0};
    const struct trace_open_options options = {0};
    void *state;
    if (!trace_input_from_memory(bytes, length, "fuzz", &input, &error))
        return;
    format->detect(bytes, length < 4096 ? length : 4096);
    if (!format->open(input, &options, &state, &header, &error))
        return;
    struct trace_event event;
    enum trace_result result;
    size_t bad = 0;
    while ((result = format->next(state, &event, &error)) != TRACE_END) {
        if (strnlen(format->place(state), 4096) == 4096)
            abort();
        if (result == TRACE_BAD && (!error.skippable || ++bad > length))
            break;
        if (result == TRACE_EVENT)
            free(trace_event_copy(&event));
    }
    format->close(state);
    if (bad > length)
        abort();
}

#endif
