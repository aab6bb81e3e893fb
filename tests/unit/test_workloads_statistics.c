/* What the generators promise about numbers drawn at random: rates, distributions, independence,
 * sizes of working sets.
 *
 * Every test is two-sided at a confidence of 99.99 %: of a correct generator one in ten thousand
 * seeds would fail it. The seed is fixed, so a test that passes once passes always. */
#include "tests/unit/made.h"
#include "workloads/distribution.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

static const double SIGNIFICANCE = 1e-4;

/* |z| of the normal distribution that SIGNIFICANCE leaves outside. */
static double most_z(void)
{
    return gsl_cdf_ugaussian_Qinv(SIGNIFICANCE / 2);
}

static void expect_mean(const char *what, const struct sample *sample, double mean, double sd)
{
    double got = gsl_stats_mean(sample->values, 1, sample->count);
    double z = (got - mean) / (sd / sqrt((double)sample->count));
    print_message("  %s: mean %g, expected %g (%zu values, z %.2f)\n", what, got, mean,
                  sample->count, z);
    assert_true(fabs(z) < most_z());
}

/* Of independent trials, so many with this probability. */
static void expect_count(const char *what, double got, double trials, double probability)
{
    double z = (got - trials * probability) / sqrt(trials * probability * (1 - probability));
    print_message("  %s: %g of %g, expected %g (z %.2f)\n", what, got, trials, trials * probability,
                  z);
    assert_true(fabs(z) < most_z());
}

/* Events of a Poisson process: so many where `mean` are expected, which is not few. */
static void expect_poisson(const char *what, double got, double mean)
{
    double z = (got - mean) / sqrt(mean);
    print_message("  %s: %g, expected %g (z %.2f)\n", what, got, mean, z);
    assert_true(mean > 100 && fabs(z) < most_z());
}

/* Kolmogorov and Smirnov: the largest distance between the sample's distribution and the one it
 * should have, against the quantile of its limit sqrt(-ln(SIGNIFICANCE / 2) / 2). */
static void expect_distribution(const char *what, const struct sample *sample,
                                double (*below)(double value, const void *self), const void *self)
{
    double *sorted = malloc(sample->count * sizeof *sorted);
    double n = (double)sample->count, distance = 0;
    assert_true(sorted != NULL && sample->count >= 100);
    memcpy(sorted, sample->values, sample->count * sizeof *sorted);
    gsl_sort(sorted, 1, sample->count);
    for (size_t i = 0; i < sample->count; i++) {
        double expected = below(sorted[i], self);
        distance = fmax(distance, fabs(expected - (double)i / n));
        distance = fmax(distance, fabs(expected - (double)(i + 1) / n));
    }
    free(sorted);
    double most = sqrt(-log(SIGNIFICANCE / 2) / 2);
    print_message("  %s: distance %.4f of %.4f allowed (%zu values)\n", what, distance,
                  most / sqrt(n), sample->count);
    assert_true(distance * sqrt(n) < most);
}

/* Neighbours have nothing to do with each other: their correlation is normal about 0. */
static void expect_independence(const char *what, const struct sample *sample)
{
    double correlation = gsl_stats_lag1_autocorrelation(sample->values, 1, sample->count);
    double z = correlation * sqrt((double)sample->count);
    print_message("  %s: correlation of neighbours %.4f (z %.2f)\n", what, correlation, z);
    assert_true(fabs(z) < most_z());
}

static void expect_chi_squared(const char *what, double chi_squared, double freedom)
{
    double above = gsl_cdf_chisq_Q(chi_squared, freedom);
    print_message("  %s: chi squared %.1f with %g degrees of freedom (p %.3g)\n", what, chi_squared,
                  freedom, above);
    assert_true(above > SIGNIFICANCE / 2 && above < 1 - SIGNIFICANCE / 2);
}

static double below_exponential(double value, const void *mean)
{
    return gsl_cdf_exponential_P(value, *(const double *)mean);
}

