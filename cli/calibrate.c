/* A profile whose numbers follow from a recording: `calibrate`. */
#include "cli/calibrate.h"
#include "analysis/calibration.h"
#include "analysis/heap.h"
#include "cli/session.h"
#include "model/hardware/units.h"
#include "traces/vocabulary.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <inttypes.h>
#include <libgen.h>
#include <math.h>

enum { FIT = 0x1000, HOLD_OUT, KEYS_MAX = 64, CHANGES_MAX = 2 * KEYS_MAX, LEAST_CALLS = 5 };

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

/* A value that is another one now, or why it is not. */
struct change {
    const char *key;
    char was[QUANTITY_TEXT_SIZE], is[QUANTITY_TEXT_SIZE], error[QUANTITY_TEXT_SIZE], from[160];
};

struct request {
    struct cli_play play;
    const char *trace, *output, *fit[KEYS_MAX];
    size_t fit_count;
    double hold_out;
    bool quiet;
};

struct calibrating {
    struct request *request;
    struct observations seen;
    struct profile profile;
    uint64_t made;
    int status;
    struct change changes[CHANGES_MAX];
    size_t change_count;
    double *recorded; /* of the outcomes with an asynchronous part */
    bool *fitted;     /* likewise: not held out */
    size_t *places;   /* likewise: in seen.items */
    size_t done_count;
};

/* Values. */

static void find_value(void *self, const char *key, const char *value)
{
    const char **looking = self; /* the key, then where to put its text */
    if (strcmp(key, looking[0]) == 0)
        looking[1] = heap_text(value);
}

static double value_of(const struct calibrating *all, const char *key, struct quantity *quantity)
{
    const char *looking[2] = {key, NULL};
    char error[300];
    double value = (double)NAN;
    profile_each(&all->profile, find_value, looking);
    if (looking[1] == NULL || !quantity_of(key, NULL, quantity, error, sizeof error) ||
        !quantity->numeric || !quantity_parse(quantity, looking[1], &value))
        value = (double)NAN;
    free((char *)(uintptr_t)looking[1]); /* heap_text's */
    return value;
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
    if (all->change_count == CHANGES_MAX)
        return;
    struct change *change = &all->changes[all->change_count];
    *change = (struct change){.key = key};
    quantity_print(&quantity, was, change->was);
    quantity_print(&quantity, rounded(&quantity, value), change->is);
    if (error > 0)
        quantity_print(&quantity, rounded(&quantity, error), change->error);
    snprintf(change->from, sizeof change->from, "%s", from);
    if (profile_set(&all->profile, key, change->is, "calibrate", &problem))
        all->change_count++;
    else
        cli_error("%s: left as it is", problem.message); /* beyond the key's range */
}

static void unchanged(struct calibrating *all, const char *key, const char *why)
{
    struct quantity quantity;
    double value = value_of(all, key, &quantity);
    if (all->change_count == CHANGES_MAX)
        return;
    struct change *change = &all->changes[all->change_count++];
    *change = (struct change){.key = key};
    quantity_print(&quantity, value, change->was);
    snprintf(change->from, sizeof change->from, "%s", why);
}

/* Runs. */

