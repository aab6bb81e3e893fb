/* Ready what-ifs: workload, profile and sweep in one study file, part of the program. */
#include "cli/sweep/sweep.h"
#include "traces/message.h"

#include <stdlib.h>
#include <string.h>

static const struct argp scenario_argp = {
    .options = study_options,
    .parser = study_parse_option,
    .args_doc = "list\nshow NAME\nNAME",
    .doc =
        "Run a ready what-if to its report: a workload, a machine and what is varied, written "
        "down as a study (see sweep), into ./wddmsim-NAME.\v"
        "list names them, show prints one: redirect it into a .yaml file, change it, and give it "
        "to wddmsim sweep. The options are those of sweep and have the last word: -H takes "
        "another machine, --vary other values.",
    .children = cli_common_and_play,
};

static int list(void)
{
    static const char *const headings[] = {"SCENARIO", "WHAT IT ASKS"};
    const char **cells = calloc(cli_scenarios_count * 2, sizeof *cells);
    if (cells == NULL) {
        cli_error("out of memory");
        return CLI_FAILED;
    }
    for (size_t i = 0; i < cli_scenarios_count; i++) {
        cells[2 * i] = cli_scenarios[i].name;
        cells[2 * i + 1] = cli_scenarios[i].summary;
    }
    cli_print_table(&(struct cli_table){2, headings}, cells, cli_scenarios_count);
    free(cells);
    return CLI_OK;
}

/* NULL, after a message, if there is none of that name. */
static const struct cli_scenario *find(const char *name)
{
    struct trace_guess guess = trace_guess_start(name);
    for (size_t i = 0; i < cli_scenarios_count; i++) {
        if (strcmp(cli_scenarios[i].name, name) == 0)
            return &cli_scenarios[i];
        trace_guess_offer(&guess, name, cli_scenarios[i].name);
    }
    if (guess.best != NULL)
        cli_error("scenario: no scenario \"%.60s\", did you mean %s?", name, guess.best);
    else
        cli_error("scenario: no scenario \"%.60s\" (see wddmsim scenario list)", name);
    return NULL;
}

static int run(const struct cli_scenario *scenario, int argc, char **argv)
{
    struct study study;
    char place[80], output[80];
    snprintf(place, sizeof place, "scenario %s", scenario->name);
    snprintf(output, sizeof output, "wddmsim-%s", scenario->name);
    study_parse(&study, &cli_scenario, argc, argv, scenario->text, place);
    int status = sweep_run(&study, output);
    study_free(&study);
    return status;
}

static int run_scenario(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (argc < 2 || name[0] == '-') {
        struct study study;
        if (argc > 1)
            study_parse(&study, &cli_scenario, argc, argv, NULL, NULL); /* --help leaves there */
        cli_error("scenario: expected list, show NAME or the name of a scenario");
        return CLI_USAGE;
    }
    if (strcmp(name, "list") == 0 && argc == 2)
        return list();
    bool show = strcmp(name, "show") == 0 && argc == 3;
    const struct cli_scenario *scenario = find(show ? argv[2] : name);
    if (scenario == NULL)
        return CLI_USAGE;
    if (!show)
        return run(scenario, argc - 1, argv + 1);
    fputs(scenario->text, stdout);
    return CLI_OK;
}

const struct cli_command cli_scenario = {"scenario", "a ready what-if, run to its report",
                                         &scenario_argp, run_scenario};