static double below_normal(double value, const void *self)
{
    (void)self;
    return gsl_cdf_ugaussian_P(value);
}

static double below_half_normal(double value, const void *self)
{
    (void)self;
    return value < 0 ? 0 : 2 * gsl_cdf_ugaussian_P(value) - 1;
}

static double below_uniform(double value, const void *self)
{
    const double *ends = self;
    return gsl_cdf_flat_P(value, ends[0], ends[1]);
}

static double below_pareto(double value, const void *self)
{
    const double *shape_and_least = self;
    return gsl_cdf_pareto_P(value, shape_and_least[0], shape_and_least[1]);
}

static struct sample draw(enum distribution_kind kind, double spread, double mean)
{
    const struct distribution distribution = {kind, spread};
    struct sample sample = {0};
    gsl_rng *random = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(random, MADE_SEED);
    for (int i = 0; i < 50000; i++)
        sample_add(&sample, distribution_draw(&distribution, random, mean));
    gsl_rng_free(random);
    return sample;
}

/* Each distribution is the one it is called, and has the mean it was asked for. */
static void test_distributions(void **state)
{
    (void)state;
    const double mean = 100, ends[] = {50, 150};
    struct sample sample = draw(DISTRIBUTION_FIXED, 3, mean);
    for (size_t i = 0; i < sample.count; i++)
        assert_true(sample.values[i] == mean);
    sample_free(&sample);

    sample = draw(DISTRIBUTION_UNIFORM, 0.5, mean);
    expect_distribution("uniform", &sample, below_uniform, ends);
    expect_mean("uniform", &sample, mean, 100 / sqrt(12));
    expect_independence("uniform", &sample);
    sample_free(&sample);

    sample = draw(DISTRIBUTION_EXPONENTIAL, 0, mean);
    expect_distribution("exponential", &sample, below_exponential, &mean);
    expect_mean("exponential", &sample, mean, mean);
    sample_free(&sample);

    /* The mean of a lognormal with sigma s is exp(mu + s^2 / 2), its variance mean^2 (exp(s^2) -
     * 1).
     */
    sample = draw(DISTRIBUTION_LOGNORMAL, 0.7, mean);
    expect_mean("lognormal", &sample, mean, mean * sqrt(expm1(0.49)));
    for (size_t i = 0; i < sample.count; i++)
        sample.values[i] = (log(sample.values[i] / mean) + 0.49 / 2) / 0.7;
    expect_distribution("logarithm of lognormal", &sample, below_normal, NULL);
    sample_free(&sample);

    /* Shape a = 1 + 1 / 0.25 = 5, least b: mean a b / (a - 1), variance mean^2 / (a (a - 2)). */
    const double pareto[] = {5, 80};
    sample = draw(DISTRIBUTION_PARETO, 0.25, mean);
    expect_distribution("pareto", &sample, below_pareto, pareto);
    expect_mean("pareto", &sample, mean, mean / sqrt(15));
    sample_free(&sample);

    /* validation.md B1: 90 % of 50, 10 % of 550. */
    sample = draw(DISTRIBUTION_BIMODAL, 0.5, mean);
    double tall = 0;
    for (size_t i = 0; i < sample.count; i++) {
        assert_true(sample.values[i] == 50 || sample.values[i] == 550);
        tall += sample.values[i] == 550;
    }
    expect_count("bimodal", tall, (double)sample.count, 0.1);
    expect_mean("bimodal", &sample, mean, 150);
    sample_free(&sample);
}

/* Dates of a thread's submissions become the intervals between them. */
static void to_intervals(struct sample *sample)
{
    for (size_t i = 0; i + 1 < sample->count; i++)
        sample->values[i] = sample->values[i + 1] - sample->values[i];
    sample->count--;
}

