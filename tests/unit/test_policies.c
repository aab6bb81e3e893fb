/* Victim policies, as caches: what each evicts, what is known of them in closed form, and that none
 * beats the optimum. */
#include "tests/unit/cache.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A trace of references: items 0 .. items-1. */
struct references {
    uint32_t items;
    size_t count;
    uint32_t *at;
    uint64_t *next; /* index of the same item's next reference; UINT64_MAX: none */
};

static struct references references_new(uint32_t items, size_t count)
{
    return (struct references){items, count, malloc(count * sizeof(uint32_t)),
                               malloc(count * sizeof(uint64_t))};
}

static void references_free(struct references *trace)
{
    free(trace->at);
    free(trace->next);
}

static void foresee(struct references *trace)
{
    uint64_t *seen = malloc(trace->items * sizeof *seen);
    for (uint32_t i = 0; i < trace->items; i++)
        seen[i] = UINT64_MAX;
    for (size_t i = trace->count; i-- > 0;) {
        trace->next[i] = seen[trace->at[i]];
        seen[trace->at[i]] = i;
    }
    free(seen);
}

/* Misses of the references from `warm` on. */
static uint64_t misses(const char *policy, const struct references *trace, uint64_t capacity,
                       size_t warm)
{
    struct cache cache;
    uint64_t before = 0;
    cache_init(&cache, policy, trace->items, NULL, capacity);
    for (size_t i = 0; i < trace->count; i++) {
        if (i == warm)
            before = cache.misses;
        cache_use(&cache, trace->at[i], trace->next[i]);
    }
    uint64_t all = cache.misses;
    cache_fini(&cache);
    return all - before;
}

static void run(void (*body)(void *argument))
{
    assert_true(child_runs(body, NULL));
}

/* Each row: a policy, three pages of room, letters in the order of their use, and which letters are
 * there at the end. */
static const struct {
    const char *policy, *uses, *left;
} cases[] = {
    {"lru", "abcad", "acd"},          /* b was used longest ago */
    {"mru", "abcad", "bcd"},          /* a was used last */
    {"fifo", "abcad", "bcd"},         /* a came first, whatever was used since */
    {"clock", "abcad", "acd"},        /* a was used: it gets a second chance; b goes */
    {"clock", "abcabcd", "bcd"},      /* all were: a's chance is over first */
    {"clock", "abcadebf", "bef"},     /* hand: a spared, b, then c, then a and d */
    {"sieve", "abcad", "acd"},        /* the hand passes a, takes b */
    {"sieve", "abcadef", "aef"},      /* goes on to c, then d; a has its place and its round */
    {"sieve", "abcadaefg", "afg"},    /* e too; back at a, which was used again */
    {"lfu", "aabbcad", "abd"},        /* c was used once */
    {"lfu", "aabbccad", "acd"},       /* twice each but a: of b and c b was used longer ago */
    {"largest", "abcad", "acd"},      /* one size: as lru */
    {"priority-lru", "abcad", "acd"}, /* one priority: as lru */
    {"belady", "abcadabcd", "bcd"},   /* at d: c is used last; at c: nothing is used but d */
    {"2q", "abcad", "bcd"},           /* a was used, but all stand in the arrivals' line */
    {"2q", "abcadaef", "aef"},        /* a came back: it stands with the known */
    {"s3-fifo", "aabcd", "bcd"},      /* one use on top is not enough to stay */
    {"s3-fifo", "aaabcd", "acd"},     /* two are: a goes to the main line */
    {"s3-fifo", "abcdaef", "aef"},    /* a came back: it stands in the main line */
};

static void each_evicts_its_own_body(void *argument)
{
    (void)argument;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct references trace = references_new(26, strlen(cases[i].uses));
        for (size_t at = 0; at < trace.count; at++)
            trace.at[at] = (uint32_t)(cases[i].uses[at] - 'a');
        foresee(&trace);
        struct cache cache;
        cache_init(&cache, cases[i].policy, 26, NULL, 3);
        for (size_t at = 0; at < trace.count; at++)
            cache_use(&cache, trace.at[at], trace.next[at]);
        char left[27] = "";
        for (uint32_t item = 0, length = 0; item < 26; item++)
            if (cache.items[item]->state == VIDMM_RESIDENT)
                left[length++] = (char)('a' + item);
        if (strcmp(left, cases[i].left) != 0)
            child_fails("%s, %s: %s is left, not %s", cases[i].policy, cases[i].uses, left,
                        cases[i].left);
        cache_fini(&cache);
        references_free(&trace);
    }
}

