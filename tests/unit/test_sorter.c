/* Sorting more than memory holds: compared with qsort over everything, for many amounts and sizes
 * of memory; seeds are printed. */
#include "traces/sorter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gsl/gsl_rng.h>
#include <stdlib.h>
#include <string.h>

struct record {
    struct trace_sorted order;
    uint64_t payload;
};

static int compare(const void *left, const void *right)
{
    const struct record *a = left, *b = right;
    if (a->order.key != b->order.key)
        return a->order.key < b->order.key ? -1 : 1;
    return a->order.tie < b->order.tie ? -1 : a->order.tie > b->order.tie;
}

static void assert_sorts(gsl_rng *random, size_t count, size_t memory, unsigned long keys)
{
    struct record *all = calloc(count + 1, sizeof *all);
    struct trace_sorter *sorter = trace_sorter_create(sizeof *all, memory);
    assert_true(all != NULL && sorter != NULL);
    for (size_t i = 0; i < count; i++) {
        all[i] = (struct record){{gsl_rng_uniform_int(random, keys), i}, ~i};
        if (keys == 1)
            all[i].order.key = i; /* in order already */
        assert_true(trace_sorter_put(sorter, &all[i]));
    }
    qsort(all, count, sizeof *all, compare);
    assert_int_equal(trace_sorter_count(sorter), count);
    for (int walk = 0; walk < 3; walk++) {
        assert_true(trace_sorter_start(sorter));
        size_t walked = walk == 1 ? count / 2 : count; /* and once left in the middle */
        for (size_t i = 0; i < walked; i++) {
            const struct record *next = trace_sorter_next(sorter);
            assert_non_null(next);
            if (memcmp(next, &all[i], sizeof *next) != 0)
                fail_msg("%zu of %zu records with %zu bytes: wrong", i, count, memory);
        }
        if (walk == 1)
            continue;
        assert_null(trace_sorter_next(sorter));
        assert_null(trace_sorter_next(sorter));
        assert_null(trace_sorter_failure(sorter));
    }
    trace_sorter_free(sorter);
    free(all);
}

static void test_against_qsort(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 2, 63, 64, 65, 128, 1000, 4096, 20000};
    /* For 32, 341 and all of them: up to 625 runs. */
    static const size_t memories[] = {32 * 48, 16 * 1024, 4 * 1024 * 1024};
    const unsigned long seed = 20261125;
    print_message("seed %lu\n", seed);
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(random, seed);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (size_t m = 0; m < sizeof memories / sizeof *memories; m++) {
            if (memories[m] < 2048 && counts[c] > 1000)
                continue; /* more runs than there is memory to merge them with: tested below */
            assert_sorts(random, counts[c], memories[m], 1000000);
            assert_sorts(random, counts[c], memories[m], 3); /* ties */
            assert_sorts(random, counts[c], memories[m], 1);
        }
    gsl_rng_free(random);
}

static void test_too_many_runs(void **state)
{
    (void)state;
    struct trace_sorter *sorter = trace_sorter_create(sizeof(struct record), 8 * 48);
    assert_non_null(sorter);
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(trace_sorter_put(sorter, &(struct record){{1000 - i, i}, 0}));
    assert_false(trace_sorter_start(sorter));
    assert_non_null(strstr(trace_sorter_failure(sorter), "more records than"));
    assert_null(trace_sorter_next(sorter));
    trace_sorter_free(sorter);
}

static void test_no_temporary_folder(void **state)
{
    (void)state;
    const char *before = getenv("TMPDIR");
    char *kept = before != NULL ? strdup(before) : NULL;
    setenv("TMPDIR", "/nowhere/at/all", 1);
    struct trace_sorter *sorter = trace_sorter_create(sizeof(struct record), 4096);
    assert_non_null(sorter);
    bool good = true;
    for (uint64_t i = 0; i < 1000 && good; i++)
        good = trace_sorter_put(sorter, &(struct record){{1000 - i, i}, 0});
    assert_false(good);
    assert_string_equal(trace_sorter_failure(sorter),
                        "a temporary file: No such file or directory");
    assert_false(trace_sorter_start(sorter));
    trace_sorter_free(sorter);
    if (kept != NULL)
        setenv("TMPDIR", kept, 1);
    else
        unsetenv("TMPDIR");
    free(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_qsort),
        cmocka_unit_test(test_too_many_runs),
        cmocka_unit_test(test_no_temporary_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