static void test_contexts(void **state)
{
    (void)state;
    struct made made;
    struct sample dates = {0}, times = {0};
    made_open(&made, "contexts",
              MADE_ARGUMENTS("contexts", "1", "packets", "20000", "loop", "open", "interval", "2ms",
                             "intervals", "exponential", "gpu-time", "800us", "gpu-times",
                             "exponential"));
    while (made_next(&made))
        if (made.event.op == TRACE_SUBMIT) {
            sample_add(&dates, (double)made.event.t_ns);
            sample_add(&times, (double)made.event.gpu_ns);
        }
    const double interval = 2e6, time = 8e5;
    to_intervals(&dates);
    expect_distribution("intervals", &dates, below_exponential, &interval);
    expect_mean("intervals", &dates, interval, interval);
    expect_independence("intervals", &dates);
    expect_distribution("engine times", &times, below_exponential, &time);
    expect_mean("engine times", &times, time, time);
    sample_free(&dates);
    sample_free(&times);

    /* Fixed intervals begin anywhere in the first one and are equal from there on. */
    double first[64] = {0};
    struct sample phases = {0};
    made_open(
        &made, "contexts",
        MADE_ARGUMENTS("contexts", "2000", "packets", "2", "loop", "open", "interval", "10ms"));
    while (made_next(&made)) {
        if (made.event.op != TRACE_SUBMIT)
            continue;
        size_t process = (made.event.pid - 1000) / 4;
        if (made.event.t_ns < 10000000)
            sample_add(&phases, (double)made.event.t_ns);
        if (process < 64 && first[process] != 0)
            assert_true((double)made.event.t_ns - first[process] == 1e7);
        else if (process < 64)
            first[process] = (double)made.event.t_ns;
    }
    const double ends[] = {0, 1e7};
    assert_int_equal(phases.count, 2000);
    expect_distribution("phases", &phases, below_uniform, ends);
    sample_free(&phases);
}

static void test_frames(void **state)
{
    (void)state;
    enum { FRAMES = 6000, TEXTURES = 512, BOUND = 32, NEAR = 24 };
    struct made made;
    struct sample starts = {0}, times = {0}, streamed = {0};
    double begin = 0, turns = 0, before[BOUND] = {0};
    uint64_t render = 0, frame = 0;
    double uploads = 0;
    made_open(&made, "frames",
              MADE_ARGUMENTS("processes", "1", "frames", "6000", "rate", "50", "textures", "512",
                             "bound", "32", "stream", "0", "turns", "2", "jitter", "300us",
                             "gpu-time", "5ms", "gpu-spread", "0.2"));
    while (made_next(&made)) {
        const struct trace_event *event = &made.event;
        if (event->op == TRACE_CREATE_CONTEXT && render == 0)
            render = event->context.number;
        if (event->op != TRACE_SUBMIT || event->context.number != render)
            continue;
        /* A working set of exactly `bound` textures: no texture stands twice in a list. */
        assert_int_equal(event->allocations.count, BOUND);
        double now[BOUND], sorted[BOUND];
        uint32_t known = 0;
        for (uint32_t i = 0; i < BOUND; i++)
            now[i] = sorted[i] = (double)event->allocations.items[i].number;
        gsl_sort(sorted, 1, BOUND);
        for (uint32_t i = 1; i < BOUND; i++)
            assert_true(sorted[i] > sorted[i - 1]);
        for (uint32_t i = 0; i < NEAR; i++)
            for (uint32_t k = 0; k < NEAR; k++)
                known += now[i] == before[k];
        turns += frame > 0 && known < NEAR / 2;
        memcpy(before, now, sizeof now);
        if (frame == 0)
            begin = (double)event->t_ns;
        else
            sample_add(&starts, ((double)event->t_ns - begin - (double)frame * 2e7) / 3e5);
        sample_add(&times, log((double)event->gpu_ns / 5e6) / 0.2);
        frame++;
    }
    assert_int_equal(frame, FRAMES);
    expect_distribution("logarithm of engine times", &times, below_normal, NULL);
    expect_independence("engine times", &times);
    /* On the grid of the rate, each frame late by its jitter: a normal deviate without its sign. */
    expect_distribution("jitter", &starts, below_half_normal, NULL);
    expect_independence("jitter", &starts);
    /* The viewpoint wanders by half a texture a frame; only a turn takes it further than half of
     * what is in view, unless it happens to turn less than that. */
    double probability = -expm1(-2 / 50.0) * (1 - (double)NEAR / TEXTURES);
    expect_count("turns of the camera", turns, FRAMES, probability);
    sample_free(&starts);
    sample_free(&times);

    /* Textures come by Poisson, frame by frame. */
    made_open(
        &made, "frames",
        MADE_ARGUMENTS("processes", "1", "frames", "6000", "stream", "2.5", "textures", "200"));
    render = 0;
    while (made_next(&made)) {
        const struct trace_event *event = &made.event;
        if (event->op == TRACE_CREATE_CONTEXT && render == 0)
            render = event->context.number;
        if (event->op == TRACE_CREATE_ALLOCATION && event->creations.count == 1)
            uploads += strcmp(event->creations.items[0].usage, "texture") == 0;
        if (event->op != TRACE_SUBMIT || event->context.number != render)
            continue;
        sample_add(&streamed, uploads);
        uploads = 0;
    }
    assert_int_equal(streamed.count, FRAMES);
    expect_mean("textures a frame", &streamed, 2.5, sqrt(2.5));
    double variance = gsl_stats_variance(streamed.values, 1, streamed.count);
    expect_chi_squared("textures a frame", variance / 2.5 * (FRAMES - 1), FRAMES - 1);
    expect_independence("textures a frame", &streamed);
    sample_free(&streamed);
}

