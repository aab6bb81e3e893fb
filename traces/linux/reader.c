#include "traces/linux/reader.h"

#include "traces/message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool linux_reader_create(struct trace_input *input, const char *origin_unit,
                         struct linux_reader **result, struct trace_error *error)
{
    *result = NULL;
    struct linux_reader *reader = trace_input_reader(input, sizeof *reader, error);
    if (reader == NULL)
        return false;
    reader->input = input;
    reader->origin_unit = origin_unit;
    if (!linux_init(&reader->import, &reader->facts)) {
        trace_fail(error, false, "%s: out of memory", trace_input_path(input));
        linux_reader_close(reader);
        return false;
    }
    *result = reader;
    return true;
}

bool linux_reader_fail(struct linux_reader *reader, struct trace_error *error)
{
    const char *why = reader->import.failure;
    trace_fail(error, false, "%s: %s", trace_input_path(reader->input),
               why != NULL ? why : "out of memory");
    linux_reader_close(reader);
    return false;
}

bool linux_reader_finish(struct linux_reader *reader, void **state, struct trace_header *header,
                         struct trace_error *error)
{
    struct linux_import *import = &reader->import;
    if (!linux_finish(import))
        return linux_reader_fail(reader, error);
    if (import->device_count == 0) {
        if (reader->damage.message[0] != '\0')
            *error = reader->damage;
        else
            trace_fail(error, false,
                       "%s: holds no jobs and no buffer objects of a graphics driver (%" PRIu64
                       " records of other tracepoints)",
                       trace_input_path(reader->input), import->tally.events);
        error->skippable = false;
        linux_reader_close(reader);
        return false;
    }
    const char *json = reader->facts.failed ? NULL : trace_facts_json(&reader->facts);
    if (json == NULL)
        return linux_reader_fail(reader, error);
    *header = (struct trace_header){
        .version = TRACE_VERSION,
        .source = reader->source,
        .residency =
            import->has_references ? TRACE_RESIDENCY_PER_SUBMIT : TRACE_RESIDENCY_AT_CREATE,
        .create_unknown = true,
        .unknown_size = TRACE_DEFAULT_UNKNOWN_SIZE,
        .extras = json,
    };
    *state = reader;
    return true;
}

enum trace_result linux_reader_next(void *state, struct trace_event *event,
                                    struct trace_error *error)
{
    struct linux_reader *reader = state;
    if (linux_next(&reader->import, event, &reader->origin)) {
        reader->placed = !event->existing;
        return TRACE_EVENT;
    }
    reader->placed = false;
    if (reader->import.failure != NULL) {
        trace_fail(error, false, "%s: %s", trace_input_path(reader->input), reader->import.failure);
        return TRACE_BAD;
    }
    if (reader->damage.message[0] == '\0' || reader->damage_told)
        return TRACE_END;
    reader->damage_told = true;
    *error = reader->damage;
    error->skippable = true;
    return TRACE_BAD;
}

const char *linux_reader_place(void *state)
{
    struct linux_reader *reader = state;
    const char *path = trace_input_path(reader->input);
    if (!reader->placed)
        snprintf(reader->place, sizeof reader->place, "%.300s", path);
    else if (strcmp(reader->origin_unit, "line") == 0)
        snprintf(reader->place, sizeof reader->place, "%.300s:%" PRIu64, path, reader->origin);
    else
        snprintf(reader->place, sizeof reader->place, "%.300s: %s %" PRIu64, path,
                 reader->origin_unit, reader->origin);
    return reader->place;
}

const struct trace_fact *linux_reader_facts(void *state, size_t *count)
{
    const struct linux_reader *reader = state;
    *count = reader->facts.count;
    return reader->facts.items;
}

void linux_reader_close(void *state)
{
    struct linux_reader *reader = state;
    if (reader == NULL)
        return;
    linux_free(&reader->import);
    trace_facts_free(&reader->facts);
    trace_input_close(reader->input);
    free(reader);
}
