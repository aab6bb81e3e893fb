#include "cli/cli.h"
#include "model/hardware/units.h"
#include "traces/message.h"
#include "workloads/workloads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUT = 'o', SEED = 0x1000, PARAMETER = 0x1100 };

struct request {
    const struct workload *workload;
    const char *output;
    uint64_t seed;
    double *values;
};

void cli_print_parameter(const struct workload_parameter *parameter, double value,
                         char text[UNITS_TEXT_SIZE])
{
    if (strcmp(parameter->type, "size") == 0)
        units_print_size((uint64_t)value, text);
    else if (strcmp(parameter->type, "time") == 0)
        units_print_ns((uint64_t)value, text);
    else
        units_print_number(value, text);
}

static bool read_value(const struct workload_parameter *parameter, const char *text, double *value)
{
    uint64_t whole;
    bool good;
    if (strcmp(parameter->type, "number") == 0) {
        good = units_parse_number(text, value);
    } else {
        good = strcmp(parameter->type, "size") == 0   ? units_parse_size(text, &whole)
               : strcmp(parameter->type, "time") == 0 ? units_parse_ns(text, &whole)
                                                      : units_parse_count(text, &whole);
        *value = good ? (double)whole : 0;
    }
    return good && *value >= parameter->minimum && *value <= parameter->maximum;
}

static void set_parameter(const struct request *request, size_t index, const char *text,
                          struct argp_state *state)
{
    const struct workload_parameter *parameter = &request->workload->parameters[index];
    char low[UNITS_TEXT_SIZE], high[UNITS_TEXT_SIZE];
    double value;
    if (read_value(parameter, text, &value)) {
        request->values[index] = value;
        return;
    }
    cli_print_parameter(parameter, parameter->minimum, low);
    cli_print_parameter(parameter, parameter->maximum, high);
    argp_error(state, "--%s: expected a %s from %s to %s, got \"%.60s\"", parameter->name,
               parameter->type, low, high, text);
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

static int write_trace(const struct request *request)
{
    const struct workload *workload = request->workload;
    struct trace_writer *writer;
    struct trace_error error;
    if (!trace_writer_open(request->output, &workload->header, &writer, &error)) {
        cli_bad_input(error.message);
        return CLI_FAILED;
    }
    if (!workload->generate(request->values, request->seed, writer, &error)) {
        trace_writer_abandon(writer);
        cli_bad_input(error.message);
        return CLI_FAILED;
    }
    if (!trace_writer_close(writer, &error)) {
        cli_bad_input(error.message);
        return CLI_FAILED;
    }
    return CLI_OK;
}

/* An option for each parameter of the workload, behind the two that all have. */
static int generate(const struct workload *workload, int argc, char **argv)
{
    enum { MEANING = 200 };
    size_t count = workload->parameter_count;
    size_t fixed = sizeof fixed_options / sizeof *fixed_options - 1;
    struct argp_option *options = calloc(count + fixed + 1, sizeof *options);
    char(*meanings)[MEANING] = calloc(count + 1, sizeof *meanings);
    struct request request = {
        .workload = workload, .seed = 1, .values = calloc(count + 1, sizeof *request.values)};
    int status = CLI_FAILED;
    if (options == NULL || meanings == NULL || request.values == NULL) {
        cli_error("out of memory");
        goto out;
    }
    memcpy(options, fixed_options, fixed * sizeof *options);
    for (size_t i = 0; i < count; i++) {
        const struct workload_parameter *parameter = &workload->parameters[i];
        char standard[UNITS_TEXT_SIZE];
        request.values[i] = parameter->standard;
        cli_print_parameter(parameter, parameter->standard, standard);
        snprintf(meanings[i], MEANING, "%s (default: %s)", parameter->meaning, standard);
        options[fixed + i] = (struct argp_option){
            .name = parameter->name,
            .key = PARAMETER + (int)i,
            .arg = strcmp(parameter->type, "size") == 0   ? "SIZE"
                   : strcmp(parameter->type, "time") == 0 ? "TIME"
                                                          : "N",
            .doc = meanings[i],
            .group = 2,
        };
    }
    char name[64], doc[256];
    snprintf(name, sizeof name, "generate %s", workload->name);
    snprintf(doc, sizeof doc, "Write a synthetic trace: %s.", workload->summary);
    const struct argp argp = {.options = options,
                              .parser = parse,
                              .args_doc = "-o TRACE",
                              .doc = doc,
                              .children = cli_common};
    const struct cli_command command = {.name = name, .argp = &argp};
    cli_parse(&command, argc, argv, &request);
    status = write_trace(&request);
out:
    free(options);
    free(meanings);
    free(request.values);
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
    struct trace_guess guess = trace_guess_start(name);
    for (size_t i = 0; i < workload_count; i++) {
        if (strcmp(workloads[i]->name, name) == 0)
            return generate(workloads[i], argc - 1, argv + 1);
        trace_guess_offer(&guess, name, workloads[i]->name);
    }
    if (guess.best != NULL)
        cli_error("generate: no workload \"%.60s\", did you mean %s?", name, guess.best);
    else
        cli_error("generate: no workload \"%.60s\" (see wddmsim generate list)", name);
    return CLI_USAGE;
}

const struct cli_command cli_generate = {"generate", "write a synthetic trace", &generate_argp,
                                         run_generate};