static void test_zipf(void **state)
{
    (void)state;
    enum { BLOCKS = 1000, REFERENCES = 400000, CACHE = 100, CELLS = 60 };
    struct made made;
    double *count = calloc(BLOCKS, sizeof *count), *seen = malloc(BLOCKS * sizeof *seen);
    double written = 0, hits = 0, kept = 0;
    uint64_t at = 0, first = 0;
    assert_true(count != NULL && seen != NULL);
    /* A cache of the 100 blocks that were referred to last. */
    uint32_t cache[CACHE], cached = 0;
    made_open(&made, "zipf",
              MADE_ARGUMENTS("blocks", "1000", "references", "400000", "exponent", "0.8", "written",
                             "0.3", "residency", "per-submit"));
    while (made_next(&made)) {
        const struct trace_event *event = &made.event;
        if (event->op == TRACE_CREATE_ALLOCATION && first == 0)
            first = event->creations.items[0].allocation.number;
        if (event->op != TRACE_SUBMIT)
            continue;
        assert_int_equal(event->allocations.count + event->writes.count, 1);
        const struct trace_names *list =
            event->writes.count != 0 ? &event->writes : &event->allocations;
        uint32_t block = (uint32_t)(list->items[0].number - first);
        written += event->writes.count;
        count[block]++;
        uint32_t depth = 0;
        while (depth < cached && cache[depth] != block)
            depth++;
        if (at++ >= REFERENCES / 10) {
            hits += depth < cached;
            kept++;
        }
        if (depth == cached && cached < CACHE)
            cached++;
        if (depth == CACHE)
            depth--;
        memmove(cache + 1, cache, depth * sizeof *cache);
        cache[0] = block;
    }
    assert_int_equal(at, REFERENCES);
    expect_count("writes", written, REFERENCES, 0.3);

    /* The k-th most popular block has its share. Sorted counts of blocks that are nearly alike are
     * not those of fixed blocks, so only the first, which stand apart, are compared one by one. */
    gsl_sort(count, 1, BLOCKS);
    double total = 0, chi_squared = 0, rest = REFERENCES, rest_expected = REFERENCES;
    for (int k = 1; k <= BLOCKS; k++)
        total += pow(k, -0.8);
    for (int k = 1; k <= CELLS / 6; k++) {
        double expected = REFERENCES * pow(k, -0.8) / total, got = count[BLOCKS - k];
        chi_squared += (got - expected) * (got - expected) / expected;
        rest -= got;
        rest_expected -= expected;
    }
    chi_squared += (rest - rest_expected) * (rest - rest_expected) / rest_expected;
    expect_chi_squared("popularity", chi_squared, CELLS / 6);
    /* Che's approximation and simulations say 0.3778 (validation.md B11); hits come in runs, which
     * makes the standard error some two times the binomial one. */
    double ratio = hits / kept, error = 2 * sqrt(0.3778 * 0.6222 / kept);
    print_message("  a cache of 100 blocks: hit ratio %.4f, expected 0.3778\n", ratio);
    assert_true(fabs(ratio - 0.3778) < most_z() * error + 0.0001);
    free(count);
    free(seen);
}

