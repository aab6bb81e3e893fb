#include "cli/cli.h"
#include "workloads/replay.h"

#include <stdlib.h>
#include <string.h>

/* Options without a letter of their own. */
enum {
    FORMAT = 0x1000,
    PACE,
    FROM,
    TO,
    SEED,
    CHECK,
    SKIP_BAD,
    CALLS,
    EXPECT,
    UNKNOWN_SIZE,
    READER,
    FAULT,
    MINIPORT,
    NO_REPORT
};

static const struct argp_option options[] = {
    {"hardware", 'H', "NAME|FILE", 0,
     "hardware profile: a built-in one or a .yaml file (default: " CLI_DEFAULT_PROFILE ")", 1},
    {"set", 's', "KEY=VALUE", 0, "change one value of the profile; may be repeated", 1},
    {"miniport", MINIPORT, "FILE", 0,
     "a display miniport of your own: a shared object built with <wddmsim/ddi.h>", 1},
    {"format", FORMAT, "NAME", 0, "format of the trace (default: detected from its content)", 2},
    {"from", FROM, "TIME", 0, "play the trace from here; what exists by then is set up first", 2},
    {"to", TO, "TIME", 0, "play it to here", 2},
    {"pace", PACE, "PACE", 0,
     "recorded: calls at their recorded times, or when their thread is free (the default); think: "
     "the recorded pauses between calls; asap: as soon as the thread is free",
     2},
    {"reader", READER, "KEY=VALUE", 0,
     "a choice that the reader of the recording's format leaves open; may be repeated; the manual "
     "page lists them",
     2},
    {"unknown-size", UNKNOWN_SIZE, "SIZE", 0,
     "bytes of an object whose creation was not recorded (default: what the trace says)", 2},
    {"skip-bad", SKIP_BAD, NULL, 0, "count and report bad events instead of stopping", 2},
    {"output", 'o', "DIR", 0, "folder for the results (default: wddmsim-report)", 3},
    {"calls", CALLS, NULL, 0, "write calls.csv: one row per call", 3},
    {"no-report", NO_REPORT, NULL, 0, "write the tables only, no plots and no page", 3},
    {"seed", SEED, "N", 0, "seed of everything random (default: 1)", 4},
    {"check", CHECK, NULL, 0, "verify the model's invariants while running", 4},
    {"fault", FAULT, "CALL:N:STATUS", 0,
     "the Nth time a step of the calls is reached, it fails with STATUS "
     "(Handle:3:STATUS_NO_MEMORY); "
     "may be repeated; a wrong CALL lists them",
     4},
    {"expect", EXPECT, "TOL", OPTION_ARG_OPTIONAL,
     "fail, listing each case, where the simulated status differs from the recorded one or a time "
     "differs by more than TOL (default: 1ns)",
     4},
    {"quiet", 'q', NULL, 0, "no progress, no summary", 5},
    {"verbose", 'v', NULL, 0, "say what was run and what the reader of the trace counted", 5},
    {0},
};

/* Remembers KEY=VALUE, cut in two. */
static void add_setting(struct cli_run *run, char *text, struct argp_state *state)
{
    char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        argp_error(state, "--set: expected KEY=VALUE, got \"%.60s\"", text);
        return;
    }
    size_t count = run->set_count + 1;
    const char **keys = realloc(run->set_keys, count * sizeof *keys);
    if (keys != NULL)
        run->set_keys = keys;
    const char **values = realloc(run->set_values, count * sizeof *values);
    if (values != NULL)
        run->set_values = values;
    char *key = strndup(text, (size_t)(equals - text));
    if (keys == NULL || values == NULL || key == NULL) {
        free(key);
        argp_failure(state, CLI_FAILED, 0, "out of memory");
        return;
    }
    keys[run->set_count] = key;
    values[run->set_count++] = equals + 1;
}

static void add_fault(struct cli_run *run, const char *text, struct argp_state *state)
{
    char error[700];
    struct dxgk_fault fault;
    if (!dxgk_fault_parse(text, &fault, error, sizeof error)) {
        argp_error(state, "--fault: %s", error);
        return;
    }
    struct dxgk_fault *faults = realloc(run->faults, (run->fault_count + 1) * sizeof *faults);
    if (faults == NULL) {
        argp_failure(state, CLI_FAILED, 0, "out of memory");
        return;
    }
    run->faults = faults;
    run->faults[run->fault_count++] = fault;
}

