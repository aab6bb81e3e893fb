/* The histogram against exact answers from sorted values. */
#include "analysis/blame_levels.h"
#include "analysis/histogram.h"
#include "analysis/human.h"
#include "analysis/series.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEED = 20240607, MANY = 50000 };

static uint64_t state;

static uint64_t any(void) /* xorshift64: the same numbers on every machine */
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Values that are hard on buckets: every magnitude, edges of powers of two, long runs of one. */
static uint64_t adversarial(int kind, size_t i)
{
    switch (kind) {
    case 0:
        return any() >> (any() % 64);
    case 1:
        return ((uint64_t)1 << (any() % 64)) + (any() % 3) - 1;
    case 2:
        return i % 100 == 0 ? UINT64_MAX - any() % 1000 : 7;
    default:
        return 1000000 + any() % 1000;
    }
}

static void check_against_sorted(const struct histogram *histogram, uint64_t *values, size_t count,
                                 bool exact)
{
    static const unsigned permilles[] = {1, 100, 250, 500, 750, 900, 990, 999};
    qsort(values, count, sizeof *values, ascending);
    for (size_t i = 0; i < sizeof permilles / sizeof *permilles; i++) {
        size_t rank = (count * permilles[i] + 999) / 1000;
        uint64_t right = values[rank - 1], got = 0;
        assert_true(histogram_quantile(histogram, permilles[i], &got));
        uint64_t off = got > right ? got - right : right - got;
        if (exact)
            assert_int_equal(off, 0);
        else
            assert_true(off <= right / 512 + 1);
    }
    assert_true(histogram->min == values[0] && histogram->max == values[count - 1]);
}

static void quantiles_of_many_values_are_within_the_bound(void **unused)
{
    (void)unused;
    uint64_t *values = calloc(MANY, sizeof *values);
    for (int kind = 0; kind < 4; kind++) {
        struct histogram histogram = {0};
        state = SEED + (uint64_t)kind;
        print_message("seed %d, kind %d\n", SEED, kind);
        for (size_t i = 0; i < MANY; i++)
            histogram_add(&histogram, values[i] = adversarial(kind, i));
        check_against_sorted(&histogram, values, MANY, false);
        histogram_clear(&histogram);
    }
    free(values);
}

static void quantiles_of_few_values_are_exact(void **unused)
{
    (void)unused;
    uint64_t values[HISTOGRAM_EXACT];
    for (int kind = 0; kind < 4; kind++) {
        struct histogram histogram = {0};
        state = SEED + (uint64_t)kind;
        for (size_t i = 0; i < HISTOGRAM_EXACT; i++)
            histogram_add(&histogram, values[i] = adversarial(kind, i));
        check_against_sorted(&histogram, values, HISTOGRAM_EXACT, true);
        histogram_clear(&histogram);
    }
}

static void assert_same(const struct histogram *a, const struct histogram *b)
{
    assert_true(a->count == b->count && a->sum == b->sum);
    assert_true(a->min == b->min && a->max == b->max);
    assert_int_equal(a->raw == NULL, b->raw == NULL);
    for (unsigned o = 0; o < HISTOGRAM_OCTAVES; o++) {
        assert_int_equal(a->octave[o] == NULL, b->octave[o] == NULL);
        if (a->octave[o] != NULL)
            assert_memory_equal(a->octave[o], b->octave[o], HISTOGRAM_BUCKETS * sizeof(uint64_t));
    }
}

static void merging_is_recording_into_one(void **unused)
{
    (void)unused;
    static const size_t sizes[] = {0, 1, 500, 524, 525, 1024, 1025, 5000};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    for (size_t a = 0; a < SIZES; a++)
        for (size_t b = 0; b < SIZES; b++) {
            struct histogram left = {0}, right = {0}, both = {0};
            state = SEED;
            for (size_t i = 0; i < sizes[a] + sizes[b]; i++) {
                uint64_t value = adversarial(0, i);
                histogram_add(i < sizes[a] ? &left : &right, value);
                histogram_add(&both, value);
            }
            histogram_merge(&left, &right);
            assert_same(&left, &both);
            histogram_clear(&left);
            histogram_clear(&right);
            histogram_clear(&both);
        }
}

