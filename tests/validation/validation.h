/* What the experiments of `make validation` share: rows of a table, what is expected beside what
 * was simulated. */
#ifndef WDDMSIM_TESTS_VALIDATION_H
#define WDDMSIM_TESTS_VALIDATION_H

#include <stdbool.h>
#include <stddef.h>

/* Full: as many jobs as the tolerances below are for. Otherwise a tenth of them, and the tolerances
 * of what is random are as much wider. */
extern bool validation_full;

/* So many in a full run, a tenth of it otherwise. */
size_t validation_jobs(size_t full);

/* An estimate, its standard error, and half the width of its 99.9 % confidence interval. */
struct confident {
    double mean, error, half_width;
};

/* Means of consecutive batches, which are nearly independent, and their Student interval. The first
 * twentieth is warm-up. */
struct confident confident_mean(const double *values, size_t count);
struct confident confident_quantile(const double *values, size_t count, double p);

/* The closed form lies in the interval, and the standard error is at most `tolerance` of it: else
 * the run was too short to say anything. */
void validation_confident(const char *what, double expected, struct confident simulated,
                          const char *unit, double tolerance);

/* The two differ by no more than this share of what is expected. */
void validation_near(const char *what, double expected, double simulated, const char *unit,
                     double tolerance);

/* What is simulated lies between the two. */
void validation_between(const char *what, double least, double most, double simulated,
                        const char *unit);

/* The experiment cannot be made here. */
void validation_skip(const char *why);

/* Something went wrong that is not a number. */
void validation_fail(const char *what);

typedef void experiment_function(void);
experiment_function engine_copies, program_copies, both_directions, cyclic_streaming, fault_batches,
    faulting_product, fair_sharing, cyclic_scans, independent_references, time_sharing,
    fifty_percent, conservation, one_queue, several_engines, priorities, preempted_job, round_robin,
    closed_system, residual_time, periodic_tasks, shrinking_timeslice, forced_preemption,
    switch_bounds, submission_bubbles, timeslice_budget, starved_band, windows_recording,
    amdgpu_recording, windows_destruction;

#endif
