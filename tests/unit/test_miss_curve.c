/* Miss-ratio curves: against an LRU memory of each size that is simulated directly, and against
 * VidMm's. Working sets: against their definition. */
#include "analysis/miss_curve.h"
#include "analysis/stack_distance.h"
#include "analysis/working_set.h"
#include "tests/unit/cache.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { OBJECTS = 24 };

/* An LRU memory, obviously right: the order of use as an array, the latest first. */
struct memory {
    uint64_t capacity, used;
    uint32_t count;
    uint32_t order[OBJECTS];
    uint64_t misses;
};

static void take_out(struct memory *memory, uint32_t at, const uint64_t *sizes)
{
    memory->used -= sizes[memory->order[at]];
    memory->count--;
    memmove(&memory->order[at], &memory->order[at + 1],
            (memory->count - at) * sizeof *memory->order);
}

static uint32_t find(const struct memory *memory, uint32_t object)
{
    uint32_t at = 0;
    while (at < memory->count && memory->order[at] != object)
        at++;
    return at;
}

/* What is larger than all of the memory drives everything out and finds no room itself. */
static void use(struct memory *memory, uint32_t object, const uint64_t *sizes)
{
    uint32_t at = find(memory, object);
    memory->misses += at == memory->count;
    if (at < memory->count)
        take_out(memory, at, sizes);
    while (memory->count && memory->used + sizes[object] > memory->capacity)
        take_out(memory, memory->count - 1, sizes);
    if (sizes[object] > memory->capacity)
        return;
    memmove(&memory->order[1], memory->order, memory->count * sizeof *memory->order);
    memory->order[0] = object;
    memory->count++;
    memory->used += sizes[object];
}

static void destroy(struct memory *memory, uint32_t object, const uint64_t *sizes)
{
    uint32_t at = find(memory, object);
    if (at < memory->count)
        take_out(memory, at, sizes);
}

/* Random references to objects of 1 to 9 bytes that come and go: at every size the curve is what
 * the memory of that size does. */
static void equals_direct_simulation(void **state)
{
    (void)state;
    enum { SIZES = OBJECTS * 9 + 2, STEPS = 400 };
    static struct memory memories[SIZES];
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t random = seed * 7919, sizes[OBJECTS] = {0};
        bool alive[OBJECTS] = {false};
        struct miss_curve *curve = miss_curve_create(UINT64_MAX);
        for (uint64_t i = 0; i < SIZES; i++)
            memories[i] = (struct memory){.capacity = i};
        for (int step = 0; step < STEPS; step++) {
            uint32_t object = (uint32_t)child_below(&random, 2 + child_below(&random, OBJECTS - 1));
            bool goes = alive[object] && child_below(&random, 6) == 0;
            if (!alive[object])
                sizes[object] = seed % 2 ? 1 + child_below(&random, 9) : 1;
            for (uint64_t i = 0; i < SIZES; i++)
                if (goes)
                    destroy(&memories[i], object, sizes);
                else
                    use(&memories[i], object, sizes);
            if (goes)
                miss_curve_remove(curve, object);
            else
                miss_curve_use(curve, object, sizes[object]);
            alive[object] = !goes;
        }
        miss_curve_finish(curve);
        double references = (double)miss_curve_references(curve);
        for (uint64_t i = 0; i < SIZES; i++) {
            struct miss_point point = miss_curve_at(curve, i);
            uint64_t misses = (uint64_t)(point.misses * references + 0.5);
            if (misses != memories[i].misses || point.error != 0)
                fail_msg("seed %" PRIu64 ", %" PRIu64 " bytes: %" PRIu64 " misses, not %" PRIu64,
                         seed, i, misses, memories[i].misses);
        }
        miss_curve_destroy(curve);
    }
}

