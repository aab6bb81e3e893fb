/* Traces that generators make, written to a temporary file and read back. */
#ifndef WDDMSIM_TESTS_MADE_H
#define WDDMSIM_TESTS_MADE_H

#include "traces/reader.h"
#include "traces/vocabulary.h"
#include "workloads/workloads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Every draw of these tests comes from this seed: what holds once holds always. */
enum { MADE_SEED = 20261125 };

struct made {
    char path[64];
    struct trace_reader *reader;
    struct trace_event event;
};

/* Parameters as a list of names and values that ends with NULL. */
#define MADE_ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline void made_write(const char *workload, uint64_t seed, const char *const *arguments,
                              const char *path)
{
    const char *nearest;
    struct trace_error error = {.message = ""};
    const struct workload *found = workload_find(workload, &nearest);
    assert_non_null(found);
    void *parameters = workload_parameters(found);
    for (; arguments[0] != NULL; arguments += 2)
        if (!workload_set(found, parameters, arguments[0], arguments[1], &error))
            fail_msg("%s: %s", workload, error.message);
    const char *refusal = found->refuse != NULL ? found->refuse(parameters) : NULL;
    if (refusal != NULL)
        fail_msg("%s: %s", workload, refusal);
    if (!workload_write(found, parameters, seed, path, &error))
        fail_msg("%s: %s", workload, error.message);
    free(parameters);
}

static inline void made_open(struct made *made, const char *workload, const char *const *arguments)
{
    struct trace_error error;
    static unsigned count;
    snprintf(made->path, sizeof made->path, "/tmp/wddmsim-made-%ld-%u.wtrace", (long)getpid(),
             count++);
    made_write(workload, MADE_SEED, arguments, made->path);
    if (!trace_open(made->path, NULL, &made->reader, &error))
        fail_msg("%s", error.message);
    unlink(made->path);
}

/* The next event of the trace in made->event; false at its end, where it is closed. */
static inline bool made_next(struct made *made)
{
    struct trace_error error;
    switch (trace_next(made->reader, &made->event, &error)) {
    case TRACE_EVENT:
        return true;
    case TRACE_BAD:
        fail_msg("%s", error.message);
        return false;
    case TRACE_END:
        break;
    }
    trace_close(made->reader);
    return false;
}

/* Numbers collected from a trace. */
struct sample {
    double *values;
    size_t count, room;
};

static inline void sample_add(struct sample *sample, double value)
{
    if (sample->count == sample->room) {
        sample->room = sample->room != 0 ? 2 * sample->room : 1024;
        sample->values = realloc(sample->values, sample->room * sizeof *sample->values);
        assert_non_null(sample->values);
    }
    sample->values[sample->count++] = value;
}

static inline void sample_free(struct sample *sample)
{
    free(sample->values);
    *sample = (struct sample){0};
}

#endif
