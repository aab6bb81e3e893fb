/* Making traces up, each workload at its defaults, beside writing as many of the plainest events.
 */
#include "tests/bench/bench.h"
#include "traces/reader.h"
#include "workloads/workloads.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What makes a workload longer, and how many events one more of it is. */
static const struct {
    const char *workload, *parameter;
    double events;
    const char *unit; /* of the parameter */
} lengths[] = {
    {"budget", "changes", 560, ""},      {"churn", "allocations", 4, ""},
    {"compositor", "frames", 20.34, ""}, {"contexts", "packets", 6, ""},
    {"frames", "frames", 23.45, ""},     {"llm", "requests", 59, ""},
    {"scan", "passes", 320, ""},         {"swap", "work", 600, "s"},
    {"training", "steps", 82, ""},       {"video", "frames", 30, ""},
    {"zipf", "references", 5, ""},
};

enum { LENGTHS = sizeof lengths / sizeof *lengths };

struct making {
    size_t index; /* of the lengths */
    uint64_t events;
    const char *path;
};

static bool make(const void *what, struct bench_answer *answer)
{
    const struct making *wanted = what;
    const char *nearest;
    const struct workload *workload = workload_find(lengths[wanted->index].workload, &nearest);
    void *parameters = workload_parameters(workload);
    struct trace_error error;
    char length[48];
    snprintf(length, sizeof length, "%.0f%s",
             (double)wanted->events / lengths[wanted->index].events + 1,
             lengths[wanted->index].unit);
    double begun = bench_seconds();
    bool good =
        workload_set(workload, parameters, lengths[wanted->index].parameter, length, &error) &&
        workload_write(workload, parameters, 1, wanted->path, &error);
    answer->seconds = bench_seconds() - begun;
    free(parameters);
    if (!good)
        fprintf(stderr, "bench: %s: %s\n", workload->name, error.message);
    return good;
}

static bool count(const void *what, struct bench_answer *answer)
{
    struct trace_reader *reader;
    struct trace_event event;
    struct trace_error error;
    if (!trace_open(what, NULL, &reader, &error))
        return false;
    while (trace_next(reader, &event, &error) == TRACE_EVENT)
        answer->events++;
    trace_close(reader);
    return true;
}

void bench_workloads(const struct bench *bench)
{
    char path[320], plain[320], name[64];
    snprintf(path, sizeof path, "%s/made.wtrace", bench->folder);
    snprintf(plain, sizeof plain, "%s/plain.wtrace", bench->folder);
    for (size_t i = 0; i < LENGTHS; i++) {
        const struct making making = {i, bench->events, path};
        const struct bench_generate submits = {plain, bench->events};
        struct bench_answer answer, bare;
        bench_compare(bench, make, &making, bench_submits, &submits, &answer, &bare);
        double events = (double)bench_run(count, path).events;
        snprintf(name, sizeof name, "generate %s", lengths[i].workload);
        bench_row(name, events / answer.seconds * 1e-6, (double)bench->events / bare.seconds * 1e-6,
                  "M events/s", "writing plain submissions");
    }
    unlink(path);
    unlink(plain);
}