static void too_few_samples_have_no_quantile(void **unused)
{
    (void)unused;
    struct histogram histogram = {0};
    uint64_t value = 0;
    assert_false(histogram_quantile(&histogram, 500, &value));
    for (uint64_t i = 1; i <= 1000; i++) {
        histogram_add(&histogram, i);
        assert_true(histogram_quantile(&histogram, 500, &value));
        assert_true(histogram_quantile(&histogram, 900, &value));
        assert_int_equal(histogram_quantile(&histogram, 990, &value), i >= 100);
        assert_int_equal(histogram_quantile(&histogram, 999, &value), i >= 1000);
    }
    assert_int_equal(value, 999); /* rank ceil(0.999 * 1000) of 1..1000 */
    histogram_clear(&histogram);
}

struct total {
    uint64_t last_value, last_count;
};

/* 90 calls of 1,000 ns that executed; 10 of 100,000 ns, of which 70,000 were a transfer and 30,000
 * the queue. The parts of a quantile are those of the calls around it and add up to it. */
static void levels_say_what_slow_calls_consist_of(void **unused)
{
    (void)unused;
    struct blame_levels levels = {{0}};
    const uint64_t fast[PROBE_CAUSES] = {[PROBE_EXECUTE] = 1000};
    const uint64_t slow[PROBE_CAUSES] = {[PROBE_TRANSFER] = 70000, [PROBE_QUEUE] = 30000};
    uint64_t part[PROBE_CAUSES];
    for (int i = 0; i < 100; i++)
        blame_levels_add(&levels, i < 90 ? 1000 : 100000, i < 90 ? fast : slow);
    blame_levels_at(&levels, 1000, part);
    assert_int_equal(part[PROBE_EXECUTE], 1000);
    assert_int_equal(part[PROBE_TRANSFER], 0);
    blame_levels_at(&levels, 99801, part); /* as a bucket's middle may say */
    assert_int_equal(part[PROBE_EXECUTE], 0);
    assert_int_equal(part[PROBE_TRANSFER], 69860); /* 0.7 * 99,801 = 69,860.7 */
    assert_int_equal(part[PROBE_QUEUE], 29941);
    blame_levels_clear(&levels);
}

/* Three calls only, of one, two and four thousand: too few of any level, so all of them count. */
static void levels_look_around_where_calls_are_few(void **unused)
{
    (void)unused;
    struct blame_levels levels = {{0}};
    const uint64_t latency[] = {1000, 2000, 4000};
    for (int i = 0; i < 3; i++) {
        const uint64_t blame[PROBE_CAUSES] = {
            [PROBE_CPU] = 1000, [PROBE_QUEUE] = latency[i] - 1000};
        blame_levels_add(&levels, latency[i], blame);
    }
    uint64_t part[PROBE_CAUSES];
    blame_levels_at(&levels, 7000, part); /* 3,000 of 7,000 were the processor's */
    assert_int_equal(part[PROBE_CPU], 3000);
    assert_int_equal(part[PROBE_QUEUE], 4000);
    blame_levels_clear(&levels);
}

/* Two processes' calls, summed up and put together: 1,000 + 3,000 ns in the same level and 50,000
 * in one that the other does not have. */
