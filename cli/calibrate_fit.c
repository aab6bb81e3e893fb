/* The three kinds of values that a recording tells: the link's, the calls', the steps'. */
#include "cli/calibrate.h"
#include "analysis/calibration.h"
#include "analysis/heap.h"
#include "model/hardware/units.h"

#include <inttypes.h>
#include <math.h>

enum { LEAST_CALLS = 5 };

/* The processor time of calls is read off: what a call took longer than simulated, at the median.
 * Of Present it is not known which of two costs it paid. */
static const struct {
    enum trace_op op;
    const char *key;
} costs[] = {
    {TRACE_CREATE_DEVICE, "costs.create-device.fixed"},
    {TRACE_DESTROY_DEVICE, "costs.destroy-device.fixed"},
    {TRACE_CREATE_CONTEXT, "costs.create-context.fixed"},
    {TRACE_DESTROY_CONTEXT, "costs.destroy-context.fixed"},
    {TRACE_CREATE_ALLOCATION, "costs.create-allocation.fixed"},
    {TRACE_OPEN_RESOURCE, "costs.open-resource.fixed"},
    {TRACE_DESTROY_ALLOCATION, "costs.destroy-allocation.fixed"},
    {TRACE_CREATE_CONTEXT_ALLOCATION, "costs.create-context-allocation.fixed"},
    {TRACE_DESTROY_CONTEXT_ALLOCATION, "costs.destroy-context-allocation.fixed"},
    {TRACE_MAP_GPU_VIRTUAL_ADDRESS, "costs.map-gpu-virtual-address.fixed"},
    {TRACE_MAKE_RESIDENT, "costs.make-resident.fixed"},
    {TRACE_EVICT, "costs.evict.fixed"},
    {TRACE_SET_ALLOCATION_PRIORITY, "costs.set-priority.fixed"},
    {TRACE_OFFER_ALLOCATIONS, "costs.offer.fixed"},
    {TRACE_RECLAIM_ALLOCATIONS, "costs.reclaim.fixed"},
    {TRACE_LOCK, "costs.lock.fixed"},
    {TRACE_UNLOCK, "costs.unlock.fixed"},
    {TRACE_SUBMIT, "costs.submit.fixed"},
    {TRACE_SIGNAL, "costs.signal.fixed"},
    {TRACE_WAIT, "costs.wait.fixed"},
};
enum { COSTS = sizeof costs / sizeof *costs };

/* The steps between a call and the end of its asynchronous part: fitted if --fit names no others.
 * Thresholds (quanta, after how long an engine is powered down) are not among them: what a little
 * more of one does says nothing. */
static const char *const steps[] = {
    "scheduler.submit",
    "scheduler.submit-idle",
    "scheduler.driver",
    "scheduler.driver-idle",
    "scheduler.driver-switch",
    "scheduler.interrupt",
    "scheduler.interrupt-cold",
    "scheduler.complete",
    "scheduler.complete-signal",
    "scheduler.complete-present",
    "scheduler.wake",
    "scheduler.wait",
    "scheduler.signal",
    "scheduler.present",
    "scheduler.flip",
    "scheduler.power-up",
    "scheduler.preempt",
    "vidmm.request",
    "vidmm.commit",
    "vidmm.build",
    "vidmm.submit",
    "vidmm.packet",
    "memory.tlb-flush",
};
enum { STEPS = sizeof steps / sizeof *steps };

/* Values. */

static double value_of(const struct calibrating *all, const char *key, struct quantity *quantity)
{
    char text[QUANTITY_TEXT_SIZE], error[300];
    double value;
    bool good = hardware_get(&all->hardware, key, text, sizeof text) &&
                quantity_of(key, NULL, quantity, error, sizeof error) && quantity->numeric &&
                quantity_parse(quantity, text, &value);
    return good ? value : (double)NAN;
}

/* As the key can hold it. */
static double rounded(const struct quantity *quantity, double value)
{
    return quantity->granule > 0 ? round(value / quantity->granule) * quantity->granule : value;
}

