/* The real recordings; a test that needs one is skipped without it. Include it behind cmocka.h. */
#ifndef WDDMSIM_TESTS_RECORDED_H
#define WDDMSIM_TESTS_RECORDED_H

#include "tests/recording.h"
#include "traces/check.h"
#include "traces/reader.h"
#include "traces/vocabulary.h"

#include <string.h>

static inline const char *recorded(const char *folder, const char *name, char *path, size_t room)
{
    char of_folder[256];
    snprintf(of_folder, sizeof of_folder, "%s/%s", folder, name);
    if (recording_path(of_folder, path, room))
        return path;
    print_message("%s: not found; set WDDMSIM_SHARED to the folder that holds traces/recorded\n",
                  name);
    skip();
    return NULL;
}

static inline double fact(const struct trace_fact *facts, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(facts[i].key, key) == 0)
            return facts[i].value;
    fail_msg("no fact %s", key);
    return 0;
}

struct expected_fact {
    const char *key;
    double value;
};

static inline void assert_facts(const struct trace_reader *reader,
                                const struct expected_fact *expected, size_t expected_count)
{
    size_t count;
    const struct trace_fact *facts = trace_reader_facts(reader, &count);
    for (size_t i = 0; i < expected_count; i++)
        if (fact(facts, count, expected[i].key) != expected[i].value)
            fail_msg("%s is %.0f, expected %.0f", expected[i].key,
                     fact(facts, count, expected[i].key), expected[i].value);
}

/* Reads the rest of it, of which every event must be a good one, and counts each op. */
static inline void count_events(struct trace_reader *reader, size_t counts[TRACE_OPS])
{
    struct trace_error error = {0};
    struct trace_event event;
    enum trace_result result;
    memset(counts, 0, TRACE_OPS * sizeof *counts);
    while ((result = trace_next(reader, &event, &error)) == TRACE_EVENT) {
        if (!trace_check_event(&event, &error))
            fail_msg("%s: %s", trace_reader_place(reader), error.message);
        counts[event.op]++;
    }
    if (result != TRACE_END)
        fail_msg("%s", error.message);
}

/* The rest of it: every event is a good one, and there are so many of each op. */
static inline void assert_events(struct trace_reader *reader, const size_t events[TRACE_OPS])
{
    size_t counts[TRACE_OPS];
    count_events(reader, counts);
    for (int op = 0; op < TRACE_OPS; op++)
        if (counts[op] != events[op])
            fail_msg("%zu %s, expected %zu", counts[op], trace_ops[op].name, events[op]);
}

/* Reads one that knows nothing of residency to its end: every event is a good one, and there are so
 * many of each op. */
static inline void assert_recording(const char *folder, const char *name, const char *setting,
                                    const char *format, const struct expected_fact *facts,
                                    size_t fact_count, const size_t events[TRACE_OPS])
{
    char path[4096];
    struct trace_error error = {0};
    struct trace_reader *reader;
    const struct trace_open_options options = {.settings = &setting,
                                               .setting_count = setting != NULL};
    if (!trace_open(recorded(folder, name, path, sizeof path), &options, &reader, &error))
        fail_msg("%s", error.message);
    assert_string_equal(trace_reader_format(reader), format);
    assert_int_equal(trace_reader_header(reader)->residency, TRACE_RESIDENCY_AT_CREATE);
    assert_facts(reader, facts, fact_count);
    assert_events(reader, events);
    trace_close(reader);
}

#endif
