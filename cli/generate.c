#include "cli/cli.h"
#include "traces/message.h"
#include "workloads/workloads.h"

#include <stdlib.h>
#include <string.h>

enum { OUTPUT = 'o', SEED = 0x1000, PARAMETER = 0x1100 };

struct request {
    const struct workload *workload;
    const char *output;
    uint64_t seed;
    void *parameters;
};

static void set_parameter(const struct request *request, size_t index, const char *text,
                          struct argp_state *state)
{
    struct trace_error error;
    if (!workload_set(request->workload, request->parameters,
                      request->workload->parameters[index].key, text, &error))
        argp_error(state, "--%s", error.message);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case OUTPUT:
        request->output = text;
        return 0;
    case SEED:
        request->seed = cli_count(text, "seed", state);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "expected options only, got \"%.60s\"", text);
        return 0;
    case ARGP_KEY_END:
        if (request->output == NULL)
            argp_error(state, "expected -o TRACE (- is standard output)");
        return 0;
    default:
        if (key < PARAMETER || key >= PARAMETER + (int)request->workload->parameter_count)
            return ARGP_ERR_UNKNOWN;
        set_parameter(request, (size_t)(key - PARAMETER), text, state);
        return 0;
    }
}

static const struct argp_option fixed_options[] = {
    {"output", OUTPUT, "TRACE", 0,
     "trace to write: .wtrace is binary, anything else text, compressed if it ends in .gz or .zst; "
     "- is standard output",
     1},
    {"seed", SEED, "N", 0, "seed of its random numbers (default: 1)", 1},
    {0},
};

/* What comes before a workload is named: only help. */
static const struct argp generate_argp = {
    .options = fixed_options,
    .args_doc = "list\nWORKLOAD -o TRACE",
    .doc = "Write a synthetic trace; the same seed and parameters give the same trace.\v"
           "list names the workloads; wddmsim generate WORKLOAD --help explains the parameters of "
           "one, which are options too.",
    .children = cli_common,
};

static int list(void)
{
    static const char *const headings[] = {"WORKLOAD", "WHAT IT DOES"};
    const char **cells = calloc(workload_count * 2, sizeof *cells);
    if (cells == NULL) {
        cli_error("out of memory");
        return CLI_FAILED;
    }
    for (size_t i = 0; i < workload_count; i++) {
        cells[2 * i] = workloads[i]->name;
        cells[2 * i + 1] = workloads[i]->summary;
    }
    cli_print_table(&(struct cli_table){2, headings}, cells, workload_count);
    free(cells);
    return CLI_OK;
}

/* How --help calls what the option takes. */
static const char *argument_of(const struct key_spec *row)
{
    switch (row->type) {
    case KEY_SIZE:
        return "SIZE";
    case KEY_RATE:
        return "RATE";
    case KEY_TIME:
    case KEY_FINE:
        return "TIME";
    case KEY_NUMBER:
    case KEY_COUNT:
    case KEY_SIGNED:
        return "N";
    default:
        return "NAME";
    }
}

/* An option for each parameter of the workload, behind the two that all have. */
static int generate(const struct workload *workload, int argc, char **argv)
{
    enum { MEANING = 300 };
    size_t count = workload->parameter_count;
    size_t fixed = sizeof fixed_options / sizeof *fixed_options - 1;
    struct argp_option *options = calloc(count + fixed + 1, sizeof *options);
    char(*meanings)[MEANING] = calloc(count + 1, sizeof *meanings);
    struct request request = {.workload = workload, .seed = 1};
    int status = CLI_FAILED;
    if (options == NULL || meanings == NULL) {
        cli_error("out of memory");
        goto out;
    }
    memcpy(options, fixed_options, fixed * sizeof *options);
    for (size_t i = 0; i < count; i++) {
        const struct key_spec *row = &workload->parameters[i];
        snprintf(meanings[i], MEANING, "%s (%s; default: %s)", row->meaning, row->range,
                 row->standard);
        options[fixed + i] = (struct argp_option){
            .name = row->key,
            .key = PARAMETER + (int)i,
            .arg = argument_of(row),
            .doc = meanings[i],
            .group = 2,
        };
    }
    char name[64], doc[512];
    snprintf(name, sizeof name, "generate %s", workload->name);
    snprintf(doc, sizeof doc, "Write a synthetic trace: %s.", workload->summary);
    const struct argp argp = {.options = options,
                              .parser = parse,
                              .args_doc = "-o TRACE",
                              .doc = doc,
                              .children = cli_common};
    const struct cli_command command = {.name = name, .argp = &argp};
    request.parameters = workload_parameters(workload);
    cli_parse(&command, argc, argv, &request);
    const char *refusal = workload->refuse != NULL ? workload->refuse(request.parameters) : NULL;
    struct trace_error error;
    if (refusal != NULL) {
        cli_error("generate %s: %s", workload->name, refusal);
        status = CLI_USAGE;
    } else if (workload_write(workload, request.parameters, request.seed, request.output, &error)) {
        status = CLI_OK;
    } else {
        cli_bad_input(error.message);
    }
out:
    free(options);
    free(meanings);
    free(request.parameters);
    return status;
}

static int run_generate(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-') {
        cli_parse(&cli_generate, argc, argv, NULL);
        cli_error("generate: expected list or the name of a workload (see wddmsim generate list)");
        return CLI_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "list") == 0)
        return list();
    const char *nearest;
    const struct workload *workload = workload_find(name, &nearest);
    if (workload != NULL)
        return generate(workload, argc - 1, argv + 1);
    if (nearest != NULL)
        cli_error("generate: no workload \"%.60s\", did you mean %s?", name, nearest);
    else
        cli_error("generate: no workload \"%.60s\" (see wddmsim generate list)", name);
    return CLI_USAGE;
}

const struct cli_command cli_generate = {"generate", "write a synthetic trace", &generate_argp,
                                         run_generate};