static void test_churn(void **state)
{
    (void)state;
    enum { ALLOCATIONS = 60000, NAMES = 60001 };
    struct made made;
    struct sample sizes = {0}, lives = {0}, dates = {0}, alive = {0};
    double *born = calloc(NAMES, sizeof *born), live = 0, next = 2e9;
    assert_non_null(born);
    made_open(&made, "churn",
              MADE_ARGUMENTS("allocations", "60000", "rate", "1000", "lifetime", "200ms", "size",
                             "4MiB", "unit", "1B", "limit", "1TB", "lifetimes", "lognormal",
                             "lifetimes-spread", "0.5"));
    while (made_next(&made)) {
        const struct trace_event *event = &made.event;
        double now = (double)event->t_ns;
        /* Ten lifetimes from one look to the next: what is alive then was not before. */
        for (; next < now && next < 5.8e10; next += 5e8)
            sample_add(&alive, live);
        if (event->op == TRACE_CREATE_ALLOCATION) {
            uint64_t name = event->creations.items[0].allocation.number;
            assert_true(event->creations.count == 1 && name < NAMES);
            born[name] = now;
            live++;
            sample_add(&dates, now);
            sample_add(&sizes, (double)event->creations.items[0].size);
        } else if (event->op == TRACE_DESTROY_ALLOCATION) {
            live--;
            sample_add(&lives,
                       (log((now - born[event->allocations.items[0].number]) / 2e8) + 0.25 / 2) /
                           0.5);
        }
    }
    assert_int_equal(sizes.count, ALLOCATIONS);
    assert_int_equal(lives.count, ALLOCATIONS);
    assert_true(live == 0);
    const double size = 4 << 20, interval = 1e6;
    to_intervals(&dates);
    expect_distribution("intervals", &dates, below_exponential, &interval);
    expect_distribution("sizes", &sizes, below_exponential, &size);
    expect_independence("sizes", &sizes);
    expect_distribution("logarithm of lifetimes", &lives, below_normal, NULL);
    /* M/G/infinity: Poisson about rate x lifetime = 200. */
    expect_mean("alive", &alive, 200, sqrt(200));
    double variance = gsl_stats_variance(alive.values, 1, alive.count);
    expect_chi_squared("alive", variance / 200 * (double)(alive.count - 1),
                       (double)(alive.count - 1));
    sample_free(&sizes);
    sample_free(&lives);
    sample_free(&dates);
    sample_free(&alive);
    free(born);
}

