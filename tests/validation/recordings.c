/* Recordings: when each packet completes, given when it was submitted, what it waits for, and how
 * long the engine takes for it (and, on Windows, the driver). And how long what is terminated has
 * to wait until it is destroyed. */
#include "model/memory.h"
#include "model/status.h"
#include "model/blind.h"
#include "tests/recording.h"
#include "tests/unit/profiles.h"
#include "tests/validation/validation.h"
#include "traces/reader.h"
#include "workloads/replay.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

enum { PACKETS = 4096, CALLS = 512, NODES = 64 };

/* The first half of the recording by itself gives these means for the steps of the scheduler that
 * a trace does not have packet by packet; the profile has those of the whole. */
static const double HALF_NS = 1.07e9;
static const char *const of_first_half[][2] = {
    {"scheduler.wake", "6.1us"},
    {"scheduler.submit", "12.7us"},
    {"scheduler.submit-idle", "4.2us"},
    {"scheduler.power-latency", "8.6us"},
    {"scheduler.wait", "10.1us"},
    {"scheduler.signal", "8.9us"},
    {"scheduler.present", "6us"},
    {"scheduler.flip", "48.8us"},
    {"scheduler.complete", "9.7us"},
    {"scheduler.complete-signal", "7us"},
    {"scheduler.complete-present", "7.6us"},
    {NULL, NULL},
};

struct submission {
    uint64_t start_ns, done_ns;
    uint32_t pid;
};

struct durations {
    size_t count;
    double ns[CALLS];
};

struct outcome {
    size_t count;
    double submitted_ns[PACKETS], recorded_ns[PACKETS], simulated_ns[PACKETS];
    struct submission submissions[PACKETS], destructions[CALLS];
    size_t submission_count;
    struct durations creates, destroys, makes_resident; /* call to return */
    struct durations deferred, recorded_deferred;       /* terminated to destroyed */
    uint64_t switches[NODES], preemption_packets, preempted;
    double recorded_switches[NODES]; /* NAN: the node has run nothing */
    double recorded_preemption_packets, recorded_preempted;
};

/* amdgpu, likewise: the mean of what Linux' scheduler thread takes to hand over a job, of those
 * submitted in the first half. All other costs are nothing. */
static const double AMDGPU_HALF_NS = 1.77e9;
static const char *const amdgpu_of_first_half[][2] = {
    {"scheduler.wake", "36.6us"},
    {NULL, NULL},
};

static char path[600];
static const char *machine;
static const char *const (*settings)[2];

static void add_duration(struct durations *durations, uint64_t ns)
{
    if (durations->count == CALLS)
        child_fails("more calls than are known of");
    durations->ns[durations->count++] = (double)ns;
}

static void note_submission(struct outcome *outcome, const struct probe_call *call)
{
    if (outcome->submission_count == PACKETS)
        child_fails("more packets than are known of");
    outcome->submissions[outcome->submission_count++] =
        (struct submission){call->start_ns, call->done_ns, call->pid};
    if (!call->expected.has_done)
        return;
    outcome->submitted_ns[outcome->count] = (double)call->due_ns;
    outcome->recorded_ns[outcome->count] = (double)call->expected.latency_ns;
    outcome->simulated_ns[outcome->count++] = (double)(call->done_ns - call->start_ns);
}

static void note_call(void *self, const struct probe_call *call)
{
    struct outcome *outcome = self;
    uint64_t dur_ns = call->return_ns - call->start_ns;
    if (strcmp(call->op, "Submit") == 0)
        note_submission(outcome, call);
    else if (strcmp(call->op, "CreateAllocation") == 0)
        add_duration(&outcome->creates, dur_ns);
    else if (strcmp(call->op, "MakeResident") == 0 && call->status == STATUS_SUCCESS)
        add_duration(&outcome->makes_resident, dur_ns);
    else if (strcmp(call->op, "DestroyAllocation") == 0 && call->expected.has_done) {
        outcome->destructions[outcome->deferred.count] =
            (struct submission){call->start_ns, call->done_ns, call->pid};
        add_duration(&outcome->destroys, dur_ns);
        add_duration(&outcome->deferred, call->done_ns - call->start_ns);
        add_duration(&outcome->recorded_deferred, call->expected.latency_ns);
    }
}