static int pace_of(const char *text, struct argp_state *state)
{
    if (strcmp(text, "recorded") == 0)
        return REPLAY_RECORDED;
    if (strcmp(text, "think") == 0)
        return REPLAY_THINK;
    if (strcmp(text, "asap") != 0)
        argp_error(state, "--pace: expected recorded, think or asap, got \"%.60s\"", text);
    return REPLAY_ASAP;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct cli_run *run = state->input;
    switch (key) {
    case 'H':
        run->hardware = text;
        return 0;
    case 's':
        add_setting(run, text, state);
        return 0;
    case MINIPORT:
        run->miniport = text;
        return 0;
    case FORMAT:
        run->format = text;
        return 0;
    case FROM:
        run->from_ns = cli_time(text, "from", state);
        return 0;
    case TO:
        run->to_ns = cli_time(text, "to", state);
        return 0;
    case PACE:
        run->pace = pace_of(text, state);
        return 0;
    case READER:
        cli_add_setting(&run->reader, text, state);
        return 0;
    case UNKNOWN_SIZE:
        run->unknown_size = cli_size(text, "unknown-size", state);
        return 0;
    case SKIP_BAD:
        run->skip_bad = true;
        return 0;
    case 'o':
        run->output = text;
        return 0;
    case CALLS:
        run->calls = true;
        return 0;
    case NO_REPORT:
        run->report = false;
        return 0;
    case SEED:
        run->seed = cli_count(text, "seed", state);
        return 0;
    case FAULT:
        add_fault(run, text, state);
        return 0;
    case CHECK:
        run->check = true;
        return 0;
    case EXPECT:
        run->expect = true;
        if (text != NULL)
            run->tolerance_ns = cli_time(text, "expect", state);
        return 0;
    case 'q':
        run->quiet = true;
        return 0;
    case 'v':
        run->verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        cli_take_argument(&run->trace, text, "trace", state);
        return 0;
    case ARGP_KEY_END:
        if (run->trace == NULL)
            argp_error(state, "expected a trace (- is standard input)");
        if (run->from_ns >= run->to_ns)
            argp_error(state, "--from: expected a time before --to");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp replay_argp = {
    .options = options,
    .parser = parse,
    .args_doc = "TRACE",
    .doc = "Simulate a trace on a hardware profile, write the results into a folder, and print a "
           "summary.\v"
           "Exit status: 0 done; 1 a check failed, or calls still waited when the trace ended; 2 "
           "bad usage or bad input; 130 interrupted (what was simulated by then is written and "
           "marked partial).",
    .children = cli_common,
};

/* The command line as one text, quoted where a shell would need it. */
static char *join_arguments(int argc, char **argv)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        return NULL;
    fputs("wddmsim", out);
    for (int i = 0; i < argc; i++) {
        bool plain = argv[i][0] != '\0' && strpbrk(argv[i], " \t\n'\"\\$&;|<>()*?[]`!#~") == NULL;
        fprintf(out, plain ? " %s" : " '%s'", argv[i]);
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static int run_replay(int argc, char **argv)
{
    char *command_line = join_arguments(argc, argv);
    struct cli_run run = {
        .hardware = CLI_DEFAULT_PROFILE,
        .output = "wddmsim-report",
        .to_ns = UINT64_MAX,
        .seed = 1,
        .tolerance_ns = 1,
        .report = true,
        .pace = REPLAY_RECORDED,
        .command_line = command_line != NULL ? command_line : "wddmsim replay",
    };
    cli_parse(&cli_replay, argc, argv, &run);
    int status = cli_run_replay(&run);
    for (size_t i = 0; i < run.set_count; i++)
        free((char *)(uintptr_t)run.set_keys[i]); /* strndup's */
    free(run.set_keys);
    free(run.set_values);
    free(run.faults);
    free(run.reader.items);
    free(command_line);
    return status;
}

const struct cli_command cli_replay = {
    "replay", "simulate a trace, write the results, print a summary", &replay_argp, run_replay};
