/* Replaying a generated trace, beside a bare SimGrid loop over as many dates and flows; and the
 * memory that takes, by the length of the trace. */
#include "analysis/recorder.h"
#include "tests/bench/bench.h"
#include "model/blind.h"
#include "traces/vocabulary.h"
#include "traces/writer.h"
#include "workloads/replay.h"
#include "workloads/workloads.h"

#include <simgrid/actor.h>
#include <simgrid/engine.h>
#include <simgrid/host.h>
#include <simgrid/semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xbt/config.h>
#include <xbt/log.h>

/* Two processes make 23.05 events for each of the workload's frames. */
static const double EVENTS_PER_FRAME = 23.05;

bool bench_generate(const void *what, struct bench_answer *answer)
{
    const struct bench_generate *wanted = what;
    const char *nearest;
    const struct workload *frames = workload_find("frames", &nearest);
    void *parameters = workload_parameters(frames);
    struct trace_error error;
    char count[32];
    snprintf(count, sizeof count, "%.0f", (double)wanted->events / EVENTS_PER_FRAME + 1);
    double begun = bench_seconds();
    bool good = workload_set(frames, parameters, "frames", count, &error) &&
                workload_write(frames, parameters, 1, wanted->path, &error);
    if (!good)
        fprintf(stderr, "bench: %s\n", error.message);
    answer->seconds = bench_seconds() - begun;
    free(parameters);
    return good;
}

/* Pairs of CreateAllocation and DestroyAllocation, of textures that nobody ever makes resident:
 * what the object layer alone costs. */
static bool generate_pairs(const void *what, struct bench_answer *answer)
{
    enum { ALIVE = 64, PAUSE_NS = 100000 };
    const struct bench_generate *wanted = what;
    const struct trace_header header = {
        .version = TRACE_VERSION, .source = "bench", .residency = TRACE_RESIDENCY_EXPLICIT};
    struct trace_event event = {.op = TRACE_CREATE_DEVICE,
                                .given = TRACE_GIVEN(TRACE_DEVICE),
                                .pid = 1,
                                .tid = 1,
                                .device = {.number = 1}};
    struct trace_writer *writer;
    struct trace_error error;
    bool good = trace_writer_open(wanted->path, &header, &writer, &error) &&
                trace_writer_put(writer, &event, &error);
    for (uint64_t i = 0; good && i < wanted->events / 2; i++) {
        const struct trace_name name = {.number = 1 + i % ALIVE};
        const struct trace_allocation creation = {.given = TRACE_GIVEN(TRACE_ALLOCATION) |
                                                           TRACE_GIVEN(TRACE_SIZE) |
                                                           TRACE_GIVEN(TRACE_USAGE),
                                                  .allocation = name,
                                                  .size = 4096 * name.number,
                                                  .usage = "texture"};
        event.op = TRACE_CREATE_ALLOCATION;
        event.given = TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_CREATIONS);
        event.t_ns += PAUSE_NS;
        event.creations = (struct trace_allocations){&creation, 1};
        good = trace_writer_put(writer, &event, &error);
        event.op = TRACE_DESTROY_ALLOCATION;
        event.given = TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_ALLOCATIONS);
        event.t_ns += PAUSE_NS;
        event.allocations = (struct trace_names){&name, 1};
        good = good && trace_writer_put(writer, &event, &error);
    }
    answer->events = wanted->events;
    if (good && trace_writer_close(writer, &error))
        return true;
    fprintf(stderr, "bench: %s\n", error.message);
    return false;
}

static uint64_t paging_operations;
static void (*recorded_paging)(void *self, const struct probe_paging *operation);

static void count_paging(void *self, const struct probe_paging *operation)
{
    paging_operations++;
    recorded_paging(self, operation);
}

static bool change(struct profile *profile, const struct bench_replaying *wanted,
                   struct profile_error *wrong)
{
    bool good = true;
    for (size_t i = 0; good && i < BENCH_KEYS && wanted->keys[i][0]; i++)
        good = profile_set(profile, wanted->keys[i][0], wanted->keys[i][1], "bench", wrong);
    return good;
}