static void note_packet(void *self, uint64_t now_ns, const struct probe_packet *packet)
{
    (void)now_ns;
    struct outcome *outcome = self;
    outcome->preemption_packets += packet->kind == PROBE_PREEMPTION;
    outcome->preempted += packet->preemptions;
}

static void note_switch(void *self, uint64_t now_ns, uint32_t node, uint32_t from, uint32_t to,
                        bool made, uint64_t cost_ns)
{
    (void)now_ns, (void)to, (void)cost_ns;
    if (made && from != UINT32_MAX) /* what ran before its first packet no recording knows */
        ((struct outcome *)self)->switches[node]++;
}

static double fact(const struct trace_reader *reader, const char *key)
{
    size_t count;
    const struct trace_fact *facts = trace_reader_facts(reader, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(facts[i].key, key) == 0)
            return facts[i].value;
    return NAN;
}

static void replay(void *argument)
{
    struct outcome *outcome = argument;
    static struct profile profile;
    struct trace_reader *reader;
    struct trace_error bad;
    struct replay_result result;
    char error[512];
    child_profile(&profile, machine, settings);
    if (!trace_open(path, NULL, &reader, &bad))
        child_fails("%s", bad.message);
    struct probe probe = blind_probe();
    probe.self = outcome;
    probe.call = note_call;
    probe.packet = note_packet;
    probe.context_switch = note_switch;
    const struct replay_options options = {.to_ns = UINT64_MAX, .seed = 1, .check = true};
    if (replay_run(reader, &profile, &probe, &options, &result, error, sizeof error) != REPLAY_OK)
        child_fails("%s", error);
    for (uint32_t node = 0; node < NODES; node++) {
        char key[48];
        snprintf(key, sizeof key, "context-switches-node-%u", node);
        outcome->recorded_switches[node] = fact(reader, key);
    }
    outcome->recorded_preemption_packets = fact(reader, "preemption-packets");
    outcome->recorded_preempted = fact(reader, "preempted");
}

static bool find_recording(const char *name)
{
    bool found = recording_path(name, path, sizeof path);
    if (!found)
        validation_skip("the recording is not there (WDDMSIM_SHARED)");
    return found;
}

static const char WINDOWS[] = "windows-etl/steamvr-win10-17134.etl.gz";
static const char AMDGPU[] = "linux-trace-cmd/amdgpu-steamvr-2017-07.dat.gz";

/* Of the errors, relative to the recorded time, of packets submitted from then on. */
static double error_quantile(const struct outcome *outcome, double from_ns, double p)
{
    static double errors[PACKETS];
    size_t count = 0;
    for (size_t i = 0; i < outcome->count; i++)
        if (outcome->submitted_ns[i] >= from_ns)
            errors[count++] = 100 * fabs(outcome->simulated_ns[i] - outcome->recorded_ns[i]) /
                              outcome->recorded_ns[i];
    gsl_sort(errors, 1, count);
    return gsl_stats_quantile_from_sorted_data(errors, 1, count, p);
}

static void deciles(struct outcome *outcome)
{
    gsl_sort(outcome->recorded_ns, 1, outcome->count);
    gsl_sort(outcome->simulated_ns, 1, outcome->count);
    for (int decile = 1; decile <= 9; decile++) {
        char text[48];
        snprintf(text, sizeof text, "decile %d of the latency", decile);
        double p = decile / 10.0;
        validation_near(
            text,
            gsl_stats_quantile_from_sorted_data(outcome->recorded_ns, 1, outcome->count, p) / 1e3,
            gsl_stats_quantile_from_sorted_data(outcome->simulated_ns, 1, outcome->count, p) / 1e3,
            "us", 0.03);
    }
}

static struct outcome *run_with(const char *profile, const char *const (*changes)[2])
{
    struct outcome *outcome = child_shared(sizeof *outcome);
    machine = profile;
    settings = changes;
    if (!child_runs(replay, outcome)) {
        fprintf(stderr, "validation: the replay failed\n");
        exit(1);
    }
    return outcome;
}

static void at_most_twice(const char *what, double recorded, uint64_t simulated)
{
    validation_between(what, recorded / 2, recorded * 2, (double)simulated, "");
}