/* The whole profile as it is now, and `count` keys of it to be varied. */
static bool start_runs(struct calibrating *all, struct calibration_runs *runs,
                       const char *const *keys, size_t count, size_t points)
{
    *runs = (struct calibration_runs){
        .play = &all->request->play, .observations = &all->seen, .keys = keys, .key_count = count};
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

/* Simulates the profile as it is now; NULL after a message. free() it. */
static double *simulate(struct calibrating *all)
{
    const char *keys[CHANGES_MAX];
    char texts[CHANGES_MAX][QUANTITY_TEXT_SIZE];
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
    all->made += runs.made;
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

static bool is_held_out(const struct calibrating *all, const struct observation *observation)
{
    double span = (double)(all->seen.last_ns - all->seen.first_ns);
    return (double)(observation->t_ns - all->seen.first_ns) > (1 - all->request->hold_out) * span;
}

static void fit_cost(struct calibrating *all, size_t row, const double *simulated, double *missing)
{
    size_t count = 0;
    double error;
    for (size_t i = 0; i < all->seen.count; i++) {
        const struct observation *seen = &all->seen.items[i];
        if (seen->op == costs[row].op && seen->returned && !isnan(simulated[i]) &&
            !is_held_out(all, seen))
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
    double *simulated = simulate(all);
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
    char fixed[CHANGES_MAX][QUANTITY_TEXT_SIZE];
    size_t fixed_count, keys;
    struct quantity quantity[KEYS_MAX];
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
    const char *const *wanted = all->request->fit_count > 0 ? all->request->fit : steps;
    size_t count = all->request->fit_count > 0 ? all->request->fit_count : STEPS;
    struct steps_fit *fit = heap_new(1, sizeof *fit);
    const char *keys[CHANGES_MAX + KEYS_MAX];
    struct calibration_key fitted[KEYS_MAX];
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
    all->made += fit->runs.made;
    calibration_runs_free(&fit->runs);
    free(fit);
    return good;
}

/* How far completions are off. */

struct error_of {
    double median, p90;
    size_t count;
};

static struct error_of completion_error(const struct calibrating *all, const double *simulated,
                                        bool fitted)
{
    double *errors = heap_new(all->done_count, sizeof *errors);
    struct error_of error = {0};
    for (size_t i = 0; i < all->done_count; i++)
        if (all->fitted[i] == fitted && !isnan(simulated[all->places[i]]))
            errors[error.count++] =
                fabs(simulated[all->places[i]] - all->recorded[i]) / all->recorded[i];
    gsl_sort(errors, 1, error.count);
    if (error.count > 0) {
        error.median = gsl_stats_median_from_sorted_data(errors, 1, error.count);
        error.p90 = gsl_stats_quantile_from_sorted_data(errors, 1, error.count, 0.9);
    }
    free(errors);
    return error;
}

static void print_error(FILE *out, const char *begin, const char *of, struct error_of before,
                        struct error_of after)
{
    if (after.count > 0)
        fprintf(out,
                "%s%zu completions%s: error %.1f %% at the median (%.1f %% before), %.1f %% at p90 "
                "(%.1f %% before)\n",
                begin, after.count, of, 100 * after.median, 100 * before.median, 100 * after.p90,
                100 * before.p90);
}

static void print_errors(const struct calibrating *all, const double *before, const double *after,
                         const char *begin, FILE *out)
{
    bool split = all->request->hold_out > 0;
    print_error(out, begin, split ? " that were fitted" : "", completion_error(all, before, true),
                completion_error(all, after, true));
    print_error(out, begin, " held out", completion_error(all, before, false),
                completion_error(all, after, false));
}

/* Results. */

static void write_profile(const struct calibrating *all, const double *before, const double *after,
                          FILE *out)
{
    char digest[65];
    fprintf(out, "# %s, calibrated to a recording.\n#\n# recording: %s\n",
            all->request->play.hardware, all->request->trace);
    if (cli_digest(all->request->trace, digest))
        fprintf(out, "# sha256: %s\n", digest);
    print_errors(all, before, after, "# ", out);
    for (size_t i = 0; i < all->change_count; i++) {
        const struct change *change = &all->changes[i];
        if (change->is[0] == '\0')
            continue;
        fprintf(out, "# %s: was %s, %s", change->key, change->was, change->from);
        if (change->error[0] != '\0')
            fprintf(out, ", standard error %s", change->error);
        putc('\n', out);
    }
    putc('\n', out);
    profile_write(&all->profile, out);
}

/* Under a temporary name, renamed when it is complete. */
static bool save(const struct calibrating *all, const double *before, const double *after)
{
    size_t length = strlen(all->request->output) + sizeof ".part";
    char *part = heap_new(length, 1);
    snprintf(part, length, "%s.part", all->request->output);
    FILE *out = fopen(part, "w");
    bool good = out != NULL;
    if (good) {
        write_profile(all, before, after, out);
        good = !ferror(out);
        good = fclose(out) == 0 && good && rename(part, all->request->output) == 0;
    }
    if (!good) {
        cli_error("%s: cannot be written", all->request->output);
        remove(part);
    }
    free(part);
    return good;
}

static void print(const struct calibrating *all, const double *before, const double *after)
{
    static const char *const headings[] = {"KEY", "WAS", "IS", "+-", "FROM"};
    enum { COLUMNS = 5 };
    const char **cells = heap_new(all->change_count * COLUMNS, sizeof *cells);
    for (size_t i = 0; i < all->change_count; i++) {
        const struct change *change = &all->changes[i];
        const char *row[COLUMNS] = {change->key, change->was, change->is, change->error,
                                    change->from};
        memcpy(cells + i * COLUMNS, row, sizeof row);
    }
    cli_print_table(&(struct cli_table){COLUMNS, headings}, cells, all->change_count);
    putchar('\n');
    print_errors(all, before, after, "", stdout);
    printf("%" PRIu64 " runs; profile in %s\n", all->made, all->request->output);
    free(cells);
}

/* The command. */

static void list_completions(struct calibrating *all)
{
    all->recorded = heap_new(all->seen.count, sizeof *all->recorded);
    all->fitted = heap_new(all->seen.count, sizeof *all->fitted);
    all->places = heap_new(all->seen.count, sizeof *all->places);
    for (size_t i = 0; i < all->seen.count; i++) {
        const struct observation *seen = &all->seen.items[i];
        if (seen->returned)
            continue;
        all->recorded[all->done_count] = seen->ns;
        all->fitted[all->done_count] = !is_held_out(all, seen);
        all->places[all->done_count++] = i;
    }
}

/* A profile of its own name. */
static void rename_profile(struct calibrating *all)
{
    char name[PROFILE_NAME_SIZE];
    int room = (int)(sizeof name - sizeof "-calibrated");
    snprintf(name, sizeof name, "%.*s-calibrated", room, all->profile.name);
    memcpy(all->profile.name, name, sizeof name);
}

static int calibrate(struct calibrating *all)
{
    all->status = observations_read(&all->seen, &all->request->play, all->request->trace,
                                    all->request->quiet);
    if (all->status != CLI_OK)
        return all->status;
    if (all->seen.count == 0 && all->seen.in.count + all->seen.out.count == 0) {
        cli_error("%s: expected recorded outcomes (dur, done, ObserveTransfer), found none in "
                  "%" PRIu64 " events",
                  all->request->trace, all->seen.events);
        return CLI_USAGE;
    }
    list_completions(all);
    double *before = simulate(all), *after = NULL;
    if (before != NULL) {
        fit_link(all, &all->seen.in, "link.bandwidth-in");
        fit_link(all, &all->seen.out, "link.bandwidth-out");
        if (fit_costs(all) && fit_steps(all))
            after = simulate(all);
    }
    if (after != NULL) {
        rename_profile(all);
        all->status = save(all, before, after) ? CLI_OK : CLI_FAILED;
        if (all->status == CLI_OK && !all->request->quiet)
            print(all, before, after);
    }
    free(before);
    free(after);
    return all->status;
}

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "profile to write (default: calibrated.yaml)", 3},
    {"fit", FIT, "KEY", 0,
     "fit this key to the recorded completions; may be repeated (default: the steps of the "
     "scheduler and of the memory manager)",
     3},
    {"hold-out", HOLD_OUT, "SHARE", 0,
     "share of the recording, at its end, that is not fitted to but compared with (default: 0)", 3},
    {"quiet", 'q', NULL, 0, "no progress, no table", 5},
    {0},
};

static void add_key(struct request *request, const char *key, struct argp_state *state)
{
    struct quantity quantity;
    char error[300];
    if (request->fit_count == KEYS_MAX)
        argp_error(state, "--fit: expected at most %d keys", KEYS_MAX);
    else if (!quantity_of(key, NULL, &quantity, error, sizeof error))
        argp_error(state, "--fit: %s", error);
    else if (!quantity.numeric || quantity.unit != METRIC_NS)
        argp_error(state, "--fit: %.100s: expected the key of a time", key);
    else
        request->fit[request->fit_count++] = key;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[1] = &request->play;
        return 0;
    case 'o':
        request->output = text;
        return 0;
    case FIT:
        add_key(request, text, state);
        return 0;
    case HOLD_OUT:
        if (!units_parse_number(text, &request->hold_out) || request->hold_out < 0 ||
            request->hold_out > 0.9)
            argp_error(state, "--hold-out: expected a number in 0..0.9, got \"%.60s\"", text);
        return 0;
    case 'q':
        request->quiet = true;
        return 0;
    case ARGP_KEY_ARG:
        cli_take_argument(&request->trace, text, "trace", state);
        return 0;
    case ARGP_KEY_END:
        if (request->trace == NULL)
            argp_error(state, "expected a trace (- is standard input)");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp calibrate_argp = {
    .options = options,
    .parser = parse,
    .args_doc = "TRACE",
    .doc = "Fit a profile's numbers to what a trace recorded, and write a new profile.\v"
           "The link's bandwidths follow from the transfers that were seen (a robust line through "
           "bytes and times), the calls' processor time from how long they took to return (the "
           "median of what the simulation misses), the steps behind them from when they were done: "
           "all at once, by the method of Gauss and Newton with a robust regression, on relative "
           "errors. What the recording does not tell is kept, and said. The profile says for each "
           "value where it comes from. Exit status: 0 done; 1 it failed; 2 bad usage or bad input; "
           "130 interrupted (nothing is written).",
    .children = cli_common_and_play,
};

static int run_calibrate(int argc, char **argv)
{
    struct request request = {.output = "calibrated.yaml"};
    struct calibrating *all = heap_new(1, sizeof *all);
    struct profile_error error;
    int status;
    cli_play_init(&request.play);
    cli_parse(&cli_calibrate, argc, argv, &request);
    all->request = &request;
    if (session_hardware(&request.play, &all->profile, &error))
        status = calibrate(all);
    else
        status = cli_bad_input(error.message);
    observations_free(&all->seen);
    free(all->recorded);
    free(all->fitted);
    free(all->places);
    free(all);
    cli_play_free(&request.play);
    return status;
}

const struct cli_command cli_calibrate = {"calibrate", "fit a profile to what a trace recorded",
                                          &calibrate_argp, run_calibrate};
