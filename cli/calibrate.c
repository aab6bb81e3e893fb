/* A profile whose numbers follow from a recording: `calibrate`. */
#include "cli/calibrate.h"
#include "analysis/heap.h"
#include "cli/session.h"
#include "model/hardware/units.h"
#include "traces/sink.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <inttypes.h>
#include <math.h>

enum { FIT = 0x1000, HOLD_OUT };

struct request {
    struct cli_play play;
    const char *trace, *output, *fit[CALIBRATION_KEYS_MAX];
    size_t fit_count;
    double hold_out;
    bool quiet;
};

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

static void print_errors(const struct calibrating *all, const char *begin, FILE *out)
{
    bool split = all->hold_out > 0;
    print_error(out, begin, split ? " that were fitted" : "",
                completion_error(all, all->before, true), completion_error(all, all->after, true));
    print_error(out, begin, " held out", completion_error(all, all->before, false),
                completion_error(all, all->after, false));
}

/* Results. */

static void write_profile(const struct request *request, const struct calibrating *all, FILE *out)
{
    char digest[65];
    fprintf(out, "# %s, calibrated to a recording.\n#\n# recording: %s\n", request->play.hardware,
            request->trace);
    if (cli_digest(request->trace, digest))
        fprintf(out, "# sha256: %s\n", digest);
    print_errors(all, "# ", out);
    for (size_t i = 0; i < all->change_count; i++) {
        const struct calibration_change *change = &all->changes[i];
        if (change->is[0] == '\0')
            continue;
        fprintf(out, "# %s: was %s, %s", change->key, change->was, change->from);
        if (change->error[0] != '\0')
            fprintf(out, ", standard error %s", change->error);
        putc('\n', out);
    }
    putc('\n', out);
    hardware_write(&all->hardware, out);
}

static bool save(const struct request *request, const struct calibrating *all)
{
    char *text = NULL;
    size_t length;
    struct trace_sink *sink;
    struct trace_error error;
    FILE *out = heap_check(open_memstream(&text, &length));
    write_profile(request, all, out);
    bool good = fclose(out) == 0 && trace_sink_open(request->output, false, &sink, &error);
    if (good && trace_sink_write(sink, text, length, &error)) {
        good = trace_sink_finish(sink, &error);
    } else if (good) {
        trace_sink_abandon(sink);
        good = false;
    }
    if (!good)
        cli_error("%s: cannot be written", request->output);
    free(text);
    return good;
}

static void print(const struct request *request, const struct calibrating *all)
{
    static const char *const headings[] = {"KEY", "WAS", "IS", "+-", "FROM"};
    enum { COLUMNS = 5 };
    const char **cells = heap_new(all->change_count * COLUMNS, sizeof *cells);
    for (size_t i = 0; i < all->change_count; i++) {
        const struct calibration_change *change = &all->changes[i];
        const char *row[COLUMNS] = {change->key, change->was, change->is, change->error,
                                    change->from};
        memcpy(cells + i * COLUMNS, row, sizeof row);
    }
    cli_print_table(&(struct cli_table){COLUMNS, headings}, cells, all->change_count);
    putchar('\n');
    print_errors(all, "", stdout);
    printf("%" PRIu64 " runs; profile in %s\n", all->runs, request->output);
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
        all->fitted[all->done_count] = !calibration_holds_out(all, seen);
        all->places[all->done_count++] = i;
    }
}

/* A profile of its own name. */
static void rename_profile(struct calibrating *all)
{
    char name[PROFILE_NAME_SIZE];
    int room = (int)(sizeof name - sizeof "-calibrated");
    snprintf(name, sizeof name, "%.*s-calibrated", room, all->hardware.adapters[0].name);
    memcpy(all->hardware.adapters[0].name, name, sizeof name);
}

static int calibrate(const struct request *request, struct calibrating *all)
{
    all->status = observations_read(&all->seen, &request->play, request->trace, request->quiet);
    if (all->status != CLI_OK)
        return all->status;
    if (all->seen.count == 0 && all->seen.in.count + all->seen.out.count == 0) {
        cli_error("%s: expected recorded outcomes (dur, done, ObserveTransfer), found none in "
                  "%" PRIu64 " events",
                  request->trace, all->seen.events);
        return CLI_USAGE;
    }
    list_completions(all);
    all->before = calibration_simulate(all);
    if (all->before != NULL && calibration_of_all(all))
        all->after = calibration_simulate(all);
    if (all->after == NULL)
        return all->status;
    rename_profile(all);
    if (!save(request, all))
        return CLI_FAILED;
    if (!request->quiet)
        print(request, all);
    return CLI_OK;
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
    if (request->fit_count == CALIBRATION_KEYS_MAX)
        argp_error(state, "--fit: expected at most %d keys", CALIBRATION_KEYS_MAX);
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
    default:
        return cli_take_trace(&request->trace, key, text, state);
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
    all->play = &request.play;
    all->keys = request.fit;
    all->key_count = request.fit_count;
    all->hold_out = request.hold_out;
    if (session_hardware(&request.play, &all->hardware, &error))
        status = calibrate(&request, all);
    else
        status = cli_bad_input(error.message);
    observations_free(&all->seen);
    free(all->before);
    free(all->after);
    free(all->recorded);
    free(all->fitted);
    free(all->places);
    free(all);
    cli_play_free(&request.play);
    return status;
}

const struct cli_command cli_calibrate = {"calibrate", "fit a profile to what a trace recorded",
                                          &calibrate_argp, run_calibrate};