static void each_evicts_its_own(void **state)
{
    (void)state;
    run(each_evicts_its_own_body);
}

/* Sizes 1, 4, 2 in a room of 7: the largest goes for an eighth page; with priorities the lowest
 * class goes under any policy, and its exact value counts with priority-lru. */
static void sizes_and_priorities_body(void *argument)
{
    (void)argument;
    static const uint32_t pages[] = {1, 4, 2, 1};
    struct cache cache;
    cache_init(&cache, "largest", 4, pages, 7);
    for (uint32_t i = 0; i < 4; i++)
        cache_use(&cache, i, UINT64_MAX);
    child_expects(cache.items[1]->state, VIDMM_OUT);
    child_expects(cache.misses, 4);
    cache_fini(&cache);

    static const char *const policies[] = {"lru", "fifo", "s3-fifo", "priority-lru"};
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        cache_init(&cache, policies[i], 4, NULL, 3);
        vidmm_allocation_set_priority(cache.items[1], 0x50000000);
        for (uint32_t item = 0; item < 3; item++)
            cache_use(&cache, item, UINT64_MAX);
        vidmm_allocation_set_priority(cache.items[2], 0x28000000); /* while it stands in line */
        cache_use(&cache, 3, UINT64_MAX);
        child_expects(cache.items[2]->state, VIDMM_OUT);
        cache_use(&cache, 2, UINT64_MAX);
        child_expects(cache.items[1]->state, VIDMM_OUT);
        cache_fini(&cache);
    }
    for (int exact = 0; exact < 2; exact++) {
        cache_init(&cache, exact ? "priority-lru" : "lru", 4, NULL, 3);
        vidmm_allocation_set_priority(cache.items[0], 0x78000001);
        for (uint32_t item = 0; item < 4; item++)
            cache_use(&cache, item, UINT64_MAX);
        child_expects(cache.items[exact ? 1 : 0]->state, VIDMM_OUT);
        cache_fini(&cache);
    }
}

static void sizes_and_priorities(void **state)
{
    (void)state;
    run(sizes_and_priorities_body);
}

static struct references cycle(uint32_t items, size_t passes)
{
    struct references trace = references_new(items, items * passes);
    for (size_t i = 0; i < trace.count; i++)
        trace.at[i] = (uint32_t)(i % items);
    foresee(&trace);
    return trace;
}

/* validation.md B10: a cyclic scan of N blocks with room for C. LRU and FIFO miss always, the
 * optimum in (N-C)/(N-1) of the cases; for RANDOM the brackets hold simulated values. MRU misses N
 * - C times a pass in the long run, for it keeps a front of the cycle: (N-C)/N is not reached
 * because the latest block always goes, so it is the optimum's (N-C)/(N-1). */
static void cyclic_scans_body(void *argument)
{
    (void)argument;
    static const struct {
        uint32_t items, capacity;
        double random;
    } rows[] = {
        {10, 8, 0.383}, {18, 16, 0.216}, {24, 16, 0.589}, {100, 80, 0.372}, {100, 50, 0.798}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t items = rows[i].items, capacity = rows[i].capacity;
        /* The optimum repeats itself after N - 1 passes. */
        size_t passes = 40 * (items - 1), warm = items * (items - 1);
        struct references trace = cycle(items, passes);
        double measured = (double)(trace.count - warm);
        child_expects(misses("lru", &trace, capacity, warm), trace.count - warm);
        child_expects(misses("fifo", &trace, capacity, warm), trace.count - warm);
        double optimum = (double)(items - capacity) / (items - 1);
        double belady = (double)misses("belady", &trace, capacity, warm) / measured;
        double mru = (double)misses("mru", &trace, capacity, warm) / measured;
        double random = (double)misses("random", &trace, capacity, warm) / measured;
        printf("N %u, C %u: belady %.4f, mru %.4f (%.4f), random %.3f (%.3f)\n", items, capacity,
               belady, mru, optimum, random, rows[i].random);
        if (fabs(belady - optimum) > 0.0015 || fabs(mru - optimum) > 0.0015)
            child_fails("not the optimum of %.4f", optimum);
        if (fabs(random - rows[i].random) > 0.012)
            child_fails("not %.3f", rows[i].random);
        references_free(&trace);
    }
}

