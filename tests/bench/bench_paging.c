/* Memory under pressure: what paging costs, and what each reference costs by the number of
 * allocations that are alive. */
#include "tests/bench/bench.h"
#include "traces/vocabulary.h"
#include "traces/writer.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A process with many textures submits packets that each name a few. */
struct pressure {
    const char *path;
    uint64_t events;
    uint32_t allocations, references; /* alive; of each packet */
    uint64_t smallest, largest;       /* bytes: sizes are spread evenly over the octaves between */
    uint64_t pause_ns;                /* between packets */
    double skew; /* the n-th most popular is named n^-skew times as often as the first */
};

static uint64_t some_size(gsl_rng *random, const struct pressure *wanted)
{
    double octaves = log2((double)wanted->largest / (double)wanted->smallest);
    double size = (double)wanted->smallest * exp2(gsl_rng_uniform(random) * octaves);
    return ((uint64_t)(size / 4096) + 1) * 4096;
}

static bool create_all(struct trace_writer *writer, const struct pressure *wanted, gsl_rng *random,
                       struct trace_error *error)
{
    bool good = true;
    for (uint32_t i = 0; i < wanted->allocations && good; i++) {
        const struct trace_allocation creation = {.given = TRACE_GIVEN(TRACE_ALLOCATION) |
                                                           TRACE_GIVEN(TRACE_SIZE) |
                                                           TRACE_GIVEN(TRACE_USAGE),
                                                  .allocation = {.number = i + 1},
                                                  .size = some_size(random, wanted),
                                                  .usage = "texture"};
        const struct trace_event event = {.op = TRACE_CREATE_ALLOCATION,
                                          .given = TRACE_GIVEN(TRACE_DEVICE) |
                                                   TRACE_GIVEN(TRACE_CREATIONS),
                                          .pid = 1,
                                          .tid = 1,
                                          .device = {.number = 1},
                                          .creations = {&creation, 1}};
        good = trace_writer_put(writer, &event, error);
    }
    return good;
}

static bool submit_all(struct trace_writer *writer, const struct pressure *wanted, gsl_rng *random,
                       struct trace_error *error)
{
    enum { REFERENCES_MAX = 16, GPU_NS = 20000 };
    struct trace_name names[REFERENCES_MAX];
    struct trace_event event = {.op = TRACE_SUBMIT,
                                .given = TRACE_GIVEN(TRACE_CONTEXT) | TRACE_GIVEN(TRACE_GPU) |
                                         TRACE_GIVEN(TRACE_ALLOCATIONS),
                                .pid = 1,
                                .tid = 1,
                                .context = {.number = 1},
                                .gpu_ns = GPU_NS,
                                .allocations = {names, wanted->references}};
    bool good = true;
    double *weights = calloc(wanted->allocations, sizeof *weights);
    if (weights == NULL)
        return false;
    for (uint32_t n = 0; n < wanted->allocations; n++)
        weights[n] = pow(n + 1.0, -wanted->skew);
    gsl_ran_discrete_t *popularity = gsl_ran_discrete_preproc(wanted->allocations, weights);
    free(weights);
    for (uint64_t i = 0; i < wanted->events && good; i++) {
        event.t_ns += wanted->pause_ns;
        for (uint32_t k = 0; k < wanted->references; k++)
            names[k] = (struct trace_name){.number = 1 + gsl_ran_discrete(random, popularity)};
        good = trace_writer_put(writer, &event, error);
    }
    gsl_ran_discrete_free(popularity);
    return good;
}