/* Sets a key and keeps what there is to say of it. */
static void change(struct calibrating *all, const char *key, double value, double error,
                   const char *from)
{
    struct quantity quantity;
    struct profile_error problem;
    double was = value_of(all, key, &quantity);
    if (all->change_count == CALIBRATION_CHANGES_MAX)
        return;
    struct calibration_change *change = &all->changes[all->change_count];
    *change = (struct calibration_change){.key = key};
    quantity_print(&quantity, was, change->was);
    quantity_print(&quantity, rounded(&quantity, value), change->is);
    if (error > 0)
        quantity_print(&quantity, rounded(&quantity, error), change->error);
    snprintf(change->from, sizeof change->from, "%s", from);
    if (hardware_set(&all->hardware, key, change->is, "calibrate", &problem))
        all->change_count++;
    else
        cli_error("%s: left as it is", problem.message); /* beyond the key's range */
}

static void unchanged(struct calibrating *all, const char *key, const char *why)
{
    struct quantity quantity;
    double value = value_of(all, key, &quantity);
    if (all->change_count == CALIBRATION_CHANGES_MAX)
        return;
    struct calibration_change *change = &all->changes[all->change_count++];
    *change = (struct calibration_change){.key = key};
    quantity_print(&quantity, value, change->was);
    snprintf(change->from, sizeof change->from, "%s", why);
}

/* Runs. */

/* The whole profile as it is now, and `count` keys of it to be varied. */
static bool start_runs(struct calibrating *all, struct calibration_runs *runs,
                       const char *const *keys, size_t count, size_t points)
{
    *runs = (struct calibration_runs){
        .play = all->play, .observations = &all->seen, .keys = keys, .key_count = count};
    if (calibration_runs_init(runs, points))
        return true;
    all->status = CLI_FAILED;
    return false;
}

/* The changes so far as values of runs: those that are none have no text. */
static size_t changed_keys(const struct calibrating *all, const char **keys,
                           char (*texts)[QUANTITY_TEXT_SIZE])
{
    size_t count = 0;
    for (size_t i = 0; i < all->change_count; i++)
        if (all->changes[i].is[0] != '\0') {
            memcpy(texts[count], all->changes[i].is, sizeof *texts);
            keys[count++] = all->changes[i].key;
        }
    return count;
}

double *calibration_simulate(struct calibrating *all)
{
    const char *keys[CALIBRATION_CHANGES_MAX];
    char texts[CALIBRATION_CHANGES_MAX][QUANTITY_TEXT_SIZE];
    size_t count = changed_keys(all, keys, texts);
    struct calibration_runs runs;
    double *simulated = NULL;
    if (!start_runs(all, &runs, keys, count, 1))
        return NULL;
    memcpy(runs.texts, texts, count * sizeof *texts);
    all->status = calibration_run(&runs, 1);
    if (all->status == CLI_OK) {
        simulated = heap_new(all->seen.count, sizeof *simulated);
        memcpy(simulated, runs.simulated, all->seen.count * sizeof *simulated);
    }
    all->runs += runs.made;
    calibration_runs_free(&runs);
    return simulated;
}

/* The link. */

static void fit_link(struct calibrating *all, const struct observed_transfers *way, const char *key)
{
    struct calibration_line line;
    char from[160], fixed[UNITS_TEXT_SIZE];
    if (way->count == 0)
        return;
    if (!calibration_line(way->bytes, way->ns, way->count, &line)) {
        snprintf(from, sizeof from, "kept: %zu transfers do not tell", way->count);
        unchanged(all, key, from);
        return;
    }
    units_print_ns((uint64_t)llround(fmax(0, line.fixed)), fixed);
    snprintf(from, sizeof from, "slope of %zu transfers; fixed part %s", way->count, fixed);
    change(all, key, 1e9 / line.slope, 1e9 / line.slope * line.slope_error / line.slope, from);
}

/* The calls' processor time. */

bool calibration_holds_out(const struct calibrating *all, const struct observation *observation)
{
    double span = (double)(all->seen.last_ns - all->seen.first_ns);
    return (double)(observation->t_ns - all->seen.first_ns) > (1 - all->hold_out) * span;
}

static void fit_cost(struct calibrating *all, size_t row, const double *simulated, double *missing)
{
    size_t count = 0;
    double error;
    for (size_t i = 0; i < all->seen.count; i++) {
        const struct observation *seen = &all->seen.items[i];
        if (seen->op == costs[row].op && seen->returned && !isnan(simulated[i]) &&
            !calibration_holds_out(all, seen))
            missing[count++] = seen->ns - simulated[i];
    }
    if (count < LEAST_CALLS)
        return;
    struct quantity quantity;
    char from[160];
    double more = calibration_median(missing, count, &error);
    snprintf(from, sizeof from, "median of %zu returns", count);
    change(all, costs[row].key, fmax(0, value_of(all, costs[row].key, &quantity) + more), error,
           from);
}

