/* The real recordings of shared/traces/recorded, found through WDDMSIM_SHARED or upwards from the
 * source folder; a test that needs one is skipped without it. Include it behind cmocka.h. */
#ifndef WDDMSIM_TESTS_RECORDED_H
#define WDDMSIM_TESTS_RECORDED_H

#include "traces/check.h"
#include "traces/reader.h"
#include "traces/vocabulary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline const char *recorded(const char *folder, const char *name, char *path, size_t room)
{
    const char *shared = getenv("WDDMSIM_SHARED");
    const char *source = getenv("srcdir");
    if (shared != NULL) {
        snprintf(path, room, "%s/traces/recorded/%s/%s", shared, folder, name);
        if (access(path, R_OK) == 0)
            return path;
    }
    char above[256] = "";
    for (int level = 0; level < 6; level++) {
        snprintf(path, room, "%s/%sshared/traces/recorded/%s/%s", source != NULL ? source : ".",
                 above, folder, name);
        if (access(path, R_OK) == 0)
            return path;
        strcat(above, "../");
    }
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

/* Reads one that knows nothing of residency to its end: every event is a good one, and there are so
 * many of each op. */
static inline void assert_recording(const char *folder, const char *name, const char *setting,
                                    const char *format, const struct expected_fact *facts,
                                    size_t fact_count, const size_t events[TRACE_OPS])
{
    char path[4096];
    struct trace_error error = {0};
    struct trace_reader *reader;
    struct trace_event event;
    size_t counts[TRACE_OPS] = {0};
    enum trace_result result;
    const struct trace_open_options options = {.settings = &setting,
                                               .setting_count = setting != NULL};
    if (!trace_open(recorded(folder, name, path, sizeof path), &options, &reader, &error))
        fail_msg("%s", error.message);
    assert_string_equal(trace_reader_format(reader), format);
    assert_int_equal(trace_reader_header(reader)->residency, TRACE_RESIDENCY_AT_CREATE);
    assert_facts(reader, facts, fact_count);
    while ((result = trace_next(reader, &event, &error)) == TRACE_EVENT) {
        if (!trace_check_event(&event, &error))
            fail_msg("%s: %s", trace_reader_place(reader), error.message);
        counts[event.op]++;
    }
    if (result != TRACE_END)
        fail_msg("%s", error.message);
    for (int op = 0; op < TRACE_OPS; op++)
        if (counts[op] != events[op])
            fail_msg("%zu %s, expected %zu", counts[op], trace_ops[op].name, events[op]);
    trace_close(reader);
}

#endif