static void compare_switches(uint32_t node, double recorded, uint64_t simulated)
{
    char text[48];
    if (isnan(recorded))
        return;
    snprintf(text, sizeof text, "context switches on node %u", node);
    if (recorded > 0)
        validation_near(text, recorded, (double)simulated, "", 0.05);
    else
        validation_between(text, 0, 0, (double)simulated, "");
}

static void errors(const char *of, struct outcome *outcome)
{
    static const struct {
        const char *name;
        double share, most;
    } quantiles[] = {{"median", 0.5, 4}, {"p90", 0.9, 18}};
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        char text[64];
        snprintf(text, sizeof text, "error of a %s's latency: %s", of, quantiles[i].name);
        validation_between(text, 0, quantiles[i].most,
                           error_quantile(outcome, 0, quantiles[i].share), "%");
    }
}

void windows_recording(void)
{
    if (!find_recording(WINDOWS))
        return;
    struct outcome *outcome = run_with("rtx3070-8g", NULL);
    errors("packet", outcome);
    for (uint32_t node = 0; node < NODES; node++)
        compare_switches(node, outcome->recorded_switches[node], outcome->switches[node]);
    at_most_twice("preemption packets", outcome->recorded_preemption_packets,
                  outcome->preemption_packets);
    at_most_twice("packets preempted", outcome->recorded_preempted, outcome->preempted);
    deciles(outcome);
    munmap(outcome, sizeof *outcome);
    outcome = run_with("rtx3070-8g", of_first_half);
    validation_between("second half, costs of the first: median", 0, 6,
                       error_quantile(outcome, HALF_NS, 0.5), "%");
    munmap(outcome, sizeof *outcome);
}

void amdgpu_recording(void)
{
    if (!find_recording(AMDGPU))
        return;
    struct outcome *outcome = run_with("ideal", amdgpu_of_first_half);
    errors("job", outcome);
    validation_between("second half, costs of the first: median", 0, 6,
                       error_quantile(outcome, AMDGPU_HALF_NS, 0.5), "%");
    deciles(outcome);
    munmap(outcome, sizeof *outcome);
}

static double median_us(struct durations *durations)
{
    gsl_sort(durations->ns, 1, durations->count);
    return gsl_stats_median_from_sorted_data(durations->ns, 1, durations->count) / 1e3;
}

/* Destructions that end before a packet which their process had submitted earlier; and, as a
 * measure of how much that says, those that find such packets at all. */
static void count_early(const struct outcome *outcome, double *early, double *behind)
{
    *early = *behind = 0;
    for (size_t i = 0; i < outcome->deferred.count; i++) {
        const struct submission *destroy = &outcome->destructions[i];
        bool is_early = false, is_behind = false;
        for (size_t j = 0; j < outcome->submission_count; j++) {
            const struct submission *submission = &outcome->submissions[j];
            if (submission->pid != destroy->pid || submission->start_ns > destroy->start_ns)
                continue;
            is_behind |= submission->done_ns > destroy->start_ns;
            is_early |= submission->done_ns > destroy->done_ns;
        }
        *early += is_early;
        *behind += is_behind;
    }
}

void windows_destruction(void)
{
    if (!find_recording(WINDOWS))
        return;
    struct outcome *outcome = run_with("rtx3070-8g", NULL);
    validation_between("CreateAllocation, call to return: median", 40, 50,
                       median_us(&outcome->creates), "us");
    validation_between("MakeResident of what is there, call to return: median", 12.4, 12.6,
                       median_us(&outcome->makes_resident), "us");
    validation_between("DestroyAllocation, call to return: median", 0, 10,
                       median_us(&outcome->destroys), "us");
    double least = INFINITY, most = 0, early, behind;
    for (size_t i = 0; i < outcome->deferred.count; i++) {
        double ratio = outcome->deferred.ns[i] / outcome->recorded_deferred.ns[i];
        least = fmin(least, ratio);
        most = fmax(most, ratio);
    }
    validation_between("terminated to destroyed: the least of what was recorded", 0.5, 2, least,
                       "");
    validation_between("terminated to destroyed: the most of what was recorded", 0.5, 2, most, "");
    count_early(outcome, &early, &behind);
    validation_between("destroyed before an earlier packet of the process", 0, 0, early, "");
    validation_between("terminated while there are such packets", 1, 26, behind, "");
    validation_between("terminated to destroyed: median", 700, 1200, median_us(&outcome->deferred),
                       "us");
    munmap(outcome, sizeof *outcome);
}
