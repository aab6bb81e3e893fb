#include "tests/validation/lab.h"

#include "model/memory.h"
#include "model/blind.h"
#include "tests/unit/child.h"

#include <gsl/gsl_randist.h>
#include <utlist.h>

struct lab_job {
    struct vidsch_packet packet, announcement;
    bool waited_for, here; /* the engine is the announcement's; the packet has come */
    struct lab_source *source;
    struct vidsch_context *context;
    struct sim_timer thinking;
    uint64_t arrived_ns;
    struct lab_job *prev, *next;
};

static uint64_t draw_ns(const struct lab *lab, const struct lab_time *time)
{
    double ns = time->mean_ns;
    if (time->distribution == LAB_EXPONENTIAL)
        ns = gsl_ran_exponential(lab->random, ns);
    else if (time->distribution == LAB_TWO_POINTS && gsl_rng_uniform(lab->random) < time->chance)
        ns = time->other_ns;
    return (uint64_t)(ns + 0.5);
}

static struct lab_job *take_job(struct lab_source *source)
{
    struct lab_job *job = source->idle_jobs;
    if (!job)
        return memory_new(1, sizeof *job);
    LL_DELETE(source->idle_jobs, job);
    return job;
}

static void submit(void *owner);
static void take_context(struct lab_job *job);
static void start(struct lab_job *job);

/* The packet is done, and its job's customer thinks, or is gone. */
static void completed(void *owner, struct vidsch_packet *packet)
{
    struct lab_job *job = owner;
    struct lab_source *source = job->source;
    struct lab *lab = source->lab;
    uint64_t now = sim_now(lab->sim);
    if (blame_sum(&packet->blame) != now - packet->queued_ns)
        child_fails("the causes of a packet's latency do not add up to it");
    if (source->completed_count < source->count) {
        source->response_ns[source->completed_count] = (double)(now - job->arrived_ns);
        source->completed_ns[source->completed_count++] = (double)now;
        if (source->completed_count == source->count && --lab->unfinished == 0 && !lab->until_ns)
            sim_stop(lab->sim);
    }
    if (source->contexts)
        source->free_contexts[source->free_count++] = job->context;
    if (source->waiting) {
        struct lab_job *next = source->waiting;
        DL_DELETE(source->waiting, next);
        take_context(next);
        start(next);
    }
    if (source->completed)
        source->completed(source);
    if (source->closed) {
        sim_timer_init(&job->thinking, submit, job);
        sim_after(lab->sim, &job->thinking, draw_ns(lab, &source->between));
    } else {
        LL_PREPEND(source->idle_jobs, job);
    }
}

static void take_context(struct lab_job *job)
{
    struct lab_source *source = job->source;
    job->context = source->free_contexts[source->contexts ? --source->free_count : 0];
}

static void start(struct lab_job *job)
{
    const struct lab_source *source = job->source;
    job->packet = (struct vidsch_packet){.kind = PROBE_RENDER,
                                         .execute_ns = draw_ns(source->lab, &source->service),
                                         .granule_ns = source->granule_ns,
                                         .completed = completed,
                                         .owner = job};
    vidsch_submit(job->context, &job->packet);
}

static void submit(void *owner)
{
    struct lab_job *job = owner;
    struct lab_source *source = job->source;
    job->arrived_ns = sim_now(source->lab->sim);
    if (!source->contexts || source->free_count) {
        take_context(job);
        start(job);
    } else if (source->spread) {
        DL_APPEND(source->waiting, job);
    } else {
        child_fails("more jobs at a time than contexts");
    }
}

static void hold_engine(void *owner, struct vidsch_packet *packet)
{
    struct lab_job *job = owner;
    job->waited_for = true;
    if (job->here)
        vidsch_packet_executed(packet);
}

static void ignore(void *owner, struct vidsch_packet *packet)
{
    (void)owner, (void)packet;
}

static void come(void *owner)
{
    struct lab_job *job = owner;
    job->arrived_ns = sim_now(job->source->lab->sim);
    job->here = true;
    start(job);
    if (job->waited_for)
        vidsch_packet_executed(&job->announcement);
}

static void announce(struct lab_job *job)
{
    struct lab_source *source = job->source;
    take_context(job);
    job->waited_for = job->here = false;
    job->announcement = (struct vidsch_packet){
        .kind = PROBE_RENDER, .execute = hold_engine, .completed = ignore, .owner = job};
    vidsch_submit(job->context, &job->announcement);
    sim_timer_init(&job->thinking, come, job);
    sim_after(source->lab->sim, &job->thinking, source->announced_ns);
}

static void arrive(void *owner)
{
    struct lab_source *source = owner;
    struct lab_job *job = take_job(source);
    job->source = source;
    sim_after(source->lab->sim, &source->arrival, draw_ns(source->lab, &source->between));
    if (source->announced_ns)
        announce(job);
    else
        submit(job);
}