static void cyclic_scans(void **state)
{
    (void)state;
    run(cyclic_scans_body);
}

/* validation.md B10: forward, then backward: LRU misses N - C blocks of the second pass. */
static void there_and_back_body(void *argument)
{
    (void)argument;
    for (uint32_t items = 2; items <= 64; items++)
        for (uint32_t capacity = 1; capacity < items; capacity++) {
            struct references trace = references_new(items, 2 * items);
            for (uint32_t i = 0; i < items; i++)
                trace.at[i] = trace.at[2 * items - 1 - i] = i;
            foresee(&trace);
            child_expects(misses("lru", &trace, capacity, items), items - capacity);
            references_free(&trace);
        }
}

static void there_and_back(void **state)
{
    (void)state;
    run(there_and_back_body);
}

/* Loops, scans, favourites and chance, mixed. */
static struct references some_trace(gsl_rng *random)
{
    uint32_t items = 4 + (uint32_t)gsl_rng_uniform_int(random, 40);
    struct references trace = references_new(items, 200 + gsl_rng_uniform_int(random, 800));
    for (size_t i = 0; i < trace.count;) {
        size_t end = i + 1 + gsl_rng_uniform_int(random, 100);
        uint32_t begin = (uint32_t)gsl_rng_uniform_int(random, items);
        uint32_t width = 1 + (uint32_t)gsl_rng_uniform_int(random, items);
        unsigned long kind = gsl_rng_uniform_int(random, 3);
        for (uint32_t step = 0; i < end && i < trace.count; i++, step++) {
            uint32_t drawn = kind == 0   ? step
                             : kind == 1 ? (uint32_t)gsl_rng_uniform_int(random, width)
                                         : (uint32_t)gsl_ran_geometric(random, 0.2);
            trace.at[i] = (begin + drawn % width) % items;
        }
    }
    foresee(&trace);
    return trace;
}

/* No policy has fewer misses than the optimum, whatever the trace; and with LRU a larger room never
 * has more (the stack property). */
static void none_beats_the_optimum_body(void *argument)
{
    const uint64_t first = *(const uint64_t *)argument;
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    for (uint64_t seed = first; seed < first + 60; seed++) {
        gsl_rng_set(random, seed);
        struct references trace = some_trace(random);
        uint64_t capacity = 1 + gsl_rng_uniform_int(random, trace.items);
        uint64_t least = misses("belady", &trace, capacity, 0);
        for (size_t i = 0; i < vidmm_policy_count; i++) {
            uint64_t missed = misses(vidmm_policies[i]->name, &trace, capacity, 0);
            if (missed < least)
                child_fails("seed %" PRIu64 ": %s misses %" PRIu64 ", belady %" PRIu64, seed,
                            vidmm_policies[i]->name, missed, least);
        }
        uint64_t before = trace.count;
        for (capacity = 1; capacity <= trace.items; capacity++) {
            uint64_t missed = misses("lru", &trace, capacity, 0);
            if (missed > before)
                child_fails("seed %" PRIu64 ": lru misses more with %" PRIu64 " pages", seed,
                            capacity);
            before = missed;
        }
        references_free(&trace);
    }
    gsl_rng_free(random);
}

static void none_beats_the_optimum(void **state)
{
    (void)state;
    const char *wish = getenv("WDDMSIM_RANDOM_SEED");
    uint64_t first = wish ? strtoull(wish, NULL, 10) : 1;
    print_message("seeds %" PRIu64 " to %" PRIu64 "\n", first, first + 59);
    assert_true(child_runs(none_beats_the_optimum_body, &first));
}

/* Independent references, Zipf's law with exponent a over n items. */
static struct references zipf(uint32_t items, double exponent, size_t count, gsl_rng *random,
                              double *probability)
{
    struct references trace = references_new(items, count);
    double sum = 0;
    for (uint32_t i = 0; i < items; i++)
        sum += probability[i] = pow(i + 1, -exponent);
    for (uint32_t i = 0; i < items; i++)
        probability[i] /= sum;
    gsl_ran_discrete_t *table = gsl_ran_discrete_preproc(items, probability);
    for (size_t i = 0; i < count; i++)
        trace.at[i] = (uint32_t)gsl_ran_discrete(random, table);
    gsl_ran_discrete_free(table);
    foresee(&trace);
    return trace;
}

