/* What every generated trace keeps to, and what is exact in each: the same seed gives the same
 * bytes, objects are used while they live, memory is resident while the GPU works on it, every wait
 * comes to its end. */
#include "tests/unit/made.h"
#include "workloads/script.h"

#include <uthash.h>

/* The rules, as the events go by. */

struct pair {
    uint64_t first, second;
};

/* A device's view of an allocation. */
struct view {
    struct pair key; /* device, allocation */
    uint32_t required;
    bool locked, offered;
    UT_hash_handle hh;
};

/* A context's device, a resource's allocations, a fence's values. */
struct thing {
    uint64_t name;
    uint64_t device, signalled, waited;
    uint64_t members[2];
    UT_hash_handle hh;
};

struct rules {
    const char *workload;
    bool explicit_residency;
    struct view *views;
    struct thing *contexts, *resources, *fences;
    uint64_t events, submissions;
};

static struct view *view_of(struct rules *rules, uint64_t device, uint64_t allocation)
{
    struct view *view;
    const struct pair key = {device, allocation};
    HASH_FIND(hh, rules->views, &key, sizeof key, view);
    return view;
}

static struct view *expect_view(struct rules *rules, uint64_t device, uint64_t allocation)
{
    struct view *view = view_of(rules, device, allocation);
    if (view == NULL)
        fail_msg("%s: event %lu: device %lu does not know allocation %lu", rules->workload,
                 (unsigned long)rules->events, (unsigned long)device, (unsigned long)allocation);
    return view;
}

static void add_view(struct rules *rules, uint64_t device, uint64_t allocation)
{
    assert_null(view_of(rules, device, allocation));
    struct view *view = calloc(1, sizeof *view);
    assert_non_null(view);
    view->key = (struct pair){device, allocation};
    HASH_ADD(hh, rules->views, key, sizeof view->key, view);
}

static struct thing *thing_of(struct thing **table, uint64_t name, bool add)
{
    struct thing *thing;
    HASH_FIND(hh, *table, &name, sizeof name, thing);
    if (thing == NULL && add) {
        thing = calloc(1, sizeof *thing);
        assert_non_null(thing);
        thing->name = name;
        HASH_ADD(hh, *table, name, sizeof thing->name, thing);
    }
    assert_non_null(thing);
    return thing;
}

static void check_references(struct rules *rules, uint64_t device, struct trace_names names)
{
    for (uint32_t i = 0; i < names.count; i++) {
        const struct view *view = expect_view(rules, device, names.items[i].number);
        if (rules->explicit_residency && view->required == 0)
            fail_msg("%s: event %lu: allocation %lu is not resident", rules->workload,
                     (unsigned long)rules->events, (unsigned long)names.items[i].number);
        assert_false(view->locked);
        assert_false(view->offered);
    }
}

static void check_creation(struct rules *rules, const struct trace_event *event)
{
    bool shared = trace_given(event->given, TRACE_RESOURCE);
    struct thing *resource =
        shared ? thing_of(&rules->resources, event->resource.number, true) : NULL;
    assert_true(!shared || event->creations.count == 2);
    for (uint32_t i = 0; i < event->creations.count; i++) {
        add_view(rules, event->device.number, event->creations.items[i].allocation.number);
        if (shared)
            resource->members[i] = event->creations.items[i].allocation.number;
    }
}

static void check_list(struct rules *rules, const struct trace_event *event)
{
    for (uint32_t i = 0; i < event->allocations.count; i++) {
        uint64_t name = event->allocations.items[i].number;
        struct view *view = expect_view(rules, event->device.number, name);
        if (event->op == TRACE_MAKE_RESIDENT) {
            view->required++;
        } else if (event->op == TRACE_EVICT) {
            assert_true(view->required > 0);
            view->required--;
        } else {
            assert_int_equal(view->required, 0);
            HASH_DEL(rules->views, view);
            free(view);
        }
    }
}