static void test_compositor(void **state)
{
    (void)state;
    enum { WINDOWS = 300, FRAMES = 3600, PROCESSES = WINDOWS + 1 };
    struct made made;
    struct sample sizes = {0}, times = {0}, idle = {0};
    double presents[PROCESSES] = {0}, last[PROCESSES] = {0}, compositions = 0;
    made_open(&made, "compositor",
              MADE_ARGUMENTS("windows", "300", "frames", "3600", "busy", "1", "updates", "1",
                             "window-size", "1MiB", "window-sizes", "exponential", "gpu-time",
                             "500us", "gpu-spread", "0.4"));
    while (made_next(&made)) {
        const struct trace_event *event = &made.event;
        uint32_t process = (event->pid - 1000) / 4;
        assert_true(process < PROCESSES);
        if (event->op == TRACE_CREATE_ALLOCATION && process > 0)
            sample_add(&sizes, (double)event->creations.items[0].size);
        if (event->op == TRACE_SUBMIT && process > 0)
            sample_add(&times, log((double)event->gpu_ns / 5e5) / 0.4);
        if (event->op == TRACE_SUBMIT && process == 0)
            compositions++;
        if (event->op == TRACE_PRESENT && process > 1) {
            if (last[process] != 0)
                sample_add(&idle, (double)event->t_ns - last[process]);
            last[process] = (double)event->t_ns;
        }
        presents[process] += event->op == TRACE_PRESENT;
    }
    const double size = 1 << 20;
    expect_distribution("sizes of windows", &sizes, below_exponential, &size);
    expect_distribution("logarithm of engine times", &times, below_normal, NULL);
    /* A drawing takes some 0.3 ms of calls, which the intervals between drawings do not count. */
    double total = 0;
    for (int i = 2; i < PROCESSES; i++)
        total += presents[i];
    expect_poisson("what 299 windows drew in 60 s", total, 299 * 60 / 1.0003);
    expect_independence("intervals between two drawings", &idle);
    /* The busy one draws for each refresh, and the compositor has news for each. */
    assert_true(presents[1] >= FRAMES - 5 && presents[1] <= FRAMES + 5);
    assert_true(compositions >= FRAMES - 5 && compositions <= FRAMES);
    sample_free(&sizes);
    sample_free(&times);
    sample_free(&idle);
}

static void test_video(void **state)
{
    (void)state;
    enum { FRAMES = 3000 };
    struct made made;
    struct sample times[3] = {{0}, {0}, {0}};
    uint64_t contexts[3], count = 0;
    double first = 0, last = 0;
    static const double means[] = {2e6, 1e6, 3e6};
    made_open(&made, "video",
              MADE_ARGUMENTS("streams", "1", "frames", "3000", "rate", "60", "decode-time", "2ms",
                             "process-time", "1ms", "encode-time", "3ms", "times-spread", "0.25"));
    while (made_next(&made)) {
        const struct trace_event *event = &made.event;
        if (event->op == TRACE_CREATE_CONTEXT)
            contexts[count++] = event->context.number;
        if (event->op != TRACE_SUBMIT)
            continue;
        for (int i = 0; i < 3; i++)
            if (event->context.number == contexts[i])
                sample_add(&times[i], (double)event->gpu_ns);
        if (event->context.number == contexts[0]) {
            first = first != 0 ? first : (double)event->t_ns;
            last = (double)event->t_ns;
        }
    }
    double rate = (FRAMES - 1) / ((last - first) / 1e9);
    print_message("  rate: %.3f frames per second, expected 60\n", rate);
    assert_true(fabs(rate - 60) < 0.01); /* a frame's CPU time of some 0.2 ms in 50 s */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(times[i].count, FRAMES);
        expect_mean("engine times", &times[i], means[i], means[i] * sqrt(expm1(0.0625)));
        for (size_t k = 0; k < FRAMES; k++)
            times[i].values[k] = (log(times[i].values[k] / means[i]) + 0.0625 / 2) / 0.25;
        expect_distribution("logarithm of engine times", &times[i], below_normal, NULL);
        sample_free(&times[i]);
    }
}

/* Requests come by Poisson, are as long as they should be, and their cache never exceeds the
 * budget, at which some of them have to spill. */
