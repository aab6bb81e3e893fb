/* An allocator under stress: allocations come at random, live for a while, and go.
 *
 * With exponential intervals the number of live ones is, once the first have gone, distributed by
 * Poisson about rate x lifetime, whatever the distribution of lifetimes (M/G/infinity). Sizes and
 * lifetimes are independent. Calls take no time. */
#include "workloads/distribution.h"
#include "workloads/script.h"
#include "workloads/workloads.h"

#include "model/memory.h"

struct churn {
    uint32_t allocations;
    double rate;
    uint64_t lifetime_ns, size, unit, limit;
    struct distribution intervals, lifetimes, sizes;
    bool resident;
};

#define ROW(...) WORKLOAD_ROW(churn, __VA_ARGS__)

static const struct key_spec parameters[] = {
    {ROW("allocations", COUNT, allocations, "1..1000000000", "10000", "allocations in all")},
    {ROW("rate", NUMBER, rate, "0.001..1000000000", "1000", "allocations per second, on average")},
    DISTRIBUTION_ROWS(churn, "intervals", intervals, "exponential", "0.5",
                      "the intervals between them"),
    {ROW("lifetime", TIME, lifetime_ns, "1ns..1000000s", "500ms",
         "from creation to destruction, mean: rate x lifetime are alive on average")},
    DISTRIBUTION_ROWS(churn, "lifetimes", lifetimes, "exponential", "0.5", "the lifetimes"),
    {ROW("size", SIZE, size, "1B..4TB", "4MiB", "bytes of an allocation, mean")},
    DISTRIBUTION_ROWS(churn, "sizes", sizes, "exponential", "0.5", "the sizes"),
    {ROW("unit", SIZE, unit, "1B..2MiB", "4KiB", "sizes are rounded up to multiples of this")},
    {ROW("limit", SIZE, limit, "1B..4TB", "1GiB", "sizes beyond are drawn again")},
    {ROW("resident", SWITCH, resident, "true, false", "true",
         "whether an allocation is made resident when it is created")},
};

enum { RANDOM_INTERVAL = SCRIPT_PACE + 1, RANDOM_LIFETIME, RANDOM_SIZE };

struct mortal {
    struct sim_timer end;
    uint64_t name;
};

struct stress {
    struct script script;
    const struct churn *churn;
    uint64_t next_ns; /* when the next one comes */
    uint32_t created;
    struct calendar ends;
    struct memory_pool mortals;
};

static uint64_t draw_size(struct stress *stress)
{
    const struct churn *churn = stress->churn;
    uint64_t size;
    do
        size = distribution_whole(&churn->sizes, stress->script.random[RANDOM_SIZE],
                                  (double)churn->size);
    while (size > churn->limit);
    return (size + churn->unit - 1) / churn->unit * churn->unit;
}

static void create(struct stress *stress)
{
    struct script *script = &stress->script;
    const struct churn *churn = stress->churn;
    struct mortal *mortal = memory_pool_take(&stress->mortals);
    sim_timer_init(&mortal->end, NULL, mortal);
    script_create(script, "buffer", draw_size(stress), &mortal->name, 1);
    if (churn->resident)
        script_make_resident(script, &mortal->name, 1);
    uint64_t lifetime = distribution_whole(&churn->lifetimes, script->random[RANDOM_LIFETIME],
                                           (double)churn->lifetime_ns);
    calendar_set(&stress->ends, &mortal->end, script->clock_ns + lifetime);
    stress->created++;
    stress->next_ns +=
        distribution_whole(&churn->intervals, script->random[RANDOM_INTERVAL], 1e9 / churn->rate);
}

static void destroy(struct stress *stress)
{
    struct mortal *mortal = calendar_take(&stress->ends)->owner;
    if (stress->churn->resident)
        script_evict(&stress->script, &mortal->name, 1, SCRIPT_EVICT_NOW);
    script_destroy(&stress->script, &mortal->name, 1);
    memory_pool_give(&stress->mortals, mortal);
}

/* What comes next, a creation or a destruction; UINT64_MAX: nothing. */
static uint64_t next_date(const struct stress *stress)
{
    uint64_t end = calendar_next(&stress->ends);
    bool creates = stress->created < stress->churn->allocations && stress->next_ns < end;
    return creates ? stress->next_ns : end;
}

static bool act(struct script *script)
{
    struct stress *stress = (struct stress *)script;
    if (script->device == 0)
        script_create_device(script);
    else if (calendar_next(&stress->ends) == script->clock_ns)
        destroy(stress);
    else
        create(stress);
    uint64_t next = next_date(stress);
    if (next == UINT64_MAX)
        return false;
    script->clock_ns = next;
    return true;
}

static void fini(struct script *script)
{
    struct stress *stress = (struct stress *)script;
    calendar_fini(&stress->ends);
    memory_pool_fini(&stress->mortals);
}

static void set(struct stage *stage, const void *of)
{
    struct stress *stress = stage_script(stage, stage_process(stage), act, sizeof *stress);
    stress->script.fini = fini;
    stress->churn = of;
    stress->mortals.object_size = sizeof(struct mortal);
}

static const char *refuse(const void *of)
{
    const struct churn *churn = of;
    if (distribution_wrong(&churn->intervals) || distribution_wrong(&churn->lifetimes) ||
        distribution_wrong(&churn->sizes))
        return DISTRIBUTION_WRONG;
    if (churn->limit < churn->size)
        return "the limit is below the mean size";
    return NULL;
}

const struct workload workload_churn = {
    .name = "churn",
    .summary = "an allocator under stress: sizes and lifetimes at random",
    .parameters = parameters,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .size = sizeof(struct churn),
    .refuse = refuse,
    .set = set,
};