static void check_event(struct rules *rules, const struct trace_event *event)
{
    struct thing *thing;
    struct view *view;
    switch (event->op) {
    case TRACE_CREATE_CONTEXT:
        thing_of(&rules->contexts, event->context.number, true)->device = event->device.number;
        break;
    case TRACE_CREATE_ALLOCATION:
        check_creation(rules, event);
        break;
    case TRACE_OPEN_RESOURCE:
        thing = thing_of(&rules->resources, event->resource.number, false);
        add_view(rules, event->device.number, thing->members[0]);
        add_view(rules, event->device.number, thing->members[1]);
        break;
    case TRACE_MAKE_RESIDENT:
    case TRACE_EVICT:
    case TRACE_DESTROY_ALLOCATION:
        assert_true(rules->explicit_residency || event->op == TRACE_DESTROY_ALLOCATION);
        check_list(rules, event);
        break;
    case TRACE_LOCK:
    case TRACE_UNLOCK:
        view = expect_view(rules, event->device.number, event->allocation.number);
        assert_int_equal(view->locked, event->op == TRACE_UNLOCK);
        view->locked = event->op == TRACE_LOCK;
        break;
    case TRACE_SUBMIT:
        thing = thing_of(&rules->contexts, event->context.number, false);
        check_references(rules, thing->device, event->allocations);
        check_references(rules, thing->device, event->writes);
        rules->submissions++;
        break;
    case TRACE_PRESENT:
        thing = thing_of(&rules->contexts, event->context.number, false);
        expect_view(rules, thing->device, event->allocation.number);
        break;
    case TRACE_SIGNAL: /* values of a fence rise */
        thing = thing_of(&rules->fences, event->fence.number, true);
        assert_true(event->value > thing->signalled);
        thing->signalled = event->value;
        break;
    case TRACE_WAIT:
        thing = thing_of(&rules->fences, event->fence.number, true);
        if (event->value > thing->waited)
            thing->waited = event->value;
        break;
    case TRACE_OFFER_ALLOCATIONS:
    case TRACE_RECLAIM_ALLOCATIONS:
        for (uint32_t i = 0; i < event->allocations.count; i++) {
            view = expect_view(rules, event->device.number, event->allocations.items[i].number);
            assert_int_equal(view->offered, event->op == TRACE_RECLAIM_ALLOCATIONS);
            view->offered = event->op == TRACE_OFFER_ALLOCATIONS;
        }
        break;
    case TRACE_CREATE_DEVICE:
    case TRACE_EXIT_PROCESS:
    case TRACE_SET_PROCESS_STATE:
        break;
    default:
        fail_msg("%s: op %d was not expected", rules->workload, (int)event->op);
    }
}

static void free_rules(struct rules *rules)
{
    struct view *view, *next_view;
    HASH_ITER (hh, rules->views, view, next_view) {
        HASH_DEL(rules->views, view);
        free(view);
    }
    struct thing **tables[] = {&rules->contexts, &rules->resources, &rules->fences};
    struct thing *thing, *next;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        HASH_ITER (hh, *tables[i], thing, next) {
            HASH_DEL(*tables[i], thing);
            free(thing);
        }
}

static void expect_rules(const char *workload, const char *const *arguments)
{
    struct made made;
    made_open(&made, workload, arguments);
    struct rules rules = {.workload = workload};
    rules.explicit_residency =
        trace_reader_header(made.reader)->residency == TRACE_RESIDENCY_EXPLICIT;
    while (made_next(&made)) {
        check_event(&rules, &made.event);
        rules.events++;
    }
    struct thing *fence, *next;
    HASH_ITER (hh, rules.fences, fence, next) {
        if (fence->waited > fence->signalled)
            fail_msg("%s: fence %lu never reaches %lu", workload, (unsigned long)fence->name,
                     (unsigned long)fence->waited);
    }
    if (strcmp(workload, "churn") != 0)
        assert_true(rules.submissions > 0);
    free_rules(&rules);
}