/* validation.md B11: Che's approximation. LRU: sum(1 - exp(-p t)) = C; FIFO and RANDOM:
 * sum(p t / (1 + p t)) = C. */
static double che(const double *probability, uint32_t items, double capacity, bool lru)
{
    double low = 0, high = 1e12;
    for (int step = 0; step < 200; step++) {
        double t = (low + high) / 2, filled = 0;
        for (uint32_t i = 0; i < items; i++)
            filled +=
                lru ? -expm1(-probability[i] * t) : probability[i] * t / (1 + probability[i] * t);
        if (filled < capacity)
            low = t;
        else
            high = t;
    }
    double hit = 0;
    for (uint32_t i = 0; i < items; i++)
        hit += lru ? -probability[i] * expm1(-probability[i] * low)
                   : probability[i] * probability[i] * low / (1 + probability[i] * low);
    return hit;
}

static double hit_ratio(const char *policy, const struct references *trace, uint64_t capacity)
{
    size_t warm = trace->count / 4;
    return 1 - (double)misses(policy, trace, capacity, warm) / (double)(trace->count - warm);
}

static void expect_ratio(const char *what, double got, double wanted, double tolerance)
{
    printf("  %-24s %.4f (%.4f)\n", what, got, wanted);
    if (fabs(got - wanted) > tolerance)
        child_fails("%s: a hit ratio of %.4f, not %.4f", what, got, wanted);
}

/* The columns of B11 are what Che's equations say; the simulation's standard error is below 0.002
 * with 300,000 references, of which a quarter warms the segment. */
static void independent_references_body(void *argument)
{
    (void)argument;
    static const struct {
        uint32_t items;
        double exponent;
        uint32_t capacity;
        double lru, fifo, best;
    } rows[] = {{1000, 0.8, 100, 0.3778, 0.3337, 0.5258},
                {1000, 1.0, 100, 0.5765, 0.5202, 0.6930},
                {1000, 0.8, 500, 0.7697, 0.7274, 0.8335},
                {4096, 1.0, 1024, 0.7791, 0.7375, 0.8442}};
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(random, 11);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static double probability[4096];
        uint32_t items = rows[i].items, capacity = rows[i].capacity;
        printf("n %u, a %.1f, C %u\n", items, rows[i].exponent, capacity);
        struct references trace = zipf(items, rows[i].exponent, 300000, random, probability);
        double top = 0;
        for (uint32_t k = 0; k < capacity; k++)
            top += probability[k];
        expect_ratio("static best", top, rows[i].best, 0.0001);
        expect_ratio("Che, lru", che(probability, items, capacity, true), rows[i].lru, 0.0001);
        expect_ratio("Che, fifo", che(probability, items, capacity, false), rows[i].fifo, 0.0001);
        expect_ratio("lru", hit_ratio("lru", &trace, capacity), rows[i].lru, 0.006);
        expect_ratio("fifo", hit_ratio("fifo", &trace, capacity), rows[i].fifo, 0.006);
        expect_ratio("random", hit_ratio("random", &trace, capacity), rows[i].fifo, 0.006);
        /* Counting all uses ever finds the favourites; those between them come and go. */
        expect_ratio("lfu", hit_ratio("lfu", &trace, capacity), rows[i].best, 0.02);
        references_free(&trace);
    }
    gsl_rng_free(random);
}

static void independent_references(void **state)
{
    (void)state;
    run(independent_references_body);
}

/* The key's choices stand in the order of the policies. */
static void policies_are_the_choices_of_their_key(void **state)
{
    (void)state;
    char names[256] = "";
    for (size_t i = 0; i < vidmm_policy_count; i++) {
        strcat(names, i ? ", " : "");
        strcat(names, vidmm_policies[i]->name);
    }
    for (size_t i = 0; i < profile_key_count(); i++)
        if (strcmp(profile_key(i).key, "vidmm.eviction") == 0)
            assert_string_equal(profile_key(i).range, names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_are_the_choices_of_their_key),
        cmocka_unit_test(each_evicts_its_own),
        cmocka_unit_test(sizes_and_priorities),
        cmocka_unit_test(cyclic_scans),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(none_beats_the_optimum),
        cmocka_unit_test(independent_references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
