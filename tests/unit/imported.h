/* A recording in memory, read to its end by one format: its events as lines of text, its facts, and
 * what it complained about. Include it behind cmocka.h. */
#ifndef WDDMSIM_TESTS_IMPORTED_H
#define WDDMSIM_TESTS_IMPORTED_H

#include "traces/check.h"
#include "traces/encoder.h"
#include "traces/input.h"
#include "traces/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct imported {
    const struct trace_format *format;
    void *state; /* NULL: could not be opened */
    struct trace_header header;
    struct trace_buffer lines; /* terminated */
    size_t events;
    struct trace_error error; /* of opening, or what came behind the last event; "": nothing */
};

static inline void import(struct imported *imported, const struct trace_format *format,
                          const void *bytes, size_t length,
                          const struct trace_open_options *options)
{
    static const struct trace_header text_header = {.version = TRACE_VERSION};
    struct trace_input *input;
    *imported = (struct imported){.format = format};
    assert_true(trace_input_from_memory(bytes, length, "t", &input, &imported->error));
    format->detect(bytes, length < 4096 ? length : 4096);
    if (!format->open(input, options, &imported->state, &imported->header, &imported->error)) {
        assert_null(imported->state);
        assert_true(imported->error.message[0] != '\0');
        return;
    }
    void *encoder = trace_encoder_jsonl.start(&text_header, &imported->lines);
    assert_non_null(encoder);
    imported->lines.length = 0; /* without the header */
    struct trace_event event;
    enum trace_result result;
    uint64_t t_ns = 0;
    while ((result = format->next(imported->state, &event, &imported->error)) == TRACE_EVENT) {
        struct trace_error error;
        if (event.t_ns < t_ns)
            fail_msg("t goes back to %llu", (unsigned long long)event.t_ns);
        t_ns = event.t_ns;
        if (!trace_check_event(&event, &error) ||
            !trace_encoder_jsonl.put(encoder, &event, &imported->lines, 0, &error))
            fail_msg("%s: %s", format->place(imported->state), error.message);
        imported->events++;
    }
    if (result == TRACE_END)
        imported->error.message[0] = '\0';
    trace_encoder_jsonl.free(encoder);
    trace_buffer_put_byte(&imported->lines, '\0');
    assert_false(imported->lines.failed);
}

static inline void import_text(struct imported *imported, const struct trace_format *format,
                               const char *text)
{
    import(imported, format, text, strlen(text), NULL);
    if (imported->state == NULL)
        fail_msg("%s", imported->error.message);
}

static inline void imported_free(struct imported *imported)
{
    if (imported->state != NULL)
        imported->format->close(imported->state);
    trace_buffer_free(&imported->lines);
    *imported = (struct imported){0};
}

/* Fails with the first line that differs. */
static inline void assert_lines(const struct imported *imported, const char *expected)
{
    const char *is = (const char *)imported->lines.bytes;
    for (size_t line = 1; *is != '\0' || *expected != '\0'; line++) {
        size_t length = strcspn(is, "\n"), wanted = strcspn(expected, "\n");
        if (length != wanted || memcmp(is, expected, length) != 0)
            fail_msg("line %zu is\n%.*s\nexpected\n%.*s", line, (int)length, is, (int)wanted,
                     expected);
        is += length + (is[length] != '\0');
        expected += wanted + (expected[wanted] != '\0');
    }
}

static inline double imported_fact(const struct imported *imported, const char *key)
{
    size_t count;
    const struct trace_fact *facts = imported->format->facts(imported->state, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(facts[i].key, key) == 0)
            return facts[i].value;
    fail_msg("no fact %s", key);
    return 0;
}

/* Whether the recording is refused with these words. */
static inline void assert_refused(const struct trace_format *format, const void *bytes,
                                  size_t length, const char *words)
{
    struct imported imported;
    import(&imported, format, bytes, length, NULL);
    if (imported.state != NULL || strstr(imported.error.message, words) == NULL)
        fail_msg("%.80s: \"%s\", expected \"%s\"", (const char *)bytes, imported.error.message,
                 words);
    imported_free(&imported);
}

#endif