bool bench_replay_trace(const void *what, struct bench_answer *answer)
{
    const struct bench_replaying *wanted = what;
    static struct profile profile;
    struct profile_error wrong;
    struct trace_error bad;
    struct trace_reader *reader;
    struct replay_result result;
    char error[512] = "the profile";
    const struct recorder_options recording = {
        .directory = wanted->output, .uses = true, .beside = !wanted->one_thread};
    const struct replay_options options = {.to_ns = UINT64_MAX, .seed = 1};
    bool good = profile_load("rtx3070-8g", &profile, &wrong) && change(&profile, wanted, &wrong) &&
                profile_check(&profile, &wrong);
    if (good && !trace_open(wanted->trace, NULL, &reader, &bad)) {
        snprintf(error, sizeof error, "%s", bad.message);
        good = false;
    }
    struct recorder *recorder =
        good && !wanted->unwatched ? recorder_create(&recording, error, sizeof error) : NULL;
    struct probe blind = blind_probe(), *probe = recorder ? recorder_probe(recorder) : &blind;
    good = good && (recorder || wanted->unwatched);
    recorded_paging = probe->paging;
    probe->paging = count_paging;
    if (good) {
        double begun = bench_seconds();
        good = replay_run(reader, &profile, probe, &options, &result, error, sizeof error) ==
               REPLAY_OK;
        if (recorder)
            recorder_catch_up(recorder);
        answer->seconds = bench_seconds() - begun;
        answer->events = result.events;
        answer->paging_operations = paging_operations;
        answer->dates = result.dates;
        answer->transfers = result.transfers;
        answer->simulated_ns = result.simulated_ns;
    }
    if (!good)
        fprintf(stderr, "bench: %s: %s\n", wanted->trace, error);
    recorder_destroy(recorder);
    return good;
}

/* A heap of dates in whole nanoseconds, SimGrid's clock brought to each of them, and every so many
 * dates a flow that a pool of worker actors carries. */
enum { PENDING = 16, WORKERS = 4, FLOW_BYTES = 65536 };

struct worker {
    sg_sem_t wake;
    sg_host_t from, to;
    bool busy;
};

static void carry(int argc, char **argv)
{
    (void)argc, (void)argv;
    struct worker *worker = sg_actor_get_data(sg_actor_self());
    for (;;) {
        sg_sem_acquire(worker->wake);
        sg_host_sendto(worker->from, worker->to, FLOW_BYTES);
        worker->busy = false;
    }
}

static void start_simgrid(const char *platform, struct worker workers[WORKERS])
{
    int argc = 1;
    char name[] = "bench", *argv[] = {name, NULL};
    xbt_log_control_set("root.thres:error");
    simgrid_init(&argc, argv);
    sg_cfg_set_string("network/model", "CM02");
    sg_cfg_set_boolean("network/crosstraffic", "no");
    sg_cfg_set_double("network/TCP-gamma", 1e30);
    sg_cfg_set_double("surf/precision", 1e-12);
    simgrid_load_platform(platform);
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){
            .wake = sg_sem_init(0), .from = sg_host_by_name("a"), .to = sg_host_by_name("b")};
        sg_actor_t actor = sg_actor_init("worker", workers[i].from);
        sg_actor_set_data(actor, &workers[i]);
        sg_actor_start(actor, carry, 0, NULL);
        sg_actor_daemonize(actor);
    }
}

static void sift(uint64_t heap[PENDING], uint64_t date)
{
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= PENDING)
            break;
        if (child + 1 < PENDING && heap[child + 1] < heap[child])
            child++;
        if (heap[child] >= date)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = date;
}

static const char *platform; /* path of the loop's; set before any child is forked */

bool bench_simgrid_loop(const void *what, struct bench_answer *answer)
{
    const struct bench_loop *loop = what;
    struct worker workers[WORKERS];
    start_simgrid(platform, workers);
    uint64_t heap[PENDING], state = 88172645463325252, flows = 0;
    for (uint64_t i = 0; i < PENDING; i++)
        heap[i] = (i + 1) * 1000;
    double begun = bench_seconds();
    for (uint64_t date = 0; date < loop->dates; date++) {
        double now = (double)heap[0] * 1e-9;
        while (simgrid_get_clock() < now)
            simgrid_run_until(now);
        state ^= state << 13, state ^= state >> 7, state ^= state << 17; /* xorshift */
        sift(heap, heap[0] + state % 32000 + 1);
        if (flows * loop->dates >= loop->flows * (date + 1))
            continue;
        for (int i = 0; i < WORKERS; i++)
            if (!workers[i].busy) {
                workers[i].busy = true;
                sg_sem_release(workers[i].wake);
                flows++;
                break;
            }
    }
    answer->seconds = bench_seconds() - begun;
    return true;
}