/* Each workload as it comes, and with what else it can do. */
static const struct {
    const char *workload;
    const char *arguments[24];
} variants[] = {
    {"budget", {"dwell", "200ms", "textures", "20"}},
    {"budget",
     {"dwell", "100ms", "dwells", "exponential", "changes", "20", "processes", "4", "textures",
      "70", "others", "minimized", "offer", "0.5"}},
    {"churn", {"allocations", "2000"}},
    {"churn", {"allocations", "2000", "lifetimes", "pareto", "sizes", "uniform"}},
    {"compositor", {"frames", "120"}},
    {"compositor", {"frames", "60", "windows", "3", "busy", "3", "gpu-time", "9ms"}},
    {"contexts", {"packets", "200"}},
    {"contexts",
     {"packets", "100", "contexts", "3", "streams", "4", "ahead", "3", "memory", "1MiB",
      "urgent-contexts", "2", "urgent-packets", "50", "granule", "100us"}},
    {"frames", {"frames", "60"}},
    {"frames",
     {"frames", "200", "passes", "4", "turns", "5", "idle", "7", "textures", "100", "stream", "3",
      "latency", "2"}},
    {"frames", {"frames", "50", "textures", "1", "stream", "64", "idle", "1", "latency", "1"}},
    {"llm", {"requests", "40"}},
    {"llm", {"requests", "60", "cache", "1GiB", "rate", "100"}},
    {"scan", {"passes", "3"}},
    {"scan",
     {"passes", "3", "arrays", "3", "written", "1", "width", "7", "pattern", "zigzag", "residency",
      "held"}},
    {"scan", {"passes", "2", "residency", "per-submit"}},
    {"scan", {"passes", "2", "arrays", "2", "written", "1", "residency", "fault"}},
    {"swap", {"work", "1s"}},
    {"swap", {"work", "1s", "residency", "fault"}},
    {"swap", {"work", "1s", "quantum", "70ms", "jobs", "3", "residency", "in-turn"}},
    {"training", {"steps", "3"}},
    {"training", {"steps", "5", "optimizer", "0", "residency", "in-turn", "ahead", "1"}},
    {"video", {"frames", "40"}},
    {"video", {"frames", "40", "surfaces", "2", "references", "0", "rate", "0", "streams", "3"}},
    {"video", {"frames", "3"}},
    {"zipf", {"references", "500"}},
    {"zipf", {"references", "500", "written", "0.5", "residency", "per-submit"}},
    {"zipf", {"references", "500", "residency", "fault"}},
};

enum { VARIANTS = sizeof variants / sizeof *variants };

static void test_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < VARIANTS; i++)
        expect_rules(variants[i].workload, variants[i].arguments);
    for (size_t i = 0; i < workload_count; i++) {
        bool tried = false;
        for (size_t k = 0; k < VARIANTS; k++)
            tried |= strcmp(workloads[i]->name, variants[k].workload) == 0;
        if (!tried)
            fail_msg("%s is not among the variants", workloads[i]->name);
    }
}

static void load_file(const char *path, char **bytes, size_t *length)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *length = (size_t)ftell(file);
    rewind(file);
    *bytes = malloc(*length + 1);
    assert_non_null(*bytes);
    assert_int_equal(fread(*bytes, 1, *length, file), *length);
    (*bytes)[*length] = '\0';
    fclose(file);
    unlink(path);
}

/* The text of a trace without its first line, which names the seed. */
static char *events_of(const char *workload, uint64_t seed, const char *const *arguments)
{
    char path[64], *bytes;
    size_t length;
    snprintf(path, sizeof path, "/tmp/wddmsim-made-%ld.jsonl", (long)getpid());
    made_write(workload, seed, arguments, path);
    load_file(path, &bytes, &length);
    char *first = strchr(bytes, '\n');
    assert_non_null(first);
    char *events = strdup(first + 1);
    free(bytes);
    return events;
}

