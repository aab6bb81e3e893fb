/* make validation: experiments whose outcome is known, from a closed form or from what others have
 * published, and what the model makes of them.
 *
 *     validation            a tenth of the jobs: some seconds
 *     validation --full     all of them
 *     validation NAME...    these alone
 *
 * A new experiment is one file and one row in the table below. */
#include "tests/validation/validation.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct experiment {
    const char *name, *title;
    experiment_function *run;
} experiments[] = {
    {"A1", "copies as the engine sees them (uvm-eval, TITAN V)", engine_copies},
    {"A2", "copies as the program sees them (gpu-benches, V100)", program_copies},
    {"A3", "both directions of the link at once (nvbandwidth, A100)", both_directions},
    {"A4", "streaming through more than the memory (gpu-benches, V100)", cyclic_streaming},
    {"A5", "batches of faults, evicted blocks (uvm-eval, TITAN V)", fault_batches},
    {"A6", "a product that faults its matrices in (Bede, V100)", faulting_product},
    {"A7", "preemption by shrinking the time slice (GPreempt, A100)", shrinking_timeslice},
    {"A8", "forced preemption, 5,504 times a second (gpu_ext, RTX 5090)", forced_preemption},
    {"A10", "context switches below 100 us (Pascal white paper)", switch_bounds},
    {"A11", "submission bubbles (NVAPI, command buffers)", submission_bubbles},
    {"A12", "budget of time slices (NVIDIA DRIVE OS)", timeslice_budget},
    {"A13", "the starved normal band (DXGKARG_SETUPPRIORITYBANDS)", starved_band},
    {"A14", "the Windows recording, packet by packet", windows_recording},
    {"A14b", "an amdgpu recording, job by job", amdgpu_recording},
    {"A15", "the Windows recording: create, destroy, and the deferral between",
     windows_destruction},
    {"B1", "one queue, one engine: M/M/1, M/D/1, M/G/1", one_queue},
    {"B2", "several engines of one queue: M/M/c", several_engines},
    {"B3", "two priorities", priorities},
    {"B4", "a long job preempted by short ones", preempted_job},
    {"B5", "round robin", round_robin},
    {"B6", "a closed system", closed_system},
    {"B7", "time to the next boundary", residual_time},
    {"B8", "periodic tasks of fixed priority", periodic_tasks},
    {"B9", "two flows on one link", fair_sharing},
    {"B10", "replacement on cyclic scans", cyclic_scans},
    {"B11", "replacement, independent references (Che)", independent_references},
    {"B12", "working sets that do not fit together", time_sharing},
    {"B13", "holes and blocks (Knuth), buddies", fifty_percent},
    {"B14", "what is conserved", conservation},
};

enum { BATCHES = 30 };

bool validation_full;
static unsigned failed, rows;

size_t validation_jobs(size_t full)
{
    return validation_full ? full : full / 10;
}

static struct confident of_batches(const double batches[BATCHES])
{
    static const double confidence = 0.999;
    double deviation = gsl_stats_sd(batches, 1, BATCHES) / sqrt(BATCHES);
    return (struct confident){
        .mean = gsl_stats_mean(batches, 1, BATCHES),
        .error = deviation,
        .half_width = deviation * gsl_cdf_tdist_Pinv(1 - (1 - confidence) / 2, BATCHES - 1)};
}

struct confident confident_mean(const double *values, size_t count)
{
    double batches[BATCHES];
    size_t warm_up = count / 20, size = (count - warm_up) / BATCHES;
    for (size_t i = 0; i < BATCHES; i++)
        batches[i] = gsl_stats_mean(values + warm_up + i * size, 1, size);
    return of_batches(batches);
}

struct confident confident_quantile(const double *values, size_t count, double p)
{
    double batches[BATCHES];
    size_t warm_up = count / 20, size = (count - warm_up) / BATCHES;
    double *sorted = malloc(size * sizeof *sorted);
    for (size_t i = 0; i < BATCHES; i++) {
        memcpy(sorted, values + warm_up + i * size, size * sizeof *sorted);
        gsl_sort(sorted, 1, size);
        batches[i] = gsl_stats_quantile_from_sorted_data(sorted, 1, size, p);
    }
    free(sorted);
    return of_batches(batches);
}

static void verdict(bool good)
{
    rows++;
    failed += !good;
    puts(good ? "ok" : "OFF");
    fflush(stdout);
}

void validation_confident(const char *what, double expected, struct confident simulated,
                          const char *unit, double tolerance)
{
    tolerance *= validation_full ? 1 : sqrt(10);
    printf("  %-52s %10.4g %10.4g +- %-8.2g %-5s ", what, expected, simulated.mean,
           simulated.half_width, unit);
    verdict(fabs(simulated.mean - expected) <= simulated.half_width &&
            simulated.error <= tolerance * expected);
}

void validation_near(const char *what, double expected, double simulated, const char *unit,
                     double tolerance)
{
    printf("  %-52s %10.6g %10.6g    %-8.3s %-5s ", what, expected, simulated, "", unit);
    verdict(fabs(simulated - expected) <= tolerance * fabs(expected));
}

void validation_between(const char *what, double least, double most, double simulated,
                        const char *unit)
{
    char range[32];
    snprintf(range, sizeof range, "%.4g..%.4g", least, most);
    printf("  %-46s %16s %10.4g    %-8s %-5s ", what, range, simulated, "", unit);
    verdict(simulated >= least && simulated <= most);
}

void validation_skip(const char *why)
{
    printf("  skipped: %s\n", why);
}

void validation_fail(const char *what)
{
    printf("  %s ", what);
    verdict(false);
}

static bool is_wanted(const char *name, int count, char **names)
{
    bool named = false;
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
        named |= names[i][0] != '-';
    }
    return !named;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        validation_full |= strcmp(argv[i], "--full") == 0;
    printf("  %-52s %10s %10s\n", "", "expected", "simulated");
    for (size_t i = 0; i < sizeof experiments / sizeof *experiments; i++) {
        if (!is_wanted(experiments[i].name, argc - 1, argv + 1))
            continue;
        printf("%s: %s\n", experiments[i].name, experiments[i].title);
        experiments[i].run();
    }
    printf("%u of %u rows as expected\n", rows - failed, rows);
    return failed ? 1 : 0;
}
