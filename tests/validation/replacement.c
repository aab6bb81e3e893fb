/* B10 and B11: victim policies on cyclic scans and on independent references. */
#include "tests/unit/cache.h"
#include "tests/validation/validation.h"

#include <gsl/gsl_randist.h>
#include <math.h>

struct scan {
    uint32_t items, capacity;
    const uint32_t *at;
    size_t count, warm;
    const char *policy;
    double misses; /* share; the answer */
};

static void run_scan(void *argument)
{
    struct scan *scan = argument;
    uint64_t *next = malloc(scan->count * sizeof *next), before = 0;
    uint64_t *seen = malloc(scan->items * sizeof *seen);
    memset(seen, 0xff, scan->items * sizeof *seen);
    for (size_t i = scan->count; i-- > 0;) {
        next[i] = seen[scan->at[i]];
        seen[scan->at[i]] = i;
    }
    struct cache cache;
    cache_init(&cache, scan->policy, scan->items, NULL, scan->capacity);
    for (size_t i = 0; i < scan->count; i++) {
        before = i == scan->warm ? cache.misses : before;
        cache_use(&cache, scan->at[i], next[i]);
    }
    scan->misses = (double)(cache.misses - before) / (double)(scan->count - scan->warm);
    cache_fini(&cache);
    free(next);
    free(seen);
}

static double misses(struct scan scan, const char *policy)
{
    struct scan *shared = child_shared(sizeof *shared);
    *shared = scan;
    shared->policy = policy;
    if (!child_runs(run_scan, shared))
        validation_fail(policy);
    double share = shared->misses;
    munmap(shared, sizeof *shared);
    return share;
}

void cyclic_scans(void)
{
    static const struct {
        uint32_t items, capacity;
        double random;
    } rows[] = {
        {10, 8, 0.383}, {18, 16, 0.216}, {24, 16, 0.589}, {100, 80, 0.372}, {100, 50, 0.798}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t items = rows[i].items;
        size_t count = (size_t)40 * (items - 1) * items;
        uint32_t *at = malloc(count * sizeof *at);
        for (size_t k = 0; k < count; k++)
            at[k] = (uint32_t)(k % items);
        /* The optimum repeats itself after N - 1 passes. */
        const struct scan scan = {.items = items,
                                  .capacity = rows[i].capacity,
                                  .at = at,
                                  .count = count,
                                  .warm = (size_t)items * (items - 1)};
        char text[64];
        snprintf(text, sizeof text, "%u blocks, room for %u: lru misses", items, scan.capacity);
        validation_near(text, 1, misses(scan, "lru"), "", 0);
        validation_near("  fifo", 1, misses(scan, "fifo"), "", 0);
        validation_near("  belady: (N - C) / (N - 1)",
                        (double)(items - scan.capacity) / (items - 1), misses(scan, "belady"), "",
                        0.005);
        validation_near("  random (simulated by others)", rows[i].random, misses(scan, "random"),
                        "", 0.06);
        free(at);
    }
}

void independent_references(void)
{
    static const struct {
        uint32_t items;
        double exponent;
        uint32_t capacity;
        double lru, fifo;
    } rows[] = {{1000, 0.8, 100, 0.3778, 0.3337},
                {1000, 1.0, 100, 0.5765, 0.5202},
                {1000, 0.8, 500, 0.7697, 0.7274},
                {4096, 1.0, 1024, 0.7791, 0.7375}};
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    size_t count = validation_jobs(1000000);
    uint32_t *at = malloc(count * sizeof *at);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double probability[4096];
        for (uint32_t k = 0; k < rows[i].items; k++)
            probability[k] = pow(k + 1, -rows[i].exponent);
        gsl_ran_discrete_t *table = gsl_ran_discrete_preproc(rows[i].items, probability);
        for (size_t k = 0; k < count; k++)
            at[k] = (uint32_t)gsl_ran_discrete(random, table);
        gsl_ran_discrete_free(table);
        const struct scan scan = {.items = rows[i].items,
                                  .capacity = rows[i].capacity,
                                  .at = at,
                                  .count = count,
                                  .warm = count / 4};
        char text[64];
        snprintf(text, sizeof text, "Zipf %.1f, room for %u of %u: lru hits", rows[i].exponent,
                 scan.capacity, scan.items);
        validation_near(text, rows[i].lru, 1 - misses(scan, "lru"), "", 0.02);
        validation_near("  fifo", rows[i].fifo, 1 - misses(scan, "fifo"), "", 0.02);
        validation_near("  random", rows[i].fifo, 1 - misses(scan, "random"), "", 0.02);
    }
    free(at);
    gsl_rng_free(random);
}
