/* Designs, sensitivity indices and searches, against functions whose answers are known. */
#include "analysis/sweep/design.h"
#include "analysis/sweep/search.h"
#include "analysis/sweep/sensitivity.h"

#include <gsl/gsl_errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_near(double got, double expected, double tolerance, const char *what)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%s: expected %.6g, got %.6g", what, expected, got);
}

static double *cube(const char *text, size_t keys, uint64_t seed, struct design *design)
{
    char error[200] = "";
    assert_true(design_parse(text, design, error, sizeof error));
    double *unit = design_unit_cube(design, keys, seed, error, sizeof error);
    if (unit == NULL)
        fail_msg("%s", error);
    return unit;
}

static void designs_are_named(void **unused)
{
    (void)unused;
    static const char *const good[] = {"grid",     "one-at-a-time", "sobol:2",
                                       "halton:9", "lhs:1000",      "saltelli:64"};
    static const char *const bad[] = {"",         "sobol",   "sobol:",    "sobol:1", "sobol:-4",
                                      "sobol:4x", "grid:10", "sobol:1e3", "random:5"};
    struct design design;
    char error[200], text[48];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(design_parse(good[i], &design, error, sizeof error));
        design_print(&design, text);
        assert_string_equal(text, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        error[0] = 0;
        assert_false(design_parse(bad[i], &design, error, sizeof error));
        assert_non_null(strstr(error, "expected"));
    }
}

/* The first points of the sequences: van der Corput's in bases 2 and 3 for Halton. Sobol's: 2^k
 * points in one dimension fall into 2^k equal cells, one each, but for the origin that GSL skips.
 */
static void sequences_are_even(void **unused)
{
    (void)unused;
    struct design design;
    double *halton = cube("halton:4", 2, 1, &design);
    static const double expected[4][2] = {
        {0.5, 1. / 3}, {0.25, 2. / 3}, {0.75, 1. / 9}, {0.125, 4. / 9}};
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 2; k++)
            assert_near(halton[2 * i + k], expected[i][k], 1e-12, "halton");
    free(halton);
    double *sobol = cube("sobol:63", 3, 1, &design);
    for (size_t k = 0; k < 3; k++) {
        int seen[64] = {1};
        for (size_t i = 0; i < 63; i++)
            seen[(int)(sobol[3 * i + k] * 64)]++;
        for (size_t cell = 0; cell < 64; cell++)
            assert_int_equal(seen[cell], 1);
    }
    free(sobol);
}

static void hypercube_is_stratified(void **unused)
{
    (void)unused;
    struct design design;
    double *unit = cube("lhs:100", 4, 7, &design), *again = cube("lhs:100", 4, 7, &design);
    double *other = cube("lhs:100", 4, 8, &design);
    assert_memory_equal(unit, again, 400 * sizeof *unit);
    assert_memory_not_equal(unit, other, 400 * sizeof *unit);
    for (size_t k = 0; k < 4; k++) {
        int seen[100] = {0};
        for (size_t i = 0; i < 100; i++)
            seen[(int)(unit[4 * i + k] * 100)]++;
        for (size_t cell = 0; cell < 100; cell++)
            assert_int_equal(seen[cell], 1);
    }
    free(unit);
    free(again);
    free(other);
}

/* Ishigami: sin x1 + 7 sin² x2 + 0.1 x3⁴ sin x1 over [-pi, pi]³. With a = 7, b = 0.1:
 * V = a²/8 + b pi⁴/5 + b² pi⁸/18 + 1/2, V1 = (1 + b pi⁴/5)²/2, V2 = a²/8, V3 = 0,
 * V13 = 8 b² pi⁸/225; so S = 0.3139, 0.4424, 0 and ST = 0.5576, 0.4424, 0.2437. */
static double ishigami(const double *u)
{
    double x[3];
    for (size_t i = 0; i < 3; i++)
        x[i] = M_PI * (2 * u[i] - 1);
    return sin(x[0]) + 7 * sin(x[1]) * sin(x[1]) + 0.1 * pow(x[2], 4) * sin(x[0]);
}

static const double ishigami_first[] = {0.31390519, 0.44241114, 0};
static const double ishigami_total[] = {0.55758886, 0.44241114, 0.24368366};