/* A scan has nothing random in it, and a swap's jobs neither. */
static bool is_random(const char *workload)
{
    static const char *const others[] = {"contexts", "scan", "swap"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(workload, others[i]) == 0)
            return false;
    return true;
}

static void test_seeds(void **state)
{
    (void)state;
    for (size_t i = 0; i < VARIANTS; i++) {
        const char *workload = variants[i].workload;
        char *first = events_of(workload, 7, variants[i].arguments);
        char *again = events_of(workload, 7, variants[i].arguments);
        char *other = events_of(workload, 8, variants[i].arguments);
        assert_string_equal(first, again);
        if (is_random(workload))
            assert_string_not_equal(first, other);
        free(first);
        free(again);
        free(other);
    }
}

/* Each purpose has random numbers of its own: other engine times leave the dates as they were. */
static void test_streams_are_apart(void **state)
{
    (void)state;
    static const char *const times[] = {"fixed", "exponential"};
    struct sample dates[2] = {{0}, {0}};
    for (int i = 0; i < 2; i++) {
        struct made made;
        made_open(&made, "contexts",
                  MADE_ARGUMENTS("loop", "open", "interval", "1ms", "intervals", "exponential",
                                 "gpu-times", times[i]));
        while (made_next(&made))
            if (made.event.op == TRACE_SUBMIT)
                sample_add(&dates[i], (double)made.event.t_ns);
    }
    assert_int_equal(dates[0].count, 2000);
    assert_int_equal(dates[1].count, 2000);
    assert_memory_equal(dates[0].values, dates[1].values, 2000 * sizeof(double));
    sample_free(&dates[0]);
    sample_free(&dates[1]);
}

/* The tables: names are told apart, defaults are in range and print as they are written. */
static void test_parameters(void **state)
{
    (void)state;
    /* Options that generate has for itself. */
    static const char *const taken[] = {"output", "seed", "help", "usage", "version"};
    for (size_t i = 0; i < workload_count; i++) {
        const struct workload *workload = workloads[i];
        assert_true(i == 0 || strcmp(workloads[i - 1]->name, workload->name) < 0);
        void *parameters = workload_parameters(workload);
        for (size_t k = 0; k < workload->parameter_count; k++) {
            const struct key_spec *row = &workload->parameters[k];
            char text[KEY_TEXT_SIZE];
            assert_true(key_parse(row, row->standard, parameters));
            key_print(row, parameters, text);
            if (strcmp(text, row->standard) != 0 && row->type != KEY_TIME)
                fail_msg("%s: %s: %s is printed as %s", workload->name, row->key, row->standard,
                         text);
            assert_true(strlen(row->meaning) > 3);
            for (size_t option = 0; option < sizeof taken / sizeof *taken; option++)
                assert_string_not_equal(row->key, taken[option]);
            for (size_t other = 0; other < k; other++)
                assert_string_not_equal(row->key, workload->parameters[other].key);
        }
        if (workload->refuse != NULL)
            assert_null(workload->refuse(parameters));
        free(parameters);
    }
}

static void expect_wrong(const char *workload, const char *name, const char *value,
                         const char *message)
{
    const char *nearest;
    struct trace_error error;
    const struct workload *found = workload_find(workload, &nearest);
    void *parameters = workload_parameters(found);
    assert_false(workload_set(found, parameters, name, value, &error));
    assert_string_equal(error.message, message);
    free(parameters);
}

static void expect_refusal(const char *workload, const char *const *arguments, const char *part)
{
    const char *nearest;
    struct trace_error error;
    const struct workload *found = workload_find(workload, &nearest);
    void *parameters = workload_parameters(found);
    for (; arguments[0] != NULL; arguments += 2)
        assert_true(workload_set(found, parameters, arguments[0], arguments[1], &error));
    const char *refusal = found->refuse(parameters);
    assert_non_null(refusal);
    assert_non_null(strstr(refusal, part));
    free(parameters);
}

