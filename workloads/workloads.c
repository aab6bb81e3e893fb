#include "workloads/workloads.h"

#include "model/memory.h"
#include "traces/message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct workload workload_budget, workload_churn, workload_compositor,
    workload_contexts, workload_frames, workload_llm, workload_scan, workload_swap,
    workload_training, workload_video, workload_zipf;

const struct workload *const workloads[] = {
    &workload_budget,   &workload_churn, &workload_compositor, &workload_contexts,
    &workload_frames,   &workload_llm,   &workload_scan,       &workload_swap,
    &workload_training, &workload_video, &workload_zipf,
};

const size_t workload_count = sizeof workloads / sizeof *workloads;

const struct workload *workload_find(const char *name, const char **nearest)
{
    struct trace_guess guess = trace_guess_start(name);
    for (size_t i = 0; i < workload_count; i++) {
        if (strcmp(workloads[i]->name, name) == 0)
            return workloads[i];
        trace_guess_offer(&guess, name, workloads[i]->name);
    }
    *nearest = guess.best;
    return NULL;
}

void *workload_parameters(const struct workload *workload)
{
    void *parameters = memory_new(1, workload->size);
    for (size_t i = 0; i < workload->parameter_count; i++)
        key_parse(&workload->parameters[i], workload->parameters[i].standard, parameters);
    return parameters;
}

bool workload_set(const struct workload *workload, void *parameters, const char *name,
                  const char *text, struct trace_error *error)
{
    struct trace_guess guess = trace_guess_start(name);
    for (size_t i = 0; i < workload->parameter_count; i++) {
        const struct key_spec *row = &workload->parameters[i];
        if (strcmp(row->key, name) != 0) {
            trace_guess_offer(&guess, name, row->key);
            continue;
        }
        if (key_parse(row, text, parameters))
            return true;
        char expected[200];
        key_expected(row, expected, sizeof expected);
        return trace_fail(error, false, "%s: expected %s, got \"%.60s\"", name, expected, text);
    }
    if (guess.best != NULL)
        return trace_fail(error, false, "%s has no parameter \"%.60s\", did you mean %s?",
                          workload->name, name, guess.best);
    return trace_fail(error, false, "%s has no parameter \"%.60s\"", workload->name, name);
}

const char *workload_segment(const char *name)
{
    return strcmp(name, "any") != 0 ? name : NULL;
}

void workload_describe(const struct workload *workload, const void *parameters, uint64_t seed,
                       char *text, size_t size)
{
    void *standard = workload_parameters(workload);
    size_t length = (size_t)snprintf(text, size, "wddmsim generate %s", workload->name);
    if (seed != 1)
        length += (size_t)snprintf(text + length, size - length, " --seed %" PRIu64, seed);
    for (size_t i = 0; i < workload->parameter_count && length < size; i++) {
        const struct key_spec *row = &workload->parameters[i];
        char value[KEY_TEXT_SIZE], usual[KEY_TEXT_SIZE];
        key_print(row, parameters, value);
        key_print(row, standard, usual);
        if (strcmp(value, usual) != 0)
            length += (size_t)snprintf(text + length, size - length, " --%s %s", row->key, value);
    }
    free(standard);
}

bool workload_write(const struct workload *workload, const void *parameters, uint64_t seed,
                    const char *path, struct trace_error *error)
{
    char source[2048];
    workload_describe(workload, parameters, seed, source, sizeof source);
    struct stage stage;
    stage_init(&stage, seed);
    workload->set(&stage, parameters);
    const struct trace_header header = {
        .version = TRACE_VERSION, .source = source, .residency = stage.residency};
    struct trace_writer *writer;
    bool good = trace_writer_open(path, &header, &writer, error);
    if (good && !stage_play(&stage, writer, error)) {
        trace_writer_abandon(writer);
        good = false;
    } else if (good) {
        good = trace_writer_close(writer, error);
    }
    stage_fini(&stage);
    return good;
}