static void ishigami_within_two_percent(void **unused)
{
    (void)unused;
    enum { SAMPLES = 8192 };
    struct design design;
    struct sensitivity indices[3];
    double *unit = cube("saltelli:8192", 3, 1, &design);
    double *values = malloc(SAMPLES * 5 * sizeof *values);
    assert_int_equal(design_rows(&design, 3), SAMPLES * 5);
    for (size_t i = 0; i < SAMPLES * 5; i++)
        values[i] = ishigami(unit + 3 * i);
    assert_true(sensitivity_of_saltelli(values, SAMPLES, 3, indices));
    for (size_t k = 0; k < 3; k++) {
        double tolerance = k == 2 ? 0.02 : 0.02 * ishigami_first[k]; /* 2 % of nothing is none */
        assert_near(indices[k].first, ishigami_first[k], tolerance, "first");
        assert_near(indices[k].total, ishigami_total[k], 0.02 * ishigami_total[k], "total");
    }
    /* The same from a plain sample: no pairs, first order only. */
    double *sample = cube("sobol:8192", 3, 1, &design);
    double *x = malloc(SAMPLES * sizeof *x), *y = malloc(SAMPLES * sizeof *y);
    for (size_t k = 0; k < 3; k++) {
        for (size_t i = 0; i < SAMPLES; i++) {
            x[i] = sample[3 * i + k];
            y[i] = ishigami(sample + 3 * i);
        }
        assert_true(sensitivity_of_sample(x, y, SAMPLES, &indices[0]));
        assert_near(indices[0].first, ishigami_first[k], 0.02, "first, from a sample");
    }
    free(unit);
    free(values);
    free(sample);
    free(x);
    free(y);
}

/* f = 4a + 2b + ab over a = -1, 1 and b = -1, 0, 1: orthogonal effects of variances 16, 4 · 2/3
 * and 2/3, in all 58/3. The first indices are 48/58 and 8/58, the interaction 2/58. */
static void grid_is_exact(void **unused)
{
    (void)unused;
    const size_t levels[] = {2, 3};
    double values[6];
    struct sensitivity indices[2];
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 3; j++) {
            double a = 2 * (double)i - 1, b = (double)j - 1;
            values[3 * i + j] = 4 * a + 2 * b + a * b;
        }
    assert_true(sensitivity_of_grid(values, levels, 2, indices));
    assert_near(indices[0].first, 48. / 58, 1e-12, "a alone");
    assert_near(indices[0].total, 50. / 58, 1e-12, "a in all");
    assert_near(indices[1].first, 8. / 58, 1e-12, "b alone");
    assert_near(indices[1].total, 10. / 58, 1e-12, "b in all");
    values[4] = (double)NAN;
    assert_false(sensitivity_of_grid(values, levels, 2, indices));
    for (size_t i = 0; i < 6; i++)
        values[i] = 1e9 + 0.1; /* no variance, though the mean is rounded */
    assert_false(sensitivity_of_grid(values, levels, 2, indices));
}

/* A function being searched, and what that cost. */
struct counted {
    double (*function)(const double *x);
    size_t keys, runs, stop_after;
};

static bool count_runs(void *self, const double *points, size_t count, double *values)
{
    struct counted *counted = self;
    for (size_t i = 0; i < count; i++)
        values[i] = counted->function(points + i * counted->keys);
    counted->runs += count;
    return counted->stop_after == 0 || counted->runs < counted->stop_after;
}

static double falls_at_5000(const double *x)
{
    return *x >= 5000 ? 1 : 2;
}

static double rises_above_5000(const double *x)
{
    return *x > 5000 ? 30 : 10;
}

static double bump(const double *x)
{
    return fabs(*x - 5000) < 1500 ? 2 : 1;
}

static double nothing(const double *x)
{
    (void)x;
    return (double)NAN;
}

static void threshold_is_found_to_the_step(void **unused)
{
    (void)unused;
    struct counted counted = {falls_at_5000, 1, 0, 0};
    struct search_runs runs = {count_runs, &counted, NULL};
    struct search_condition at_most = {.bound = 1.5};
    /* Grid values are 8 + 16 n: the first not below 5000 is 8 + 16 · 312 = 5000. */
    struct search_threshold found = search_threshold(&runs, 8, 10000, 16, &at_most);
    assert_int_equal(found.end, SEARCH_FOUND);
    assert_true(found.from_here_up);
    assert_near(found.value, 5000, 0, "threshold");
    assert_near(found.next, 4984, 0, "its neighbour");
    /* 9 looks, 2 ends again, and 7 or 8 halvings of 1248 down to below 8. */
    assert_in_range(counted.runs, 16, 20);
    /* From 1 in steps of 16: the first not below 5000 is 1 + 16 · 313 = 5009. */
    assert_near(search_threshold(&runs, 1, 10000, 16, &at_most).value, 5009, 0, "threshold");
    counted.function = rises_above_5000;
    at_most.bound = 10;
    found = search_threshold(&runs, 0, 10000, 1, &at_most);
    assert_int_equal(found.end, SEARCH_FOUND);
    assert_false(found.from_here_up);
    assert_near(found.value, 5000, 0, "the last that holds");
    assert_near(found.next, 5001, 0, "the first that does not");
    at_most.strictly = true; /* 10 < 10 never */
    assert_int_equal(search_threshold(&runs, 0, 10000, 1, &at_most).end, SEARCH_NOWHERE);
    at_most.bound = 31;
    assert_int_equal(search_threshold(&runs, 0, 10000, 1, &at_most).end, SEARCH_EVERYWHERE);
    counted.function = nothing;
    assert_int_equal(search_threshold(&runs, 0, 10000, 1, &at_most).end, SEARCH_UNKNOWN);
    at_most = (struct search_condition){.bound = 1.5};
    counted = (struct counted){falls_at_5000, 1, 0, 12};
    assert_int_equal(search_threshold(&runs, 0, 10000, 1, &at_most).end, SEARCH_ENDED);
}