static bool fit_costs(struct calibrating *all)
{
    double *simulated = calibration_simulate(all);
    if (simulated == NULL)
        return false;
    double *missing = heap_new(all->seen.count, sizeof *missing);
    for (size_t row = 0; row < COSTS; row++)
        fit_cost(all, row, simulated, missing);
    free(missing);
    free(simulated);
    return true;
}

/* The steps of asynchronous parts. */

struct steps_fit {
    struct calibrating *all;
    struct calibration_runs runs; /* keys: those changed so far, then those to be fitted */
    char fixed[CALIBRATION_CHANGES_MAX][QUANTITY_TEXT_SIZE];
    size_t fixed_count, keys;
    struct quantity quantity[CALIBRATION_KEYS_MAX];
};

static bool run_steps(void *self, const double *values, size_t points, double *simulated)
{
    struct steps_fit *fit = self;
    struct calibrating *all = fit->all;
    for (size_t p = 0; p < points; p++) {
        char(*texts)[QUANTITY_TEXT_SIZE] = fit->runs.texts + p * fit->runs.key_count;
        memcpy(texts, fit->fixed, fit->fixed_count * sizeof *texts);
        for (size_t k = 0; k < fit->keys; k++)
            quantity_print(&fit->quantity[k], rounded(&fit->quantity[k], values[p * fit->keys + k]),
                           texts[fit->fixed_count + k]);
    }
    all->status = calibration_run(&fit->runs, points);
    for (size_t p = 0; all->status == CLI_OK && p < points; p++)
        for (size_t i = 0; i < all->done_count; i++)
            simulated[p * all->done_count + i] =
                fit->runs.simulated[p * all->seen.count + all->places[i]];
    return all->status == CLI_OK;
}

static size_t fitted_count(const struct calibrating *all)
{
    size_t count = 0;
    for (size_t i = 0; i < all->done_count; i++)
        count += all->fitted[i];
    return count;
}

static void conclude(struct calibrating *all, const char *key, const struct calibration_key *fitted)
{
    char from[160];
    switch (fitted->verdict) {
    case CALIBRATION_FITTED:
        snprintf(from, sizeof from, "fit to %zu completions", fitted_count(all));
        change(all, key, fitted->value, fitted->error, from);
        return;
    case CALIBRATION_NO_EFFECT:
        unchanged(all, key, "kept: has no effect on what was recorded");
        return;
    case CALIBRATION_AS_ANOTHER:
        unchanged(all, key, "kept: not to be told apart from those above");
        return;
    case CALIBRATION_KEPT:
        unchanged(all, key, "kept: no better value found");
        return;
    }
}

static bool fit_steps(struct calibrating *all)
{
    const char *const *wanted = all->key_count > 0 ? all->keys : steps;
    size_t count = all->key_count > 0 ? all->key_count : STEPS;
    struct steps_fit *fit = heap_new(1, sizeof *fit);
    const char *keys[CALIBRATION_CHANGES_MAX + CALIBRATION_KEYS_MAX];
    struct calibration_key fitted[CALIBRATION_KEYS_MAX];
    *fit = (struct steps_fit){.all = all, .keys = count};
    fit->fixed_count = changed_keys(all, keys, fit->fixed);
    for (size_t k = 0; k < count; k++) {
        keys[fit->fixed_count + k] = wanted[k];
        double was = value_of(all, wanted[k], &fit->quantity[k]);
        fitted[k] = (struct calibration_key){
            .value = was, .step = rounded(&fit->quantity[k], fmax(was / 10, 500))};
    }
    const struct calibration calibration = {.count = all->done_count,
                                            .recorded = all->recorded,
                                            .fitted = all->fitted,
                                            .batch = run_steps,
                                            .self = fit};
    bool good =
        start_runs(all, &fit->runs, keys, fit->fixed_count + count, calibration_batch(count)) &&
        calibration_fit(&calibration, fitted, count);
    for (size_t k = 0; good && k < count; k++)
        conclude(all, wanted[k], &fitted[k]);
    all->runs += fit->runs.made;
    calibration_runs_free(&fit->runs);
    free(fit);
    return good;
}

bool calibration_of_all(struct calibrating *all)
{
    fit_link(all, &all->seen.in, "link.bandwidth-in");
    fit_link(all, &all->seen.out, "link.bandwidth-out");
    return fit_costs(all) && fit_steps(all);
}