static bool generate_pressure(const void *what, struct bench_answer *answer)
{
    const struct pressure *wanted = what;
    const struct trace_header header = {
        .version = TRACE_VERSION, .source = "bench", .residency = TRACE_RESIDENCY_PER_SUBMIT};
    const struct trace_event device = {.op = TRACE_CREATE_DEVICE,
                                       .given = TRACE_GIVEN(TRACE_DEVICE),
                                       .pid = 1,
                                       .tid = 1,
                                       .device = {.number = 1}};
    const struct trace_event context = {
        .op = TRACE_CREATE_CONTEXT,
        .given = TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_CONTEXT) | TRACE_GIVEN(TRACE_NODE),
        .pid = 1,
        .tid = 1,
        .device = {.number = 1},
        .context = {.number = 1},
        .node = {.text = "3d"}};
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    struct trace_writer *writer;
    struct trace_error error;
    bool good = trace_writer_open(wanted->path, &header, &writer, &error) &&
                trace_writer_put(writer, &device, &error) &&
                trace_writer_put(writer, &context, &error) &&
                create_all(writer, wanted, random, &error) &&
                submit_all(writer, wanted, random, &error) && trace_writer_close(writer, &error);
    gsl_rng_free(random);
    if (!good)
        fprintf(stderr, "bench: %s\n", error.message);
    answer->events = wanted->events;
    return good;
}

/* A working set of twice the video memory, allocations of 64 KiB to 16 MiB: their mean is 2.9 MiB.
 * Packets come as fast as the link can keep up with. Named at random, every second one is not
 * there: two operations each, an eviction and a page-in. With a skew it is every fourth. */
static void oversubscribed(const struct bench *bench, const char *trace, const char *output,
                           double skew, const char *name)
{
    const struct pressure pressure = {trace, bench->events, 2900, 1, 65536, 16777216, 800000, skew};
    const struct bench_replaying what = {
        .trace = trace,
        .output = output,
        .keys = {{"segments.local.size", "4GiB"}, {"vidmm.budget", "none"}}};
    bench_run(generate_pressure, &pressure);
    struct bench_answer first = bench_run(bench_replay_trace, &what), answer, bare;
    const struct bench_loop loop = {.dates = first.dates, .flows = first.transfers};
    bench_compare(bench, bench_replay_trace, &what, bench_simgrid_loop, &loop, &answer, &bare);
    double events = (double)answer.events, operations = (double)answer.paging_operations;
    char baseline[96];
    snprintf(baseline, sizeof baseline, "SimGrid loop, %.2f dates and %.3f flows per event",
             (double)answer.dates / events, (double)answer.transfers / events);
    bench_row(name, events / answer.seconds * 1e-6, events / bare.seconds * 1e-6, "M events/s",
              baseline);
    bench_row("  paging operations", operations / answer.seconds * 1e-6,
              operations / bare.seconds * 1e-6, "M ops/s", "the same loop");
}

/* The same packets with twice as many allocations alive, all of them resident. */
static void twice_as_many(const struct bench *bench, const char *trace, const char *output)
{
    char other[340];
    snprintf(other, sizeof other, "%s.more.wtrace", trace);
    uint32_t few = bench->quick ? 10000 : 100000;
    const struct pressure fewer = {trace, bench->events, few, 8, 4096, 4096, 200000, 0};
    const struct pressure more = {other, bench->events, 2 * few, 8, 4096, 4096, 200000, 0};
    bench_run(generate_pressure, &fewer);
    bench_run(generate_pressure, &more);
    const struct bench_replaying with_few = {.trace = trace,
                                             .output = output,
                                             .keys = {{"segments.local.page", "4KiB"}},
                                             .unwatched = true};
    const struct bench_replaying with_more = {.trace = other,
                                              .output = output,
                                              .keys = {{"segments.local.page", "4KiB"}},
                                              .unwatched = true};
    struct bench_answer many, some;
    bench_compare(bench, bench_replay_trace, &with_more, bench_replay_trace, &with_few, &many,
                  &some);
    char name[64], baseline[64];
    snprintf(name, sizeof name, "replay, %u k alive", 2 * few / 1000);
    snprintf(baseline, sizeof baseline, "%u k alive", few / 1000);
    bench_row(name, (double)many.events / many.seconds * 1e-6,
              (double)some.events / some.seconds * 1e-6, "M events/s", baseline);
}

void bench_paging(const struct bench *bench)
{
    char trace[320], output[320];
    snprintf(trace, sizeof trace, "%s/pressure.wtrace", bench->folder);
    snprintf(output, sizeof output, "%s/out", bench->folder);
    oversubscribed(bench, trace, output, 0, "replay, twice the memory");
    oversubscribed(bench, trace, output, 0.75, "replay, with favourites");
    twice_as_many(bench, trace, output);
}