/* Every threshold of a small range, from both sides. */
static double moving;
static double falls_at_moving(const double *x)
{
    return *x >= moving ? 0 : 1;
}

static void every_threshold_is_found(void **unused)
{
    (void)unused;
    struct counted counted = {falls_at_moving, 1, 0, 0};
    struct search_runs runs = {count_runs, &counted, NULL};
    for (int steps = 1; steps <= 40; steps++)
        for (int at = 1; at <= steps; at++) {
            moving = 100 + 5 * at;
            struct search_condition low = {.bound = 0.5}, high = {.bound = 0.5, .at_least = true};
            struct search_threshold up = search_threshold(&runs, 100, 100 + 5 * steps, 5, &low);
            struct search_threshold down = search_threshold(&runs, 100, 100 + 5 * steps, 5, &high);
            assert_int_equal(up.end, SEARCH_FOUND);
            assert_near(up.value, moving, 0, "first that holds");
            assert_int_equal(down.end, SEARCH_FOUND);
            assert_near(down.value, moving - 5, 0, "last that holds");
        }
}

static void several_changes_are_noticed(void **unused)
{
    (void)unused;
    struct counted counted = {bump, 1, 0, 0};
    struct search_runs runs = {count_runs, &counted, NULL};
    struct search_condition condition = {.bound = 1.5};
    struct search_threshold found = search_threshold(&runs, 0, 10000, 1, &condition);
    assert_int_equal(found.end, SEARCH_EVERYWHERE); /* at both ends */
    assert_true(found.not_monotone);
    condition.at_least = true;
    found = search_threshold(&runs, 0, 10000, 1, &condition);
    assert_int_equal(found.end, SEARCH_NOWHERE);
    assert_true(found.not_monotone);
    condition.at_least = false;
    found = search_threshold(&runs, 4000, 10000, 1, &condition);
    assert_int_equal(found.end, SEARCH_FOUND);
    assert_near(found.value, 6500, 0, "threshold");
}

static double valley(const double *x)
{
    return 3 + (*x - 0.37) * (*x - 0.37);
}

/* Rosenbrock's valley with its floor at 3, its minimum (1, 1) at (0.75, 0.75) of the cube. */
static double rosenbrock(const double *u)
{
    double x = 4 * u[0] - 2, y = 4 * u[1] - 2;
    return 3 + (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x);
}

/* Least outside the cube, so at its corner inside. */
static double slope(const double *u)
{
    return u[0] + 2 * u[1] + 3 * u[2];
}

static void minimum_is_found(void **unused)
{
    (void)unused;
    double best[3], least;
    struct counted counted = {valley, 1, 0, 0};
    struct search_runs runs = {count_runs, &counted, NULL};
    assert_true(search_minimum(&runs, 1, 24, best, &least));
    assert_near(best[0], 0.37, 1e-3, "valley");
    assert_in_range(counted.runs, 1, 24);
    counted = (struct counted){rosenbrock, 2, 0, 0};
    assert_true(search_minimum(&runs, 2, 200, best, &least));
    assert_near(least, 3, 0.01, "rosenbrock");
    assert_in_range(counted.runs, 1, 200);
    counted = (struct counted){slope, 3, 0, 0};
    assert_true(search_minimum(&runs, 3, 120, best, &least));
    assert_near(least, 0, 0.1, "corner");
    counted = (struct counted){nothing, 1, 0, 0};
    assert_false(search_minimum(&runs, 1, 10, best, &least));
    counted = (struct counted){rosenbrock, 2, 0, 100};
    assert_false(search_minimum(&runs, 2, 200, best, &least));
    counted = (struct counted){valley, 1, 0, 0};
    assert_true(search_minimum(&runs, 1, 1, best, &least));
    assert_int_equal(counted.runs, 1);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(designs_are_named),
        cmocka_unit_test(sequences_are_even),
        cmocka_unit_test(hypercube_is_stratified),
        cmocka_unit_test(ishigami_within_two_percent),
        cmocka_unit_test(grid_is_exact),
        cmocka_unit_test(threshold_is_found_to_the_step),
        cmocka_unit_test(every_threshold_is_found),
        cmocka_unit_test(several_changes_are_noticed),
        cmocka_unit_test(minimum_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