static void test_refusals(void **state)
{
    (void)state;
    const char *nearest = NULL;
    assert_null(workload_find("frame", &nearest));
    assert_string_equal(nearest, "frames");
    expect_wrong("frames", "rte", "3", "frames has no parameter \"rte\", did you mean rate?");
    expect_wrong("frames", "rate", "0", "rate: expected a number in 0.1..10000, got \"0\"");
    expect_wrong("scan", "pattern", "round",
                 "pattern: expected one of cyclic, zigzag, got \"round\"");
    expect_wrong("contexts", "priority", "-8",
                 "priority: expected a whole number in -7..7, got \"-8\"");
    expect_refusal("budget", MADE_ARGUMENTS("offer", "0.5"), "minimized");
    expect_refusal("contexts", MADE_ARGUMENTS("contexts", "0"), "at least 1");
    expect_refusal("contexts", MADE_ARGUMENTS("loop", "open"), "an interval");
    expect_refusal("contexts", MADE_ARGUMENTS("gpu-times", "uniform", "gpu-times-spread", "2"),
                   "spreads up to 1");
    expect_refusal("video", MADE_ARGUMENTS("references", "8"), "fewer than surfaces");
    expect_refusal("llm", MADE_ARGUMENTS("cache", "100MiB"), "one request");
    expect_refusal("llm", MADE_ARGUMENTS("weights", "64KiB"), "fewer weight-parts");
    expect_refusal("churn", MADE_ARGUMENTS("limit", "1MiB"), "below the mean");
    expect_refusal("swap", MADE_ARGUMENTS("working-set", "64KiB"), "fewer buffers");
    expect_refusal("swap", MADE_ARGUMENTS("residency", "in-turn"), "a quantum");
}

/* The header says how the trace is made again. */
static void test_source(void **state)
{
    (void)state;
    struct made made;
    made_open(&made, "scan", MADE_ARGUMENTS("passes", "3", "pattern", "zigzag", "blocks", "64"));
    assert_string_equal(trace_reader_header(made.reader)->source,
                        "wddmsim generate scan --seed 20261125 --passes 3 --pattern zigzag");
    while (made_next(&made))
        ;
}

/* The order of a scan's blocks, by their ordinals. */
static void expect_order(const char *const *arguments, const uint64_t *reads, size_t count)
{
    struct made made;
    size_t at = 0;
    made_open(&made, "scan", arguments);
    while (made_next(&made)) {
        if (made.event.op != TRACE_SUBMIT)
            continue;
        for (uint32_t i = 0; i < made.event.allocations.count; i++) {
            assert_true(at < count);
            assert_int_equal(made.event.allocations.items[i].number, reads[at++]);
        }
    }
    assert_int_equal(at, count);
}

static void test_scan(void **state)
{
    (void)state;
    static const uint64_t cyclic[] = {1, 2, 3, 4, 1, 2, 3, 4}, zigzag[] = {1, 2, 3, 4, 4, 3, 2, 1};
    expect_order(MADE_ARGUMENTS("blocks", "4", "passes", "2"), cyclic, 8);
    expect_order(MADE_ARGUMENTS("blocks", "4", "passes", "2", "pattern", "zigzag"), zigzag, 8);
    /* Two arrays, two blocks of each at a time, the last ones by themselves. */
    static const uint64_t two[] = {1, 2, 4, 5, 3, 6, 3, 2, 6, 5, 1, 4};
    expect_order(MADE_ARGUMENTS("blocks", "3", "passes", "2", "arrays", "2", "width", "2",
                                "pattern", "zigzag"),
                 two, 12);
    /* A triad: the first array is written, the others are read. */
    static const uint64_t triad[] = {3, 5, 4, 6};
    expect_order(MADE_ARGUMENTS("blocks", "2", "passes", "1", "arrays", "3", "written", "1"), triad,
                 4);
}

