/* Fitting: what the model's own numbers made is found again, what says nothing is left alone. */
#include "analysis/calibration.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { TIMES = 400, KEYS = 4 };

/* Time i takes a fixed 1000, key 0 i % 7 times, and key 1 or, if that is longer, key 2 twice: as a
 * call that waits for the later of two things. Key 3 does nothing. */
static double time_of(const double *key, size_t i)
{
    double one = key[1] * (double)(1 + i % 3), other = 2 * key[2];
    return 1000 + key[0] * (double)(i % 7) + (one > other ? one : other);
}

static bool simulate(void *self, const double *values, size_t points, double *simulated)
{
    size_t *runs = self;
    for (size_t p = 0; p < points; p++)
        for (size_t i = 0; i < TIMES; i++)
            simulated[p * TIMES + i] =
                i == 17 ? (double)NAN : time_of(values + p * KEYS, i); /* never happens */
    *runs += points;
    return true;
}

static const double truth[KEYS] = {30, 100, 70, 5};

static void start(struct calibration_key *keys)
{
    static const double begin[KEYS] = {10, 60, 50, 10}; /* either of the two is waited for */
    for (size_t k = 0; k < KEYS; k++)
        keys[k] = (struct calibration_key){.value = begin[k], .step = 1};
}

/* Every time is exact, so the errors vanish at the true values and nowhere else; the fit ends when
 * a round gains less than a thousandth of the mean error, which by then is rounding. */
static void test_finds(void **state)
{
    (void)state;
    double recorded[TIMES];
    struct calibration_key keys[KEYS];
    size_t runs = 0;
    for (size_t i = 0; i < TIMES; i++)
        recorded[i] = time_of(truth, i);
    start(keys);
    assert_true(calibration_fit(
        &(struct calibration){
            .count = TIMES, .recorded = recorded, .batch = simulate, .self = &runs},
        keys, KEYS));
    for (size_t k = 0; k < 3; k++) {
        assert_int_equal(keys[k].verdict, CALIBRATION_FITTED);
        assert_true(fabs(keys[k].value - truth[k]) < 1e-6);
    }
    assert_int_equal(keys[3].verdict, CALIBRATION_NO_EFFECT);
    assert_true(keys[3].value == 10);
    assert_true(runs > KEYS);
}

/* One time in ten is three times as long for a reason of its own, which a mean would follow: half
 * of the remaining error is theirs, and the bisquare gives them no weight. Those held out are all
 * so.
 */
static void test_outliers(void **state)
{
    (void)state;
    double recorded[TIMES];
    bool fitted[TIMES];
    struct calibration_key keys[KEYS];
    size_t runs = 0;
    for (size_t i = 0; i < TIMES; i++) {
        fitted[i] = i < TIMES / 2;
        recorded[i] = time_of(truth, i) * (i % 10 == 9 || !fitted[i] ? 3 : 1);
    }
    start(keys);
    assert_true(calibration_fit(&(struct calibration){.count = TIMES,
                                                      .recorded = recorded,
                                                      .fitted = fitted,
                                                      .batch = simulate,
                                                      .self = &runs},
                                keys, KEYS));
    for (size_t k = 0; k < 3; k++)
        assert_true(fabs(keys[k].value - truth[k]) < 0.01 * truth[k]);
}

static bool simulate_twins(void *self, const double *values, size_t points, double *simulated)
{
    (void)self;
    for (size_t p = 0; p < points; p++)
        for (size_t i = 0; i < TIMES; i++)
            simulated[p * TIMES + i] = 100 + (double)(i % 5) * (values[2 * p] + values[2 * p + 1]);
    return true;
}

/* Two keys of which only the sum has an effect: the first is fitted to it, the second is kept. */
static void test_twins(void **state)
{
    (void)state;
    double recorded[TIMES];
    struct calibration_key keys[2] = {{.value = 1, .step = 1}, {.value = 4, .step = 1}};
    for (size_t i = 0; i < TIMES; i++)
        recorded[i] = 100 + (double)(i % 5) * 30;
    assert_true(calibration_fit(
        &(struct calibration){.count = TIMES, .recorded = recorded, .batch = simulate_twins}, keys,
        2));
    assert_int_equal(keys[0].verdict, CALIBRATION_FITTED);
    assert_int_equal(keys[1].verdict, CALIBRATION_AS_ANOTHER);
    assert_true(fabs(keys[0].value - 26) < 1e-6);
    assert_true(keys[1].value == 4);
}

static bool end_at_once(void *self, const double *values, size_t points, double *simulated)
{
    (void)self, (void)values, (void)points, (void)simulated;
    return false;
}

static void test_ends(void **state)
{
    (void)state;
    double recorded[1] = {1};
    struct calibration_key key = {.value = 2, .step = 1};
    assert_false(calibration_fit(
        &(struct calibration){.count = 1, .recorded = recorded, .batch = end_at_once}, &key, 1));
    assert_true(key.value == 2);
}

/* y = 5 + 0.1 x with noise of 1 %, and one point in ten that took twice as long. The slope's error
 * is what GSL says; five of them and a thousandth for the outliers' pull are allowed. */
static void test_line(void **state)
{
    (void)state;
    enum { POINTS = 200 };
    double x[POINTS], y[POINTS];
    struct calibration_line line;
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(random, 5);
    for (size_t i = 0; i < POINTS; i++) {
        x[i] = 100 + 50 * (double)(i % 40);
        y[i] = (5 + 0.1 * x[i]) * (1 + gsl_ran_gaussian(random, 0.01)) * (i % 10 == 3 ? 2 : 1);
    }
    gsl_rng_free(random);
    assert_true(calibration_line(x, y, POINTS, &line));
    assert_true(fabs(line.slope - 0.1) < 5 * line.slope_error + 1e-4);
    assert_true(line.slope_error < 0.001);
    assert_false(calibration_line(x, y, 9, &line)); /* too few */
    for (size_t i = 0; i < POINTS; i++)
        y[i] = 7; /* whatever the size */
    assert_false(calibration_line(x, y, POINTS, &line));
    for (size_t i = 0; i < POINTS; i++)
        x[i] = 3; /* one size */
    assert_false(calibration_line(x, y, POINTS, &line));
}

/* 1 2 3 4 100: median 3, distances 2 1 0 1 97, their median 1; 1.253 · 1.4826 / √5 = 0.8308. */
static void test_median(void **state)
{
    (void)state;
    double values[] = {4, 100, 2, 1, 3}, error;
    assert_true(calibration_median(values, 5, &error) == 3);
    assert_true(fabs(error - 0.8308) < 1e-4);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds), cmocka_unit_test(test_outliers),
        cmocka_unit_test(test_twins), cmocka_unit_test(test_ends),
        cmocka_unit_test(test_line),  cmocka_unit_test(test_median)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