static void write_platform(const struct bench *bench)
{
    static char path[320];
    platform = path;
    snprintf(path, sizeof path, "%s/platform.xml", bench->folder);
    FILE *out = fopen(path, "w");
    if (!out) {
        perror(path);
        exit(1);
    }
    fputs("<?xml version='1.0'?>\n"
          "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
          "<platform version=\"4.1\"><zone id=\"z\" routing=\"Full\">\n"
          "<host id=\"a\" speed=\"1Gf\"/><host id=\"b\" speed=\"1Gf\"/>\n"
          "<link id=\"l\" bandwidth=\"32GBps\" latency=\"0s\"/>\n"
          "<route src=\"a\" dst=\"b\"><link_ctn id=\"l\"/></route>\n"
          "</zone></platform>\n",
          out);
    fclose(out);
}

void bench_prepare(const struct bench *bench)
{
    char trace[320];
    write_platform(bench);
    snprintf(trace, sizeof trace, "%s/frames.wtrace", bench->folder);
    bench_run(bench_generate, &(struct bench_generate){trace, bench->events});
}

static void replay_row(const struct bench *bench, const char *name,
                       const struct bench_replaying *what)
{
    struct bench_answer first = bench_run(bench_replay_trace, what); /* tells the dates and flows */
    struct bench_loop loop = {.dates = first.dates, .flows = first.transfers};
    struct bench_answer answer, bare;
    bench_compare(bench, bench_replay_trace, what, bench_simgrid_loop, &loop, &answer, &bare);
    char baseline[96];
    double events = (double)answer.events;
    snprintf(baseline, sizeof baseline, "SimGrid loop, %.2f dates and %.3f flows per event",
             (double)answer.dates / events, (double)answer.transfers / events);
    bench_row(name, events / answer.seconds * 1e-6, events / bare.seconds * 1e-6, "M events/s",
              baseline);
    bench_row("  simulated time", (double)answer.simulated_ns * 1e-9 / answer.seconds,
              (double)answer.simulated_ns * 1e-9 / bare.seconds, "s/s", "the same loop");
}

/* What watching costs: the same replay, recorded and not. */
static void recording_row(const struct bench *bench, const char *name, struct bench_replaying what)
{
    struct bench_replaying unwatched = what;
    unwatched.unwatched = true;
    struct bench_answer watched, blind;
    bench_compare(bench, bench_replay_trace, &what, bench_replay_trace, &unwatched, &watched,
                  &blind);
    double events = (double)watched.events;
    bench_row(name, events / watched.seconds * 1e-6, events / blind.seconds * 1e-6, "M events/s",
              "the same without a recorder");
}

void bench_replay(const struct bench *bench)
{
    char trace[320], output[320];
    snprintf(trace, sizeof trace, "%s/frames.wtrace", bench->folder);
    snprintf(output, sizeof output, "%s/out", bench->folder);
    replay_row(bench, "replay", &(struct bench_replaying){.trace = trace, .output = output});
    replay_row(bench, "replay, memory overcommitted",
               &(struct bench_replaying){
                   .trace = trace, .output = output, .keys = {{"segments.local.size", "1GiB"}}});
    recording_row(bench, "recording", (struct bench_replaying){.trace = trace, .output = output});
    recording_row(bench, "recording, one thread",
                  (struct bench_replaying){.trace = trace, .output = output, .one_thread = true});
    recording_row(bench, "recording, overcommitted",
                  (struct bench_replaying){
                      .trace = trace, .output = output, .keys = {{"segments.local.size", "1GiB"}}});
    snprintf(trace, sizeof trace, "%s/pairs.wtrace", bench->folder);
    bench_run(generate_pairs, &(struct bench_generate){trace, bench->events});
    replay_row(bench, "replay, create and destroy",
               &(struct bench_replaying){.trace = trace, .output = output});
}

void bench_memory(const struct bench *bench)
{
    char trace[320], output[320];
    snprintf(trace, sizeof trace, "%s/long.wtrace", bench->folder);
    snprintf(output, sizeof output, "%s/out", bench->folder);
    uint64_t shortest = bench->quick ? 100000 : 1000000, most = bench->full ? 100 : 10;
    double first = 0;
    for (uint64_t times = 1; times <= most; times *= 10) {
        uint64_t events = shortest * times;
        bench_run(bench_generate, &(struct bench_generate){trace, events});
        struct bench_answer answer = bench_run(
            bench_replay_trace, &(struct bench_replaying){.trace = trace, .output = output});
        double peak = (double)answer.peak_bytes / (1 << 20);
        first = first > 0 ? first : peak;
        char name[64];
        snprintf(name, sizeof name, "peak memory, %.1f M events", (double)events * 1e-6);
        bench_row(name, peak, first, "MiB", "the shortest trace");
        unlink(trace);
    }
}
