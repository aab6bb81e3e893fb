#include "traces/reader.h"

#include "traces/input.h"
#include "traces/merge.h"
#include "traces/message.h"
#include "traces/vocabulary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trace_reader {
    const struct trace_format *format;
    void *state;
    struct trace_input *input; /* the format's; shared for its progress. NULL: it has none */
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

/* "wtrace, jsonl, ..." */
static void list_formats(char *list, size_t room)
{
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; i < trace_format_count && used < room; i++)
        used += (size_t)snprintf(list + used, room - used, "%s%s", i > 0 ? ", " : "",
                                 trace_formats[i]->name);
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

/* The text behind "KEY=" if that is how it begins, else NULL. */
static const char *value_of(const char *text, const char *key)
{
    size_t length = strlen(key);
    return strncmp(text, key, length) == 0 && text[length] == '=' ? text + length + 1 : NULL;
}

static const struct trace_setting *find_setting(const struct trace_format *format, const char *key)
{
    for (size_t i = 0; i < format->setting_count; i++)
        if (strcmp(format->settings[i].key, key) == 0)
            return &format->settings[i];
    return NULL;
}

const char *trace_setting(const struct trace_format *format,
                          const struct trace_open_options *options, const char *key)
{
    const char *value = find_setting(format, key)->standard;
    for (size_t i = 0; options != NULL && i < options->setting_count; i++)
        if (value_of(options->settings[i], key) != NULL)
            value = value_of(options->settings[i], key);
    return value;
}

bool trace_fail_setting(const struct trace_format *format, const char *key, const char *value,
                        struct trace_error *error)
{
    return trace_fail(error, false, "reader setting %s: expected %s, got \"%.60s\"", key,
                      find_setting(format, key)->values, value);
}

static bool has_setting(const struct trace_format *format, const char *text)
{
    for (size_t i = 0; i < format->setting_count; i++)
        if (value_of(text, format->settings[i].key) != NULL)
            return true;
    return false;
}

bool trace_reader_has_setting(const struct trace_reader *reader, const char *text)
{
    return has_setting(reader->format, text);
}

bool trace_reader_names_its_own(const struct trace_reader *reader)
{
    return reader->format->names_its_own;
}

/* Whether every setting is one the format has. */
static bool check_settings(const struct trace_format *format,
                           const struct trace_open_options *options, struct trace_error *error)
{
    for (size_t i = 0; i < options->setting_count; i++) {
        const char *text = options->settings[i];
        if (options->settings_of_others || has_setting(format, text))
            continue;
        char list[200] = "";
        for (size_t k = 0, used = 0; k < format->setting_count && used < sizeof list; k++)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", k > 0 ? ", " : "",
                                     format->settings[k].key);
        return trace_fail(error, false, "reader setting \"%.60s\": %s has %s%s", text, format->name,
                          list[0] != '\0' ? "only " : "none", list);
    }
    return true;
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
    if (format == NULL || !check_settings(format, options, error)) {
        trace_input_close(input);
        return false;
    }
    struct trace_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        trace_input_close(input);
        return trace_fail(error, false, "%s: out of memory", path);
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
    if (reader->format->progress != NULL)
        reader->format->progress(reader->state, done, total);
    else
        trace_input_progress(reader->input, done, total);
}

struct trace_reader *trace_reader_wrap(const struct trace_format *format, void *state,
                                       const struct trace_header *header)
{
    struct trace_reader *reader = calloc(1, sizeof *reader);
    if (reader != NULL)
        *reader = (struct trace_reader){.format = format, .state = state, .header = *header};
    return reader;
}

void trace_close(struct trace_reader *reader)
{
    if (reader == NULL)
        return;
    reader->format->close(reader->state);
    trace_input_close(reader->input);
    free(reader);
}
