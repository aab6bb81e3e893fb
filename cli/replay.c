#include "cli/cli.h"
#include "model/dxgkrnl/fault.h"

#include <stdlib.h>
#include <string.h>

/* Options without a letter of their own. */
enum { CALLS = 0x1000, EXPECT, FAULT, NO_REPORT, TIMELINE };

static const struct argp_option options[] = {
    {"output", 'o', "DIR", 0, "folder for the results (default: wddmsim-report)", 3},
    {"calls", CALLS, NULL, 0, "write calls.csv: one row per call", 3},
    {"timeline", TIMELINE, NULL, 0,
     "write timeline.json.gz, for ui.perfetto.dev and chrome://tracing: calls, packets, paging", 3},
    {"no-report", NO_REPORT, NULL, 0, "write the tables only, no plots and no page", 3},
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

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct cli_run *run = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[1] = &run->play;
        return 0;
    case 'o':
        run->output = text;
        return 0;
    case CALLS:
        run->calls = true;
        return 0;
    case TIMELINE:
        run->timeline = true;
        return 0;
    case NO_REPORT:
        run->report = false;
        return 0;
    case FAULT:
        add_fault(run, text, state);
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
    default:
        return cli_take_trace(&run->trace, key, text, state);
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
    .children = cli_common_and_play,
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
        .output = "wddmsim-report",
        .tolerance_ns = 1,
        .report = true,
        .command_line = command_line != NULL ? command_line : "wddmsim replay",
    };
    cli_play_init(&run.play);
    cli_parse(&cli_replay, argc, argv, &run);
    int status = cli_run_replay(&run);
    cli_play_free(&run.play);
    free(run.faults);
    free(command_line);
    return status;
}

const struct cli_command cli_replay = {
    "replay", "simulate a trace, write the results, print a summary", &replay_argp, run_replay};