static void test_llm(void **state)
{
    (void)state;
    enum { REQUESTS = 3000, BUDGET = 200, NAMES = 1 << 16 };
    struct made made;
    struct sample arrivals = {0};
    uint64_t front = 0, server = 0, weights = 0, chunks = 0, resident = 0, most = 0, evictions = 0;
    double tokens = 0, taken = 0;
    /* By chunk: how many steps there were when it was made resident. */
    uint64_t steps = 0, *since = calloc(NAMES, sizeof *since);
    assert_non_null(since);
    made_open(&made, "llm",
              MADE_ARGUMENTS("requests", "3000", "rate", "60", "prompt", "300", "prompts", "fixed",
                             "reply", "100", "replies", "exponential", "chunk", "64", "token-size",
                             "1KiB", "cache", "12800KiB", "context", "8192", "batch", "64",
                             "weights", "128MiB", "step-time", "5ms", "prompt-time", "5us"));
    while (made_next(&made)) {
        const struct trace_event *event = &made.event;
        if (event->op == TRACE_CREATE_DEVICE)
            server = event->tid;
        if (event->op == TRACE_SIGNAL && !trace_given(event->given, TRACE_CONTEXT)) {
            front = event->tid;
            sample_add(&arrivals, (double)event->t_ns);
        }
        if (event->op == TRACE_CREATE_ALLOCATION && event->creations.count > 1)
            weights = event->creations.count;
        else if (event->op == TRACE_CREATE_ALLOCATION)
            chunks++;
        /* The weights are the first to be made resident, everything else is the cache. */
        if (event->op == TRACE_MAKE_RESIDENT && chunks > 0)
            resident += event->allocations.count;
        if (event->op == TRACE_EVICT)
            resident -= event->allocations.count;
        /* Whoever is taken back makes a token before it may have to spill again. */
        for (uint32_t i = 0; i < event->allocations.count; i++) {
            uint64_t name = event->allocations.items[i].number;
            assert_true(name < NAMES);
            if (event->op == TRACE_MAKE_RESIDENT)
                since[name] = steps;
            else if (event->op == TRACE_EVICT && i == 0)
                assert_true(steps > since[name]);
        }
        if (event->op == TRACE_DESTROY_ALLOCATION)
            taken += event->allocations.count;
        evictions += event->op == TRACE_EVICT;
        most = resident > most ? resident : most;
        if (event->op == TRACE_SUBMIT) {
            assert_int_equal(event->allocations.count + event->writes.count - weights, resident);
            tokens += event->writes.count;
            steps++;
        }
    }
    assert_true(front != server);
    assert_int_equal(arrivals.count, REQUESTS);
    assert_int_equal(most, BUDGET);
    print_message("  %lu times a request spilled\n", (unsigned long)evictions - REQUESTS);
    assert_true(evictions > REQUESTS); /* one at the end of each, the others are spills */
    assert_true((double)chunks == taken);
    const double interval = 1e9 / 60;
    to_intervals(&arrivals);
    expect_distribution("arrivals", &arrivals, below_exponential, &interval);
    expect_independence("arrivals", &arrivals);
    /* Whole tokens, at least one: the mean of the rounded exponential is 1 / (2 sinh(1 / 200)), and
     * what becomes one instead of none adds 1 - exp(-1 / 200). */
    double mean = 1 / (2 * sinh(1 / 200.0)) - expm1(-1 / 200.0);
    double z = (tokens / REQUESTS - mean) / (100 / sqrt(REQUESTS));
    print_message("  tokens made: %g for a request, expected %g (z %.2f)\n", tokens / REQUESTS,
                  mean, z);
    assert_true(fabs(z) < most_z());
    sample_free(&arrivals);
    free(since);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distributions), cmocka_unit_test(test_contexts),
        cmocka_unit_test(test_frames),        cmocka_unit_test(test_zipf),
        cmocka_unit_test(test_churn),         cmocka_unit_test(test_compositor),
        cmocka_unit_test(test_video),         cmocka_unit_test(test_llm),
    };
    print_message("seed %d, confidence 99.99 %%\n", MADE_SEED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
