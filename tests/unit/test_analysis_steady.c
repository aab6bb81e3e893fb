/* Confidence intervals and warm-up, against closed forms and GSL. */
#include "analysis/steady.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEED = 20261125 };

static gsl_rng *generator(void)
{
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(rng, SEED);
    return rng;
}

static void assert_near(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("expected %.12g, got %.12g (tolerance %g)", expected, got, tolerance);
}

/* 2, 4, 6: mean 4, standard deviation 2; t(0.975, 2) is 4.302653 in every table, so the half width
 * is 4.302653 * 2 / sqrt(3) = 4.968276. */
static void the_interval_is_students(void **unused)
{
    (void)unused;
    const double values[] = {2, 4, 6};
    struct estimate estimate = estimate_mean(values, 3);
    assert_near(estimate.mean, 4, 0);
    assert_near(estimate.half_width, 4.968276, 1e-5);
    estimate = estimate_mean(values, 1);
    assert_near(estimate.mean, 2, 0);
    assert_true(isnan(estimate.half_width));
    assert_true(isnan(estimate_mean(values, 0).mean));
}

/* Batches hold every full observation in order, whatever the number: of 0, 1, 2, ... a batch's sum
 * is known, and their mean is the mean of what they cover. */
static void batches_cover_everything_in_order(void **unused)
{
    (void)unused;
    static const uint64_t counts[] = {1, 999, 1024, 1025, 2048, 2049, 5000, 1000000};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        struct batches *batches = calloc(1, sizeof *batches);
        double means[BATCHES];
        for (uint64_t i = 0; i < counts[c]; i++)
            batches_add(batches, i);
        size_t count = batches_means(batches, means);
        uint64_t size = (uint64_t)1 << batches->shift;
        assert_int_equal(count, counts[c] / size);
        assert_true(counts[c] <= 1024 ? size == 1 : count > BATCHES / 2 - 1);
        for (size_t i = 0; i < count; i++)
            assert_near(means[i], (double)i * (double)size + (double)(size - 1) / 2, 0);
        assert_int_equal(batches->open_count, counts[c] % size);
        free(batches);
    }
}

/* Noise around 10 behind a decaying start: MSER's own definition, computed the slow way. */
static void warm_up_is_where_the_error_is_least(void **unused)
{
    (void)unused;
    enum { COUNT = 500, GROUP = 5, GROUPS = COUNT / GROUP };
    gsl_rng *rng = generator();
    double values[COUNT], means[GROUPS];
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < COUNT; i++)
            values[i] = 10 + 100 * exp(-i / 20.0) + gsl_ran_gaussian(rng, 1);
        for (int g = 0; g < GROUPS; g++)
            means[g] = gsl_stats_mean(values + g * GROUP, 1, GROUP);
        size_t best = 0, warm_up;
        double least = INFINITY;
        for (size_t cut = 0; cut <= GROUPS / 2; cut++) {
            size_t rest = GROUPS - cut;
            double error = gsl_stats_variance_with_fixed_mean(
                               means + cut, 1, rest, gsl_stats_mean(means + cut, 1, rest)) /
                           (double)rest;
            if (error < least) {
                least = error;
                best = cut;
            }
        }
        assert_true(steady_warm_up(values, COUNT, &warm_up));
        assert_int_equal(warm_up, best * GROUP);
        assert_true(warm_up >= 40); /* there 100 e^-2 = 13.5 are still to go */
    }
    gsl_rng_free(rng);
}

static void what_has_no_steady_state_gets_no_interval(void **unused)
{
    (void)unused;
    double values[1000];
    struct estimate estimate;
    size_t warm_up;
    for (int i = 0; i < 1000; i++)
        values[i] = i; /* never settles */
    assert_false(steady_estimate(values, 1000, &estimate, &warm_up));
    assert_false(steady_estimate(values, 40, &estimate, &warm_up)); /* too few */
    for (int i = 0; i < 1000; i++)
        values[i] = 7; /* nothing to cut, nothing uncertain */
    assert_true(steady_estimate(values, 1000, &estimate, &warm_up));
    assert_int_equal(warm_up, 0);
    assert_near(estimate.mean, 7, 0);
    assert_near(estimate.half_width, 0, 0);
}

/* M/M/1 that starts empty, the response times of CUSTOMERS customers by Lindley's recursion: the
 * true mean is s / (1 - rho) (validation of queues: s = 100 us, rho = 0.5, so 200 us). The 95 %
 * interval must hold it in 93 to 97 of 100 runs. */
static void intervals_cover_the_mean_of_a_queue(void **unused)
{
    (void)unused;
    enum { RUNS = 1000, CUSTOMERS = 40000 };
    const double service_ns = 100e3, between_ns = 200e3;
    gsl_rng *rng = generator();
    unsigned covered = 0;
    double half_width = 0;
    for (int run = 0; run < RUNS; run++) {
        struct batches *batches = calloc(1, sizeof *batches);
        double waited = 0;
        for (int customer = 0; customer < CUSTOMERS; customer++) {
            double service = gsl_ran_exponential(rng, service_ns);
            batches_add(batches, (uint64_t)(waited + service + 0.5));
            waited = fmax(waited + service - gsl_ran_exponential(rng, between_ns), 0);
        }
        double means[BATCHES];
        struct estimate estimate;
        size_t warm_up;
        assert_true(steady_estimate(means, batches_means(batches, means), &estimate, &warm_up));
        covered += fabs(estimate.mean - 200e3) <= estimate.half_width;
        half_width += estimate.half_width / RUNS;
        free(batches);
    }
    gsl_rng_free(rng);
    print_message("seed %d: %u of %d intervals hold the mean; half width %.1f us of 200\n", SEED,
                  covered, RUNS, half_width / 1e3);
    assert_in_range(covered, 930, 970);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_interval_is_students),
        cmocka_unit_test(batches_cover_everything_in_order),
        cmocka_unit_test(warm_up_is_where_the_error_is_least),
        cmocka_unit_test(what_has_no_steady_state_gets_no_interval),
        cmocka_unit_test(intervals_cover_the_mean_of_a_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