/* Closed forms of training (see its file): bytes, submissions and engine time. */
static void test_training(void **state)
{
    (void)state;
    enum { LAYERS = 6, STEPS = 4, MIB = 1 << 20 };
    struct made made;
    uint64_t bytes = 0, submissions = 0, copies = 0, gpu_ns = 0, compute = 0;
    made_open(&made, "training",
              MADE_ARGUMENTS("layers", "6", "steps", "4", "batch", "2", "weights", "10MiB",
                             "optimizer", "3", "activations", "8MiB", "input", "1MiB", "layer-time",
                             "1ms", "update-time", "300us"));
    while (made_next(&made)) {
        const struct trace_event *event = &made.event;
        if (event->op == TRACE_CREATE_CONTEXT && compute == 0)
            compute = event->context.number;
        if (event->op == TRACE_CREATE_ALLOCATION)
            for (uint32_t i = 0; i < event->creations.count; i++)
                if (strcmp(event->creations.items[i].usage, "buffer") == 0)
                    bytes += event->creations.items[i].size;
        if (event->op != TRACE_SUBMIT)
            continue;
        if (event->context.number == compute) {
            submissions++;
            gpu_ns += event->gpu_ns - 1; /* no submission of 0 ns */
        } else {
            copies++;
        }
    }
    /* Whole bytes are rounded up by one for the state, the activations and the inputs. */
    assert_int_equal(bytes, LAYERS * (10 * (2 + 3) + 2 * 8) * MIB + 2 * LAYERS + 2 * (2 * MIB + 1));
    assert_int_equal(submissions, STEPS * 3 * LAYERS);
    assert_int_equal(copies, STEPS);
    assert_int_equal(gpu_ns, STEPS * (3 * LAYERS * 2 * 1000000 + LAYERS * 300000));
}

/* What does not fit beside the cache lies in the aperture, and reading it takes its time: of
 * weights of 8 GiB in 32 parts, 8 - 3 = 5 GiB are 20 parts; 12 of 256 MiB at 16 GB/s take
 * 201.326592 ms. */
static void test_llm_overflow(void **state)
{
    (void)state;
    struct made made;
    uint32_t outside = 0, inside = 0;
    bool first = true;
    made_open(&made, "llm",
              MADE_ARGUMENTS("requests", "1", "weights", "8GiB", "local", "8GiB", "cache", "3GiB",
                             "overflow-rate", "16GB/s", "step-time", "10ms", "prompt-time", "0ns"));
    while (made_next(&made)) {
        const struct trace_event *event = &made.event;
        if (event->op == TRACE_CREATE_ALLOCATION && event->creations.count > 1) {
            bool aperture = event->creations.items[0].segments.count == 1;
            assert_true(!aperture ||
                        strcmp(event->creations.items[0].segments.items[0].text, "aperture") == 0);
            *(aperture ? &outside : &inside) += event->creations.count;
        }
        if (event->op == TRACE_SUBMIT && first) {
            assert_int_equal(event->gpu_ns, 10000000 + 201326592);
            first = false;
        }
    }
    assert_false(first);
    assert_int_equal(outside, 12);
    assert_int_equal(inside, 20);
}

/* Who has the lock has the GPU: between taking and giving it away nobody else submits. Each job
 * does all its work, a quantum at a time. */
static void test_swap_lock(void **state)
{
    (void)state;
    enum { JOBS = 3, KERNELS = 20, QUANTUM = 7 };
    struct made made;
    uint64_t turn = 0, run = 0, lock = 1, total[JOBS] = {0};
    uint32_t holder = 0;
    made_open(&made, "swap",
              MADE_ARGUMENTS("jobs", "3", "kernel-time", "1ms", "work", "20ms", "quantum", "7ms"));
    while (made_next(&made)) {
        const struct trace_event *event = &made.event;
        uint32_t job = (event->pid - 1000) / 4;
        if (event->op == TRACE_SUBMIT) {
            assert_int_equal(job, turn % JOBS);
            holder = event->pid;
            run++;
            total[job]++;
        }
        if (event->op == TRACE_SIGNAL && event->fence.number == lock) {
            assert_int_equal(event->pid, holder);
            assert_int_equal(event->value, ++turn);
            assert_int_equal(run, total[job] < KERNELS ? QUANTUM : KERNELS % QUANTUM);
            run = 0;
        }
    }
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(total[i], KERNELS);
    assert_int_equal(turn, 3 * JOBS);
}

