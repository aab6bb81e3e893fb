#include "traces/activity/reader.h"

#include "traces/message.h"
#include "traces/vocabulary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

bool activity_reader_create(struct trace_input *input,
                            void (*places)(void *self, uint64_t origin, char place[64]), void *self,
                            struct activity_reader **result, struct trace_error *error)
{
    struct activity_reader *reader = calloc(1, sizeof *reader);
    if (reader != NULL) {
        reader->input = input;
        reader->activities = activities_create(places, self);
    }
    if (reader == NULL || reader->activities == NULL) {
        trace_fail(error, false, "%s: out of memory", trace_input_path(input));
        free(reader);
        trace_input_close(input);
        return false;
    }
    *result = reader;
    return true;
}

static bool fail(struct activity_reader *reader, struct trace_error *error)
{
    const char *why = activities_failure(reader->activities);
    return trace_fail(error, false, "%s: %s", trace_input_path(reader->input),
                      why != NULL ? why : "out of memory");
}

void activity_place_offset(void *self, uint64_t origin, char place[64])
{
    (void)self;
    snprintf(place, 64, "offset %" PRIu64, origin);
}

void activity_reader_progress(const struct activity_reader *reader,
                              const struct trace_open_options *options)
{
    uint64_t done, total;
    if (options == NULL || options->progress == NULL)
        return;
    trace_input_progress(reader->input, &done, &total);
    options->progress(options->progress_self, done, total);
}

static bool finish(struct activity_reader *reader, struct trace_header *header,
                   struct trace_error *error)
{
    struct trace_facts *facts = &reader->facts;
    if (!activities_finish(reader->activities, facts))
        return fail(reader, error);
    if (activities_empty(reader->activities)) {
        if (reader->damage.message[0] != '\0')
            *error = reader->damage;
        else
            trace_fail(error, false, "%s: holds no work of a GPU and no allocations",
                       trace_input_path(reader->input));
        error->skippable = false;
        return false;
    }
    trace_facts_add(facts, "undecodable", "entries left out for lack of what they need", "",
                    reader->undecodable);
    int64_t start_ns = activities_start_ns(reader->activities) + reader->base_ns;
    trace_facts_add(facts, "start-us", "t 0 on the recording's clock", "us",
                    start_ns > 0 ? (uint64_t)start_ns / 1000 : 0);
    const char *json = trace_facts_json(facts);
    if (json == NULL || facts->failed)
        return fail(reader, error);
    trace_make_printable(reader->source);
    *header = (struct trace_header){
        .version = TRACE_VERSION,
        .source = reader->source,
        .residency = TRACE_RESIDENCY_AT_CREATE,
        .create_unknown = true,
        .unknown_size = TRACE_DEFAULT_UNKNOWN_SIZE,
        .extras = json,
    };
    return true;
}

bool activity_reader_finish(struct activity_reader *reader, void **state,
                            struct trace_header *header, struct trace_error *error)
{
    bool good = finish(reader, header, error);
    *state = good ? reader : NULL;
    if (!good)
        activity_reader_close(reader);
    return good;
}

enum trace_result activity_reader_next(void *state, struct trace_event *event,
                                       struct trace_error *error)
{
    struct activity_reader *reader = state;
    if (activities_next(reader->activities, event))
        return TRACE_EVENT;
    if (activities_failure(reader->activities) != NULL) {
        fail(reader, error);
        return TRACE_BAD;
    }
    if (reader->damage.message[0] == '\0' || reader->damage_told)
        return TRACE_END;
    reader->damage_told = true;
    *error = reader->damage;
    return TRACE_BAD;
}

const char *activity_reader_place(void *state)
{
    struct activity_reader *reader = state;
    const char *place = activities_place(reader->activities);
    snprintf(reader->place, sizeof reader->place, "%.300s%s%s", trace_input_path(reader->input),
             place[0] != '\0' ? ": " : "", place);
    return reader->place;
}

const struct trace_fact *activity_reader_facts(void *state, size_t *count)
{
    struct activity_reader *reader = state;
    *count = reader->facts.count;
    return reader->facts.items;
}

void activity_reader_close(void *state)
{
    struct activity_reader *reader = state;
    if (reader == NULL)
        return;
    activities_free(reader->activities);
    trace_facts_free(&reader->facts);
    trace_input_close(reader->input);
    free(reader);
}