static void levels_add_up(void **unused)
{
    (void)unused;
    struct blame_levels a = {{0}}, b = {{0}};
    const uint64_t one[PROBE_CAUSES] = {[PROBE_CPU] = 400, [PROBE_FENCE] = 600};
    const uint64_t two[PROBE_CAUSES] = {[PROBE_CPU] = 1000};
    const uint64_t three[PROBE_CAUSES] = {[PROBE_QUEUE] = 50000};
    uint64_t sum[PROBE_CAUSES], part[PROBE_CAUSES];
    assert_int_equal(blame_levels_add(&a, 1000, one), 1000);
    for (int i = 0; i < 3; i++)
        assert_int_equal(blame_levels_add(&b, 1000, two), 1000);
    assert_int_equal(blame_levels_add(&b, 50000, three), 50000);
    blame_levels_merge(&a, &b);
    blame_levels_sum(&a, sum);
    assert_int_equal(sum[PROBE_CPU], 3400);
    assert_int_equal(sum[PROBE_FENCE], 600);
    assert_int_equal(sum[PROBE_QUEUE], 50000);
    blame_levels_at(&a, 54000, part); /* too few: all of them */
    assert_memory_equal(part, sum, sizeof part);
    blame_levels_clear(&a);
    blame_levels_clear(&b);
}

/* On either side of the 1,024 values that are kept as they are. */
static void so_many_times_is_one_after_the_other(void **unused)
{
    (void)unused;
    const uint64_t times[] = {0, 1, 1000, 1020, 1021, 5000};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct histogram at_once = {0}, single = {0};
        for (uint64_t value = 0; value < 4; value++) {
            histogram_add(&at_once, 70000 * value);
            histogram_add(&single, 70000 * value);
        }
        histogram_add_times(&at_once, 300, times[i]);
        for (uint64_t n = 0; n < times[i]; n++)
            histogram_add(&single, 300);
        assert_int_equal(at_once.count, single.count);
        assert_int_equal(at_once.min, single.min);
        assert_int_equal(at_once.max, single.max);
        assert_true(at_once.sum == single.sum);
        assert_int_equal(at_once.raw == NULL, single.raw == NULL);
        for (unsigned permille = 10; permille < 1000; permille += 10) {
            uint64_t a = 0, b = 0;
            assert_int_equal(histogram_quantile(&at_once, permille, &a),
                             histogram_quantile(&single, permille, &b));
            assert_int_equal(a, b);
        }
        histogram_clear(&at_once);
        histogram_clear(&single);
    }
}

static void digits_are_printfs(void **unused)
{
    (void)unused;
    char digits[HUMAN_DIGITS + 1], expected[HUMAN_DIGITS + 1];
    state = SEED;
    uint64_t power = 1;
    for (int i = 0; i < 20000; i++) {
        uint64_t number = any() >> i % 64;
        if (i < 60) { /* around each power of ten */
            number = power - 1 + (uint64_t)i % 3;
            power = i % 3 == 2 ? power * 10 : power; /* 10^19 is the last */
        }
        size_t length = human_digits(digits, number);
        digits[length] = 0;
        snprintf(expected, sizeof expected, "%" PRIu64, number);
        assert_string_equal(digits, expected);
    }
    digits[human_digits(digits, UINT64_MAX)] = 0;
    assert_string_equal(digits, "18446744073709551615");
}

static void follow(void *self, uint64_t value, uint64_t cumulative)
{
    struct total *total = self;
    assert_true(cumulative > total->last_count);
    assert_true(total->last_count == 0 || value > total->last_value);
    total->last_value = value;
    total->last_count = cumulative;
}

static void walk_counts_everything(void **unused)
{
    (void)unused;
    struct histogram histogram = {0};
    struct total total = {0};
    state = SEED;
    for (size_t i = 0; i < 3000; i++)
        histogram_add(&histogram, adversarial(3, i));
    histogram_walk(&histogram, follow, &total);
    assert_int_equal(total.last_count, 3000);
    histogram_clear(&histogram);
}