/* A closed loop never has more than `ahead` packets in the queue, and equal ones take turns. */
static void test_closed_loop(void **state)
{
    (void)state;
    struct made made;
    uint64_t submitted[2] = {0, 0}, waited[2] = {0, 0};
    made_open(&made, "contexts", MADE_ARGUMENTS("packets", "100", "ahead", "3"));
    while (made_next(&made)) {
        uint32_t process = (made.event.pid - 1000) / 4;
        if (made.event.op == TRACE_WAIT)
            waited[process] = made.event.value;
        if (made.event.op != TRACE_SUBMIT)
            continue;
        submitted[process]++;
        assert_true(submitted[process] - waited[process] <= 3);
        assert_true(submitted[0] == submitted[1] || submitted[0] == submitted[1] + 1);
    }
    assert_int_equal(submitted[0], 100);
    assert_int_equal(submitted[1], 100);
    assert_int_equal(waited[0], 100);
}

/* A program draws into a surface only behind every composition that reads it, and a composition
 * reads only what it has waited for. */
static void test_compositor_order(void **state)
{
    (void)state;
    enum { WINDOWS = 5, NAMES = 64 };
    struct made made;
    uint64_t read_by[NAMES] = {0}, behind[NAMES] = {0},
             drawn[NAMES] = {0};                                       /* by surface, context */
    uint64_t waited[NAMES] = {0}, value[NAMES] = {0}, of[NAMES] = {0}; /* by fence, surface */
    uint64_t compositions = 0, drawings = 0, fence = 0, context = 0;
    made_open(&made, "compositor",
              MADE_ARGUMENTS("windows", "5", "busy", "1", "updates", "200", "frames", "600",
                             "gpu-time", "100us"));
    while (made_next(&made)) {
        const struct trace_event *event = &made.event;
        bool desktop = event->pid == 1000;
        assert_true(event->context.number < NAMES && event->fence.number < NAMES);
        if (event->op == TRACE_CREATE_CONTEXT && desktop)
            context = event->context.number;
        else if (event->op == TRACE_SIGNAL && desktop)
            fence = event->fence.number;
        else if (event->op == TRACE_WAIT && event->context.number == context)
            waited[event->fence.number] = event->value;
        else if (event->op == TRACE_WAIT && event->fence.number == fence)
            behind[event->context.number] = event->value;
        else if (event->op == TRACE_SIGNAL) { /* says when the surface it drew last is drawn */
            of[drawn[event->context.number]] = event->fence.number;
            value[drawn[event->context.number]] = event->value;
        }
        if (event->op == TRACE_SUBMIT && desktop) {
            compositions++;
            for (uint32_t i = 0; i < event->allocations.count; i++) {
                uint64_t surface = event->allocations.items[i].number;
                read_by[surface] = compositions;
                assert_true(value[surface] > 0 && waited[of[surface]] >= value[surface]);
            }
        } else if (event->op == TRACE_SUBMIT) {
            uint64_t surface = event->writes.items[0].number;
            if (behind[event->context.number] < read_by[surface])
                fail_msg("composition %lu reads surface %lu while it is drawn",
                         (unsigned long)read_by[surface], (unsigned long)surface);
            drawn[event->context.number] = surface;
            drawings++;
        }
    }
    assert_true(compositions > 500 && drawings > 5000);
}

/* One program has the focus at a time, the next one after each dwell; it renders at full rate, the
 * others slowly. */