/* The same against VidMm with the policy lru: pages, allocations of several of them. */
static void equals_vidmm_body(void *argument)
{
    (void)argument;
    enum { COUNT = 40, STEPS = 1500 };
    uint64_t random = 4711;
    uint32_t pages[COUNT], trace[STEPS], total = 0;
    for (int i = 0; i < COUNT; i++)
        total += pages[i] = 1 + (uint32_t)child_below(&random, 6);
    for (int i = 0; i < STEPS; i++)
        trace[i] = (uint32_t)child_below(&random, 1 + child_below(&random, COUNT));
    struct miss_curve *curve = miss_curve_create(UINT64_MAX);
    for (int i = 0; i < STEPS; i++)
        miss_curve_use(curve, trace[i], (uint64_t)pages[trace[i]] * CACHE_PAGE);
    miss_curve_finish(curve);
    for (uint32_t capacity = 6; capacity <= total; capacity++) { /* all fit by themselves */
        struct cache cache;
        cache_init(&cache, "lru", COUNT, pages, capacity);
        for (int i = 0; i < STEPS; i++)
            cache_use(&cache, trace[i], UINT64_MAX);
        struct miss_point point = miss_curve_at(curve, (uint64_t)capacity * CACHE_PAGE);
        child_expects(cache.misses, (uint64_t)(point.misses * STEPS + 0.5));
        cache_fini(&cache);
    }
    miss_curve_destroy(curve);
}

static void equals_vidmm(void **state)
{
    (void)state;
    assert_true(child_runs(equals_vidmm_body, NULL));
}

/* a b c a, 1, 2 and 3 bytes: a comes back behind 6 bytes, itself included. */
static void knows_its_steps(void **state)
{
    (void)state;
    struct miss_curve *curve = miss_curve_create(UINT64_MAX);
    for (uint32_t i = 0; i < 4; i++)
        miss_curve_use(curve, i % 3, i % 3 + 1);
    miss_curve_finish(curve);
    struct miss_point point;
    assert_int_equal(miss_curve_references(curve), 4);
    assert_true(miss_curve_rate(curve) == 1);
    assert_true(miss_curve_first_uses(curve) == 0.75);
    assert_int_equal(miss_curve_enough(curve), 6);
    assert_true(miss_curve_next(curve, 0, &point));
    assert_int_equal(point.bytes, 6);
    assert_true(point.misses == 0.75 && point.missed_bytes == 6);
    assert_false(miss_curve_next(curve, 6, &point));
    point = miss_curve_at(curve, 5);
    assert_true(point.misses == 1 && point.missed_bytes == 7);
    miss_curve_destroy(curve);

    curve = miss_curve_create(1); /* nothing at all */
    miss_curve_finish(curve);
    assert_int_equal(miss_curve_enough(curve), 0);
    assert_false(miss_curve_next(curve, 0, &point));
    miss_curve_destroy(curve);
}

/* 600,000 references by Zipf's law to 60,000 objects of 1 to 64 pages, of which 40,000 are kept: at
 * 40 sizes the true share must lie within the stated error, at two of them (5 %) it may not; it is
 * allowed four, for neighbouring sizes err together. */
