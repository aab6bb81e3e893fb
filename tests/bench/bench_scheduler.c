/* VidSch by itself: contexts that take turns on four engines, each round a wait for another
 * context's fence, a packet and a signal; and what idle contexts beside them cost. */
#include "model/memory.h"
#include "model/vidsch/vidsch.h"
#include "tests/bench/bench.h"
#include "model/blind.h"

#include <stdio.h>

enum { CONTEXTS = 64, NODES = 4 };

struct scheduling {
    const char *profile;
    uint64_t packets; /* waits and signals included */
    uint32_t idle;    /* contexts that never get a packet */
};

struct worker {
    struct vidsch_context *context;
    struct vidsch_fence fence;
    struct vidsch_packet wait, render, signal;
    struct worker *other;
    uint64_t round;
};

static uint64_t rounds;

static void begin_round(struct worker *worker);

static void nothing(void *owner, struct vidsch_packet *packet)
{
    (void)owner, (void)packet;
}

static void round_over(void *owner, struct vidsch_packet *packet)
{
    (void)packet;
    struct worker *worker = owner;
    if (worker->round < rounds)
        begin_round(worker);
}

static void begin_round(struct worker *worker)
{
    uint64_t done = worker->round++;
    worker->wait = (struct vidsch_packet){
        .kind = PROBE_WAIT, .fence = &worker->other->fence, .value = done, .completed = nothing};
    worker->render = (struct vidsch_packet){
        .kind = PROBE_RENDER, .execute_ns = 50000 + 1000 * (done % 7), .completed = nothing};
    worker->signal = (struct vidsch_packet){.kind = PROBE_SIGNAL,
                                            .fence = &worker->fence,
                                            .value = worker->round,
                                            .completed = round_over,
                                            .owner = worker};
    vidsch_submit(worker->context, &worker->wait);
    vidsch_submit(worker->context, &worker->render);
    vidsch_submit(worker->context, &worker->signal);
}

static void begin(void *owner)
{
    struct worker *workers = owner;
    for (int i = 0; i < CONTEXTS; i++)
        begin_round(&workers[i]);
}

static bool prepare(void *vidmm, struct vidsch_packet *packet)
{
    (void)vidmm, (void)packet;
    return true;
}

static void release(void *vidmm, struct vidsch_packet *packet)
{
    (void)vidmm, (void)packet;
}

static void unload(void *vidmm, struct vidsch_context *context)
{
    (void)vidmm, (void)context;
}

static bool schedule(const void *what, struct bench_answer *answer)
{
    const struct scheduling *wanted = what;
    static struct profile profile;
    static struct worker workers[CONTEXTS];
    struct profile_error wrong;
    const struct sim_link link = {1e9, 1e9, 1, false};
    struct probe probe = blind_probe();
    if (!profile_load(wanted->profile, &profile, &wrong)) {
        fprintf(stderr, "bench: %s\n", wrong.message);
        return false;
    }
    for (uint32_t node = 1; node < NODES; node++)
        profile.nodes[node] = profile.nodes[0];
    profile.node_count = NODES;
    rounds = wanted->packets / 3 / CONTEXTS;
    struct sim *sim = sim_create(&link, 1, NULL);
    struct vidsch *vidsch = vidsch_create(sim, &profile, &probe);
    vidsch_set_memory(
        vidsch, &(struct vidsch_memory){.prepare = prepare, .release = release, .unload = unload});
    for (uint32_t i = 0; i < CONTEXTS + wanted->idle; i++) {
        struct vidsch_context *context = vidsch_context_create(
            vidsch, i % NODES, 0, false, 1 + i / 8, (struct probe_label){.number = i}, NULL);
        if (i < CONTEXTS)
            workers[i] = (struct worker){.context = context, .other = &workers[(i + 1) % CONTEXTS]};
    }
    double begun = bench_seconds();
    sim_run(sim, begin, workers);
    answer->seconds = bench_seconds() - begun;
    answer->events = rounds * 3 * CONTEXTS;
    return vidsch_pending(vidsch) == 0 && !vidsch_check(vidsch);
}

static void row(const struct bench *bench, const char *name, const struct scheduling *what,
                const struct scheduling *baseline, const char *baseline_name)
{
    struct bench_answer answer, other;
    bench_compare(bench, schedule, what, schedule, baseline, &answer, &other);
    double packets = (double)answer.events * 1e-6;
    bench_row(name, packets / answer.seconds, packets / other.seconds, "M packets/s",
              baseline_name);
}

void bench_scheduler(const struct bench *bench)
{
    uint64_t packets = 5 * bench->events;
    const struct scheduling real = {"rtx3070-8g", packets, 10};
    row(bench, "scheduler, 64 contexts", &real, &(struct scheduling){"ideal", packets, 10},
        "the ruler, where nothing takes time");
    row(bench, "scheduler, 10,000 more idle", &(struct scheduling){"rtx3070-8g", packets, 10000},
        &real, "10 idle ones");
}