static void test_budget_focus(void **state)
{
    (void)state;
    enum { PROGRAMS = 3, CHANGES = 7 };
    struct made made;
    uint32_t focus = 0;
    uint64_t told = 0, since = 0, frames[PROGRAMS] = {0};
    made_open(&made, "budget",
              MADE_ARGUMENTS("processes", "3", "changes", "7", "dwell", "1s", "textures", "10",
                             "gpu-time", "1ms", "rate", "50", "background-rate", "5"));
    while (made_next(&made)) {
        const struct trace_event *event = &made.event;
        uint32_t program = (event->pid - 1000) / 4;
        if (event->op == TRACE_SUBMIT)
            frames[program]++;
        if (event->op != TRACE_SET_PROCESS_STATE)
            continue;
        if (program == 0 && told > 0) { /* the first of a change: what was before is complete */
            assert_int_equal(event->t_ns - since, 1000000000);
            for (uint32_t i = 0; i < PROGRAMS && told > PROGRAMS; i++)
                assert_in_range(frames[i], i == focus ? 49 : 4, i == focus ? 51 : 7);
            memset(frames, 0, sizeof frames);
        }
        since = event->t_ns;
        if (event->flags == SCRIPT_FOCUS)
            focus = program;
        assert_int_equal(event->flags == SCRIPT_FOCUS, program == told / PROGRAMS % PROGRAMS);
        assert_true(event->flags == SCRIPT_FOCUS || event->flags == SCRIPT_OCCLUDED);
        told++;
    }
    assert_int_equal(told, PROGRAMS * (CHANGES + 1));
}

/* No engine overwrites a surface that the next one still needs: what `surfaces` frames ago was
 * written is waited for on the GPU, or by the thread. */
static void test_video_order(void **state)
{
    (void)state;
    enum { SURFACES = 4 };
    struct made made;
    uint64_t fence[3] = {0}, context[3] = {0}, contexts = 0, frames[3] = {0}, waited[3] = {0},
             seen = 0;
    made_open(&made, "video",
              MADE_ARGUMENTS("streams", "1", "frames", "50", "surfaces", "4", "references", "3"));
    while (made_next(&made)) {
        const struct trace_event *event = &made.event;
        if (event->op == TRACE_CREATE_CONTEXT)
            context[contexts++] = event->context.number;
        if (event->op != TRACE_SUBMIT && event->op != TRACE_SIGNAL && event->op != TRACE_WAIT)
            continue;
        size_t stage = 0;
        while (stage < 3 && event->context.number != context[stage])
            stage++;
        if (event->op == TRACE_WAIT && stage == 3) {
            seen = event->value; /* the thread's: encoded */
        } else if (event->op == TRACE_WAIT) {
            if (stage > 0 && event->fence.number == fence[stage - 1])
                assert_int_equal(event->value, frames[stage] + 1); /* what it works on */
            else
                waited[stage] = event->value; /* what it overwrites */
        } else if (event->op == TRACE_SUBMIT) {
            if (stage < 2 && frames[stage] >= SURFACES)
                assert_int_equal(waited[stage], frames[stage] - SURFACES + 1);
            if (frames[stage] >= SURFACES)
                assert_true(seen >= frames[stage] - SURFACES + 1);
        } else {
            fence[stage] = event->fence.number;
            assert_int_equal(event->value, ++frames[stage]);
        }
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(frames[i], 50);
    assert_int_equal(seen, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_parameters),   cmocka_unit_test(test_streams_are_apart),
        cmocka_unit_test(test_refusals),     cmocka_unit_test(test_source),
        cmocka_unit_test(test_scan),         cmocka_unit_test(test_training),
        cmocka_unit_test(test_swap_lock),    cmocka_unit_test(test_closed_loop),
        cmocka_unit_test(test_video_order),  cmocka_unit_test(test_llm_overflow),
        cmocka_unit_test(test_budget_focus), cmocka_unit_test(test_compositor_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