static void a_sample_knows_its_error(void **state)
{
    (void)state;
    enum { COUNT = 60000, REFERENCES = 600000, KEPT = 40000, POINTS = 40 };
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(random, 5);
    double *probability = malloc(COUNT * sizeof *probability);
    uint64_t *sizes = malloc(COUNT * sizeof *sizes);
    assert_true(probability && sizes);
    for (int i = 0; i < COUNT; i++) {
        probability[i] = pow(i + 1, -0.7);
        sizes[i] = 4096 * (1 + gsl_rng_uniform_int(random, 64));
    }
    gsl_ran_discrete_t *table = gsl_ran_discrete_preproc(COUNT, probability);
    struct miss_curve *exact = miss_curve_create(UINT64_MAX), *sampled = miss_curve_create(KEPT);
    for (int i = 0; i < REFERENCES; i++) {
        uint32_t object = (uint32_t)gsl_ran_discrete(random, table);
        miss_curve_use(exact, object, sizes[object]);
        miss_curve_use(sampled, object, sizes[object]);
    }
    miss_curve_finish(exact);
    miss_curve_finish(sampled);
    assert_true(miss_curve_rate(exact) == 1);
    assert_true(miss_curve_rate(sampled) <= 1.0 / 8 && miss_curve_rate(sampled) >= 1.0 / 64);
    int off = 0;
    double worst = 0;
    for (int i = 1; i <= POINTS; i++) {
        uint64_t bytes = miss_curve_enough(exact) / POINTS * (uint64_t)i;
        struct miss_point truth = miss_curve_at(exact, bytes), told = miss_curve_at(sampled, bytes);
        assert_true(truth.error == 0 && told.error > 0 && told.error < 0.08);
        double difference = fabs(truth.misses - told.misses);
        off += difference > told.error;
        worst = difference > worst ? difference : worst;
    }
    print_message("seed 5: rate 1/%.0f, %d of %d sizes off by more than stated, worst %.4f\n",
                  1 / miss_curve_rate(sampled), off, POINTS, worst);
    assert_true(off <= 4);
    miss_curve_destroy(exact);
    miss_curve_destroy(sampled);
    gsl_ran_discrete_free(table);
    gsl_rng_free(random);
    free(probability);
    free(sizes);
}

/* A (100 bytes) is used at 0, 10 and 40, B (50) at 20, and is no more at 60; the run ends at 100.
 * Gaps: 10, 30 and 60 of A, 40 of B. Within 8: (3 * 8 * 100 + 8 * 50) / 100 = 28; within 32:
 * ((10 + 30 + 32) * 100 + 32 * 50) / 100 = 88; within 100, all of it: (100 * 100 + 40 * 50) / 100.
 */
static void working_sets_by_hand(void **state)
{
    (void)state;
    struct working_set set = {.room = 0};
    working_set_use(&set, 0, 1, 100);
    working_set_use(&set, 10, 1, 100);
    working_set_use(&set, 20, 2, 50);
    working_set_use(&set, 40, 1, 100);
    working_set_gone(&set, 60, 2);
    working_set_finish(&set, 100);
    assert_true(working_set_mean(&set, 8) == 28);
    assert_true(working_set_mean(&set, 32) == 88);
    assert_true(fabs(working_set_mean(&set, 100) - 120) < 1e-9); /* no gap is as long */
    assert_true(isnan(working_set_mean(&set, 101)));
    working_set_fini(&set);
}

/* Against the definition: at every instant, what was used within the window before it. */
static void working_sets_by_definition(void **state)
{
    (void)state;
    enum { END = 4000, SIZES = 6 };
    static const uint64_t windows[] = {1, 4, 16, 56, 320, 2048};
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(random, 5);
    struct working_set set = {.room = 0};
    uint64_t last[OBJECTS] = {0}, sums[SIZES] = {0};
    bool there[OBJECTS] = {false};
    for (uint64_t t = 0; t < END; t++) {
        uint32_t object = (uint32_t)gsl_rng_uniform_int(random, OBJECTS);
        if (gsl_rng_uniform_int(random, 8) == 0) {
            working_set_gone(&set, t, object);
            there[object] = false;
        } else if (gsl_rng_uniform_int(random, 4) == 0) {
            working_set_use(&set, t, object, 10 + object);
            there[object] = true;
            last[object] = t;
        }
        for (int i = 0; i < SIZES; i++) /* in the nanosecond that begins now */
            for (uint32_t o = 0; o < OBJECTS; o++)
                sums[i] += there[o] && t - last[o] < windows[i] ? 10 + o : 0;
    }
    working_set_finish(&set, END);
    for (int i = 0; i < SIZES; i++)
        assert_true(fabs(working_set_mean(&set, windows[i]) - (double)sums[i] / END) < 1e-9);
    working_set_fini(&set);
    gsl_rng_free(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_direct_simulation), cmocka_unit_test(equals_vidmm),
        cmocka_unit_test(knows_its_steps),          cmocka_unit_test(a_sample_knows_its_error),
        cmocka_unit_test(working_sets_by_hand),     cmocka_unit_test(working_sets_by_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