static void bins_keep_the_integral(void **unused)
{
    (void)unused;
    struct bins *bins = calloc(1, sizeof *bins);
    uint64_t integral = 0, now = 0;
    state = SEED;
    for (int i = 0; i < 20000; i++) {
        uint64_t length = any() % (i < 10000 ? 10 : 100000), weight = any() % 5;
        bins_add(bins, now, now + length, (const uint64_t[BINS_LANES]){0, weight, 1, 2 * weight});
        integral += length * weight;
        now += length;
    }
    uint64_t lanes[BINS_LANES] = {0};
    for (uint32_t i = 0; i < SERIES_POINTS; i++)
        for (uint32_t lane = 0; lane < BINS_LANES; lane++)
            lanes[lane] += bins->value[i][lane];
    assert_int_equal(lanes[0], 0);
    assert_int_equal(lanes[1], integral);
    assert_int_equal(lanes[2], now);
    assert_int_equal(lanes[3], 2 * integral);
    assert_true(bins->used > SERIES_POINTS / 2 && bins->used <= SERIES_POINTS);
    assert_int_equal(bins->used, (now - 1) / ((uint64_t)1 << bins->shift) + 1);
    free(bins);
}

/* A series that changes at every instant, sampled at the instants its sampler takes: between 1,000
 * and 2,000 points whatever the length, and each point holds the value of its own time. */
static void samples_are_bounded_and_true(void **unused)
{
    (void)unused;
    struct sampler sampler = {0};
    struct series series = {.width = 1};
    for (uint64_t t = 0; t < 300000; t += 1 + t % 7) {
        if (!sampler_due(&sampler, t))
            continue;
        bool thinned = false;
        uint32_t instant = sampler_add(&sampler, t, &thinned);
        if (thinned)
            series_thin(&series);
        uint64_t value = t * t;
        series_put(&series, instant, &value);
    }
    assert_in_range(sampler.count, 1000, 2000);
    assert_int_equal(series.count, sampler.count);
    for (uint32_t i = 0; i < series.count; i++) {
        uint64_t t = sampler.t_ns[series.instant[i]];
        assert_int_equal(series.values[i], t * t);
    }
    series_clear(&series);
    free(sampler.t_ns);
}

/* The value a series has at an instant: that of its last point until then. */
static uint64_t value_at(const struct series *series, uint32_t instant)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < series->count && series->instant[i] <= instant; i++)
        value = series->values[i];
    return value;
}

/* Dropping an instant must not drop the step that happened at it: a series that steps now and then
 * has, at every instant that is kept, the value it had. */
static void thinning_keeps_steps(void **unused)
{
    (void)unused;
    struct sampler sampler = {0};
    struct series series = {.width = 1};
    uint64_t truth[SERIES_POINTS + 1], value = 0;
    state = SEED;
    bool thinned = false;
    for (uint32_t t = 0; t <= SERIES_POINTS; t++) {
        if (any() % 4 == 0)
            value = any() % 3;
        truth[t] = value;
        uint32_t instant = sampler_add(&sampler, t, &thinned);
        if (thinned)
            series_thin(&series);
        if (t == 0 || truth[t] != truth[t - 1])
            series_put(&series, instant, &value);
    }
    assert_true(thinned);
    assert_int_equal(sampler.count, SERIES_POINTS / 2 + 1);
    for (uint32_t i = 0; i < sampler.count; i++)
        assert_int_equal(value_at(&series, i), truth[sampler.t_ns[i]]);
    series_clear(&series);
    free(sampler.t_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_of_many_values_are_within_the_bound),
        cmocka_unit_test(quantiles_of_few_values_are_exact),
        cmocka_unit_test(merging_is_recording_into_one),
        cmocka_unit_test(too_few_samples_have_no_quantile),
        cmocka_unit_test(levels_say_what_slow_calls_consist_of),
        cmocka_unit_test(levels_look_around_where_calls_are_few),
        cmocka_unit_test(levels_add_up),
        cmocka_unit_test(so_many_times_is_one_after_the_other),
        cmocka_unit_test(digits_are_printfs),
        cmocka_unit_test(walk_counts_everything),
        cmocka_unit_test(bins_keep_the_integral),
        cmocka_unit_test(samples_are_bounded_and_true),
        cmocka_unit_test(thinning_keeps_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