static void begin(void *owner)
{
    struct lab *lab = owner;
    for (uint32_t i = 0; i < lab->source_count; i++) {
        struct lab_source *source = &lab->sources[i];
        uint32_t customers = source->customers ? source->customers : 1;
        sim_timer_init(&source->arrival, arrive, source);
        if (!source->closed)
            sim_at(lab->sim, &source->arrival, source->first_ns);
        for (uint32_t customer = 0; source->closed && customer < customers; customer++) {
            struct lab_job *job = take_job(source);
            job->source = source;
            sim_timer_init(&job->thinking, submit, job);
            sim_after(lab->sim, &job->thinking, source->first_ns);
        }
    }
}

static void stop(void *owner)
{
    sim_stop(((struct lab *)owner)->sim);
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

static void note_packet(void *self, uint64_t now_ns, const struct probe_packet *packet)
{
    (void)now_ns;
    struct lab *lab = self;
    lab->busy_ns[packet->node] += packet->execute_ns;
}

static void note_switch(void *self, uint64_t now_ns, uint32_t node, uint32_t from, uint32_t to,
                        bool made, uint64_t cost_ns)
{
    (void)now_ns, (void)node, (void)from, (void)to, (void)cost_ns;
    struct lab *lab = self;
    lab->switches += made;
}

static void create_contexts(struct lab *lab, uint32_t index)
{
    struct lab_source *source = &lab->sources[index];
    source->lab = lab;
    source->free_count = source->contexts ? source->contexts : 1;
    source->free_contexts = memory_new(source->free_count, sizeof(struct vidsch_context *));
    lab->unfinished += source->count > 0;
    if (source->band)
        vidsch_process_set_band(lab->vidsch, index + 1, source->band);
    for (uint32_t i = 0; i < source->free_count; i++) {
        struct vidsch_context *context = vidsch_context_create(
            lab->vidsch, source->node + (source->spread ? i : 0), source->priority, false,
            index + 1, (struct probe_label){.number = i}, NULL);
        vidsch_context_set_in_process_priority(context, source->in_process);
        vidsch_context_set_quantum(context, source->quantum_ns);
        source->free_contexts[i] = context;
    }
}

static void run(void *argument)
{
    struct lab *lab = argument;
    const struct sim_link link = {1e9, 1e9, 1, false};
    struct sim_timer end;
    alarm(600);
    lab->probe = blind_probe();
    lab->probe.self = lab;
    lab->probe.packet = note_packet;
    lab->probe.context_switch = note_switch;
    lab->random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(lab->random, lab->seed);
    lab->sim = sim_create(&link, 1, NULL);
    lab->vidsch = vidsch_create(lab->sim, &lab->profile, &lab->probe);
    vidsch_set_memory(lab->vidsch, &(struct vidsch_memory){
                                       .prepare = prepare, .release = release, .unload = unload});
    for (uint32_t i = 0; i < lab->source_count; i++)
        create_contexts(lab, i);
    sim_timer_init(&end, stop, lab);
    if (lab->until_ns)
        sim_at(lab->sim, &end, lab->until_ns);
    sim_run(lab->sim, begin, lab);
    const char *wrong = vidsch_check(lab->vidsch);
    if (wrong)
        child_fails("%s", wrong);
}

struct lab *lab_new(void)
{
    struct lab *lab = child_shared(sizeof *lab);
    struct profile_error error;
    if (!profile_load("ideal", &lab->profile, &error)) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
    lab->seed = 1;
    return lab;
}

void lab_set(struct lab *lab, const char *key, const char *value)
{
    struct profile_error error;
    if (!profile_set(&lab->profile, key, value, "validation", &error)) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
}

static size_t bytes(const struct lab_source *source)
{
    return source->count * sizeof(double);
}

void lab_run(struct lab *lab)
{
    for (uint32_t i = 0; i < lab->source_count; i++) {
        struct lab_source *source = &lab->sources[i];
        if (source->count == 0)
            continue;
        source->response_ns = child_shared(bytes(source));
        source->completed_ns = child_shared(bytes(source));
    }
    if (!child_runs(run, lab)) {
        fprintf(stderr, "validation: a simulation failed\n");
        exit(1);
    }
}

void lab_free(struct lab *lab)
{
    for (uint32_t i = 0; i < lab->source_count; i++) {
        const struct lab_source *source = &lab->sources[i];
        if (source->count == 0)
            continue;
        munmap(source->response_ns, bytes(source));
        munmap(source->completed_ns, bytes(source));
    }
    munmap(lab, sizeof *lab);
}

static struct confident in_us(struct confident ns)
{
    return (struct confident){ns.mean / 1e3, ns.error / 1e3, ns.half_width / 1e3};
}

struct confident lab_mean_us(const struct lab_source *source)
{
    return in_us(confident_mean(source->response_ns, source->count));
}

struct confident lab_quantile_us(const struct lab_source *source, double p)
{
    return in_us(confident_quantile(source->response_ns, source->count, p));
}
